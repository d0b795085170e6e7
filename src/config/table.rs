//! THE list of settings. Reading, reports of unknown names, `tern config show` and the
//! documentation all come from it.

use crate::config::value::Kind;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Dotted; a `*` stands for a name that the user chooses.
    pub name: &'static str,
    pub kind: Kind,
    /// TOML text; empty: unset.
    pub default: &'static str,
    pub project: Project,
    /// One line.
    pub doc: &'static str,
}

/// What a file in a project folder may do with a setting. Such a file came with the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Project {
    Sets,
    /// It may only make the number smaller than the user's own files do.
    Lowers,
    /// It could redirect requests, run something or delete history.
    Never,
    /// Nobody may but whoever manages the machine.
    Managed,
}

use Kind::{
    Adds, Choice, Count, Flag, Hooks, Mode, Raw, Secret, Share, Text, Unused, Url, Usd, Words,
};
use Project::{Lowers, Managed, Never, Sets};

const APIS: &[&str] = &["anthropic", "openai-responses", "openai-chat"];
const SECONDS: Kind = Count { least: 1, most: 86_400 };
const RETRIES: Kind = Count { least: 0, most: 100 };
const TOKENS: Kind = Count { least: 1, most: 1_000_000_000 };

#[rustfmt::skip] // One line a setting: this is read as a table.
pub const SETTINGS: &[Setting] = &[
    row("model", Text, "", Sets, "The model, as PROVIDER/MODEL; unset: chosen from the keys and servers that are found"),
    row("small-model", Text, "", Sets, "For titles, summaries and page questions; unset: the provider's cheapest known model"),
    row("fallback-model", Text, "", Sets, "Takes over when the model stays overloaded"),
    row("effort", Choice(&["low", "medium", "high", "max"]), "", Sets, "How long the model thinks"),
    row("output-style", Text, "", Sets, "How the model speaks: default, concise, explanatory, or a file of output-styles; counts from the next session"),
    row("cache-ttl", Choice(&["5m", "1h"]), "\"5m\"", Sets, "How long an Anthropic server keeps the prompt; 1h costs more to write, and pays where you pause for more than five minutes"),

    row("providers.*.api", Choice(APIS), "", Never, "The wire format of a provider"),
    row("providers.*.base-url", Url, "", Never, "Where its requests go; with /v1 for the openai formats"),
    row("providers.*.key", Secret, "", Never, "The key itself"),
    row("providers.*.key-command", Text, "", Never, "A shell command that prints the key"),
    row("providers.*.key-env", Words, "", Never, "The environment variable that holds the key; of several, the first one set"),
    row("providers.*.auth", Choice(&["api-key", "bearer"]), "", Never, "How the key is sent, where not as the wire format has it"),
    row("providers.*.headers.*", Secret, "", Never, "A header for each request"),
    row("providers.*.local", Flag, "", Never, "A server of this machine or network that needs no key and may think long; unset: true for a loopback address"),
    row("providers.*.network.connect-timeout-s", SECONDS, "", Never, "network.connect-timeout-s for this provider"),
    row("providers.*.network.header-timeout-s", SECONDS, "", Never, "network.header-timeout-s for this provider"),
    row("providers.*.network.idle-timeout-s", SECONDS, "", Never, "network.idle-timeout-s for this provider"),
    row("providers.*.network.retries", RETRIES, "", Never, "network.retries for this provider"),
    row("providers.*.network.max-retry-wait-s", SECONDS, "", Never, "network.max-retry-wait-s for this provider"),

    row("models.*", Raw, "", Never, "Window and dated prices of PROVIDER/MODEL, in the form of the built-in table of models"),

    row("permissions.mode", Mode, "\"default\"", Sets, "default, acceptEdits, plan, dontAsk or bypassPermissions"),
    row("permissions.allow", Adds, "", Sets, "Rules for what runs without asking"),
    row("permissions.ask", Adds, "", Sets, "Rules for what is always asked about"),
    row("permissions.deny", Adds, "", Sets, "Rules for what never runs"),
    row("permissions.additional-directories", Adds, "", Sets, "Folders beside the project that tools may work in"),

    row("ui.theme", Text, "", Sets, "The theme; unset: dark or light, as the terminal is"),
    row("ui.keymap", Choice(&["default", "vim", "emacs"]), "\"default\"", Sets, "The keys of the prompt"),
    row("ui.diff", Choice(&["auto", "split", "unified"]), "\"auto\"", Sets, "How changes are laid out"),
    row("ui.mouse", Flag, "true", Sets, "Wheel and clicks; false leaves the mouse to the terminal"),
    row("ui.notifications", Flag, "true", Sets, "Tell the terminal when tern waits and is not looked at"),
    row("ui.tab-title", Flag, "true", Sets, "Tell the terminal's tab what goes on"),
    row("ui.status-command", Text, "", Never, "A command that gets the session as JSON and prints a line for the status line"),
    row("ui.reduced-motion", Flag, "false", Sets, "Nothing on the screen moves by itself"),
    row("ui.ascii", Flag, "false", Sets, "Marks and spinners in ASCII"),
    row("keys.*", Words, "", Never, "The keys of an action, as \"ctrl+x ctrl+e\" or a list of such"),

    row("session.keep-days", Count { least: 1, most: 36_500 }, "", Never, "Sessions older than this may be pruned; unset: kept for ever"),
    row("session.checksums", Flag, "false", Never, "Give each line of a session's log a checksum, so that a changed one is not believed"),
    row("session.checkpoint-max-mb", Count { least: 0, most: 1_000_000 }, "500", Never, "Megabytes of file copies kept for rewinding"),

    row("compact.at", Share, "0.8", Sets, "Share of the window at which the history is compacted"),
    row("compact.keep-tokens", TOKENS, "20000", Sets, "Tokens of the newest history that stay as they are"),
    row("compact.instructions", Text, "", Sets, "What a summary should keep"),

    row("budget.session-usd", Usd, "", Lowers, "Dollars a session may cost before tern asks"),
    row("budget.day-usd", Usd, "", Lowers, "Dollars a day may cost before tern asks"),
    row("budget.warn-at", Share, "0.8", Sets, "Share of a budget at which a notice appears"),

    row("network.connect-timeout-s", SECONDS, "10", Never, "Seconds to wait for a connection"),
    row("network.header-timeout-s", SECONDS, "120", Never, "Seconds from a request to its first header; no limit for local servers"),
    row("network.idle-timeout-s", SECONDS, "120", Never, "Longest silence in a stream, in seconds"),
    row("network.retries", RETRIES, "6", Never, "How often a failed request is tried again"),
    row("network.max-retry-wait-s", SECONDS, "60", Never, "Longest wait before such a try, in seconds"),

    row("sandbox.mode", Choice(&["auto", "required", "off"]), "\"off\"", Never, "Hold commands in: never, or as well as this machine can, or run none without"),
    row("sandbox.network", Flag, "false", Never, "Commands in the sandbox reach the network"),
    row("sandbox.fewer-questions", Flag, "false", Never, "A command that no rule covers runs unasked where the sandbox holds it wholly"),
    row("sandbox.writable", Words, "", Never, "Folders they may write to besides the project and the temporary folders"),

    row("web-search.url", Text, "", Never, "Where WebSearch asks: an address that holds {query} and answers with JSON; unset: the model's own provider searches"),
    row("web-search.headers.*", Secret, "", Never, "A header for each search, for a key"),

    row("managed.modes", Words, "", Managed, "The permission modes that may be used; unset: all"),
    row("managed.rules-only", Flag, "false", Managed, "Allow rules and additional folders count only where a managed file names them"),
    row("managed.hooks", Choice(&["any", "managed", "never"]), "\"any\"", Managed, "Whose hooks may run"),
    row("managed.mcp-allow", Words, "", Managed, "MCP servers that may be used, as NAME, command:WORDS or url:URL, * for any text; unset: all"),
    row("managed.mcp-deny", Words, "", Managed, "MCP servers that may not be used, whatever allows them"),
    row("managed.models", Words, "", Managed, "Models that may be used, as PROVIDER/MODEL, * for any text; unset: all"),
    row("managed.telemetry", Choice(&["any", "managed", "never"]), "\"any\"", Managed, "Whose telemetry may be sent"),

    row("hooks.*", Hooks, "", Sets, "Commands that run at an event, as [[hooks.pre-tool-use]] with matcher, command and timeout in seconds"),
    row("checks.format", Text, "", Sets, "A shell command that runs after a turn has changed files: a formatter"),
    row("checks.lint", Text, "", Sets, "The same after it: a linter, whose failure the model is to mend"),
    row("checks.test", Text, "", Sets, "The same after that: the tests"),
    row("checks.timeout-s", Count { least: 1, most: 3_600 }, "300", Sets, "Longest run of a check, in seconds"),

    row("mcp.direct-tokens", Count { least: 0, most: 1_000_000 }, "2000", Never, "Tokens of tools of MCP servers that every request carries; those of other servers are found by ToolSearch"),
    row("mcp.servers.*", Raw, "", Sets, "A server of the Model Context Protocol: command, args, env, or url, headers; enabled, timeout in seconds"),
    row("telemetry.*", Unused, "", Never, "Reserved"),
];

