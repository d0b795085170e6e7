//! Making room in the window: old tool results go first, then a summary takes the place of the
//! older history.
//!
//! *Invariants:* what a person said stays verbatim within a budget, what is pinned and the newest
//! messages stay as they were; a summary that does not make the history at least 5 % smaller is
//! not used, and at most two are asked for; after room was made, the window must fill by a tenth
//! before more is made, so nothing here can go round in circles; the log keeps everything.

pub mod prune;
pub mod shorten;
pub mod size;

pub use size::{bytes, message_bytes};

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::agent::compact::shorten::{Rebuilt, rebuilt};
use crate::agent::conversation::Conversation;
use crate::agent::hooking;
use crate::agent::pay::capital;
use crate::agent::request::{self, Ended};
use crate::agent::retell;
use crate::agent::shared::{Shared, lock};
use crate::agent::summary;
use crate::protocol::{ErrorKind, Event, ItemId, Level, RequestId, TurnEnd, TurnId};
use crate::session::read;
use crate::session::record::Compaction;
use crate::session::replay;
use crate::session::window::{Edit, Piece};

const PROMPT: &str = include_str!("../../../assets/prompts/compact.md");
const SHORTER: &str = "\nA summary was too long to be of use: write no more than 300 words in all.";
/// Percent of the window that pruning must free, or it is not worth the cache.
const WORTH_PRUNING: usize = 15;
/// Percent of the old history that the new one may take.
const SHRUNK: usize = 95;
/// The newest messages take at most this share of the window and of the conversation, whatever
/// `keep-tokens` says: a server may have less room than is known of it.
const KEPT: u64 = 4;

/// A summary that is not in use yet.
#[derive(Debug)]
pub struct Draft {
    request: RequestId,
    /// Pieces that it was made of.
    pieces: usize,
    before: u64,
}

/// Makes room if the window is as full as the configuration allows.
pub async fn if_due(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    cancel: &CancellationToken,
) -> Result<(), TurnEnd> {
    if !talk.is_due() {
        return Ok(());
    }
    // Close to the limit an estimate is not good enough, where the server counts for nothing.
    if talk.is_guessed() {
        talk.count(cancel).await;
        if !talk.is_due() {
            return Ok(());
        }
    }
    if prune(talk, shared).await {
        return Ok(());
    }
    match now(talk, shared, turn, None, true, cancel).await {
        Err(TurnEnd::Failed { message, .. }) if talk.has_room() => {
            talk.refuses_to_shrink = true;
            let text = format!("{}. It goes on with the room that is left.", capital(&message));
            shared.notice(Level::Warning, text).await;
            Ok(())
        }
        other => other,
    }
}

/// Puts lines in the place of old results; false if that is not worth it.
async fn prune(talk: &mut Conversation, shared: &Shared) -> bool {
    let window = talk.in_bytes(talk.route.window().unwrap_or_default());
    let worth = window.saturating_mul(WORTH_PRUNING) / 100;
    let pieces = talk.pieces();
    let Some(old) = prune::old(&pieces, &talk.edits, window, worth) else { return false };
    let stubs = old.iter().map(|old| prune::stub(old, &shared.spill)).collect();
    let before = talk.estimated_tokens();
    change(talk, shared, Edit { stubs, automatic: true, ..Edit::default() }).await;
    let after = talk.estimated_tokens();
    talk.settle();
    let text = format!(
        "Old tool results were dropped to make room: {before} to {after} tokens. \
         /compact --undo takes it back."
    );
    shared.notice(Level::Info, text).await;
    true
}

/// Puts an edit of what the model sees into force, and into the log.
pub async fn change(talk: &mut Conversation, shared: &Shared, edit: Edit) {
    talk.apply(&edit);
    forget_reads(shared);
    talk.journal.window(shared, edit).await;
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
    if !may(talk, shared, focus, automatic, cancel).await {
        return Ok(());
    }
    shared.emit(Event::CompactionStarted { automatic }).await;
    let before = talk.estimated_tokens();
    let (summary, rebuilt) = draft(talk, shared, turn, focus, cancel).await?;
    tracing::info!(before, turn = turn.0, "compacted");
    adopt(talk, shared, (summary, rebuilt), before, automatic, cancel).await;
    Ok(())
}

