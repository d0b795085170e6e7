//! Making room in the window: old tool results go first, then a summary takes the place of the
//! older history.
//!
//! *Invariants:* the request for the summary only appends to the last one, so that it reads the
//! cached prefix; what a person said stays verbatim within a budget; a compaction that does not
//! make the history at least 5 % smaller counts as failed; the log keeps everything.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::agent::conversation::Conversation;
use crate::agent::hooking;
use crate::agent::pay;
use crate::agent::request::Ended;
use crate::agent::retell;
use crate::agent::shared::{Shared, lock};
use crate::agent::summary;
use crate::protocol::{ErrorKind, Event, Level, Message, Part, Role, TurnEnd, TurnId};
use crate::session::record::Compaction;
use crate::session::{read, replay};

const PROMPT: &str = include_str!("../../assets/prompts/compact.md");
/// A pruned history must free at least this share of the window, or it is not worth the cache.
const WORTH_PRUNING: f64 = 0.15;
/// Newest tool results, in bytes, that pruning leaves alone.
const PROTECTED_RESULTS: usize = 140_000;
/// Results shorter than this stay.
const SHORT_RESULT: usize = 400;
/// Bytes of the person's own words that are kept beside a summary.
const VERBATIM: usize = 60_000;

/// Compacts if the window is as full as the configuration allows.
pub async fn if_due(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    cancel: &CancellationToken,
) -> Result<(), TurnEnd> {
    let Some(window) = talk.route.window() else { return Ok(()) };
    let tokens = talk.estimated_tokens();
    if !talk.is_full() || !talk.can_compact() || talk.refuses_to_shrink {
        return Ok(());
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of a window needs no 53 bits")]
    let worth = (window as f64 * WORTH_PRUNING * talk.bytes_per_token()) as usize;
    if let Some(pruned) = prune(&talk.history, worth) {
        let before = tokens;
        talk.set_history(pruned);
        forget_reads(shared);
        let after = talk.estimated_tokens();
        shared
            .notice(
                Level::Info,
                format!("Old tool results were dropped to make room: {before} to {after} tokens."),
            )
            .await;
        return Ok(());
    }
    now(talk, shared, turn, None, true, cancel).await
}

/// Summarises. An error leaves the history as it was.
pub async fn now(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    focus: Option<&str>,
    automatic: bool,
    cancel: &CancellationToken,
) -> Result<(), TurnEnd> {
    if let Err(why) = hooking::before_compact(shared, focus, automatic, cancel).await {
        // Full or not, the next request is made; the server may yet take it.
        talk.refuses_to_shrink = true;
        let text = format!("The history was not summarised, as a hook has stopped it: {why}");
        shared.notice(Level::Warning, text).await;
        return Ok(());
    }
    pay::allow(shared, talk.projected_cost(), cancel).await?;
    shared.emit(Event::CompactionStarted { automatic }).await;
    let before = talk.estimated_tokens();
    let summary = match summarise(talk, shared, turn, focus, cancel).await {
        Ok(summary) => summary,
        Err(ended @ (Ended::Interrupted | Ended::Budget)) => return Err(ended.of_turn()),
        Err(Ended::Failed { kind, message, hints }) => {
            let message = format!("the conversation could not be compacted: {message}");
            return Err(TurnEnd::Failed { error: kind, message, hints });
        }
    };
    let keep_bytes = (talk.compact.keep_tokens as f64 * talk.bytes_per_token()) as usize;
    let Rebuilt { head, tail } = rebuilt(&talk.history, talk.preamble(), &summary, keep_bytes);
    let old = bytes(&talk.history);
    let new = talk.preamble().len() + head.len() + bytes(&talk.history[tail..]);
    if new * 100 > old * 95 {
        talk.refuses_to_shrink = true;
        return Err(TurnEnd::Failed {
            error: ErrorKind::Context,
            message: "a summary would not be shorter than the conversation".to_owned(),
            hints: vec![
                "Start over with /clear, or choose a model with a larger window.".to_owned(),
            ],
        });
    }
    talk.shorten(head, tail);
    forget_reads(shared);
    let after = talk.estimated_tokens();
    talk.journal.compaction(shared, talk.summary_record(before, after, automatic)).await;
    tracing::info!(before, after, turn = turn.0, "compacted");
    hooking::compacted(shared, &summary, automatic, cancel).await;
    shared.emit(Event::Compacted { before, after, summary }).await;
    Ok(())
}

/// Said when a compaction is undone.
pub const TAKEN_BACK: &str =
    "The compaction is taken back: the model sees the whole conversation again.";

/// Puts the history back that the last compaction took away: the log still has it. The error is a
/// sentence for the person.
pub async fn undo(talk: &mut Conversation, shared: &Shared) -> Result<(), String> {
    let (Some(log), Some(blobs)) = (talk.journal.log_path(), talk.journal.blobs()) else {
        return Err("Without a session log there is no way back.".to_owned());
    };
    let load = |path: PathBuf| async {
        let loaded = tokio::task::spawn_blocking(move || read::load(&path)).await;
        let (loaded, _) =
            loaded.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok::<_, String>(loaded)
    };
    let loaded = load(log.clone()).await?;
    let Some(last) = replay::compaction(&loaded) else {
        return Err("There is no compaction to take back.".to_owned());
    };
    let record = Compaction {
        summary: String::new(),
        keep_from: None,
        before: talk.estimated_tokens(),
        after: last.before,
        automatic: false,
        undone: true,
    };
    talk.journal.compaction(shared, Some(record)).await;
    let told = retell::history(&load(log).await?, &blobs, talk.route.window());
    talk.take_up(told.history);
    let context = talk.estimated_tokens();
    shared.notice(Level::Info, TAKEN_BACK).await;
    if talk.is_full() {
        let text = "It fills so much of the window that the next prompt will be compacted again.";
        shared.notice(Level::Warning, text).await;
    }
    shared.emit(shared.purse.refilled(context)).await;
    Ok(())
}

/// What was read before may no longer stand in the window, so reading it again must show it again.
fn forget_reads(shared: &Shared) {
    let session = lock(&shared.session).clone();
    lock(&session.seen).compacted();
}

async fn summarise(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    focus: Option<&str>,
    cancel: &CancellationToken,
) -> Result<String, Ended> {
    let mut prompt = PROMPT.to_owned();
    for words in [talk.compact.instructions.as_deref(), focus].into_iter().flatten() {
        prompt.push_str("\nThe user asks to pay attention to: ");
        prompt.push_str(words);
    }
    summary::ask(talk, shared, turn, &prompt, cancel).await
}

/// The history with old, long results replaced by a line that says how to get them back; `None`
/// if that would free less than `worth` bytes. Pure.
pub fn prune(history: &[Message], worth: usize) -> Option<Vec<Message>> {
    let mut protected = PROTECTED_RESULTS;
    let mut freed = 0;
    let mut pruned = history.to_vec();
    for message in pruned.iter_mut().rev() {
        for part in message.parts.iter_mut().rev() {
            let Part::Result { text, .. } = part else { continue };
            if protected >= text.len() {
                protected -= text.len();
                continue;
            }
            protected = 0;
            if text.len() > SHORT_RESULT {
                let stub = format!(
                    "[{} bytes of output dropped to make room; call the tool again to see it]",
                    text.len()
                );
                freed += text.len() - stub.len();
                *text = stub;
            }
        }
    }
    (freed >= worth && freed > 0).then_some(pruned)
}

/// What takes the place of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Summary and the person's earlier words, in one text.
    pub head: String,
    /// Index of the first message that stays as it is.
    pub tail: usize,
}

