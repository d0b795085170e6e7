//! The one way for a tool or a layer below the agent to put a question to someone: the person,
//! the small model, a sub-agent. The agent implements it, so that every such request passes the
//! permission check and the ledger.

use async_trait::async_trait;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("nobody can answer: {0}")]
    Unavailable(String),
    #[error("interrupted while waiting for an answer")]
    Interrupted,
}

#[async_trait]
pub trait Ask: Send + Sync + std::fmt::Debug {
    /// Puts `question` to the small model with `text` as its material; the answer is its text.
    async fn small_model(&self, question: &str, text: &str) -> Result<String, AskError>;
}

/// Nobody: where there is no model to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nobody;

#[async_trait]
impl Ask for Nobody {
    async fn small_model(&self, _question: &str, _text: &str) -> Result<String, AskError> {
        Err(AskError::Unavailable("there is no small model here".to_owned()))
    }
}
