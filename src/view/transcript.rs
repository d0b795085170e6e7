//! The transcript: which rows of which entries are on the screen.
//!
//! *Invariant:* only entries near the screen are asked for their height. Where the screen stands
//! is an entry and a row in it, so the number of entries does not matter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::Model;
use crate::app::scroll::{Anchor, Scroll, Seen};
use crate::app::transcript::{Body, Entry};
use crate::text;
use crate::view::entry;
use crate::view::group;
use crate::view::layout::{GUTTER, measure};
use crate::view::rows;
use crate::view::selection;
use crate::view::state::{State, Top};
use crate::view::theme::Theme;

/// What the search for a place works with.
struct Place<'a> {
    model: &'a Model,
    state: &'a mut State,
    width: u16,
    height: usize,
}

pub fn draw(model: &Model, state: &mut State, area: Rect, seen: &mut Seen, buf: &mut Buffer) {
    let width = measure(area);
    state.begin_transcript(model, width);
    let height = usize::from(area.height);
    let mut place = Place { model, state, width, height };
    let (top, at_end) = place.resolve();
    seen.transcript = height;
    seen.top = top;
    seen.at_end = at_end;
    let last = draw_from(model, state, area, top, seen, buf);
    seen.below = model.transcript.entries().len() - 1 - last;
}

/// Draws what stands from `top` on, in an area that [`State::begin_transcript`] knows; the last
/// entry that is in it.
pub fn draw_from(
    model: &Model,
    state: &mut State,
    area: Rect,
    top: Anchor,
    seen: &mut Seen,
    buf: &mut Buffer,
) -> usize {
    let width = measure(area);
    let entries = model.transcript.entries();
    let mut y = area.y;
    let mut skip = usize::try_from(top.row).unwrap_or(0);
    let mut last = top.entry;
    for (index, entry) in entries.iter().enumerate().skip(top.entry) {
        if y >= area.bottom() {
            break;
        }
        last = index;
        let gap = gap(model, index);
        let rows = state.height(model, index);
        if index == top.entry {
            state.top = Some(Top { id: entry.id, width, height: gap + rows });
        }
        let blank = gap.saturating_sub(skip);
        let from = skip.saturating_sub(gap);
        skip = 0;
        y = y.saturating_add(u16::try_from(blank).unwrap_or(0));
        let room = usize::from(area.bottom().saturating_sub(y));
        let to = rows.min(from.saturating_add(room));
        if to <= from {
            continue;
        }
        let first = y;
        let chosen = model.browse == Some(index);
        let marks = state.marks(model);
        let theme = std::rc::Rc::clone(&state.theme);
        for (n, row) in state.rows(model, index, from..to)[from..to].iter().enumerate() {
            if chosen {
                let line = Rect { y, height: 1, width: width + GUTTER, ..area };
                buf.set_style(line, theme.cursor_line);
            }
            let (mark, style) = match model.transcript.folded(index) {
                [] => entry::mark(model, &entry.body, from + n, &theme, marks),
                calls => group::mark(model, calls, &theme, marks),
            };
            buf.set_string(area.x + 2, y, mark, style);
            rows::put(row, (area.x + GUTTER, y), width, buf);
            highlight(model, row, area.x + GUTTER, y, &theme, buf);
            if let Some(chosen) = &model.selection {
                let place = (area.x + GUTTER, y);
                selection::paint(chosen, (index, from + n), row, place, &theme, buf);
            }
            y += 1;
        }
        state.work.drawn += (to - from) as u64;
        if seen.entries.is_empty() {
            seen.cut = from;
        }
        seen.entries.push((first, y, index));
        if let Some(hit) = current_hit(model, index) {
            let shown = Shown { x: area.x + GUTTER, y: first, from, to };
            current_match(model, state, index, hit, &shown, buf);
        }
    }
    last
}

