//! One request of the conversation, with everything that may go wrong with it.
//!
//! *Invariant:* nothing is sent again once a call of its answer has run, because calls run only
//! after this module has returned the whole answer.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::agent::compact;
use crate::agent::conversation::{Conversation, new_message_id};
use crate::agent::fold::{Delta, Fold};
use crate::agent::pay;
use crate::agent::pictures;
use crate::agent::recover::{self, Bounds, Past, Step};
use crate::agent::shared::Shared;
use crate::agent::turn::sleep;
use crate::api::{ApiError, ApiErrorKind, Purpose, Request, StopReason, retry};
use crate::protocol::{
    CallId, Cause, ErrorKind, Event, Level, Message, MessageId, Money, Part, Role, TurnEnd, TurnId,
};

/// Stands for an image where the request was too large with it.
const LEFT_OUT: &str = "[an image was here; the request was too large with it]";

/// An answer that came whole and stands at the end of the history.
#[derive(Debug)]
pub struct Answer {
    pub stop: StopReason,
    pub malformed: Vec<(CallId, String)>,
    pub cut: Vec<String>,
    pub is_empty: bool,
    pub cost: Option<Money>,
}

#[derive(Debug)]
pub enum Ended {
    Interrupted,
    /// The person, or nobody, would pay for the next request.
    Budget,
    Failed {
        kind: ErrorKind,
        message: String,
        hints: Vec<String>,
    },
}

impl Ended {
    /// As the end of the turn.
    pub fn of_turn(self) -> TurnEnd {
        match self {
            Ended::Interrupted => TurnEnd::Interrupted,
            Ended::Budget => TurnEnd::Budget,
            Ended::Failed { kind, message, hints } => {
                TurnEnd::Failed { error: kind, message, hints }
            }
        }
    }
}

/// How one attempt ended. What had come by then is kept in every case.
enum Attempt {
    Whole(Fold),
    Broken(Fold, ApiError),
    Interrupted(Fold),
}

pub async fn send(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    mut cause: Cause,
    past: &mut Past,
    cancel: &CancellationToken,
) -> Result<Answer, Ended> {
    let mut max_tokens = talk.route.max_tokens();
    loop {
        paid(talk, shared, cancel).await?;
        let id = new_message_id();
        shared.emit(Event::RequestStarted { turn }).await;
        let request = talk.request(max_tokens, Purpose::Conversation);
        let (mut fold, error) = match attempt(talk, shared, &id, request, cancel).await {
            Attempt::Whole(fold) => return Ok(keep(talk, shared, id, fold, cause).await),
            Attempt::Interrupted(fold) => {
                keep_partial(talk, shared, id, fold, cause).await;
                return Err(Ended::Interrupted);
            }
            Attempt::Broken(fold, error) => (fold, error),
        };
        tracing::warn!(kind = ?error.kind, status = ?error.status, "request failed: {error}");
        // A complete call makes an answer worth keeping even if its end mark never came.
        if matches!(error.kind, ApiErrorKind::Cut | ApiErrorKind::IdleTimeout)
            && fold.close_whole_calls()
        {
            fold.stop = Some(StopReason::ToolUse);
            return Ok(keep(talk, shared, id, fold, cause).await);
        }
        let shown = fold.has_content();
        let bounds = bounds(talk, max_tokens, past);
        let step = recover::after_error(&error, past, &bounds);
        if let Step::Stop { kind, hints } = step {
            keep_partial(talk, shared, id, fold, cause).await;
            let mut all = error.hints;
            all.extend(hints);
            all.dedup();
            return Err(Ended::Failed { kind, message: error.message, hints: all });
        }
        // The broken answer was paid for, and the next one begins anew on the screen.
        talk.spend(shared, fold.usage, cause.clone()).await;
        if shown {
            shared.emit(Event::MessageEnded { message: id }).await;
        }
        cause = Cause::Retry;
        match step {
            Step::Retry { wait } => {
                past.overloads =
                    if error.kind == ApiErrorKind::Overloaded { past.overloads + 1 } else { 0 };
                wait_out(shared, turn, past, &bounds, wait, error.message, cancel).await?;
            }
            Step::RefreshKey => refresh_key(talk, past).await?,
            Step::Shrink { max_tokens: fewer } => {
                past.shrunk = true;
                max_tokens = fewer;
            }
            Step::DropImages => {
                past.dropped_images = true;
                let mut history = talk.history.clone();
                pictures::replace(&mut history, LEFT_OUT);
                talk.set_history(history);
                let text = "The request was too large: its images are left out from here on.";
                shared.notice(Level::Warning, text).await;
            }
            Step::Compact => {
                past.compactions += 1;
                match compact::now(talk, shared, turn, None, true, cancel).await {
                    Ok(()) => {}
                    Err(TurnEnd::Interrupted) => return Err(Ended::Interrupted),
                    Err(TurnEnd::Failed { error: kind, message, hints }) => {
                        return Err(Ended::Failed { kind, message, hints });
                    }
                    Err(TurnEnd::Budget) => return Err(Ended::Budget),
                    Err(TurnEnd::Done | TurnEnd::TurnLimit) => {}
                }
            }
            Step::FallBack => {
                past.fell_back = true;
                past.overloads = 0;
                fall_back(talk, shared).await?;
            }
            Step::Stop { .. } => {}
        }
    }
}

