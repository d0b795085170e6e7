//! The prompt, its cursor, and the list of completions above it.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::edit::{self, Row};
use crate::app::model::Focus;
use crate::app::prompt::HistorySearch;
use crate::app::vim::Mode;
use crate::text::{clip, width};
use crate::view::layout::GUTTER;
use crate::view::marks::Marks;
use crate::view::theme::Theme;

const COMPLETIONS: usize = 8;
/// Columns kept at the right, for remarks and for the eye.
const RIGHT: u16 = 2;

pub fn text_columns(area_width: u16) -> usize {
    usize::from(area_width.saturating_sub(GUTTER + RIGHT).max(1))
}

pub fn rows(model: &Model, columns: usize) -> Vec<Row> {
    model.prompt.editor.rows(columns)
}

/// Draws the prompt and gives the place of the cursor.
pub fn draw(
    model: &Model,
    rows: &[Row],
    theme: &Theme,
    marks: &Marks,
    area: Rect,
    buf: &mut Buffer,
) -> Position {
    buf.set_style(area, theme.cursor_line);
    if let Some(search) = &model.prompt.search {
        return history_search(search, theme, area, buf);
    }
    let focused = model.focus() == Focus::Prompt;
    let shell = model.prompt.editor.lines()[0].starts_with('!');
    let (mark, style) = match (shell, focused) {
        (true, _) => ("!", theme.asked),
        (false, true) => (marks.prompt, theme.accent),
        (false, false) => (marks.prompt, theme.faint),
    };
    buf.set_string(area.x + 2, area.y, mark, style);
    let editor = &model.prompt.editor;
    let cursor = editor.cursor();
    let at = edit::row_of(rows, cursor);
    let height = usize::from(area.height).max(1);
    let top = (at + 1).saturating_sub(height).max(at.min(rows.len().saturating_sub(height)));
    let top = top.min(at);
    let x = area.x + GUTTER;
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(top)) {
        let line = row_line(model, row, theme);
        buf.set_line(x, y, &line, area.right().saturating_sub(x));
        if let Some(chosen) = chosen(model, row) {
            let text = &editor.lines()[row.line];
            let column = |to: usize| edit::columns(text, row.start, row.start + to);
            let from = u16::try_from(column(chosen.start)).unwrap_or(u16::MAX);
            let width = u16::try_from(column(chosen.end)).unwrap_or(u16::MAX) - from;
            let place = Rect { x: x.saturating_add(from), y, width, height: 1 };
            buf.set_style(place.intersection(area), theme.selection);
        }
    }
    if model.prompt.is_empty() {
        placeholder(model, theme, x, area, buf);
    }
    mode(model, theme, area, buf);
    if top > 0 {
        buf.set_string(area.right().saturating_sub(2), area.y, "↑", theme.faint);
    }
    let line = &editor.lines()[cursor.line];
    let column = rows.get(at).map_or(0, |row| edit::columns(line, row.start, cursor.column));
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    Position {
        x: (x + column).min(area.right().saturating_sub(1)),
        y: area.y + u16::try_from(at - top).unwrap_or(0),
    }
}

/// Which of vim's modes the prompt is in, where it does not simply take letters.
fn mode(model: &Model, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mode = model.vim.as_ref().map_or(Mode::Insert, |vim| vim.mode);
    if mode != Mode::Insert {
        let x = area.right().saturating_sub(crate::view::frame::columns(mode.name()) + RIGHT);
        buf.set_string(x, area.y, mode.name(), theme.accent);
    }
}

/// What visual mode has chosen of a row.
fn chosen(model: &Model, row: &Row) -> Option<Range<usize>> {
    let chosen = model.vim.as_ref()?.selection(&model.prompt)?;
    let lines = &model.prompt.editor.lines()[..row.line];
    let before: usize = lines.iter().map(|line| line.chars().count() + 1).sum();
    let start = chosen.start.saturating_sub(before).max(row.start);
    let end = chosen.end.saturating_sub(before).min(row.end);
    (start < end).then_some(start - row.start..end - row.start)
}

