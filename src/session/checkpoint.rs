//! What files held before tern changed them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::protocol::{CallId, MessageId};
use crate::session::blobs::{Blobs, hash};

/// Bytes of the largest file that is kept.
const LARGEST: u64 = 64 << 20;

/// Files as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub when: When,
    /// The call that changes them; `None` for a step back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The message that began the turn of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<MessageId>,
    pub files: Vec<Kept>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Their contents are in the blob store.
    Before,
    /// What tern left; only the hashes are certain.
    After,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Absolute.
    pub path: String,
    pub state: FileState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum FileState {
    Absent,
    File {
        /// SHA-256, hex.
        blob: String,
        bytes: u64,
        /// Permission bits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
    /// Not kept: not a plain file, too large, or not readable.
    Other {
        why: String,
    },
}

/// The state of these files now, their contents stored: to be logged before they change. A file
/// that cannot be kept is in the list with the reason.
pub fn before<'a>(
    call: Option<CallId>,
    paths: impl IntoIterator<Item = &'a Path>,
    blobs: &Blobs,
) -> Checkpoint {
    let files = paths.into_iter().map(|path| keep(path, Some(blobs))).collect();
    Checkpoint { when: When::Before, call, turn: None, files }
}

/// The state of these files now, by hash alone: to be logged after tern changed them, so that a
/// later change by someone else shows.
pub fn after<'a>(call: Option<CallId>, paths: impl IntoIterator<Item = &'a Path>) -> Checkpoint {
    let files = paths.into_iter().map(|path| keep(path, None)).collect();
    Checkpoint { when: When::After, call, turn: None, files }
}

fn keep(path: &Path, blobs: Option<&Blobs>) -> Kept {
    let state = match read(path) {
        Ok(Some(Content { bytes, mode })) => {
            let stored = blobs.map_or_else(|| Ok(hash(&bytes)), |blobs| blobs.put(&bytes));
            match stored {
                Ok(blob) => FileState::File { blob, bytes: bytes.len() as u64, mode },
                Err(error) => FileState::Other { why: format!("it could not be stored: {error}") },
            }
        }
        Ok(None) => FileState::Absent,
        Err(why) => FileState::Other { why },
    };
    Kept { path: path.to_string_lossy().into_owned(), state }
}

/// The state now, by hash.
pub(crate) fn state_of(path: &Path) -> FileState {
    keep(path, None).state
}

/// A file's content, and its permission bits where the system has them.
#[derive(Debug)]
pub(crate) struct Content {
    pub bytes: Vec<u8>,
    pub mode: Option<u32>,
}

/// What stands there; `None` where there is nothing. The error says why it cannot be kept.
pub(crate) fn read(path: &Path) -> Result<Option<Content>, String> {
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if path.to_str().is_none() {
        return Err("its name is not UTF-8".to_owned());
    }
    if !meta.is_file() {
        return Err("it is not a plain file".to_owned());
    }
    if meta.len() > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    Ok(Some(Content { bytes, mode: mode_of(&meta) }))
}

#[cfg(unix)]
fn mode_of(meta: &std::fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(_: &std::fs::Metadata) -> Option<u32> {
    None
}
