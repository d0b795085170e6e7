//! Files as the tools meet them: looked at once, under the name that was approved, and written
//! whole or not at all.
//!
//! *Invariant:* a write goes to the very file that was looked at. The folder is held by its
//! descriptor from the look to the write, the last step follows no link, and what stood there is
//! compared once more when it has been taken out of the way.

mod found;
mod store;

use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

pub(super) use found::{Found, find};
pub(super) use store::store;

/// Bytes of a file that can be edited.
pub(super) const MOST: u64 = 32 * 1024 * 1024;

/// Why a file cannot be had. A sentence without its end, as a part of a longer one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0} is a directory")]
    Directory(String),
    #[error("{0} is {1}, not a file")]
    Special(String, &'static str),
    #[error("{0} is a link to {1}, which does not exist")]
    Dangling(String, String),
    #[error("{0} is {1} bytes; at most {MOST} can be edited")]
    TooLarge(String, u64),
    #[error("{0} goes up by .. through a link; name it without ..")]
    DotsThroughLink(String),
    #[error("{0} is the environment of a process, which may hold keys, and is not shown")]
    Environ(String),
    #[error("{0} is read-only")]
    ReadOnly(String),
    #[error("{0} changed while it was being written; nothing was written")]
    Changed(String),
    #[error("{0}: {1}")]
    Io(String, String),
}

impl Trouble {
    pub(super) fn io(path: &str, error: &std::io::Error) -> Trouble {
        use std::io::ErrorKind as Kind;
        let why = match error.kind() {
            Kind::NotFound => "no such file or directory".to_owned(),
            Kind::NotADirectory => "a folder in its path is a file".to_owned(),
            Kind::PermissionDenied => "permission denied".to_owned(),
            Kind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
            Kind::StorageFull => "no space left on the disk".to_owned(),
            Kind::InvalidFilename => "the name is too long or not allowed".to_owned(),
            _ => error.to_string(),
        };
        Trouble::Io(path.to_owned(), why)
    }
}

/// The path a model means: relative ones count from `cwd`, `.` and `..` are taken out by name.
///
/// Where a link makes `a/..` another folder than the name says, the path is refused: what was
/// checked by name and what would be opened must be one file.
pub(super) fn absolute(path: &str, cwd: &Path) -> Result<PathBuf, Trouble> {
    let mut out = PathBuf::new();
    let mut up = false;
    let given = cwd.join(path);
    for part in given.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                up = true;
                out.pop();
            }
            part => out.push(part),
        }
    }
    let real = |path: &Path| path.canonicalize().ok();
    if up && real(&given).is_some_and(|given| real(&out) != Some(given)) {
        return Err(Trouble::DotsThroughLink(path.to_owned()));
    }
    if path.contains('\0') {
        return Err(Trouble::Io(path.replace('\0', "\\0"), "a name cannot hold NUL".to_owned()));
    }
    Ok(out)
}

/// A path as people read it: relative to `cwd` where it lies inside.
pub(super) fn shown(path: &Path, cwd: &Path) -> String {
    match path.strip_prefix(cwd) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

/// The real path of the file that `input` names, as a write would find it: behind every link.
pub(super) fn target(input: &Value, cwd: &Path) -> Option<PathBuf> {
    let full = absolute(input.get("file_path")?.as_str()?, cwd).ok()?;
    find(&full, &shown(&full, cwd)).ok().map(|found| found.real)
}

/// The path in `input[key]` for a title; `unnamed` where there is none.
pub(super) fn object(input: &Value, key: &str, cwd: &Path, unnamed: &str) -> String {
    match input[key].as_str() {
        Some(path) => absolute(path, cwd).map_or_else(|_| path.to_owned(), |p| shown(&p, cwd)),
        None => unnamed.to_owned(),
    }
}

/// Whether a real path is the environment of a process: keys stand there, tern's own among them.
pub(super) fn is_environ(real: &Path) -> bool {
    real.starts_with("/proc") && real.file_name().is_some_and(|name| name == "environ")
}

/// SHA-256 in hex.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What a path is that is not a plain file; `None` for a plain file.
pub(super) fn kind(meta: &std::fs::Metadata) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = meta.file_type();
        for (is, name) in [
            (kind.is_fifo(), "a named pipe"),
            (kind.is_socket(), "a socket"),
            (kind.is_block_device(), "a device"),
            (kind.is_char_device(), "a device"),
        ] {
            if is {
                return Some(name);
            }
        }
    }
    if meta.is_dir() {
        return Some("a directory");
    }
    (!meta.is_file()).then_some("something else")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute_and_shown_short() {
        let cwd = Path::new("/p/q");
        for (path, whole, short) in [
            ("a/b", "/p/q/a/b", "a/b"),
            ("./a//b/../c", "/p/q/a/c", "a/c"),
            ("..", "/p", "/p"),
            ("/../../x", "/x", "/x"),
            ("/p/q", "/p/q", "."),
            ("/p/qq", "/p/qq", "/p/qq"),
        ] {
            let path = absolute(path, cwd).unwrap();
            assert_eq!((path.as_path(), shown(&path, cwd).as_str()), (Path::new(whole), short));
        }
    }

    #[cfg(unix)]
    #[test]
    fn dots_through_a_link_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("far/away")).unwrap();
        std::os::unix::fs::symlink("far/away", dir.path().join("link")).unwrap();
        std::fs::write(dir.path().join("far/x"), "").unwrap();
        assert!(absolute("link/../x", dir.path()).is_err());
        assert!(absolute("far/away/../x", dir.path()).is_ok());
    }
}
