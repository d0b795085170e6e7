//! How a tool asks the small model, a sub-agent or the person: [`Ask`] for one call, ended by that
//! call's interrupt.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agent::questions::Questions;
use crate::agent::shared::{Shared, lock};
use crate::agent::side::{Question, Side};
use crate::agent::sub;
use crate::api::Purpose;
use crate::protocol::{
    About, AgentReport, AgentTask, Ask, AskError, CallId, Cause, Found, Part, Reply, SearchHit,
};

const SYSTEM: &str = include_str!("../../assets/prompts/page.md");
const SEARCH: &str = include_str!("../../assets/prompts/search.md");
const SEARCH_LIMIT: Duration = Duration::from_secs(120);
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
            purpose: Purpose::Side,
            cause: Cause::Page,
            limit: LIMIT,
        };
        self.side.ask(&question, &self.cancel).await
    }

    async fn web_search(&self, query: &str) -> Result<Found, AskError> {
        let question = Question {
            system: SEARCH,
            text: query.to_owned(),
            max_tokens: ANSWER_TOKENS,
            purpose: Purpose::WebSearch,
            cause: Cause::Search,
            limit: SEARCH_LIMIT,
        };
        let name = self.side.small().unwrap_or_else(|| lock(&self.side.main).clone());
        let answer = self.side.ask_model(&name, &question, &self.cancel).await?;
        Ok(Found { hits: hits(&answer.parts), text: answer.text() })
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

/// The pages that a server's search has found, each once: in Anthropic's blocks of results, in
/// OpenAI's lists of sources.
fn hits(parts: &[Part]) -> Vec<SearchHit> {
    let mut hits: Vec<SearchHit> = Vec::new();
    for part in parts {
        let Part::Opaque { value, .. } = part else { continue };
        let lists = [value.get("content"), value.pointer("/action/sources")];
        for entry in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            let (url, title) = (text("url"), text("title"));
            if url.is_empty() || hits.iter().any(|hit| hit.url == url) {
                continue;
            }
            let title = if title.is_empty() { url.clone() } else { title };
            hits.push(SearchHit { title, url, about: String::new() });
        }
    }
    hits
}
