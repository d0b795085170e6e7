//! The one place that decides whether a call may run.
//!
//! Three steps, so that the decision itself is pure: [`access::of`] says what a call wants,
//! [`facts::gather`] looks at the file system (links, special files, a repository's configuration), and
//! [`check::check`] decides over both and the [`Policy`]. It fails closed: what is not understood is
//! asked about. Nothing here starts a process or opens a connection.

pub mod access;
pub mod barred;
pub mod check;
pub mod denials;
pub mod explain;
pub mod facts;
pub mod git;
pub mod glob;
pub mod path;
pub mod programs;
pub mod rule;
pub mod shell;
pub mod suggest;
pub mod url;

use std::path::PathBuf;

use crate::protocol::{Mode, PartVerdict, Ruling, Source, Sourced, Suggestion};

pub use access::Access;
pub use barred::Barred;
pub use facts::Facts;
pub use rule::RuleSet;

/// What the permission layer says of a whole call.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub decision: Ruling,
    /// One sentence.
    pub because: String,
    /// The rule that decided, with file and line.
    pub rule: Option<Sourced<String>>,
    /// `None`: the mode decided.
    pub source: Option<Source>,
    pub parts: Vec<PartVerdict>,
    pub suggestions: Vec<Suggestion>,
}

impl Verdict {
    /// For every call, where the managed policy cannot be read: it may hold a lock that nobody sees.
    pub fn broken_policy(why: &str) -> Verdict {
        Verdict {
            decision: Ruling::Deny,
            because: format!("the managed policy is not in order: {why}"),
            rule: None,
            source: Some(Source::Managed),
            parts: Vec::new(),
            suggestions: Vec::new(),
        }
    }
}

/// Everything that a decision rests on besides the call and the file system.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub mode: Mode,
    pub rules: RuleSet,
    /// Absolute; where commands start.
    pub cwd: PathBuf,
    /// Directories besides `cwd` that belong to the workspace, absolute.
    pub additional: Vec<PathBuf>,
    pub home: PathBuf,
    /// Folders of tern itself: configuration, data, state.
    pub own: Vec<PathBuf>,
    /// Whether the project may bring its own allow rules; for the wording only, as [`RuleSet::new`]
    /// has left those out already.
    pub trusted: bool,
    /// Whether a command that no rule covers may run because a sandbox holds it.
    pub sandboxed_commands: bool,
}
