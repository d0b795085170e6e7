//! The one place that decides whether a call may run.
//!
//! [`check`](self) is pure: over the call, the rules and the facts that were looked up before. It fails
//! closed: what is not understood is asked about.

use crate::protocol::{PartVerdict, Ruling, Source, Sourced, Suggestion};

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
