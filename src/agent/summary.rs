//! The request for a summary of the conversation, with everything that may go wrong with it.
//!
//! *Invariant:* the first attempt only appends to the last request, so that it reads the cached
//! prefix. Where that is too long for the window, outputs of calls go first, then the oldest
//! messages, and the prefix with them.

use std::sync::Arc;

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::agent::compact::{bytes, message_bytes};
use crate::agent::conversation::Conversation;
use crate::agent::fold::Fold;
use crate::agent::pictures;
use crate::agent::recover::{self, Bounds, FilledBy, Past, Step};
use crate::agent::request::{self, Ended, failed};
use crate::agent::shared::Shared;
use crate::api::{ApiError, Limits, Purpose, Request, error};
use crate::protocol::{Cause, ErrorKind, Message, Part, Role, TurnId};

const SUMMARY_TOKENS: u32 = 8_000;
/// How often the conversation is made shorter before it is given up.
const CUTS: u32 = 4;
/// Of the room that a server's counts leave, this share is used: the counts are of other bytes.
const USED: f64 = 0.85;
/// Without counts, each cut leaves this share.
const LEFT: f64 = 0.5;
/// A text of an old message is not cut below this many bytes.
const LEAST_TEXT: usize = 2_000;
/// Outputs shorter than this stay.
const SHORT_RESULT: usize = 400;

const LEFT_OUT: &str = "[left out: the conversation is too long to be summed up as a whole]";

/// The summary that `prompt` asks for.
pub async fn ask(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    prompt: &str,
    cancel: &CancellationToken,
) -> Result<String, Ended> {
    let mut past = Past::default();
    let mut max_tokens = SUMMARY_TOKENS.min(talk.route.max_tokens());
    let mut shorter: Option<Vec<Message>> = None;
    let mut cuts = 0;
    loop {
        let mut request = talk.request(max_tokens, Purpose::Conversation);
        if let Some(shorter) = &shorter {
            request.messages = talk.route.seen(shorter);
        }
        request.messages.push(Message::user(prompt));
        let error = match attempt(talk, shared, request, cancel).await? {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        tracing::warn!(kind = ?error.kind, status = ?error.status, "summary failed: {error}");
        let bounds = Bounds {
            has_fallback: false,
            filled_by: if cuts < CUTS { FilledBy::History } else { talk.filled_by() },
            ..request::bounds(talk, max_tokens, &past)
        };
        match recover::after_error(&error, &past, &bounds) {
            Step::Retry { wait } => {
                let why = error.message;
                request::wait_out(shared, turn, &mut past, &bounds, wait, why, cancel).await?;
            }
            Step::RefreshKey => request::refresh_key(talk, &mut past).await?,
            Step::Shrink { max_tokens: fewer } => {
                past.shrunk = true;
                max_tokens = fewer;
            }
            Step::DropImages => {
                past.dropped_images = true;
                let history = shorter.get_or_insert_with(|| talk.history.clone());
                pictures::replace(history, LEFT_OUT);
            }
            Step::Compact => {
                cuts += 1;
                let now = shorter.as_ref().unwrap_or(&talk.history);
                shorter = Some(fitted(now, room(bytes(now), error.limits, max_tokens)));
            }
            Step::FallBack | Step::Stop { .. } => return Err(failed(error)),
        }
    }
}

/// The outer error ends it, the inner one may be overcome. What was used is booked either way.
async fn attempt(
    talk: &mut Conversation,
    shared: &Shared,
    request: Request,
    cancel: &CancellationToken,
) -> Result<Result<String, ApiError>, Ended> {
    let mut fold = Fold::default();
    let read = async {
        let mut stream = talk.route.provider.stream(request).await?;
        while let Some(part) = stream.next().await {
            fold.add(part?);
            if fold.stop.is_some() {
                return Ok(());
            }
        }
        Err(error::cut())
    };
    let outcome = tokio::select! {
        outcome = read => Some(outcome),
        () = cancel.cancelled() => None,
    };
    talk.spend(shared, fold.usage, Cause::Compaction).await;
    match outcome {
        Some(Ok(())) => {}
        Some(Err(error)) => return Ok(Err(error)),
        None => return Err(Ended::Interrupted),
    }
    let text = Message { role: Role::Assistant, parts: fold.finish(&mut talk.taken).parts }.text();
    if text.trim().is_empty() {
        return Err(Ended::Failed {
            kind: ErrorKind::Context,
            message: "the model gave no summary".to_owned(),
            hints: vec!["Try /compact again, or start over with /clear.".to_owned()],
        });
    }
    Ok(Ok(text.trim().to_owned()))
}

/// Bytes of history that are likely to fit, of so many that did not. Pure.
fn room(now: usize, limits: Option<Limits>, max_tokens: u32) -> usize {
    let share = match limits {
        Some(Limits { input: Some(input), window: Some(window), .. }) if input > 0 => {
            let free = window.saturating_sub(max_tokens.into());
            #[expect(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
            let share = free as f64 / input as f64;
            (share * USED).min(USED)
        }
        _ => LEFT,
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of a positive count"
    )]
    let room = (now as f64 * share) as usize;
    room
}

