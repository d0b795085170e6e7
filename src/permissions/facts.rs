//! What the file system says about the paths of a call: links, special files, repositories.
//!
//! Looked up before the decision, so that the decision is pure. No process is started and nothing is
//! opened that could block: only names, links and plain configuration files are read.

mod tree;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::Policy;

use super::access::{Access, Wants};
use super::git::{self, Repository};
use super::glob::{self, Expansion};
use super::path::tidy;
use super::programs::{Below, PathUse};
pub use tree::{Stopped, Tree};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Directories of the workspace, as named and with links resolved.
    pub workspace: Vec<PathBuf>,
    paths: BTreeMap<PathBuf, PathFact>,
    globs: BTreeMap<(PathBuf, String), Expansion>,
    trees: BTreeMap<(PathBuf, Below), Tree>,
    repositories: BTreeMap<PathBuf, Repository>,
    /// What a hook said of the call.
    pub hook: Option<HookRuling>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookRuling {
    Allow,
    Ask { because: String },
    Deny { because: String },
}

/// A path, followed to where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFact {
    /// The path as text says, the target of each link on the way, and where it ends; absolute, tidy.
    pub steps: Vec<PathBuf>,
    pub kind: Kind,
    /// Names that the file has.
    pub links: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Missing,
    File,
    Folder,
    /// A device, a pipe or a socket.
    Special,
    /// Too many links, or not allowed to look.
    Unclear,
}

const MOST_LINKS: usize = 40;

pub fn gather(access: &Access, policy: &Policy) -> Facts {
    let mut facts = Facts::default();
    for folder in std::iter::once(&policy.cwd).chain(&policy.additional) {
        let resolved = resolve(folder);
        facts.workspace.push(tidy(folder));
        facts.workspace.extend(resolved.steps.last().cloned());
    }
    facts.workspace.dedup();
    match &access.wants {
        Wants::Paths(paths) => {
            for path in &paths.paths {
                facts.look(path);
                facts.look_below(path, paths.below, policy);
            }
        }
        Wants::Shell(shell) => {
            for step in &shell.steps {
                let here = std::slice::from_ref(&policy.cwd);
                let places = step.part.places.as_deref().unwrap_or(here);
                for place in places {
                    let uses = step.uses();
                    let used = uses.iter().map(|(_, path)| path).chain(&step.mentions);
                    for path in used {
                        facts.look_at_use(path, place, &policy.home);
                    }
                    if let Some(touch) = step.touch() {
                        for path in &touch.reads {
                            for found in facts.located(path, place, &policy.home).paths {
                                facts.look_below(&found, touch.below, policy);
                            }
                        }
                        if touch.git && !facts.repositories.contains_key(place) {
                            facts.repositories.insert(place.clone(), git::examine(place));
                            let home = git::examine(&policy.cwd);
                            facts.repositories.insert(policy.cwd.clone(), home);
                        }
                    }
                }
            }
        }
        Wants::Nothing | Wants::Person | Wants::Url(_) | Wants::Other | Wants::Unclear(_) => {}
    }
    facts
}

/// Where a path of a command leads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Located {
    pub paths: Vec<PathBuf>,
    /// Why not all of them are known, or a name that would be taken for a flag.
    pub problem: Option<String>,
}

impl Facts {
    pub fn path(&self, path: &Path) -> Option<&PathFact> {
        self.paths.get(path)
    }

    pub fn tree(&self, path: &Path, below: Below) -> Option<&Tree> {
        self.trees.get(&(path.to_owned(), below))
    }

    pub fn repository(&self, place: &Path) -> Option<&Repository> {
        self.repositories.get(place)
    }

    /// Whether every step of a path stays in the workspace.
    pub fn inside(&self, fact: &PathFact) -> bool {
        fact.steps.iter().all(|step| self.contains(step))
    }

    pub fn contains(&self, path: &Path) -> bool {
        self.workspace.iter().any(|folder| path.starts_with(folder))
    }