/// Rows of an entry with the blank ones before it.
pub fn height(model: &Model, state: &mut State, index: usize) -> usize {
    state.height(model, index) + gap(model, index)
}

/// Blank rows before an entry: calls stand together, everything else is parted by one.
fn gap(model: &Model, index: usize) -> usize {
    let entries = model.transcript.entries();
    let Some(before) = index.checked_sub(1).and_then(|index| entries.get(index)) else { return 1 };
    if model.transcript.is_hidden(index) {
        return 0;
    }
    let line = |entry: &Entry| {
        matches!(entry.body, Body::Call(_) | Body::Thought { .. })
            && entry.body.is_open() == Some(false)
    };
    usize::from(!(line(before) && entries.get(index).is_some_and(line)))
}

impl Place<'_> {
    /// The row at the top, and whether the end is on the screen.
    fn resolve(&mut self) -> (Anchor, bool) {
        match self.model.scroll {
            Scroll::Follow => (self.end(), true),
            Scroll::At(anchor) => {
                let anchor = self.rescaled(anchor);
                let anchor = self.normal(anchor);
                self.filled(anchor)
            }
            Scroll::Show { entry } => {
                let anchor = self.showing(entry);
                self.filled(anchor)
            }
            Scroll::Match { entry, nth } => {
                let row = self.match_row(entry, nth) + self.gap(entry);
                let third = isize::try_from(self.height / 3).unwrap_or(0);
                let row = isize::try_from(row).unwrap_or(isize::MAX) - third;
                let anchor = self.normal(Anchor { entry, row });
                self.filled(anchor)
            }
        }
    }

    fn gap(&self, index: usize) -> usize {
        gap(self.model, index)
    }

    /// Rows of an entry with the blank ones before it.
    fn height(&mut self, index: usize) -> usize {
        self.state.height(self.model, index) + self.gap(index)
    }

    /// The place where the last row is at the bottom.
    fn end(&mut self) -> Anchor {
        let mut rows = 0;
        for index in (0..self.model.transcript.entries().len()).rev() {
            rows += self.height(index);
            if rows >= self.height {
                let row = isize::try_from(rows - self.height).unwrap_or(0);
                return Anchor { entry: index, row };
            }
        }
        Anchor::default()
    }

    /// The same line of text, after the width has changed.
    fn rescaled(&mut self, anchor: Anchor) -> Anchor {
        let Some(top) = self.state.top else { return anchor };
        let entries = self.model.transcript.entries();
        let same = entries.get(anchor.entry).is_some_and(|entry| entry.id == top.id);
        if !same || top.width == self.width || top.height == 0 || anchor.row < 0 {
            return anchor;
        }
        let height = self.height(anchor.entry);
        let row = anchor.row.unsigned_abs() * height / top.height;
        Anchor { row: isize::try_from(row).unwrap_or(0), ..anchor }
    }

    /// The same place with its row within its entry.
    fn normal(&mut self, anchor: Anchor) -> Anchor {
        let last = self.model.transcript.entries().len() - 1;
        let mut at = Anchor { entry: anchor.entry.min(last), row: anchor.row };
        while at.row < 0 && at.entry > 0 {
            at.entry -= 1;
            let height = isize::try_from(self.height(at.entry)).unwrap_or(isize::MAX);
            at.row = at.row.saturating_add(height);
        }
        at.row = at.row.max(0);
        while at.row > 0 {
            let height = isize::try_from(self.height(at.entry)).unwrap_or(isize::MAX);
            if at.row < height {
                break;
            }
            if at.entry == last {
                at.row = (height - 1).max(0);
                break;
            }
            at.row -= height;
            at.entry += 1;
        }
        at
    }

    /// The place, or the end where less than a screen is below the place.
    fn filled(&mut self, anchor: Anchor) -> (Anchor, bool) {
        let mut rows = 0;
        let mut skip = usize::try_from(anchor.row).unwrap_or(0);
        let count = self.model.transcript.entries().len();
        for index in anchor.entry..count {
            rows += self.height(index).saturating_sub(skip);
            skip = 0;
            if rows > self.height {
                return (anchor, false);
            }
        }
        (self.end(), true)
    }

    /// The least move from the last frame that has the entry on the screen.
    fn showing(&mut self, entry: usize) -> Anchor {
        let top = self.normal(self.model.seen.top);
        let gap = isize::try_from(self.gap(entry)).unwrap_or(0);
        let start = Anchor { entry, row: gap };
        if entry < top.entry || (entry == top.entry && top.row > 0) {
            return start;
        }
        let mut above = 0;
        let mut skip = usize::try_from(top.row).unwrap_or(0);
        for index in top.entry..entry {
            above += self.height(index).saturating_sub(skip);
            skip = 0;
            if above > 2 * self.height {
                break;
            }
        }
        let height = self.height(entry);
        if above + height <= self.height {
            return top;
        }
        if height >= self.height {
            return start;
        }
        let row = height as isize - self.height as isize;
        self.normal(Anchor { entry, row })
    }

    fn match_row(&mut self, index: usize, nth: usize) -> usize {
        let rows = self.state.rows(self.model, index, 0..0);
        find_match(self.model, rows, nth).map_or(0, |(row, _)| row)
    }
}

