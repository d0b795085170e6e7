//! What a log holds, told to the front end as it was told when it happened: a session that is taken
//! up again looks like one that never ended.
//!
//! Not for what the model is sent: that is `session::replay`.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::agent::compact;
use crate::agent::shared::Shared;
use crate::agent::turn::GO_ON;
use crate::agent::undo;
use crate::protocol::{
    CallId, CallResult, Detail, Event, Level, MessageId, Money, Part, Role, Title, TurnEnd,
    TurnSummary,
};
use crate::session::read::Loaded;
use crate::session::record::{Body, Record};
use crate::session::replay::SUMMARY;
use crate::session::steps::{Steps, Taken};

/// Everything the branch holds, oldest first. `told`: records at its end that the front end has
/// been told already, see [`ending`]; what came before them is told as such.
pub async fn screen(
    shared: &Shared,
    loaded: &Loaded,
    steps: &Steps,
    title: Option<&str>,
    told: &[MessageId],
) {
    if let Some(title) = title {
        shared.emit(Event::Titled { title: title.to_owned() }).await;
    }
    let cwd = shared.cwd();
    let (before, after) = around(loaded, told);
    if after.is_some() {
        shared.emit(Event::EarlierBegun).await;
    }
    tell(&shared.events, &cwd, loaded, steps, before).await;
    if let Some(after) = after {
        shared.emit(Event::EarlierEnded).await;
        tell(&shared.events, &cwd, loaded, steps, after).await;
    }
}

/// The records at the end of a large log, for [`screen`] to tell what came before them.
pub async fn ending(out: &mpsc::Sender<Event>, records: Vec<Record>) -> Vec<MessageId> {
    let mut teller =
        Teller { out, cwd: Path::new(""), steps: &[], open: Vec::new(), turn: Turn::default() };
    let mut told = Vec::new();
    for record in records {
        told.push(record.id.clone());
        teller.record(record, Output::Whole).await;
    }
    teller.end().await;
    told
}

/// What of the branch stands before the records that were told, and after them; all of it and
/// nothing where they are not part of it.
fn around(loaded: &Loaded, told: &[MessageId]) -> (Range<usize>, Option<Range<usize>>) {
    let all = 0..loaded.branch.len();
    let ids = |range: Range<usize>| loaded.branch[range].iter().map(|at| &loaded.entries[*at].id);
    let first = told.first().and_then(|first| ids(all.clone()).position(|id| id == first));
    match first.map(|first| first..first + told.len()) {
        Some(same) if same.end <= all.end && ids(same.clone()).eq(told) => {
            (0..same.start, Some(same.end..all.end))
        }
        Some(_) | None => (all, None),
    }
}

async fn tell(
    out: &mpsc::Sender<Event>,
    cwd: &Path,
    loaded: &Loaded,
    steps: &Steps,
    part: Range<usize>,
) {
    let recent = loaded.last_within(OUTPUTS);
    let mut teller =
        Teller { out, cwd, steps: &steps.taken, open: Vec::new(), turn: Turn::default() };
    for at in part {
        let Some(record) = loaded.record(loaded.branch[at]) else { continue };
        let output = if at < recent { Output::Short } else { Output::Whole };
        teller.record(record, output).await;
    }
    teller.end().await;
}

/// How much of what tools returned the front end is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Whole,
    Short,
}

/// Tells one record after the other.
struct Teller<'a> {
    out: &'a mpsc::Sender<Event>,
    cwd: &'a Path,
    steps: &'a [Taken],
    open: Vec<Open>,
    turn: Turn,
}

