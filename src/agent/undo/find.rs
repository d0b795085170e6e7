//! What a step would do: read from the log, nothing is touched.

use std::path::Path;

use crate::protocol::{CallId, MessageId, Part, RewindScope, Step, StepPart};
use crate::session::blobs::Blobs;
use crate::session::read::{self, Loaded};
use crate::session::record::{Body, RecordId};
use crate::session::restore::{self, Plan};
use crate::session::steps::{self, Back, Turn};

/// What the person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The changes of files of the last turn that made any.
    Undo,
    /// The last step back.
    Redo,
    /// Everything from this message of the person on.
    Before { message: MessageId, scope: RewindScope },
}

/// A step that can be taken.
#[derive(Debug)]
pub struct Found {
    pub step: Step,
    pub scope: RewindScope,
    pub plan: Plan,
    /// The record that the step goes to.
    pub to: RecordId,
    pub turns: Vec<Turn>,
    /// The first line of the prompt that it is about.
    pub prompt: String,
    /// The message that is gone back before, whole.
    pub input: Option<String>,
    /// Messages of the person that leave the conversation or come back to it.
    pub messages: u32,
    /// Commands that ran in what is taken back.
    pub commands: u32,
    /// It concerns no turn, but this much of one file.
    pub part: Option<StepPart>,
    /// Calls besides those of the turns.
    pub calls: Vec<CallId>,
}

/// `None`: there is no such step.
pub fn find(log: &Path, target: &Target, blobs: &Blobs) -> Option<Found> {
    let (loaded, _) = read::load(log).ok()?;
    match target {
        Target::Undo => undo(&loaded, blobs),
        Target::Redo => redo(&loaded, blobs),
        Target::Before { message, scope } => before(&loaded, message, *scope, blobs),
    }
}

/// The newest turn whose changes are still there.
fn undo(loaded: &Loaded, blobs: &Blobs) -> Option<Found> {
    let known = steps::read(loaded);
    (0..known.done.len()).rev().find_map(|at| {
        let to = known.done[at].message.clone();
        let plan = restore::plan(loaded, &to, blobs)?;
        (!plan.files.is_empty()).then(|| Found {
            step: Step::Undo,
            scope: RewindScope::Files,
            plan,
            prompt: first_line(&said(loaded, &to)),
            commands: commands(loaded, &to),
            to,
            turns: known.done[at..].to_vec(),
            input: None,
            messages: 0,
            part: None,
            calls: Vec::new(),
        })
    })
}

fn redo(loaded: &Loaded, blobs: &Blobs) -> Option<Found> {
    let Back { scope, at, from, turns, calls } = steps::read(loaded).undone.pop()?;
    let plan = match &at {
        Some(at) => restore::plan_back(loaded, at, blobs)?,
        None => Plan::default(),
    };
    if plan.files.is_empty() && !scope.conversation() {
        return None;
    }
    let messages = if scope.conversation() { returning(loaded, &from) } else { Vec::new() };
    let first = messages.first().or(turns.first().map(|turn| &turn.message));
    Some(Found {
        step: Step::Redo,
        scope,
        plan,
        prompt: first.map(|message| first_line(&said(loaded, message))).unwrap_or_default(),
        to: from,
        turns,
        input: None,
        messages: u32::try_from(messages.len()).unwrap_or(u32::MAX),
        commands: 0,
        part: None,
        calls,
    })
}

fn before(
    loaded: &Loaded,
    message: &MessageId,
    scope: RewindScope,
    blobs: &Blobs,
) -> Option<Found> {
    let on_branch = loaded.branch.iter().position(|index| loaded.entries[*index].id == *message)?;
    let plan = match scope.files() {
        true => restore::plan(loaded, message, blobs)?,
        false => Plan::default(),
    };
    let entry = &loaded.entries[loaded.branch[on_branch]];
    let to = match scope.conversation() {
        true => loaded.entries[entry.parent?].id.clone(),
        false => message.clone(),
    };
    let leaving = loaded.branch[on_branch..].iter();
    let messages = leaving.filter(|index| loaded.entries[**index].kind == "user").count();
    let input = said(loaded, message);
    let begun = loaded.index_of(message);
    let known = steps::read(loaded);
    let later = |turn: &Turn| loaded.index_of(&turn.message) >= begun;
    Some(Found {
        step: Step::Undo,
        scope,
        plan,
        prompt: first_line(&input),
        commands: commands(loaded, message),
        to,
        turns: known.done.into_iter().filter(later).collect(),
        input: Some(input),
        messages: u32::try_from(messages).unwrap_or(u32::MAX),
        part: None,
        calls: Vec::new(),
    })
}

/// The changes of one file, or some of them. The turns that made them stand.
pub fn part(log: &Path, plan: Plan, part: StepPart, head: RecordId) -> Option<Found> {
    let calls = match part {
        StepPart::File => {
            let files: Vec<String> = plan.files.iter().map(|file| file.path.clone()).collect();
            steps::calls(&steps::read(&read::load(log).ok()?.0).done, &files)
        }
        StepPart::Hunk => Vec::new(),
    };
    Some(Found {
        step: Step::Undo,
        scope: RewindScope::Files,
        plan,
        to: head,
        turns: Vec::new(),
        prompt: String::new(),
        input: None,
        messages: 0,
        commands: 0,
        part: Some(part),
        calls,
    })
}

/// The person's messages that going forth to `from` brings back.
fn returning(loaded: &Loaded, from: &RecordId) -> Vec<MessageId> {
    let Some(index) = loaded.index_of(from) else { return Vec::new() };
    let there = loaded.branch_to(index);
    let same = there.iter().zip(&loaded.branch).take_while(|(a, b)| a == b).count();
    let entries = there[same..].iter().map(|index| &loaded.entries[*index]);
    entries.filter(|entry| entry.kind == "user").map(|entry| entry.id.clone()).collect()
}

/// Calls of commands from that message on, whichever branch they belong to: files have one
/// history.
fn commands(loaded: &Loaded, message: &MessageId) -> u32 {
    let from = loaded.index_of(message).unwrap_or(loaded.entries.len());
    let calls = (from..loaded.entries.len()).filter(|at| loaded.entries[*at].kind == "call");
    let commands = calls
        .filter_map(|at| loaded.record(at))
        .filter(|record| matches!(&record.body, Body::Call { tool, .. } if tool == "Bash"));
    u32::try_from(commands.count()).unwrap_or(u32::MAX)
}

/// What the person wrote in that message. Notes stand before it.
fn said(loaded: &Loaded, message: &MessageId) -> String {
    let record = loaded.index_of(message).and_then(|index| loaded.record(index));
    let Some(Body::User { parts, .. }) = record.map(|record| record.body) else {
        return String::new();
    };
    let text = parts.into_iter().rev().find_map(|part| match part {
        Part::Text { text } if !text.trim().is_empty() => Some(text),
        _ => None,
    });
    text.unwrap_or_default()
}

/// Characters of a prompt that name it.
const PROMPT: usize = 80;

fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(PROMPT).collect()
}
