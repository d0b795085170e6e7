//! The dialog before a step back: what it takes, and every file that it would touch, with its diff.

use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::dialog::Confirm;
use crate::app::keys::{Action, Context};
use crate::protocol::{FileEffect, FileStep, Rewind, RewindScope, Step, StepConflict, StepPart};
use crate::text::{clip, width};
use crate::view::code::Colours;
use crate::view::diff;
use crate::view::entry::plain;
use crate::view::layout::diff_style;
use crate::view::marks::Marks;
use crate::view::theme::Theme;
use crate::view::words;

pub fn title(confirm: &Confirm) -> String {
    let file = confirm.rewind.files.last().map(|file| file.path.as_str()).unwrap_or_default();
    match confirm.rewind.part {
        Some(StepPart::Hunk) => return format!("Take back one change in {file}"),
        Some(StepPart::File) => return format!("Take back all changes in {file}"),
        None => {}
    }
    let verb = match (confirm.rewind.step, confirm.rewind.scope) {
        (Step::Undo, RewindScope::Files) if confirm.rewind.to.is_none() => "Undo",
        (Step::Redo, RewindScope::Files) => "Redo",
        (Step::Undo, _) => return format!("Go back to before \"{}\"", confirm.rewind.prompt),
        (Step::Redo, _) => return format!("Go forth again to \"{}\"", confirm.rewind.prompt),
    };
    match confirm.rewind.prompt.as_str() {
        "" => format!("{verb} changes of files"),
        prompt => format!("{verb} the changes of \"{prompt}\""),
    }
}

pub fn remark(confirm: &Confirm, marks: &Marks) -> String {
    if !confirm.rewind.scope.files() {
        return "files stay".to_owned();
    }
    let sum = |count: fn(&FileStep) -> u32| confirm.touched().map(count).sum::<u32>();
    let files = words::count(confirm.touched().count(), "file", "files");
    let (added, removed) = (sum(|file| file.added), sum(|file| file.removed));
    format!("{files} {} +{added} {}{removed}", marks.dot, marks.minus)
}

pub fn keys(model: &Model, confirm: &Confirm) -> Vec<(String, &'static str)> {
    let key = |action| model.keymap.key(Context::Confirm, action);
    let verb = match (confirm.rewind.step, confirm.rewind.scope) {
        _ if confirm.rewind.part.is_some() => "take back",
        (Step::Undo, RewindScope::Files) if confirm.rewind.to.is_none() => "undo",
        (Step::Redo, RewindScope::Files) => "redo",
        (Step::Undo, _) => "go back",
        (Step::Redo, _) => "go forth",
    };
    let mut keys = vec![(key(Action::Confirm), verb)];
    if confirm.rewind.to.is_some() {
        let next = match confirm.rewind.scope {
            RewindScope::Both => "conversation alone",
            RewindScope::Conversation => "files alone",
            RewindScope::Files => "both",
        };
        keys.push((key(Action::NextScope), next));
    }
    if confirm.chosen.len() > 1 {
        let files = format!("{}/{}", key(Action::NextHunk), key(Action::PreviousHunk));
        keys.push((files, "file"));
    }
    let can_choose = |file: &FileStep| file.conflict == Some(StepConflict::ChangedSince);
    if confirm.rewind.files.iter().any(can_choose) {
        keys.push((key(Action::KeepHunk), "choose/leave"));
    }
    keys.push((model.keymap.key(Context::Global, Action::Back), "leave all as it is"));
    keys
}

/// The rows, and the first one of each file.
pub fn body(
    model: &Model,
    confirm: &Confirm,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
    colours: &mut Colours,
) -> (Vec<Line<'static>>, Vec<usize>) {
    let mut rows = Vec::new();
    let mut starts = Vec::new();
    let room = u16::try_from(columns).unwrap_or(u16::MAX);
    let style = diff_style(model.look.diff, room);
    if confirm.rewind.to.is_some() || confirm.rewind.scope.conversation() {
        rows.extend(plain(&takes(&confirm.rewind), columns, theme.text));
        if !confirm.chosen.is_empty() {
            rows.push(Line::default());
        }
    }
    for (at, (file, chosen)) in confirm.rewind.files.iter().zip(&confirm.chosen).enumerate() {
        if at > 0 {
            rows.push(Line::default());
        }
        starts.push(rows.len());
        let current = at == confirm.file && confirm.chosen.len() > 1;
        rows.push(head(file, *chosen, current, columns, theme, marks));
        if let Some(why) = left_alone(file, *chosen) {
            rows.extend(plain(&why, columns, theme.asked));
        }
        rows.extend(diff::rows(&file.path, &file.hunks, room, style, theme, colours));
    }
    (rows, starts)
}

