//! A file of a step, or of what the session has changed, as a person is shown it.

use std::path::Path;

use crate::diff;
use crate::protocol::{FileEffect, FileStep, StepConflict};
use crate::session::blobs::Blobs;
use crate::session::checkpoint::FileState;
use crate::session::restore::{Change, Conflict};

/// Bytes of a file that is compared line by line.
pub const COMPARED: usize = 1 << 20;
const CONTEXT: usize = 3;

/// A file and what it holds.
struct Side<'a> {
    state: &'a FileState,
    content: Option<Vec<u8>>,
}

/// From what the file holds now to what the step makes of it.
pub fn shown(change: &Change, blobs: &Blobs, cwd: &Path) -> FileStep {
    let (now, then) = change.contents(blobs);
    let before = Side { state: &change.now, content: now };
    let after = Side { state: &change.then, content: then };
    step(change, before, after, cwd, CONTEXT)
}

/// From what the file held before the session, or `from` did, which was its name then, to what it
/// holds now.
pub fn made(
    change: &Change,
    from: Option<&Change>,
    blobs: &Blobs,
    cwd: &Path,
    context: usize,
) -> FileStep {
    let (now, then) = change.contents(blobs);
    let (state, content) = match from {
        Some(from) => (&from.then, from.contents(blobs).1),
        None => (&change.then, then),
    };
    let after = Side { state: &change.now, content: now };
    step(change, Side { state, content }, after, cwd, context)
}

fn step(
    change: &Change,
    before: Side<'_>,
    after: Side<'_>,
    cwd: &Path,
    context: usize,
) -> FileStep {
    let effect = match (before.state, after.state) {
        (FileState::Absent, _) => FileEffect::Created,
        (_, FileState::Absent) => FileEffect::Removed,
        (FileState::File { .. } | FileState::Other { .. }, _) => FileEffect::Changed,
    };
    let text = |content: Option<Vec<u8>>| match content {
        Some(bytes) if bytes.len() > COMPARED => Err("too large to compare"),
        Some(bytes) => String::from_utf8(bytes).map_err(|_| "not text"),
        None => Ok(String::new()),
    };
    let modes = modes(before.state, after.state);
    let (hunks, note) = match (text(before.content), text(after.content)) {
        (Ok(before), Ok(after)) => (diff::hunks(&before, &after, context), modes),
        (Err(why), _) | (_, Err(why)) => (Vec::new(), why.to_owned()),
    };
    let (added, removed) = diff::counts(&hunks);
    let conflict = change.conflict.as_ref().map(|conflict| match conflict {
        Conflict::ChangedSince => StepConflict::ChangedSince,
        Conflict::Impossible { why } => StepConflict::Impossible { why: why.clone() },
    });
    let path = relative(&change.path, cwd);
    FileStep { path, from: None, effect, hunks, added, removed, note, conflict }
}

fn modes(before: &FileState, after: &FileState) -> String {
    match (before, after) {
        (FileState::File { mode: Some(before), .. }, FileState::File { mode: Some(after), .. })
            if before != after =>
        {
            format!("mode {before:o} to {after:o}")
        }
        _ => String::new(),
    }
}

/// As people read it.
pub fn relative(path: &str, cwd: &Path) -> String {
    Path::new(path).strip_prefix(cwd).map_or(path.to_owned(), |path| path.display().to_string())
}
