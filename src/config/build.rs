//! From merged values to the [`Config`] as meant. The defaults are those of the table of settings.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::file;
use crate::config::layer::Store;
use crate::config::providers::{self, BUILT_IN, Stated};
use crate::config::table::{self, Found};
use crate::config::value::{self, Value};
use crate::config::{
    Auth, Budget, CacheTtl, Check, Compact, Config, DiffStyle, Effort, Hook, Keymap, Managed,
    Network, Permissions, Problem, ProviderConfig, Sandbox, SandboxMode, Session, Ui,
    WebSearchConfig, Wire,
};
use crate::protocol::{HookEvent, Mode, Money, Sourced};

/// `env` is looked at only for whether a variable is set. The problems are those that no one
/// value shows: a provider that lacks something.
pub fn config(store: &Store, env: &BTreeMap<String, String>) -> (Config, Vec<Problem>) {
    let mut problems = Vec::new();
    let network = network(store, &["network"], None);
    let config = Config {
        model: text(store, &["model"]),
        small_model: text(store, &["small-model"]),
        fallback_model: text(store, &["fallback-model"]),
        output_style: text(store, &["output-style"])
            .filter(|style| !style.trim().is_empty() && !style.eq_ignore_ascii_case("default")),
        effort: choice(
            store,
            &["effort"],
            &[
                ("low", Effort::Low),
                ("medium", Effort::Medium),
                ("high", Effort::High),
                ("max", Effort::Max),
            ],
        ),
        cache_ttl: choice(
            store,
            &["cache-ttl"],
            &[("5m", CacheTtl::FiveMinutes), ("1h", CacheTtl::OneHour)],
        )
        .unwrap_or_default(),
        providers: all_providers(store, &network, env, &mut problems),
        permissions: permissions(store),
        ui: ui(store),
        keys: store
            .below(&["keys"])
            .into_iter()
            .filter_map(|action| Some((action.to_owned(), words(store, &["keys", action])?)))
            .collect(),
        session: Session {
            keep_days: count(store, &["session", "keep-days"])
                .map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
            checkpoint_max_mb: count(store, &["session", "checkpoint-max-mb"]).unwrap_or_default(),
            checksums: matches!(get(store, &["session", "checksums"]), Some(Value::Flag(true))),
        },
        compact: Compact {
            at: share(store, &["compact", "at"]),
            keep_tokens: count(store, &["compact", "keep-tokens"]).unwrap_or_default(),
            instructions: text(store, &["compact", "instructions"]),
        },
        budget: Budget {
            session: money(store, &["budget", "session-usd"]),
            day: money(store, &["budget", "day-usd"]),
            warn_at: share(store, &["budget", "warn-at"]),
        },
        network,
        sandbox: sandbox(store),
        hooks: hooks(store, &mut problems),
        checks: checks(store),
        models: models(store),
        managed: Managed::default(),
        web_search: web_search(store, &mut problems),
        mcp_direct_tokens: count(store, &["mcp", "direct-tokens"]).unwrap_or_default(),
        mcp: servers(store),
    };
    (config, problems)
}

fn permissions(store: &Store) -> Permissions {
    let list = |name| {
        let values = store.all(&["permissions", name]);
        values.iter().filter_map(|entry| Some(same_place(entry, text_of(&entry.value)?))).collect()
    };
    Permissions {
        mode: store
            .one(&["permissions", "mode"])
            .and_then(|entry| Some(same_place(entry, Mode::parse(&text_of(&entry.value)?)?))),
        allow: list("allow"),
        ask: list("ask"),
        deny: list("deny"),
        additional_directories: list("additional-directories"),
    }
}

fn ui(store: &Store) -> Ui {
    let flag = |name| matches!(get(store, &["ui", name]), Some(Value::Flag(true)));
    let keymaps = [("default", Keymap::Default), ("vim", Keymap::Vim), ("emacs", Keymap::Emacs)];
    let styles =
        [("auto", DiffStyle::Auto), ("split", DiffStyle::Split), ("unified", DiffStyle::Unified)];
    Ui {
        theme: text(store, &["ui", "theme"]),
        keymap: choice(store, &["ui", "keymap"], &keymaps).unwrap_or_default(),
        diff: choice(store, &["ui", "diff"], &styles).unwrap_or_default(),
        mouse: flag("mouse"),
        notifications: flag("notifications"),
        tab_title: flag("tab-title"),
        status_command: text(store, &["ui", "status-command"]),
        reduced_motion: flag("reduced-motion"),
        ascii: flag("ascii"),
    }
}

