//! The panels that are one text: status, tasks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::scroll::Inner;
use crate::protocol::{Source, Sourced, TodoState};
use crate::view::panels::{Draw, text};
use crate::view::words;

/// Where a rule comes from: its file and line, or in words.
pub fn origin<T>(of: &Sourced<T>) -> String {
    let source = match of.source {
        Source::BuiltIn => "built in",
        Source::User => "user",
        Source::Project => "project",
        Source::Local => "this project, local",
        Source::SettingsFile => "settings file",
        Source::Environment => "environment",
        Source::Flag => "command line",
        Source::Session => "this session",
        Source::Managed => "managed",
    };
    match (&of.file, of.line) {
        (Some(file), Some(line)) => format!("{source}  {}:{line}", file.display()),
        (Some(file), None) => format!("{source}  {}", file.display()),
        (None, _) => source.to_owned(),
    }
}

pub fn status(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let model = draw.model;
    let session = &model.session;
    let spending = &model.spending;
    let context = match session.window {
        Some(window) => {
            format!("{} of {} tokens", words::tokens(spending.context), words::tokens(window))
        }
        None => format!("{} tokens, window not known", words::tokens(spending.context)),
    };
    let unpriced = match spending.unpriced {
        0 => String::new(),
        n => format!(", {n} requests without a known price"),
    };
    let branch = match session.branch.as_str() {
        "" => "no git repository".to_owned(),
        branch => format!("{branch}, {} changed files", session.dirty),
    };
    let running = model.jobs.iter().filter(|job| job.running).count();
    let pairs = [
        ("version", session.version.clone()),
        ("session", session.id.as_ref().map_or("none yet".to_owned(), |id| id.0.clone())),
        ("title", session.title.clone()),
        ("folder", session.cwd.clone()),
        ("git", branch),
        ("model", session.model.clone()),
        (
            "replies",
            if session.scripted { "scripted, no model behind them" } else { "" }.to_owned(),
        ),
        ("mode", session.mode.name().to_owned()),
        ("sandbox", session.sandbox.as_ref().map_or_else(String::new, |(_, words)| words.clone())),
        ("context", context),
        ("cost", format!("{} this session, {} today{unpriced}", spending.session, spending.today)),
        ("theme", model.look.theme.clone()),
        ("background", if running > 0 { format!("{running} commands run") } else { String::new() }),
    ];
    let lines: Vec<Line<'static>> = pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            Line::from(vec![
                Span::styled(format!("{name:<12}"), theme.faint),
                Span::styled(value, theme.text),
            ])
        })
        .collect();
    text(&lines, draw.panel.scroll, area, buf)
}

pub fn todos(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let mut lines: Vec<Line<'static>> = draw
        .model
        .todos
        .iter()
        .map(|todo| {
            let (mark, mark_style, style) = match todo.status {
                TodoState::Completed => (marks.done, theme.done, theme.faint),
                TodoState::InProgress => (marks.chosen, theme.accent, theme.strong),
                TodoState::Pending => (marks.dropped, theme.faint, theme.text),
            };
            Line::from(vec![
                Span::styled(format!("{mark} "), mark_style),
                Span::styled(todo.content.clone(), style),
            ])
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled("the model has made no list", theme.faint));
    }
    text(&lines, draw.panel.scroll, area, buf)
}
