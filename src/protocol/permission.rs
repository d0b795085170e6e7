//! The permission question and its answer, as both sides of the channel see them.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::{CallId, RequestId};

/// How much tern does without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    #[default]
    Default,
    AcceptEdits,
    Plan,
    DontAsk,
    BypassPermissions,
}

impl Mode {
    pub const ALL: [Mode; 5] =
        [Mode::Default, Mode::AcceptEdits, Mode::Plan, Mode::DontAsk, Mode::BypassPermissions];

    pub fn name(self) -> &'static str {
        match self {
            Mode::Default => "default",
            Mode::AcceptEdits => "acceptEdits",
            Mode::Plan => "plan",
            Mode::DontAsk => "dontAsk",
            Mode::BypassPermissions => "bypassPermissions",
        }
    }

    pub fn parse(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(name))
    }
}

/// Where a value or a rule came from. Ordered from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    BuiltIn,
    User,
    /// A file of the project that is shared: it counts only as far as the folder is trusted.
    Project,
    /// A file of the project that is this person's own (`*.local.*`).
    Local,
    SettingsFile,
    Environment,
    Flag,
    Session,
    Managed,
}

impl Source {
    /// Whether it came with the project's folder, and so counts only as far as that is trusted.
    pub fn is_project(self) -> bool {
        match self {
            Source::Project | Source::Local => true,
            Source::BuiltIn
            | Source::User
            | Source::SettingsFile
            | Source::Environment
            | Source::Flag
            | Source::Session
            | Source::Managed => false,
        }
    }
}

/// A value with the place that set it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sourced<T> {
    pub value: T,
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<std::path::PathBuf>,
    /// 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl<T> Sourced<T> {
    pub fn new(value: T, source: Source) -> Sourced<T> {
        Sourced { value, source, file: None, line: None }
    }
}

/// What the permission layer says of a call, or of one part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    Allow,
    Ask,
    Deny,
}

/// One simple command, path or host of a call, with its own verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartVerdict {
    pub text: String,
    pub decision: Ruling,
    /// One sentence.
    pub because: String,
    /// The rule that decided, with its file and line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Sourced<String>>,
}

/// A rule that would have made this question unnecessary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub rule: String,
}

/// Something the person must decide. The preview is computed when the question is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub call: CallId,
    pub tool: String,
    pub preview: Preview,
    pub parts: Vec<PartVerdict>,
    /// Why tern asks, one sentence.
    pub because: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Sourced<String>>,
    pub suggestions: Vec<Suggestion>,
    /// What the model says the call is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the sandbox stands, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The sandbox keeps the network from the command, and the person may let it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offers_network: bool,
}

/// What would happen, complete and exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Preview {
    Command {
        command: String,
        cwd: String,
    },
    /// A change of one file. `hunks` is the whole change.
    Edit {
        path: String,
        hunks: Vec<Hunk>,
        added: u32,
        removed: u32,
        new_file: bool,
    },
    Url {
        url: String,
    },
    /// Any other tool: its input, spelled out.
    Other {
        text: String,
    },
}

/// A run of changed lines with its context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hunk {
    /// 1-based first line in the text before; 0 where that text is empty.
    pub old_start: u32,
    /// 1-based first line in the text after; 0 where that text is empty.
    pub new_start: u32,
    pub lines: Vec<HunkLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HunkLine {
    pub kind: LineKind,
    /// Without its line end.
    pub text: String,
    /// Byte ranges of `text` that differ from the paired line, for word marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<(u32, u32)>,
    /// True where the file's last line has no line end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    Context,
    Removed,
    Added,
}

/// How long a permission holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Session,
    /// Saved in the project's own `.tern/config.local.toml`.
    Project,
    /// Saved in the user's `config.toml`.
    User,
}

impl Scope {
    /// In the order in which they are offered.
    pub fn next(self) -> Scope {
        match self {
            Scope::Project => Scope::User,
            Scope::User => Scope::Session,
            Scope::Session => Scope::Project,
        }
    }
}

/// What the lines of a hunk become, context included, with a line end after each but perhaps the
/// last of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedHunk {
    pub hunk: usize,
    pub text: String,
}

/// The person's answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Decision {
    Once,
    /// Once, and with the network that the sandbox keeps from other commands.
    Network,
    /// Apply only these hunks of an edit, numbered from 0 as in the preview.
    Hunks {
        kept: Vec<usize>,
        /// Those of the kept ones that become something else than was proposed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changed: Vec<ChangedHunk>,
    },
    /// Run this command in the place of the one that was asked about. It is judged again.
    Command {
        command: String,
    },
    /// Allow this and whatever else the rules cover, for as long as the scope says.
    Rules {
        rules: Vec<String>,
        scope: Scope,
    },
    Deny {
        /// Told to the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}
