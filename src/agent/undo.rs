//! Taking changes of files back, and forth again.
//!
//! Around each call that changes a file its content is kept ([`keep`], [`kept`]). A step back is
//! asked for ([`ask`]), shown as a list of files with their diffs, and carried out only when the
//! person confirms exactly that list ([`confirm`]). It is a record of the log, so it can be taken
//! back itself, in this session or after it was taken up again.
//!
//! *Invariant:* no file is touched that the preview does not list, and none whose present content
//! is not in the blob store.

use std::path::{Path, PathBuf};

use crate::agent::conversation::Conversation;
use crate::agent::dispatch::Call;
use crate::agent::journal::Journal;
use crate::agent::shared::{Shared, lock};
use crate::diff;
use crate::protocol::{
    Event, FileEffect, FileStep, Level, MessageId, Part, RequestId, Rewind, Skipped, Step,
    StepConflict,
};
use crate::session::blobs::Blobs;
use crate::session::checkpoint::{self, Checkpoint, FileState, When};
use crate::session::read::{self, Loaded};
use crate::session::record::{self, Body, RecordId, RewindScope};
use crate::session::restore::{self, Change, Choice, Conflict, Plan};
use crate::session::steps::{self, Taken, Turn};
use crate::session::watch::{self, Watch};
use crate::tools::Tool;

/// What was kept for a call that is about to run.
#[derive(Debug)]
pub enum Kept {
    Nothing,
    /// The file whose content was stored.
    File(PathBuf),
    /// A command may change anything; these files are looked at again when it has ended.
    Watched(Watch),
}

/// A step that was shown and waits to be confirmed.
#[derive(Debug)]
pub struct Pending {
    request: RequestId,
    found: Found,
}

/// A step that can be taken.
#[derive(Debug)]
struct Found {
    step: Step,
    plan: Plan,
    /// The record that the step goes to.
    to: RecordId,
    turns: Vec<Turn>,
    prompt: String,
}

/// Stores what the call is about to change and logs it, durably.
pub async fn keep(journal: &mut Journal, shared: &Shared, call: &Call, tool: &dyn Tool) -> Kept {
    let Some(blobs) = journal.blobs() else { return Kept::Nothing };
    if let Some(file) = tool.target(&call.input, &shared.cwd()) {
        let (id, path) = (call.id.clone(), file.clone());
        let kept = blocking(move || checkpoint::before(Some(id), [path.as_path()], &blobs)).await;
        let Some(kept) = kept else { return Kept::Nothing };
        journal.checkpoint(shared, kept).await;
        journal.sync(shared).await;
        return Kept::File(file);
    }
    if call.tool != "Bash" {
        return Kept::Nothing;
    }
    let mut files = journal.touched();
    let session = lock(&shared.session).clone();
    files.extend(lock(&session.seen).paths().map(Path::to_owned));
    blocking(move || watch::begin(files)).await.map_or(Kept::Nothing, Kept::Watched)
}

/// Logs what the call has made of it.
pub async fn kept(journal: &mut Journal, shared: &Shared, call: &Call, kept: Kept) {
    let id = call.id.clone();
    match kept {
        Kept::Nothing => {}
        Kept::File(file) => {
            let after = blocking(move || checkpoint::after(Some(id), [file.as_path()])).await;
            if let Some(after) = after {
                journal.checkpoint(shared, after).await;
            }
        }
        Kept::Watched(watch) => {
            let Some(blobs) = journal.blobs() else { return };
            if let Some((before, after)) = blocking(move || watch.end(&id, &blobs)).await.flatten()
            {
                journal.checkpoint(shared, before).await;
                journal.checkpoint(shared, after).await;
            }
        }
    }
}

/// Shows what the step would do.
pub async fn ask(talk: &mut Conversation, shared: &Shared, step: Step) {
    talk.rewind = None;
    let (Some(log), Some(blobs)) = (talk.journal.log_path(), talk.journal.blobs()) else {
        let text = "Without a session log there is nothing to go back to.";
        return shared.notice(Level::Warning, text).await;
    };
    let cwd = shared.cwd();
    let found = blocking(move || {
        let found = find(&log, step, &blobs)?;
        let files = found.plan.files.iter().map(|change| shown(change, &blobs, &cwd)).collect();
        Some((found, files))
    });
    let Some((found, files)) = found.await.flatten() else {
        let text = match step {
            Step::Undo => "There are no changes of files to undo.",
            Step::Redo => "There is nothing to redo.",
        };
        return shared.notice(Level::Info, text).await;
    };
    let request = shared.gate.approvals.number();
    let rewind = Box::new(Rewind { request, step, prompt: found.prompt.clone(), files });
    talk.rewind = Some(Pending { request, found });
    shared.emit(Event::RewindAsked { rewind }).await;
}

