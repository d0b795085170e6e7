//! Finding and reading the Markdown files of a folder, with limits: a folder may be a trap.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of one file.
const LARGEST: u64 = 256 * 1024;
const MOST_FILES: usize = 500;
const DEEPEST: usize = 5;

/// Every `.md` below `folder`, in order of names. No folder is an empty one.
pub fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, 0, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if depth > DEEPEST {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if found.len() >= MOST_FILES {
            return;
        }
        let path = entry.path();
        let Ok(facts) = std::fs::metadata(&path) else { continue };
        if facts.is_dir() {
            collect(&path, depth + 1, found);
        } else if facts.is_file() && path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
}

/// The folders right below `folder`, in order of names.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).take(MOST_FILES).collect();
    found.sort();
    found
}

/// The text of a file. The error is a sentence without its subject.
pub fn text(path: &Path) -> Result<String, String> {
    let unreadable = |why: std::io::Error| format!("cannot be read: {why}");
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("is larger than {} KiB", LARGEST / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

/// A name that can be typed and told from a path.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
        && !name.starts_with(['.', ':'])
}
