//! Plugins: folders that bundle commands, agents, skills, hooks and servers, as Claude Code has them
//! (`.claude-plugin/plugin.json`). Installed ones lie in one folder of tern's own.
//!
//! *Invariant:* a plugin counts only as it was when the person enabled it: the mark that enabling
//! leaves is a hash over all its files, and with the first change it is disabled again.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::config::Hook;
use crate::config::hooks::of_plugin;
use crate::extend::{Extensions, Folder, From, agents, files, skills};
use crate::protocol::{Source, Sourced};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    pub name: String,
    pub version: String,
    pub description: String,
    pub root: PathBuf,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Enabled,
    Disabled,
    /// It was enabled, and has changed since.
    Changed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Enabled => "enabled",
            State::Disabled => "disabled",
            State::Changed => "changed since it was enabled, so disabled",
        }
    }
}

/// What a plugin brings, each in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    pub commands: Vec<String>,
    pub agents: Vec<String>,
    pub hooks: Vec<String>,
    pub servers: Vec<String>,
    pub problems: Vec<String>,
}

/// The file that defines its servers.
pub const SERVERS: &str = ".mcp.json";
const MANIFEST: &str = ".claude-plugin/plugin.json";
/// Files of a plugin, and their bytes.
const FILES: usize = 2_000;
const BYTES: u64 = 50 << 20;
const DEEPEST: usize = 12;

/// Those in `folder`, in order of names, and what is wrong with others.
pub fn installed(folder: &Path) -> (Vec<Plugin>, Vec<String>) {
    let (mut plugins, mut problems) = (Vec::new(), Vec::new());
    for root in files::folders(folder) {
        match read(folder, &root) {
            Ok(plugin) => plugins.push(plugin),
            Err(why) => problems.push(format!("the plugin in {} {why}", root.display())),
        }
    }
    (plugins, problems)
}

/// The plugin of a folder, installed or not. The error is a sentence without its subject.
pub fn read(folder: &Path, root: &Path) -> Result<Plugin, String> {
    let text =
        files::text(&root.join(MANIFEST)).map_err(|why| format!("has a manifest that {why}"))?;
    let manifest: Value = serde_json::from_str(&text)
        .map_err(|why| format!("has a manifest that is not valid JSON: {why}"))?;
    let field = |name: &str| manifest[name].as_str().unwrap_or_default().trim().to_owned();
    let name = field("name");
    if !files::is_name(&name) || name.contains(':') {
        return Err("has a manifest without a usable name".to_owned());
    }
    let state = match std::fs::read_to_string(mark(folder, &name)) {
        Err(_) => State::Disabled,
        Ok(hash) if seal(root).is_ok_and(|now| now == hash.trim()) => State::Enabled,
        Ok(_) => State::Changed,
    };
    let (version, description) = (field("version"), field("description"));
    Ok(Plugin { name, version, description, root: root.to_owned(), state })
}

impl Plugin {
    /// Everything that it would bring, for the person to read before it counts.
    pub fn contents(&self) -> Contents {
        let mut found = Extensions::default();
        let folder = self.folder();
        skills::commands(&folder, &mut found);
        skills::skills(&folder, &mut found);
        agents::defined(&folder, &mut found);
        let (hooks, wrong) = self.hooks();
        found.problems.extend(wrong);
        let hooks = hooks.iter().map(|hook| {
            let Hook { event, matcher, command, .. } = &hook.value;
            let command = command.split_once("; ").map_or(command.as_str(), |(_, command)| command);
            format!("{} {matcher}: {command}", event.name())
        });
        Contents {
            commands: found
                .skills
                .iter()
                .map(|s| format!("/{}  {}", s.name, s.description))
                .collect(),
            agents: found.agents.iter().map(|a| format!("{}  {}", a.name, a.description)).collect(),
            hooks: hooks.collect(),
            servers: listed(&self.servers()),
            problems: found.problems,
        }
    }

