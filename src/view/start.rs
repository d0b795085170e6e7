//! The screen of a first start.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::start::{Offer, Start};
use crate::text::{clip, width, wrap::rows};
use crate::view::frame;
use crate::view::marks::Marks;
use crate::view::theme::Theme;

const COLUMNS: u16 = 76;

/// Gives the place of the cursor while a key is being entered.
pub fn draw(
    model: &Model,
    start: &Start,
    theme: &Theme,
    marks: &Marks,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let columns = area.width.saturating_sub(4).min(COLUMNS);
    let x = area.x + 2 + (area.width.saturating_sub(columns + 4)) / 4;
    let (lines, cursor_row) = lines(model, start, theme, marks, usize::from(columns));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let y = area.y + area.height.saturating_sub(height) / 3;
    for (y, line) in (y..area.bottom()).zip(&lines) {
        buf.set_line(x, y, line, columns);
    }
    if let Some(toast) = &model.toast {
        let y = area.bottom().saturating_sub(3);
        buf.set_stringn(x, y, &toast.text, usize::from(columns), theme.asked);
    }
    let keys = frame::keys(&keys(start), usize::from(columns), theme, marks);
    buf.set_line(x.saturating_sub(1), area.bottom().saturating_sub(1), &keys, columns);
    let row = cursor_row?;
    let column = start.entering.as_ref().map_or(0, |(_, field)| field.text().chars().count());
    Some(Position {
        x: (x + 4 + u16::try_from(column).unwrap_or(u16::MAX / 2))
            .min(area.right().saturating_sub(1)),
        y: (y + row).min(area.bottom().saturating_sub(1)),
    })
}

pub fn keys(start: &Start) -> Vec<(String, &'static str)> {
    vec![
        ("↑↓".to_owned(), "move"),
        ("enter".to_owned(), "choose"),
        ("esc".to_owned(), if start.entering.is_some() { "back" } else { "quit" }),
    ]
}

fn lines(
    model: &Model,
    start: &Start,
    theme: &Theme,
    marks: &Marks,
    columns: usize,
) -> (Vec<Line<'static>>, Option<u16>) {
    let mut lines = vec![
        Line::from(vec![
            Span::styled("tern", theme.heading),
            Span::styled(format!("  {}", model.session.version), theme.faint),
        ]),
        Line::default(),
    ];
    let intro = "tern needs a model to talk to. Choose one; the choice can be changed at any time \
                 with /model.";
    lines.extend(text(intro, columns, theme));
    lines.push(Line::default());
    let mut heading = "";
    let mut cursor = None;
    for (at, offer) in start.offers().iter().enumerate() {
        let group = group(offer);
        if group != heading {
            if !heading.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(group, theme.faint));
            heading = group;
        }
        let chosen = at == start.at;
        let mark = if chosen { marks.chosen } else { " " };
        let (name, facts) = words(offer);
        let pad = " ".repeat(24usize.saturating_sub(width(&name)).max(2));
        let facts = clip::end(&facts, columns.saturating_sub(30)).into_owned();
        lines.push(Line::from(vec![
            Span::styled(format!("  {mark} "), theme.accent),
            Span::styled(name, if chosen { theme.strong } else { theme.text }),
            Span::raw(pad),
            Span::styled(facts, theme.faint),
        ]));
        if let (Offer::Enter(provider), Some((entering, field))) = (offer, &start.entering)
            && provider == entering
        {
            cursor = u16::try_from(lines.len()).ok();
            // A key is shown by its length only.
            let dots = "•".repeat(field.text().chars().count());
            lines.push(Line::from(vec![Span::raw("    "), Span::styled(dots, theme.strong)]));
            let kept = "kept in a file that only you can read (0600); tern logout forgets it";
            lines.extend(text(kept, columns.saturating_sub(4), theme).into_iter().map(|line| {
                Line::from(vec![Span::raw("    "), Span::styled(line.to_string(), theme.faint)])
            }));
        }
    }
    lines.push(Line::default());
    if start.connecting {
        lines.push(Line::styled("connecting", theme.accent));
    } else if let Some(problem) = &start.problem {
        lines
            .extend(text(problem, columns, theme).into_iter().map(|line| line.style(theme.failed)));
    } else if !start.looked {
        lines.push(Line::styled("looking for keys and local servers", theme.faint));
    }
    (lines, cursor)
}

fn group(offer: &Offer) -> &'static str {
    match offer {
        Offer::Key(_) => "keys in the environment",
        Offer::Server(_) => "servers on this machine",
        Offer::Enter(_) => "enter a key",
        Offer::Demo => "without a model",
    }
}

fn words(offer: &Offer) -> (String, String) {
    match offer {
        Offer::Key(key) => (key.provider.clone(), key.variable.clone()),
        Offer::Server(server) => {
            let models = match server.models.as_slice() {
                [] => String::new(),
                [one] => format!("  {one}"),
                [first, rest @ ..] => format!("  {first} and {} more", rest.len()),
            };
            (server.provider.clone(), format!("{}{models}", server.url))
        }
        Offer::Enter(provider) => ((*provider).to_owned(), String::new()),
        Offer::Demo => {
            ("demo".to_owned(), "scripted replies in a copy of a sample project".to_owned())
        }
    }
}

fn text(text: &str, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    rows(text, columns, 0)
        .into_iter()
        .map(|row| Line::styled(text[row.range].to_owned(), theme.text))
        .collect()
}
