//! A file of a step, as the preview shows it.

use std::path::Path;

use crate::diff;
use crate::protocol::{FileEffect, FileStep, StepConflict};
use crate::session::blobs::Blobs;
use crate::session::checkpoint::FileState;
use crate::session::restore::{Change, Conflict};

/// Bytes of a file that is compared line by line.
const COMPARED: usize = 1 << 20;
const CONTEXT: usize = 3;

/// A file of the preview.
pub fn shown(change: &Change, blobs: &Blobs, cwd: &Path) -> FileStep {
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

/// As people read it.
pub fn relative(path: &str, cwd: &Path) -> String {
    Path::new(path).strip_prefix(cwd).map_or(path.to_owned(), |path| path.display().to_string())
}
