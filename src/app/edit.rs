//! Editable text: the one place that knows tui-textarea.
//!
//! An [`Editor`] is the prompt or a one-line field. It edits; what is drawn is made by `view`
//! from [`Editor::rows`], so that the text wraps like everything else on the screen.

use tui_textarea::{CursorMove, DataCursor, TextArea};
use unicode_segmentation::UnicodeSegmentation;

use crate::app::keys::Edit;
use crate::text;

/// Cuts that are kept for putting back.
const CUTS: usize = 16;

#[derive(Debug, Clone)]
pub struct Editor {
    area: TextArea<'static>,
    lines: Lines,
    /// Newest first.
    cuts: Vec<String>,
    /// What the last action was, for cuts that join and for [`Edit::YankOlder`].
    last: Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    One,
    Many,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Other,
    Cut,
    /// The n-th newest cut was put back.
    Yank(usize),
}

/// A place: line, and characters from its start, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// A row on the screen: a part of a line, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub line: usize,
    pub start: usize,
    pub end: usize,
}

impl Editor {
    pub fn new(lines: Lines) -> Editor {
        Editor::with(lines, "")
    }

    /// Starts with `text` and the cursor at its end.
    pub fn with(lines: Lines, text: &str) -> Editor {
        let mut area = TextArea::new(split(lines, text));
        area.set_max_histories(200);
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Editor { area, lines, cuts: Vec::new(), last: Last::Other }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    pub fn cursor(&self) -> Place {
        let DataCursor(line, column) = self.area.cursor();
        Place { line, column }
    }

    /// Replaces everything, as one step that can be undone.
    pub fn set(&mut self, text: &str) {
        self.last = Last::Other;
        self.area.select_all();
        self.area.cut();
        self.area.insert_str(split(self.lines, text).join("\n"));
    }

    pub fn insert(&mut self, text: &str) {
        self.last = Last::Other;
        let text = split(self.lines, text).join("\n");
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {}
            // A single letter joins the run of letters before it as one step of undo.
            (Some(c), None) if c != '\n' => self.area.insert_char(c),
            _ => {
                self.area.insert_str(&text);
            }
        }
    }

    /// True where the text was changed.
    pub fn edit(&mut self, edit: Edit) -> bool {
        let last = std::mem::replace(&mut self.last, Last::Other);
        match edit {
            Edit::Left => self.step(CursorMove::Back),
            Edit::Right => self.step(CursorMove::Forward),
            Edit::WordLeft => self.step(CursorMove::WordBack),
            Edit::WordRight => self.step(CursorMove::WordForward),
            Edit::LineStart => self.step(CursorMove::Head),
            Edit::LineEnd => self.step(CursorMove::End),
            Edit::TextStart => self.step(CursorMove::Jump(0, 0)),
            Edit::TextEnd => {
                self.step(CursorMove::Bottom);
                self.step(CursorMove::End)
            }
            Edit::DeleteBack => self.area.delete_char(),
            Edit::DeleteForward => self.area.delete_next_char(),
            Edit::DeleteWordBack => self.cut(last, Join::Before, TextArea::delete_word),
            Edit::DeleteWordForward => self.cut(last, Join::After, TextArea::delete_next_word),
            Edit::KillToStart => self.cut(last, Join::Before, TextArea::delete_line_by_head),
            Edit::KillToEnd => self.cut(last, Join::After, TextArea::delete_line_by_end),
            Edit::Yank => self.yank(0),
            Edit::YankOlder => match last {
                Last::Yank(n) if !self.cuts.is_empty() => {
                    self.area.undo();
                    self.yank((n + 1) % self.cuts.len())
                }
                _ => false,
            },
            Edit::Undo => self.area.undo(),
            Edit::Redo => self.area.redo(),
        }
    }

    pub fn jump(&mut self, place: Place) {
        self.last = Last::Other;
        let clamp = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(clamp(place.line), clamp(place.column)));
    }

    /// Removes the characters between two places of one line, as one step.
    pub fn remove(&mut self, line: usize, start: usize, end: usize) {
        self.jump(Place { line, column: start });
        self.area.delete_str(end.saturating_sub(start));
    }

    /// Removes so many characters from the cursor on, line feeds among them, as one step.
    pub fn delete(&mut self, count: usize) {
        self.last = Last::Other;
        if count > 0 {
            self.area.delete_str(count);
        }
    }

    /// The text wrapped at `width` columns: every line has at least one row.
    pub fn rows(&self, width: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        for (line, text) in self.area.lines().iter().enumerate() {
            wrap_line(line, text, width.max(1), &mut rows);
        }
        rows
    }

    /// Moves up or down by rows at `width`. False where there is no such row.
    pub fn step_row(&mut self, width: usize, down: bool) -> bool {
        let rows = self.rows(width);
        let cursor = self.cursor();
        let at = row_of(&rows, cursor);
        let to = if down { at + 1 } else { at.wrapping_sub(1) };
        let Some(target) = rows.get(to) else { return false };
        let column = columns(&self.area.lines()[rows[at].line], rows[at].start, cursor.column);
        let line = &self.area.lines()[target.line];
        let last = target.end.saturating_sub(usize::from(
            rows.get(to + 1).is_some_and(|next| next.line == target.line),
        ));
        let mut place = Place { line: target.line, column: target.start };
        while place.column < last && columns(line, target.start, place.column + 1) <= column {
            place.column += 1;
        }
        self.jump(place);
        true
    }

    fn step(&mut self, step: CursorMove) -> bool {
        self.area.cancel_selection();
        self.area.move_cursor(step);
        false
    }

    fn cut(
        &mut self,
        last: Last,
        join: Join,
        delete: impl Fn(&mut TextArea<'static>) -> bool,
    ) -> bool {
        self.area.set_yank_text("");
        if !delete(&mut self.area) {
            return false;
        }
        let text = self.area.yank_text();
        // Deleting a line break is no cut that the crate reports.
        let text = if text.is_empty() { "\n".to_owned() } else { text };
        match (last, join, self.cuts.first_mut()) {
            (Last::Cut, Join::Before, Some(newest)) => newest.insert_str(0, &text),
            (Last::Cut, Join::After, Some(newest)) => newest.push_str(&text),
            _ => self.cuts.insert(0, text),
        }
        self.cuts.truncate(CUTS);
        self.last = Last::Cut;
        true
    }

    fn yank(&mut self, n: usize) -> bool {
        let Some(text) = self.cuts.get(n).cloned() else { return false };
        self.insert(&text);
        self.last = Last::Yank(n);
        true
    }
}

