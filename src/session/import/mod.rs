//! Transcripts of other programs, as sessions of tern: Claude Code's and Codex's JSONL. Best effort,
//! from formats that their makers do not document; what is left out is counted. The transcript
//! itself is only read.

mod claude;
mod codex;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use crate::protocol::{
    CallId, CallResult, CallStatus, Detail, Mode, Part, SessionId, Title, TurnId,
};
use crate::session::Places;
use crate::session::blobs::hash;
use crate::session::disk::{Disk, open_to_read};
use crate::session::log::{Log, Tools};
use crate::session::record::{Body, Opening};
use crate::session::redact::Secrets;

/// Bytes of the longest transcript that is read.
const LONGEST: u64 = 1 << 30;

/// What became of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub session: SessionId,
    pub path: PathBuf,
    pub from: Maker,
    pub prompts: usize,
    pub calls: usize,
    /// What was left out, each with its count.
    pub dropped: BTreeMap<&'static str, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Claude,
    Codex,
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Maker::Claude => "Claude Code",
            Maker::Codex => "Codex",
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path} could not be read: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} is no transcript of Claude Code or Codex", path = path.display())]
    Unknown { path: PathBuf },
    #[error("{path} holds no message", path = path.display())]
    Empty { path: PathBuf },
    #[error("{path} was imported already, as {session}", path = path.display(), session = session.0)]
    Already { path: PathBuf, session: SessionId },
    #[error("the session could not be written: {0}")]
    Unwritten(String),
}

/// A transcript, read.
#[derive(Debug, Default)]
struct Read {
    /// As its maker names it.
    id: String,
    cwd: String,
    branch: Option<String>,
    /// `PROVIDER/MODEL`
    model: String,
    title: Option<String>,
    items: Vec<(Option<Timestamp>, Body)>,
    turn: u64,
    dropped: BTreeMap<&'static str, usize>,
}

/// Writes the transcript `file` as a session of its own. The same transcript becomes the same
/// session, so that none is there twice.
pub fn import(file: &Path, places: &Places, now: Timestamp) -> Result<Imported, ImportError> {
    let path = file.to_owned();
    let bytes = read_bytes(file)
        .map_err(|source| ImportError::Unreadable { path: path.clone(), source })?;
    let lines: Vec<&[u8]> =
        bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let maker = lines.iter().take(50).find_map(|line| maker_of(line));
    let maker = maker.ok_or_else(|| ImportError::Unknown { path: path.clone() })?;
    let read = match maker {
        Maker::Claude => claude::read(&lines),
        Maker::Codex => codex::read(&lines),
    };
    let prompts = read.count(|body| matches!(body, Body::User { .. }));
    if read.items.is_empty() || prompts == 0 {
        return Err(ImportError::Empty { path });
    }
    let session = session_of(maker, if read.id.is_empty() { &path } else { Path::new(&read.id) });
    if places.find(&session).is_some() {
        return Err(ImportError::Already { path, session });
    }
    let calls = read.count(|body| matches!(body, Body::Call { .. }));
    let to = places.log(Path::new(&read.cwd), &session);
    let dropped = read.dropped.clone();
    write(read, maker, &to, &session, places, now)?;
    Ok(Imported { session, path: to, from: maker, prompts, calls, dropped })
}

fn read_bytes(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut open = open_to_read(file)?;
    let meta = open.metadata()?;
    if !meta.is_file() || meta.len() > LONGEST {
        return Err(std::io::Error::other("it is no file, or larger than 1 GiB"));
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut open, &mut bytes)?;
    Ok(bytes)
}

fn maker_of(line: &[u8]) -> Option<Maker> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    let codex = ["session_meta", "response_item", "turn_context", "event_msg", "compacted"];
    if codex.contains(&kind) && value.get("payload").is_some() {
        return Some(Maker::Codex);
    }
    let claude = value.get("sessionId").is_some() || value.get("leafUuid").is_some();
    claude.then_some(Maker::Claude)
}

