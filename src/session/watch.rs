//! Notices which of some files a command changed: their contents are held in memory while it
//! runs, and only what has changed is stored.
//!
//! Best effort. A file that is not among them, or is too large, goes unnoticed, and what changed
//! while a program was killed is lost.

use std::path::PathBuf;

use crate::protocol::CallId;
use crate::session::blobs::{Blobs, hash};
use crate::session::checkpoint::{self, Checkpoint, Content, FileState, Kept, When, state_of};

/// Bytes of one file, and of all.
const LARGEST: u64 = 1 << 20;
const ALL: u64 = 32 << 20;
const FILES: usize = 1_000;

/// Files as they were.
#[derive(Debug)]
pub struct Watch {
    files: Vec<(PathBuf, Option<Content>)>,
}

/// Takes the contents of these files, as many as there is room for.
pub fn begin(paths: impl IntoIterator<Item = PathBuf>) -> Watch {
    let mut room = ALL;
    let mut files = Vec::new();
    for path in paths.into_iter().take(FILES) {
        let bytes = path.symlink_metadata().map_or(0, |meta| meta.len());
        if bytes > LARGEST.min(room) {
            continue;
        }
        if let Ok(content) = checkpoint::read(&path) {
            room -= bytes;
            files.push((path, content));
        }
    }
    Watch { files }
}

impl Watch {
    /// What the files that have changed held, stored now, and what they hold; `None` where nothing
    /// has changed.
    pub fn end(self, call: &CallId, blobs: &Blobs) -> Option<(Checkpoint, Checkpoint)> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (path, content) in self.files {
            let (then, now) = (state(content.as_ref()), state_of(&path));
            if then == now {
                continue;
            }
            let stored = content.map_or(Ok(String::new()), |content| blobs.put(&content.bytes));
            let then = match stored {
                Ok(_) => then,
                Err(error) => FileState::Other { why: format!("it could not be stored: {error}") },
            };
            let path = path.to_string_lossy().into_owned();
            before.push(Kept { path: path.clone(), state: then });
            after.push(Kept { path, state: now });
        }
        let at = |when, files| Checkpoint { when, call: Some(call.clone()), turn: None, files };
        (!before.is_empty()).then(|| (at(When::Before, before), at(When::After, after)))
    }
}

fn state(content: Option<&Content>) -> FileState {
    content.map_or(FileState::Absent, |content| FileState::File {
        blob: hash(&content.bytes),
        bytes: content.bytes.len() as u64,
        mode: content.mode,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::disk::Disk;

    #[test]
    fn only_what_changed_is_told_and_stored() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let blobs = Blobs::new(path("blobs"), Disk::default());
        for (name, text) in [("same", "s"), ("changed", "old"), ("gone", "g")] {
            std::fs::write(path(name), text).unwrap();
        }
        std::fs::write(path("large"), vec![0; (LARGEST + 1) as usize]).unwrap();
        let names = ["same", "changed", "gone", "made", "large"];
        let watch = begin(names.map(path));
        std::fs::write(path("changed"), "new").unwrap();
        std::fs::remove_file(path("gone")).unwrap();
        std::fs::write(path("made"), "m").unwrap();
        std::fs::write(path("large"), "now small").unwrap();
        let (before, after) = watch.end(&CallId("c".into()), &blobs).unwrap();
        let contents = |checkpoint: &Checkpoint| -> Vec<(String, Option<String>)> {
            let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
            let content = |state: &FileState| match state {
                FileState::File { blob, .. } => Some(blob.clone()),
                _ => None,
            };
            checkpoint.files.iter().map(|kept| (name(&kept.path), content(&kept.state))).collect()
        };
        let want = |rows: [(&str, Option<&str>); 3]| {
            rows.map(|(name, text)| (name.to_owned(), text.map(|text| hash(text.as_bytes()))))
        };
        assert_eq!(
            contents(&before),
            want([("changed", Some("old")), ("gone", Some("g")), ("made", None)])
        );
        assert_eq!(
            contents(&after),
            want([("changed", Some("new")), ("gone", None), ("made", Some("m"))])
        );
        assert_eq!(std::fs::read_dir(blobs.dir()).unwrap().count(), 2);
        assert_eq!(begin([path("same")]).end(&CallId("c".into()), &blobs), None);
    }
}
