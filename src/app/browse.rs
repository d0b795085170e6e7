//! Moving through the transcript: by rows, by entries, with the mouse.

use crossterm::event::{MouseEvent, MouseEventKind};

use crate::app::effect::Effect;
use crate::app::model::{Focus, Model};
use crate::app::panels;
use crate::app::pictures;
use crate::app::scroll::{Anchor, Scroll};
use crate::app::select;
use crate::app::transcript::Body;
use crate::app::vim::Mode;
use crate::protocol::MessageId;

const WHEEL: isize = 3;

pub fn scroll(model: &mut Model, rows: isize) {
    model.scroll = model.scroll.by(rows, &model.seen);
}

pub fn half_page(model: &mut Model, down: bool) {
    let half = isize::try_from(model.seen.transcript / 2).unwrap_or(1).max(1);
    scroll(model, if down { half } else { -half });
}

pub fn top(model: &mut Model) {
    model.scroll = Scroll::At(Anchor::default());
}

pub fn bottom(model: &mut Model) {
    model.scroll = Scroll::Follow;
}

/// Chooses the entry above or below; from the prompt, the last one on the screen.
pub fn step(model: &mut Model, down: bool) {
    let count = model.transcript.entries().len();
    if count == 0 {
        return;
    }
    let last = count - 1;
    match (model.browse, down) {
        (None, true) => {}
        (None, false) => {
            let shown = model.seen.entries.last().map_or(last, |(_, _, entry)| *entry);
            choose(model, shown.min(last));
        }
        (Some(at), false) => choose(model, at.saturating_sub(1)),
        (Some(at), true) => match (at + 1..count).find(|next| !model.transcript.is_hidden(*next)) {
            Some(next) => choose(model, next),
            None => leave(model),
        },
    }
}

/// Chooses the person's entry above or below.
pub fn prompt(model: &mut Model, down: bool) {
    let Some(at) = model.browse else { return };
    let entries = model.transcript.entries();
    let said = |index: &usize| matches!(entries[*index].body, Body::Person { .. });
    let found = if down {
        (at + 1..entries.len()).find(said)
    } else {
        (0..at.min(entries.len())).rev().find(said)
    };
    if let Some(found) = found {
        choose(model, found);
    }
}

pub fn first(model: &mut Model) {
    choose(model, 0);
}

pub fn last(model: &mut Model) {
    choose(model, model.transcript.entries().len().saturating_sub(1));
}

/// Chooses the entry of a message, where there is one.
pub fn jump(model: &mut Model, message: Option<&MessageId>) {
    let entries = model.transcript.entries().iter();
    let found = message.and_then(|message| {
        entries.rev().position(|entry| entry.message.as_ref() == Some(message))
    });
    if let Some(back) = found {
        choose(model, model.transcript.entries().len() - 1 - back);
    }
}

/// Back to the prompt, where the screen stands.
pub fn leave(model: &mut Model) {
    model.browse = None;
    model.selection = None;
    if let Some(vim) = &mut model.vim {
        vim.mode = Mode::Insert;
    }
}

pub fn toggle(model: &mut Model) -> Vec<Effect> {
    let Some(at) = model.browse else { return Vec::new() };
    model.transcript.toggle(at);
    choose(model, at);
    pictures::opened(model, at)
}

pub fn toggle_all(model: &mut Model) {
    model.transcript.toggle_all();
}

pub fn copy(model: &mut Model) -> Vec<Effect> {
    let entry = model.browse.and_then(|at| model.transcript.entries().get(at));
    let Some(text) = entry.map(|entry| entry.body.text()) else { return Vec::new() };
    model.say(&format!("copied {} characters", text.chars().count()));
    vec![Effect::Copy(text)]
}

/// The code of the model's prose, without what is written around it.
pub fn copy_code(model: &mut Model) -> Vec<Effect> {
    let code = model.browse.and_then(|at| code(&model.transcript.entries().get(at)?.body));
    let Some(code) = code else {
        model.say("there is no code in it");
        return Vec::new();
    };
    model.say(&format!("copied {} characters of code", code.chars().count()));
    vec![Effect::Copy(code)]
}

/// Every fenced block, an empty line between two.
fn code(body: &Body) -> Option<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in body.prose().lines() {
        let sign = line.trim_start();
        match fence {
            None if sign.starts_with("```") || sign.starts_with("~~~") => {
                fence = Some(&sign[..3]);
                blocks.push(String::new());
            }
            None => {}
            Some(open) if sign.trim_end() == open => fence = None,
            Some(_) => {
                if let Some(block) = blocks.last_mut() {
                    block.push_str(line);
                    block.push('\n');
                }
            }
        }
    }
    (!blocks.is_empty()).then(|| blocks.join("\n"))
}

/// The file of a call in the person's own editor, at the line that the call is about.
pub fn open_file(model: &mut Model) -> Vec<Effect> {
    let entry = model.browse.and_then(|at| model.transcript.entries().get(at));
    let Some(Body::Call(call)) = entry.map(|entry| &entry.body) else {
        model.say("it is about no file");
        return Vec::new();
    };
    match call.place() {
        Some((path, line)) => vec![Effect::OpenFile { path, line }],
        None => {
            model.say("it is about no file");
            Vec::new()
        }
    }
}

/// Puts what was said or run into the prompt, for the person to send again, changed or not.
pub fn again(model: &mut Model) -> Vec<Effect> {
    let entry = model.browse.and_then(|at| model.transcript.entries().get(at));
    let text = match entry.map(|entry| &entry.body) {
        Some(Body::Person { text, .. }) => text.clone(),
        Some(Body::Shell { command, .. }) => format!("!{command}"),
        Some(Body::Call(call)) => match call.input("command") {
            Some(command) => format!("!{command}"),
            None => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    leave(model);
    model.prompt.clear();
    model.prompt.insert(&text);
    model.say("enter sends it again");
    crate::app::complete::refresh(model)
}

pub fn mouse(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    match event.kind {
        MouseEventKind::ScrollUp => wheel(model, -WHEEL),
        MouseEventKind::ScrollDown => wheel(model, WHEEL),
        _ if model.panel.is_none() => select::mouse(model, event),
        _ => Vec::new(),
    }
}

fn wheel(model: &mut Model, rows: isize) -> Vec<Effect> {
    match model.focus() {
        Focus::Dialog | Focus::DialogField => {
            crate::app::dialog::permission::scroll(model, rows);
            Vec::new()
        }
        Focus::Inquiry | Focus::InquiryField => {
            crate::app::dialog::inquiry::scroll(model, rows);
            Vec::new()
        }
        Focus::Panel | Focus::Filter => panels::wheel(model, rows),
        _ => {
            scroll(model, rows);
            Vec::new()
        }
    }
}

/// Opens or folds what was clicked.
pub fn click(model: &mut Model, row: u16) {
    let hit = model.seen.entries.iter().find(|(from, to, _)| (*from..*to).contains(&row));
    if let Some((_, _, entry)) = hit.copied()
        && model.panel.is_none()
    {
        model.transcript.toggle(entry);
        // What is being read stays, also at the end of the transcript.
        model.scroll = Scroll::At(model.seen.top);
    }
}

fn choose(model: &mut Model, entry: usize) {
    let entry = model.transcript.shown_by(entry);
    model.browse = Some(entry);
    model.scroll = Scroll::Show { entry };
}
