//! The paths of a policy as the file system has them now.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::process::sandbox::Policy;

/// Real paths: no links, no `..`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    pub writable: BTreeSet<PathBuf>,
    /// Protected and there.
    pub read_only: BTreeSet<PathBuf>,
    /// The first missing part of what is protected and not there.
    pub absent: BTreeSet<PathBuf>,
    /// Folders between a writable one and something protected. Moving one away would let another
    /// be made in its place, so they must stay where they are.
    pub pinned: BTreeSet<PathBuf>,
    pub hidden: BTreeSet<PathBuf>,
    /// On the way to something protected: they can be replaced whatever becomes of their target.
    pub links: Vec<PathBuf>,
}

impl Layout {
    pub(super) fn of(policy: &Policy) -> Layout {
        let real = |paths: &[PathBuf]| paths.iter().filter_map(|p| p.canonicalize().ok()).collect();
        let mut layout = Layout {
            writable: real(&policy.writable),
            hidden: real(&policy.hidden),
            ..Layout::default()
        };
        let mut between = Vec::new();
        let mut links = Vec::new();
        let mut lost = Vec::new();
        for path in &policy.read_only {
            let walk = walk(path);
            match walk.end {
                End::There(real) => drop(layout.read_only.insert(real)),
                End::Missing(first) => drop(layout.absent.insert(first)),
                End::Lost => lost.push(path.clone()),
            }
            between.extend(walk.folders);
            links.extend(walk.links);
        }
        let changeable = |path: &Path| path.parent().is_some_and(|dir| layout.is_writable(dir));
        let absent = layout.absent.iter().filter(|path| changeable(path)).cloned().collect();
        let pinned = between
            .into_iter()
            .filter(|dir| !layout.writable.contains(dir) && layout.is_writable(dir))
            .collect();
        let links = links.into_iter().filter(|link| changeable(link)).chain(lost).collect();
        // One that lies outside what is writable, or under another, is protected already.
        let read_only =
            layout.read_only.iter().filter(|path| layout.matters(path)).cloned().collect();
        Layout { absent, pinned, read_only, links, ..layout }
    }

    /// What is protected in vain, by a sandbox that can or cannot hold paths inside writable folders.
    pub(super) fn gaps(&self, read_only_inside: bool) -> Vec<PathBuf> {
        let inside = self.read_only.iter().chain(&self.absent);
        let inside = inside.filter(|_| !read_only_inside);
        let gaps: BTreeSet<&PathBuf> = self.links.iter().chain(inside).collect();
        gaps.into_iter().cloned().collect()
    }

    /// Whether what lies at `path` may be changed: the nearest entry above it or at it decides.
    pub(super) fn is_writable(&self, path: &Path) -> bool {
        path.ancestors()
            .find_map(|path| match (self.read_only.contains(path), self.writable.contains(path)) {
                (true, _) => Some(false),
                (false, true) => Some(true),
                (false, false) => None,
            })
            .unwrap_or(false)
    }

    fn matters(&self, path: &Path) -> bool {
        self.writable.contains(path) || path.parent().is_some_and(|dir| self.is_writable(dir))
    }
}

enum End {
    There(PathBuf),
    Missing(PathBuf),
    /// A link to nowhere, or a path that is not absolute.
    Lost,
}

struct Walk {
    end: End,
    /// Real folders on the way.
    folders: Vec<PathBuf>,
    /// Links on the way, by the real path of the folder they stand in.
    links: Vec<PathBuf>,
}

fn walk(path: &Path) -> Walk {
    let mut walk = Walk { end: End::Lost, folders: Vec::new(), links: Vec::new() };
    if !path.is_absolute() {
        return walk;
    }
    let mut at = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(at.pop()),
            Component::CurDir => {}
            Component::Normal(name) => {
                if at.parent().is_some() {
                    walk.folders.push(at.clone());
                }
                at.push(name);
            }
            Component::RootDir | Component::Prefix(_) => at.push(part),
        }
        match at.symlink_metadata() {
            Ok(facts) if facts.is_symlink() => {
                walk.links.push(at.clone());
                let Ok(real) = at.canonicalize() else { return walk };
                at = real;
            }
            Ok(facts) if facts.is_dir() => {}
            // What follows, if anything, cannot be while this is a file.
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                walk.end = End::Missing(at);
                return walk;
            }
            // Out of this person's reach, and so out of the command's.
            Err(_) => break,
        }
    }
    walk.end = End::There(at);
    walk
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn set(top: &Path, names: &[&str]) -> BTreeSet<PathBuf> {
        names.iter().map(|name| top.join(name)).collect()
    }

    #[test]
    fn paths_are_found_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("p/.git/hooks")).unwrap();
        std::fs::create_dir_all(top.join("p/ro/in/deep")).unwrap();
        std::fs::create_dir_all(top.join("other/x")).unwrap();
        std::fs::write(top.join("p/file"), "").unwrap();
        std::os::unix::fs::symlink(top.join("p"), top.join("link")).unwrap();
        std::os::unix::fs::symlink("../other", top.join("p/away")).unwrap();
        std::os::unix::fs::symlink("nowhere", top.join("p/dangling")).unwrap();
        let paths = |names: &[&str]| names.iter().map(|name| top.join(name)).collect::<Vec<_>>();
        let layout = Layout::of(&Policy {
            writable: paths(&["link", "missing", "p/ro/in/deep"]),
            read_only: paths(&[
                "link/.git/hooks",
                "p/.git/config",
                "p/.tern/deep/er",
                "p/file/below",
                "p/ro",
                "p/ro/in/other",
                "p/ro/in/deep/sub/x",
                "p/away/x",
                "p/dangling",
                "other/y",
            ]),
            hidden: paths(&["link/file", "gone"]),
            ..Policy::default()
        });
        let expected = Layout {
            writable: set(&top, &["p", "p/ro/in/deep"]),
            read_only: set(&top, &["p/.git/hooks", "p/file", "p/ro"]),
            absent: set(&top, &["p/.git/config", "p/.tern", "p/ro/in/deep/sub"]),
            pinned: set(&top, &["p/.git"]),
            hidden: set(&top, &["p/file"]),
            links: paths(&["p/away", "p/dangling", "p/dangling"]),
        };
        assert_eq!(layout, expected);
        assert_eq!(layout.gaps(true), paths(&["p/away", "p/dangling"]));
        assert_eq!(layout.gaps(false).len(), 8);
    }

    #[test]
    fn protection_wins_where_both_are_said() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let layout = Layout::of(&Policy {
            writable: vec![top.clone()],
            read_only: vec![top.clone(), top.join("a/b")],
            ..Policy::default()
        });
        assert!(!layout.is_writable(&top.join("x")));
        assert_eq!(layout.read_only, BTreeSet::from([top]));
        assert_eq!(layout.absent, BTreeSet::new());
    }
}