impl Teller<'_> {
    /// A front end that is gone needs to be told nothing.
    async fn emit(&self, event: Event) {
        let _gone = self.out.send(event).await;
    }

    async fn record(&mut self, record: Record, output: Output) {
        self.turn.count(&record);
        let Record { id, body, t, .. } = record;
        match body {
            Body::User { parts, .. } => {
                self.flush().await;
                if self.turn.is_over {
                    self.turn_over().await;
                    self.turn = Turn::default();
                }
                self.turn.began.get_or_insert(t);
                self.user(id, parts).await;
            }
            Body::Assistant { parts, cut, .. } => {
                self.flush().await;
                let calls = parts.iter().any(|part| matches!(part, Part::Call { .. }));
                let turn = &mut self.turn;
                (turn.is_over, turn.was_cut, turn.has_answer) = (cut || !calls, cut, true);
                self.assistant(id, parts).await;
            }
            Body::Call { call, tool, input, title, .. } => {
                self.open.push(Open { call, tool, title, input });
            }
            Body::Result { call, mut result } => {
                if output == Output::Short && result.text.len() > SHORT {
                    FAR_BACK.clone_into(&mut result.text);
                }
                let Some(at) = self.open.iter().position(|open| open.call == call) else { return };
                let open = self.open.remove(at);
                self.ended(open, Some(result)).await;
            }
            Body::Compaction(compaction) if compaction.undone => {
                self.emit(Event::Noticed {
                    level: Level::Info,
                    text: compact::TAKEN_BACK.to_owned(),
                })
                .await;
            }
            Body::Compaction(compaction) => {
                let (before, after) = (compaction.before, compaction.after);
                self.emit(Event::Compacted { before, after, summary: compaction.summary }).await;
            }
            Body::Rewind(_) => {
                if let Some(taken) = self.steps.iter().find(|taken| taken.record == id) {
                    self.emit(undo::told_again(taken, self.cwd)).await;
                }
            }
            _ => {}
        }
    }

    async fn end(&mut self) {
        self.flush().await;
        if self.turn.is_over {
            self.turn_over().await;
        }
    }

    async fn flush(&mut self) {
        for call in std::mem::take(&mut self.open) {
            self.ended(call, None).await;
        }
    }

    async fn ended(&self, open: Open, result: Option<CallResult>) {
        let Open { call, tool, title, input } = open;
        self.emit(Event::CallRestored { call, tool, title, input, result }).await;
    }

    /// The last text is what the person said; those before it are notes that went along.
    async fn user(&self, message: MessageId, parts: Vec<Part>) {
        let mut texts: Vec<String> = parts
            .into_iter()
            .filter_map(|part| match part {
                Part::Text { text } => Some(text),
                _ => None,
            })
            .collect();
        let said = texts.pop().unwrap_or_default();
        for note in &texts {
            if let Some((command, output, code)) = own_command(note) {
                self.emit(Event::ShellEnded { command, output, code }).await;
            }
        }
        if !said.is_empty() && !is_ours(&said) {
            self.emit(Event::Restored { message, role: Role::User, text: said }).await;
        }
    }

    async fn assistant(&self, message: MessageId, parts: Vec<Part>) {
        for part in parts {
            match part {
                Part::Thinking { text, .. } if !text.trim().is_empty() => {
                    self.emit(Event::ThoughtAdded { message: message.clone(), text }).await;
                }
                Part::Text { text } if !text.is_empty() => {
                    let (message, role) = (message.clone(), Role::Assistant);
                    self.emit(Event::Restored { message, role, text }).await;
                }
                _ => {}
            }
        }
    }

    async fn turn_over(&self) {
        if let Some((end, summary)) = self.turn.end() {
            self.emit(Event::TurnRestored { end, summary }).await;
        }
    }
}

/// Bytes at the end of a log whose outputs the front end holds whole: it would hold hundreds of
/// megabytes otherwise. Outputs that are short stay.
const OUTPUTS: u64 = 8 << 20;
const SHORT: usize = 1_000;
const FAR_BACK: &str = "(far back: tern sessions show has the whole output)";

/// A word from tern to the model, in the place of a person's.
pub fn is_ours(said: &str) -> bool {
    let begins = ["<instructions>\n", "<context>\n", "(tern: ", OWN, SUMMARY];
    said == GO_ON || begins.iter().any(|begin| said.starts_with(begin))
}

