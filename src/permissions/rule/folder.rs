//! The pattern of a `Read(..)` or `Edit(..)` rule: gitignore's pattern language behind an anchor.

use std::path::{Component, Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::List;
use crate::permissions::path;
use crate::protocol::{Source, Sourced};

/// Where the anchors of path rules stand.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// Absolute; for `x` and `./x`.
    pub cwd: PathBuf,
    /// The project's root, for `/x`.
    pub root: PathBuf,
    /// For `~/x`.
    pub home: PathBuf,
    /// Further directories of the workspace: a deny or ask rule without an anchor holds there too.
    pub additional: Vec<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct PathPattern {
    /// The same pattern below each of these directories.
    matchers: Vec<(PathBuf, Gitignore)>,
    /// For deny and ask: names that some file system takes for the same count as the same.
    strict: bool,
}

impl PathPattern {
    /// `Err`: what is wrong with the pattern.
    pub fn new(
        spec: &str,
        list: List,
        text: &Sourced<String>,
        folders: &Folders,
    ) -> Result<PathPattern, String> {
        if spec.starts_with('!') {
            return Err("a path rule cannot begin with !".to_owned());
        }
        let strict = list != List::Allow;
        let (anchors, pattern): (Vec<&Path>, String) = if let Some(rest) = spec.strip_prefix("//") {
            (vec![Path::new("/")], format!("/{rest}"))
        } else if let Some(rest) = spec.strip_prefix("~/") {
            (vec![&folders.home], format!("/{rest}"))
        } else if spec == "~" {
            (vec![&folders.home], "/**".to_owned())
        } else if spec.starts_with('/') {
            (vec![slash_anchor(text, folders)], spec.to_owned())
        } else {
            let mut anchors: Vec<&Path> = vec![&folders.cwd];
            if strict {
                anchors.extend(folders.additional.iter().map(PathBuf::as_path));
            }
            let bare = spec.trim_start_matches("./");
            let inner_slash = bare.trim_end_matches('/').contains('/');
            let pattern = match (strict, inner_slash, bare.len() < spec.len()) {
                // A deny or ask holds at any depth.
                (true, true, _) if !bare.starts_with("**/") => format!("**/{bare}"),
                (false, false, true) => format!("/{bare}"),
                _ => bare.to_owned(),
            };
            (anchors, if pattern.is_empty() || pattern == "." { "**".to_owned() } else { pattern })
        };
        let mut matchers = Vec::new();
        for anchor in anchors {
            let real = std::fs::canonicalize(anchor).ok().filter(|real| real != anchor);
            for folder in std::iter::once(anchor.to_owned()).chain(real) {
                matchers.push((folder, compile(&pattern, strict)?));
            }
        }
        Ok(PathPattern { matchers, strict })
    }

    /// Whether it covers `file` (absolute and tidied) or a folder that holds it.
    pub fn covers(&self, file: &Path, is_dir: bool) -> bool {
        self.matchers.iter().any(|(folder, matcher)| {
            file.strip_prefix(folder).is_ok_and(|rest| {
                let hit = |rest: &Path| {
                    !rest.as_os_str().is_empty()
                        && matcher.matched_path_or_any_parents(rest, is_dir).is_ignore()
                };
                hit(rest) || (self.strict && hit(&folded(rest)))
            })
        })
    }
}

/// The directory of the settings a rule came from: the project, unless a file was named by a flag.
fn slash_anchor<'a>(text: &'a Sourced<String>, folders: &'a Folders) -> &'a Path {
    let file = text.file.as_deref().and_then(Path::parent);
    match (text.source, file) {
        (Source::SettingsFile, Some(parent)) => parent,
        _ => &folders.root,
    }
}

/// Deny and ask rules compare without regard to case: on some file systems that is the same file.
fn compile(pattern: &str, strict: bool) -> Result<Gitignore, String> {
    let mut builder = GitignoreBuilder::new("");
    let cannot = |error: ignore::Error| format!("the pattern cannot be read: {error}");
    builder.case_insensitive(strict).map_err(cannot)?;
    let line = if pattern.starts_with('#') { format!("\\{pattern}") } else { pattern.to_owned() };
    builder.add_line(None, &line).map_err(cannot)?;
    builder.build().map_err(cannot)
}

/// The name as a file system that ignores case, and more, would see it.
fn folded(path: &Path) -> PathBuf {
    path.components()
        .map(|component| match component {
            Component::Normal(name) => PathBuf::from(path::fold(&name.to_string_lossy())),
            other => PathBuf::from(other.as_os_str()),
        })
        .collect()
}
