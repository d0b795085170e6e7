//! The panel of a note: which file it goes into, and what was written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::note::Note;
use crate::app::scroll::Inner;
use crate::text::clip;
use crate::view::panels::{Draw, list};

pub fn draw(draw: &Draw<'_>, note: &Note, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let columns = usize::from(area.width);
    let item = clip::end(&format!("- {}", note.text), columns).into_owned();
    buf.set_line(area.x, area.y, &Line::styled(item, theme.strong), area.width);
    let below = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    if below.height == 0 {
        return Inner::default();
    }
    if let Some(file) = &note.written {
        let row = note.files.iter().find(|row| row.path == *file);
        let name = row.map_or_else(|| file.display().to_string(), |row| row.name.clone());
        let text = format!("{} written into {name}; a session begun now is told it", marks.done);
        let text = clip::end(&text, columns).into_owned();
        buf.set_line(below.x, below.y, &Line::styled(text, theme.done), below.width);
        return Inner::default();
    }
    let lines = note.files.iter().enumerate().map(|(at, row)| {
        let chosen = at == draw.panel.at;
        let there = if row.bytes.is_some() { "" } else { "  not there yet" };
        Line::from(vec![
            Span::styled(format!("{} ", if chosen { marks.chosen } else { " " }), theme.accent),
            Span::styled(format!("{:<8}", row.scope), theme.faint),
            Span::styled(row.name.clone(), if chosen { theme.strong } else { theme.text }),
            Span::styled(there, theme.faint),
        ])
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, below, buf)
}
