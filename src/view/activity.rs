//! The row above the prompt: what goes on, a remark, or what is new below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::keys::{Action, Context};
use crate::app::model::{Activity, Phase};
use crate::app::scroll::{Scroll, Seen};
use crate::protocol::TodoState;
use crate::text::{clip, width};
use crate::view::frame::columns;
use crate::view::marks::Marks;
use crate::view::theme::Theme;
use crate::view::words;

pub fn draw(
    model: &Model,
    seen: &Seen,
    theme: &Theme,
    marks: &Marks,
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let right = below(model, seen, marks);
    let room = usize::from(area.width).saturating_sub(4 + width(&right) + 2);
    let line = toast(model, theme, room)
        .or_else(|| working(model, theme, marks, room))
        .unwrap_or_default();
    buf.set_line(area.x + 2, area.y, &line, area.width.saturating_sub(2));
    let x = area.right().saturating_sub(columns(&right) + 2);
    buf.set_string(x, area.y, right, theme.accent);
}

fn toast(model: &Model, theme: &Theme, room: usize) -> Option<Line<'static>> {
    let toast = model.toast.as_ref()?;
    Some(Line::styled(clip::end(&toast.text, room).into_owned(), theme.text))
}

fn working(model: &Model, theme: &Theme, marks: &Marks, room: usize) -> Option<Line<'static>> {
    let Activity::Working { since, phase, .. } = &model.activity else { return None };
    // A question says for itself that it waits.
    if !model.dialogs.is_empty() {
        return None;
    }
    let task = model.todos.iter().find(|todo| todo.status == TodoState::InProgress);
    let doing = match phase {
        Phase::Waiting => "waiting for the model".to_owned(),
        Phase::Thinking => "thinking".to_owned(),
        Phase::Writing => "writing".to_owned(),
        Phase::Running => "working".to_owned(),
        Phase::Compacting => "summing up the conversation".to_owned(),
        Phase::Stopping => "stopping".to_owned(),
        Phase::Retrying { attempt, of, until, why } => {
            let wait = until.since(model.now).div_ceil(1_000);
            // The count stays in sight where there is little room.
            format!("trying again in {wait} s ({attempt} of {of}) {} {why}", marks.dot)
        }
    };
    let doing = match (task, phase) {
        (Some(task), Phase::Running | Phase::Waiting | Phase::Writing) => {
            let done =
                model.todos.iter().filter(|todo| todo.status == TodoState::Completed).count();
            let name = if task.active_form.is_empty() { &task.content } else { &task.active_form };
            format!("{name} ({} of {})", done + 1, model.todos.len())
        }
        _ => doing,
    };
    let style = match phase {
        Phase::Retrying { .. } => theme.asked,
        _ => theme.text,
    };
    let tail = format!(" {} {}", marks.dot, words::clock(model.now.since(*since)));
    let key = model.keymap.key(Context::Global, Action::Back);
    let mut spans = vec![
        Span::styled(marks.spin(model.spin()), theme.accent),
        Span::raw(" "),
        Span::styled(clip::end(&doing, room.saturating_sub(width(&tail) + 2)).into_owned(), style),
        Span::styled(tail, theme.faint),
    ];
    let hint = format!(" {} {key} stops", marks.dot);
    let used: usize = spans.iter().map(Span::width).sum();
    if used + width(&hint) <= room && *phase != Phase::Stopping {
        spans.push(Span::styled(hint, theme.faint));
    }
    Some(Line::from(spans))
}

fn below(model: &Model, seen: &Seen, marks: &Marks) -> String {
    if model.scroll == Scroll::Follow || seen.at_end {
        return String::new();
    }
    let key = model.keymap.key(Context::Global, Action::Bottom);
    match seen.below {
        0 => format!("{} more below · {key}", marks.below),
        n => format!("{} {n} below · {key}", marks.below),
    }
}
