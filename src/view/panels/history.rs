//! The history panel: sessions at the left, the chosen one's conversation at the right.

use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::history::{Asking, History, Looks, SessionRow, lines};
use crate::app::scroll::Inner;
use crate::protocol::Role;
use crate::text::{clip, width};
use crate::view::entry::plain;
use crate::view::markdown;
use crate::view::marks::Marks;
use crate::view::panels::{Draw, list};
use crate::view::theme::Theme;

/// From this width on there is room for the conversation.
const WIDE: u16 = 74;
/// Rows of one message in the preview.
const MESSAGE: usize = 6;

/// What is listed: where the filter looks, and what is left out.
pub fn remark(history: &History) -> String {
    let looks = match history.looks {
        Looks::Titles => "titles",
        Looks::Said => "searching what was said",
        Looks::Outputs => "searching what tools gave (enter)",
    };
    let limits = &history.limits;
    let here = limits.here.then(|| "this folder".to_owned());
    let branch = limits.branch.as_ref().map(|branch| format!("branch {branch}"));
    let days = limits.days.map(|days| match days {
        1 => "last day".to_owned(),
        days => format!("last {days} days"),
    });
    let all = std::iter::once(looks.to_owned()).chain(here).chain(branch).chain(days);
    all.collect::<Vec<_>>().join(" · ")
}

pub fn draw(draw: &mut Draw<'_>, history: &History, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &*Rc::clone(&draw.state.theme);
    let marks = draw.state.marks(draw.model);
    let mut area = area;
    if let Asking::Delete { title, .. } = &history.asking {
        let question = format!("Delete for good? \"{title}\"");
        let question = clip::end(&question, usize::from(area.width)).into_owned();
        buf.set_line(area.x, area.y, &Line::styled(question, theme.asked), area.width);
        let taken = area.height.min(2);
        area = Rect { y: area.y + taken, height: area.height - taken, ..area };
    }
    let sessions = lines(draw.model);
    if sessions.is_empty() {
        let text = match (&history.problem, history.loaded) {
            (Some(problem), _) => problem.as_str(),
            (None, false) => "reading the sessions",
            (None, true) if history.rows.is_empty() => "no earlier session",
            (None, true) => "nothing matches",
        };
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    }
    let wide = area.width >= WIDE;
    let left = if wide { area.width * 45 / 100 } else { area.width };
    let titles = Rect { width: left, ..area };
    // A session is two rows: its title, and what is known of it.
    let rows_each = 2;
    let shown = usize::from(titles.height) / rows_each;
    let at = draw.panel.at;
    let top = at.saturating_sub(shown / 2).min(sessions.len().saturating_sub(shown));
    let visible = sessions.iter().enumerate().skip(top).take(shown.max(1));
    let mut rows = Vec::new();
    for (index, session) in visible {
        rows.extend(session_lines(session, index == at, usize::from(left), theme, marks));
    }
    list(&rows, usize::MAX, theme, titles, buf);
    if wide {
        let right = Rect { x: area.x + left + 2, width: area.width - left - 2, ..area };
        for y in area.y..area.bottom() {
            buf.set_string(area.x + left, y, marks.border.vertical_left, theme.border);
        }
        preview(draw, history, right, buf);
    }
    Inner { rows: sessions.len(), shown: shown.max(1), top }
}

fn session_lines(
    session: &SessionRow,
    chosen: bool,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> [Line<'static>; 2] {
    let mark = if chosen { marks.chosen } else { " " };
    let title = if session.title.is_empty() { "untitled" } else { &session.title };
    let room = columns.saturating_sub(width(&session.age) + 5);
    let title = clip::end(title, room).into_owned();
    let pad = " ".repeat(room.saturating_sub(width(&title)) + 1);
    let style = if chosen { theme.strong } else { theme.text };
    let cost = session.cost.map_or("?".to_owned(), |cost| cost.to_string());
    let prompts = crate::view::words::count(session.prompts as usize, "prompt", "prompts");
    let facts = match &session.snippet {
        Some(snippet) => snippet.clone(),
        None if session.branch.is_empty() => {
            format!("{} · {prompts} · {cost}", session.project)
        }
        None => format!("{} · {} · {prompts} · {cost}", session.project, session.branch),
    };
    let facts = clip::end(&facts, columns.saturating_sub(4)).into_owned();
    let facts_style = if session.here { theme.text } else { theme.faint };
    [
        Line::from(vec![
            Span::styled(format!("{mark} "), theme.accent),
            Span::styled(title, style),
            Span::raw(pad),
            Span::styled(session.age.clone(), theme.faint),
        ]),
        Line::from(vec![Span::raw("  "), Span::styled(facts, facts_style)]),
    ]
}

fn preview(draw: &mut Draw<'_>, history: &History, area: Rect, buf: &mut Buffer) {
    let Some((_, preview)) = &history.preview else { return };
    let faint = draw.state.theme.faint;
    let columns = area.width.saturating_sub(2);
    let mut lines = messages(draw, &preview.head, columns);
    if preview.left_out > 0 {
        let text = format!("{} messages more", preview.left_out);
        lines.extend([Line::styled(text, faint), Line::default()]);
    }
    let tail = messages(draw, &preview.tail, columns);
    // The end of the conversation says more than its middle.
    let height = usize::from(area.height);
    let room = height.saturating_sub(tail.len().min(height * 2 / 3));
    if lines.len() > room {
        lines.truncate(room.saturating_sub(1));
        lines.push(Line::styled("…", faint));
    }
    lines.extend(tail);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        buf.set_line(area.x, y, line, area.width);
    }
}

fn messages(draw: &mut Draw<'_>, messages: &[(Role, String)], columns: u16) -> Vec<Line<'static>> {
    let theme = Rc::clone(&draw.state.theme);
    let marks = draw.state.marks(draw.model);
    let mut lines = Vec::new();
    for (role, text) in messages {
        let (mark, all) = match role {
            Role::User => (marks.person, plain(text, usize::from(columns), theme.strong)),
            Role::Assistant => {
                let colours = &mut draw.state.cache.colours;
                (" ", markdown::render(start(text), columns, &theme, colours))
            }
        };
        let more = all.len() > MESSAGE;
        for row in all.into_iter().take(MESSAGE) {
            let style = row.style;
            let mark = Span::styled(format!("{mark} "), theme.person);
            lines.push(Line::from_iter(std::iter::once(mark).chain(row.spans)).style(style));
        }
        if more {
            lines.push(Line::styled("  …", theme.faint));
        }
        lines.push(Line::default());
    }
    lines
}

/// As much of a message as can be seen: the rest need not be parsed.
fn start(text: &str) -> &str {
    let end = text.match_indices('\n').nth(4 * MESSAGE).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
