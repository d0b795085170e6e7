//! What whoever manages this machine has locked: `/etc/tern/managed.toml` and the files of
//! `managed.d` beside it. Their settings beat every other layer; the table `[managed]`, which only
//! they may hold, says what others may not do at all.
//!
//! Plain data and questions to it. Each part of tern asks before it does what could be locked:
//! [`Managed::mode`], [`Managed::model`], [`Managed::hook`], [`Managed::server`],
//! [`Managed::telemetry`]. Rules and folders of others are taken out in [`enforce`], so that nobody
//! need ask.
//!
//! *Invariant:* it fails closed. A managed file that cannot be read whole is [`Managed::broken`],
//! and no session begins.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::config::layer::Store;
use crate::config::problem::one_line;
use crate::config::value::Value;
use crate::config::{Permissions, Problem};
use crate::protocol::{Mode, Source, Sourced};

/// `None`: not locked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Managed {
    /// The files that are there, lowest first.
    pub files: Vec<PathBuf>,
    /// What is wrong with one of them: nothing may begin.
    pub broken: Option<Box<Problem>>,
    /// The modes that may be used.
    pub modes: Option<Sourced<Vec<Mode>>>,
    /// Allow rules and additional folders count only where a managed file names them.
    pub rules_only: Option<Sourced<bool>>,
    pub hooks: Option<Sourced<Hooks>>,
    /// Servers that may be used: by `name`, `command:WORDS` or `url:URL`, with `*` for any text.
    pub mcp_allow: Option<Sourced<Vec<String>>>,
    /// Servers that may not, whatever allows them.
    pub mcp_deny: Option<Sourced<Vec<String>>>,
    /// Models that may be used: `PROVIDER/MODEL`, with `*` for any text.
    pub models: Option<Sourced<Vec<String>>>,
    pub telemetry: Option<Sourced<Telemetry>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    Any,
    /// Only those of managed files.
    Managed,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telemetry {
    Any,
    /// Only where a managed file sends it.
    Managed,
    Never,
}

/// An MCP server as it is configured.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    pub name: &'a str,
    /// The program and its arguments; empty for a server that is reached by its address.
    pub command: &'a [String],
    pub url: Option<&'a str>,
}

/// Why something is not done: one sentence that names the file and the line.
pub type Refused = String;

impl Managed {
    /// Whether anything is locked or set.
    pub fn is_there(&self) -> bool {
        !self.files.is_empty()
    }

    pub fn mode(&self, mode: Mode) -> Result<(), Refused> {
        match &self.modes {
            Some(modes) if !modes.value.contains(&mode) => {
                Err(refusal(format_args!("mode {} may not be used", mode.name()), modes))
            }
            _ => Ok(()),
        }
    }

    /// `name`: `PROVIDER/MODEL`.
    pub fn model(&self, name: &str) -> Result<(), Refused> {
        let shown = one_line(name);
        listed(&self.models, |pattern| matches(pattern, name))
            .map_err(|of| refusal(format_args!("model {shown} may not be used"), of))
    }

    /// Whether a hook that `source` brought may run.
    pub fn hook(&self, source: Source) -> Result<(), Refused> {
        match &self.hooks {
            Some(hooks) if hooks.value == Hooks::Never => {
                Err(refusal(format_args!("hooks may not run"), hooks))
            }
            Some(hooks) if hooks.value == Hooks::Managed && source != Source::Managed => {
                Err(refusal(format_args!("only managed hooks may run"), hooks))
            }
            _ => Ok(()),
        }
    }

    pub fn server(&self, server: &Server<'_>) -> Result<(), Refused> {
        let name = one_line(server.name);
        if let Some(deny) = &self.mcp_deny
            && deny.value.iter().any(|entry| names(entry, server))
        {
            return Err(refusal(format_args!("MCP server {name} may not be used"), deny));
        }
        listed(&self.mcp_allow, |entry| names(entry, server))
            .map_err(|of| refusal(format_args!("MCP server {name} may not be used"), of))
    }

    /// Whether telemetry that `source` asked for may be sent.
    pub fn telemetry(&self, source: Source) -> Result<(), Refused> {
        match &self.telemetry {
            Some(of) if of.value == Telemetry::Never => {
                Err(refusal(format_args!("telemetry may not be sent"), of))
            }
            Some(of) if of.value == Telemetry::Managed && source != Source::Managed => {
                Err(refusal(format_args!("only managed telemetry may be sent"), of))
            }
            _ => Ok(()),
        }
    }

