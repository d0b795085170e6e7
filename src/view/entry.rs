//! One entry of the transcript as rows, and the mark beside it. The model's prose is not made
//! here: it grows, so `view::stream` keeps it.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::calls::{Call, CallState};
use crate::app::transcript::{Body, LONG};
use crate::protocol::{CallStatus, Level, TurnEnd, TurnSummary};
use crate::text::{clip, width, wrap};
use crate::view::call;
use crate::view::code::Colours;
use crate::view::markdown;
use crate::view::marks::Marks;
use crate::view::rows;
use crate::view::theme::Theme;
use crate::view::words;

/// Rows of the output of a command that the person ran.
const SHELL: usize = 30;

/// The mark beside row `row` of an entry. Not kept with the rows, as it may move while they stay.
pub fn mark(
    model: &Model,
    body: &Body,
    row: usize,
    theme: &Theme,
    marks: &Marks,
) -> (&'static str, Style) {
    let first = |mark: &'static str, style| if row == 0 { (mark, style) } else { ("", style) };
    match body {
        Body::Person { .. } => (marks.person, theme.person),
        Body::Prose { .. } | Body::Thought { .. } | Body::Compaction { .. } => ("", theme.text),
        Body::Call(call) => {
            let (mark, style) = call_mark(model, call, theme, marks);
            first(mark, style)
        }
        Body::Shell { code: Some(0), .. } => first("!", theme.done),
        Body::Shell { .. } => first("!", theme.failed),
        Body::Notice { level, .. } => first(marks.notice, level_style(*level, theme)),
        Body::Ending { end: TurnEnd::Interrupted, .. } => first(marks.stopped, theme.text),
        Body::Ending { .. } => ("", theme.faint),
    }
}

pub fn call_mark(
    model: &Model,
    call: &Call,
    theme: &Theme,
    marks: &Marks,
) -> (&'static str, Style) {
    match &call.state {
        CallState::Queued => (marks.queued, theme.faint),
        CallState::Running => (marks.spin(model.spin()), theme.accent),
        CallState::Asked => (marks.asked, theme.asked),
        CallState::Ended(result) => match result.status {
            CallStatus::Done => (marks.done, theme.done),
            CallStatus::Failed | CallStatus::Denied => (marks.failed, theme.failed),
            CallStatus::Interrupted => (marks.stopped, theme.text),
            CallStatus::Unknown => (marks.asked, theme.asked),
        },
    }
}

fn level_style(level: Level, theme: &Theme) -> Style {
    match level {
        Level::Info => theme.accent,
        Level::Warning => theme.asked,
        Level::Error => theme.failed,
    }
}

pub fn rows(
    model: &Model,
    body: &Body,
    width: u16,
    theme: &Theme,
    marks: &Marks,
    colours: &mut Colours,
) -> Vec<Line<'static>> {
    let columns = usize::from(width);
    match body {
        Body::Person { text, open } => person(text, *open, columns, theme),
        Body::Prose { text, .. } => markdown::render(text, width, theme, colours),
        Body::Thought { text, live, open } => thought(text, *live, *open, width, theme, colours),
        Body::Call(call) => call::rows(model, call, columns, theme, marks, colours),
        Body::Shell { command, output, open, .. } => {
            let mut rows = plain(command, columns, theme.strong);
            if *open {
                rows.extend(call::output(output, columns, SHELL, theme));
            }
            rows
        }
        Body::Notice { level, text, hints } => {
            let style = if *level == Level::Error { theme.strong } else { theme.text };
            let mut rows = plain(text, columns, style);
            for hint in hints {
                rows.extend(plain(hint, columns, theme.faint));
            }
            rows
        }
        Body::Compaction { before, after, summary, open } => {
            let text = format!(
                "conversation summed up: {} {} {} tokens",
                words::tokens(*before),
                marks.to,
                words::tokens(*after)
            );
            let mut rows = vec![rule(&text, columns, theme)];
            if *open {
                rows.push(Line::default());
                rows.extend(markdown::render(summary, width, theme, colours));
            }
            rows
        }
        Body::Ending { end, summary } => plain(&ending(end, summary, marks), columns, theme.faint),
    }
}

fn person(text: &str, open: bool, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let lines = text.lines().count();
    if lines <= LONG || open {
        return plain(text.trim_end(), columns, theme.strong);
    }
    let head: Vec<&str> = text.lines().take(LONG / 2).collect();
    let mut rows = plain(&head.join("\n"), columns, theme.strong);
    rows.push(Line::styled(format!("… {} more lines", lines - LONG / 2), theme.faint));
    rows
}

fn thought(
    text: &str,
    live: bool,
    open: bool,
    width: u16,
    theme: &Theme,
    colours: &mut Colours,
) -> Vec<Line<'static>> {
    let head = if live { "Thinking" } else { "Thought" };
    if !open {
        // The first line stays the first while more comes: nothing moves.
        let line = text.lines().find(|line| !line.trim().is_empty());
        let room = usize::from(width).saturating_sub(head.len() + 2);
        let line = line.unwrap_or_default().trim().trim_start_matches(['#', '*', ' ']);
        let line = clip::end(line.trim_end_matches('*'), room).into_owned();
        return vec![Line::from(vec![
            Span::styled(format!("{head}  "), theme.faint),
            Span::styled(line, theme.quote),
        ])];
    }
    let mut lines = vec![Line::styled(head, theme.faint)];
    lines.extend(markdown::render(text, width, theme, colours).into_iter().map(|row| {
        // Thoughts are read less: all of it in the faint of a quotation.
        Line::styled(rows::text(&row), theme.quote)
    }));
    lines
}

/// `─ text ───────`
fn rule(text: &str, columns: usize, theme: &Theme) -> Line<'static> {
    let text = clip::end(text, columns.saturating_sub(6)).into_owned();
    let rest = columns.saturating_sub(width(&text) + 4);
    Line::from(vec![
        Span::styled("── ", theme.border),
        Span::styled(text, theme.faint),
        Span::styled(format!(" {}", "─".repeat(rest)), theme.border),
    ])
}

/// `3 files · +41 −12 · 4 commands · $0.06 · 48 s`
fn ending(end: &TurnEnd, summary: &TurnSummary, marks: &Marks) -> String {
    let mut parts = Vec::new();
    match end {
        TurnEnd::Done => {}
        TurnEnd::Interrupted => parts.push("stopped".to_owned()),
        TurnEnd::TurnLimit => parts.push("stopped at the limit of turns".to_owned()),
        TurnEnd::Budget => parts.push("stopped at the budget".to_owned()),
        TurnEnd::Failed { .. } => parts.push("failed".to_owned()),
    }
    if summary.files > 0 {
        parts.push(words::count(summary.files as usize, "file", "files"));
        parts.push(format!("+{} {}{}", summary.added, marks.minus, summary.removed));
    }
    if summary.commands > 0 {
        parts.push(words::count(summary.commands as usize, "command", "commands"));
    }
    if summary.requests > 0 {
        parts.push(summary.cost.map_or("price not known".to_owned(), |cost| cost.to_string()));
    }
    parts.push(words::duration(summary.duration_ms));
    parts.join(&format!(" {} ", marks.dot))
}

/// Text in one style, wrapped.
pub fn plain(text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    wrap::rows(text, columns, 0)
        .into_iter()
        .map(|row| Line::styled(text[row.range].to_owned(), style))
        .collect()
}