/// Tells of the wait and waits, unless it is interrupted.
pub async fn wait_out(
    shared: &Shared,
    turn: TurnId,
    past: &mut Past,
    bounds: &Bounds,
    wait: Duration,
    why: String,
    cancel: &CancellationToken,
) -> Result<(), Ended> {
    past.retries += 1;
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let (attempt, of) = (past.retries, bounds.retries);
    shared.emit(Event::Retrying { turn, attempt, of, wait_ms, why }).await;
    if sleep(wait, cancel).await { Ok(()) } else { Err(Ended::Interrupted) }
}

/// The same model with its key looked for anew.
pub async fn refresh_key(talk: &mut Conversation, past: &mut Past) -> Result<(), Ended> {
    past.key_refreshed = true;
    talk.route = talk.router.route(&talk.route.name).await.map_err(failed)?;
    Ok(())
}

/// Returns once the budget lets the next request through.
pub async fn paid(
    talk: &Conversation,
    shared: &Shared,
    cancel: &CancellationToken,
) -> Result<(), Ended> {
    match pay::allow(shared, talk.projected_cost(), cancel).await {
        Ok(()) => Ok(()),
        Err(TurnEnd::Interrupted) => Err(Ended::Interrupted),
        Err(_) => Err(Ended::Budget),
    }
}

async fn attempt(
    talk: &Conversation,
    shared: &Shared,
    id: &MessageId,
    request: Request,
    cancel: &CancellationToken,
) -> Attempt {
    let mut fold = Fold::default();
    let opened = tokio::select! {
        opened = talk.route.provider.stream(request) => opened,
        () = cancel.cancelled() => return Attempt::Interrupted(fold),
    };
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(error) => return Attempt::Broken(fold, error),
    };
    loop {
        let part = tokio::select! {
            biased;
            () = cancel.cancelled() => return Attempt::Interrupted(fold),
            part = stream.next() => part,
        };
        match part {
            Some(Ok(part)) => match fold.add(part) {
                Some(Delta::Text(text)) => {
                    shared.emit(Event::TextAdded { message: id.clone(), text }).await;
                }
                Some(Delta::Thought(text)) => {
                    shared.emit(Event::ThoughtAdded { message: id.clone(), text }).await;
                }
                None => {}
            },
            Some(Err(error)) => return Attempt::Broken(fold, error),
            None if fold.stop.is_some() => return Attempt::Whole(fold),
            None => {
                let error = ApiError::new(
                    ApiErrorKind::Cut,
                    "the server ended the stream in the middle of its answer",
                );
                return Attempt::Broken(fold, error);
            }
        }
        if fold.stop.is_some() {
            return Attempt::Whole(fold);
        }
    }
}

