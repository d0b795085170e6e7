//! Pieces of text to rows of the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::text::Piece;

/// One row.
pub fn line(pieces: Vec<Piece<Style>>) -> Line<'static> {
    Line::from(
        pieces.into_iter().map(|piece| Span::styled(piece.text, piece.style)).collect::<Vec<_>>(),
    )
}

/// The text of a row, without the spaces at its end.
pub fn text(line: &Line<'_>) -> String {
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    text.trim_end().to_string()
}

/// Draws a row; what it stands on reaches to the end of the columns.
pub fn put(row: &Line<'_>, (x, y): (u16, u16), columns: u16, buf: &mut Buffer) {
    buf.set_style(Rect { x, y, width: columns, height: 1 }, row.style);
    buf.set_line(x, y, row, columns);
}