/// Does what was shown under `request`, and those conflicts of it that `also` names by their place.
pub async fn confirm(talk: &mut Conversation, shared: &Shared, request: RequestId, also: &[usize]) {
    let pending = talk.rewind.take_if(|pending| pending.request == request);
    let (Some(Pending { found, .. }), Some(blobs)) = (pending, talk.journal.blobs()) else {
        let text = "That preview is out of date; nothing was changed. Ask for it again.";
        return shared.notice(Level::Warning, text).await;
    };
    let cwd = shared.cwd();
    let choice = chosen(&found.plan, also);
    let paths: Vec<PathBuf> = found.plan.paths(&choice).map(Path::to_owned).collect();
    let store = blobs.clone();
    let before =
        blocking(move || checkpoint::before(None, paths.iter().map(PathBuf::as_path), &store));
    let Some(before) = before.await else { return };
    if let Some(why) = unkept(&before) {
        let text = format!("Nothing was changed, as it could not be taken back: {why}.");
        return shared.notice(Level::Error, text).await;
    }
    let from = talk.journal.head();
    talk.journal.checkpoint(shared, before).await;
    talk.journal.sync(shared).await;
    let Found { step, plan, to, turns, prompt } = found;
    let Some(applied) = blocking(move || restore::apply(&plan, &choice, &blobs)).await else {
        return;
    };
    let files: Vec<String> = applied.done.iter().map(|kept| kept.path.clone()).collect();
    let calls = steps::calls(&turns, &files);
    let after = Checkpoint { when: When::After, call: None, turn: None, files: applied.done };
    talk.journal.checkpoint(shared, after).await;
    // A step that changed nothing is none.
    if let Some(from) = from.filter(|_| !files.is_empty()) {
        let scope = RewindScope::Files;
        talk.journal.rewind(shared, record::Rewind { to, from, scope }).await;
        talk.notes.push(note(step, &files, &prompt, &cwd));
    }
    talk.journal.sync(shared).await;
    let skipped = applied.skipped.into_iter();
    let skipped = skipped.map(|(path, why)| Skipped { path: relative(&path, &cwd), why }).collect();
    let files = files.iter().map(|path| relative(path, &cwd)).collect();
    shared.emit(Event::Rewound { step, files, skipped, calls }).await;
}

/// What a session that is taken up again has to tell the front end of a step in its log.
pub fn told_again(taken: &Taken, cwd: &Path) -> Event {
    Event::Rewound {
        step: taken.step,
        files: taken.files.iter().map(|path| relative(path, cwd)).collect(),
        skipped: Vec::new(),
        calls: taken.calls.clone(),
    }
}

/// What the model does not know yet of the steps in the log: those after the last message.
pub fn untold(loaded: &Loaded, taken: &[Taken], cwd: &Path) -> Vec<String> {
    let last = loaded.entries.iter().rposition(|entry| entry.kind == "user");
    let later = |taken: &&Taken| loaded.index_of(&taken.record) > last;
    taken.iter().filter(later).map(|taken| note(taken.step, &taken.files, "", cwd)).collect()
}

/// The newest step of that kind that would change anything.
fn find(log: &Path, step: Step, blobs: &Blobs) -> Option<Found> {
    let (loaded, _) = read::load(log).ok()?;
    let mut known = steps::read(&loaded);
    match step {
        Step::Undo => (0..known.done.len()).rev().find_map(|at| {
            let to = known.done[at].message.clone();
            let plan = restore::plan(&loaded, &to, blobs)?;
            let prompt = prompt(&loaded, &to);
            let turns = known.done[at..].to_vec();
            (!plan.files.is_empty()).then_some(Found { step, plan, to, turns, prompt })
        }),
        Step::Redo => {
            let back = known.undone.pop()?;
            let plan = restore::plan_back(&loaded, &back.at, blobs)?;
            let first = back.turns.first()?;
            let prompt = prompt(&loaded, &first.message);
            (!plan.files.is_empty()).then_some(Found {
                step,
                plan,
                to: back.from,
                turns: back.turns,
                prompt,
            })
        }
    }
}

