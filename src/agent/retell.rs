//! A conversation from the log: as the next request carries it, and as the tools know it. For a session that is taken up, and for a step over the conversation.

use std::path::PathBuf;

use crate::agent::conversation::Conversation;
use crate::agent::recount;
use crate::agent::shared::{Shared, lock};
use crate::protocol::{Event, Message, MessageId, SessionId};
use crate::session::blobs::Blobs;
use crate::session::read::{self, Loaded};
use crate::session::record::Body;
use crate::session::replay::{self, State};
use crate::session::steps;
use crate::session::window::{Edits, Piece};
use crate::tools::seen::Seen;

/// The conversation as the next request carries it.
#[derive(Debug)]
pub struct Told {
    /// Record by record; the preamble stands first.
    pub history: Vec<Piece>,
    pub edits: Edits,
    /// What the last summary quotes of the person.
    pub said: Vec<String>,
    /// What the model was told when the session began; the first message has it already.
    pub preamble: String,
    /// Calls without a result.
    pub unknown: usize,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Bytes that stand for a token at most, and the window where none is known.
const BYTES_PER_TOKEN: u64 = 8;
const WINDOW: u64 = 200_000;

/// `window`: tokens that the model has room for. What can never fit is not read.
pub fn history(loaded: &Loaded, blobs: &Blobs, window: Option<u64>) -> Told {
    let bytes = window.unwrap_or(WINDOW).saturating_mul(BYTES_PER_TOKEN);
    let replayed = replay::pieces_within(loaded, blobs, bytes);
    let preamble = logged_context(loaded);
    let mut history = replayed.pieces;
    if !history.is_empty() && !preamble.is_empty() {
        history.insert(0, (MessageId::default(), Message::user(preamble.clone())));
    }
    Told {
        history,
        preamble,
        edits: replay::edits(loaded),
        said: replayed.said,
        unknown: replayed.unknown.len(),
        problems: replayed.problems,
    }
}

/// Puts the conversation of the log in the place of the one in memory, after the log was told that
/// something counts again. The error is for the person.
pub async fn reread(talk: &mut Conversation, shared: &Shared) -> Result<(), String> {
    let (Some(log), Some(blobs)) = (talk.journal.log_path(), talk.journal.blobs()) else {
        return Err("Without a session log there is no way back.".to_owned());
    };
    let window = talk.route.window();
    let read = tokio::task::spawn_blocking(move || {
        let (loaded, _) = read::load(&log).map_err(|error| error.to_string())?;
        Ok::<_, String>(history(&loaded, &blobs, window))
    });
    talk.take_up(read.await.map_err(|error| error.to_string())??);
    shared.emit(shared.purse.refilled(talk.estimated_tokens())).await;
    Ok(())
}

/// Puts the branch that the log now ends with in the place of the conversation, and tells the
/// front end all of it. The error is for the person.
pub async fn branch(talk: &mut Conversation, shared: &Shared) -> Result<(), String> {
    let (Some(log), Some(blobs)) = (talk.journal.log_path(), talk.journal.blobs()) else {
        return Err("Without a session log there is no way back.".to_owned());
    };
    let window = talk.route.window();
    let read = tokio::task::spawn_blocking(move || {
        let (loaded, _) = read::load(&log).map_err(|error| error.to_string())?;
        let told = history(&loaded, &blobs, window);
        Ok::<_, String>((loaded, told))
    });
    let (loaded, told) = read.await.map_err(|error| error.to_string())??;
    let state = replay::state(&loaded);
    talk.take_up(told);
    talk.nested.taken_up(&loaded);
    tools(shared, &loaded, &state);
    shared.emit(begun_again(talk, shared, &talk.session)).await;
    // The step that led here is told by whoever took it.
    let mut steps = steps::read(&loaded);
    steps.taken.pop();
    recount::screen(shared, &loaded, &steps, state.title.as_deref(), &[]).await;
    shared.emit(Event::TodosChanged { todos: state.todos }).await;
    shared.emit(shared.purse.refilled(talk.estimated_tokens())).await;
    // Mode and model are the person's present choice, not that of back then.
    let (mode, model) = (shared.gate.mode(), talk.route.name.clone());
    talk.journal.stands_at(state.mode, shared, mode).await;
    if state.model.is_some_and(|then| then != model) {
        talk.journal.model(shared, &model).await;
    }
    Ok(())
}

fn begun_again(talk: &Conversation, shared: &Shared, session: &SessionId) -> Event {
    Event::Started {
        session: session.clone(),
        cwd: shared.purse.project().to_owned(),
        model: talk.route.name.clone(),
        mode: shared.gate.mode(),
        window: talk.route.window(),
        scripted: talk.route.scripted,
        resumed: true,
    }
}

/// What the tools remember: the list of tasks, and which files the model knows. Whether a file is
/// still what it was is looked at when it is next used.
pub fn tools(shared: &Shared, loaded: &Loaded, state: &State) {
    let session = lock(&shared.session).clone();
    (*lock(&session.todos)).clone_from(&state.todos);
    let mut seen = Seen::default();
    for entry in loaded.branch.iter().filter_map(|index| loaded.entries.get(*index)) {
        match entry.state() {
            Some(Body::Seen { files }) => files.iter().for_each(|look| {
                seen.remember(PathBuf::from(&look.path), look.hash.clone(), look.extent);
            }),
            Some(Body::Compaction(_)) => seen.compacted(),
            _ => {}
        }
    }
    *lock(&session.seen) = seen;
}

/// What the model was told when the session began, byte for byte: the prefix stays cached.
fn logged_context(loaded: &Loaded) -> String {
    loaded
        .records()
        .find_map(|record| match record.body {
            Body::Context { text, .. } => Some(text),
            _ => None,
        })
        .unwrap_or_default()
}
