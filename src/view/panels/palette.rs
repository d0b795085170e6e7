//! The palette: name, what it does, and its key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::palette::lines;
use crate::app::scroll::Inner;
use crate::text::{clip, width};
use crate::view::panels::{Draw, list};

const NAME: usize = 20;

pub fn draw(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let found = lines(draw.model);
    if found.is_empty() {
        let line = Line::styled("nothing is called like that", theme.faint);
        buf.set_line(area.x, area.y, &line, area.width);
        return Inner::default();
    }
    let columns = usize::from(area.width).saturating_sub(1);
    let rows = found.iter().map(|line| {
        let keys = marks.key(&line.keys);
        let name = clip::end(&line.name, NAME).into_owned();
        let gap = " ".repeat(NAME + 2 - width(&name));
        let room = columns.saturating_sub(NAME + 2 + width(&keys) + 2);
        let help = clip::end(&line.help, room).into_owned();
        let pad = " ".repeat(columns.saturating_sub(NAME + 2 + width(&help) + width(&keys)));
        Line::from(vec![
            Span::styled(name, theme.strong),
            Span::raw(gap),
            Span::styled(help, theme.text),
            Span::raw(pad),
            Span::styled(keys, theme.accent),
        ])
    });
    list(&rows.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}
