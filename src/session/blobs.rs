//! Contents by hash: pastes, images, copies of files.
//!
//! A blob is complete and synced before [`Blobs::put`] returns its name, so that no record ever
//! names one that is not there.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::session::disk::{Disk, open_to_read};

/// Names tried for a file that is being written.
const TRIES: u32 = 100;

#[derive(Debug, Clone)]
pub struct Blobs {
    dir: PathBuf,
    disk: Disk,
}

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("`{0}` is not the name of a stored content")]
    BadName(String),
    #[error("the stored content {0} is missing")]
    Missing(String),
    #[error("the stored content {0} is damaged")]
    Damaged(String),
    #[error("the stored content {0} could not be read: {1}")]
    Unreadable(String, #[source] io::Error),
}

impl Blobs {
    pub fn new(dir: impl Into<PathBuf>, disk: Disk) -> Blobs {
        Blobs { dir: dir.into(), disk }
    }

    /// Stores `bytes` and returns their name: SHA-256 in hex.
    pub fn put(&self, bytes: &[u8]) -> io::Result<String> {
        let name = hash(bytes);
        let path = self.dir.join(&name);
        if holds(&path, bytes) {
            self.disk.touch(&path)?;
            return Ok(name);
        }
        self.disk.make_dir(&self.dir)?;
        let (temporary, file) = self.temporary(&name)?;
        let written = self
            .disk
            .write_all(&file, bytes)
            .and_then(|()| self.disk.sync(&file))
            .and_then(|()| self.disk.rename(&temporary, &path))
            .and_then(|()| self.disk.sync_dir(&self.dir));
        if let Err(error) = written {
            // The error that counts is the first one; what stays behind, `prune` takes.
            std::fs::remove_file(&temporary).ok();
            return Err(error);
        }
        Ok(name)
    }

    /// The content of that name, checked.
    pub fn get(&self, name: &str) -> Result<Vec<u8>, BlobError> {
        let path = self.path(name).ok_or_else(|| BlobError::BadName(name.to_owned()))?;
        let mut bytes = Vec::new();
        match open_to_read(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) if hash(&bytes) == name => Ok(bytes),
            Ok(_) => Err(BlobError::Damaged(name.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(BlobError::Missing(name.to_owned()))
            }
            Err(error) => Err(BlobError::Unreadable(name.to_owned(), error)),
        }
    }

    /// Where the content of that name stands; `None` for what cannot be a name.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        is_name(name).then(|| self.dir.join(name))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn temporary(&self, name: &str) -> io::Result<(PathBuf, std::fs::File)> {
        let process = std::process::id();
        for n in 0..TRIES {
            let path = self.dir.join(format!(".{name}.{process}-{n}"));
            match self.disk.create(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// SHA-256 in lower-case hex.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(half.into(), 16));
        }
        hex
    })
}

/// Whether `text` has the form of a blob's name.
pub fn is_name(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    path.metadata().is_ok_and(|meta| meta.len() == bytes.len() as u64)
        && std::fs::read(path).is_ok_and(|there| there == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::disk::{Fault, Op, Plan};

    #[test]
    fn what_was_put_comes_back_checked() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(dir.path().join("blobs"), Disk::default());
        let name = blobs.put(b"abc").unwrap();
        assert_eq!(name, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(blobs.put(b"abc").unwrap(), name);
        assert_eq!(blobs.get(&name).unwrap(), b"abc");
        std::fs::write(blobs.path(&name).unwrap(), b"abd").unwrap();
        assert!(matches!(blobs.get(&name), Err(BlobError::Damaged(_))));
        assert_eq!(blobs.put(b"abc").unwrap(), name, "a damaged content is written again");
        assert_eq!(blobs.get(&name).unwrap(), b"abc");
        assert!(matches!(blobs.get(&hash(b"x")), Err(BlobError::Missing(_))));
        assert!(matches!(blobs.get("../../etc/passwd"), Err(BlobError::BadName(_))));
    }

    #[test]
    fn a_failed_put_leaves_nothing_under_the_name() {
        for (op, fault) in [
            (Op::Write, Fault::Error(rustix::io::Errno::NOSPC.raw_os_error())),
            (Op::Sync, Fault::Error(rustix::io::Errno::IO.raw_os_error())),
            (Op::Rename, Fault::Error(rustix::io::Errno::IO.raw_os_error())),
            (Op::Open, Fault::Error(rustix::io::Errno::MFILE.raw_os_error())),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let plan = Plan { op: Some(op), from: 0, count: 1, fault };
            let blobs = Blobs::new(dir.path(), Disk::faulty(plan));
            blobs.put(b"abc").unwrap_err();
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{op:?}");
            let name = blobs.put(b"abc").unwrap();
            assert_eq!(blobs.get(&name).unwrap(), b"abc");
        }
    }

    #[test]
    fn short_writes_are_carried_on() {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan { op: Some(Op::Write), from: 0, count: 2, fault: Fault::Short(1) };
        let blobs = Blobs::new(dir.path(), Disk::faulty(plan));
        let name = blobs.put(b"abc").unwrap();
        assert_eq!(blobs.get(&name).unwrap(), b"abc");
    }
}