const fn row(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    project: Project,
    doc: &'static str,
) -> Setting {
    Setting { name, kind, default, project, doc }
}

/// What a path of names is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    Setting(&'static Setting),
    /// A table that holds settings.
    Table,
    Unknown,
}

pub fn find<S: AsRef<str>>(path: &[S]) -> Found {
    let mut found = Found::Unknown;
    for setting in SETTINGS {
        let mut names = setting.name.split('.');
        let begins = path.iter().all(|part| match names.next() {
            Some(name) => name == "*" || name == part.as_ref(),
            None => false,
        });
        match (begins, names.next()) {
            (true, None) => return Found::Setting(setting),
            (true, Some(_)) => found = Found::Table,
            (false, _) => {}
        }
    }
    found
}

/// The valid name that an unknown path most likely means, dotted; `None` where nothing is near.
pub fn suggest<S: AsRef<str>>(path: &[S]) -> Option<String> {
    let (last, parents) = path.split_last()?;
    let last = last.as_ref().replace('_', "-");
    let siblings = SETTINGS.iter().filter_map(|setting| {
        let mut names = setting.name.split('.');
        let under = parents
            .iter()
            .all(|part| names.next().is_some_and(|name| name == "*" || name == part.as_ref()));
        names.next().filter(|name| under && *name != "*")
    });
    if let Some(near) = nearest(&last, siblings) {
        let parents = parents.iter().map(|part| quoted(part.as_ref()));
        return Some(parents.chain([near.to_owned()]).collect::<Vec<_>>().join("."));
    }
    // A right name in the wrong table, or in none.
    let fits = |setting: &&Setting| setting.name.rsplit('.').next() == Some(last.as_str());
    SETTINGS.iter().find(fits).map(|setting| setting.name.to_owned())
}

