//! Trust in a folder, as both sides of the channel see it.

use serde::{Deserialize, Serialize};

/// What a folder brings that executes or redirects. None of it counts before it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Absolute.
    pub folder: String,
    pub state: TrustState,
    pub items: Vec<TrustItem>,
    /// Stands for exactly these items: [`Command::Trust`](super::Command::Trust) gives it back, so
    /// that what was seen is what is trusted.
    pub seen: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustState {
    /// There is nothing to trust.
    Nothing,
    Trusted,
    /// For this run only, by the command line.
    ThisRun,
    /// Trusted once, but what it covers is no longer the same.
    Changed,
    Untrusted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustItem {
    /// `hook`, `allow rule`, `MCP server`, ...
    pub kind: String,
    /// The rule, the command, the name.
    pub text: String,
    /// Relative to the folder.
    pub file: String,
    /// 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl TrustState {
    /// Whether something waits for a word of the person.
    pub fn waits(self) -> bool {
        match self {
            TrustState::Changed | TrustState::Untrusted => true,
            TrustState::Nothing | TrustState::Trusted | TrustState::ThisRun => false,
        }
    }
}
