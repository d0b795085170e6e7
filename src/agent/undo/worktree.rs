//! Which files of a work tree a command has changed: git is asked before and after it.
//!
//! Best effort. What git ignores goes unnoticed, and so does what a command changed and committed in
//! one go: that is git's to take back.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::context::git::{Git, TooSlow};
use crate::session::watch::Was;

/// A command does not wait longer than this for git, before it and after it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Files that are looked at one by one.
const MOST: usize = 200;
/// Bytes of one of them.
const LARGEST: u64 = 1 << 20;

/// A work tree as it was at one moment.
#[derive(Debug)]
pub struct Worktree {
    git: Git,
    root: PathBuf,
    /// The commit that it stands on.
    head: String,
    /// Changed or untracked, absolute.
    dirty: BTreeSet<PathBuf>,
    at: SystemTime,
}

/// `None`: this is no work tree with a commit, or there is no git. `now`: the time of the look.
pub async fn look(cwd: &Path, now: SystemTime) -> Result<Option<Worktree>, TooSlow> {
    tokio::time::timeout(PATIENCE, see(cwd, now)).await.map_err(|_| TooSlow)
}

async fn see(cwd: &Path, at: SystemTime) -> Option<Worktree> {
    let git = Git::at(cwd).await?;
    let told = git.output(&["rev-parse", "--show-toplevel", "HEAD"], LARGEST).await?;
    let told = String::from_utf8(told).ok()?;
    let (root, head) = told.trim_end_matches('\n').rsplit_once('\n')?;
    let (root, head) = (PathBuf::from(root), head.to_owned());
    let dirty = dirty(&git, &root).await?;
    Some(Worktree { git, root, head, dirty, at })
}

async fn dirty(git: &Git, root: &Path) -> Option<BTreeSet<PathBuf>> {
    let args = [
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "--ignore-submodules=all",
        "--untracked-files=all",
    ];
    let told = git.output(&args, LARGEST).await?;
    let entries = told.split(|byte| *byte == 0).filter_map(|entry| entry.get(3..));
    let path = |name: &[u8]| root.join(std::ffi::OsStr::from_bytes(name));
    Some(entries.filter(|name| !name.is_empty()).map(path).collect())
}

impl Worktree {
    /// Files that held something else than what is committed, or were new.
    pub fn dirty(&self) -> impl Iterator<Item = &Path> {
        self.dirty.iter().map(PathBuf::as_path)
    }

    /// Files that have become so since, with what they held then.
    pub async fn since(&self) -> Result<Vec<(PathBuf, Was)>, TooSlow> {
        let fresh = async {
            let now = dirty(&self.git, &self.root).await.unwrap_or_default();
            let mut fresh = Vec::new();
            for path in now.difference(&self.dirty).take(MOST) {
                fresh.push((path.clone(), self.was(path).await));
            }
            fresh
        };
        tokio::time::timeout(2 * PATIENCE, fresh).await.map_err(|_| TooSlow)
    }

    async fn was(&self, path: &Path) -> Was {
        let name = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
        let Some(name) = name else { return Was::Unknown };
        let listed = self
            .git
            .output(&["ls-tree", "--full-tree", "-z", &self.head, "--", name], LARGEST)
            .await;
        let mode = match listed.as_deref() {
            Some([]) => return self.was_new(path),
            Some(listed) => listed.split(|byte| *byte == b' ').next().unwrap_or_default().to_vec(),
            None => return Was::Unknown,
        };
        let executable = match mode.as_slice() {
            b"100644" => false,
            b"100755" => true,
            // A link, or a repository of its own.
            _ => return Was::Unknown,
        };
        let object = format!("{}:{name}", self.head);
        match self.git.output(&["cat-file", "--filters", &object], LARGEST).await {
            Some(bytes) if (bytes.len() as u64) < LARGEST => Was::File { bytes, executable },
            Some(_) | None => Was::Unknown,
        }
    }

    /// A file that git did not name before was not there, or was ignored until now.
    fn was_new(&self, path: &Path) -> Was {
        let made = path.symlink_metadata().and_then(|meta| meta.created());
        match made {
            // File systems count time in coarser steps than the clock.
            Ok(made) if made + Duration::from_millis(20) >= self.at => Was::Absent,
            Ok(_) | Err(_) => Was::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::git::tests::{repository, run};

    #[tokio::test]
    async fn what_has_become_dirty_is_told_with_what_it_held() {
        let Some(dir) = repository() else { return };
        let dir = dir.path().canonicalize().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        put(".gitignore", "ignored\n");
        put("same", "s");
        put("odd [name]*", "committed");
        put("gone", "g");
        put("dirty", "d");
        put("ignored", "old");
        run(&dir, &["add", "."]);
        run(&dir, &["commit", "-q", "-m", "all"]);
        put("dirty", "changed before");
        std::thread::sleep(Duration::from_millis(50));
        let before = look(&dir, SystemTime::now()).await.unwrap().unwrap();
        assert_eq!(before.dirty().collect::<Vec<_>>(), [dir.join("dirty")]);
        put("odd [name]*", "other");
        std::fs::remove_file(dir.join("gone")).unwrap();
        put("new", "n");
        // Seen now, though it was there before.
        put(".gitignore", "");
        let committed = |text: &str| Was::File { bytes: text.into(), executable: false };
        let since = before.since().await.unwrap();
        let told: Vec<(String, Was)> = since
            .into_iter()
            .map(|(path, was)| (path.file_name().unwrap().to_string_lossy().into_owned(), was))
            .collect();
        assert_eq!(
            told,
            [
                (".gitignore".to_owned(), committed("ignored\n")),
                ("gone".to_owned(), committed("g")),
                ("ignored".to_owned(), Was::Unknown),
                ("new".to_owned(), Was::Absent),
                ("odd [name]*".to_owned(), committed("committed")),
            ]
        );
    }

    #[tokio::test]
    async fn outside_of_a_repository_nothing_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(look(dir.path(), SystemTime::now()).await.unwrap().is_none());
    }
}
