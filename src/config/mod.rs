//! The configuration as meant: plain data, whatever file, flag or variable it came from.
//!
//! [`layer`] reads and merges the files, [`table`] is the one list of settings, [`write`] changes a
//! file, [`login`] keeps keys, [`managed`] is what nobody else may change. Nothing above this module needs to know that there are layers, except
//! to show where a value came from.
//!
//! Not for deciding what a folder may set before it is trusted beyond what [`layer::Inputs`] says,
//! and not for resolving keys: a [`KeySource`] only says where to look.

pub mod build;
pub mod claude;
pub mod dirs;
pub mod file;
pub mod hooks;
pub mod layer;
pub mod login;
pub mod managed;
pub mod problem;
pub mod providers;
pub mod table;
#[cfg(test)]
mod tests;
pub mod value;
pub mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::{Mode, Money, Sourced};

pub use hooks::Hook;
pub use managed::Managed;
pub use problem::{ConfigError, Problem};

/// Everything a session needs to know. Defaults are what tern does with no file at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `PROVIDER/MODEL`; `None`: chosen from the keys and servers that are found.
    pub model: Option<String>,
    /// For titles, summaries and page questions; `None`: the provider's cheapest known model.
    pub small_model: Option<String>,
    pub fallback_model: Option<String>,
    pub effort: Option<Effort>,
    /// The name of an output style; `None`: none.
    pub output_style: Option<String>,
    pub cache_ttl: CacheTtl,
    pub providers: BTreeMap<String, ProviderConfig>,
    pub permissions: Permissions,
    pub ui: Ui,
    /// The user's own key bindings: action name to keys, as written.
    pub keys: BTreeMap<String, Vec<String>>,
    pub session: Session,
    pub compact: Compact,
    pub budget: Budget,
    pub network: Network,
    pub sandbox: Sandbox,
    /// Those of the project count once it is trusted, which is not looked at here.
    pub hooks: Vec<Sourced<Hook>>,
    /// In the order in which they run. As with hooks, trust is not looked at here.
    pub checks: Vec<Sourced<Check>>,
    /// The user's `[models]` table: `"PROVIDER/MODEL" = { window = .., prices = [..] }` in the form
    /// of the built-in table of models, which `models` lays it over.
    pub models: toml::Table,
    /// What whoever manages this machine has locked.
    pub managed: Managed,
    /// Where WebSearch asks; `None`: the provider.
    pub web_search: Option<WebSearchConfig>,
    /// Tokens of tools of MCP servers that every request carries.
    pub mcp_direct_tokens: u64,
    /// `[mcp.servers.NAME]`, as written: `mcp` reads them.
    pub mcp: BTreeMap<String, Sourced<toml::Value>>,
}

/// With no file at all, every row of [`table`] at its default.
impl Default for Config {
    fn default() -> Config {
        build::config(&layer::Store::default(), &BTreeMap::new()).0
    }
}

/// Output styles that are tern's own: the name, and what it is for.
pub const STYLES: [(&str, &str); 2] = [
    ("concise", "as few words as the task allows"),
    ("explanatory", "says why, and points out how this project does things"),
];

/// A command for the shell that says with its exit code whether changes are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `format`, `lint` or `test`
    pub name: String,
    pub command: String,
    pub timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    Low,
    Medium,
    High,
    Max,
}

/// How long a server that is told so keeps a prompt in its cache after the last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CacheTtl {
    #[default]
    FiveMinutes,
    OneHour,
}

impl CacheTtl {
    pub fn duration(self) -> Duration {
        match self {
            CacheTtl::FiveMinutes => Duration::from_secs(5 * 60),
            CacheTtl::OneHour => Duration::from_secs(60 * 60),
        }
    }
}

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    Anthropic,
    OpenaiResponses,
    OpenaiChat,
    Demo,
}

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Auth {
    /// As the wire format has it: `x-api-key` for anthropic, a bearer token for the openai wires.
    #[default]
    Wire,
    /// `Authorization: Bearer`, whatever the wire format.
    Bearer,
}

#[derive(Clone, PartialEq)]
pub struct ProviderConfig {
    pub wire: Wire,
    /// With `/v1` for the openai wires, without it for anthropic.
    pub base_url: String,
    pub key: KeySource,
    pub auth: Auth,
    pub headers: BTreeMap<String, String>,
    pub network: Network,
    /// A server on this machine: no key needed, no limit on the wait for headers.
    pub local: bool,
}

