//! What stands where the conversation will be, before it begins.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::text::clip;
use crate::view::layout::GUTTER;
use crate::view::theme::Theme;

pub fn draw(model: &Model, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width.saturating_sub(GUTTER + 2));
    let session = &model.session;
    let mut lines = vec![
        Line::from(vec![
            Span::styled("tern ", theme.heading),
            Span::styled(session.version.clone(), theme.faint),
        ]),
        Line::styled(clip::start(&session.cwd, room).into_owned(), theme.text),
    ];
    if session.scripted {
        lines.extend([
            Line::default(),
            Line::styled(
                "This is a demonstration: the replies are scripted, no model is asked and",
                theme.accent,
            ),
            Line::styled(
                "nothing is spent. Everything else is real, in a copy of a sample project.",
                theme.accent,
            ),
        ]);
    }
    let y = area.y + 1;
    for (y, line) in (y..area.bottom()).zip(&lines) {
        buf.set_line(area.x + GUTTER, y, line, area.width.saturating_sub(GUTTER + 1));
    }
}
