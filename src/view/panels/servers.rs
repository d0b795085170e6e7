//! The panel of MCP servers: a server a row, its tools and prompts below it where it is open.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::panels::servers::{self, Line as Row};
use crate::app::scroll::Inner;
use crate::protocol::{ServerInfo, ServerState, ToolUse};
use crate::text::{clip, width};
use crate::view::marks::Marks;
use crate::view::panels::{Draw, list};
use crate::view::theme::Theme;
use crate::view::words::{count, tokens};

pub fn draw(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let rows = servers::lines(draw.model);
    if rows.is_empty() {
        let text = if draw.model.servers.is_empty() {
            "no MCP servers; tern mcp add NAME URL, or tern mcp add NAME -- COMMAND, defines one"
        } else {
            "no server or tool like that"
        };
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    }
    let columns = usize::from(area.width);
    let names = draw.model.servers.iter().map(|info| width(&info.name)).max().unwrap_or_default();
    let names = names.min(24);
    let lines = rows.iter().enumerate().map(|(at, row)| {
        let mark = if at == draw.panel.at { marks.chosen } else { " " };
        let mut spans = vec![Span::styled(format!("{mark} "), theme.accent)];
        spans.extend(one(row, (columns.saturating_sub(2), names), theme, marks));
        Line::from(spans)
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}

/// One row in `columns`, the names of servers padded to `names`.
fn one<'a>(
    row: &Row<'a>,
    (columns, names): (usize, usize),
    theme: &Theme,
    marks: &Marks,
) -> Vec<Span<'a>> {
    match row {
        Row::Server { info, open } => {
            let (mark, style, words) = state(info, theme, marks);
            let fold = if *open { marks.minus } else { "+" };
            let head = format!("{fold} {mark} ");
            let room = columns.saturating_sub(width(&head));
            let name = clip::end(&info.name, names).into_owned();
            let gap = " ".repeat(names - width(&name));
            let facts = clip::end(&words, room.saturating_sub(names + 2)).into_owned();
            let place = room.saturating_sub(names + width(&facts) + 4);
            let shown =
                if place > 8 { clip::end(&info.place, place).into_owned() } else { String::new() };
            let pad = room.saturating_sub(names + 2 + width(&shown) + width(&facts));
            vec![
                Span::styled(format!("{fold} "), theme.faint),
                Span::styled(format!("{mark} "), style),
                Span::styled(name, theme.strong),
                Span::styled(format!("{gap}  {shown}"), theme.faint),
                Span::raw(" ".repeat(pad)),
                Span::styled(facts, style),
            ]
        }
        Row::Tool { tool, .. } => {
            let (mark, style, word) = match tool.use_ {
                ToolUse::On => (marks.done, theme.done, ""),
                ToolUse::Off => (marks.dropped, theme.faint, "off "),
                ToolUse::Waits => (marks.asked, theme.asked, "changed "),
            };
            let facts = format!("{word}{}", tokens(tool.tokens));
            let text = if tool.use_ == ToolUse::Off { theme.faint } else { theme.text };
            below((mark, style), (&tool.name, text), (&tool.about, &facts), columns, theme)
        }
        Row::Prompt { command, about } => {
            let name = format!("/{command}");
            below((" ", theme.text), (&name, theme.text), (about, ""), columns, theme)
        }
    }
}

/// A line of what a server offers.
fn below(
    (mark, mark_style): (&str, Style),
    (name, style): (&str, Style),
    (about, facts): (&str, &str),
    columns: usize,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let room = columns.saturating_sub(6 + width(facts) + 1);
    let name = clip::end(name, room).into_owned();
    let about = clip::end(about, room.saturating_sub(width(&name) + 2)).into_owned();
    let pad = room.saturating_sub(width(&name) + 2 + width(&about));
    vec![
        Span::styled(format!("    {mark} "), mark_style),
        Span::styled(name, style),
        Span::styled(format!("  {about}"), theme.faint),
        Span::raw(" ".repeat(pad + 1)),
        Span::styled(facts.to_owned(), theme.faint),
    ]
}

fn state(info: &ServerInfo, theme: &Theme, marks: &Marks) -> (&'static str, Style, String) {
    let dot = marks.dot;
    let held = info.tools.iter().filter(|tool| tool.use_ == ToolUse::Waits).count();
    let offer = || {
        let mut words = format!("{dot} {}", count(info.tools.len(), "tool", "tools"));
        if info.tokens() > 0 {
            words += &format!(" {dot} {} tokens", tokens(info.tokens()));
        }
        if held > 0 {
            words += &format!(" {dot} {held} held back: a lets them in");
        }
        words
    };
    match &info.state {
        ServerState::Ready if held > 0 => {
            (marks.asked, theme.asked, format!("connected {}", offer()))
        }
        ServerState::Ready => (marks.done, theme.done, format!("connected {}", offer())),
        ServerState::Idle => (marks.dot, theme.faint, format!("starts when called {}", offer())),
        ServerState::Starting => (marks.dot, theme.accent, "connecting".to_owned()),
        ServerState::Off => (marks.dropped, theme.faint, "off".to_owned()),
        ServerState::Waits { why } => (marks.asked, theme.asked, why.clone()),
        ServerState::Login => (marks.asked, theme.asked, "wants a login: l".to_owned()),
        ServerState::Failed { why } => (marks.failed, theme.failed, why.clone()),
    }
}
