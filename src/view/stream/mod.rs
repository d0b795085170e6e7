//! Markdown that is still being written, drawn as it grows.
//!
//! Closed units are parsed and wrapped once and their rows never change; with each addition only
//! the open one is done again. Any way of cutting the text into additions ends in the same rows.
//! Colours of code are put in afterwards, for what is on the screen, and move nothing.

mod colouring;
mod tail;

use std::ops::Range;

use ratatui::text::Line;

use crate::text::Piece;
use crate::view::code::Colours;
use crate::view::markdown::split::{Kind, Splitter, Unit};
use crate::view::markdown::{self, Look, is_parted};
use crate::view::rows;
use crate::view::stream::colouring::Coloured;
use crate::view::stream::tail::Tail;
use crate::view::theme::Theme;

/// The rows of a growing text, for one width and one theme.
#[derive(Debug)]
pub struct Stream {
    width: usize,
    splitter: Splitter,
    rows: Vec<Line<'static>>,
    /// How many rows belong to closed units.
    closed_rows: usize,
    /// The last unit that is drawn and closed.
    last: Option<Kind>,
    coloured: Vec<Coloured>,
    seen: Seen,
}

/// What an update had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Units that were parsed and wrapped, closed or open.
    pub blocks_wrapped: usize,
    /// Bytes of them.
    pub bytes: usize,
}

/// The text of the last update, as far as is needed to know it again.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    len: usize,
    end: Vec<u8>,
    finished: bool,
}

impl Stream {
    /// `width` in columns.
    pub fn new(width: u16) -> Stream {
        Stream {
            width: usize::from(width.max(1)),
            splitter: Splitter::default(),
            rows: Vec::new(),
            closed_rows: 0,
            last: None,
            coloured: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Brings the rows up to `text`, which begins with the text of the last update. A text that
    /// does not is drawn from its beginning.
    pub fn update(&mut self, text: &str, theme: &Theme, colours: &mut Colours) -> Work {
        self.advance(text, false, theme, colours)
    }

    /// The same for the whole text: nothing is held back any more.
    pub fn finish(&mut self, text: &str, theme: &Theme, colours: &mut Colours) -> Work {
        self.advance(text, true, theme, colours)
    }

    pub fn rows(&self) -> &[Line<'static>] {
        &self.rows
    }

    pub fn into_rows(self) -> Vec<Line<'static>> {
        self.rows
    }

    /// How many of the first rows will never change but in colour.
    pub fn closed_rows(&self) -> usize {
        self.closed_rows
    }

    /// Puts colours into the code among the rows `visible`, and wants what is missing. `text` is
    /// that of the last update. Returns how many rows changed.
    pub fn colour(
        &mut self,
        text: &str,
        visible: Range<usize>,
        theme: &Theme,
        colours: &mut Colours,
    ) -> usize {
        let first = self.coloured.partition_point(|area| area.rows().end <= visible.start);
        let mut changed = 0;
        for area in &mut self.coloured[first..] {
            if area.rows().start >= visible.end {
                break;
            }
            let mut look = Look { width: self.width, theme, colours };
            changed += area.colour(text, self.seen.finished, &mut self.rows, &mut look);
        }
        changed
    }

    fn advance(&mut self, text: &str, ended: bool, theme: &Theme, colours: &mut Colours) -> Work {
        let seen = Seen::of(text, ended);
        let mut work = Work::default();
        if self.seen == seen {
            return work;
        }
        let grows = self.seen.is_beginning_of(text) && text.is_char_boundary(self.splitter.at);
        if !grows || self.seen.finished {
            *self = Stream::new(self.width.try_into().unwrap_or(u16::MAX));
        }
        self.seen = seen;
        // What is only measured must not ask for colours; `colour` does, for what is seen.
        colours.without_asking(|colours| {
            let mut look = Look { width: self.width, theme, colours };
            self.rows.truncate(self.closed_rows);
            for unit in self.splitter.advance(text, ended) {
                work.add(&unit);
                self.close(text, unit, &mut look);
            }
            self.closed_rows = self.rows.len();
            if !ended {
                self.draw_tail(text, &mut work, &mut look);
            }
        });
        work
    }

    fn close(&mut self, text: &str, unit: Unit, look: &mut Look<'_>) {
        let misses = look.colours.misses();
        let parted = is_parted(text, unit.range.start, self.last.as_ref(), &unit.kind);
        let rows = draw(text, &unit, parted, &mut self.last, &mut self.rows, look);
        let missed = look.colours.misses() > misses;
        colouring::note(&mut self.coloured, unit, rows, missed);
    }

    /// Draws what is still open.
    fn draw_tail(&mut self, text: &str, work: &mut Work, look: &mut Look<'_>) {
        let at = self.splitter.at;
        let tail = Tail::of(&text[at..], &self.splitter);
        let mut last = self.last.clone();
        for unit in self.splitter.rest(&tail.text) {
            work.add(&unit);
            let start = (at + unit.range.start).min(text.len());
            let parted = is_parted(text, start, last.as_ref(), &unit.kind);
            draw(&tail.text, &unit, parted, &mut last, &mut self.rows, look);
        }
        if let Some(lines) = tail.table_lines {
            let note = format!("⋯ table, {lines} {}", if lines == 1 { "line" } else { "lines" });
            if !self.rows.is_empty() {
                self.rows.push(Line::default());
            }
            self.rows.push(rows::line(vec![Piece::new(note, look.theme.faint)]));
        }
    }
}

/// Adds the rows of a unit, after an empty one where it is `parted`; returns where they are.
fn draw(
    text: &str,
    unit: &Unit,
    parted: bool,
    last: &mut Option<Kind>,
    rows: &mut Vec<Line<'static>>,
    look: &mut Look<'_>,
) -> Range<usize> {
    let own = markdown::unit_rows(text, unit, look);
    if own.is_empty() {
        // Two code blocks are parted even if neither shows more than its code.
        if last.is_some() && unit.kind == Kind::FenceEnd {
            *last = Some(Kind::FenceEnd);
        }
        return rows.len()..rows.len();
    }
    if parted {
        rows.push(Line::default());
    }
    let start = rows.len();
    rows.extend(own);
    *last = Some(unit.kind.clone());
    start..rows.len()
}

impl Work {
    fn add(&mut self, unit: &Unit) {
        self.blocks_wrapped += 1;
        self.bytes += unit.range.len();
    }
}

impl Seen {
    /// Enough bytes of the end to notice that a text is another one.
    const END: usize = 16;

    fn of(text: &str, finished: bool) -> Seen {
        let end = text.as_bytes()[text.len().saturating_sub(Seen::END)..].to_vec();
        Seen { len: text.len(), end, finished }
    }

    fn is_beginning_of(&self, text: &str) -> bool {
        text.as_bytes().get(..self.len).is_some_and(|start| start.ends_with(&self.end))
    }
}

#[cfg(test)]
mod tests;