fn row_line(model: &Model, row: &Row, theme: &Theme) -> Line<'static> {
    let line = &model.prompt.editor.lines()[row.line];
    let mut spans = Vec::new();
    let mut at = row.start;
    for (start, end) in model.prompt.marks(line) {
        let (start, end) = (start.clamp(at, row.end), end.clamp(at, row.end));
        spans.push(Span::styled(edit::slice(line, at, start), theme.text));
        spans.push(Span::styled(edit::slice(line, start, end), theme.accent));
        at = end;
    }
    spans.push(Span::styled(edit::slice(line, at, row.end), theme.text));
    Line::from(spans)
}

fn placeholder(model: &Model, theme: &Theme, x: u16, area: Rect, buf: &mut Buffer) {
    let text = if !model.dialogs.is_empty()
        || model.confirm.is_some()
        || model.budget.is_some()
        || !model.asked.is_empty()
        || model.browse.is_some()
    {
        ""
    } else if model.is_working() {
        "say more: it goes along with the next step"
    } else if model.transcript.is_empty() {
        "what is to be done?  / commands · ! shell · ? help"
    } else {
        ""
    };
    let room = usize::from(area.right().saturating_sub(x + RIGHT));
    if width(text) <= room {
        buf.set_string(x, area.y, text, theme.faint);
    }
}

fn history_search(search: &HistorySearch, theme: &Theme, area: Rect, buf: &mut Buffer) -> Position {
    let query = search.field.text();
    let label = if search.count() > 0 { "search: " } else { "nothing found: " };
    let head = format!("{label}{query}");
    let count = format!("   {}", crate::view::words::count(search.count(), "prompt", "prompts"));
    let line = Line::from(vec![
        Span::styled(label, theme.faint),
        Span::styled(query, theme.strong),
        Span::styled(count, theme.faint),
    ]);
    buf.set_line(area.x + 2, area.y, &line, area.width.saturating_sub(2));
    Position { x: area.x + 2 + crate::view::frame::columns(&head), y: area.y }
}

/// Earlier prompts that match, the newest beside the search.
fn earlier(
    model: &Model,
    search: &HistorySearch,
    theme: &Theme,
    marks: &Marks,
    area: Rect,
    buf: &mut Buffer,
) {
    let height = usize::from(area.height);
    let first = (search.at + 1).saturating_sub(height);
    let room = usize::from(area.width.saturating_sub(GUTTER + RIGHT));
    let shown = search.all(&model.prompt.history).enumerate().skip(first).take(height);
    for (y, (at, draft)) in (area.y..area.bottom()).rev().zip(shown) {
        let text = draft.text.replace('\n', " ");
        let text = clip::end(&text, room).into_owned();
        let row = Rect { y, height: 1, ..area };
        if at == search.at {
            buf.set_style(row, theme.selection);
            buf.set_string(area.x + 2, y, marks.chosen, theme.accent);
        }
        let style = if at == search.at { theme.strong } else { theme.text };
        buf.set_string(area.x + GUTTER, y, text, style);
    }
}

/// Rows that the list of completions wants.
pub fn completion_rows(model: &Model) -> u16 {
    let count = match &model.prompt.search {
        Some(search) => search.count(),
        None => model.complete.as_ref().map_or(0, |complete| complete.items.len()),
    };
    u16::try_from(count.min(COMPLETIONS)).unwrap_or(0)
}

pub fn completions(model: &Model, theme: &Theme, marks: &Marks, area: Rect, buf: &mut Buffer) {
    if let Some(search) = &model.prompt.search {
        return earlier(model, search, theme, marks, area, buf);
    }
    let Some(complete) = &model.complete else { return };
    let height = usize::from(area.height);
    let top = (complete.at + 1).saturating_sub(height);
    let label = complete.items.iter().map(|item| width(&item.label)).max().unwrap_or_default();
    for (y, (at, item)) in (area.y..).zip(complete.items.iter().enumerate().skip(top).take(height))
    {
        let chosen = at == complete.at;
        let mark = if chosen { marks.chosen } else { " " };
        let pad = " ".repeat(label.saturating_sub(width(&item.label)) + 3);
        let line = Line::from(vec![
            Span::styled(format!("  {mark} "), theme.accent),
            Span::styled(item.label.clone(), if chosen { theme.strong } else { theme.text }),
            Span::raw(pad),
            Span::styled(item.help.clone(), theme.faint),
        ]);
        let row = Rect { y, height: 1, ..area };
        if chosen {
            buf.set_style(row, theme.selection);
        }
        buf.set_line(row.x, y, &line, row.width.saturating_sub(1));
    }
}
