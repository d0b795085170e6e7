//! Files that a prompt mentions go along with it, as Read and LS give them.
//!
//! Only what the model may read without a question is attached: a mention is text, and text may
//! have been pasted. For everything else the model has the name, and may ask.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::agent::servers;
use crate::agent::shared::Shared;
use crate::protocol::{CallResult, Event, Level, Part, Title};
use crate::text::mention::{self, Mention};
use crate::tools::Outcome;

/// Mentions of one prompt that are looked at.
const MOST: usize = 20;
/// Bytes that are attached to one prompt.
const ROOM: usize = 200_000;

/// A file or folder that goes along with a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    title: Title,
    result: CallResult,
}

/// What `text` mentions. What is not attached is told in a notice.
pub async fn attached(shared: &Shared, text: &str, cancel: &CancellationToken) -> Vec<Attached> {
    let mut all: Vec<Attached> = Vec::new();
    let mut room = ROOM;
    let mut seen: Vec<Mention> = Vec::new();
    for mention in mention::find(text) {
        if seen.len() == MOST {
            break;
        }
        let known = |other: &Mention| other.path == mention.path && other.lines == mention.lines;
        if seen.iter().any(known) {
            continue;
        }
        match attach(shared, &mention, room, cancel).await {
            None => continue,
            Some(Ok(attached)) => {
                room = room.saturating_sub(attached.result.text.len());
                all.push(attached);
            }
            Some(Err(why)) => {
                let text = format!("{} goes along by name only: {why}", mention.path);
                shared.notice(Level::Info, text).await;
            }
        }
        seen.push(mention);
    }
    for (mention, outcome) in servers::mentioned(shared, text, cancel).await {
        let title = Title::new("Attaching", "Attached", mention);
        let Outcome { status, text, facts, detail, .. } = outcome;
        all.push(Attached { title, result: CallResult { status, text, facts, detail } });
    }
    all
}

/// `None`: there is nothing of that name, so nothing was mentioned.
async fn attach(
    shared: &Shared,
    mention: &Mention,
    room: usize,
    cancel: &CancellationToken,
) -> Option<Result<Attached, String>> {
    let cwd = shared.cwd();
    let path = match mention.path.strip_prefix("~/") {
        Some(rest) => shared.gate.rules.home().join(rest),
        None => cwd.join(&mention.path),
    };
    let meta = tokio::fs::metadata(&path).await.ok()?;
    let (name, input) = if meta.is_dir() {
        ("LS", json!({ "path": path }))
    } else {
        ("Read", read(&path, mention.lines))
    };
    let tool = shared.tool(name)?;
    if let Err(why) = shared.gate.unasked(shared, name, &input).await {
        return Some(Err(why));
    }
    let (output, _pieces) = tokio::sync::mpsc::channel(1);
    let ctx = shared.tool_ctx(cancel.child_token(), output);
    let mut title = tool.title(&input, &cwd);
    "Attached".clone_into(&mut title.done);
    let outcome = tool.run(input, &ctx).await;
    let result = CallResult {
        status: outcome.status,
        text: outcome.text,
        facts: outcome.facts,
        detail: outcome.detail,
    };
    if result.is_error() {
        return Some(Err(result.text));
    }
    if result.text.len() > room {
        return Some(Err("what goes along with a prompt would be too long".to_owned()));
    }
    Some(Ok(Attached { title, result }))
}

fn read(path: &PathBuf, lines: Option<(usize, usize)>) -> Value {
    match lines {
        None => json!({ "file_path": path }),
        Some((first, last)) => {
            json!({ "file_path": path, "offset": first, "limit": last - first + 1 })
        }
    }
}

impl Attached {
    /// For the model.
    pub fn part(&self) -> Part {
        let Attached { title, result } = self;
        let facts = match result.facts.as_str() {
            "" => String::new(),
            facts => format!(" ({facts})"),
        };
        let text = format!(
            "<attached>\nThe user mentioned {}{facts}. It holds:\n{}\n</attached>",
            title.object, result.text
        );
        Part::Text { text }
    }

    /// For the screen.
    pub fn event(self) -> Event {
        Event::Attached { title: self.title, result: self.result }
    }
}
