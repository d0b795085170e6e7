//! The dialog before a step over changes of files: every file that it would touch, with its diff.

use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::dialog::Confirm;
use crate::app::keys::{Action, Context};
use crate::protocol::{FileEffect, FileStep, Step, StepConflict};
use crate::text::{clip, width};
use crate::view::code::Colours;
use crate::view::diff;
use crate::view::entry::plain;
use crate::view::layout::diff_style;
use crate::view::marks::Marks;
use crate::view::theme::Theme;
use crate::view::words;

pub fn title(confirm: &Confirm) -> String {
    let verb = match confirm.rewind.step {
        Step::Undo => "Undo",
        Step::Redo => "Redo",
    };
    match confirm.rewind.prompt.as_str() {
        "" => format!("{verb} changes of files"),
        prompt => format!("{verb} the changes of \"{prompt}\""),
    }
}

pub fn remark(confirm: &Confirm, marks: &Marks) -> String {
    let sum = |count: fn(&FileStep) -> u32| confirm.touched().map(count).sum::<u32>();
    let files = words::count(confirm.touched().count(), "file", "files");
    let (added, removed) = (sum(|file| file.added), sum(|file| file.removed));
    format!("{files} {} +{added} {}{removed}", marks.dot, marks.minus)
}

pub fn keys(model: &Model, confirm: &Confirm) -> Vec<(String, &'static str)> {
    let key = |action| model.keymap.key(Context::Confirm, action);
    let verb = match confirm.rewind.step {
        Step::Undo => "undo",
        Step::Redo => "redo",
    };
    let mut keys = vec![(key(Action::Confirm), verb)];
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
    let text = match confirm.rewind.step {
        Step::Undo => "no other file is touched · /redo brings the changes back",
        Step::Redo => "no other file is touched · /undo takes the changes back again",
    };
    std::iter::once(Line::default()).chain(plain(text, columns, theme.faint)).collect()
}