/// Makes a summary and shows it; `adopt_draft` uses it.
pub async fn preview(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    focus: Option<&str>,
    cancel: &CancellationToken,
) -> Result<(), TurnEnd> {
    if !may(talk, shared, focus, false, cancel).await {
        return Ok(());
    }
    shared.emit(Event::CompactionStarted { automatic: false }).await;
    let before = talk.estimated_tokens();
    let (summary, rebuilt) = draft(talk, shared, TurnId(0), focus, cancel).await?;
    let after = talk.estimated_after(talk.preamble().len() + rebuilt.bytes());
    let request = shared.gate.approvals.number();
    talk.draft = Some(Draft { request, pieces: talk.pieces().len(), before });
    shared.emit(Event::SummaryDrafted { request, before, after, summary }).await;
    Ok(())
}

/// Uses the summary that was shown as `request`, as the person has left it.
pub async fn adopt_draft(
    talk: &mut Conversation,
    shared: &Shared,
    request: RequestId,
    summary: Option<String>,
    cancel: &CancellationToken,
) {
    let draft = talk.draft.take_if(|draft| draft.request == request);
    let Some(summary) = summary else { return };
    let Some(draft) = draft.filter(|draft| draft.pieces == talk.pieces().len()) else {
        let text = "That summary is out of date; nothing was changed. Ask for it again.";
        return shared.notice(Level::Warning, text).await;
    };
    match fitting(talk, summary.trim()) {
        Some(rebuilt) if !summary.trim().is_empty() => {
            let summary = summary.trim().to_owned();
            adopt(talk, shared, (summary, rebuilt), draft.before, false, cancel).await;
        }
        Some(_) => shared.notice(Level::Info, "The summary is empty; nothing was changed.").await,
        None => {
            let text = "This summary would not make the conversation shorter; nothing was changed.";
            shared.notice(Level::Warning, text).await;
        }
    }
}

async fn may(
    talk: &mut Conversation,
    shared: &Shared,
    focus: Option<&str>,
    automatic: bool,
    cancel: &CancellationToken,
) -> bool {
    let Err(why) = hooking::before_compact(shared, focus, automatic, cancel).await else {
        return true;
    };
    // Full or not, the next request is made; the server may yet take it.
    talk.refuses_to_shrink = true;
    let text = format!("The history was not summarised, as a hook has stopped it: {why}");
    shared.notice(Level::Warning, text).await;
    false
}

/// Asks for a summary that makes the history shorter, and once more for a shorter one.
async fn draft(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    focus: Option<&str>,
    cancel: &CancellationToken,
) -> Result<(String, Rebuilt), TurnEnd> {
    for shorter in [false, true] {
        // Where pins and preamble are all there is, no summary can help.
        if fitting(talk, "").is_none() {
            break;
        }
        let prompt = prompt(talk, focus, shorter);
        let asked = match request::paid(talk, shared, cancel).await {
            Ok(()) => summary::ask(talk, shared, turn, &prompt, cancel).await,
            Err(ended) => Err(ended),
        };
        let summary = match asked {
            Ok(summary) => summary,
            Err(ended @ (Ended::Interrupted | Ended::Budget)) => return Err(ended.of_turn()),
            Err(Ended::Failed { kind, message, hints }) => {
                let message = format!("the conversation could not be compacted: {message}");
                return Err(TurnEnd::Failed { error: kind, message, hints });
            }
        };
        if let Some(rebuilt) = fitting(talk, &summary) {
            return Ok((summary, rebuilt));
        }
    }
    talk.refuses_to_shrink = true;
    Err(TurnEnd::Failed {
        error: ErrorKind::Context,
        message: "a summary would not be shorter than the conversation".to_owned(),
        hints: vec![
            "Start over with /clear, drop or unpin something in /context, or choose a model with \
             a larger window."
                .to_owned(),
        ],
    })
}