/// A header may hold a key, so only their names show.
impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("wire", &self.wire)
            .field("base_url", &self.base_url)
            .field("key", &self.key)
            .field("auth", &self.auth)
            .field("headers", &self.headers.keys())
            .field("network", &self.network)
            .field("local", &self.local)
            .finish()
    }
}

/// Where a key comes from; tried in this order: value, command, env, saved login.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct KeySource {
    pub value: Option<String>,
    /// A shell command that prints the key.
    pub command: Option<String>,
    /// Names of environment variables, first one set wins.
    pub env: Vec<String>,
    /// The name under which `tern login` keeps it.
    pub saved: Option<String>,
}

/// A key never stands in a log or a panic message.
impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySource")
            .field("value", &self.value.as_ref().map(|_| "[hidden]"))
            .field("command", &self.command)
            .field("env", &self.env)
            .field("saved", &self.saved)
            .finish()
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Permissions {
    pub mode: Option<Sourced<Mode>>,
    pub allow: Vec<Sourced<String>>,
    pub ask: Vec<Sourced<String>>,
    pub deny: Vec<Sourced<String>>,
    pub additional_directories: Vec<Sourced<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ui {
    /// `None`: dark or light, as the terminal is.
    pub theme: Option<String>,
    pub keymap: Keymap,
    pub diff: DiffStyle,
    pub mouse: bool,
    pub notifications: bool,
    pub tab_title: bool,
    pub status_command: Option<String>,
    pub reduced_motion: bool,
    /// Marks and spinners in ASCII.
    pub ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keymap {
    #[default]
    Default,
    Vim,
    Emacs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiffStyle {
    #[default]
    Auto,
    Split,
    Unified,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// `None`: for ever.
    pub keep_days: Option<u32>,
    pub checkpoint_max_mb: u64,
    /// Lines of logs get a checksum.
    pub checksums: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Compact {
    /// Share of the window, 0 to 1, at which the history is compacted.
    pub at: f64,
    /// Tokens of the newest history that stay as they are.
    pub keep_tokens: u64,
    pub instructions: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budget {
    pub session: Option<Money>,
    pub day: Option<Money>,
    /// Share of a budget, 0 to 1, at which a notice appears.
    pub warn_at: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub connect_timeout: Duration,
    /// From the request to its first header; `None`: no limit.
    pub header_timeout: Option<Duration>,
    /// Longest silence in a stream.
    pub idle_timeout: Duration,
    pub retries: u32,
    pub max_retry_wait: Duration,
}

/// An endpoint that searches the web.
#[derive(Clone, PartialEq, Eq)]
pub struct WebSearchConfig {
    /// Holds [`WebSearchConfig::QUERY`].
    url: String,
    pub headers: BTreeMap<String, String>,
}

impl WebSearchConfig {
    pub const QUERY: &'static str = "{query}";

    /// The error says what is wrong with the address.
    pub fn new(
        url: &str,
        headers: BTreeMap<String, String>,
    ) -> Result<WebSearchConfig, &'static str> {
        let config = WebSearchConfig { url: url.trim().to_owned(), headers };
        match url::Url::parse(&config.address("x")) {
            Ok(address) if !matches!(address.scheme(), "http" | "https") => {
                Err("must begin with http:// or https://")
            }
            Ok(address) if address.host_str().is_none() => Err("names no host"),
            Ok(_) if !config.url.contains(Self::QUERY) => {
                Err("must hold {query} where the query belongs")
            }
            Ok(_) => Ok(config),
            Err(_) => Err("is not an address"),
        }
    }

    pub fn address(&self, query: &str) -> String {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        self.url.replace(Self::QUERY, &query)
    }

    pub fn host(&self) -> String {
        let parsed = url::Url::parse(&self.address("x")).ok();
        parsed.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Address and headers may hold a key.
impl std::fmt::Debug for WebSearchConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSearchConfig").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// How commands are held in. No file of a project can set any of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sandbox {
    pub mode: SandboxMode,
    /// Whether commands reach the network without being asked about.
    pub network: bool,
    /// Whether a command that no rule covers runs without a question where the sandbox holds it
    /// wholly.
    pub fewer_questions: bool,
    /// Folders that commands may write to besides the project and the temporary folders; `~/` is
    /// the home folder.
    pub writable: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SandboxMode {
    /// The best there is; none, with a notice, where there is none.
    Auto,
    /// No command runs without one.
    Required,
    #[default]
    Off,
}
