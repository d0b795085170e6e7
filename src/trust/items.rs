//! The things in a project's files that execute or redirect.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One thing that needs trust, for the person to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub kind: Kind,
    /// The rule, the command, the name.
    pub text: String,
    /// Relative to the root.
    pub file: PathBuf,
    /// 1-based, where it is known.
    pub line: Option<u32>,
    /// Everything that trust in it covers, for the hash.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    AllowRule,
    Directory,
    Hook,
    Check,
    McpServer,
    Agent,
    Command,
    Skill,
    /// Another setting that runs a program or changes the environment.
    Setting,
    /// A file that could hold any of these but cannot be read.
    Unreadable,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::AllowRule => "allow rule",
            Kind::Directory => "additional directory",
            Kind::Hook => "hook",
            Kind::Check => "check after edits",
            Kind::McpServer => "MCP server",
            Kind::Agent => "agent",
            Kind::Command => "command",
            Kind::Skill => "skill",
            Kind::Setting => "setting",
            Kind::Unreadable => "unreadable file",
        }
    }
}

const LARGEST: u64 = 1 << 20;
const MOST_FILES: usize = 500;
const DEEPEST: usize = 5;

pub(super) fn of(root: &Path) -> Vec<Item> {
    let mut items = Vec::new();
    for name in [".claude/settings.json", ".claude/settings.local.json"] {
        settings(root, name, |text| serde_json::from_str(text).ok(), &mut items);
    }
    for name in [".tern/config.toml", ".tern/config.local.toml"] {
        let read = |text: &str| {
            toml::from_str::<toml::Table>(text)
                .ok()
                .and_then(|table| serde_json::to_value(table).ok())
        };
        settings(root, name, read, &mut items);
    }
    settings(root, ".mcp.json", |text| serde_json::from_str(text).ok(), &mut items);
    for folder in [".claude", ".tern"] {
        for (name, kind) in
            [("agents", Kind::Agent), ("commands", Kind::Command), ("skills", Kind::Skill)]
        {
            let start = Path::new(folder).join(name);
            let mut files = Vec::new();
            collect(root, &start, 0, &mut files);
            files.sort();
            for file in files {
                items.push(document(root, &start, file, kind));
            }
        }
    }
    items
}

/// `None`: there is no such file.
fn read(root: &Path, name: &Path) -> Option<Result<String, ()>> {
    let path = root.join(name);
    let found = match std::fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => return Some(Err(())),
    };
    if !found.is_file() || found.len() > LARGEST {
        return Some(Err(()));
    }
    Some(std::fs::read_to_string(&path).map_err(|_| ()))
}

fn settings(root: &Path, name: &str, parse: impl Fn(&str) -> Option<Value>, items: &mut Vec<Item>) {
    let Some(text) = read(root, Path::new(name)) else { return };
    let parsed = text.as_ref().ok().and_then(|text| parse(text));
    let (Ok(text), Some(value)) = (&text, parsed) else {
        items.push(Item {
            kind: Kind::Unreadable,
            text: name.to_owned(),
            file: name.into(),
            line: None,
            detail: text.unwrap_or_default(),
        });
        return;
    };
    let mut lines = Lines { text, from: 0 };
    let mut add = |kind, shown: String, needle: &str, detail: &Value| {
        let line = lines.of(needle);
        items.push(Item { kind, text: shown, file: name.into(), line, detail: detail.to_string() });
    };
    let permissions = &value["permissions"];
    for rule in strings(&permissions["allow"]) {
        add(Kind::AllowRule, rule.to_owned(), rule, &Value::Null);
    }
    for field in ["additionalDirectories", "additional-directories"] {
        for folder in strings(&permissions[field]) {
            add(Kind::Directory, folder.to_owned(), folder, &Value::Null);
        }
    }
    for field in ["defaultMode", "mode"] {
        if let Some(mode) = permissions[field].as_str().filter(|mode| *mode == "acceptEdits") {
            add(Kind::Setting, format!("permission mode {mode}"), mode, &Value::Null);
        }
    }
    for (event, matchers) in value["hooks"].as_object().into_iter().flatten() {
        for (command, whole) in hooks(matchers) {
            add(Kind::Hook, format!("{event}: {command}"), &command, &whole);
        }
    }
    for servers in [&value["mcpServers"], &value["mcp"]["servers"]] {
        for (server, entry) in servers.as_object().into_iter().flatten() {
            add(Kind::McpServer, format!("{server}: {}", server_text(entry)), server, entry);
        }
    }
    for (name, command) in value["checks"].as_object().into_iter().flatten() {
        if let Some(text) = command.as_str() {
            add(Kind::Check, format!("{name}: {text}"), text, command);
        }
    }
    for field in SETTINGS {
        if let Some(found) = value.get(field) {
            add(Kind::Setting, field.to_owned(), field, found);
        }
    }
}

