//! A field of a dialog, on as many rows as its text needs: whoever agrees to a text has
//! seen all of it.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::edit::{self, Editor};
use crate::text::width;

/// The field behind its label, and the row and column of its cursor.
pub fn rows(
    label: (&str, Style),
    field: &Editor,
    style: Style,
    columns: usize,
) -> (Vec<Line<'static>>, (usize, usize)) {
    let (label, label_style) = label;
    let indent = width(label);
    let lines = field.lines();
    let of = |row: &edit::Row| lines.get(row.line).map_or("", String::as_str);
    let cursor = field.cursor();
    let rows = field.rows(columns.saturating_sub(indent).max(1));
    let at = edit::row_of(&rows, cursor);
    let column = rows.get(at).map_or(0, |row| edit::columns(of(row), row.start, cursor.column));
    let line = |(index, row): (usize, &edit::Row)| {
        let head = if index == 0 { label.to_owned() } else { " ".repeat(indent) };
        Line::from(vec![
            Span::styled(head, label_style),
            Span::styled(edit::slice(of(row), row.start, row.end), style),
        ])
    };
    (rows.iter().enumerate().map(line).collect(), (at, indent + column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::edit::Lines;

    #[test]
    fn the_whole_text_is_shown_and_the_cursor_is_in_it() {
        for (text, shown, at) in [
            ("", &["to: "][..], (0, 4)),
            ("brief", &["to: brief"], (0, 9)),
            ("one two three", &["to: one two ", "    three"], (1, 9)),
            ("日本語 日本語", &["to: 日本語 日", "    本語"], (1, 8)),
        ] {
            let field = Editor::with(Lines::One, text);
            let (rows, cursor) = rows(("to: ", Style::default()), &field, Style::default(), 13);
            let texts: Vec<String> = rows.iter().map(ToString::to_string).collect();
            let trimmed = |text: &str| text.trim_end().to_owned();
            let told: Vec<String> = texts.iter().map(|text| trimmed(text)).collect();
            let shown: Vec<String> = shown.iter().map(|text| trimmed(text)).collect();
            assert_eq!((told, cursor), (shown, at), "{text}");
        }
    }
}
