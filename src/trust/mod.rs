//! What in a folder needs the person's trust, and whether it has it.
//!
//! Nothing from a project that executes or redirects counts before its folder is trusted: hooks, MCP
//! servers, allow rules, additional directories, commands, agents, skills. Deny and ask rules always do,
//! and are not listed here. Trust belongs to a repository's root, never to a folder above it, and to
//! exactly what was listed when it was given: when that changes, it is asked for again.

mod items;
mod store;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use items::{Item, Kind};
pub use store::{Store, TrustError};

/// What a folder brings that needs trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    pub root: PathBuf,
    pub items: Vec<Item>,
    /// SHA-256 (hex) over the items.
    pub hash: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is nothing to trust.
    Nothing,
    Trusted,
    /// Trusted once, but what it covers is no longer the same.
    Changed,
    Untrusted,
}

/// The folder to which trust belongs: the nearest one with a repository, else `cwd` itself.
pub fn root_of(cwd: &Path) -> PathBuf {
    let real = std::fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned());
    let found =
        real.ancestors().find(|folder| std::fs::symlink_metadata(folder.join(".git")).is_ok());
    found.map(Path::to_owned).unwrap_or(real)
}

/// Reads the files of `root` that may hold something to trust. Runs nothing.
pub fn examine(root: &Path) -> Needs {
    let items = items::of(root);
    let mut hash = Sha256::new();
    for item in &items {
        for field in [item.kind.name(), &item.file.to_string_lossy(), &item.text, &item.detail] {
            hash.update((field.len() as u64).to_le_bytes());
            hash.update(field.as_bytes());
        }
    }
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Needs { root: root.to_owned(), items, hash }
}

/// Everything that a session in `cwd` would take over: settings are read from the repository's root
/// and from the folder itself, so both count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// One for each folder, the root first.
    pub needs: Vec<Needs>,
    pub state: State,
}

impl Survey {
    pub fn of(cwd: &Path, store: &Store) -> Survey {
        let root = root_of(cwd);
        let own = std::fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned());
        let mut needs = vec![examine(&root)];
        if own != root {
            needs.push(examine(&own));
        }
        let states: Vec<State> = needs.iter().map(|needs| state(needs, store)).collect();
        // The one that asks most of the person holds for all.
        let worst = [State::Changed, State::Untrusted, State::Trusted];
        let state = worst.into_iter().find(|state| states.contains(state));
        Survey { needs, state: state.unwrap_or(State::Nothing) }
    }

    /// Changes with anything that trust would cover.
    pub fn hash(&self) -> String {
        let hashes: Vec<&str> = self.needs.iter().map(|needs| needs.hash.as_str()).collect();
        hashes.join("-")
    }
}