/// A call whose result has not been read yet.
struct Open {
    call: CallId,
    tool: String,
    title: Title,
    input: Value,
}

/// What the model is told of a command that the person ran.
pub fn own_command_note(command: &str, output: &str, code: Option<i32>) -> String {
    let status =
        code.map_or_else(|| "it did not end by itself".to_owned(), |code| format!("exit {code}"));
    format!("{OWN}{command}\n{output}\n({status})\n</shell>")
}

const OWN: &str = "<shell>\nThe user ran this command themselves:\n$ ";

/// Command, output and exit code out of such a note.
fn own_command(note: &str) -> Option<(String, String, Option<i32>)> {
    let text = note.strip_prefix(OWN)?.strip_suffix(")\n</shell>")?;
    let (text, status) = text.rsplit_once("\n(")?;
    let (command, output) = text.split_once('\n').unwrap_or((text, ""));
    let code = status.strip_prefix("exit ").and_then(|code| code.parse().ok());
    Some((command.to_owned(), output.to_owned(), code))
}

/// A turn as its records tell it: its end is not one of them.
#[derive(Debug, Default)]
struct Turn {
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    has_answer: bool,
    /// The last answer called nothing, or did not come whole.
    is_over: bool,
    was_cut: bool,
    done: Done,
    requests: u32,
    /// `None` once a price was not known.
    cost: Option<Money>,
}

impl Turn {
    fn count(&mut self, record: &Record) {
        match &record.body {
            Body::Result { result, .. } => self.done.add(result),
            Body::Usage { spend } => {
                let before = if self.requests == 0 { Some(Money::ZERO) } else { self.cost };
                self.cost = before.zip(spend.cost).map(|(sum, cost)| sum + cost);
                self.requests += 1;
            }
            Body::Assistant { .. } => {}
            _ => return,
        }
        self.ended = Some(record.t);
    }

    /// `None`: nothing was answered.
    fn end(&self) -> Option<(TurnEnd, TurnSummary)> {
        if !self.has_answer {
            return None;
        }
        let end = if self.was_cut { TurnEnd::Interrupted } else { TurnEnd::Done };
        let ran = self.began.zip(self.ended).map(|(began, ended)| ended.duration_since(began));
        let duration_ms = ran.and_then(|ran| u64::try_from(ran.as_millis()).ok()).unwrap_or(0);
        let mut summary = TurnSummary {
            requests: self.requests,
            cost: self.cost,
            duration_ms,
            ..TurnSummary::default()
        };
        self.done.tell(&mut summary);
        Some((end, summary))
    }
}

/// What the calls of a turn did.
#[derive(Debug, Default)]
pub struct Done {
    files: HashSet<String>,
    added: u32,
    removed: u32,
    commands: u32,
    edits: u32,
}

impl Done {
    pub fn add(&mut self, result: &CallResult) {
        match &result.detail {
            Detail::Diff { path, added, removed, .. } if !result.is_error() => {
                self.files.insert(path.clone());
                self.edits += 1;
                self.added += added;
                self.removed += removed;
            }
            Detail::Command { .. } => self.commands += 1,
            Detail::Diff { .. } | Detail::Text | Detail::Todos { .. } => {}
        }
    }

    /// Changes of files so far.
    pub fn edits(&self) -> u32 {
        self.edits
    }

    pub fn tell(&self, summary: &mut TurnSummary) {
        summary.files = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        (summary.added, summary.removed) = (self.added, self.removed);
        summary.commands = self.commands;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_the_person_comes_back_as_it_was() {
        for (command, output, code) in
            [("ls", "a\nb (c)", Some(0)), ("false", "", Some(1)), ("sleep 9", "x", None)]
        {
            let note = own_command_note(command, output, code);
            let told = own_command(&note).unwrap();
            assert_eq!(told, (command.to_owned(), output.to_owned(), code), "{note}");
        }
        assert_eq!(own_command("an ordinary note"), None);
    }
}
