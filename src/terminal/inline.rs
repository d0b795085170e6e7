//! The session in the terminal's own scrollback (`--inline`): what is finished is written once and
//! belongs to the terminal from then on; a region below it holds the prompt and whatever changes.
//!
//! Nothing here knows on which row of the terminal it stands: the cursor only moves within the
//! region, by as many rows as it was moved before. So a new size cannot make it write over what is
//! above, whether the terminal wraps that anew or not.
//!
//! Panels, the search and walking through the transcript take the alternate screen meanwhile.

use std::io::{self, Write};

use crossterm::cursor::{Hide, MoveDown, MoveToColumn, MoveUp, Show};
use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Color;

use crate::app::Model;
use crate::app::scroll::{Anchor, Scroll, Seen};
use crate::terminal::raw::Guard;
use crate::terminal::surface::{Surface, row};
use crate::view::State;
use crate::view::links::Links;
use crate::view::live::{finished, live, page};

/// Entries of a session taken up again that are written; the panels have the rest.
const TAKEN_UP: usize = 300;

#[derive(Debug, Default)]
pub struct Inline {
    /// Where what is not yet written begins.
    written: Anchor,
    /// The entry before that place, by its id: another one belongs to another transcript.
    last: Option<u64>,
    /// The region as the terminal shows it. `None`: nothing is drawn below the cursor.
    shown: Option<Buffer>,
    /// The row of the region that the cursor is in.
    at: u16,
    cursor: Option<Position>,
}

impl Inline {
    /// Whether the whole screen is wanted for a while; takes it, or gives it back.
    pub fn whole(
        &mut self,
        model: &Model,
        guard: &Guard,
        surface: &mut Surface,
    ) -> io::Result<bool> {
        let whole = model.panel.is_some()
            || model.browse.is_some()
            || model.search.is_some()
            || model.start.is_some()
            || model.scroll != Scroll::Follow
            || model.dialogs.front().is_some_and(|dialog| dialog.full);
        if guard.alternate(whole)? && whole {
            surface.forget();
        }
        Ok(whole)
    }

    /// Writes what has become finished, and brings the region to what it shows now.
    pub fn draw(
        &mut self,
        model: &Model,
        state: &mut State,
        screen: Rect,
    ) -> io::Result<(Vec<u8>, Seen)> {
        let end = finished(model, self.begin(model).entry);
        let above = self.pages(model, state, screen.width, end, Missing::Waits)?;
        let live = live(model, state, screen, self.written);
        let mut next = live.buffer;
        without_page(&mut next, state);
        Ok((self.frame(&above, next, live.cursor, state.links())?, live.seen))
    }

    /// Writes everything that is left, and leaves the cursor below it.
    pub fn end(
        &mut self,
        model: &Model,
        state: &mut State,
        size: Option<(u16, u16)>,
        guard: &Guard,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.clear(guard, out)?;
        self.begin(model);
        let end = model.transcript.entries().len();
        let width = size.map_or(80, |(width, _)| width);
        out.write_all(&self.pages(model, state, width, end, Missing::IsPlain)?)?;
        out.flush()
    }

    /// Takes the region away; the cursor stands where it began.
    pub fn clear(&mut self, guard: &Guard, out: &mut impl Write) -> io::Result<()> {
        guard.alternate(false)?;
        if self.shown.take().is_some() {
            to_the_top(self.at, out)?;
            queue!(out, Clear(ClearType::FromCursorDown), Show)?;
            out.flush()?;
        }
        self.at = 0;
        Ok(())
    }

    /// Something else has written meanwhile: the region begins where the cursor is.
    pub fn forget(&mut self) {
        self.shown = None;
        self.at = 0;
    }

    /// Where to go on in this transcript.
    fn begin(&mut self, model: &Model) -> Anchor {
        let entries = model.transcript.entries();
        let before = self.written.entry.checked_sub(1).and_then(|at| entries.get(at));
        if before.map(|entry| entry.id) != self.last {
            let entry = entries.len().saturating_sub(TAKEN_UP);
            self.written = Anchor { entry, row: 0 };
            self.last = entry.checked_sub(1).and_then(|at| entries.get(at)).map(|entry| entry.id);
        }
        self.written
    }

