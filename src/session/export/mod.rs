//! A conversation as a document: Markdown, one HTML file, or JSON lines.

mod html;
mod markdown;
pub mod redaction;

use crate::protocol::{CallId, CallResult, Part, SessionId, Title};
use crate::session::blobs::Blobs;
use crate::session::export::redaction::Redaction;
use crate::session::read::Loaded;
use crate::session::record::{self, Body, Record};
use crate::session::replay;
use crate::session::shelve::unshelve;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Markdown,
    /// Complete in itself: no script, nothing fetched.
    Html,
    /// The records, pasted text in its place.
    Jsonl,
}

/// The current branch of a session. With a redaction, that first goes over every text.
pub fn export(
    loaded: &Loaded,
    blobs: &Blobs,
    format: Format,
    mut redaction: Option<&mut Redaction>,
) -> String {
    let records = loaded.branch.iter().filter_map(|index| {
        let record = whole(loaded.record(*index)?, blobs);
        let record = match &mut redaction {
            Some(redaction) => redaction.record(record),
            None => record,
        };
        // What cannot be read cannot be gone over; otherwise its line is kept as it is.
        let line = (record.body == Body::Unknown && redaction.is_none())
            .then(|| loaded.line(*index))
            .flatten();
        Some((record, line))
    });
    match format {
        Format::Markdown => markdown::page(&document(records.map(|(record, _)| record))),
        Format::Html => html::page(&document(records.map(|(record, _)| record))),
        Format::Jsonl => records.filter_map(|(record, line)| json_line(&record, line)).collect(),
    }
}

fn json_line(record: &Record, unknown: Option<Vec<u8>>) -> Option<String> {
    let line = match unknown {
        Some(mut line) => {
            line.push(b'\n');
            line
        }
        None => record::encode(record).ok()?,
    };
    String::from_utf8(line).ok()
}

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Default)]
struct Document {
    title: String,
    /// Name and value.
    facts: Vec<(&'static str, String)>,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Person(String),
    Model(String),
    Thought(String),
    Call(Box<Call>),
    /// The summary of a compaction.
    Summary(String),
    Notice(String),
}

#[derive(Debug, Clone, PartialEq)]
struct Call {
    id: CallId,
    tool: String,
    title: Title,
    /// The command, or the input as JSON.
    input: String,
    /// `None`: its outcome is not known.
    result: Option<CallResult>,
}

/// Puts what stands in the blob store back in its place.
fn whole(record: Record, blobs: &Blobs) -> Record {
    match record.body {
        Body::User { parts, shelved } => {
            Record { body: Body::user(unshelve(parts, &shelved, blobs).0), ..record }
        }
        _ => record,
    }
}

fn document(records: impl Iterator<Item = Record>) -> Document {
    let mut document = Document::default();
    let mut session = SessionId::default();
    let mut first_prompt = String::new();
    for record in records {
        match record.body {
            Body::Session(opening) => {
                session = opening.session;
                document.facts.push(("project", opening.cwd));
                document.facts.extend(opening.branch.map(|branch| ("branch", branch)));
                document.facts.push(("model", opening.model));
                document.facts.push(("begun", record.t.strftime("%Y-%m-%d %H:%M UTC").to_string()));
            }
            Body::Title { title } => document.title = title,
            Body::User { parts, .. } => {
                let text = texts(&parts);
                if first_prompt.is_empty() {
                    first_prompt = text.lines().next().unwrap_or_default().to_owned();
                }
                document.items.push(Item::Person(text));
            }
            Body::Assistant { parts, .. } => {
                document.items.extend(parts.into_iter().filter_map(item));
            }
            Body::Call { call, tool, input, title, .. } => {
                let input = input_text(&input);
                let call = Call { id: call, tool, title, input, result: None };
                // The model's message named the call already; the intent knows it in plain words.
                match find_call(&mut document.items, &call.id) {
                    Some(there) => *there = call,
                    None => document.items.push(Item::Call(Box::new(call))),
                }
            }
            Body::Result { call, result } => {
                if let Some(there) = find_call(&mut document.items, &call) {
                    there.result = Some(result);
                }
            }
            Body::Compaction(compaction) => document.items.push(Item::Summary(compaction.summary)),
            Body::Notice { text, .. } => document.items.push(Item::Notice(text)),
            Body::Context { .. }
            | Body::Seen { .. }
            | Body::Usage { .. }
            | Body::Mode { .. }
            | Body::Model { .. }
            | Body::Queue { .. }
            | Body::Place { .. }
            | Body::Window(_)
            | Body::Rewind(_)
            | Body::Checkpoint(_)
            | Body::Unknown => {}
        }
    }
    if document.title.is_empty() {
        document.title = if first_prompt.is_empty() { session.0.clone() } else { first_prompt };
    }
    document.facts.push(("session", session.0));
    document
}

fn item(part: Part) -> Option<Item> {
    match part {
        Part::Text { text } => Some(Item::Model(text)),
        Part::Thinking { text, .. } if text.is_empty() => None,
        Part::Thinking { text, .. } => Some(Item::Thought(text)),
        Part::Call { id, tool, input } => Some(Item::Call(Box::new(Call {
            id,
            title: Title::new(&tool, &tool, ""),
            tool,
            input: input_text(&input),
            result: None,
        }))),
        Part::RedactedThinking { .. }
        | Part::Result { .. }
        | Part::Image { .. }
        | Part::Opaque { .. } => None,
    }
}

fn find_call<'a>(items: &'a mut [Item], id: &CallId) -> Option<&'a mut Call> {
    items.iter_mut().rev().find_map(|item| match item {
        Item::Call(call) if call.id == *id => Some(&mut **call),
        _ => None,
    })
}

fn texts(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            Part::Image { .. } => Some("[image]"),
            _ => None,
        })
        .collect();
    texts.join("\n\n")
}

fn input_text(input: &serde_json::Value) -> String {
    match input.get("command").and_then(serde_json::Value::as_str) {
        Some(command) => command.to_owned(),
        None => serde_json::to_string_pretty(input).unwrap_or_default(),
    }
}

impl Call {
    /// `Read src/parser.rs`, or `Read` where no more is known.
    fn heading(&self) -> String {
        let verb = if self.title.done.is_empty() { &self.tool } else { &self.title.done };
        format!("{verb} {}", self.title.object).trim_end().to_owned()
    }

    fn outcome(&self) -> &str {
        self.result.as_ref().map_or(replay::OUTCOME_UNKNOWN, |result| &result.text)
    }
}

#[cfg(test)]
mod tests;
