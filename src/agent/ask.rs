//! How a tool asks the small model, a sub-agent or the person: [`Ask`] for one call, ended by that
//! call's interrupt.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::agent::questions::Questions;
use crate::agent::shared::Shared;
use crate::agent::side::{Question, Side};
use crate::agent::sub;
use crate::protocol::{About, AgentReport, AgentTask, Ask, AskError, CallId, Cause, Reply};

const SYSTEM: &str = include_str!("../../assets/prompts/page.md");
const LIMIT: Duration = Duration::from_secs(60);
const ANSWER_TOKENS: u32 = 4_000;
/// More material than this is cut at its end: about a quarter of a small model's window.
const MATERIAL: usize = 200_000;

/// For one call.
#[derive(Debug, Clone)]
pub struct Asker {
    pub side: Side,
    pub cancel: CancellationToken,
    /// Where a sub-agent would be started, and for which call; `None`: none can be.
    pub starts: Option<(Arc<Shared>, CallId)>,
    pub questions: Arc<Questions>,
    /// A person is there.
    pub can_ask: bool,
}

#[async_trait]
impl Ask for Asker {
    async fn small_model(&self, question: &str, text: &str) -> Result<String, AskError> {
        let material = &text[..text.floor_char_boundary(MATERIAL)];
        let cut = if material.len() < text.len() {
            "\n[the text goes on; this is its beginning]"
        } else {
            ""
        };
        let question = Question {
            system: SYSTEM,
            text: format!("<text>\n{material}{cut}\n</text>\n\nThe question: {question}"),
            max_tokens: ANSWER_TOKENS,
            cause: Cause::Page,
            limit: LIMIT,
        };
        self.side.ask(&question, &self.cancel).await
    }

    async fn agent(&self, task: AgentTask) -> Result<AgentReport, AskError> {
        match &self.starts {
            Some((shared, call)) => sub::begin(shared, call, task, &self.cancel).await,
            None => Err(AskError::Unavailable("no agent can be started here".to_owned())),
        }
    }

    async fn person(&self, about: About) -> Result<Reply, AskError> {
        if !self.can_ask {
            return Err(AskError::Unavailable("nobody is there".to_owned()));
        }
        self.questions.ask(about, &self.side.events, &self.cancel).await
    }
}
