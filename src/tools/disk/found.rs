//! A file as it was found: its real place, its bytes, and a mark of both.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::tools::disk::{MOST, Trouble, hash, hex, kind};

/// A path that is a file, or where a file can be made.
#[derive(Debug)]
pub(in crate::tools) struct Found {
    /// Without links.
    pub real: PathBuf,
    /// As the model named it, for messages.
    pub shown: String,
    /// The name is a link; `real` is what it points to.
    pub by_link: bool,
    /// `None`: there is no file.
    pub old: Option<Old>,
    /// What must be the same when it is written: the place, and the bytes or their absence.
    pub mark: String,
    pub(super) dir: Dir,
    pub(super) name: OsString,
}

#[derive(Debug)]
pub(in crate::tools) struct Old {
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub hash: String,
    pub(super) file: File,
}

/// The folder that the file is in, held open; or, for folders that are not there yet, the nearest
/// one that is and the names to make below it.
#[derive(Debug)]
pub(super) struct Dir {
    #[cfg(unix)]
    pub held: File,
    #[cfg(not(unix))]
    pub path: PathBuf,
    pub missing: Vec<OsString>,
}

/// Looks at `path`, which is absolute. Follows links once, here.
pub(in crate::tools) fn find(path: &Path, shown: &str) -> Result<Found, Trouble> {
    let io = |e: std::io::Error| Trouble::io(shown, &e);
    let (base, missing, name) = place(path, shown)?;
    let real = missing.iter().fold(base.clone(), |dir, part| dir.join(part)).join(&name);
    let dir = hold(&base, missing, shown)?;
    let old = if dir.missing.is_empty() { open(&dir, &name).map_err(io)? } else { None };
    let old = match old {
        None => None,
        Some(file) => Some(read(file, shown)?),
    };
    let mut mark = Sha256::new();
    mark.update(real.as_os_str().as_encoded_bytes());
    match &old {
        Some(old) => {
            mark.update(b"\0file\0");
            mark.update(&old.bytes);
        }
        None => mark.update(b"\0none\0"),
    }
    let mark = hex(&mark.finalize());
    let by_link = path.is_symlink();
    Ok(Found { real, shown: shown.to_owned(), by_link, old, mark, dir, name })
}

/// The real folder, the names below it that are missing, and the file's own name.
fn place(path: &Path, shown: &str) -> Result<(PathBuf, Vec<OsString>, OsString), Trouble> {
    let io = |e: std::io::Error| Trouble::io(shown, &e);
    let split = |path: PathBuf| match (path.parent(), path.file_name()) {
        (Some(dir), Some(name)) => Ok((dir.to_owned(), name.to_owned())),
        _ => Err(Trouble::Directory(shown.to_owned())),
    };
    match path.canonicalize() {
        Ok(real) => {
            let (dir, name) = split(real)?;
            return Ok((dir, Vec::new(), name));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(io(e)),
    }
    if let Ok(target) = path.read_link() {
        return Err(Trouble::Dangling(shown.to_owned(), target.display().to_string()));
    }
    let (dir, name) = split(path.to_owned())?;
    let mut missing = Vec::new();
    let mut at = dir;
    loop {
        match at.canonicalize() {
            Ok(real) if real.is_dir() => {
                missing.reverse();
                return Ok((real, missing, name));
            }
            Ok(real) => {
                return Err(Trouble::Special(real.display().to_string(), "no directory"));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && at.read_link().is_err() => {
                let (dir, part) = split(at)?;
                missing.push(part);
                at = dir;
            }
            Err(e) => return Err(io(e)),
        }
    }
}

#[cfg(unix)]
fn hold(path: &Path, missing: Vec<OsString>, shown: &str) -> Result<Dir, Trouble> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::open(path, flags, Mode::empty())
        .map(File::from)
        .map_err(|e| Trouble::io(shown, &e.into()))?;
    // A folder on the way may have been swapped for a link between the two steps; Linux tells
    // what was really opened.
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let really = std::fs::read_link(format!("/proc/self/fd/{}", held.as_raw_fd()));
        if really.is_ok_and(|really| really != path) {
            return Err(Trouble::Changed(shown.to_owned()));
        }
    }
    Ok(Dir { held, missing })
}

#[cfg(unix)]
fn open(dir: &Dir, name: &OsString) -> std::io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    // Not blocking: opening a named pipe would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::openat(&dir.held, name, flags, Mode::empty()) {
        Ok(file) => Ok(Some(File::from(file))),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        // A socket cannot be opened at all.
        Err(rustix::io::Errno::NXIO) => Err(std::io::Error::other("it is not a file")),
        Err(e) => Err(e.into()),
    }
}

#[cfg(not(unix))]
fn hold(path: &Path, missing: Vec<OsString>, _shown: &str) -> Result<Dir, Trouble> {
    Ok(Dir { path: path.to_owned(), missing })
}

#[cfg(not(unix))]
fn open(dir: &Dir, name: &OsString) -> std::io::Result<Option<File>> {
    match File::open(dir.path.join(name)) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn read(file: File, shown: &str) -> Result<Old, Trouble> {
    let io = |e: std::io::Error| Trouble::io(shown, &e);
    let meta = file.metadata().map_err(io)?;
    match kind(&meta) {
        Some("a directory") => return Err(Trouble::Directory(shown.to_owned())),
        Some(what) => return Err(Trouble::Special(shown.to_owned(), what)),
        None if meta.len() > MOST => return Err(Trouble::TooLarge(shown.to_owned(), meta.len())),
        None => {}
    }
    let mut bytes = Vec::new();
    (&file).take(MOST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MOST {
        return Err(Trouble::TooLarge(shown.to_owned(), bytes.len() as u64));
    }
    Ok(Old { hash: hash(&bytes), bytes, file })
}
