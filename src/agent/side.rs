//! Requests beside the conversation: a short text to the small model, a short text back. They carry
//! nothing of the history and go to the main model only where that is the small one, too; each
//! passes the budget and the ledger.
//!
//! Not for anything that a person must be asked about, and not for the conversation's own requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::fold::Fold;
use crate::agent::purse::{self, Bill, Purse};
use crate::agent::route::{Route, Router};
use crate::agent::shared::lock;
use crate::api::{ApiError, ApiErrorKind, Purpose, Request, retry};
use crate::config::Effort;
use crate::cost::budget::{self, Standing};
use crate::cost::prices;
use crate::protocol::{AskError, Cause, Event, Message, Money, Role, Usage};

/// What a side request needs of the session. Cloned for each that asks.
#[derive(Debug, Clone)]
pub struct Side {
    pub router: Arc<dyn Router>,
    pub purse: Arc<Purse>,
    pub events: mpsc::Sender<Event>,
    /// `PROVIDER/MODEL` of the conversation, whose provider's small model is asked.
    pub main: Arc<Mutex<String>>,
}

#[derive(Debug)]
pub struct Question<'a> {
    pub system: &'a str,
    pub text: String,
    pub max_tokens: u32,
    pub purpose: Purpose,
    pub cause: Cause,
    /// For everything, retries included.
    pub limit: Duration,
}

/// Attempts of one question.
const ATTEMPTS: u32 = 2;
/// No retry is worth a longer wait where a person waits for the answer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// An answer longer than this is not what was asked for; what has come is taken. Bytes.
const LONGEST_ANSWER: usize = 256 * 1024;
/// What a token is taken for, in bytes. Rather too many tokens than too few.
const BYTES_PER_TOKEN: u64 = 3;

impl Side {
    /// The small model's name, where there is one.
    pub fn small(&self) -> Option<String> {
        self.router.small(&lock(&self.main))
    }

    /// Whether the small model is the conversation's own.
    pub fn is_main(&self, small: &str) -> bool {
        *lock(&self.main) == small
    }

    pub async fn ask(
        &self,
        question: &Question<'_>,
        cancel: &CancellationToken,
    ) -> Result<String, AskError> {
        let Some(name) = self.small() else {
            return Err(unavailable(
                "no small model is configured, and none of this provider is known",
            ));
        };
        let answer = self.ask_model(&name, question, cancel).await?;
        match answer.text().trim() {
            "" => Err(unavailable(format!("{name} gave an empty answer"))),
            text => Ok(text.to_owned()),
        }
    }

    /// The whole answer of a model. What a request had used is booked however it ends.
    pub async fn ask_model(
        &self,
        name: &str,
        question: &Question<'_>,
        cancel: &CancellationToken,
    ) -> Result<Message, AskError> {
        let route = self.router.route(name).await.map_err(|error| unavailable(error.message))?;
        if question.purpose == Purpose::WebSearch && !route.provider.searches() {
            return Err(unavailable(format!("the provider of {name} does not search the web")));
        }
        if let Some(over) = self.over_budget(&route, question) {
            return Err(unavailable(over));
        }
        let mut usage = Usage::default();
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(AskError::Interrupted),
            outcome = attempts(&route, question, &mut usage) => {
                outcome.map_err(|error| unavailable(format!("{name}: {}", error.message)))
            }
            () = tokio::time::sleep(question.limit) => Err(unavailable(format!(
                "{name} did not answer within {} s",
                question.limit.as_secs()
            ))),
        };
        let bill = Bill {
            route: &route,
            usage,
            cause: question.cause.clone(),
            agent: None,
            tool: None,
            miss: None,
        };
        self.purse.book_aside(&bill, &self.events).await;
        outcome
    }

    fn over_budget(&self, route: &Route, question: &Question<'_>) -> Option<String> {
        let standing = self.purse.standing(projected(route, question));
        match standing {
            Standing::Over { .. } => budget::sentence(&standing),
            Standing::Within | Standing::Near { .. } => None,
        }
    }
}

/// At most: everything that may be said is counted as said. Zero where no price is known.
fn projected(route: &Route, question: &Question<'_>) -> Money {
    let bytes = (question.system.len() + question.text.len()) as u64;
    let usage = Usage {
        input: bytes / BYTES_PER_TOKEN,
        output: question.max_tokens.into(),
        ..Usage::default()
    };
    prices::cost(route.known.as_deref(), purse::today(), &usage).unwrap_or_default()
}

/// `used` grows by what each attempt cost, also by the one that is dropped in the middle.
async fn attempts(
    route: &Route,
    question: &Question<'_>,
    used: &mut Usage,
) -> Result<Message, ApiError> {
    let mut attempt = 1;
    loop {
        let error = match once(route, question, used).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = error.retry_after.unwrap_or_else(|| retry::delay(attempt, None, 0.5));
        if attempt >= ATTEMPTS || !may_pass(error.kind) || wait > LONGEST_WAIT {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(wait).await;
    }
}

async fn once(
    route: &Route,
    question: &Question<'_>,
    used: &mut Usage,
) -> Result<Message, ApiError> {
    let before = *used;
    let mut stream = route.provider.stream(request(route, question)).await?;
    let mut fold = Fold::default();
    while let Some(part) = stream.next().await {
        fold.add(part?);
        *used = before;
        used.add(&fold.usage);
        if fold.stop.is_some() || fold.bytes > LONGEST_ANSWER {
            break;
        }
    }
    let parts = fold.finish(&mut std::collections::HashSet::new()).parts;
    Ok(Message { role: Role::Assistant, parts })
}

fn request(route: &Route, question: &Question<'_>) -> Request {
    Request {
        model: route.model.clone(),
        system: question.system.into(),
        tools: Vec::new().into(),
        messages: vec![Message::user(question.text.clone())],
        max_tokens: question.max_tokens.min(route.max_tokens()),
        effort: Some(Effort::Low),
        session: "side".to_owned(),
        purpose: question.purpose,
    }
}

/// Errors that may be over in a moment.
fn may_pass(kind: ApiErrorKind) -> bool {
    use ApiErrorKind as K;
    match kind {
        K::RateLimit
        | K::Overloaded
        | K::Server
        | K::Connect
        | K::HeaderTimeout
        | K::IdleTimeout
        | K::Cut
        | K::BadStream => true,
        K::Auth
        | K::Billing
        | K::Forbidden
        | K::UnknownModel
        | K::NotAnApi
        | K::TooLarge
        | K::PromptTooLong
        | K::MaxTokensTooLarge
        | K::BadRequest => false,
    }
}

fn unavailable(why: impl Into<String>) -> AskError {
    AskError::Unavailable(why.into())
}
