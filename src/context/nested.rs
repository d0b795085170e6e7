//! Instruction files that count only for a part of the project: those of a folder below the
//! session's own, and rules for certain paths. They are given when the work gets there, as a later
//! message, so that what stands before stays as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::context::Place;
use crate::context::memory::{Memory, Reader, Scope, folders};

/// Folders between the session's and a file that are looked at.
const DEEP: usize = 32;
/// Globs of one rule.
const GLOBS: usize = 50;

/// What is new for whoever works on `touched` (real paths): files that are not in `given` (real
/// paths too). What is given is added to it.
pub fn read(place: &Place, touched: &BTreeSet<PathBuf>, given: &mut BTreeSet<PathBuf>) -> Memory {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let root = real(&place.root);
    let known: BTreeSet<PathBuf> = folders(place).iter().map(|folder| real(folder)).collect();
    let mut inside: Vec<&PathBuf> = touched.iter().filter(|path| path.starts_with(&root)).collect();
    inside.sort();
    let mut below: BTreeSet<&Path> = BTreeSet::new();
    for path in &inside {
        let folders = path.ancestors().skip(1).take(DEEP);
        below.extend(folders.take_while(|dir| dir.starts_with(&root) && !known.contains(*dir)));
    }
    let mut reader = Reader::new(place);
    reader.touched = Some(inside.iter().map(|path| path_in(path, &root)).collect());
    reader.seen = given.iter().map(|path| (path.clone(), String::new())).collect();
    reader.rules(&place.home.join(".claude/rules"), Scope::User);
    for folder in &known {
        reader.rules(&folder.join(".claude/rules"), Scope::Project);
    }
    for folder in below {
        reader.folder(folder);
    }
    given.extend(reader.seen.drain(..).map(|(path, _)| path));
    let mut memory = reader.memory;
    if !reader.body.is_empty() {
        memory.text = format!(
            "<instructions>\nInstruction files of the places you now work in. Each counts for its \
             own folder, or for the paths it names.\n{}</instructions>",
            reader.body
        );
    }
    memory
}

fn path_in(path: &Path, root: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

/// Whether a rule with these globs (`src/**/*.rs, "*.md"`) counts for any of the paths, which are
/// relative to the top of the project. A glob without a slash counts at any depth; one that cannot
/// be read counts for nothing.
pub fn counts(globs: &str, paths: &[PathBuf]) -> bool {
    let mut set = GlobSetBuilder::new();
    for glob in split(globs).into_iter().take(GLOBS) {
        let glob = glob.trim_start_matches("./");
        let anywhere = if glob.contains('/') { glob.to_owned() } else { format!("**/{glob}") };
        if let Ok(glob) = GlobBuilder::new(&anywhere).literal_separator(true).build() {
            set.add(glob);
        }
    }
    let set = set.build().unwrap_or_else(|_| GlobSet::empty());
    paths.iter().any(|path| set.is_match(path))
}

/// At commas that are not within braces; brackets and quotes around are YAML's.
fn split(globs: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in globs.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&globs[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&globs[start..]);
    let bare = |part: &'_ str| -> (usize, usize) {
        let trimmed = part.trim_matches([' ', '[', ']', '"', '\'']);
        let from = trimmed.as_ptr() as usize - part.as_ptr() as usize;
        (from, from + trimmed.len())
    };
    let parts = parts.into_iter().map(|part| {
        let (from, to) = bare(part);
        &part[from..to]
    });
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::place;

    #[test]
    fn globs_of_a_rule_are_read_as_written() {
        let paths = [PathBuf::from("src/api/mod.rs"), PathBuf::from("web/a.tsx")];
        for (globs, wanted) in [
            ("src/**/*.rs", true),
            ("\"src/**\"", true),
            ("*.rs", true),
            ("src/*.rs", false),
            ("web/*.{ts,tsx}, docs/**", true),
            ("['docs/**', '*.md']", false),
            ("[", false),
            ("", false),
        ] {
            assert_eq!(counts(globs, &paths), wanted, "{globs}");
        }
    }

    #[test]
    fn files_of_a_folder_are_given_once_when_the_work_gets_there() {
        let top = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("project/AGENTS.md", "top"),
            ("project/sub/AGENTS.md", "in sub"),
            ("project/sub/deep/CLAUDE.md", "deep down\n@extra.md"),
            ("project/sub/deep/extra.md", "extra"),
            ("project/other/AGENTS.md", "elsewhere"),
            ("project/.claude/rules/rust.md", "---\npaths: \"**/*.rs\"\n---\nno unwrap"),
            ("project/.claude/rules/web.md", "---\npaths:\n  - web/**\n---\nno tables"),
            ("project/sub/deep/x.rs", ""),
            ("outside/AGENTS.md", "not ours"),
            ("outside/y", ""),
        ] {
            let path = top.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let place = place(top.path());
        let real = std::fs::canonicalize(top.path()).unwrap();
        let touched = |name: &str| BTreeSet::from([real.join(name)]);
        let mut given = BTreeSet::from([real.join("project/AGENTS.md")]);
        let read = |touched: &BTreeSet<PathBuf>, given: &mut BTreeSet<PathBuf>| {
            let memory = super::read(&place, touched, given);
            let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
            let names: Vec<String> = memory.files.iter().map(|file| name(&file.path)).collect();
            (names, memory.text)
        };
        let (names, text) = read(&touched("project/sub/deep/x.rs"), &mut given);
        assert_eq!(names, ["rust.md", "AGENTS.md", "CLAUDE.md", "extra.md"]);
        assert!(text.contains("in sub") && text.contains("no unwrap") && !text.contains("tables"));
        assert_eq!(read(&touched("project/sub/deep/x.rs"), &mut given).0, [""; 0]);
        assert_eq!(read(&touched("outside/y"), &mut given).0, [""; 0]);
        assert_eq!(read(&touched("project/web/z"), &mut given).0, ["web.md"]);
    }
}