fn prompt(talk: &Conversation, focus: Option<&str>, shorter: bool) -> String {
    let mut prompt = PROMPT.to_owned();
    for words in [talk.compact.instructions.as_deref(), focus].into_iter().flatten() {
        prompt.push_str("\nThe user asks to pay attention to: ");
        prompt.push_str(words);
    }
    if shorter {
        prompt.push_str(SHORTER);
    }
    prompt
}

/// What takes the place of the history: with the newest messages, or without them where it would
/// not be shorter otherwise.
fn fitting(talk: &Conversation, summary: &str) -> Option<Rebuilt> {
    let pieces = talk.pieces();
    let pieces = beside_preamble(&pieces, talk.preamble());
    let sizes = pieces.iter().map(|(_, message)| message_bytes(message));
    let old = talk.preamble().len() + sizes.sum::<usize>();
    let most = talk.route.window().unwrap_or(u64::MAX).min(talk.in_tokens(old)) / KEPT;
    let keep = talk.in_bytes(talk.compact.keep_tokens.min(most));
    [keep, 0].into_iter().find_map(|keep| {
        let rebuilt = rebuilt(pieces, &talk.edits, talk.said(), summary, keep);
        let new = talk.preamble().len() + rebuilt.bytes();
        (new * 100 <= old * SHRUNK).then_some(rebuilt)
    })
}

/// The preamble is put in front of every history anew.
pub fn beside_preamble<'a>(pieces: &'a [Piece], preamble: &str) -> &'a [Piece] {
    match pieces.split_first() {
        Some(((_, first), rest)) if !preamble.is_empty() && first.text() == preamble => rest,
        _ => pieces,
    }
}

async fn adopt(
    talk: &mut Conversation,
    shared: &Shared,
    (summary, rebuilt): (String, Rebuilt),
    before: u64,
    automatic: bool,
    cancel: &CancellationToken,
) {
    let record = talk.shorten(rebuilt);
    forget_reads(shared);
    talk.settle();
    let after = talk.estimated_tokens();
    talk.journal.compaction(shared, Compaction { before, after, automatic, ..record }).await;
    hooking::compacted(shared, &summary, automatic, cancel).await;
    shared.emit(Event::Compacted { before, after, summary }).await;
}

/// Said when a compaction is undone.
pub const TAKEN_BACK: &str =
    "The compaction is taken back: the model sees the whole conversation again.";

/// Puts the history back that the last compaction and the dropping of old results took away: the
/// log still has it. The error is a sentence for the person.
pub async fn undo(talk: &mut Conversation, shared: &Shared) -> Result<(), String> {
    let Some(log) = talk.journal.log_path() else {
        return Err("Without a session log there is no way back.".to_owned());
    };
    let loaded = tokio::task::spawn_blocking(move || read::load(&log)).await;
    let (loaded, _) =
        loaded.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let pruned = replay::pruned(&loaded);
    let last = replay::compaction(&loaded);
    if last.is_none() && pruned.is_empty() {
        return Err("There is no compaction to take back.".to_owned());
    }
    if !pruned.is_empty() {
        let restore = pruned.into_iter().map(ItemId::Result).collect();
        talk.journal.window(shared, Edit { restore, ..Edit::default() }).await;
    }
    if let Some(last) = last {
        let before = talk.estimated_tokens();
        let record = Compaction { before, after: last.before, undone: true, ..Default::default() };
        talk.journal.compaction(shared, record).await;
    }
    retell::reread(talk, shared).await?;
    shared.notice(Level::Info, TAKEN_BACK).await;
    if talk.is_full() {
        let text = "It fills so much of the window that the next prompt will be compacted again.";
        shared.notice(Level::Warning, text).await;
    }
    Ok(())
}

/// What was read before may no longer stand in the window, so reading it again must show it again.
fn forget_reads(shared: &Shared) {
    let session = lock(&shared.session).clone();
    lock(&session.seen).compacted();
}