    pub fn folder(&self) -> Folder {
        Folder { path: self.root.clone(), from: From::Plugin, prefix: Some(self.name.clone()) }
    }

    /// Its hooks, which find its files by `CLAUDE_PLUGIN_ROOT`, and what is wrong with others.
    pub fn hooks(&self) -> (Vec<Sourced<Hook>>, Vec<String>) {
        let file = self.root.join("hooks/hooks.json");
        if !file.is_file() {
            return (Vec::new(), Vec::new());
        }
        let text = match files::text(&file) {
            Ok(text) => text,
            Err(why) => return (Vec::new(), vec![format!("{} {why}", file.display())]),
        };
        let (hooks, wrong) = of_plugin(&text);
        let root = self.root.display().to_string();
        let root = shell_words::quote(&root).into_owned();
        let hooks = hooks.into_iter().map(|(mut hook, line)| {
            hook.command = format!("export CLAUDE_PLUGIN_ROOT={root}; {}", hook.command);
            let mut sourced = Sourced::new(hook, Source::User);
            sourced.file = Some(file.clone());
            sourced.line = (line > 0).then_some(line);
            sourced
        });
        let wrong = wrong.into_iter().map(|why| format!("{}: {why}", file.display()));
        (hooks.collect(), wrong.collect())
    }

    /// Its servers of the Model Context Protocol, as `.mcp.json` has them; a table. Their names say
    /// whose they are.
    pub fn servers(&self) -> Value {
        let Ok(text) = files::text(&self.root.join(SERVERS)) else { return Value::Null };
        // Within the text of JSON, so that no folder's name can add to it.
        let root = Value::from(self.root.to_string_lossy()).to_string();
        let text = text.replace("${CLAUDE_PLUGIN_ROOT}", root.trim_matches('"'));
        let Ok(value) = serde_json::from_str::<Value>(&text) else { return Value::Null };
        let servers = value.get("mcpServers").unwrap_or(&value).as_object().cloned();
        let named = servers.unwrap_or_default().into_iter();
        named.map(|(name, server)| (format!("plugin_{}_{name}", self.name), server)).collect()
    }

    /// From now on it counts, as it is.
    pub fn enable(&self, folder: &Path) -> Result<(), String> {
        let hash = seal(&self.root)?;
        std::fs::write(mark(folder, &self.name), hash).map_err(|why| why.to_string())
    }

    pub fn disable(&self, folder: &Path) -> Result<(), String> {
        match std::fs::remove_file(mark(folder, &self.name)) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(why.to_string()),
            _ => Ok(()),
        }
    }

    pub fn remove(&self, folder: &Path) -> Result<(), String> {
        self.disable(folder)?;
        std::fs::remove_dir_all(&self.root).map_err(|why| why.to_string())
    }
}

/// Copies the plugin in `from` into `folder`, disabled. One of the same name is replaced.
pub fn install(from: &Path, folder: &Path) -> Result<Plugin, String> {
    let plugin = read(folder, from).map_err(|why| format!("{} {why}", from.display()))?;
    let to = folder.join(&plugin.name);
    if to.exists() {
        read(folder, &to).ok().map_or(Ok(()), |old| old.disable(folder))?;
        std::fs::remove_dir_all(&to).map_err(|why| why.to_string())?;
    }
    for file in all_files(from)? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        let parent = target.parent().unwrap_or(&to);
        std::fs::create_dir_all(parent).map_err(|why| format!("{}: {why}", parent.display()))?;
        std::fs::copy(&file, &target).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    read(folder, &to)
}

fn mark(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.enabled"))
}

