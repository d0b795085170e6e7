//! Where servers are defined: the person's own settings, the project's, `.mcp.json`, the file of
//! `--mcp-config`. A nearer place wins over a farther one of the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::managed::{Managed, Server};
use crate::config::{Config, Problem};
use crate::mcp::define::{Found, Unit};
use crate::mcp::{Definition, How};
use crate::protocol::Source;

/// All servers of a session and what was wrong with others.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub definitions: Vec<Definition>,
    pub problems: Vec<Problem>,
    /// Servers of `.mcp.json` that a setting of the project lets in or keeps out.
    pub listed: Listed,
    pub trusted: bool,
}

/// What Claude Code's settings files of the project say of the servers in `.mcp.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    pub all: bool,
    pub enabled: Vec<String>,
    pub disabled: Vec<String>,
}

impl Listed {
    pub fn lets_in(&self, name: &str) -> bool {
        self.all || self.enabled.iter().any(|listed| listed == name)
    }
}

/// Bytes of a file of definitions.
const LARGEST: u64 = 1 << 20;
/// Servers of a session.
const MOST: usize = 64;

/// Servers that no settings file holds: an editor's, or a plugin's. A table of names.
#[derive(Debug, Clone, PartialEq)]
pub struct Brought {
    pub servers: Value,
    pub source: Source,
    pub file: Option<PathBuf>,
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub config: &'a Config,
    pub vars: &'a BTreeMap<String, String>,
    pub cwd: &'a Path,
    pub root: &'a Path,
    /// `--mcp-config`
    pub file: Option<&'a Path>,
    pub brought: &'a [Brought],
    /// Whether the folder is trusted: only then may its servers stand in the place of others.
    pub trusted: bool,
}

/// Reads all definitions; runs nothing. A project's are among them also where it is not trusted:
/// whoever starts servers looks at that.
pub fn find(look: Look<'_>) -> Sources {
    let mut found = Sources { trusted: look.trusted, ..Sources::default() };
    for (name, entry) in &look.config.mcp {
        let value = serde_json::to_value(&entry.value).unwrap_or_default();
        let place = Found { source: entry.source, file: entry.file.clone(), unit: Unit::Seconds };
        found.add(name, &value, &place, entry.line, look.vars);
    }
    let mut folders = vec![look.root];
    if look.cwd != look.root {
        folders.push(look.cwd);
    }
    for folder in folders {
        let path = folder.join(".mcp.json");
        found.file(&path, Source::Project, look.vars);
        found.listed(folder);
    }
    if let Some(path) = look.file {
        let path = look.cwd.join(path);
        if !found.file(&path, Source::Flag, look.vars) {
            found.tell(Source::Flag, &path, None, "is not there".to_owned());
        }
    }
    for Brought { servers, source, file } in look.brought {
        let place = Found { source: *source, file: file.clone(), unit: Unit::Milliseconds };
        for (name, entry) in servers.as_object().into_iter().flatten() {
            found.add(name, entry, &place, None, look.vars);
        }
    }
    found.forbid(&look.config.managed);
    let disabled = std::mem::take(&mut found.listed.disabled);
    for definition in &mut found.definitions {
        if definition.source == Source::Project && disabled.contains(&definition.name) {
            definition.enabled = false;
        }
    }
    found.listed.disabled = disabled;
    if found.definitions.len() > MOST {
        let left = found.definitions.len() - MOST;
        found.definitions.truncate(MOST);
        found.problems.push(Problem {
            source: Source::User,
            file: None,
            line: None,
            message: format!("{left} servers are left out: a session has at most {MOST}"),
            hint: None,
        });
    }
    found
}

