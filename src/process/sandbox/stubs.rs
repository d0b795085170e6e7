//! Placeholders: empty folders where a protected path is missing, so that there is something to
//! mount the protection on. Without one a command could make the missing file, `.tern/config.toml`
//! say, and have it read later.
//!
//! A folder, not a file, because removing a folder fails when something has been put into it.
//! Its mode (1700, which nobody gives a folder of their own) tells it apart, so that one left by a
//! killed session goes with the next. A shared lock on it says that a session needs it; who can
//! get the exclusive lock is the last.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, OFlags, flock};

const MODE: u32 = 0o1700;

/// The placeholders of a session, by path. Dropping it removes those that no other session needs.
#[derive(Debug, Default)]
pub(super) struct Stubs {
    held: Mutex<BTreeMap<PathBuf, File>>,
}

impl Stubs {
    /// Makes sure that something is at `path`, whose folder is there, and that it stays as long as
    /// this value. `false`: nothing is there, and nobody like this person can make anything.
    pub(super) fn hold(&self, path: &Path) -> Result<bool> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = held.get(path)
            && same(path, file)
        {
            return Ok(true);
        }
        match place(path) {
            Ok(Some(file)) => drop(held.insert(path.to_owned(), file)),
            Ok(None) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (path, file) in std::mem::take(held) {
            let last = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if last && same(&path, &file) && std::fs::remove_dir(&path).is_err() {
                // Something was put into it: now it is an ordinary folder.
                let _ = file.set_permissions(Permissions::from_mode(0o755));
            }
        }
    }
}

/// Whether `path` is a placeholder, of whatever session.
pub(super) fn is_stub(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|facts| looks_like_stub(&facts))
}

fn looks_like_stub(facts: &Metadata) -> bool {
    facts.is_dir() && facts.mode() & 0o7777 == MODE
}

fn same(path: &Path, file: &File) -> bool {
    match (path.symlink_metadata(), file.metadata()) {
        (Ok(there), Ok(held)) => (there.dev(), there.ino()) == (held.dev(), held.ino()),
        _ => false,
    }
}

/// A placeholder at `path`, locked; `None`: something of the person's own is there.
fn place(path: &Path) -> Result<Option<File>> {
    // Another session may remove what was just found, or make what was just missing.
    for _ in 0..50 {
        match DirBuilder::new().mode(MODE).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
        let open = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
        let Ok(file) = open else {
            match path.symlink_metadata() {
                Ok(_) => return Ok(None),
                Err(_) => continue,
            }
        };
        if !looks_like_stub(&file.metadata()?) {
            return Ok(None);
        }
        let locked = flock(&file, FlockOperation::NonBlockingLockShared).is_ok();
        if locked && same(path, &file) {
            return Ok(Some(file));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Err(Error::new(ErrorKind::ResourceBusy, "another session keeps changing it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_lives_as_long_as_the_last_session() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".tern");
        let (one, other) = (Stubs::default(), Stubs::default());
        assert!(one.hold(&path).unwrap() && one.hold(&path).unwrap());
        assert!(other.hold(&path).unwrap() && is_stub(&path));
        drop(one);
        assert!(is_stub(&path));
        // Somebody cleans up: the next command makes it again.
        std::fs::remove_dir(&path).unwrap();
        assert!(other.hold(&path).unwrap() && is_stub(&path));
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn one_left_by_a_killed_session_goes_with_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".tern");
        DirBuilder::new().mode(MODE).create(&path).unwrap();
        let stubs = Stubs::default();
        assert!(stubs.hold(&path).unwrap());
        drop(stubs);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_person_put_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let [used, own, file] = ["used", "own", "file"].map(|name| dir.path().join(name));
        std::fs::create_dir(&own).unwrap();
        std::fs::write(&file, "x").unwrap();
        let stubs = Stubs::default();
        for path in [&used, &own, &file] {
            assert!(stubs.hold(path).unwrap());
        }
        std::fs::write(used.join("config.toml"), "").unwrap();
        drop(stubs);
        assert!(used.join("config.toml").exists() && own.exists() && file.exists());
        assert!(!is_stub(&used));
    }

    #[test]
    fn many_sessions_at_once_leave_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".tern");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let stubs = Stubs::default();
                        assert!(stubs.hold(&path).unwrap());
                        assert!(is_stub(&path));
                    }
                });
            }
        });
        assert!(!path.exists());
    }
}