    /// The rows up to the entry `end`, each with its line end.
    fn pages(
        &mut self,
        model: &Model,
        state: &mut State,
        width: u16,
        end: usize,
        missing: Missing,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let misses = state.colours().misses();
            let Some((mut buffer, next)) = page(model, state, width, self.written, end) else {
                return Ok(bytes);
            };
            // What is written once is written in its colours; the answer brings another frame.
            if missing == Missing::Waits && state.colours().misses() != misses {
                return Ok(bytes);
            }
            without_page(&mut buffer, state);
            for cells in lines(&buffer) {
                bytes.extend(row(cells, state.links())?);
                bytes.extend(b"\r\n");
            }
            self.written = next;
            let entries = model.transcript.entries();
            let before = next.entry.checked_sub(1).and_then(|at| entries.get(at));
            self.last = before.map(|entry| entry.id);
        }
    }

    fn frame(
        &mut self,
        above: &[u8],
        next: Buffer,
        cursor: Option<Position>,
        links: &Links,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let rows = next.area.height;
        let same_size = |shown: &Buffer| shown.area == next.area;
        match self.shown.take().filter(|shown| above.is_empty() && same_size(shown)) {
            Some(shown) => {
                for (y, (old, new)) in (0..rows).zip(lines(&shown).zip(lines(&next))) {
                    if old != new {
                        self.move_to(y, &mut bytes)?;
                        queue!(bytes, Clear(ClearType::CurrentLine))?;
                        bytes.extend(row(new, links)?);
                    }
                }
            }
            None => {
                to_the_top(self.at, &mut bytes)?;
                queue!(bytes, Clear(ClearType::FromCursorDown))?;
                bytes.extend_from_slice(above);
                for (y, cells) in (0..rows).zip(lines(&next)) {
                    bytes.extend(row(cells, links)?);
                    if y + 1 < rows {
                        bytes.extend(b"\r\n");
                    }
                }
                self.at = rows.saturating_sub(1);
            }
        }
        self.shown = Some(next);
        if bytes.is_empty() && self.cursor == cursor {
            return Ok(bytes);
        }
        self.cursor = cursor;
        let place = cursor.unwrap_or(Position { x: 0, y: rows.saturating_sub(1) });
        let drawn = !bytes.is_empty();
        self.move_to(place.y, &mut bytes)?;
        queue!(bytes, MoveToColumn(place.x))?;
        let mut all = Vec::with_capacity(bytes.len() + 32);
        if drawn {
            queue!(all, BeginSynchronizedUpdate, Hide)?;
        }
        all.extend(bytes);
        match cursor {
            Some(_) => queue!(all, Show)?,
            None => queue!(all, Hide)?,
        }
        if drawn {
            queue!(all, EndSynchronizedUpdate)?;
        }
        Ok(all)
    }

    /// To the first column of a row of the region.
    fn move_to(&mut self, row: u16, out: &mut impl Write) -> io::Result<()> {
        queue!(out, Print("\r"))?;
        match row.cmp(&self.at) {
            std::cmp::Ordering::Less => queue!(out, MoveUp(self.at - row))?,
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => queue!(out, MoveDown(row - self.at))?,
        }
        self.at = row;
        Ok(())
    }
}

/// What to do where the colours of some code are not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Waits,
    IsPlain,
}

fn to_the_top(at: u16, out: &mut impl Write) -> io::Result<()> {
    queue!(out, Print("\r"))?;
    if at > 0 {
        queue!(out, MoveUp(at))?;
    }
    Ok(())
}

fn lines(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content.chunks(usize::from(buffer.area.width).max(1))
}

/// Here the page is the terminal's own.
fn without_page(buffer: &mut Buffer, state: &State) {
    let Some(page) = state.theme.page.bg.filter(|page| *page != Color::Reset) else { return };
    for cell in buffer.content.iter_mut().filter(|cell| cell.bg == page) {
        cell.bg = Color::Reset;
    }
}
