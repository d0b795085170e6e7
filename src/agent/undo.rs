//! Taking changes of files back, going back in the conversation, and forth again.
//!
//! Around each call that changes a file its content is kept ([`keep`]). A step back is asked for
//! ([`ask`]), found in the log ([`find`]), shown as a list of files with their diffs, and carried
//! out only when the person confirms exactly that list ([`confirm`]). It is a record of the log, so
//! it can be taken back itself, in this session or after it was taken up again.
//!
//! *Invariant:* no file is touched that the preview does not list, and none whose present content
//! is not in the blob store.

mod changes;
mod find;
mod keep;
mod shown;
mod worktree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::agent::undo::changes::{Changes, show as show_changes};
pub use crate::agent::undo::find::Target;
pub use crate::agent::undo::keep::{Kept, keep, kept};

use crate::agent::conversation::Conversation;
use crate::agent::retell;
use crate::agent::shared::Shared;
use crate::agent::undo::find::{Found, find};
use crate::agent::undo::shown::{relative, shown};
use crate::protocol::{
    Event, FileStep, Level, MessageId, RequestId, Rewind, RewindScope, Skipped, Step, StepPart,
};
use crate::session::checkpoint::{self, Checkpoint, FileState, When};
use crate::session::read::Loaded;
use crate::session::record;
use crate::session::restore::{self, Applied, Choice, Plan};
use crate::session::steps::{self, Taken};

/// A step that was shown and waits to be confirmed.
#[derive(Debug)]
pub struct Pending {
    request: RequestId,
    found: Found,
}

/// Shows what the step would do.
pub async fn ask(talk: &mut Conversation, shared: &Shared, target: Target) {
    talk.rewind = None;
    let (Some(log), Some(blobs)) = (talk.journal.log_path(), talk.journal.blobs()) else {
        let text = "Without a session log there is nothing to go back to.";
        return shared.notice(Level::Warning, text).await;
    };
    let cwd = shared.cwd();
    let nothing = match &target {
        Target::Undo => "There are no changes of files to undo.",
        Target::Redo => "There is nothing to redo.",
        Target::Before { .. } => "That message is no longer part of this conversation.",
    };
    let to = match &target {
        Target::Before { message, .. } => Some(message.clone()),
        Target::Undo | Target::Redo => None,
    };
    let found = blocking(move || {
        let found = find(&log, &target, &blobs)?;
        let files = found.plan.files.iter().map(|change| shown(change, &blobs, &cwd)).collect();
        Some((found, files))
    });
    match found.await.flatten() {
        Some((found, files)) => show(talk, shared, found, to, files).await,
        None => shared.notice(Level::Info, nothing).await,
    }
}

/// Shows what it takes to have one file as it was before the session, or one hunk of it.
pub async fn ask_part(
    talk: &mut Conversation,
    shared: &Shared,
    request: RequestId,
    file: usize,
    hunk: Option<usize>,
) {
    talk.rewind = None;
    let record = talk.journal.log_path().zip(talk.journal.blobs()).zip(talk.journal.head());
    let Some(((log, blobs), head)) = record else {
        let text = "Without a session log nothing can be taken back.";
        return shared.notice(Level::Warning, text).await;
    };
    let (cwd, changes) = (shared.cwd(), Arc::clone(&shared.changes));
    let found = blocking(move || {
        let plan = changes::part(&changes, request, file, hunk, &blobs)?;
        let part = hunk.map_or(StepPart::File, |_| StepPart::Hunk);
        let files = plan.files.iter().map(|change| shown(change, &blobs, &cwd)).collect();
        Some((find::part(&log, plan, part, head)?, files))
    });
    match found.await.flatten() {
        Some((found, files)) => show(talk, shared, found, None, files).await,
        None => {
            let text = "That list of changes is out of date; nothing was changed.";
            shared.notice(Level::Info, text).await;
        }
    }
}

/// `to`: the message that was asked for.
async fn show(
    talk: &mut Conversation,
    shared: &Shared,
    found: Found,
    to: Option<MessageId>,
    files: Vec<FileStep>,
) {
    let request = shared.gate.approvals.number();
    let rewind = Box::new(Rewind {
        request,
        step: found.step,
        scope: found.scope,
        to,
        messages: found.messages,
        commands: found.commands,
        prompt: found.prompt.clone(),
        part: found.part,
        files,
    });
    talk.rewind = Some(Pending { request, found });
    shared.emit(Event::RewindAsked { rewind }).await;
}

