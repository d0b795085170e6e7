//! What the person has chosen in the transcript: how it looks, and what it says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::Model;
use crate::app::select::Selection;
use crate::text::graphemes;
use crate::view::State;
use crate::view::rows;
use crate::view::theme::Theme;

/// Columns at which no line of a text is wrapped.
const UNWRAPPED: u16 = 20_000;

/// Marks the chosen cells of a row that stands at `x`, `y`.
pub fn paint(
    selection: &Selection,
    (entry, row): (usize, usize),
    line: &Line<'_>,
    (x, y): (u16, u16),
    theme: &Theme,
    buf: &mut Buffer,
) {
    let Some((from, to)) = selection.cells(entry, row) else { return };
    // An empty row that is chosen shows as one cell.
    let end = to.min(line.width().max(1));
    if from < end {
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let area =
            Rect { x: x.saturating_add(cells(from)), y, width: cells(end - from), height: 1 };
        buf.set_style(area.intersection(buf.area), theme.selection);
    }
}

/// The chosen text, its lines as they were before the screen wrapped them.
pub fn text(model: &Model, state: &mut State) -> String {
    let Some(selection) = &model.selection else { return String::new() };
    let (first, last) = selection.ends();
    let mut text = String::new();
    for entry in first.entry..=last.entry {
        if entry > first.entry {
            text.push_str("\n\n");
        }
        let wrapped = plain(&state.entry_rows(model, entry, None));
        let whole = plain(&state.entry_rows(model, entry, Some(UNWRAPPED)));
        let joins = joins(&wrapped, &whole);
        let mut begun = false;
        for (row, line) in wrapped.iter().enumerate() {
            let Some((from, to)) = selection.cells(entry, row) else { continue };
            let piece = cut(line, from, to);
            match (begun, joins[row]) {
                (false, _) => {}
                (true, Join::Line) => text.push('\n'),
                (true, Join::Blank) => text.push(' '),
                (true, Join::Nothing) => {}
            }
            let piece = if begun && joins[row] != Join::Line { piece.trim_start() } else { &piece };
            text.push_str(piece.trim_end());
            begun = true;
        }
    }
    text
}

/// How a row goes on from the one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// It is a line of its own.
    Line,
    /// The blank between them was left out by wrapping.
    Blank,
    /// A word was broken.
    Nothing,
}

fn plain(rows: &[Line<'static>]) -> Vec<String> {
    rows.iter().map(rows::text).collect()
}

/// Finds out by comparing the wrapped rows with the unwrapped ones, letter by letter. What differs
/// by more than blanks (a table, a rule) is taken row by row.
fn joins(wrapped: &[String], whole: &[String]) -> Vec<Join> {
    let mut joins = vec![Join::Line; wrapped.len()];
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<char>>();
    let mut lines = whole.iter().map(|line| (letters(line), line.as_str()));
    let mut rest: (Vec<char>, &str) = (Vec::new(), "");
    let mut used = 0;
    for (row, text) in wrapped.iter().enumerate() {
        let own = letters(text);
        if own.is_empty() {
            continue;
        }
        if used == rest.0.len() {
            let Some(next) = lines.by_ref().find(|(letters, _)| !letters.is_empty()) else { break };
            (rest, used) = (next, 0);
        } else {
            joins[row] = between(rest.1, used);
        }
        if rest.0.get(used..used + own.len()) != Some(&own[..]) {
            return vec![Join::Line; wrapped.len()];
        }
        used += own.len();
    }
    joins
}

/// Whether a blank stands behind so many letters of the line.
fn between(line: &str, letters: usize) -> Join {
    let mut seen = 0;
    for c in line.chars() {
        if seen == letters {
            return if c.is_whitespace() { Join::Blank } else { Join::Nothing };
        }
        seen += usize::from(!c.is_whitespace());
    }
    Join::Nothing
}

/// Cells `from..to` of a line.
fn cut(line: &str, from: usize, to: usize) -> String {
    let mut at = 0;
    let mut piece = String::new();
    for (grapheme, columns) in graphemes(line) {
        let end = at + columns;
        if end > from && at < to {
            piece.push_str(grapheme);
        }
        at = end;
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split('|').map(str::to_owned).collect()
    }

    #[test]
    fn rows_are_joined_where_the_screen_has_wrapped_them() {
        use Join::{Blank, Line, Nothing};
        for (wrapped, whole, joined) in [
            ("one two|three", "one two three", vec![Line, Blank]),
            ("one|two", "one|two", vec![Line, Line]),
            ("one two|three||  code", "one two three||  code", vec![Line, Blank, Line, Line]),
            ("incompre|hensible", "incomprehensible", vec![Line, Nothing]),
            ("日本|語", "日本語", vec![Line, Nothing]),
            ("a | b|───", "a  |  b|─────────", vec![Line, Line, Line]),
            ("", "", vec![Line]),
        ] {
            assert_eq!(joins(&lines(wrapped), &lines(whole)), joined, "{wrapped}");
        }
        assert_eq!(cut("a日b", 1, 3), "日");
        assert_eq!(cut("a日b", 2, usize::MAX), "日b");
    }
}