/// Summary and the person's earlier words in one text, then the newest turns as they were, as many
/// as fit into `keep` bytes. Pure.
pub fn rebuilt(history: &[Message], preamble: &str, summary: &str, keep: usize) -> Rebuilt {
    let tail = tail_start(history, keep);
    let mut said: Vec<&str> = history[..tail].iter().flat_map(person_texts).collect();
    // The first part of the first message is the preamble itself.
    said.retain(|text| *text != preamble);
    let mut head = summary.to_owned();
    let verbatim = newest_within(&said, VERBATIM);
    if !verbatim.is_empty() {
        head.push_str("\n\nWhat the user said, word for word, oldest first:\n");
        for text in verbatim {
            head.push_str("\n> ");
            head.push_str(&text.replace('\n', "\n> "));
            head.push('\n');
        }
    }
    Rebuilt { head, tail }
}

/// Where the newest turns begin that fit into `keep` bytes: at a message that a person wrote, so
/// that no result is parted from its call. `history.len()` if not even the newest turn fits.
fn tail_start(history: &[Message], keep: usize) -> usize {
    let mut size = 0;
    let mut start = history.len();
    for (index, message) in history.iter().enumerate().rev() {
        size += message_bytes(message);
        if size > keep {
            break;
        }
        let person = message.role == Role::User
            && !message.parts.iter().any(|part| matches!(part, Part::Result { .. }));
        if person && index > 0 {
            start = index;
        }
    }
    start
}

