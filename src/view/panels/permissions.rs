//! The panel of permissions: the mode, the rules by kind with the place of each, what was denied.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::complete::mode_help;
use crate::app::panels::permissions::{Form, Line as Row, Permissions, lines};
use crate::protocol::{DenialInfo, RuleInfo, Ruling};
use crate::text::{clip, width};
use crate::view::dialog::{meaning, scope_words};
use crate::view::field;
use crate::view::marks::Marks;
use crate::view::panels::{Draw, Drawn, list, origin};
use crate::view::theme::Theme;

pub fn draw(draw: &Draw<'_>, panel: &Permissions, mut area: Rect, buf: &mut Buffer) -> Drawn {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let mut cursor = None;
    if let Some(open) = &panel.form {
        let (rows, at) = form(open, usize::from(area.width), theme);
        let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(area.height);
        for (y, row) in (area.y..area.y + height).zip(&rows) {
            buf.set_line(area.x, y, row, area.width);
        }
        let place = |n: usize| u16::try_from(n).unwrap_or(u16::MAX / 2);
        cursor = Some(Position {
            x: (area.x + place(at.1)).min(area.right()),
            y: area.y + place(at.0).min(height.saturating_sub(1)),
        });
        area = Rect { y: area.y + height, height: area.height - height, ..area };
    }
    let (rows, at) = all(draw, area, theme, marks);
    Drawn { inner: list(&rows, at, theme, area, buf), cursor }
}

/// Every row, headings between them, and which of them the chosen line is.
fn all(draw: &Draw<'_>, area: Rect, theme: &Theme, marks: &Marks) -> (Vec<Line<'static>>, usize) {
    let columns = usize::from(area.width).saturating_sub(2);
    let book = &draw.model.rules;
    let found = lines(draw.model);
    let (mut rows, mut at, mut last) = (Vec::new(), 0, None);
    if book.rules.is_empty() && draw.panel.query().is_empty() {
        let text = "no rules: everything that changes something is asked about; a adds one";
        rows.push(Line::styled(text, theme.faint));
    }
    let column = book.rules.iter().map(|info| width(&info.rule.value)).max().unwrap_or_default();
    let column = column.min(columns / 2);
    for (index, row) in found.iter().enumerate() {
        let heading = heading(row, theme);
        if let Some((text, style)) = heading
            && last != Some(text)
        {
            if !rows.is_empty() {
                rows.push(Line::default());
            }
            let counts = match row {
                Row::Denial(_) => {
                    format!("  {} in a row {} {} in all", book.in_a_row, marks.dot, book.in_all)
                }
                Row::Mode | Row::Rule(_) => String::new(),
            };
            rows.push(Line::from(vec![
                Span::styled(text, style),
                Span::styled(counts, theme.faint),
            ]));
            last = Some(text);
        }
        if index == draw.panel.at {
            at = rows.len();
        }
        let mark = if index == draw.panel.at { marks.chosen } else { " " };
        let mut spans = vec![Span::styled(format!("{mark} "), theme.accent)];
        match row {
            Row::Mode => {
                let mode = draw.model.session.mode;
                spans.push(Span::styled(mode.name(), theme.strong));
                spans.push(Span::styled(format!("  {}", mode_help(mode)), theme.text));
            }
            Row::Rule(info) => spans.extend(rule(info, (column, columns), theme, marks)),
            Row::Denial(one) => spans.extend(denial(one, columns, theme)),
        }
        rows.push(Line::from(spans));
    }
    (rows, at)
}

fn heading(row: &Row<'_>, theme: &Theme) -> Option<(&'static str, Style)> {
    match row {
        Row::Mode => None,
        Row::Rule(info) => Some(ruling(info.ruling, theme)),
        Row::Denial(_) => Some(("Denied lately", theme.strong)),
    }
}

fn ruling(ruling: Ruling, theme: &Theme) -> (&'static str, Style) {
    match ruling {
        Ruling::Deny => ("Never", theme.failed),
        Ruling::Ask => ("Always ask", theme.asked),
        Ruling::Allow => ("Allowed", theme.done),
    }
}

fn rule(
    info: &RuleInfo,
    (column, columns): (usize, usize),
    theme: &Theme,
    marks: &Marks,
) -> Vec<Span<'static>> {
    let (value, style) = match &info.problem {
        Some(_) => (format!("{} {}", marks.failed, info.rule.value), theme.faint),
        None => (info.rule.value.clone(), theme.text),
    };
    let value = clip::end(&value, columns).into_owned();
    let gap = column.saturating_sub(width(&value)) + 3;
    let room = columns.saturating_sub(width(&value) + gap);
    let (facts, faint) = match &info.problem {
        Some(problem) => (
            clip::end(&format!("{problem} {} {}", marks.dot, origin(&info.rule)), room)
                .into_owned(),
            theme.asked,
        ),
        None => (clip::start(&origin(&info.rule), room).into_owned(), theme.faint),
    };
    vec![Span::styled(value, style), Span::raw(" ".repeat(gap)), Span::styled(facts, faint)]
}

fn denial(one: &DenialInfo, columns: usize, theme: &Theme) -> Vec<Span<'static>> {
    let what = clip::end(&format!("{} {}", one.tool, one.what), columns / 2).into_owned();
    let room = columns.saturating_sub(width(&what) + 3);
    let because = clip::end(&one.because, room).into_owned();
    let style = if one.firm { theme.faint } else { theme.text };
    vec![Span::styled(what, style), Span::raw("   "), Span::styled(because, theme.faint)]
}

/// The rows of the form, and row and column of the cursor.
fn form(form: &Form, columns: usize, theme: &Theme) -> (Vec<Line<'static>>, (usize, usize)) {
    let (kind, style) = ruling(form.ruling, theme);
    let mut rows = vec![Line::from(vec![
        Span::styled(if form.old.is_some() { "change  " } else { "new     " }, theme.faint),
        Span::styled(kind, style),
    ])];
    let (written, (row, column)) =
        field::rows(("rule    ", theme.faint), &form.field, theme.strong, columns);
    let cursor = (rows.len() + row, column);
    rows.extend(written);
    let place = match &form.old {
        Some(old) => origin(old),
        None => scope_words(form.scope).to_owned(),
    };
    rows.push(Line::from(vec![
        Span::styled("for     ", theme.faint),
        Span::styled(clip::end(&place, columns.saturating_sub(8)).into_owned(), theme.accent),
    ]));
    rows.extend(meaning(&form.meaning, columns, theme));
    rows.push(Line::default());
    (rows, cursor)
}