/// Does what was shown under `request`, and those conflicts of it that `also` names by their place.
pub async fn confirm(talk: &mut Conversation, shared: &Shared, request: RequestId, also: &[usize]) {
    let pending = talk.rewind.take_if(|pending| pending.request == request);
    let Some(Pending { found, .. }) = pending else {
        let text = "That preview is out of date; nothing was changed. Ask for it again.";
        return shared.notice(Level::Warning, text).await;
    };
    let from = talk.journal.head();
    let choice = chosen(&found.plan, also);
    let Found { step, scope, plan, to, turns, prompt, input, part, calls, .. } = found;
    let applied = match scope.files() {
        true => match put_back(talk, shared, plan, choice).await {
            Ok(applied) => applied,
            Err(why) => return shared.notice(Level::Error, why).await,
        },
        false => Applied::default(),
    };
    let cwd = shared.cwd();
    let files: Vec<String> = applied.done.iter().map(|kept| kept.path.clone()).collect();
    let besides = calls.into_iter().filter(|_| !files.is_empty());
    let calls = steps::calls(&turns, &files).into_iter().chain(besides).collect();
    // A step that changed nothing is none.
    let taken = from.filter(|_| scope.conversation() || !files.is_empty());
    if let Some(from) = taken {
        talk.journal.rewind(shared, record::Rewind { to, from, scope, part }).await;
    }
    talk.journal.sync(shared).await;
    if scope.conversation() {
        // Without the log there would be no step to take.
        if let Err(why) = retell::branch(talk, shared).await {
            return shared.notice(Level::Error, why).await;
        }
    }
    let notes = match (scope, step) {
        (RewindScope::Files, _) if !files.is_empty() => {
            Some(note((step, part), &files, &prompt, &cwd))
        }
        // What the model did stays, and it no longer knows of it.
        (RewindScope::Conversation, Step::Undo) => stays(&turns, &cwd),
        _ => None,
    };
    talk.notes.extend(notes);
    let skipped = applied.skipped.into_iter();
    let skipped = skipped.map(|(path, why)| Skipped { path: relative(&path, &cwd), why }).collect();
    let files = files.iter().map(|path| relative(path, &cwd)).collect();
    let input = input.filter(|_| scope.conversation());
    shared.emit(Event::Rewound { step, scope, input, files, skipped, calls }).await;
}

/// Keeps what the chosen files hold now, then puts them back. The error is for the person.
async fn put_back(
    talk: &mut Conversation,
    shared: &Shared,
    plan: Plan,
    choice: Choice,
) -> Result<Applied, String> {
    let blobs = talk.journal.blobs().ok_or("There is no place that keeps what files held.")?;
    let paths: Vec<PathBuf> = plan.paths(&choice).map(Path::to_owned).collect();
    let store = blobs.clone();
    let before =
        blocking(move || checkpoint::before(None, paths.iter().map(PathBuf::as_path), &store));
    let before = before.await.ok_or("Keeping what the files hold failed; nothing was changed.")?;
    if let Some(why) = unkept(&before) {
        return Err(format!("Nothing was changed, as it could not be taken back: {why}."));
    }
    talk.journal.checkpoint(shared, before).await;
    talk.journal.sync(shared).await;
    let applied = blocking(move || restore::apply(&plan, &choice, &blobs));
    let applied = applied.await.ok_or("Putting the files back failed on the way; /redo helps.")?;
    let files = applied.done.clone();
    let after = Checkpoint { when: When::After, call: None, turn: None, files };
    talk.journal.checkpoint(shared, after).await;
    Ok(applied)
}

/// What a session that is taken up again has to tell the front end of a step in its log.
pub fn told_again(taken: &Taken, cwd: &Path) -> Event {
    Event::Rewound {
        step: taken.step,
        scope: taken.scope,
        input: None,
        files: taken.files.iter().map(|path| relative(path, cwd)).collect(),
        skipped: Vec::new(),
        calls: taken.calls.clone(),
    }
}

/// What the model does not know yet of the steps in the log: those after the last message.
pub fn untold(loaded: &Loaded, taken: &[Taken], cwd: &Path) -> Vec<String> {
    let last = loaded.entries.iter().rposition(|entry| entry.kind == "user");
    let later =
        |taken: &&Taken| taken.scope == RewindScope::Files && loaded.index_of(&taken.record) > last;
    taken
        .iter()
        .filter(later)
        .map(|taken| note((taken.step, taken.part), &taken.files, "", cwd))
        .collect()
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
fn note(
    (step, part): (Step, Option<StepPart>),
    files: &[String],
    prompt: &str,
    cwd: &Path,
) -> String {
    let of = if prompt.is_empty() { String::new() } else { format!(" made for \"{prompt}\"") };
    let did = match step {
        Step::Undo => "undone",
        Step::Redo => "restored",
    };
    let your = if part == Some(StepPart::Hunk) { "some of your" } else { "your" };
    let names = names(files, cwd);
    format!(
        "<files>The user has {did} {your} changes{of} in: {names}. Read a file again before you \
         change it.</files>"
    )
}

/// Of changes that stay where the conversation that made them is gone.
fn stays(turns: &[steps::Turn], cwd: &Path) -> Option<String> {
    let mut files: Vec<String> =
        turns.iter().flat_map(|turn| &turn.changes).map(|(_, file)| file.clone()).collect();
    files.sort();
    files.dedup();
    (!files.is_empty()).then(|| {
        format!(
            "<files>The user went back to this point of the conversation. What was changed after \
             it stays in: {}. Read a file before you change it.</files>",
            names(&files, cwd)
        )
    })
}

fn names(files: &[String], cwd: &Path) -> String {
    let mut names: Vec<String> = files.iter().take(NAMED).map(|path| relative(path, cwd)).collect();
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    names.join(", ")
}

/// Beside the async threads: a slow disk must not hold up the screen. `None`: the work panicked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