/// SHA-256 (hex) over the names and contents of all files.
fn seal(root: &Path) -> Result<String, String> {
    let mut hash = Sha256::new();
    for file in all_files(root)? {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).map_err(|why| format!("{}: {why}", file.display()))?;
        for field in [name.as_bytes(), &bytes] {
            hash.update((field.len() as u64).to_le_bytes());
            hash.update(field);
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Every file below, in order; no link is followed, and git's own folder is no part of it.
fn all_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    collect(root, 0, &mut found, &mut bytes)?;
    found.sort();
    Ok(found)
}

fn collect(
    folder: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
    bytes: &mut u64,
) -> Result<(), String> {
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let facts = path.symlink_metadata().map_err(|why| why.to_string())?;
        if facts.is_dir() && entry.file_name() != ".git" {
            if depth == DEEPEST {
                return Err(format!("{} is nested too deep", folder.display()));
            }
            collect(&path, depth + 1, found, bytes)?;
        } else if facts.is_file() {
            *bytes += facts.len();
            found.push(path);
        }
        if found.len() > FILES || *bytes > BYTES {
            return Err(format!("{} is too large for a plugin", folder.display()));
        }
    }
    Ok(())
}

/// Servers, each with what starts it.
fn listed(servers: &Value) -> Vec<String> {
    let words = |server: &Value| match server["command"].as_str() {
        Some(command) => {
            let args = server["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
            std::iter::once(command).chain(args).collect::<Vec<_>>().join(" ")
        }
        None => server["url"].as_str().unwrap_or_default().to_owned(),
    };
    let all = servers.as_object().into_iter().flatten();
    all.map(|(name, server)| format!("{name}: {}", words(server))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("source"), dir.path().join("plugins"));
        std::fs::create_dir_all(&to).unwrap();
        for (name, text) in files {
            let path = from.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        (dir, from, to)
    }

    const HOOKS: &str = r#"{"hooks": {"PostToolUse": [{"matcher": "Edit",
        "hooks": [{"type": "command", "command": "\"${CLAUDE_PLUGIN_ROOT}/fmt.sh\""}]}]}}"#;

    #[test]
    fn a_plugin_is_listed_counts_once_enabled_and_no_longer_when_it_changes() {
        let (_dir, from, to) = staged(&[
            (MANIFEST, r#"{"name": "tidy", "version": "1.0", "description": "tidies"}"#),
            ("commands/tidy.md", "---\ndescription: tidy up\n---\nTidy."),
            ("agents/tidier.md", "---\ndescription: tidies\n---\nYou tidy."),
            ("hooks/hooks.json", HOOKS),
            (
                ".mcp.json",
                r#"{"mcpServers": {"db": {"command": "node", "args": ["${CLAUDE_PLUGIN_ROOT}/x.js"]}}}"#,
            ),
        ]);
        let plugin = install(&from, &to).unwrap();
        assert_eq!((plugin.name.as_str(), plugin.state), ("tidy", State::Disabled));
        let contents = plugin.contents();
        assert_eq!(contents.commands, ["/tidy:tidy  tidy up"]);
        assert_eq!(contents.agents, ["tidier  tidies"]);
        assert_eq!(contents.hooks, ["PostToolUse Edit: \"${CLAUDE_PLUGIN_ROOT}/fmt.sh\""]);
        let server = format!("plugin_tidy_db: node {}/x.js", to.join("tidy").display());
        assert_eq!(contents.servers, [server]);
        assert_eq!(contents.problems, Vec::<String>::new());
        plugin.enable(&to).unwrap();
        let state = || installed(&to).0[0].state;
        assert_eq!(state(), State::Enabled);
        std::fs::write(to.join("tidy/commands/more.md"), "x").unwrap();
        assert_eq!(state(), State::Changed);
        plugin.remove(&to).unwrap();
        assert_eq!(installed(&to), (vec![], vec![]));
    }

    #[test]
    fn a_broken_manifest_is_told_and_nothing_is_installed() {
        for manifest in ["{", "[]", r#"{"name": "../x"}"#, r#"{"version": "1"}"#] {
            let (_dir, from, to) = staged(&[(MANIFEST, manifest)]);
            let error = install(&from, &to).unwrap_err();
            assert!(error.contains("manifest"), "{error}");
            assert_eq!(installed(&to), (vec![], vec![]));
        }
    }
}
