//! Notices which of some files a command changed: their contents are held in memory while it
//! runs, and only what has changed is stored.
//!
//! Best effort. A file that is not among them, that nobody else tells of, or that is too large goes
//! unnoticed, and what changed while a program was killed is lost.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

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

/// What a file held before a command, by somebody else's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Was {
    Absent,
    File {
        bytes: Vec<u8>,
        executable: bool,
    },
    /// Nobody knows.
    Unknown,
}

impl Watch {
    /// What the files that have changed held, stored now, and what they hold; `None` where nothing
    /// has changed. `told`: files that were not watched.
    pub fn end(
        self,
        told: Vec<(PathBuf, Was)>,
        call: &CallId,
        blobs: &Blobs,
    ) -> Option<(Checkpoint, Checkpoint)> {
        let watched: HashSet<PathBuf> = self.files.iter().map(|(path, _)| path.clone()).collect();
        let seen = self.files.into_iter().map(|(path, content)| (path, Some(content)));
        let told = told.into_iter().filter(|(path, _)| !watched.contains(path));
        let told = told.map(|(path, was)| {
            let content = content_of(was, &path);
            (path, content)
        });
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (path, content) in seen.chain(told) {
            let now = state_of(&path);
            // A new folder is none of the files.
            if matches!((&content, &now), (Some(None), FileState::Other { .. })) {
                continue;
            }
            let then = match content {
                Some(content) if state(content.as_ref()) == now => continue,
                Some(content) => store(content.as_ref(), blobs),
                None => FileState::Other { why: "nobody knows what it held before".to_owned() },
            };
            let path = path.to_string_lossy().into_owned();
            before.push(Kept { path: path.clone(), state: then });
            after.push(Kept { path, state: now });
        }
        let at = |when, files| Checkpoint { when, call: Some(call.clone()), turn: None, files };
        (!before.is_empty()).then(|| (at(When::Before, before), at(When::After, after)))
    }
}

/// `None`: not known. Of the permissions only the right to run is known, the rest is as it is now.
fn content_of(was: Was, path: &Path) -> Option<Option<Content>> {
    match was {
        Was::Absent => Some(None),
        Was::File { bytes, executable } => {
            let now = checkpoint::read(path).ok().flatten().and_then(|content| content.mode);
            let plain = now.unwrap_or(0o644) & !0o111;
            // Whoever may read it may run it.
            let mode = if executable { plain | (plain & 0o444) >> 2 } else { plain };
            Some(Some(Content { bytes, mode: Some(mode) }))
        }
        Was::Unknown => None,
    }
}

fn store(content: Option<&Content>, blobs: &Blobs) -> FileState {
    match content.map_or(Ok(String::new()), |content| blobs.put(&content.bytes)) {
        Ok(_) => state(content),
        Err(error) => FileState::Other { why: format!("it could not be stored: {error}") },
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
        let told = [("told", "was"), ("changed", "not asked")]
            .map(|(name, text)| (path(name), Was::File { bytes: text.into(), executable: false }));
        std::fs::write(path("told"), "is").unwrap();
        let (before, after) = watch.end(told.to_vec(), &CallId("c".into()), &blobs).unwrap();
        let contents = |checkpoint: &Checkpoint| -> Vec<(String, Option<String>)> {
            let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
            let content = |state: &FileState| match state {
                FileState::File { blob, .. } => Some(blob.clone()),
                _ => None,
            };
            checkpoint.files.iter().map(|kept| (name(&kept.path), content(&kept.state))).collect()
        };
        let want = |rows: [(&str, Option<&str>); 4]| {
            rows.map(|(name, text)| (name.to_owned(), text.map(|text| hash(text.as_bytes()))))
        };
        assert_eq!(
            contents(&before),
            want([
                ("changed", Some("old")),
                ("gone", Some("g")),
                ("made", None),
                ("told", Some("was"))
            ])
        );
        assert_eq!(
            contents(&after),
            want([
                ("changed", Some("new")),
                ("gone", None),
                ("made", Some("m")),
                ("told", Some("is"))
            ])
        );
        assert_eq!(std::fs::read_dir(blobs.dir()).unwrap().count(), 3);
        assert_eq!(begin([path("same")]).end(Vec::new(), &CallId("c".into()), &blobs), None);
    }
}
