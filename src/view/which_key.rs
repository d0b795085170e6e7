//! After the first keys of a combination: how it can go on, over the foot of the transcript.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::keys::table::Row;
use crate::text::{clip, width};
use crate::view::frame::{self, Frame};
use crate::view::marks::Marks;
use crate::view::theme::Theme;

/// Columns that a key and what it does should have.
const CELL: usize = 36;

/// `above`: the part of the screen whose foot is covered.
pub fn draw(model: &Model, theme: &Theme, marks: &Marks, above: Rect, buf: &mut Buffer) {
    if model.pending.is_empty() || above.height < 3 {
        return;
    }
    let contexts = model.contexts();
    let ways: Vec<(String, &Row)> = model
        .keymap
        .continuations(&contexts, &model.pending)
        .map(|(row, keys)| (crate::app::keys::spell(keys), row))
        .collect();
    if ways.is_empty() {
        return;
    }
    let columns = (usize::from(above.width).saturating_sub(4) / CELL).max(1);
    let rows = ways.len().div_ceil(columns);
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(above.height);
    let area = Rect { y: above.bottom() - height, height, ..above };
    let frame = Frame {
        title: crate::app::keys::spell(&model.pending),
        title_style: theme.accent,
        remark: String::new(),
        keys: vec![("any other key".to_owned(), "leaves it")],
        hidden: String::new(),
        border: theme.border,
    };
    let inner = frame::draw(&frame, area, theme, marks, buf);
    let cell = usize::from(inner.width) / columns;
    for (index, (keys, row)) in ways.iter().enumerate() {
        // Down first, as lists are read.
        let (x, y) = (index / rows * cell, index % rows);
        let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else { continue };
        if y >= inner.height {
            continue;
        }
        let key = marks.key(keys);
        let pad = " ".repeat(10usize.saturating_sub(width(&key)).max(1));
        let room = cell.saturating_sub(width(&key) + pad.len() + 1);
        let line = Line::from(vec![
            Span::styled(key, theme.accent),
            Span::raw(pad),
            Span::styled(clip::end(row.help, room).into_owned(), theme.text),
        ]);
        let x = inner.x + x;
        buf.set_line(x, inner.y + y, &line, inner.right().saturating_sub(x));
    }
}
