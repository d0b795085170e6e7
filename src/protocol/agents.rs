//! Sub-agents, as the front end sees them.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::{AgentId, CallId};

/// One sub-agent. Told again, whole, each time that something of it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    pub id: AgentId,
    /// `explore`, `plan`, `general`, or the name of one that the person or the project defines.
    pub kind: String,
    /// What it is to do, in a few words.
    pub task: String,
    /// `PROVIDER/MODEL`
    pub model: String,
    pub state: AgentState,
    /// The call that started it.
    pub call: CallId,
    /// It goes on while the one that started it does something else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// A sub-agent's sub-agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<AgentId>,
    /// Its own copy of the repository, where it works in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
}

/// Stopped is not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentState {
    Running,
    Done,
    Failed,
    Stopped,
}

impl AgentState {
    pub fn name(self) -> &'static str {
        match self {
            AgentState::Running => "running",
            AgentState::Done => "done",
            AgentState::Failed => "failed",
            AgentState::Stopped => "stopped",
        }
    }
}