/// What the step does besides the files that are listed.
fn takes(rewind: &Rewind) -> String {
    let messages = words::count(rewind.messages as usize, "message of yours", "messages of yours");
    let conversation = match (rewind.step, rewind.scope.conversation()) {
        (_, false) => "The conversation stays as it is.".to_owned(),
        (Step::Undo, true) => format!(
            "{messages} and what followed leave the conversation; the first comes back into the \
             prompt."
        ),
        (Step::Redo, true) => format!("{messages} and what followed come back."),
    };
    let files = match (rewind.scope.files(), rewind.files.is_empty()) {
        (false, _) => "Files stay as they are.",
        (true, true) => "No file needs to change.",
        (true, false) => "These files change:",
    };
    format!("{conversation} {files}")
}

/// `■ Change src/a.rs        +3 −1`
fn head(
    file: &FileStep,
    chosen: bool,
    current: bool,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> Line<'static> {
    let verb = match file.effect {
        FileEffect::Changed => "Change",
        FileEffect::Created => "Create",
        FileEffect::Removed => "Delete",
    };
    let mark = if chosen { marks.kept } else { marks.dropped };
    let counts = format!("+{} {}{}", file.added, marks.minus, file.removed);
    let facts = match (file.hunks.is_empty(), file.note.is_empty()) {
        (true, false) => file.note.clone(),
        (true, true) => "no text in it".to_owned(),
        (false, true) => counts,
        (false, false) => format!("{} {} {counts}", file.note, marks.dot),
    };
    let lead = width(mark) + width(verb) + 2;
    let path =
        clip::path(&file.path, columns.saturating_sub(lead + width(&facts) + 2)).into_owned();
    let pad = columns.saturating_sub(lead + width(&path) + width(&facts));
    Line::from(vec![
        Span::styled(format!("{mark} "), if current { theme.accent } else { theme.faint }),
        Span::styled(format!("{verb} "), theme.text),
        Span::styled(path, if chosen { theme.strong } else { theme.faint }),
        Span::raw(" ".repeat(pad)),
        Span::styled(facts, theme.faint),
    ])
}

fn left_alone(file: &FileStep, chosen: bool) -> Option<String> {
    match (&file.conflict, chosen) {
        (None, _) => None,
        (Some(StepConflict::ChangedSince), false) => {
            Some("someone else has changed it since: left alone".to_owned())
        }
        (Some(StepConflict::ChangedSince), true) => {
            Some("someone else has changed it since: their change goes too".to_owned())
        }
        (Some(StepConflict::Impossible { why }), _) => {
            Some(format!("cannot be put back: {}", why.trim_end_matches('.')))
        }
    }
}

pub fn foot(confirm: &Confirm, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let rewind = &confirm.rewind;
    let mut rows = vec![Line::default()];
    if rewind.commands > 0 && rewind.scope.files() {
        let ran = words::count(rewind.commands as usize, "command", "commands");
        let text = format!("{ran} ran since: what they changed is known only in part");
        rows.extend(plain(&text, columns, theme.faint));
    }
    let text = match (rewind.step, rewind.scope) {
        (Step::Undo, RewindScope::Files) => {
            "no other file is touched · /redo brings the changes back"
        }
        (Step::Redo, RewindScope::Files) => {
            "no other file is touched · /undo takes the changes back again"
        }
        (Step::Undo, RewindScope::Conversation) => "/redo goes forth again",
        (Step::Redo, RewindScope::Conversation) => "esc esc goes back again",
        (Step::Undo, RewindScope::Both) => "no other file is touched · /redo goes forth again",
        (Step::Redo, RewindScope::Both) => "no other file is touched · esc esc goes back again",
    };
    rows.extend(plain(text, columns, theme.faint));
    rows
}
