//! Files that cannot be protected, compared before and after.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// Entries looked at; hooks and settings are far fewer.
const MOST: usize = 4096;

/// How some paths were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watch {
    before: Vec<(PathBuf, Found)>,
}

/// A path and, where it is a folder, everything below; empty: nothing was there.
type Found = BTreeMap<PathBuf, Mark>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    is_dir: bool,
    size: u64,
    /// Device, inode, mode, and the time of the last change, which a program cannot set.
    state: [i64; 5],
}

impl Watch {
    pub fn new(paths: &[PathBuf]) -> Watch {
        let look = |path: &PathBuf| (path.clone(), look(path));
        Watch { before: paths.iter().map(look).collect() }
    }

    /// Those that are no longer as they were, in order.
    pub fn touched(&self) -> Vec<PathBuf> {
        let changed = self.before.iter().filter(|(path, before)| look(path) != *before);
        changed.map(|(path, _)| path.clone()).collect()
    }
}

fn look(path: &Path) -> Found {
    let mut found = Found::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(facts) = path.symlink_metadata() else { continue };
        if facts.is_dir() {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            open.extend(entries.map(|entry| entry.path()).take(MOST.saturating_sub(open.len())));
        }
        found.insert(path, mark(&facts));
        if found.len() >= MOST {
            break;
        }
    }
    found
}

#[cfg(unix)]
fn mark(facts: &Metadata) -> Mark {
    use std::os::unix::fs::MetadataExt;
    let (dev, ino) = (facts.dev().cast_signed(), facts.ino().cast_signed());
    let state = [dev, ino, i64::from(facts.mode()), facts.ctime(), facts.ctime_nsec()];
    Mark { is_dir: facts.is_dir(), size: facts.len(), state }
}

#[cfg(not(unix))]
fn mark(facts: &Metadata) -> Mark {
    let time = facts.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    let time = time.map_or(0, |t| i64::try_from(t.as_nanos()).unwrap_or(i64::MAX));
    Mark { is_dir: facts.is_dir(), size: facts.len(), state: [time, 0, 0, 0, 0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_shows() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let reset = || {
            let _ = std::fs::remove_dir_all(path("hooks"));
            let _ = std::fs::remove_dir_all(path("absent"));
            std::fs::create_dir(path("hooks")).unwrap();
            std::fs::write(path("hooks/pre-commit"), "a").unwrap();
            std::fs::write(path("config"), "a").unwrap();
        };
        type Change = fn(&dyn Fn(&str) -> PathBuf);
        let changes: [(&str, Change); 6] = [
            ("", |_| ()),
            ("hooks", |path| std::fs::write(path("hooks/pre-commit"), "b").unwrap()),
            ("hooks", |path| std::fs::write(path("hooks/other"), "").unwrap()),
            ("config", |path| std::fs::remove_file(path("config")).unwrap()),
            ("absent", |path| std::fs::create_dir(path("absent")).unwrap()),
            ("config", |path| {
                let times = std::fs::metadata(path("config")).unwrap().modified().unwrap();
                let file = std::fs::File::create(path("config")).unwrap();
                std::io::Write::write_all(&mut &file, b"b").unwrap();
                file.set_modified(times).unwrap();
            }),
        ];
        for (number, (expected, change)) in changes.into_iter().enumerate() {
            reset();
            let watch = Watch::new(&["hooks", "config", "absent"].map(path));
            // The clock of the file system may be coarse.
            std::thread::sleep(std::time::Duration::from_millis(10));
            change(&path);
            let expected: Vec<PathBuf> =
                Some(expected).filter(|name| !name.is_empty()).map(path).into_iter().collect();
            assert_eq!(watch.touched(), expected, "change {number}");
        }
    }
}
