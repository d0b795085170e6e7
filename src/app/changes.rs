//! The files that this session has changed, gathered from the calls that changed them and were
//! not undone.

use crate::app::calls::CallState;
use crate::app::transcript::Transcript;
use crate::protocol::{Detail, Hunk};

#[derive(Debug, Clone, PartialEq)]
pub struct Change<'a> {
    pub path: &'a str,
    pub added: u32,
    pub removed: u32,
    pub new_file: bool,
    /// One list an edit, oldest first.
    pub edits: Vec<&'a [Hunk]>,
}

pub fn of(transcript: &Transcript) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    for call in transcript.calls() {
        let CallState::Ended(result) = &call.state else { continue };
        let Detail::Diff { path, hunks, added, removed, new_file } = &result.detail else {
            continue;
        };
        if result.is_error() || call.undone {
            continue;
        }
        match changes.iter_mut().find(|change| change.path == path) {
            Some(change) => {
                change.added += added;
                change.removed += removed;
                change.edits.push(hunks);
            }
            None => changes.push(Change {
                path,
                added: *added,
                removed: *removed,
                new_file: *new_file,
                edits: vec![hunks],
            }),
        }
    }
    changes
}