/// Fields of a settings file that run a program, reach a server or set what programs see.
const SETTINGS: [&str; 10] = [
    "env",
    "apiKeyHelper",
    "awsAuthRefresh",
    "awsCredentialExport",
    "statusLine",
    "otelHeadersHelper",
    "enableAllProjectMcpServers",
    "enabledMcpjsonServers",
    "providers",
    "sandbox",
];

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Each command of an event's list, with everything that says when and how it runs. Claude Code nests
/// a list of hooks in each matcher; tern's own files do not.
fn hooks(matchers: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for matcher in matchers.as_array().into_iter().flatten() {
        let inner = matcher["hooks"].as_array();
        match inner {
            Some(inner) => {
                for hook in inner {
                    found.push((hook_text(hook), matcher.clone()));
                }
            }
            None => found.push((hook_text(matcher), matcher.clone())),
        }
    }
    found
}

fn hook_text(hook: &Value) -> String {
    ["command", "url", "prompt"]
        .iter()
        .find_map(|field| hook[field].as_str())
        .map_or_else(|| hook.to_string(), str::to_owned)
}

/// As a shell would be told it: what is set in the environment can run something as well.
fn server_text(entry: &Value) -> String {
    match entry["command"].as_str() {
        Some(command) => {
            let set = entry["env"].as_object().into_iter().flatten();
            let set = set.map(|(name, value)| {
                format!(
                    "{name}={}",
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                )
            });
            let words = std::iter::once(command).chain(strings(&entry["args"]));
            set.chain(words.map(str::to_owned)).collect::<Vec<_>>().join(" ")
        }
        None => entry["url"].as_str().unwrap_or("an unclear server").to_owned(),
    }
}

/// Finds lines one after the other, as the items come in the order of the file where they can.
struct Lines<'a> {
    text: &'a str,
    from: usize,
}

impl Lines<'_> {
    fn of(&mut self, needle: &str) -> Option<u32> {
        let escaped = Value::from(needle).to_string();
        let escaped = escaped.trim_matches('"');
        let at = self.text[self.from..]
            .find(escaped)
            .map(|at| at + self.from)
            .or_else(|| self.text.find(escaped))?;
        if at >= self.from {
            self.from = at;
        }
        u32::try_from(self.text[..at].matches('\n').count() + 1).ok()
    }
}

fn collect(root: &Path, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    if depth > DEEPEST {
        return;
    }
    for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
        if files.len() >= MOST_FILES {
            return;
        }
        let path = folder.join(entry.file_name());
        let Ok(found) = std::fs::metadata(root.join(&path)) else { continue };
        if found.is_dir() {
            collect(root, &path, depth + 1, files);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

fn document(root: &Path, start: &Path, file: PathBuf, kind: Kind) -> Item {
    let text = file.strip_prefix(start).unwrap_or(&file).with_extension("").display().to_string();
    match read(root, &file) {
        Some(Ok(detail)) => Item { kind, text, file, line: None, detail },
        _ => Item { kind: Kind::Unreadable, text, file, line: None, detail: String::new() },
    }
}