    /// Whether rules of a person's own may be kept or used.
    pub fn own_rules(&self) -> Result<(), Refused> {
        match &self.rules_only {
            Some(only) if only.value => {
                Err(refusal(format_args!("only managed rules count"), only))
            }
            _ => Ok(()),
        }
    }

    /// The mode that holds where none is set, or one that is not allowed: the first that is.
    pub fn settle(&self, permissions: &mut Permissions) {
        let mode = permissions.mode.as_ref().map_or(Mode::Default, |mode| mode.value);
        if let Some(modes) = &self.modes
            && let Some(first) = modes.value.first()
            && self.mode(mode).is_err()
        {
            permissions.mode = Some(Sourced {
                value: *first,
                source: modes.source,
                file: modes.file.clone(),
                line: modes.line,
            });
        }
    }

    /// What is locked, a few words each, for `tern doctor` and the panel of permissions.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(modes) = &self.modes {
            let names: Vec<&str> = modes.value.iter().map(|mode| mode.name()).collect();
            words.push(format!("modes {}", names.join(", ")));
        }
        if self.own_rules().is_err() {
            words.push("only managed rules".to_owned());
        }
        match self.hooks.as_ref().map(|hooks| hooks.value) {
            Some(Hooks::Never) => words.push("no hooks".to_owned()),
            Some(Hooks::Managed) => words.push("only managed hooks".to_owned()),
            Some(Hooks::Any) | None => {}
        }
        let lists = [
            ("MCP servers", &self.mcp_allow),
            ("no MCP server", &self.mcp_deny),
            ("models", &self.models),
        ];
        for (what, list) in lists {
            if let Some(list) = list {
                let entries: Vec<String> = list.value.iter().map(|entry| one_line(entry)).collect();
                words.push(match entries.is_empty() {
                    true => format!("{what}: none"),
                    false => format!("{what} {}", entries.join(", ")),
                });
            }
        }
        match self.telemetry.as_ref().map(|telemetry| telemetry.value) {
            Some(Telemetry::Never) => words.push("no telemetry".to_owned()),
            Some(Telemetry::Managed) => words.push("only managed telemetry".to_owned()),
            Some(Telemetry::Any) | None => {}
        }
        words
    }
}

/// The table `[managed]` of the merged settings.
pub(super) fn read(store: &Store, files: Vec<PathBuf>, broken: Option<Problem>) -> Managed {
    let words = |name| get(store, name, words_of);
    Managed {
        files,
        broken: broken.map(Box::new),
        modes: get(store, "modes", |value| {
            Some(words_of(value)?.iter().filter_map(|name| Mode::parse(name)).collect())
        }),
        rules_only: get(store, "rules-only", |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }),
        hooks: get(store, "hooks", |value| match text_of(value)?.as_str() {
            "any" => Some(Hooks::Any),
            "managed" => Some(Hooks::Managed),
            "never" => Some(Hooks::Never),
            _ => None,
        }),
        mcp_allow: words("mcp-allow"),
        mcp_deny: words("mcp-deny"),
        models: words("models"),
        telemetry: get(store, "telemetry", |value| match text_of(value)?.as_str() {
            "any" => Some(Telemetry::Any),
            "managed" => Some(Telemetry::Managed),
            "never" => Some(Telemetry::Never),
            _ => None,
        }),
    }
}

/// A mode that no version knows would leave the list shorter than it was meant, and an empty list
/// leaves none: mistakes, told.
pub(super) fn bad_modes(store: &Store) -> Option<Problem> {
    let modes = store.one(&["managed", "modes"])?;
    let Value::Words(names) = &modes.value else { return None };
    let message = match names.iter().find(|name| Mode::parse(name).is_none()) {
        Some(unknown) => format!("unknown mode {unknown:?} in managed.modes"),
        None if names.is_empty() => "managed.modes names no mode".to_owned(),
        None => return None,
    };
    let known: Vec<&str> = Mode::ALL.iter().map(|mode| mode.name()).collect();
    Some(Problem {
        source: Source::Managed,
        file: modes.file.clone(),
        line: modes.line,
        message,
        hint: Some(format!("modes are {}", known.join(", "))),
    })
}

/// The managed file, then those of `managed.d` by name. A folder that is there but cannot be read
/// is an error, since it may hold a lock.
pub(super) fn files(managed: &Path) -> Vec<Result<PathBuf, (PathBuf, std::io::Error)>> {
    let folder = managed.with_file_name("managed.d");
    let more = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut files = vec![Ok(managed.to_owned())];
    match more {
        Ok(mut more) => {
            let is_toml = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "toml");
            more.retain(is_toml);
            more.sort();
            files.extend(more.into_iter().map(Ok));
        }
        Err(error) => files.push(Err((folder, error))),
    }
    files
}

