//! What in a folder needs trust, and whether it has it.
//!
//! A project's files may loosen what tern asks about, or name things to run. None of that counts
//! before the person has said so, once for each state of these files: trust is kept by the folder's
//! root and a hash of what it covers, so a pull that changes them asks again.
//!
//! Not for reading settings (`config`) or deciding about calls (`permissions`).

mod store;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use store::{TrustError, forget, trust};

/// Files that may hold something that needs trust, below the root and below the working directory.
const FILES: &[&str] = &[
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".tern/config.toml",
    ".tern/config.local.toml",
    ".mcp.json",
];
/// Folders whose files may hold commands to run.
const FOLDERS: &[&str] = &[".claude/commands", ".claude/agents", ".claude/skills", ".tern/agents"];
/// Words in a settings file that make it one that needs trust.
const TELLING: &[&str] = &["allow", "additional", "hooks", "command", "mcp", "env"];
/// Files of the folders that are looked at; a folder with more is never trusted.
const MOST_FILES: usize = 1_000;
/// Bytes of one file; a larger one is never trusted.
const MOST_BYTES: u64 = 4 << 20;

/// Something that would take effect if the folder were trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub file: PathBuf,
    /// 1-based; of the first line that matters.
    pub line: u32,
    /// That line, without its blanks.
    pub text: String,
}

/// What a folder holds that needs trust.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered {
    pub items: Vec<Item>,
    /// SHA-256 (hex) over names and bytes of the files. `None`: nothing needs trust, or there is
    /// more than can be looked through.
    pub hash: Option<String>,
}

/// Whether the person has trusted this folder as it is now. An unreadable store trusts nothing.
pub fn is_trusted(store: &Path, root: &Path, cwd: &Path) -> bool {
    match covered(root, cwd).hash {
        Some(hash) => store::hash_of(store, root).is_some_and(|trusted| trusted == hash),
        None => false,
    }
}

/// Looks through the folder.
pub fn covered(root: &Path, cwd: &Path) -> Covered {
    let mut files = Vec::new();
    let mut too_much = false;
    let mut places = vec![root];
    if cwd != root {
        places.push(cwd);
    }
    for place in places {
        files.extend(FILES.iter().map(|name| place.join(name)));
        for folder in FOLDERS {
            too_much |= !below(&place.join(folder), &mut files);
        }
    }
    files.sort();
    files.dedup();
    let mut hasher = Sha256::new();
    let mut covered = Covered::default();
    for file in files {
        let Ok(size) = std::fs::metadata(&file).map(|meta| meta.len()) else { continue };
        if size > MOST_BYTES {
            too_much = true;
            continue;
        }
        let Ok(bytes) = std::fs::read(&file) else { continue };
        covered.items.extend(items(&file, &bytes));
        // Every file counts for the hash, also one in which nothing telling was seen: a key can be
        // spelt in ways that only its parser understands.
        let name = file.to_string_lossy();
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    if !covered.items.is_empty() && !too_much {
        covered.hash = Some(hex(&hasher.finalize()));
    }
    covered
}

/// Adds the files below `folder`; false if there are too many.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> bool {
    let mut folders = vec![folder.to_owned()];
    let before = files.len();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if files.len() - before > MOST_FILES {
                return false;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                // A link may point anywhere; its target's bytes are what is hashed.
                Ok(_) => files.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    true
}

/// The lines of a file that need trust. Commands, agents and skills do as a whole; settings where
/// they say something telling.
fn items(file: &Path, bytes: &[u8]) -> Vec<Item> {
    let text = String::from_utf8_lossy(bytes);
    let settings = FILES.iter().any(|name| file.ends_with(name));
    let item = |(number, line): (usize, &str)| Item {
        file: file.to_owned(),
        line: u32::try_from(number + 1).unwrap_or(u32::MAX),
        text: line.trim().to_owned(),
    };
    if !settings {
        return text
            .lines()
            .enumerate()
            .find(|(_, line)| !line.trim().is_empty())
            .map(item)
            .into_iter()
            .collect();
    }
    text.lines()
        .enumerate()
        .filter(|(_, line)| {
            let line = line.trim_start();
            !line.starts_with('#') && TELLING.iter().any(|word| line.contains(word))
        })
        .map(item)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_plain_folder_needs_no_trust() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "src/main.rs", "fn main() {}");
        write(dir.path(), ".tern/config.toml", "[permissions]\ndeny = [\"Bash(rm *)\"]\n");
        assert_eq!(covered(dir.path(), dir.path()), Covered::default());
    }

    #[test]
    fn what_needs_trust_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), ".tern/config.toml", "[permissions]\n\nallow = [\"Bash(make *)\"]\n");
        write(dir.path(), ".claude/commands/go.md", "\nRun !`date`\n");
        let found = covered(dir.path(), dir.path());
        let items: Vec<(u32, &str)> =
            found.items.iter().map(|item| (item.line, item.text.as_str())).collect();
        assert_eq!(items, [(2, "Run !`date`"), (3, "allow = [\"Bash(make *)\"]")]);
    }

    #[test]
    fn trust_holds_for_one_state_of_one_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (root, store) = (dir.path().join("project"), dir.path().join("state/trust.toml"));
        write(&root, ".tern/config.toml", "permissions.allow = [\"Bash(make *)\"]\n");
        assert!(!is_trusted(&store, &root, &root));
        trust(&store, &root, &root).unwrap();
        assert!(is_trusted(&store, &root, &root));
        write(&root, ".tern/config.toml", "permissions.allow = [\"Bash(*)\"]\n");
        assert!(!is_trusted(&store, &root, &root), "the file has changed");
        trust(&store, &root, &root).unwrap();
        write(&root, ".mcp.json", "{\"mcpServers\": {}}");
        assert!(!is_trusted(&store, &root, &root), "a file has come");
        trust(&store, &root, &root).unwrap();
        write(&root, ".tern/config.local.toml", "permissions.\"\\u0061llow\" = [\"Bash(*)\"]");
        assert!(!is_trusted(&store, &root, &root), "a file has come whose key is disguised");
        trust(&store, &root, &root).unwrap();
        let other = dir.path().join("other");
        write(&other, ".tern/config.toml", "permissions.allow = [\"Bash(make *)\"]\n");
        assert!(!is_trusted(&store, &other, &other));
        forget(&store, &root).unwrap();
        assert!(!is_trusted(&store, &root, &root));
    }

    #[cfg(unix)]
    #[test]
    fn the_store_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("state/trust.toml");
        write(dir.path(), ".mcp.json", "{\"mcpServers\": {}}");
        trust(&store, dir.path(), dir.path()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&store), mode(store.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_broken_store_trusts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("trust.toml");
        write(dir.path(), ".mcp.json", "{\"mcpServers\": {}}");
        std::fs::write(&store, "folders = 7\n").unwrap();
        assert!(!is_trusted(&store, dir.path(), dir.path()));
    }
}
