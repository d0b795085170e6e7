//! The last line: mode, model, context, cost, branch. What does not fit goes in a fixed order:
//! branch, provider, today's cost; mode, context and cost never.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::keys::{Action, Context};
use crate::app::{Model, SessionInfo};
use crate::protocol::{Held, Mode};
use crate::text::{clip, width};
use crate::view::marks::Marks;
use crate::view::theme::Theme;
use crate::view::words;

const GAP: &str = "   ";

/// Columns of the person's own words for which other parts give way.
const OWN: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    ModeKey,
    Scripted,
    Provider,
    Model,
    ContextWord,
    Today,
    Jobs,
    Branch,
    Sandbox,
    Help,
}

/// What is given up when the line is too long, first to last.
const DROPPED: [Part; 10] = [
    Part::Branch,
    Part::Sandbox,
    Part::Provider,
    Part::Today,
    Part::Help,
    Part::Jobs,
    Part::ModeKey,
    Part::ContextWord,
    Part::Model,
    Part::Scripted,
];

pub fn draw(model: &Model, theme: &Theme, marks: &Marks, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(4);
    let mut dropped: Vec<Part> = Vec::new();
    let mut rest = DROPPED.into_iter();
    let (mut left, mut right) = line(model, theme, marks, &dropped);
    let own = own_columns(model);
    while left.width() + right.width() + own + 2 > room {
        let Some(part) = rest.next() else { break };
        dropped.push(part);
        (left, right) = line(model, theme, marks, &dropped);
    }
    own_words(model, &mut left, room.saturating_sub(right.width() + 2), theme);
    buf.set_line(area.x + 2, area.y, &left, area.width.saturating_sub(2));
    let at = usize::from(area.width).saturating_sub(2 + right.width());
    let x = area.x + u16::try_from(at).unwrap_or(0);
    buf.set_line(x, area.y, &right, area.right().saturating_sub(x));
}

/// Columns that the person's own words are worth: parts that tern shows by itself go before them.
fn own_columns(model: &Model) -> usize {
    match width(&model.status_line.1) {
        0 => 0,
        words => words.min(OWN) + width(GAP),
    }
}

/// What the person's status command said, in the room that is left.
fn own_words(model: &Model, left: &mut Line<'static>, room: usize, theme: &Theme) {
    let rest = room.saturating_sub(left.width() + width(GAP));
    let (_, words) = &model.status_line;
    if rest > 0 && !words.is_empty() {
        left.push_span(Span::raw(GAP));
        left.push_span(Span::styled(clip::end(words, rest).into_owned(), theme.text));
    }
}

fn line(
    model: &Model,
    theme: &Theme,
    marks: &Marks,
    dropped: &[Part],
) -> (Line<'static>, Line<'static>) {
    let has = |part: Part| !dropped.contains(&part);
    let session = &model.session;
    let mut groups: Vec<Vec<Span<'static>>> = Vec::new();

    let mut mode = vec![Span::styled(session.mode.name(), mode_style(session.mode, theme))];
    if has(Part::ModeKey) {
        let key = marks.key(&model.keymap.key(Context::Global, Action::CycleMode));
        mode.push(Span::styled(format!(" {key}"), theme.faint));
    }
    groups.push(mode);
    if session.scripted && has(Part::Scripted) {
        groups.push(vec![Span::styled("scripted replies", theme.accent)]);
    }
    if has(Part::Model) && !session.model.is_empty() {
        groups.push(vec![Span::styled(name(&session.model, has(Part::Provider)), theme.text)]);
    }
    groups.push(context(model, theme, has(Part::ContextWord)));
    groups.push(cost(model, theme, marks, has(Part::Today)));
    if has(Part::Sandbox) || missing(session) {
        groups.extend(sandbox(session, theme));
    }
    if has(Part::Branch) && !session.branch.is_empty() {
        let dirty = match session.dirty {
            0 => String::new(),
            n => format!(" {}{n}", marks.plus_minus),
        };
        groups.push(vec![Span::styled(format!("{}{dirty}", session.branch), theme.faint)]);
    }
    let running = model.jobs.iter().filter(|job| job.running).count();
    if has(Part::Jobs) && running > 0 {
        groups.push(vec![Span::styled(format!("{running} in background"), theme.accent)]);
    }
    let mut left = Vec::new();
    for group in groups {
        if !left.is_empty() {
            left.push(Span::raw(GAP));
        }
        left.extend(group);
    }
    let right = match has(Part::Help) {
        true => vec![Span::styled("? ", theme.accent), Span::styled("help", theme.faint)],
        false => Vec::new(),
    };
    (Line::from(left), Line::from(right))
}

/// A sandbox that is wanted and not there is never left out of the line.
fn missing(session: &SessionInfo) -> bool {
    matches!(session.sandbox, Some((Held::Missing, _)))
}

fn sandbox(session: &SessionInfo, theme: &Theme) -> Option<Vec<Span<'static>>> {
    let (held, _) = session.sandbox.as_ref()?;
    let (text, style) = match held {
        Held::Held => ("sandbox", theme.text),
        Held::Partly => ("sandbox, not whole", theme.text),
        Held::Off => ("no sandbox", theme.faint),
        Held::Missing => ("NO SANDBOX", theme.failed),
    };
    Some(vec![Span::styled(text, style)])
}

fn mode_style(mode: Mode, theme: &Theme) -> Style {
    match mode {
        Mode::Default => theme.strong,
        Mode::AcceptEdits | Mode::Plan | Mode::DontAsk => theme.accent,
        Mode::BypassPermissions => theme.failed,
    }
}

fn name(model: &str, provider: bool) -> String {
    let short = model.split_once('/').map_or(model, |(_, name)| name);
    if provider { model } else { short }.to_owned()
}

fn context(model: &Model, theme: &Theme, word: bool) -> Vec<Span<'static>> {
    let used = model.spending.context;
    let (text, style) = match model.session.window {
        Some(window) if window > 0 => {
            let share = (used * 100).div_ceil(window).min(100);
            let style = if share >= 80 { theme.asked } else { theme.text };
            (format!("{share} %"), style)
        }
        _ => (words::tokens(used), theme.text),
    };
    let mut spans = Vec::new();
    if word {
        spans.push(Span::styled("context ", theme.faint));
    }
    spans.push(Span::styled(text, style));
    spans
}

fn cost(model: &Model, theme: &Theme, marks: &Marks, today: bool) -> Vec<Span<'static>> {
    let spending = &model.spending;
    let requests: u64 = spending.turns.iter().map(|turn| turn.total.requests).sum();
    let session = words::cost(spending.session, requests, spending.unpriced);
    let mut spans = vec![Span::styled(session, theme.text)];
    if today && spending.today != spending.session && spending.today.0 != 0 {
        let text = format!(" {} today {}", marks.dot, spending.today);
        spans.push(Span::styled(text, theme.faint));
    }
    spans
}
