//! The panel that chooses where to go back to: a message a row, with what was changed after it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::rewind;
use crate::app::scroll::Inner;
use crate::text::{clip, width};
use crate::view::panels::{Draw, list};
use crate::view::words::count;

pub fn draw(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let lines = rewind::lines(draw.model);
    if lines.is_empty() {
        buf.set_line(
            area.x,
            area.y,
            &Line::styled("no message like that", theme.faint),
            area.width,
        );
        return Inner::default();
    }
    let columns = usize::from(area.width);
    let rows = lines.iter().enumerate().map(|(at, line)| {
        let chosen = at == draw.panel.at;
        let mut facts = Vec::new();
        if line.edits > 0 {
            let edits = count(line.edits as usize, "edit", "edits");
            facts.push(format!("{edits} +{} {}{}", line.added, marks.minus, line.removed));
        }
        if line.commands > 0 {
            facts.push(count(line.commands as usize, "command", "commands"));
        }
        let facts = facts.join(&format!(" {} ", marks.dot));
        let room = columns.saturating_sub(width(&facts) + 4);
        let text = clip::end(&line.text, room).into_owned();
        let pad = " ".repeat(room.saturating_sub(width(&text)) + 1);
        let mark = if chosen { marks.chosen } else { " " };
        Line::from(vec![
            Span::styled(format!("{mark} "), theme.accent),
            Span::styled(text, if chosen { theme.strong } else { theme.text }),
            Span::raw(pad),
            Span::styled(facts, theme.faint),
        ])
    });
    list(&rows.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}
