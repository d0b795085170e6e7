//! What a tool call wants: paths, a command, an address. Pure; a table by tool name.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::path;
use super::programs::{self, Below, Effect, PathUse, Touch};
use super::rule::current_name;
use super::shell::{self, Part, Script, Shape, Word, wrap};

#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// As the model named it.
    pub tool: String,
    pub input: Value,
    pub wants: Wants,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Wants {
    /// Nothing outside of tern's own state.
    Nothing,
    /// An answer from the person; the tool's own dialog is the question.
    Person,
    Paths(Paths),
    Shell(Shell),
    Url(String),
    /// Something that only its rules can speak of: MCP tools, searches, tools that tern does not know.
    Other,
    /// The input is not what the tool takes; a sentence.
    Unclear(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Reads,
    Writes,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Paths {
    pub use_: Use,
    /// Absolute, as given: links and `..` are not resolved.
    pub paths: Vec<PathBuf>,
    pub below: Below,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Shell {
    pub script: Script,
    /// One for each part of the script.
    pub steps: Vec<Step>,
}

/// A part of a command, with everything that can be said of it without looking at the file system.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub part: Part,
    pub views: wrap::Views,
    pub effect: Effect,
    /// Words that may be paths, where the effect is unknown.
    pub mentions: Vec<PathUse>,
    /// Whether the program is known to write to what it is given.
    pub writes_mentions: bool,
}

/// The call that is meant: `UseTool {name, input}` stands for a call of `name`, in every place that
/// judges, shows or runs one. A name that is missing, or its own, stays as it is and is refused.
pub fn meant(tool: &str, input: &Value) -> (String, Value) {
    let whole = || (tool.to_owned(), input.clone());
    if tool != USE_TOOL {
        return whole();
    }
    match (input.get("name"), input.get("input")) {
        (Some(Value::String(name)), inner) if name != USE_TOOL => {
            let inner = match inner {
                // Some models write the inner object as text.
                Some(Value::String(text)) => {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
                }
                Some(inner) => inner.clone(),
                None => Value::Object(serde_json::Map::new()),
            };
            (name.clone(), inner)
        }
        _ => whole(),
    }
}

const USE_TOOL: &str = "UseTool";

/// What the call of `tool` with `input` wants, when commands start in `cwd` (absolute).
pub fn of(tool: &str, input: &Value, cwd: &Path) -> Access {
    let (tool, input) = meant(tool, input);
    let wants = wants(&tool, &input, cwd).unwrap_or_else(Wants::Unclear);
    Access { tool, input, wants }
}

fn wants(tool: &str, input: &Value, cwd: &Path) -> Result<Wants, String> {
    let reads = |paths, below| Ok(Wants::Paths(Paths { use_: Use::Reads, paths, below }));
    let writes = |path| {
        Ok(Wants::Paths(Paths { use_: Use::Writes, paths: vec![path], below: Below::Names }))
    };
    match current_name(tool) {
        "Read" | "LSP" => {
            let field = if input.get("filePath").is_some() { "filePath" } else { "file_path" };
            reads(vec![cwd.join(text(input, field)?)], Below::Names)
        }
        "NotebookRead" => reads(vec![cwd.join(text(input, "notebook_path")?)], Below::Names),
        "LS" => reads(vec![cwd.join(optional(input, "path")?.unwrap_or("."))], Below::Names),
        "Glob" => {
            let folder = cwd.join(optional(input, "path")?.unwrap_or("."));
            // A pattern may lead out of the folder by itself.
            let reached = path::tidy(&folder.join(text(input, "pattern")?));
            reads(vec![folder, reached], Below::Names)
        }
        "Grep" => {
            text(input, "pattern")?;
            // What rules keep from being read below it, the tool leaves out.
            reads(vec![cwd.join(optional(input, "path")?.unwrap_or("."))], Below::Names)
        }
        "Write" | "Edit" | "MultiEdit" => writes(cwd.join(text(input, "file_path")?)),
        "NotebookEdit" => writes(cwd.join(text(input, "notebook_path")?)),
        "Bash" | "Monitor" => Ok(Wants::Shell(shell(text(input, "command")?, cwd))),
        "WebFetch" => Ok(Wants::Url(text(input, "url")?.to_owned())),
        "TodoWrite"
        | "TaskOutput"
        | "TaskStop"
        | "ToolSearch"
        | "ListMcpResourcesTool"
        | "ReadMcpResourceTool"
        | "Agent" => Ok(Wants::Nothing),
        "AskUserQuestion" | "ExitPlanMode" => Ok(Wants::Person),
        USE_TOOL => Err("it names no tool".to_owned()),
        _ => Ok(Wants::Other),
    }
}

fn text<'a>(input: &'a Value, field: &str) -> Result<&'a str, String> {
    match input.get(field) {
        Some(Value::String(text)) if text.contains('\0') => {
            Err(format!("{field} holds a null character"))
        }
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{field} is not text")),
        None => Err(format!("{field} is missing")),
    }
}