pub fn state(needs: &Needs, store: &Store) -> State {
    if needs.items.is_empty() {
        return State::Nothing;
    }
    match store.hash_of(&needs.root) {
        None => State::Untrusted,
        Some(hash) if hash == needs.hash => State::Trusted,
        Some(_) => State::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn shown(needs: &Needs) -> Vec<(Kind, String, String, Option<u32>)> {
        let show = |item: &Item| {
            (item.kind, item.text.clone(), item.file.display().to_string(), item.line)
        };
        needs.items.iter().map(show).collect()
    }

    #[test]
    fn lists_what_executes_or_redirects() {
        let dir = project(&[
            (
                ".claude/settings.json",
                "{\"permissions\": {\n  \"allow\": [\"Bash(npm test)\"],\n  \"deny\": [\"Bash(rm *)\"],\n  \"additionalDirectories\": [\"../x\"]},\n \"hooks\": {\"PreToolUse\": [{\"matcher\": \"Bash\", \"hooks\": [\n  {\"type\": \"command\", \"command\": \"./check.sh\"}]}]}}",
            ),
            (
                ".mcp.json",
                "{\"mcpServers\": {\n\"db\": {\"command\": \"node\", \"args\": [\"x.js\"]}}}",
            ),
            (
                ".tern/config.toml",
                "[permissions]\nallow = [\"Edit(src/**)\"]\ndeny = [\"Read(.env)\"]\n\n[[hooks.pre-tool-use]]\ncommand = \"evil\"\n\n[mcp.servers.web]\nurl = \"http://x\"\n",
            ),
            (".claude/commands/go.md", "run !`date`"),
            (".claude/skills/s/SKILL.md", "skill"),
            (".claude/agents/a.md", "agent"),
        ]);
        assert_eq!(
            shown(&examine(dir.path())),
            vec![
                (Kind::AllowRule, "Bash(npm test)".into(), ".claude/settings.json".into(), Some(2)),
                (Kind::Directory, "../x".into(), ".claude/settings.json".into(), Some(4)),
                (
                    Kind::Hook,
                    "PreToolUse: ./check.sh".into(),
                    ".claude/settings.json".into(),
                    Some(6)
                ),
                (Kind::AllowRule, "Edit(src/**)".into(), ".tern/config.toml".into(), Some(2)),
                (Kind::Hook, "pre-tool-use: evil".into(), ".tern/config.toml".into(), Some(6)),
                (Kind::McpServer, "web: http://x".into(), ".tern/config.toml".into(), Some(8)),
                (Kind::McpServer, "db: node x.js".into(), ".mcp.json".into(), Some(2)),
                (Kind::Agent, "a".into(), ".claude/agents/a.md".into(), None),
                (Kind::Command, "go".into(), ".claude/commands/go.md".into(), None),
                (Kind::Skill, "s/SKILL".into(), ".claude/skills/s/SKILL.md".into(), None),
            ]
        );
    }

    #[test]
    fn trust_ends_when_what_it_covers_changes() {
        let dir = project(&[(".mcp.json", "{\"mcpServers\": {\"db\": {\"command\": \"node\"}}}")]);
        let file = dir.path().join("state/trust.toml");
        let needs = examine(dir.path());
        let mut store = Store::load(&file).unwrap();
        assert_eq!(state(&needs, &store), State::Untrusted);
        store.trust(&needs);
        store.save(&file).unwrap();
        let store = Store::load(&file).unwrap();
        assert_eq!(state(&examine(dir.path()), &store), State::Trusted);
        // Another environment for the same command is another server.
        let changed =
            "{\"mcpServers\": {\"db\": {\"command\": \"node\", \"env\": {\"A\": \"1\"}}}}";
        std::fs::write(dir.path().join(".mcp.json"), changed).unwrap();
        assert_eq!(state(&examine(dir.path()), &store), State::Changed);
        // A deny rule or any other setting needs no trust.
        std::fs::write(
            dir.path().join(".mcp.json"),
            "{\"mcpServers\": {\"db\": {\"command\": \"node\"}}}",
        )
        .unwrap();
        std::fs::create_dir(dir.path().join(".claude")).unwrap();
        std::fs::write(
            dir.path().join(".claude/settings.json"),
            "{\"permissions\": {\"deny\": [\"Bash\"]}}",
        )
        .unwrap();
        assert_eq!(state(&examine(dir.path()), &store), State::Trusted);
        std::fs::remove_file(dir.path().join(".mcp.json")).unwrap();
        assert_eq!(state(&examine(dir.path()), &store), State::Nothing);
    }

    #[test]
    fn a_repository_inside_another_has_its_own_root() {
        let dir =
            project(&[(".git/HEAD", "x"), ("sub/.git/HEAD", "x"), ("sub/a/b", ""), ("c/d", "")]);
        let real = dir.path().canonicalize().unwrap();
        assert_eq!(root_of(&dir.path().join("sub/a")), real.join("sub"));
        assert_eq!(root_of(&dir.path().join("c")), real);
    }

    #[test]
    fn unreadable_files_need_trust_too() {
        let dir =
            project(&[(".claude/settings.json", "{\"hooks\": "), (".tern/config.toml", "x = [")]);
        let kinds: Vec<Kind> = examine(dir.path()).items.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, vec![Kind::Unreadable, Kind::Unreadable]);
    }
}
