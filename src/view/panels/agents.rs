//! The board of sub-agents: the list above, what the chosen one has said and done below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::agents::{Agent, Line as Logged};
use crate::app::panels::agents::lines;
use crate::app::scroll::Inner;
use crate::protocol::{AgentState, CallStatus};
use crate::text::{clip, width, wrap};
use crate::view::panels::{Draw, list};
use crate::view::words;

pub fn draw(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let agents = lines(draw.model);
    let Some(chosen) = agents.get(draw.panel.at) else {
        let text = "no sub-agent has been started in this session";
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    };
    let columns = usize::from(area.width);
    let rows = u16::try_from(agents.len()).unwrap_or(u16::MAX).min(area.height / 3).max(1);
    let above = Rect { height: rows, ..area };
    let below = Rect { y: area.y + rows + 1, height: area.height.saturating_sub(rows + 1), ..area };
    let board: Vec<Line<'static>> = agents.iter().map(|agent| row(draw, agent, columns)).collect();
    let inner = list(&board, draw.panel.at, theme, above, buf);
    let height = usize::from(below.height);
    let log = log(draw, chosen, columns, height);
    let top = log.len().saturating_sub(height);
    for (y, row) in (below.y..below.bottom()).zip(&log[top..]) {
        buf.set_line(below.x, y, row, below.width);
    }
    inner
}

/// Mark, name, kind and task; at the right what it uses; between them what it does now.
fn row(draw: &Draw<'_>, agent: &Agent, columns: usize) -> Line<'static> {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let (mark, style) = match agent.state {
        AgentState::Running if agent.asks => (marks.asked, theme.asked),
        AgentState::Running => (marks.dot, theme.accent),
        AgentState::Done => (marks.done, theme.done),
        AgentState::Failed => (marks.failed, theme.failed),
        AgentState::Stopped => (marks.stopped, theme.faint),
    };
    let cost = if agent.unpriced > 0 { "price unknown".to_owned() } else { agent.cost.to_string() };
    let model = agent.model.rsplit('/').next().unwrap_or_default();
    let end = agent.ended.unwrap_or(draw.model.now);
    let seconds = end.since(agent.since) / 1_000;
    let mut facts = format!("{} tokens · {cost} · {seconds} s", words::tokens(agent.tokens));
    if columns >= 110 {
        facts = format!("{model} · {facts}");
    }
    let head = format!("{} ", agent.id.0);
    let what = format!("{}: {}", agent.kind, agent.task);
    let room = columns.saturating_sub(width(&head) + width(&facts) + 4);
    let what = clip::end(&what, room).into_owned();
    let rest = room.saturating_sub(width(&what) + 2);
    let last = if agent.is_running() { agent.last() } else { agent.state.name().to_owned() };
    let last = clip::end(&last, rest).into_owned();
    let pad = " ".repeat(rest.saturating_sub(width(&last)) + 2);
    Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::styled(head, theme.faint),
        Span::styled(what, theme.text),
        Span::styled(format!("  {last}"), theme.faint),
        Span::raw(pad),
        Span::styled(facts, theme.faint),
    ])
}

/// The newest rows of what it has said and done; no more is wrapped than is shown.
fn log(draw: &Draw<'_>, agent: &Agent, columns: usize, height: usize) -> Vec<Line<'static>> {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let mut rows: Vec<Line<'static>> = Vec::new();
    for line in agent.log.iter().rev() {
        if rows.len() >= height {
            break;
        }
        match line {
            Logged::Said { text, .. } => {
                for paragraph in text.trim_end().lines().rev() {
                    let wrapped = wrap::rows(paragraph, columns.max(1), 0);
                    for row in wrapped.iter().rev() {
                        rows.push(Line::styled(
                            paragraph[row.range.clone()].to_owned(),
                            theme.text,
                        ));
                    }
                    if rows.len() >= height {
                        break;
                    }
                }
            }
            Logged::Did { status, .. } => {
                let (mark, style) = match status {
                    None => (marks.dot, theme.accent),
                    Some(CallStatus::Done) => (marks.done, theme.done),
                    Some(CallStatus::Failed | CallStatus::Denied) => (marks.failed, theme.failed),
                    Some(CallStatus::Interrupted | CallStatus::Unknown) => {
                        (marks.stopped, theme.faint)
                    }
                };
                let text = clip::end(&line.short(), columns.saturating_sub(2)).into_owned();
                let spans =
                    vec![Span::styled(format!("{mark} "), style), Span::styled(text, theme.faint)];
                rows.push(Line::from(spans));
            }
        }
    }
    rows.reverse();
    rows
}