/// Puts the whole answer at the end of the history, into the log and the ledger.
async fn keep(
    talk: &mut Conversation,
    shared: &Shared,
    id: MessageId,
    fold: Fold,
    cause: Cause,
) -> Answer {
    let shown = fold.has_content();
    let folded = fold.finish(&mut talk.taken);
    let is_empty = folded.parts.is_empty();
    if folded.stop == Some(StopReason::Refusal) {
        // A model that sees its refusal refuses again, so only the log has it.
        let said = Message { role: Role::Assistant, parts: folded.parts }.text();
        talk.journal.notice(shared, Level::Warning, format!("Refused: {said}")).await;
    } else if !is_empty {
        talk.add_answer(shared, &id, folded.parts, false).await;
    }
    if shown {
        shared.emit(Event::MessageEnded { message: id }).await;
    }
    let cost = talk.spend(shared, folded.usage, cause).await;
    Answer {
        stop: folded.stop.unwrap_or(StopReason::EndTurn),
        malformed: folded.malformed,
        cut: folded.cut,
        is_empty,
        cost,
    }
}

/// Keeps the text of an answer that will not be completed; calls in it never run, so they are
/// dropped, and thinking without its end could not be sent back.
async fn keep_partial(
    talk: &mut Conversation,
    shared: &Shared,
    id: MessageId,
    fold: Fold,
    cause: Cause,
) {
    let shown = fold.has_content();
    let folded = fold.finish(&mut talk.taken);
    let text: Vec<Part> =
        folded.parts.into_iter().filter(|part| matches!(part, Part::Text { .. })).collect();
    if !text.is_empty() {
        talk.add_answer(shared, &id, text, true).await;
    }
    if shown {
        shared.emit(Event::MessageEnded { message: id }).await;
    }
    talk.spend(shared, folded.usage, cause).await;
}

pub fn bounds(talk: &Conversation, max_tokens: u32, past: &Past) -> Bounds {
    let network = &talk.route.network;
    Bounds {
        retries: network.retries,
        max_wait: network.max_retry_wait,
        backoff: retry::delay(past.retries + 1, None, jitter()),
        has_fallback: talk.fallback.as_ref().is_some_and(|name| *name != talk.route.name),
        key_may_change: talk.router.key_may_change(&talk.route.name),
        has_images: pictures::are_in(&talk.history),
        filled_by: talk.filled_by(),
        max_tokens,
    }
}

/// From 0 to 1. The low bits of a fresh UUID are random enough for spreading retries.
fn jitter() -> f64 {
    let (_, low) = uuid::Uuid::now_v7().as_u64_pair();
    f64::from((low & 0xffff) as u32) / 65_535.0
}

async fn fall_back(talk: &mut Conversation, shared: &Shared) -> Result<(), Ended> {
    let Some(name) = talk.fallback.clone() else { return Ok(()) };
    let route = talk.router.route(&name).await.map_err(failed)?;
    shared
        .notice(
            Level::Warning,
            format!("{} is overloaded; going on with {}.", talk.route.name, route.name),
        )
        .await;
    shared.emit(Event::ModelSet { model: route.name.clone(), window: route.window() }).await;
    talk.set_route(shared, route);
    Ok(())
}

pub fn failed(error: ApiError) -> Ended {
    let kind = match error.kind {
        ApiErrorKind::Auth | ApiErrorKind::Billing | ApiErrorKind::Forbidden => ErrorKind::Auth,
        ApiErrorKind::UnknownModel | ApiErrorKind::NotAnApi => ErrorKind::Config,
        ApiErrorKind::RateLimit => ErrorKind::RateLimit,
        ApiErrorKind::Overloaded | ApiErrorKind::Server => ErrorKind::Overloaded,
        ApiErrorKind::TooLarge | ApiErrorKind::PromptTooLong | ApiErrorKind::MaxTokensTooLarge => {
            ErrorKind::Context
        }
        ApiErrorKind::Connect
        | ApiErrorKind::HeaderTimeout
        | ApiErrorKind::IdleTimeout
        | ApiErrorKind::Cut
        | ApiErrorKind::BadStream => ErrorKind::Network,
        ApiErrorKind::BadRequest => ErrorKind::Internal,
    };
    Ended::Failed { kind, message: error.message, hints: error.hints }
}

#[cfg(test)]
mod tests {
    #[test]
    fn jitter_is_a_share() {
        for _ in 0..100 {
            assert!((0.0..=1.0).contains(&super::jitter()));
        }
    }
}
