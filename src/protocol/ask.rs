//! The one way for a tool or a layer below the agent to put a question to someone: the person,
//! the small model, a sub-agent. The agent implements it, so that every such request passes the
//! permission check and the ledger.

use async_trait::async_trait;

use crate::protocol::agents::AgentState;
use crate::protocol::ids::AgentId;
use crate::protocol::question::{About, Reply};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("nobody can answer: {0}")]
    Unavailable(String),
    #[error("interrupted while waiting for an answer")]
    Interrupted,
}

/// A task for a sub-agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentTask {
    /// `None`: the one for any task.
    pub kind: Option<String>,
    /// In a few words.
    pub task: String,
    pub prompt: String,
    /// As the model names it: `None`: the agent's own, else that of whoever asks.
    pub model: Option<String>,
    /// The answer comes later.
    pub background: bool,
    /// It works in a copy of the repository.
    pub worktree: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentReport {
    pub id: AgentId,
    pub state: AgentState,
    /// For the model.
    pub text: String,
    /// A few words for the call's line.
    pub facts: String,
}

/// Something that a search of the web has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    pub title: String,
    pub url: String,
    /// What is said there, in a few sentences; may be empty.
    pub about: String,
}

/// What a provider's own search gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The answer of the model that searched.
    pub text: String,
    pub hits: Vec<SearchHit>,
}

#[async_trait]
pub trait Ask: Send + Sync + std::fmt::Debug {
    /// Puts `question` to the small model with `text` as its material; the answer is its text.
    async fn small_model(&self, question: &str, text: &str) -> Result<String, AskError>;

    /// Has the provider's own server search the web.
    async fn web_search(&self, query: &str) -> Result<Found, AskError>;

    /// Hands the task to a sub-agent.
    async fn agent(&self, task: AgentTask) -> Result<AgentReport, AskError>;

    /// Puts the model's question to the person and waits for the answer.
    async fn person(&self, about: About) -> Result<Reply, AskError>;
}

/// Nobody: where there is no model to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nobody;

#[async_trait]
impl Ask for Nobody {
    async fn small_model(&self, _question: &str, _text: &str) -> Result<String, AskError> {
        Err(AskError::Unavailable("there is no small model here".to_owned()))
    }

    async fn web_search(&self, _query: &str) -> Result<Found, AskError> {
        Err(AskError::Unavailable("there is no provider here".to_owned()))
    }

    async fn agent(&self, _task: AgentTask) -> Result<AgentReport, AskError> {
        Err(AskError::Unavailable("there are no agents here".to_owned()))
    }

    async fn person(&self, _about: About) -> Result<Reply, AskError> {
        Err(AskError::Unavailable("there is nobody here".to_owned()))
    }
}