    /// The paths that `path` stands for in `place`, from what has been gathered.
    pub fn located(&self, path: &PathUse, place: &Path, home: &Path) -> Located {
        let splits = |name: &str| name.contains([' ', '\t', '\n', '*', '?', '[']);
        if !path.pattern {
            let problem = (path.again && splits(&path.text))
                .then(|| format!("{} becomes several words", path.text));
            return Located { paths: vec![absolute(path, place, home)], problem };
        }
        let (folder, pattern) = pattern_of(path, place, home);
        let Some(expansion) = self.globs.get(&(folder.clone(), pattern.clone())) else {
            return Located { paths: Vec::new(), problem: Some("it was not looked up".to_owned()) };
        };
        let mut located = Located::default();
        if !expansion.complete {
            located.problem = Some(format!("{pattern} stands for too many names"));
        }
        if let Some(name) = expansion.names.iter().find(|name| name.starts_with('-')) {
            located.problem = Some(format!("{pattern} becomes {name}, which looks like a flag"));
        }
        if path.again && expansion.names.iter().any(|name| splits(name)) {
            located.problem =
                Some(format!("a name that {pattern} stands for becomes several words"));
        }
        located.paths = expansion.names.iter().map(|name| folder.join(name)).collect();
        if located.paths.is_empty() {
            // Without a match the pattern itself is the name.
            located.paths.push(folder.join(pattern.replace('\\', "")));
        }
        located
    }

    fn look(&mut self, path: &Path) {
        if !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), resolve(path));
        }
    }

    fn look_at_use(&mut self, path: &PathUse, place: &Path, home: &Path) {
        if path.pattern {
            let (folder, pattern) = pattern_of(path, place, home);
            let expansion = glob::expand(&folder, &pattern);
            self.globs.insert((folder, pattern), expansion);
        }
        for found in self.located(path, place, home).paths {
            self.look(&found);
        }
    }

    fn look_below(&mut self, path: &Path, below: Below, policy: &Policy) {
        let needed = match below {
            Below::Names => false,
            Below::Contents => policy.rules.limits_reading(),
            Below::Links => true,
        };
        let folder = self.paths.get(path).filter(|fact| fact.kind == Kind::Folder);
        if let (true, Some(root)) = (needed, folder.and_then(|fact| fact.steps.last().cloned())) {
            let tree = tree::walk(self, &root, below, policy);
            self.trees.insert((path.to_owned(), below), tree);
        }
    }
}

fn absolute(path: &PathUse, place: &Path, home: &Path) -> PathBuf {
    if path.home { home.join(path.text.trim_start_matches('/')) } else { place.join(&path.text) }
}

fn pattern_of(path: &PathUse, place: &Path, home: &Path) -> (PathBuf, String) {
    if path.home {
        (home.to_owned(), path.text.trim_start_matches('/').to_owned())
    } else {
        (place.to_owned(), path.text.clone())
    }
}

/// Follows an absolute path name by name, as the kernel would.
pub fn resolve(path: &Path) -> PathFact {
    let mut steps = vec![tidy(path)];
    let mut rest: VecDeque<OsString> = names(path);
    let mut at = PathBuf::from("/");
    let mut links = 0usize;
    let mut kind = Kind::Folder;
    let mut count = 1;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            at.pop();
            kind = Kind::Folder;
            continue;
        }
        let next = at.join(&name);
        match std::fs::symlink_metadata(&next) {
            Ok(found) if found.file_type().is_symlink() => {
                links += 1;
                let Ok(target) = std::fs::read_link(&next) else {
                    kind = Kind::Unclear;
                    break;
                };
                if links > MOST_LINKS {
                    kind = Kind::Unclear;
                    break;
                }
                let mut whole = at.join(&target);
                whole.extend(&rest);
                steps.push(tidy(&whole));
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    rest.push_front(name);
                }
            }
            Ok(found) => {
                let file_type = found.file_type();
                kind = match (file_type.is_dir(), file_type.is_file()) {
                    (true, _) => Kind::Folder,
                    (_, true) => Kind::File,
                    _ => Kind::Special,
                };
                count = link_count(&found);
                at = next;
            }
            Err(error) => {
                kind = match error.kind() {
                    std::io::ErrorKind::NotFound => Kind::Missing,
                    _ => Kind::Unclear,
                };
                at = next;
                at.extend(rest.drain(..));
                at = tidy(&at);
            }
        }
    }
    if steps.last() != Some(&at) {
        steps.push(at);
    }
    PathFact { steps, kind, links: if kind == Kind::File { count } else { 1 } }
}

fn names(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        })
        .collect()
}

#[cfg(unix)]
fn link_count(found: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(found)
}

#[cfg(not(unix))]
fn link_count(_found: &std::fs::Metadata) -> u64 {
    1
}
