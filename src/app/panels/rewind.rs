//! The panel that chooses where to go back to: the person's messages of this session, with what was
//! changed from each on.

use crate::app::calls::CallState;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, open as open_panel};
use crate::app::transcript::{Body, Entry};
use crate::protocol::{Command, Detail, MessageId, RewindScope};

/// A message that can be gone back before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub message: MessageId,
    /// Its first line.
    pub text: String,
    /// Edits up to the next message, and what they added and removed.
    pub edits: u32,
    pub added: u32,
    pub removed: u32,
    pub commands: u32,
}

/// Opens with the newest message chosen.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    open_panel(model, Kind::Rewind);
    let count = lines(model).len();
    if count == 0 {
        model.panel = None;
        model.say("there is no message to go back to");
    } else if let Some(panel) = &mut model.panel {
        panel.at = count - 1;
    }
    Vec::new()
}

/// Asks what going back before the message of the chosen entry takes, or of the one above it.
pub fn here(model: &mut Model) -> Vec<Effect> {
    let Some(at) = model.browse else { return Vec::new() };
    let said = model.transcript.entries().iter().take(at + 1).rev().find_map(message);
    match said.cloned() {
        Some(_) if model.is_working() => model.say("stop the turn first: esc"),
        Some(to) => return vec![ask(to, RewindScope::Both)],
        None => model.say("there is no message to go back to"),
    }
    Vec::new()
}

/// Enter.
pub fn choose(model: &mut Model) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let Some(line) = lines(model).into_iter().nth(at) else { return Vec::new() };
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    model.panel = None;
    vec![ask(line.message, RewindScope::Both)]
}

pub fn ask(to: MessageId, scope: RewindScope) -> Effect {
    Effect::Send(Command::Rewind { to, scope })
}

/// The messages that the filter leaves, oldest first.
pub fn lines(model: &Model) -> Vec<Line> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default().to_lowercase();
    let mut lines: Vec<Line> = Vec::new();
    for entry in model.transcript.entries() {
        match (&entry.body, message(entry)) {
            (Body::Person { text, .. }, Some(message)) => lines.push(Line {
                message: message.clone(),
                text: text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default().to_owned(),
                edits: 0,
                added: 0,
                removed: 0,
                commands: 0,
            }),
            (Body::Call(call), _) => {
                if let (Some(line), CallState::Ended(result)) = (lines.last_mut(), &call.state) {
                    count(line, &result.detail, result.is_error() || call.undone);
                }
            }
            _ => {}
        }
    }
    lines.retain(|line| line.text.to_lowercase().contains(&query));
    lines
}

fn count(line: &mut Line, detail: &Detail, gone: bool) {
    match detail {
        Detail::Diff { added, removed, .. } if !gone => {
            line.edits += 1;
            line.added += added;
            line.removed += removed;
        }
        Detail::Command { .. } => line.commands += 1,
        _ => {}
    }
}

fn message(entry: &Entry) -> Option<&MessageId> {
    match &entry.body {
        Body::Person { .. } => entry.message.as_ref(),
        _ => None,
    }
}
