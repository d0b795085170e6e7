//! The cost panel: sums above, a table below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::cost::{By, Cost, Line as Row, Report, lines};
use crate::app::scroll::Inner;
use crate::protocol::Money;
use crate::text::{clip, width};
use crate::view::marks::Marks;
use crate::view::panels::{Draw, list};
use crate::view::theme::Theme;
use crate::view::words;

const BAR: usize = 10;
/// Columns of the numbers at the right: in, cached, out, cost.
const NUMBERS: [usize; 4] = [8, 8, 8, 10];

pub fn draw(draw: &mut Draw<'_>, cost: &Cost, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    if area.height < 5 {
        return Inner::default();
    }
    let sums = sums(draw, cost, theme, marks);
    let mut y = area.y;
    for line in fold(sums, usize::from(area.width)) {
        buf.set_line(area.x, y, &line, area.width);
        y += 1;
    }
    y += 1;
    let name = usize::from(area.width).saturating_sub(NUMBERS.iter().sum::<usize>() + 6);
    buf.set_line(area.x, y, &heading(cost.by, name, theme), area.width);
    y += 1;
    let rows = lines(draw.model);
    let bottom = area.bottom().saturating_sub(2);
    let table = Rect { y, height: bottom.saturating_sub(y), ..area };
    let inner = if rows.is_empty() {
        let text = cost.problem.clone().unwrap_or_else(|| empty(cost).to_owned());
        buf.set_line(area.x, y, &Line::styled(format!("  {text}"), theme.faint), area.width);
        Inner::default()
    } else {
        let shown = rows
            .iter()
            .enumerate()
            .map(|(at, row)| table_line(row, at == draw.panel.at, name, theme, marks));
        list(&shown.collect::<Vec<_>>(), draw.panel.at, theme, table, buf)
    };
    let by = grouping(cost.by, theme);
    buf.set_line(area.x, area.bottom() - 1, &by, area.width);
    inner
}

fn empty(cost: &Cost) -> &'static str {
    match (cost.by, &cost.report) {
        (By::Tool | By::Agent | By::Day | By::Project, None) => "reading the ledger",
        _ => "nothing yet",
    }
}

/// The groups of the head: session, today, week.
fn sums(draw: &Draw<'_>, cost: &Cost, theme: &Theme, marks: &Marks) -> Vec<Vec<Span<'static>>> {
    let spending = &draw.model.spending;
    let requests: u64 = spending.turns.iter().map(|turn| turn.total.requests).sum();
    let pair = |name: &'static str, value: String| {
        vec![Span::styled(format!("{name}  "), theme.faint), Span::styled(value, theme.strong)]
    };
    let session = words::cost(spending.session, requests, spending.unpriced);
    let mut session = pair("this session", session);
    if let Some(budget) = spending.limits.session {
        session.push(Span::styled(format!(" of {budget} "), theme.faint));
        session.extend(bar(spending.session, budget, theme, marks));
    }
    let mut groups = vec![session];
    // What a script says is priced to be shown, and never booked.
    if draw.model.session.scripted {
        groups.push(vec![Span::styled("scripted: nothing is spent", theme.faint)]);
        return groups;
    }
    let mut today = pair("today", spending.today.to_string());
    if let Some(budget) = spending.limits.day {
        today.push(Span::styled(format!(" of {budget} "), theme.faint));
        today.extend(bar(spending.today, budget, theme, marks));
    }
    groups.push(today);
    if let Some(report) = cost.report.as_ref().filter(|report| !report.week.is_empty()) {
        let sum: Money = report.week.iter().copied().sum();
        let mut week = pair("7 days", sum.to_string());
        week.push(Span::styled(format!("  {}", chart(report, marks)), theme.accent));
        groups.push(week);
        if report.saved != Money::ZERO {
            groups.push(pair("saved by cache", report.saved.to_string()));
        }
        if report.lost != Money::ZERO {
            groups.push(pair("lost by misses", report.lost.to_string()));
        }
    }
    groups
}

fn bar(used: Money, of: Money, theme: &Theme, marks: &Marks) -> Vec<Span<'static>> {
    let share = if of.0 > 0 { used.usd() / of.usd() } else { 1.0 };
    let full = ((share * BAR as f64).round() as usize).min(BAR);
    let style = if share >= 1.0 { theme.failed } else { theme.accent };
    vec![
        Span::styled(marks.full.repeat(full), style),
        Span::styled(marks.empty.repeat(BAR - full), theme.faint),
    ]
}

fn chart(report: &Report, marks: &Marks) -> String {
    let most = report.week.iter().map(|day| day.0).max().unwrap_or_default().max(1);
    let last = marks.bars.len() as i64 - 1;
    let bar = |day: &Money| {
        let height = day.0.max(0).saturating_mul(last) / most;
        marks.bars[usize::try_from(height).unwrap_or_default()]
    };
    report.week.iter().map(bar).collect()
}

/// Groups side by side, in as many lines as they need.
fn fold(groups: Vec<Vec<Span<'static>>>, room: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = vec![Line::default()];
    for group in groups {
        let needs: usize = group.iter().map(Span::width).sum();
        let used = lines.last().map_or(0, Line::width);
        if used > 0 && used + 4 + needs > room {
            lines.push(Line::default());
        }
        if let Some(line) = lines.last_mut() {
            if !line.spans.is_empty() {
                line.spans.push(Span::raw("    "));
            }
            line.spans.extend(group);
        }
    }
    lines
}

fn heading(by: By, name: usize, theme: &Theme) -> Line<'static> {
    let what = match by {
        By::Turn => "turn  what",
        By::Tool => "      made for the results of",
        By::Agent => "      agent",
        By::Model => "      model",
        By::Day => "      day",
        By::Project => "      project",
    };
    let mut text = pad(what, name + 6);
    for (label, columns) in ["in", "cached", "out", "cost"].iter().zip(NUMBERS) {
        text.push_str(&format!("{label:>columns$}"));
    }
    Line::styled(text, theme.faint)
}

fn table_line(row: &Row, chosen: bool, name: usize, theme: &Theme, marks: &Marks) -> Line<'static> {
    let mark = if chosen { marks.chosen } else { " " };
    let indent = if row.nested { "  " } else { "" };
    let text = clip::end(&row.name, name.saturating_sub(1 + indent.len())).into_owned();
    let style = if row.nested { theme.faint } else { theme.text };
    let total = &row.total;
    let numbers = [
        words::tokens(total.usage.prompt()),
        total.cached().map_or(String::new(), |share| format!("{share} %")),
        words::tokens(total.usage.output),
        words::cost(total.cost, total.requests, total.unpriced),
    ];
    let mut spans = vec![
        Span::styled(mark, theme.accent),
        Span::styled(format!("{:>3}  ", row.mark), theme.faint),
        Span::styled(pad(&format!("{indent}{text}"), name), style),
    ];
    for (at, (number, columns)) in numbers.into_iter().zip(NUMBERS).enumerate() {
        let style = if at == 3 && !row.nested { theme.strong } else { style };
        spans.push(Span::styled(format!("{number:>columns$}"), style));
    }
    Line::from(spans)
}

fn grouping(by: By, theme: &Theme) -> Line<'static> {
    let mut spans = vec![Span::styled("by", theme.faint)];
    for each in By::ALL {
        spans.push(Span::raw("  "));
        spans.push(if each == by {
            Span::styled(format!("[{}]", each.name()), theme.accent)
        } else {
            Span::styled(each.name(), theme.faint)
        });
    }
    Line::from(spans)
}

fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}
