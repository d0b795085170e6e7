//! What stands before the person, as lines of text: for a surface that only ever adds lines and is
//! read aloud. The same drawing as on the screen, without its frames.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::Model;
use crate::text::width;
use crate::view::state::State;
use crate::view::{ascii, dialog, entry, group, panels, rows, start};

/// Rows that a panel may fill.
const TALL: u16 = 200;

/// A question, a panel or the first start, and the keys that work in it, each with what it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Front {
    pub lines: Vec<String>,
    pub keys: Vec<(String, String)>,
}

/// `None`: only the prompt waits.
pub fn front(model: &Model, state: &mut State, columns: u16) -> Option<Front> {
    state.begin(model);
    let theme = state.theme.clone();
    let marks = state.marks(model);
    let area = Rect::new(0, 0, columns, TALL);
    if let Some(first) = &model.start {
        let mut buf = Buffer::empty(area);
        start::draw(model, first, &theme, marks, area, &mut buf);
        let mut lines = lines(&mut buf, 0);
        // The last row tells the keys, which are told below.
        lines.pop();
        return Some(Front { lines: trimmed(lines), keys: owned(start::keys(first)) });
    }
    if let Some(prepared) = dialog::prepare(model, state, area) {
        let area = Rect { height: prepared.height().min(TALL), ..area };
        let mut buf = Buffer::empty(area);
        dialog::draw(model, state, &prepared, area, &mut buf);
        return Some(Front { lines: unframed(&mut buf), keys: owned(dialog::all_keys(model)) });
    }
    let panel = model.panel.as_ref()?;
    let mut buf = Buffer::empty(area);
    panels::draw(model, state, area, &mut buf);
    Some(Front { lines: unframed(&mut buf), keys: owned(panels::keys(model, panel)) })
}

/// An entry of the transcript as it is drawn, each line after the entry's mark.
pub fn entry_lines(model: &Model, state: &mut State, index: usize, columns: u16) -> Vec<String> {
    let Some(entry) = model.transcript.entries().get(index) else { return Vec::new() };
    state.begin(model);
    state.begin_transcript(model, columns);
    let (theme, marks) = (state.theme.clone(), state.marks(model));
    let row = |(n, line): (usize, &Line<'static>)| {
        let (mark, _) = match model.transcript.folded(index) {
            [] => entry::mark(model, &entry.body, n, &theme, marks),
            calls => group::mark(model, calls, &theme, marks),
        };
        let text = ascii::text(&rows::text(line));
        // Facts stand at the right of a screen; read aloud they follow the words.
        let text = match n {
            0 => {
                let parts = text.split("  ").map(str::trim).filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join("  ")
            }
            _ => text.trim_end().to_owned(),
        };
        if mark.is_empty() { text } else { format!("{mark} {text}") }
    };
    state.rows(model, index, 0..0).iter().enumerate().map(row).collect()
}

fn owned(keys: Vec<(String, &str)>) -> Vec<(String, String)> {
    keys.into_iter()
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, label)| (key, ascii::text(label)))
        .collect()
}

/// The rows within the frame, below its title and remark.
fn unframed(buf: &mut Buffer) -> Vec<String> {
    let mut framed = lines(buf, 0);
    let first = if framed.is_empty() { String::new() } else { framed.remove(0) };
    let parts = first.split("--").map(|part| part.trim_matches(['+', '-', ' ']));
    let title: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let mut all = vec![title.join(" - ")];
    let mut inner = lines(buf, 2);
    inner.pop();
    all.extend(inner.into_iter().skip(1));
    trimmed(all)
}

/// The rows as text, without `margin` columns at each side.
fn lines(buf: &mut Buffer, margin: u16) -> Vec<String> {
    ascii::replace(buf);
    let area = buf.area;
    let row = |y| {
        let mut text = String::new();
        let mut x = area.left() + margin;
        while x + margin < area.right() {
            let Some(cell) = buf.cell((x, y)) else { break };
            text.push_str(cell.symbol());
            x += u16::try_from(width(cell.symbol())).unwrap_or(1).max(1);
        }
        text.trim_end().to_owned()
    };
    (area.top()..area.bottom()).map(row).collect()
}

/// Without blank lines at the ends, and never two in a row.
fn trimmed(lines: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        let blank = line.trim().is_empty();
        if !(blank && all.last().is_none_or(|last| last.is_empty())) {
            all.push(if blank { String::new() } else { line });
        }
    }
    while all.last().is_some_and(String::is_empty) {
        all.pop();
    }
    all
}
