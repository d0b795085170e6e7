//! The panel of background commands: the list above, the newest output of the chosen one below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::Job;
use crate::app::panels::jobs::{Jobs, lines};
use crate::app::scroll::Inner;
use crate::text::{clip, width, wrap};
use crate::view::panels::{Draw, list};

pub fn draw(draw: &Draw<'_>, shown: &Jobs, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let jobs = lines(draw.model);
    if jobs.is_empty() {
        let text = "no command runs in the background; ctrl+b sends a running one there";
        let text = clip::end(text, usize::from(area.width)).into_owned();
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    }
    let rows = u16::try_from(jobs.len()).unwrap_or(u16::MAX).min(area.height / 3).max(1);
    let above = Rect { height: rows, ..area };
    let below = Rect { y: area.y + rows + 1, height: area.height.saturating_sub(rows + 1), ..area };
    let columns = usize::from(area.width);
    let list_rows: Vec<Line<'static>> =
        jobs.iter().map(|job| job_line(draw, job, columns)).collect();
    let inner = list(&list_rows, draw.panel.at, theme, above, buf);
    let output = shown.output.shown();
    let height = usize::from(below.height);
    let mut rows: Vec<&str> = Vec::new();
    for line in output.lines().rev() {
        let wrapped = wrap::rows(line, columns.max(1), 0);
        rows.extend(wrapped.iter().rev().map(|row| &line[row.range.clone()]));
        if rows.len() >= height {
            break;
        }
    }
    rows.truncate(height);
    rows.reverse();
    for (y, row) in (below.y..below.bottom()).zip(rows) {
        buf.set_line(below.x, y, &Line::styled(row.to_owned(), theme.text), below.width);
    }
    inner
}

fn job_line(draw: &Draw<'_>, job: &Job, columns: usize) -> Line<'static> {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let (mark, style) = match job {
        Job { running: true, .. } => (marks.dot, theme.accent),
        Job { facts, .. } if facts.starts_with("exit 0") => (marks.done, theme.done),
        Job { .. } => (marks.failed, theme.failed),
    };
    let facts = if job.running { "running".to_owned() } else { job.facts.clone() };
    let head = format!("{} ", job.id.0);
    let room = columns.saturating_sub(width(&head) + width(&facts) + 5);
    let command = clip::end(&job.command, room).into_owned();
    let pad = " ".repeat(room.saturating_sub(width(&command)) + 2);
    Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::styled(head, theme.faint),
        Span::styled(command, theme.text),
        Span::raw(pad),
        Span::styled(facts, theme.faint),
    ])
}