/// The first line that the person wrote in that message.
fn prompt(loaded: &Loaded, message: &MessageId) -> String {
    let record = loaded.index_of(message).and_then(|index| loaded.record(index));
    let Some(Body::User { parts, .. }) = record.map(|record| record.body) else {
        return String::new();
    };
    let text = parts.iter().rev().find_map(|part| match part {
        Part::Text { text } => text.lines().map(str::trim).find(|line| !line.is_empty()),
        _ => None,
    });
    text.map(|line| line.chars().take(PROMPT).collect()).unwrap_or_default()
}

/// Characters of a prompt that name it.
const PROMPT: usize = 80;

/// Bytes of a file that is compared line by line.
const COMPARED: usize = 1 << 20;
const CONTEXT: usize = 3;

/// A file of the preview.
fn shown(change: &Change, blobs: &Blobs, cwd: &Path) -> FileStep {
    let (now, then) = change.contents(blobs);
    let effect = match (&change.now, &change.then) {
        (FileState::Absent, _) => FileEffect::Created,
        (_, FileState::Absent) => FileEffect::Removed,
        (FileState::File { .. } | FileState::Other { .. }, _) => FileEffect::Changed,
    };
    let text = |content: Option<Vec<u8>>| match content {
        Some(bytes) if bytes.len() > COMPARED => Err("too large to compare"),
        Some(bytes) => String::from_utf8(bytes).map_err(|_| "not text"),
        None => Ok(String::new()),
    };
    let (hunks, note) = match (text(now), text(then)) {
        (Ok(now), Ok(then)) => (diff::hunks(&now, &then, CONTEXT), modes(change)),
        (Err(why), _) | (_, Err(why)) => (Vec::new(), why.to_owned()),
    };
    let (added, removed) = diff::counts(&hunks);
    let conflict = change.conflict.as_ref().map(|conflict| match conflict {
        Conflict::ChangedSince => StepConflict::ChangedSince,
        Conflict::Impossible { why } => StepConflict::Impossible { why: why.clone() },
    });
    let path = relative(&change.path, cwd);
    FileStep { path, effect, hunks, added, removed, note, conflict }
}

fn modes(change: &Change) -> String {
    match (&change.now, &change.then) {
        (FileState::File { mode: Some(now), .. }, FileState::File { mode: Some(then), .. })
            if now != then =>
        {
            format!("mode {now:o} to {then:o}")
        }
        _ => String::new(),
    }
}

fn chosen(plan: &Plan, also: &[usize]) -> Choice {
    let paths: Vec<String> =
        also.iter().filter_map(|at| plan.files.get(*at)).map(|file| file.path.clone()).collect();
    if paths.is_empty() { Choice::WithoutConflicts } else { Choice::With(paths) }
}

/// The first file whose present content is not in the store.
fn unkept(before: &Checkpoint) -> Option<String> {
    before.files.iter().find_map(|kept| match &kept.state {
        FileState::Other { why } => Some(format!("{}: {why}", kept.path)),
        FileState::Absent | FileState::File { .. } => None,
    })
}

/// Files that are named to the model one by one.
const NAMED: usize = 10;

/// One line for the model.
fn note(step: Step, files: &[String], prompt: &str, cwd: &Path) -> String {
    let mut names: Vec<String> = files.iter().take(NAMED).map(|path| relative(path, cwd)).collect();
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    let of = if prompt.is_empty() { String::new() } else { format!(" made for \"{prompt}\"") };
    let did = match step {
        Step::Undo => "undone",
        Step::Redo => "restored",
    };
    let names = names.join(", ");
    format!(
        "<files>The user has {did} your changes{of} in: {names}. Read a file again before you \
         change it.</files>"
    )
}

/// As people read it.
fn relative(path: &str, cwd: &Path) -> String {
    Path::new(path).strip_prefix(cwd).map_or(path.to_owned(), |path| path.display().to_string())
}

/// Beside the async threads: a slow disk must not hold up the screen. `None`: the work panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