#[derive(Debug, Clone, Copy)]
enum Join {
    Before,
    After,
}

/// The row that holds `place`.
pub fn row_of(rows: &[Row], place: Place) -> usize {
    rows.iter()
        .rposition(|row| row.line == place.line && row.start <= place.column)
        .unwrap_or_default()
}

/// Columns that the characters `from..to` of `line` take.
pub fn columns(line: &str, from: usize, to: usize) -> usize {
    text::width(&slice(line, from, to))
}

/// The characters `from..to` of `line`.
pub fn slice(line: &str, from: usize, to: usize) -> String {
    line.chars().skip(from).take(to.saturating_sub(from)).collect()
}

fn split(lines: Lines, text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    match lines {
        Lines::Many => text.split('\n').map(str::to_owned).collect(),
        Lines::One => vec![text.replace('\n', " ")],
    }
}

/// Breaks after blanks where it can, and within a word where it must. Blanks at a break stay on
/// the row before, even where they do not fit. The cursor needs a cell behind the last character,
/// so a last row that is full is followed by an empty one.
fn wrap_line(line: usize, text: &str, width: usize, rows: &mut Vec<Row>) {
    let (mut start, mut at, mut used) = (0, 0, 0);
    for word in text.split_word_bounds() {
        let blank = word.trim().is_empty();
        if used + text::width(word) > width && !blank && at > start {
            rows.push(Row { line, start, end: at });
            (start, used) = (at, 0);
        }
        for grapheme in word.graphemes(true) {
            let wide = text::width(grapheme);
            if used + wide > width && !blank && at > start {
                rows.push(Row { line, start, end: at });
                (start, used) = (at, 0);
            }
            at += grapheme.chars().count();
            used += wide;
        }
    }
    rows.push(Row { line, start, end: at });
    if used >= width && at > start && !text.ends_with(char::is_whitespace) {
        rows.push(Row { line, start: at, end: at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Editor {
        Editor::with(Lines::Many, text)
    }

    fn shown(editor: &Editor, width: usize) -> Vec<String> {
        let rows = editor.rows(width);
        rows.iter().map(|row| slice(&editor.lines()[row.line], row.start, row.end)).collect()
    }

    #[test]
    fn rows_break_at_blanks_and_leave_room_for_the_cursor() {
        for (text, rows) in [
            ("", vec![""]),
            ("one two three", vec!["one two ", "three"]),
            ("incomprehensible", vec!["incompre", "hensible", ""]),
            ("ab\n\ncd", vec!["ab", "", "cd"]),
            ("日本語日本", vec!["日本語日", "本"]),
            ("12345678", vec!["12345678", ""]),
            ("1234567  next", vec!["1234567  ", "next"]),
        ] {
            assert_eq!(shown(&typed(text), 8), rows, "{text:?}");
        }
    }

    #[test]
    fn up_and_down_move_by_rows_of_the_screen() {
        let mut editor = typed("one two three\nx");
        assert!(editor.step_row(8, false));
        assert_eq!(editor.cursor(), Place { line: 0, column: 9 });
        assert!(editor.step_row(8, false));
        assert_eq!(editor.cursor(), Place { line: 0, column: 1 });
        assert!(!editor.step_row(8, false));
        assert!(editor.step_row(8, true) && editor.step_row(8, true));
        assert!(!editor.step_row(8, true));
        assert_eq!(editor.cursor(), Place { line: 1, column: 1 });
    }

    #[test]
    fn cuts_join_and_come_back() {
        let mut editor = typed("alpha beta gamma");
        editor.edit(Edit::DeleteWordBack);
        editor.edit(Edit::DeleteWordBack);
        assert_eq!(editor.text(), "alpha ");
        editor.edit(Edit::LineStart);
        editor.edit(Edit::KillToEnd);
        editor.edit(Edit::Yank);
        assert_eq!(editor.text(), "alpha ");
        editor.edit(Edit::YankOlder);
        assert_eq!(editor.text(), "beta gamma");
        editor.edit(Edit::YankOlder);
        assert_eq!(editor.text(), "alpha ");
    }

    #[test]
    fn setting_the_text_can_be_undone() {
        let mut editor = typed("draft");
        editor.set("replaced");
        assert_eq!(editor.text(), "replaced");
        editor.edit(Edit::Undo);
        editor.edit(Edit::Undo);
        assert_eq!(editor.text(), "draft");
    }

    #[test]
    fn a_field_has_one_line() {
        let mut field = Editor::new(Lines::One);
        field.insert("a\r\nb\nc");
        assert_eq!(field.lines(), ["a b c"]);
    }
}