/// Takes out of the merged settings what the lock does not let others set, and says so.
pub(super) fn enforce(store: &mut Store, managed: &Managed) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Err(why) = managed.own_rules() {
        for list in ["allow", "additional-directories"] {
            let path = ["permissions", list];
            for out in store.take_out(&path, |entry| entry.source != Source::Managed) {
                problems.push(told(&out, format!("{} does not count: {why}", shown(&out.value))));
            }
        }
    }
    let mode = |value: &Value| text_of(value).and_then(|text| Mode::parse(&text));
    let locked = |entry: &Sourced<Value>| {
        mode(&entry.value)
            .and_then(|mode| managed.mode(mode).err())
            .filter(|_| entry.source != Source::Managed)
    };
    for out in store.take_out(&["permissions", "mode"], |entry| locked(entry).is_some()) {
        problems.extend(locked(&out).map(|why| told(&out, why)));
    }
    for name in ["model", "small-model", "fallback-model"] {
        let locked = |entry: &Sourced<Value>| managed.model(&text_of(&entry.value)?).err();
        for out in store.take_out(&[name], |entry| locked(entry).is_some()) {
            problems.extend(locked(&out).map(|why| told(&out, why)));
        }
    }
    problems
}

fn told(entry: &Sourced<Value>, message: String) -> Problem {
    Problem {
        source: entry.source,
        file: entry.file.clone(),
        line: entry.line,
        message,
        hint: None,
    }
}

fn shown(value: &Value) -> String {
    text_of(value).map_or_else(|| "this".to_owned(), |text| one_line(&text))
}

/// `PATTERN may not be used: /etc/tern/managed.toml line 3 (managed.modes)`
fn refusal<T>(what: impl Display, of: &Sourced<T>) -> Refused {
    let file =
        of.file.as_deref().map_or("the managed policy".into(), |file| file.to_string_lossy());
    match of.line {
        Some(line) => format!("{what}, as {file} line {line} has it"),
        None => format!("{what}, as {file} has it"),
    }
}

/// The list, where there is one and nothing in it fits.
fn listed(
    list: &Option<Sourced<Vec<String>>>,
    fits: impl Fn(&str) -> bool,
) -> Result<(), &Sourced<Vec<String>>> {
    match list {
        Some(list) if !list.value.iter().any(|entry| fits(entry)) => Err(list),
        _ => Ok(()),
    }
}

fn names(entry: &str, server: &Server<'_>) -> bool {
    if let Some(command) = entry.strip_prefix("command:") {
        return !server.command.is_empty() && matches(command.trim(), &server.command.join(" "));
    }
    if let Some(url) = entry.strip_prefix("url:") {
        return server.url.is_some_and(|given| matches(url.trim(), given));
    }
    matches(entry, server.name)
}

/// `*` for any text, also none; every other character for itself.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let tail = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(tail)
}

