//! The changes panel: what this session has made of the files, and the way back of a part of it.
//!
//! Until the agent has compared the files with what they were, the panel shows the edits that
//! stand in the transcript; only what the agent has listed can be taken back.

use crate::app::calls::CallState;
use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, open as open_panel};
use crate::app::transcript::Transcript;
use crate::protocol::{Command, Detail, FileEffect, FileStep, RequestId};

/// Unchanged lines around a change, in the order in which a key goes through them.
const CONTEXTS: [u32; 3] = [3, 12, u32::MAX];

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    files: Vec<FileStep>,
    /// The number under which the agent has listed them.
    listed: Option<RequestId>,
    /// An answer is on its way.
    asked: bool,
    /// Something has changed since it was asked for.
    stale: bool,
    /// Which of [`CONTEXTS`].
    context: usize,
    /// The hunk of the chosen file that the keys mean.
    pub hunk: usize,
    /// Move the diff so that the hunk is shown; cleared by scrolling.
    pub show_hunk: bool,
    /// The diff alone, without the list of files.
    pub alone: bool,
}

impl Changes {
    pub fn files(&self) -> &[FileStep] {
        &self.files
    }

    /// The number under which the agent has listed them; none where only the transcript tells.
    pub fn listed(&self) -> Option<RequestId> {
        self.listed
    }

    /// The agent is comparing the files with what they were.
    pub fn is_comparing(&self) -> bool {
        self.listed.is_none() && self.asked
    }

    /// In words, where it is not the usual one.
    pub fn context(&self) -> Option<String> {
        match CONTEXTS.get(self.context) {
            None | Some(&3) => None,
            Some(&u32::MAX) => Some("whole files".to_owned()),
            Some(lines) => Some(format!("{lines} lines around")),
        }
    }
}

/// Opens the panel, or closes it where it is open.
pub fn toggle(model: &mut Model) -> Vec<Effect> {
    if matches!(model.panel.as_ref().map(|panel| &panel.kind), Some(Kind::Changes(_))) {
        model.panel = None;
        return Vec::new();
    }
    open(model)
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    let files = edits(&model.transcript);
    open_panel(model, Kind::Changes(Changes { files, ..Changes::default() }));
    ask(model)
}

fn open_one(model: &mut Model) -> Option<&mut Changes> {
    match model.panel.as_mut().map(|panel| &mut panel.kind) {
        Some(Kind::Changes(changes)) => Some(changes),
        _ => None,
    }
}

/// A file may hold something else now.
pub fn changed(model: &mut Model) -> Vec<Effect> {
    match open_one(model) {
        Some(changes) if changes.asked => changes.stale = true,
        Some(_) => return ask(model),
        None => {}
    }
    Vec::new()
}

fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(changes) = open_one(model) else { return Vec::new() };
    (changes.asked, changes.stale) = (true, false);
    let context = CONTEXTS.get(changes.context).copied().unwrap_or_default();
    vec![Effect::Send(Command::AskChanges { context })]
}

/// The agent's answer. The file that was chosen stays chosen.
pub fn shown(model: &mut Model, request: RequestId, files: Vec<FileStep>) -> Vec<Effect> {
    let chosen = chosen(model).map(|file| file.path.clone());
    let Some(changes) = open_one(model) else { return Vec::new() };
    changes.files = files.into_iter().map(clean::file_step).collect();
    (changes.listed, changes.asked) = (Some(request), false);
    let stale = changes.stale;
    let at = lines(model).iter().position(|(_, file)| Some(&file.path) == chosen.as_ref());
    let last = lines(model).len().saturating_sub(1);
    if let Some(panel) = &mut model.panel {
        panel.at = at.unwrap_or(panel.at).min(last);
    }
    match at {
        Some(_) => step_hunk_by(model, 0),
        None => first_hunk(model),
    }
    if stale { ask(model) } else { Vec::new() }
}

/// The files that the filter leaves, each with its place in the list; folder by folder.
pub fn lines(model: &Model) -> Vec<(usize, &FileStep)> {
    let Some(panel) = &model.panel else { return Vec::new() };
    let Kind::Changes(changes) = &panel.kind else { return Vec::new() };
    let query = panel.query().to_lowercase();
    let files = changes.files.iter().enumerate();
    let mut files: Vec<(usize, &FileStep)> =
        files.filter(|(_, file)| file.path.to_lowercase().contains(&query)).collect();
    files.sort_by_key(|(_, file)| folder_and_name(&file.path));
    files
}

