//! The panel of the model's window: how full it is, then a source a row with its share.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::summary::Draft;
use crate::app::panels::window::{self, Filled, Line as Row, Shown};
use crate::app::scroll::Inner;
use crate::protocol::{Item, Window};
use crate::text::{clip, width};
use crate::view::entry::plain;
use crate::view::markdown;
use crate::view::marks::Marks;
use crate::view::panels::{Draw, list, text};
use crate::view::theme::Theme;
use crate::view::words::{count, tokens};

/// Cells of the bar beside a source.
const BAR: usize = 12;
/// Columns of the number beside it.
const NUMBER: usize = 7;

pub fn draw(draw: &mut Draw<'_>, filled: &Filled, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = draw.state.theme.clone();
    if let Some(shown) = &filled.shown {
        return item(draw, shown, area, buf);
    }
    let Some(window) = &filled.window else {
        let wait = if draw.model.is_working() { "told when the turn is over" } else { "looking" };
        buf.set_line(area.x, area.y, &Line::styled(wait, theme.faint), area.width);
        return Inner::default();
    };
    let marks = draw.state.marks(draw.model);
    let columns = usize::from(area.width);
    for (y, line) in (area.y..area.bottom()).zip(head(window, columns, &theme, marks)) {
        buf.set_line(area.x, y, &line, area.width);
    }
    let top = area.height.min(3);
    let area = Rect { y: area.y + top, height: area.height - top, ..area };
    let rows = window::lines(draw.model);
    let at = draw.panel.at;
    let lines = rows.iter().enumerate().map(|(index, row)| {
        let mark = if index == at { marks.chosen } else { " " };
        let mut spans = vec![Span::styled(format!("{mark} "), theme.accent)];
        spans.extend(one(row, window, columns.saturating_sub(2), &theme, marks));
        Line::from(spans)
    });
    list(&lines.collect::<Vec<_>>(), at, &theme, area, buf)
}

/// The numbers in words, and the whole window as one bar.
fn head(window: &Window, columns: usize, theme: &Theme, marks: &Marks) -> [Line<'static>; 2] {
    let how = if window.exact { "counted by the server" } else { "estimated" };
    let mut words = vec![Span::styled(tokens(window.tokens), theme.strong)];
    let rest = match window.size {
        Some(size) => format!(" of {} tokens, {} %", tokens(size), share(window.tokens, size)),
        None => " tokens, window not known".to_owned(),
    };
    words.push(Span::styled(rest, theme.text));
    let room = window
        .compacts_at
        .map_or(String::new(), |at| format!(" {} room is made at {}", marks.dot, tokens(at)));
    words.push(Span::styled(format!(" {} {how}{room}", marks.dot), theme.faint));
    let bar = match window.size {
        Some(size) => bar(window.tokens, size, columns, theme, marks),
        None => Line::default(),
    };
    [Line::from(words), bar]
}

fn share(part: u64, of: u64) -> u64 {
    (part.saturating_mul(100) + of / 2) / of.max(1)
}

fn bar(part: u64, of: u64, cells: usize, theme: &Theme, marks: &Marks) -> Line<'static> {
    let cells_wide = cells as u64;
    let full = (part.saturating_mul(cells_wide) / of.max(1)).min(cells_wide);
    // What is there at all shows.
    let full = usize::try_from(full).unwrap_or(cells).max(usize::from(part > 0));
    Line::from(vec![
        Span::styled(marks.full.repeat(full.min(cells)), theme.accent),
        Span::styled(marks.empty.repeat(cells - full.min(cells)), theme.faint),
    ])
}

fn one(
    row: &Row<'_>,
    window: &Window,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> Vec<Span<'static>> {
    match row {
        Row::Source { source, tokens: sum, count: things, open } => {
            let fold = if *open { marks.minus } else { "+" };
            let part = share(*sum, window.tokens);
            let facts = format!("{:>NUMBER$}  {part:>3} %  ", tokens(*sum));
            let bar = bar(*sum, window.tokens, BAR, theme, marks);
            let things = count(*things, "thing", "things");
            let room = columns.saturating_sub(width(&facts) + BAR + 2);
            let name = clip::end(&source.name(), room).into_owned();
            let things = match room.saturating_sub(width(&name) + 2) {
                left if left > width(&things) => things,
                _ => String::new(),
            };
            let pad = room.saturating_sub(width(&name) + width(&things) + 2);
            let mut spans = vec![
                Span::styled(format!("{fold} "), theme.faint),
                Span::styled(name, theme.strong),
                Span::styled(format!("  {things}"), theme.faint),
                Span::raw(" ".repeat(pad)),
                Span::styled(facts, theme.text),
            ];
            spans.extend(bar.spans);
            spans
        }
        Row::Item(item) => thing(item, window, columns, theme, marks),
    }
}

fn thing(
    item: &Item,
    window: &Window,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> Vec<Span<'static>> {
    let (word, style) = match (item.pinned, item.dropped) {
        (true, _) => ("pinned ", theme.accent),
        (false, true) => ("dropped ", theme.faint),
        (false, false) => ("", theme.text),
    };
    let part = share(item.tokens, window.tokens);
    let facts = format!("{:>NUMBER$}  {part:>3} %  {}", tokens(item.tokens), " ".repeat(BAR));
    let mark = match (item.pinned, item.dropped) {
        (true, _) => marks.kept,
        (false, true) => marks.dropped,
        (false, false) => " ",
    };
    let room = columns.saturating_sub(width(&facts) + width(word) + 4);
    let name = clip::end(&item.name, room).into_owned();
    let pad = room.saturating_sub(width(&name));
    let text = if item.dropped { theme.faint } else { theme.text };
    vec![
        Span::styled(format!("  {mark} "), style),
        Span::styled(name, text),
        Span::raw(" ".repeat(pad)),
        Span::styled(word, style),
        Span::styled(facts, theme.faint),
    ]
}

/// One thing, whole.
fn item(draw: &Draw<'_>, shown: &Shown, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let columns = usize::from(area.width).max(1);
    let mut rows = vec![Line::styled(shown.name.clone(), theme.strong), Line::default()];
    match &shown.text {
        Some(text) => rows.extend(plain(text, columns, theme.text)),
        None => rows.push(Line::styled("looking", theme.faint)),
    }
    text(&rows, draw.panel.scroll, area, buf)
}

/// A summary that is not in use yet.
pub fn summary(draw: &mut Draw<'_>, draft: &Draft, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = draw.state.theme.clone();
    let width = area.width.min(markdown::WIDEST);
    let rows = markdown::render(&draft.shown, width, &theme, draw.state.colours());
    text(&rows, draw.panel.scroll, area, buf)
}

pub fn remark(draft: &Draft) -> String {
    let changed = if draft.changed { ", changed by you" } else { "" };
    format!("{} to {} tokens{changed}", tokens(draft.before), tokens(draft.after))
}