/// A name in the form of the others, made of the transcript's own.
fn session_of(maker: Maker, name: &Path) -> SessionId {
    let hex = hash(format!("{maker} {}", name.display()).as_bytes());
    let part = |from: usize, to: usize| &hex[from..to];
    // Version 8, "vendor specific", RFC 9562.
    let (a, b, c, d, e) = (part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
    SessionId(format!("{a}-{b}-8{c}-8{d}-{e}"))
}

fn write(
    read: Read,
    maker: Maker,
    to: &Path,
    session: &SessionId,
    places: &Places,
    now: Timestamp,
) -> Result<(), ImportError> {
    let tools = Tools::new(Disk::default(), &places.blobs, Secrets::default());
    let mut t = read.items.iter().find_map(|(t, _)| *t).unwrap_or(now);
    let opening = Opening {
        session: session.clone(),
        cwd: read.cwd,
        model: read.model,
        mode: Mode::Default,
        branch: read.branch,
        tern: env!("CARGO_PKG_VERSION").to_owned(),
        origin: None,
    };
    let mut log = Log::create(to.to_owned(), opening, tools, t);
    let title = read.title.map(|title| Body::Title { title });
    let note = Body::Notice {
        level: crate::protocol::Level::Info,
        text: format!("Imported from {maker}."),
    };
    let rest = title.into_iter().chain([note]).map(|body| (None, body));
    for (at, body) in read.items.into_iter().chain(rest) {
        t = at.unwrap_or(t);
        // A record too long for a log is one that is left out.
        match log.append(body, t).problem {
            Some(problem) if log.unwritten() > 0 => {
                return Err(ImportError::Unwritten(problem.to_string()));
            }
            Some(_) | None => {}
        }
    }
    log.sync().map_err(|problem| ImportError::Unwritten(problem.to_string()))
}

impl Read {
    fn count(&self, is: impl Fn(&Body) -> bool) -> usize {
        self.items.iter().filter(|(_, body)| is(body)).count()
    }

    fn drop(&mut self, what: &'static str) {
        *self.dropped.entry(what).or_default() += 1;
    }

    fn user(&mut self, t: Option<Timestamp>, parts: Vec<Part>) {
        if !parts.is_empty() {
            self.turn += 1;
            self.items.push((t, Body::user(parts)));
        }
    }

    fn assistant(&mut self, t: Option<Timestamp>, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        let calls: Vec<(CallId, String, Value)> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Call { id, tool, input } => Some((id.clone(), tool.clone(), input.clone())),
                _ => None,
            })
            .collect();
        self.items.push((t, Body::assistant(parts, self.model.clone())));
        for (call, tool, input) in calls {
            let (title, turn) = (title(&tool, &input), TurnId(self.turn));
            self.items.push((t, Body::Call { call, tool, input, title, turn }));
        }
    }

    fn result(&mut self, t: Option<Timestamp>, call: &str, text: String, failed: bool) {
        let status = if failed { CallStatus::Failed } else { CallStatus::Done };
        let result = CallResult { status, text, facts: String::new(), detail: Detail::Text };
        self.items.push((t, Body::Result { call: CallId(call.to_owned()), result }));
    }
}

/// A call in plain words, as far as its name tells.
fn title(tool: &str, input: &Value) -> Title {
    let field = |names: &[&str]| {
        let text = names.iter().find_map(|name| input.get(name)).map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Array(words) => {
                words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        });
        let text = text.unwrap_or_default();
        text.lines().next().unwrap_or_default().chars().take(200).collect::<String>()
    };
    match tool {
        "Read" => Title::new("Reading", "Read", field(&["file_path"])),
        "Write" => Title::new("Writing", "Wrote", field(&["file_path"])),
        "Edit" | "MultiEdit" => Title::new("Editing", "Edited", field(&["file_path"])),
        "Bash" | "shell" | "exec_command" | "local_shell" => {
            Title::new("Running", "Ran", field(&["command", "cmd"]))
        }
        "Grep" | "Glob" => Title::new("Searching", "Searched", field(&["pattern"])),
        _ => Title::new("Calling", "Called", tool),
    }
}

fn time(line: &Value) -> Option<Timestamp> {
    line.get("timestamp")?.as_str()?.parse().ok()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
