//! Everything that outlives the program: the append-only log of a session, the contents it names
//! by hash, and what is derived from them (the list, the search, exports).
//!
//! A log is a file of JSON lines that form a tree by `parent`. [`log`] only appends, [`read`] only
//! reads; nothing rewrites a line. Whatever stands outside the logs and the blobs can be rebuilt.
//!
//! Not for: deciding when to write or what to tell the person (`agent`), money over all sessions
//! (`cost::ledger`). Nothing here reads the clock or the environment.

pub mod blobs;
pub mod checkpoint;
mod damage;
pub mod disk;
pub mod ending;
pub mod export;
pub mod fork;
pub mod import;
pub mod index;
mod lines;
pub mod log;
pub mod prune;
pub mod read;
pub mod record;
pub mod redact;
pub mod replay;
pub mod restore;
mod seal;
mod shelve;
pub mod slug;
pub mod steps;
pub mod watch;
pub mod window;
mod writer;

use std::path::{Path, PathBuf};

use crate::protocol::SessionId;

/// Where sessions stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// One folder a project, one log a session.
    pub sessions: PathBuf,
    /// Contents by hash.
    pub blobs: PathBuf,
    /// What can be rebuilt from the two.
    pub index: PathBuf,
}

impl Places {
    /// `data` and `cache` are the program's own folders.
    pub fn new(data: &Path, cache: &Path) -> Places {
        Places {
            sessions: data.join("sessions"),
            blobs: data.join("blobs"),
            index: cache.join("sessions"),
        }
    }

    /// Where installed plugins lie, beside the sessions.
    pub fn plugins(&self) -> PathBuf {
        self.sessions.with_file_name("plugins")
    }

    /// The log of a new session of the project at `cwd`.
    pub fn log(&self, cwd: &Path, session: &SessionId) -> PathBuf {
        self.project(cwd).join(format!("{}.jsonl", session.0))
    }

    /// The log of an existing session, whichever project it belongs to.
    pub fn find(&self, session: &SessionId) -> Option<PathBuf> {
        let name = format!("{}.jsonl", session.0);
        // An id is a file's name, never a path.
        if session.0.is_empty() || session.0.contains(['/', '\\']) {
            return None;
        }
        let projects = std::fs::read_dir(&self.sessions).ok()?;
        projects.flatten().map(|project| project.path().join(&name)).find(|log| log.is_file())
    }

    /// The folder of all logs of the project at `cwd`.
    pub fn project(&self, cwd: &Path) -> PathBuf {
        self.sessions.join(slug::of(cwd))
    }
}