/// The row of the n-th match in these rows, and which match of that row it is. What is drawn has
/// not always as many matches as the text: the last one stands for those that are missing.
fn find_match(model: &Model, rows: &[Line<'_>], nth: usize) -> Option<(usize, usize)> {
    let pattern = model.search.as_ref()?.pattern()?;
    let mut left = nth;
    let mut found = None;
    for (row, line) in rows.iter().enumerate() {
        let count = pattern.find_iter(&rows::text(line)).count();
        if left < count {
            return Some((row, left));
        }
        if count > 0 {
            found = Some((row, count - 1));
        }
        left -= count;
    }
    found
}

/// Marks what the search has found in a row.
fn highlight(model: &Model, row: &Line<'_>, x: u16, y: u16, theme: &Theme, buf: &mut Buffer) {
    let Some(pattern) = model.search.as_ref().and_then(|search| search.pattern()) else { return };
    let plain = rows::text(row);
    for found in pattern.find_iter(&plain) {
        buf.set_style(cells(&plain, found.range(), x, y), theme.matched);
    }
}

/// The match of this entry that the search stands on.
fn current_hit(model: &Model, index: usize) -> Option<usize> {
    let search = model.search.as_ref()?;
    search.hits.get(search.at).filter(|hit| hit.entry == index).map(|hit| hit.nth)
}

/// Rows `from..to` of an entry and where they stand.
struct Shown {
    x: u16,
    y: u16,
    from: usize,
    to: usize,
}

fn current_match(
    model: &Model,
    state: &mut State,
    index: usize,
    nth: usize,
    at: &Shown,
    buf: &mut Buffer,
) {
    let style = state.theme.matched_now;
    let lines = state.rows(model, index, at.from..at.to);
    let Some((row, nth)) = find_match(model, lines, nth) else { return };
    if !(at.from..at.to).contains(&row) {
        return;
    }
    let plain = rows::text(&lines[row]);
    let pattern = model.search.as_ref().and_then(|search| search.pattern());
    if let Some(found) = pattern.and_then(|pattern| pattern.find_iter(&plain).nth(nth)) {
        let y = at.y + u16::try_from(row - at.from).unwrap_or(0);
        buf.set_style(cells(&plain, found.range(), at.x, y), style);
    }
}

fn cells(plain: &str, range: std::ops::Range<usize>, x: u16, y: u16) -> Rect {
    let before = u16::try_from(text::width(&plain[..range.start])).unwrap_or(u16::MAX);
    let width = u16::try_from(text::width(&plain[range])).unwrap_or(0);
    Rect { x: x.saturating_add(before), y, width, height: 1 }
}