/// The name nearest to `text`, if it is near enough to be meant.
pub fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text: String = text.chars().take(64).flat_map(char::to_lowercase).collect();
    names
        .map(|name| (strsim::damerau_levenshtein(&text, &name.to_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4 && *distance < name.len())
        .map(|(_, name)| name)
}

/// The path as TOML writes it, names that need quotes in quotes.
pub fn dotted<S: AsRef<str>>(path: &[S]) -> String {
    path.iter().map(|part| quoted(part.as_ref())).collect::<Vec<_>>().join(".")
}

fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    let short: String = name.chars().take(80).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::toml;
    use crate::config::value::check;

    #[test]
    fn names_are_unique_and_documented_and_defaults_are_of_their_kind() {
        for (at, setting) in SETTINGS.iter().enumerate() {
            assert!(!setting.doc.is_empty() && !setting.doc.ends_with('.'), "{}", setting.name);
            let same = SETTINGS[..at].iter().any(|other| other.name == setting.name);
            assert!(!same, "{} stands twice", setting.name);
            if !setting.default.is_empty() {
                let (entries, faults) = toml(&format!("k = {}", setting.default));
                assert_eq!(faults, [], "{}", setting.name);
                let mut complaints = Vec::new();
                let values = check(setting.kind, setting.name, &entries[0].1, &mut complaints);
                assert_eq!((values.len(), complaints), (1, vec![]), "{}", setting.name);
            }
        }
    }

    #[test]
    fn paths_are_found_or_named_nearly() {
        for (path, found, near) in [
            (vec!["ui", "mouse"], "ui.mouse", None),
            (vec!["keys", "editor.open"], "keys.*", None),
            (vec!["providers", "work", "headers", "X"], "providers.*.headers.*", None),
            (vec!["providers", "work"], "table", None),
            (vec!["permissions"], "table", None),
            (vec!["permisions"], "unknown", Some("permissions")),
            (vec!["ui", "tehme"], "unknown", Some("ui.theme")),
            (vec!["budget", "session_usd"], "unknown", Some("budget.session-usd")),
            (
                vec!["permissions", "additionalDirectories"],
                "unknown",
                Some("permissions.additional-directories"),
            ),
            (
                vec!["providers", "my.work", "base_url"],
                "unknown",
                Some("providers.\"my.work\".base-url"),
            ),
            (vec!["theme"], "unknown", Some("ui.theme")),
            (vec!["ui", "mouse", "deep"], "unknown", None),
            (vec!["zzzzzz"], "unknown", None),
            (vec!["hooks", "pre-tool-use"], "hooks.*", None),
        ] {
            let got = match find(&path) {
                Found::Setting(setting) => setting.name,
                Found::Table => "table",
                Found::Unknown => "unknown",
            };
            assert_eq!(got, found, "{path:?}");
            if got == "unknown" {
                assert_eq!(suggest(&path).as_deref(), near, "{path:?}");
            }
        }
    }
}
