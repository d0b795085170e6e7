//! What is queued while the model works, a line each above the prompt, the newest last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::keys::{Action, Context};
use crate::text::{clip, width};
use crate::view::frame;
use crate::view::layout::GUTTER;
use crate::view::marks::Marks;
use crate::view::theme::Theme;

/// Messages that are listed.
const SHOWN: usize = 3;

/// One row says what can be done about them.
pub fn rows(model: &Model) -> u16 {
    match model.queue.len() {
        0 => 0,
        count => u16::try_from(count.min(SHOWN) + 1).unwrap_or(0),
    }
}

pub fn draw(model: &Model, theme: &Theme, marks: &Marks, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let key = |action| model.keymap.key(Context::Global, action);
    let count = model.queue.len();
    let head = if model.is_working() { "goes along with the next step" } else { "waits" };
    let send = match model.is_working() {
        true => (key(Action::SendQueued), "send now"),
        false => ("enter".to_owned(), "send"),
    };
    let keys = [
        ("up".to_owned(), "edit"),
        send,
        (key(Action::DropQueued), "drop"),
        (key(Action::QueuePanel), "list"),
    ];
    let count = format!("{count} queued {} {head}", marks.dot);
    let room = usize::from(area.width).saturating_sub(usize::from(GUTTER) + width(&count) + 4);
    let mut line = Line::styled(count, theme.faint);
    line.spans.push(Span::raw("  "));
    line.spans.extend(frame::keys(&keys, room, theme, marks).spans);
    buf.set_line(area.x + GUTTER, area.y, &line, area.width.saturating_sub(GUTTER));
    let shown = usize::from(area.height - 1);
    let first = model.queue.len().saturating_sub(shown);
    let room = usize::from(area.width.saturating_sub(GUTTER + 2));
    for (y, queued) in (area.y + 1..area.bottom()).zip(&model.queue[first..]) {
        buf.set_string(area.x + 2, y, marks.queued, theme.faint);
        let text = queued.text.replace('\n', " ");
        let text = clip::end(&text, room).into_owned();
        buf.set_string(area.x + GUTTER, y, text, theme.text);
    }
}