/// The history in at most about so many bytes: without outputs of calls, the oldest first, then
/// without its oldest messages but the very first, which says what it is all about. A call always
/// keeps its result. Pure.
fn fitted(history: &[Message], most: usize) -> Vec<Message> {
    let mut fitted = history.to_vec();
    pictures::replace(&mut fitted, LEFT_OUT);
    let mut size = bytes(&fitted);
    for part in fitted.iter_mut().flat_map(|message| &mut message.parts) {
        if size <= most {
            return fitted;
        }
        if let Part::Result { text, .. } = part
            && text.len() > SHORT_RESULT
        {
            size -= text.len();
            LEFT_OUT.clone_into(text);
            size += text.len();
        }
    }
    // An answer and the results of its calls are neighbours, so each cut ends before an answer.
    let answer = |messages: &[Message]| {
        messages.iter().skip(2).position(|message| message.role == Role::Assistant)
    };
    let mut drop = 1;
    while size > most
        && let Some(next) = answer(&fitted[drop..])
    {
        let end = drop + 2 + next;
        size -= fitted[drop..end].iter().map(message_bytes).sum::<usize>();
        drop = end;
    }
    fitted.drain(1..drop);
    if size > most {
        let each = (most / fitted.len().max(1)).max(LEAST_TEXT);
        for part in fitted.iter_mut().flat_map(|message| &mut message.parts) {
            if let Part::Text { text } = part
                && text.len() > each
            {
                text.truncate(text.floor_char_boundary(each));
                text.push_str(LEFT_OUT);
            }
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CallId;

    fn long_turn() -> Vec<Message> {
        let mut history = vec![Message::user("the task")];
        for n in 0..10 {
            let call = CallId(format!("c{n}"));
            let input = serde_json::json!({"command": "x".repeat(2_000)});
            history.push(Message {
                role: Role::Assistant,
                parts: vec![Part::Call { id: call.clone(), tool: "Bash".into(), input }],
            });
            let text = "out".repeat(3_000);
            let parts = vec![Part::Result { call, text, is_error: false }];
            history.push(Message { role: Role::User, parts });
        }
        history
    }

    #[test]
    fn a_history_is_fitted_and_every_result_keeps_its_call() {
        let history = long_turn();
        let whole = bytes(&history);
        for most in [whole, whole / 2, whole / 8, whole / 20, 100] {
            let fitted = fitted(&history, most);
            // The newest answer stays whatever it takes.
            assert!(bytes(&fitted) <= most.max(3_000), "{most}: {}", bytes(&fitted));
            assert_eq!(fitted[0].text(), "the task");
            let calls = fitted.iter().flat_map(Message::calls).map(|(id, _, _)| id.clone());
            let answered = fitted.iter().flat_map(|m| &m.parts).filter_map(|part| match part {
                Part::Result { call, .. } => Some(call.clone()),
                _ => None,
            });
            assert!(calls.eq(answered), "{most}");
            for pair in fitted.windows(2) {
                assert_ne!(pair[0].role, pair[1].role, "{most}");
            }
        }
        assert_eq!(fitted(&history, whole), history);
    }

    #[test]
    fn long_texts_are_cut_at_the_end_of_all() {
        let history = vec![Message::user("é".repeat(50_000))];
        let fitted = fitted(&history, 10_000);
        assert!(bytes(&fitted) < 11_000 && fitted[0].text().ends_with(LEFT_OUT));
    }

    #[test]
    fn the_servers_counts_say_how_much_fits() {
        let counts = |input, window| {
            Some(Limits { input: Some(input), window: Some(window), max_tokens: None })
        };
        for (limits, want) in [
            (None, 50_000),
            (counts(210_000, 200_000), 77_714),
            (counts(300_000, 200_000), 54_400),
            (counts(10, 8_000), 0),
        ] {
            assert_eq!(room(100_000, limits, 8_000), want, "{limits:?}");
        }
    }
}