fn get<T>(store: &Store, name: &str, of: impl Fn(&Value) -> Option<T>) -> Option<Sourced<T>> {
    let entry = store.one(&["managed", name])?;
    let value = of(&entry.value)?;
    Some(Sourced { value, source: entry.source, file: entry.file.clone(), line: entry.line })
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn words_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Words(words) => Some(words.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::dirs::Dirs;
    use crate::config::layer::{self, Inputs};

    fn list(entries: &[&str]) -> Option<Sourced<Vec<String>>> {
        let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Some(Sourced {
            line: Some(3),
            file: Some("/etc/tern/managed.toml".into()),
            ..Sourced::new(entries, Source::Managed)
        })
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, fits) in [
            ("github", "github", true),
            ("github", "github2", false),
            ("*", "", true),
            ("anthropic/*", "anthropic/claude", true),
            ("anthropic/*", "openai/anthropic/", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("https://*.corp.example/*", "https://x.corp.example/mcp", true),
            ("https://*.corp.example/*", "https://corp.example.evil/x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn servers_are_known_by_name_command_and_address() {
        let managed = Managed {
            mcp_allow: list(&["docs", "command:npx -y @corp/*", "url:https://*.corp.example/*"]),
            mcp_deny: list(&["command:npx -y @corp/shell*"]),
            ..Managed::default()
        };
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (name, command, url, fits) in [
            ("docs", "anything at all", None, true),
            ("x", "npx -y @corp/files", None, true),
            ("docs", "npx -y @corp/shell", None, false),
            ("x", "npx -y @evil/files", None, false),
            ("x", "", Some("https://mcp.corp.example/v1"), true),
            ("x", "", Some("https://mcp.evil.example/v1"), false),
        ] {
            let command = if command.is_empty() { Vec::new() } else { words(command) };
            let server = Server { name, command: &command, url };
            assert_eq!(managed.server(&server).is_ok(), fits, "{server:?}");
        }
        let refused = managed.server(&Server { name: "x", command: &[], url: None }).unwrap_err();
        assert_eq!(
            refused,
            "MCP server x may not be used, as /etc/tern/managed.toml line 3 has it"
        );
    }

    #[test]
    fn what_is_not_locked_is_free() {
        let free = Managed::default();
        assert!(free.mode(Mode::BypassPermissions).is_ok() && free.model("a/b").is_ok());
        assert!(free.hook(Source::Project).is_ok() && free.telemetry(Source::User).is_ok());
        assert!(free.own_rules().is_ok() && free.words().is_empty());
        let locked = Managed {
            hooks: Some(Sourced::new(Hooks::Managed, Source::Managed)),
            telemetry: Some(Sourced::new(Telemetry::Never, Source::Managed)),
            models: list(&["anthropic/*"]),
            ..free
        };
        assert!(locked.hook(Source::Managed).is_ok() && locked.hook(Source::User).is_err());
        assert!(locked.telemetry(Source::Managed).is_err());
        assert!(locked.model("openai/x").is_err() && locked.model("anthropic/x").is_ok());
        assert_eq!(locked.words(), ["only managed hooks", "models anthropic/*", "no telemetry"]);
    }

    /// The settings of a person, below a managed file.
    fn load(managed: &str, user: &str, flag: Option<&str>) -> (Config, Vec<String>) {
        let top = tempfile::tempdir().unwrap();
        let mut dirs = Dirs::under(&top.path().join("t"), &top.path().join("home"));
        dirs.managed = top.path().join("managed.toml");
        std::fs::create_dir_all(&dirs.config).unwrap();
        std::fs::write(dirs.user_file(), user).unwrap();
        std::fs::write(&dirs.managed, managed).unwrap();
        let mut inputs = Inputs::new(dirs, top.path(), Default::default());
        inputs.flags.permission_mode = flag.map(str::to_owned);
        let (loaded, problems) = layer::load(&inputs);
        let folder = format!("{}/", top.path().display());
        let problems = problems.iter().map(|problem| problem.to_string().replace(&folder, ""));
        (loaded.config, problems.collect())
    }

    #[test]
    fn a_lock_takes_out_what_others_set() {
        let (config, problems) = load(
            "[managed]\nmodes = [\"plan\", \"default\"]\nrules-only = true\nmodels = [\"anthropic/*\"]\n\
             [permissions]\nallow = [\"Bash(make *)\"]\n",
            "model = \"openai/x\"\n[permissions]\nmode = \"acceptEdits\"\nallow = [\"Bash(curl *)\"]\n\
             deny = [\"Bash(rm *)\"]\n",
            Some("bypassPermissions"),
        );
        let rules = |list: &[Sourced<String>]| {
            list.iter().map(|rule| rule.value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(rules(&config.permissions.allow), ["Bash(make *)"]);
        assert_eq!(rules(&config.permissions.deny), ["Bash(rm *)"]);
        assert_eq!((config.permissions.mode, config.model), (None, None));
        assert_eq!(
            problems,
            [
                "config.toml line 4: Bash(curl *) does not count: only managed rules count, as managed.toml line 3 has it",
                "mode bypassPermissions may not be used, as managed.toml line 2 has it",
                "config.toml line 1: model openai/x may not be used, as managed.toml line 4 has it",
            ]
        );
        assert_eq!(config.managed.broken, None);
        let (config, _) = load("managed.modes = [\"plan\"]", "", None);
        assert_eq!(config.permissions.mode.map(|mode| mode.value), Some(Mode::Plan));
    }

    #[test]
    fn a_managed_file_with_any_mistake_is_broken_and_only_there_a_lock_counts() {
        for (text, broken) in [
            ("managed.modes = [\"yolo\"]", true),
            ("managed.modes = []", true),
            ("managed.hook = \"never\"", true),
            ("[managed", true),
            ("permissions.deny = \"Bash\"", true),
            ("managed.hooks = \"never\"", false),
            ("", false),
        ] {
            assert_eq!(load(text, "", None).0.managed.broken.is_some(), broken, "{text}");
        }
        let (config, problems) = load("", "managed.hooks = \"any\"", None);
        assert_eq!(config.managed.hooks, None);
        assert_eq!(
            problems,
            [
                "config.toml line 1: managed.hooks counts in a managed file only; that is /etc/tern/managed.toml"
            ]
        );
    }
}