fn all_providers(
    store: &Store,
    general: &Network,
    env: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, ProviderConfig> {
    let mut names: Vec<&str> = BUILT_IN.iter().map(|known| known.name).collect();
    names.extend(store.below(&["providers"]));
    names.sort_unstable();
    names.dedup();
    let mut found = BTreeMap::new();
    for name in names {
        let of = |key| ["providers", name, key];
        let header_timeout = ["providers", name, "network", "header-timeout-s"];
        let stated = Stated {
            wire: choice(
                store,
                &of("api"),
                &[
                    ("anthropic", Wire::Anthropic),
                    ("openai-responses", Wire::OpenaiResponses),
                    ("openai-chat", Wire::OpenaiChat),
                ],
            ),
            base_url: text(store, &of("base-url")),
            key: secret(store, &of("key")),
            key_command: text(store, &of("key-command")),
            key_env: words(store, &of("key-env")),
            auth: choice(store, &of("auth"), &[("api-key", Auth::Wire), ("bearer", Auth::Bearer)]),
            headers: store
                .below(&of("headers"))
                .into_iter()
                .filter_map(|header| {
                    let value = secret(store, &["providers", name, "headers", header])?;
                    Some((header.to_owned(), value))
                })
                .collect(),
            local: match get(store, &of("local")) {
                Some(Value::Flag(local)) => Some(local),
                _ => None,
            },
        };
        let network = network(store, &of("network"), Some(general));
        let stated_header_timeout = store.one(&header_timeout).is_some();
        match providers::settle(name, stated, network, stated_header_timeout, env) {
            Ok(provider) => drop(found.insert(name.to_owned(), provider)),
            Err(lacks) => problems.push(lacking(store, name, lacks)),
        }
    }
    found
}

fn lacking(store: &Store, name: &str, lacks: &str) -> Problem {
    let place = store
        .iter()
        .find(|(path, _)| path.len() > 2 && path[0] == "providers" && path[1] == name)
        .and_then(|(_, values)| values.last());
    Problem {
        source: place.map_or(crate::protocol::Source::User, |place| place.source),
        file: place.and_then(|place| place.file.clone()),
        line: place.and_then(|place| place.line),
        message: format!(
            "{} has no {lacks} and does not count",
            table::dotted(&["providers", name])
        ),
        hint: Some("a provider of your own needs api and base-url".into()),
    }
}

fn web_search(store: &Store, problems: &mut Vec<Problem>) -> Option<WebSearchConfig> {
    let place = store.one(&["web-search", "url"])?;
    let url = text(store, &["web-search", "url"])?;
    let headers = store.below(&["web-search", "headers"]).into_iter().filter_map(|header| {
        Some((header.to_owned(), secret(store, &["web-search", "headers", header])?))
    });
    match WebSearchConfig::new(&url, headers.collect()) {
        Ok(config) => Some(config),
        Err(fault) => {
            problems.push(Problem {
                source: place.source,
                file: place.file.clone(),
                line: place.line,
                message: format!("web-search.url {fault} and does not count"),
                hint: Some("such as \"http://127.0.0.1:8888/search?format=json&q={query}\"".into()),
            });
            None
        }
    }
}

fn network(store: &Store, path: &[&str], general: Option<&Network>) -> Network {
    let value = |name: &str| {
        let path = [path, &[name]].concat();
        count(store, &path)
    };
    let seconds = |name, general: Option<Duration>| {
        value(name).map(Duration::from_secs).or(general).unwrap_or_default()
    };
    let header = value("header-timeout-s").map(Duration::from_secs);
    Network {
        connect_timeout: seconds("connect-timeout-s", general.map(|n| n.connect_timeout)),
        header_timeout: header.or(general.and_then(|network| network.header_timeout)),
        idle_timeout: seconds("idle-timeout-s", general.map(|n| n.idle_timeout)),
        retries: value("retries")
            .map(|retries| u32::try_from(retries).unwrap_or(u32::MAX))
            .or(general.map(|network| network.retries))
            .unwrap_or_default(),
        max_retry_wait: seconds("max-retry-wait-s", general.map(|n| n.max_retry_wait)),
    }
}

fn sandbox(store: &Store) -> Sandbox {
    let modes = [
        ("auto", SandboxMode::Auto),
        ("required", SandboxMode::Required),
        ("off", SandboxMode::Off),
    ];
    let flag = |name| matches!(get(store, &["sandbox", name]), Some(Value::Flag(true)));
    Sandbox {
        mode: choice(store, &["sandbox", "mode"], &modes).unwrap_or_default(),
        network: flag("network"),
        fewer_questions: flag("fewer-questions"),
        writable: words(store, &["sandbox", "writable"]).unwrap_or_default(),
    }
}

/// Under either spelling of the event; one that there is not is told.
fn hooks(store: &Store, problems: &mut Vec<Problem>) -> Vec<Sourced<Hook>> {
    let mut found = Vec::new();
    for name in store.below(&["hooks"]) {
        let entries = store.all(&["hooks", name]);
        let Some(event) = HookEvent::parse(name) else {
            let names = HookEvent::ALL.map(HookEvent::name);
            let hint = match table::nearest(name, names.into_iter()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("events are {}", names.join(", ")),
            };
            problems.extend(entries.first().map(|entry| Problem {
                source: entry.source,
                file: entry.file.clone(),
                line: entry.line,
                message: format!("there is no hook event {}", table::dotted(&[name])),
                hint: Some(hint),
            }));
            continue;
        };
        found.extend(entries.iter().filter_map(|entry| match &entry.value {
            Value::Hook(written) => Some(same_place(entry, written.at(event))),
            _ => None,
        }));
    }
    found
}

fn checks(store: &Store) -> Vec<Sourced<Check>> {
    let timeout = Duration::from_secs(count(store, &["checks", "timeout-s"]).unwrap_or_default());
    // A formatter goes first, so that what it mends is not complained of.
    ["format", "lint", "test"]
        .into_iter()
        .filter_map(|name| {
            let entry = store.one(&["checks", name])?;
            let command = text_of(&entry.value).filter(|command| !command.trim().is_empty())?;
            Some(same_place(entry, Check { name: name.to_owned(), command, timeout }))
        })
        .collect()
}

fn models(store: &Store) -> toml::Table {
    let raw = |name: &str| match store.one(&["models", name])?.value.clone() {
        Value::Raw(raw) => Some((name.to_owned(), raw)),
        _ => None,
    };
    store.below(&["models"]).into_iter().filter_map(raw).collect()
}

fn servers(store: &Store) -> BTreeMap<String, Sourced<toml::Value>> {
    let server = |name: &str| {
        let entry = store.one(&["mcp", "servers", name])?;
        let Value::Raw(raw) = &entry.value else { return None };
        Some((name.to_owned(), same_place(entry, raw.clone())))
    };
    store.below(&["mcp", "servers"]).into_iter().filter_map(server).collect()
}

/// The value that counts: the highest layer's, else the table's default.
pub fn get(store: &Store, path: &[&str]) -> Option<Value> {
    store.one(path).map(|entry| entry.value.clone()).or_else(|| default(path))
}

/// The default of a setting; `None`: it has none.
pub fn default(path: &[&str]) -> Option<Value> {
    let Found::Setting(setting) = table::find(path) else { return None };
    if setting.default.is_empty() {
        return None;
    }
    let (entries, _) = file::toml(&format!("default = {}", setting.default));
    let (_, item) = entries.first()?;
    let (value, _) =
        value::check(setting.kind, setting.name, item, &mut Vec::new()).into_iter().next()?;
    Some(value)
}

fn same_place<T>(entry: &Sourced<Value>, value: T) -> Sourced<T> {
    Sourced { value, source: entry.source, file: entry.file.clone(), line: entry.line }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn text(store: &Store, path: &[&str]) -> Option<String> {
    text_of(&get(store, path)?)
}

fn secret(store: &Store, path: &[&str]) -> Option<String> {
    match get(store, path)? {
        Value::Secret(hidden) => Some(hidden.0),
        _ => None,
    }
}

fn choice<T: Copy>(store: &Store, path: &[&str], choices: &[(&str, T)]) -> Option<T> {
    let chosen = text(store, path)?;
    choices.iter().find(|(name, _)| *name == chosen).map(|(_, value)| *value)
}

fn count(store: &Store, path: &[&str]) -> Option<u64> {
    match get(store, path)? {
        Value::Count(count) => Some(count),
        _ => None,
    }
}

fn share(store: &Store, path: &[&str]) -> f64 {
    match get(store, path) {
        Some(Value::Share(share)) => share,
        _ => 1.0,
    }
}

fn money(store: &Store, path: &[&str]) -> Option<Money> {
    match get(store, path)? {
        Value::Usd(money) => Some(money),
        _ => None,
    }
}

fn words(store: &Store, path: &[&str]) -> Option<Vec<String>> {
    match get(store, path)? {
        Value::Words(words) => Some(words),
        _ => None,
    }
}