/// Of a path with slashes.
pub fn folder_and_name(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn chosen(model: &Model) -> Option<&FileStep> {
    let at = model.panel.as_ref()?.at;
    lines(model).get(at).map(|(_, file)| *file)
}

pub fn first_hunk(model: &mut Model) {
    if let Some(panel) = &mut model.panel {
        panel.scroll = 0;
    }
    if let Some(changes) = open_one(model) {
        (changes.hunk, changes.show_hunk) = (0, false);
    }
}

/// To the next hunk, or the one before; behind the last one of a file comes the next file.
pub fn step_hunk(model: &mut Model, down: bool) {
    let (hunk, at) = match &model.panel {
        Some(panel) => match &panel.kind {
            Kind::Changes(changes) => (changes.hunk, panel.at),
            _ => return,
        },
        None => return,
    };
    let hunks = chosen(model).map_or(0, |file| file.hunks.len());
    let count = lines(model).len();
    let next = match down {
        true if hunk + 1 < hunks => (at, hunk + 1),
        true if at + 1 < count => (at + 1, 0),
        false if hunk > 0 => (at, hunk - 1),
        false if at > 0 => {
            let before = lines(model).get(at - 1).map_or(0, |(_, file)| file.hunks.len());
            (at - 1, before.saturating_sub(1))
        }
        _ => return,
    };
    if let Some(panel) = &mut model.panel {
        panel.at = next.0;
    }
    if let Some(changes) = open_one(model) {
        (changes.hunk, changes.show_hunk) = (next.1, true);
    }
}

/// Within the file.
fn step_hunk_by(model: &mut Model, by: isize) {
    let last = chosen(model).map_or(0, |file| file.hunks.len()).saturating_sub(1);
    if let Some(changes) = open_one(model) {
        changes.hunk = changes.hunk.saturating_add_signed(by).min(last);
    }
}

/// Moves the diff by rows.
pub fn scroll(model: &mut Model, rows: isize) {
    let inner = model.seen.inner;
    if let Some(panel) = &mut model.panel
        && let Kind::Changes(changes) = &mut panel.kind
    {
        let from = if changes.show_hunk { inner.top } else { panel.scroll };
        panel.scroll = inner.scrolled(from, rows);
        changes.show_hunk = false;
    }
}

/// Shows the diff alone, or the files beside it again.
pub fn alone(model: &mut Model) {
    if let Some(changes) = open_one(model) {
        changes.alone = !changes.alone;
    }
}

pub fn is_alone(model: &Model) -> bool {
    matches!(model.panel.as_ref().map(|panel| &panel.kind), Some(Kind::Changes(it)) if it.alone)
}

/// True where the panel went back to the list.
pub fn back_to_files(model: &mut Model) -> bool {
    match open_one(model) {
        Some(changes) if changes.alone => {
            changes.alone = false;
            true
        }
        _ => false,
    }
}

/// More of what stands around the changes, or less.
pub fn next_context(model: &mut Model) -> Vec<Effect> {
    let Some(changes) = open_one(model) else { return Vec::new() };
    changes.context = (changes.context + 1) % CONTEXTS.len();
    changed(model)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Hunk,
    File,
}

/// Asks what taking it back would do; nothing is done before the person has seen that.
pub fn revert(model: &mut Model, part: Part) -> Vec<Effect> {
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let Some((file, step)) = lines(model).get(at).map(|(at, file)| (*at, (*file).clone())) else {
        return Vec::new();
    };
    let Some(changes) = open_one(model) else { return Vec::new() };
    let hunk = match part {
        Part::Hunk if step.hunks.is_empty() => {
            model.say("there is no hunk to take back; U takes the file back");
            return Vec::new();
        }
        Part::Hunk => Some(changes.hunk),
        Part::File => None,
    };
    match changes.listed {
        Some(request) => vec![Effect::Send(Command::Revert { request, file, hunk })],
        None => {
            let why = if changes.asked { "the files are still being compared" } else { NO_LOG };
            model.say(why);
            Vec::new()
        }
    }
}

const NO_LOG: &str = "without a session log nothing can be taken back";

/// The chosen file in the person's own editor, at the hunk.
pub fn open_file(model: &mut Model) -> Vec<Effect> {
    let hunk = open_one(model).map_or(0, |changes| changes.hunk);
    let Some(file) = chosen(model) else { return Vec::new() };
    if file.effect == FileEffect::Removed {
        model.say("this file is gone");
        return Vec::new();
    }
    let line = file.hunks.get(hunk).map_or(1, |hunk| {
        let before =
            hunk.lines.iter().take_while(|line| line.kind == crate::protocol::LineKind::Context);
        hunk.new_start as usize + before.count()
    });
    vec![Effect::OpenFile { path: file.path.clone(), line: line.max(1) }]
}

/// The edits that the transcript tells of and that were not undone, file by file.
pub fn edits(transcript: &Transcript) -> Vec<FileStep> {
    let mut files: Vec<FileStep> = Vec::new();
    for call in transcript.calls() {
        let CallState::Ended(result) = &call.state else { continue };
        let Detail::Diff { path, hunks, added, removed, new_file } = &result.detail else {
            continue;
        };
        if result.is_error() || call.undone {
            continue;
        }
        match files.iter_mut().find(|file| file.path == *path) {
            Some(file) => {
                file.added += added;
                file.removed += removed;
                file.hunks.extend(hunks.iter().cloned());
            }
            None => files.push(FileStep {
                path: path.clone(),
                from: None,
                effect: if *new_file { FileEffect::Created } else { FileEffect::Changed },
                hunks: hunks.clone(),
                added: *added,
                removed: *removed,
                note: String::new(),
                conflict: None,
            }),
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
