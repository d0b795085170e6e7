//! The frame of dialogs and panels: rounded, with a title, a remark and the keys that work.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use crate::text::{clip, width};
use crate::view::marks::Marks;
use crate::view::theme::Theme;

/// What a frame says about its content.
#[derive(Debug)]
pub struct Frame<'a> {
    pub title: String,
    pub title_style: Style,
    /// At the right of the upper border.
    pub remark: String,
    /// Key and what it does, the most important first. Those that do not fit are left out.
    pub keys: Vec<(String, &'a str)>,
    /// At the right of the lower border: what of the content is out of sight.
    pub hidden: String,
    pub border: Style,
}

/// Draws the frame and gives the area within it, one column of air at each side.
pub fn draw(frame: &Frame<'_>, area: Rect, theme: &Theme, marks: &Marks, buf: &mut Buffer) -> Rect {
    Clear.render(area, buf);
    buf.set_style(area, theme.page.patch(theme.text));
    let block = Block::bordered().border_set(marks.border).border_style(frame.border);
    let inner = block.inner(area);
    block.render(area, buf);
    let room = usize::from(area.width).saturating_sub(6);
    let remark = clip::end(&frame.remark, room / 2).into_owned();
    let title = clip::end(&frame.title, room.saturating_sub(width(&remark) + 3)).into_owned();
    let right = area.right().saturating_sub(2);
    if !remark.is_empty() {
        let text = format!(" {remark} ");
        let x = right.saturating_sub(columns(&text));
        on_border(&Line::styled(text, theme.faint), x, area.y, theme, buf);
    }
    if !title.is_empty() {
        let title = Line::styled(format!(" {title} "), frame.title_style);
        on_border(&title, area.x + 2, area.y, theme, buf);
    }
    if area.height > 1 {
        let hidden = match frame.hidden.as_str() {
            "" => String::new(),
            text => format!(" {} ", clip::end(text, room / 2)),
        };
        if !hidden.is_empty() {
            let x = right.saturating_sub(columns(&hidden));
            let line = Line::styled(hidden.clone(), theme.accent);
            on_border(&line, x, area.bottom() - 1, theme, buf);
        }
        let line = keys(&frame.keys, room.saturating_sub(width(&hidden)), theme, marks);
        on_border(&line, area.x + 2, area.bottom() - 1, theme, buf);
    }
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Text in the border has nothing of the border's own style.
fn on_border(line: &Line<'_>, x: u16, y: u16, theme: &Theme, buf: &mut Buffer) {
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
    let ground = Style::reset().patch(theme.page).patch(theme.text);
    buf.set_style(Rect { x, y, width, height: 1 }, ground);
    buf.set_line(x, y, line, width);
}

/// ` ⏎ once · n deny `, as much as fits into `room` columns.
pub fn keys(keys: &[(String, &str)], room: usize, theme: &Theme, marks: &Marks) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 2;
    for (key, label) in keys.iter().filter(|(key, _)| !key.is_empty()) {
        let key = marks.key(key);
        let separator = if spans.is_empty() { "" } else { " · " };
        let needs = width(separator) + width(&key) + 1 + width(label);
        if used + needs > room {
            break;
        }
        used += needs;
        spans.push(Span::styled(if spans.is_empty() { " " } else { separator }, theme.faint));
        spans.push(Span::styled(key, theme.accent));
        spans.push(Span::styled(format!(" {label}"), theme.faint));
    }
    if !spans.is_empty() {
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

pub fn columns(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}
