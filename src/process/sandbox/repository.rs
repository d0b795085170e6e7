//! What in a git repository makes git run something, for a [`Policy`](super::Policy). Read from
//! files; git is not run.

use std::path::{Path, PathBuf};

/// Entries gone through in search of submodules.
const MOST: usize = 5000;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// What git itself writes to when it commits. Beside the project where that is a folder of a
    /// repository or a linked worktree.
    pub writable: Vec<PathBuf>,
    /// Hooks, settings, and a `.git` that points elsewhere.
    pub read_only: Vec<PathBuf>,
    /// Files that would redirect git as well, but are not there, and in whose place a folder would
    /// stop git from working.
    pub watched: Vec<PathBuf>,
}

/// The repository that `dir` is in, with that of a linked worktree and with submodules; where it is
/// in none, the one that it must not become.
pub fn repository(dir: &Path) -> Repository {
    let mut found = Repository::default();
    let root = dir.ancestors().find(|dir| holds_git(dir)).unwrap_or(dir);
    let dot = root.join(".git");
    let mut open = Vec::new();
    if dot.is_file() {
        if let Some(own) = points_to(&dot, "gitdir:", root) {
            open.extend(points_to(&own.join("commondir"), "", &own));
            open.push(own);
        }
        found.read_only.push(dot);
    } else {
        open.push(dot);
    }
    found.writable.extend(open.iter().filter(|folder| folder.is_dir()).cloned());
    let mut left = MOST;
    while let Some(folder) = open.pop() {
        open.extend(submodules(&folder.join("modules"), &mut left));
        found.add(&folder);
    }
    found
}

/// A placeholder, an empty folder of that name, makes no repository.
fn holds_git(dir: &Path) -> bool {
    let dot = dir.join(".git");
    dot.is_file() || dot.join("HEAD").exists()
}

impl Repository {
    fn add(&mut self, folder: &Path) {
        self.read_only.push(folder.join("hooks"));
        for name in ["config", "config.worktree", "commondir"] {
            let file = folder.join(name);
            // In an existing repository a folder in place of a missing file would stop git.
            let hold = file.symlink_metadata().is_ok() || !folder.exists();
            if hold { &mut self.read_only } else { &mut self.watched }.push(file);
        }
    }
}

/// The repositories right below `folder`; their names may have several parts.
fn submodules(folder: &Path, left: &mut usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return found;
            }
            let path = entry.path();
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if path.join("HEAD").exists() { &mut found } else { &mut open }.push(path);
        }
    }
    found
}

/// The path that a file of git's names, from `base`.
fn points_to(file: &Path, word: &str, base: &Path) -> Option<PathBuf> {
    // A pipe would never end, and a path is short.
    file.metadata().ok().filter(|facts| facts.is_file() && facts.len() < 64 * 1024)?;
    let text = std::fs::read_to_string(file).ok()?;
    let path = text.lines().next()?.strip_prefix(word)?.trim();
    (!path.is_empty()).then(|| base.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_linked_and_nested_repositories() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path();
        let put = |name: &str, text: &str| {
            std::fs::create_dir_all(top.join(name).parent().unwrap()).unwrap();
            std::fs::write(top.join(name), text).unwrap();
        };
        let paths = |names: &[&str]| names.iter().map(|name| top.join(name)).collect::<Vec<_>>();

        let names = ["hooks", "config", "config.worktree", "commondir"];
        let new = Repository {
            read_only: names.map(|name| top.join("new/.git").join(name)).to_vec(),
            ..Repository::default()
        };
        assert_eq!(repository(&top.join("new")), new);

        put("main/.git/HEAD", "");
        put("main/.git/config", "");
        put("main/.git/modules/a/b/HEAD", "");
        put("main/.git/modules/a/b/config", "");
        let main = Repository {
            writable: paths(&["main/.git"]),
            read_only: paths(&[
                "main/.git/hooks",
                "main/.git/config",
                "main/.git/modules/a/b/hooks",
                "main/.git/modules/a/b/config",
            ]),
            watched: paths(&[
                "main/.git/config.worktree",
                "main/.git/commondir",
                "main/.git/modules/a/b/config.worktree",
                "main/.git/modules/a/b/commondir",
            ]),
        };
        assert_eq!(repository(&top.join("main")), main);
        assert_eq!(repository(&top.join("main/src/deep")), main);

        put("tree/.git", "gitdir: ../main/.git/worktrees/tree\n");
        put("main/.git/worktrees/tree/commondir", "../..\n");
        let linked = repository(&top.join("tree"));
        assert_eq!(linked.read_only[0], top.join("tree/.git"));
        let own = top.join("tree/../main/.git/worktrees/tree");
        assert!(linked.read_only.contains(&own.join("../../hooks")));
        assert!(linked.read_only.contains(&own.join("commondir")));
        assert_eq!(linked.writable, [own.join("../.."), own]);
    }
}