fn person_texts(message: &Message) -> Vec<&str> {
    if message.role != Role::User {
        return Vec::new();
    }
    message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn newest_within<'a>(texts: &[&'a str], budget: usize) -> Vec<&'a str> {
    let mut left = budget;
    let mut kept: Vec<&str> = texts
        .iter()
        .rev()
        .take_while(|text| {
            let fits = text.len() <= left;
            left = left.saturating_sub(text.len());
            fits
        })
        .copied()
        .collect();
    kept.reverse();
    kept
}

/// Bytes that a history takes in a request, without the envelope.
pub fn bytes(history: &[Message]) -> usize {
    history.iter().map(message_bytes).sum()
}

pub fn message_bytes(message: &Message) -> usize {
    message
        .parts
        .iter()
        .map(|part| match part {
            Part::Text { text } | Part::Result { text, .. } => text.len(),
            Part::Thinking { text, signature } => {
                text.len() + signature.as_ref().map_or(0, String::len)
            }
            Part::RedactedThinking { data } => data.len(),
            Part::Call { tool, input, .. } => tool.len() + json_bytes(input),
            // A picture is billed by its size on the screen, not by its bytes.
            Part::Image { .. } => 6_000,
            Part::Opaque { value, .. } => json_bytes(value),
        })
        .sum()
}

fn json_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| json_bytes(item) + 1).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() + json_bytes(value) + 4).sum::<usize>() + 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CallId;

    fn result(text: &str) -> Message {
        let part = Part::Result { call: CallId("c".into()), text: text.into(), is_error: false };
        Message { role: Role::User, parts: vec![part] }
    }

    #[test]
    fn pruning_spares_the_newest_results() {
        let history = vec![
            Message::user("go"),
            result(&"old".repeat(1_000)),
            result(&"new".repeat(PROTECTED_RESULTS / 3)),
        ];
        let pruned = prune(&history, 2_000).unwrap();
        assert_eq!(pruned[0], history[0]);
        let Part::Result { text, .. } = &pruned[1].parts[0] else { panic!("a result") };
        assert!(text.starts_with("[3000 bytes"), "{text}");
        assert_eq!(pruned[2], history[2]);
        assert_eq!(prune(&history, 10_000), None);
    }

    #[test]
    fn the_tail_never_parts_a_result_from_its_call() {
        let history = vec![
            Message::user("first"),
            Message::assistant("a"),
            Message::user("second"),
            Message::assistant("b"),
            result("r"),
            Message::assistant("c"),
        ];
        assert_eq!(tail_start(&history, 3), 6);
        assert_eq!(tail_start(&history, 12), 2);
        // The first message holds the preamble and is always rewritten.
        assert_eq!(tail_start(&history, 1_000), 2);
    }

    #[test]
    fn a_rebuilt_history_keeps_the_persons_words() {
        let history = vec![
            Message {
                role: Role::User,
                parts: ["<context/>", "fix the bug"]
                    .map(|text| Part::Text { text: text.into() })
                    .to_vec(),
            },
            Message::assistant("looking"),
            Message::user("in the parser"),
            Message::assistant("done"),
        ];
        let all = rebuilt(&history, "<context/>", "All is well.", 0);
        assert_eq!(all.tail, 4);
        assert!(all.head.contains("All is well."));
        assert!(all.head.contains("> fix the bug\n\n> in the parser"), "{}", all.head);
        assert!(!all.head.contains("<context/>"));
        let with_tail = rebuilt(&history, "<context/>", "All is well.", 100);
        assert_eq!(with_tail.tail, 2);
        assert!(!with_tail.head.contains("in the parser"));
    }
}