fn optional<'a>(input: &'a Value, field: &str) -> Result<Option<&'a str>, String> {
    match input.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(input, field).map(|text| Some(text).filter(|text| !text.is_empty())),
    }
}

pub fn shell(command: &str, cwd: &Path) -> Shell {
    let script = shell::read(command, cwd);
    let steps = script.parts.iter().map(step).collect();
    Shell { script, steps }
}

fn step(part: &Part) -> Step {
    let core = wrap::core(&part.words);
    let effect = if core.len() < part.words.len() && starts_with_xargs(part) {
        Effect::Unknown("its operands come from its input".to_owned())
    } else {
        programs::effect(core)
    };
    let unknown = matches!(effect, Effect::Unknown(_));
    let name = core.first().map(Word::loose).unwrap_or_default();
    Step {
        views: wrap::views(part),
        mentions: if unknown { mentions(&part.words) } else { Vec::new() },
        writes_mentions: unknown && WRITERS.contains(&name.rsplit('/').next().unwrap_or_default()),
        effect,
        part: part.clone(),
    }
}

fn starts_with_xargs(part: &Part) -> bool {
    let wrappers = part.words.len() - wrap::core(&part.words).len();
    part.words.iter().take(wrappers).any(|word| word.source == "xargs")
}

/// Programs that change the files that they are given, in ways that are not judged by flag.
const WRITERS: [&str; 20] = [
    "tee", "ln", "install", "dd", "truncate", "chmod", "chown", "chgrp", "cp", "mv", "rm", "rmdir",
    "mkdir", "touch", "sed", "patch", "shred", "unlink", "rsync", "sponge",
];

/// Words that may name a file: as they stand, after a `=`, after an `@`, after a short flag.
fn mentions(words: &[Word]) -> Vec<PathUse> {
    let mut found = Vec::new();
    for word in words.iter().skip(1) {
        let Some(path) = PathUse::of(word) else { continue };
        if let (Shape::Plain { home: false, .. }, text) = (word.shape(), &path.text) {
            let mut add = |text: &str| {
                if !text.is_empty() && !text.starts_with('-') {
                    found.push(PathUse::plain(text));
                }
            };
            if let Some((_, value)) = text.split_once('=') {
                add(value.trim_start_matches('@'));
            }
            if let Some((_, value)) = text.split_once('@') {
                add(value);
            }
            if let Some(rest) = text.strip_prefix('-').filter(|rest| rest.len() > 1) {
                add(rest.get(1..).unwrap_or_default());
            }
            if let Some((_, value)) = text.split_once(':') {
                add(value);
            }
        }
        if !path.text.starts_with('-') {
            found.push(path);
        }
    }
    found.truncate(MOST_MENTIONS);
    found
}

/// More than fit in a command that is judged by its parts.
const MOST_MENTIONS: usize = 12_000;

impl Step {
    /// Every path that it is known to use.
    pub fn uses(&self) -> Vec<(Use, PathUse)> {
        let mut uses = Vec::new();
        for redirect in &self.part.redirects {
            let use_ = match redirect.kind {
                shell::RedirectKind::Reads => Use::Reads,
                shell::RedirectKind::Writes => Use::Writes,
                shell::RedirectKind::Feeds => continue,
            };
            uses.extend(PathUse::of(&redirect.target).map(|path| (use_, path)));
        }
        if let Some(touch) = self.touch() {
            uses.extend(touch.reads.iter().cloned().map(|path| (Use::Reads, path)));
            uses.extend(touch.writes.iter().cloned().map(|path| (Use::Writes, path)));
        }
        uses
    }

    pub fn touch(&self) -> Option<&Touch> {
        match &self.effect {
            Effect::Reads(touch) | Effect::Edits(touch) => Some(touch),
            Effect::Unknown(_) => None,
        }
    }
}
