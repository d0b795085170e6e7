//! Whether a repository's own configuration can run code when git only reads.
//!
//! git runs programs named in `.git/config` even for `git status` (`core.fsmonitor`), `git diff`
//! (`diff.external`, filters) and `git log -p` (textconv). This reads that file, what it includes, the
//! worktree's own and those of submodules and nested repositories, without git. Settings of the user and
//! of the machine are theirs and not looked at. Attribute files only choose among drivers that some
//! configuration defines, so with a clean configuration they choose nothing that runs.
//!
//! *Invariant:* fails closed. A key that is not on the list of harmless ones, or a file that cannot be
//! read, is a reason to ask.

mod config;
mod index;

use std::path::{Path, PathBuf};

/// What a directory's repository is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// The folder that holds `.git`; `None`: no repository.
    pub root: Option<PathBuf>,
    /// Why reading it with git may run something; the end of "git may run something here: ..".
    pub runs: Option<String>,
}

/// Hooks that git runs while it only reads: both after it has refreshed its index or a reference.
const HOOKS: [&str; 2] = ["post-index-change", "reference-transaction"];
const MOST_MODULES: usize = 64;

/// The repository that git would find from `place` (absolute).
pub fn examine(place: &Path) -> Repository {
    for folder in place.ancestors() {
        let dot_git = folder.join(".git");
        let Ok(found) = std::fs::symlink_metadata(&dot_git) else {
            if is_bare(folder) {
                let runs = Some(format!("{} is a repository without .git", folder.display()));
                return Repository { root: Some(folder.to_owned()), runs };
            }
            continue;
        };
        let root = Some(folder.to_owned());
        let runs = if found.is_dir() {
            directory(&dot_git, Some(folder), 0).err()
        } else if found.is_file() {
            git_file(&dot_git).and_then(|dir| directory(&dir, Some(folder), 0)).err()
        } else {
            Some(".git is a link or a special file".to_owned())
        };
        return Repository { root, runs };
    }
    Repository::default()
}

fn is_bare(folder: &Path) -> bool {
    let has = |name: &str| std::fs::symlink_metadata(folder.join(name)).is_ok();
    has("HEAD") && (has("commondir") || (has("objects") && has("refs")))
}

/// The directory that a `.git` file of a worktree or submodule names.
fn git_file(path: &Path) -> Result<PathBuf, String> {
    let text = small_text(path)?;
    let target = text
        .strip_prefix("gitdir:")
        .map(str::trim)
        .filter(|target| !target.is_empty() && !target.contains('\n'))
        .ok_or(".git is a file of an unknown form")?;
    Ok(path.parent().unwrap_or(Path::new("/")).join(target))
}

/// Reads a git directory. `worktree`: where its files are; `None` for a submodule's.
fn directory(dir: &Path, worktree: Option<&Path>, depth: usize) -> Result<(), String> {
    if depth > 4 {
        return Err("repositories are nested too deeply".to_owned());
    }
    let common = match std::fs::symlink_metadata(dir.join("commondir")) {
        Ok(_) => dir.join(small_text(&dir.join("commondir"))?.trim()),
        Err(_) => dir.to_owned(),
    };
    // git would look for another repository, further up or right here without .git.
    if std::fs::symlink_metadata(dir.join("HEAD")).is_err() || !common.join("objects").is_dir() {
        return Err(format!("{} is not a whole repository", dir.display()));
    }
    let of = if worktree.is_some() { config::Of::Repository } else { config::Of::Submodule };
    config::examine(&common.join("config"), of)?;
    for folder in [dir, common.as_path()] {
        let file = folder.join("config.worktree");
        if std::fs::symlink_metadata(&file).is_ok() {
            config::examine(&file, of)?;
        }
    }
    for hook in HOOKS {
        if std::fs::symlink_metadata(common.join("hooks").join(hook)).is_ok() {
            return Err(format!("the hook {hook} would run"));
        }
    }
    modules(&common.join("modules"), depth)?;
    nested(dir, worktree, depth)
}

/// Submodules: git looks into each for `git status` and `git diff`.
fn modules(folder: &Path, depth: usize) -> Result<(), String> {
    if depth > 4 {
        return Err("repositories are nested too deeply".to_owned());
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("the submodules cannot be read: {error}")),
    };
    for (count, entry) in entries.flatten().enumerate() {
        if count >= MOST_MODULES {
            return Err("it has more submodules than are looked at".to_owned());
        }
        let path = entry.path();
        if path.join("HEAD").exists() {
            directory(&path, None, depth + 1)?;
        } else if path.is_dir() {
            // A module whose name has a slash.
            modules(&path, depth + 1)?;
        }
    }
    Ok(())
}

/// Repositories inside the working tree that the index holds as links.
fn nested(dir: &Path, worktree: Option<&Path>, depth: usize) -> Result<(), String> {
    let Some(worktree) = worktree else { return Ok(()) };
    for name in index::links(&dir.join("index"))? {
        let dot_git = worktree.join(&name).join(".git");
        match std::fs::symlink_metadata(&dot_git) {
            Err(_) => {}
            Ok(found) if found.is_dir() => {
                directory(&dot_git, Some(&worktree.join(&name)), depth + 1)?;
            }
            Ok(found) if found.is_file() => directory(&git_file(&dot_git)?, None, depth + 1)?,
            Ok(_) => return Err(format!("{name}/.git is a link or a special file")),
        }
    }
    Ok(())
}

/// At most 1 MiB of a plain file, as text.
fn small_text(path: &Path) -> Result<String, String> {
    let cannot = |why: &str| format!("{} {why}", path.display());
    let found = std::fs::metadata(path).map_err(|_| cannot("cannot be read"))?;
    if !found.is_file() || found.len() > 1 << 20 {
        return Err(cannot("is not a small plain file"));
    }
    let bytes = std::fs::read(path).map_err(|_| cannot("cannot be read"))?;
    String::from_utf8(bytes).map_err(|_| cannot("is not text"))
}

#[cfg(test)]
mod tests;
