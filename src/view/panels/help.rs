//! The help panel.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::help::{Line as Help, lines};
use crate::app::scroll::Inner;
use crate::text::{clip, width, wrap::rows};
use crate::view::panels::{Draw, text};

const MOST_KEYS: usize = 34;

pub fn draw(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let lines = lines(draw.model);
    let keys = lines.iter().filter_map(|line| match line {
        Help::Entry { keys, .. } => Some(width(keys)),
        _ => None,
    });
    let column = keys.max().unwrap_or_default().min(MOST_KEYS).min(usize::from(area.width) / 2);
    let room = usize::from(area.width).saturating_sub(column + 2);
    let mut shown: Vec<Line<'static>> = Vec::new();
    for line in lines {
        match line {
            Help::Blank => shown.push(Line::default()),
            Help::Heading(heading) => shown.push(Line::styled(heading, theme.heading)),
            Help::Entry { keys, help } => {
                let keys = clip::end(&keys, column).into_owned();
                let pad = " ".repeat(column - width(&keys) + 2);
                for (n, row) in rows(&help, room, 0).into_iter().enumerate() {
                    let head = if n == 0 {
                        vec![Span::styled(keys.clone(), theme.accent), Span::raw(pad.clone())]
                    } else {
                        vec![Span::raw(" ".repeat(column + 2))]
                    };
                    let help = Span::styled(help[row.range].to_owned(), theme.text);
                    shown.push(Line::from_iter(head.into_iter().chain([help])));
                }
            }
        }
    }
    text(&shown, draw.panel.scroll, area, buf)
}
