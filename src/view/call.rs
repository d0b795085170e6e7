//! A tool call: one line, and below it, when it is open, what went in and what came out.

use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::calls::{Call, CallState};
use crate::protocol::{Detail, Todo, TodoState};
use crate::text::{clip, width, wrap};
use crate::view::code::Colours;
use crate::view::diff;
use crate::view::layout::diff_style;
use crate::view::marks::Marks;
use crate::view::picture;
use crate::view::theme::Theme;

/// Rows of an output that are shown: so many from its start, as many from its end.
const OUTPUT: usize = 200;
/// Rows of the output of a call that still runs.
const LIVE: usize = 12;
const INDENT: usize = 2;

pub fn rows(
    model: &Model,
    call: &Call,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
    colours: &mut Colours,
) -> Vec<Line<'static>> {
    let mut rows = vec![line(call, columns, theme)];
    if !call.open {
        return rows;
    }
    let room = columns.saturating_sub(INDENT).max(1);
    let mut detail = match &call.state {
        CallState::Ended(result) => match &result.detail {
            Detail::Diff { path, hunks, .. } if !result.is_error() => {
                let width = u16::try_from(room).unwrap_or(u16::MAX);
                let style = diff_style(model.look.diff, width);
                diff::rows(path, hunks, width, style, theme, colours)
            }
            Detail::Todos { todos } => todos_rows(todos, room, theme, marks),
            Detail::Diff { .. } | Detail::Text | Detail::Command { .. } => {
                let mut rows = input(call, room, theme);
                if let Some(picture) = model.pictures.of(&call.id) {
                    rows.extend(picture::rows(picture, room));
                }
                rows.extend(output(&result.text, room, 2 * OUTPUT, theme));
                rows
            }
        },
        CallState::Queued | CallState::Running | CallState::Asked => {
            let mut rows = input(call, room, theme);
            rows.extend(live(call, room, theme));
            rows
        }
    };
    if detail.is_empty() && !call.is_running() {
        detail.push(Line::styled("no output", theme.faint));
    }
    rows.extend(detail.into_iter().map(indented));
    rows
}

/// Verb and object at the left, facts at the right; facts shorten before words do.
fn line(call: &Call, columns: usize, theme: &Theme) -> Line<'static> {
    let verb = call.verb();
    let object = call.title.object.replace('\n', " ");
    let facts = match call.facts() {
        facts if call.undone => format!("undone · {facts}"),
        facts => facts.to_owned(),
    };
    let words = width(verb) + 1 + width(&object);
    let facts = clip::end(&facts, columns.saturating_sub(words + 2).max(columns / 4)).into_owned();
    let facts_room = if facts.is_empty() { 0 } else { width(&facts) + 2 };
    let room = columns.saturating_sub(width(verb) + 1 + facts_room);
    let object = if object.contains(' ') {
        clip::end(&object, room).into_owned()
    } else {
        clip::path(&object, room).into_owned()
    };
    let used = width(verb) + 1 + width(&object) + width(&facts);
    let mut spans = vec![
        Span::styled(verb.to_owned(), theme.text),
        Span::raw(" "),
        Span::styled(object, theme.strong),
    ];
    if facts.is_empty() {
        // The newest line of a call that runs, where it stays put while it changes.
        let room = columns.saturating_sub(used + 2);
        let newest = if call.open { String::new() } else { call.output.last_line() };
        spans.push(Span::styled(format!("  {}", clip::end(&newest, room)), theme.faint));
    } else {
        spans.push(Span::raw(" ".repeat(columns.saturating_sub(used))));
        spans.push(Span::styled(facts, theme.faint));
    }
    Line::from(spans)
}

/// What the model asked for, where the line does not say it all.
fn input(call: &Call, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    for (name, value) in &call.input {
        if *value == call.title.object {
            continue;
        }
        let head = if name == "command" { "$ ".to_owned() } else { format!("{name}: ") };
        let text = format!("{head}{value}");
        for row in wrap::rows(&text, columns, INDENT) {
            let indent = if row.continues { " ".repeat(INDENT) } else { String::new() };
            rows.push(Line::styled(format!("{indent}{}", &text[row.range]), theme.faint));
        }
    }
    rows
}

/// Lines of an output, its middle left out where there are more than `most`.
pub fn output(text: &str, columns: usize, most: usize, theme: &Theme) -> Vec<Line<'static>> {
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    if lines == [""] {
        return Vec::new();
    }
    let mut rows = Vec::new();
    let add = |lines: &[&str], rows: &mut Vec<Line<'static>>| {
        for line in lines {
            for row in wrap::rows(line, columns, 0) {
                rows.push(Line::styled(line[row.range].to_owned(), theme.faint));
            }
        }
    };
    match clip::ends(lines.len(), most / 2, most / 2) {
        None => add(&lines, &mut rows),
        Some(ends) => {
            add(&lines[ends.head], &mut rows);
            rows.push(Line::styled(format!("… {} lines left out …", ends.hidden), theme.accent));
            add(&lines[ends.tail], &mut rows);
        }
    }
    rows
}

/// The newest output of a call that runs.
fn live(call: &Call, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let text = call.output.shown();
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    let first = lines.len().saturating_sub(LIVE);
    let hidden = call.output.gone + first;
    let mut rows = Vec::new();
    if hidden > 0 {
        rows.push(Line::styled(format!("… {hidden} lines above"), theme.accent));
    }
    rows.extend(output(&lines[first..].join("\n"), columns, 2 * LIVE, theme));
    rows
}

fn todos_rows(todos: &[Todo], columns: usize, theme: &Theme, marks: &Marks) -> Vec<Line<'static>> {
    let line = |todo: &Todo| {
        let (mark, style) = match todo.status {
            TodoState::Completed => (marks.done, theme.faint),
            TodoState::InProgress => (marks.chosen, theme.strong),
            TodoState::Pending => (marks.dropped, theme.text),
        };
        let text = clip::end(&todo.content, columns.saturating_sub(2)).into_owned();
        Line::from(vec![Span::styled(format!("{mark} "), theme.accent), Span::styled(text, style)])
    };
    todos.iter().map(line).collect()
}

fn indented(line: Line<'static>) -> Line<'static> {
    let style = line.style;
    let spans = std::iter::once(Span::raw(" ".repeat(INDENT))).chain(line.spans);
    Line::from_iter(spans).style(style)
}