impl Sources {
    /// `false`: there is no such file.
    fn file(&mut self, path: &Path, source: Source, vars: &BTreeMap<String, String>) -> bool {
        let text = match text(path) {
            Ok(Some(text)) => text,
            Ok(None) => return false,
            Err(why) => {
                self.tell(source, path, None, why);
                return true;
            }
        };
        let value: Value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => {
                let line = u32::try_from(error.line()).ok();
                let why = crate::config::problem::one_line(&error.to_string());
                self.tell(source, path, line, format!("is not valid JSON: {why}"));
                return true;
            }
        };
        // Claude Code's own files have them below `mcpServers`; a bare table is taken as well.
        let servers = value.get("mcpServers").unwrap_or(&value);
        let Some(servers) = servers.as_object() else {
            self.tell(source, path, None, "holds no table mcpServers".to_owned());
            return true;
        };
        let place = Found { source, file: Some(path.to_owned()), unit: Unit::Milliseconds };
        for (name, entry) in servers {
            let line = line_of(&text, name);
            self.add(name, entry, &place, line, vars);
        }
        true
    }

    fn add(
        &mut self,
        name: &str,
        entry: &Value,
        place: &Found,
        line: Option<u32>,
        vars: &BTreeMap<String, String>,
    ) {
        match Definition::read(name, entry, place, vars) {
            Ok(definition) => {
                let taken = |old: &Definition| old.name == definition.name && !old.of_project();
                if definition.of_project() && !self.trusted && self.definitions.iter().any(taken) {
                    return;
                }
                self.definitions.retain(|old| old.name != definition.name);
                self.definitions.push(definition);
            }
            Err(why) => {
                let why = format!("the MCP server {name} does not count: {why}");
                self.problems.push(Problem {
                    source: place.source,
                    file: place.file.clone(),
                    line,
                    message: why,
                    hint: None,
                });
            }
        }
    }

    /// Takes out what the policy of this machine does not allow.
    fn forbid(&mut self, policy: &Managed) {
        for definition in std::mem::take(&mut self.definitions) {
            let (command, url) = match &definition.how {
                How::Stdio { command, args, .. } => {
                    let words = std::iter::once(command).chain(args);
                    (words.cloned().collect::<Vec<_>>(), None)
                }
                How::Http { url, .. } => (Vec::new(), Some(url.as_str())),
            };
            let server = Server { name: &definition.name, command: &command, url };
            match policy.server(&server) {
                Ok(()) => self.definitions.push(definition),
                Err(message) => self.problems.push(Problem {
                    source: definition.source,
                    file: definition.file.clone(),
                    line: None,
                    message,
                    hint: None,
                }),
            }
        }
    }

    fn listed(&mut self, folder: &Path) {
        for name in [".claude/settings.json", ".claude/settings.local.json"] {
            let Ok(Some(text)) = text(&folder.join(name)) else { continue };
            let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
            let names = |key: &str| {
                let list = value[key].as_array().into_iter().flatten();
                list.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
            };
            self.listed.all |= value["enableAllProjectMcpServers"] == true;
            self.listed.enabled.extend(names("enabledMcpjsonServers"));
            self.listed.disabled.extend(names("disabledMcpjsonServers"));
        }
    }

    fn tell(&mut self, source: Source, path: &Path, line: Option<u32>, message: String) {
        let file = Some(path.to_owned());
        self.problems.push(Problem { source, file, line, message, hint: None });
    }
}

/// `None`: there is no such file.
fn text(path: &Path) -> Result<Option<String>, String> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    if !found.is_file() || found.len() > LARGEST {
        return Err("is no file of at most 1 MiB".to_owned());
    }
    std::fs::read_to_string(path).map(Some).map_err(|error| format!("cannot be read: {error}"))
}

/// 1-based line on which the name of a server first stands.
fn line_of(text: &str, name: &str) -> Option<u32> {
    let at = text.find(&Value::from(name).to_string())?;
    u32::try_from(text[..at].matches('\n').count() + 1).ok()
}

/// Where `tern mcp add` writes servers of the project.
pub fn project_file(root: &Path) -> PathBuf {
    root.join(".mcp.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Sourced;

    #[test]
    fn nearer_places_win_and_bad_entries_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let cwd = root.join("sub");
        std::fs::create_dir_all(root.join(".claude")).unwrap();
        std::fs::create_dir_all(&cwd).unwrap();
        std::fs::write(
            root.join(".mcp.json"),
            "{\"mcpServers\": {\n \"a\": {\"command\": \"theirs\"},\n \"b\": {\"command\": \"b\"},\n \"bad\": {}}}",
        )
        .unwrap();
        std::fs::write(cwd.join(".mcp.json"), "{\"b\": {\"command\": \"nearer\"}}").unwrap();
        std::fs::write(
            root.join(".claude/settings.local.json"),
            "{\"enabledMcpjsonServers\": [\"a\"], \"disabledMcpjsonServers\": [\"b\"]}",
        )
        .unwrap();
        std::fs::write(
            root.join("flag.json"),
            "{\"mcpServers\": {\"f\": {\"url\": \"http://x\"}}}",
        )
        .unwrap();
        let table: toml::Value = toml::from_str("command = \"own\"\ntimeout = 5").unwrap();
        let mut config = Config::default();
        for name in ["a", "own"] {
            config.mcp.insert(name.into(), Sourced::new(table.clone(), Source::User));
        }
        let flag = root.join("flag.json");
        let vars = BTreeMap::new();
        let file = Some(flag.as_path());
        let look = |trusted| Look {
            config: &config,
            vars: &vars,
            cwd: &cwd,
            root,
            file,
            brought: &[],
            trusted,
        };
        let found = find(look(true));
        let shown: Vec<_> = found
            .definitions
            .iter()
            .map(|d| (d.name.as_str(), d.shown(), d.source, d.enabled))
            .collect();
        assert_eq!(
            shown,
            [
                ("own", "own".to_owned(), Source::User, true),
                ("a", "theirs".to_owned(), Source::Project, true),
                ("b", "nearer".to_owned(), Source::Project, false),
                ("f", "http://x".to_owned(), Source::Flag, true),
            ]
        );
        assert!(found.listed.lets_in("a") && !found.listed.lets_in("b"));
        assert_eq!((found.problems.len(), found.problems[0].line), (1, Some(4)));
        let own = find(look(false)).definitions.into_iter().find(|d| d.name == "a").unwrap();
        assert_eq!(own.shown(), "own");
    }
}
