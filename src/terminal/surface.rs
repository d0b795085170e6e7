//! What the terminal shows now, and the fewest bytes from there to the next frame.
//!
//! Text that has moved up or down is moved by the terminal itself: during a stream nearly every
//! frame is the last one moved by a row or two, and drawing it anew would cost some kilobytes.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use crate::text::width;
use crate::view::links::Links;

/// Rows that moving must save, or it is not worth its own bytes.
const WORTH: isize = 4;

#[derive(Debug, Default)]
pub struct Surface {
    /// `None`: what the terminal shows is not known.
    shown: Option<Buffer>,
    cursor: Option<Position>,
}

impl Surface {
    /// The next frame is drawn whole, whatever the terminal shows.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// The bytes that bring the terminal to `next`, as one synchronized update; none where nothing
    /// has changed. `moving` are the rows that may have moved as a block.
    pub fn draw(
        &mut self,
        next: Buffer,
        cursor: Option<Position>,
        moving: Range<u16>,
        links: &Links,
    ) -> io::Result<Vec<u8>> {
        let mut cells = Vec::new();
        let mut backend = CrosstermBackend::new(&mut cells);
        let shown = match self.shown.take().filter(|shown| shown.area == next.area) {
            None => {
                backend.clear_region(ClearType::All)?;
                Buffer::empty(next.area)
            }
            Some(mut shown) => {
                if let Some(by) = moved(&shown, &next, &moving) {
                    move_rows(&mut shown, &moving, by);
                    let rows = u16::try_from(by.unsigned_abs()).unwrap_or(0);
                    match by > 0 {
                        true => backend.scroll_region_up(moving, rows)?,
                        false => backend.scroll_region_down(moving, rows)?,
                    }
                }
                shown
            }
        };
        print(&mut backend, &shown, &next, links)?;
        self.shown = Some(next);
        if cells.is_empty() && self.cursor == cursor {
            return Ok(cells);
        }
        self.cursor = cursor;
        let mut bytes = Vec::with_capacity(cells.len() + 32);
        queue!(bytes, BeginSynchronizedUpdate, Hide)?;
        bytes.extend_from_slice(&cells);
        if let Some(Position { x, y }) = cursor {
            queue!(bytes, MoveTo(x, y), Show)?;
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        Ok(bytes)
    }
}

/// The bytes of one row, from wherever the cursor stands to its right: nothing of them depends on
/// the place.
pub fn row(cells: &[Cell], links: &Links) -> io::Result<Vec<u8>> {
    let end = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
    let mut placed = Vec::with_capacity(end);
    let mut covered = 0;
    for cell in cells.iter().take(end) {
        // What stands behind a wide symbol is its second half.
        if covered > 0 {
            covered -= 1;
            continue;
        }
        covered = width(cell.symbol()).saturating_sub(1);
        // Neighbours to the backend, so that it never moves the cursor between them.
        placed.push((u16::try_from(placed.len()).unwrap_or(u16::MAX), 0, cell));
    }
    let mut bytes = Vec::new();
    write(&mut CrosstermBackend::new(&mut bytes), &placed, links)?;
    Ok(without_moves(&String::from_utf8_lossy(&bytes)).into_bytes())
}

/// The backend begins each run of cells with a move to its place: `ESC [ 1 ; COLUMN H`.
fn without_moves(text: &str) -> String {
    let mut parts = text.split("\x1b[1;");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.strip_prefix('H') {
            Some(rest) => out.push_str(rest),
            None => out.extend(["\x1b[1;", part]),
        }
    }
    out
}

fn is_blank(cell: &Cell) -> bool {
    cell.symbol().trim().is_empty()
        && cell.bg == Color::Reset
        && !cell.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED)
}

/// Writes the cells that differ.
fn print<W: io::Write>(
    backend: &mut CrosstermBackend<W>,
    shown: &Buffer,
    next: &Buffer,
    links: &Links,
) -> io::Result<()> {
    let mut changed = shown.diff(next);
    if changed.iter().any(|(_, _, cell)| is_uncertain(cell.symbol())) {
        changed = with_covered(changed, next);
    }
    let mut rest = changed.as_slice();
    while let Some(at) = rest.iter().position(|(_, _, cell)| is_uncertain(cell.symbol())) {
        // Each call begins by moving the cursor, wherever the terminal believes it to be.
        let (x, y, cell) = rest[at];
        write(backend, &rest[..at], links)?;
        let mut blank = Cell::new(" ");
        blank.set_style(cell.style());
        let columns = u16::try_from(width(cell.symbol())).unwrap_or(1);
        let blanks: Vec<_> = (x..x.saturating_add(columns)).map(|x| (x, y, &blank)).collect();
        write(backend, &blanks, links)?;
        write(backend, &[(x, y, cell)], links)?;
        rest = &rest[at + 1..];
    }
    write(backend, rest, links)
}

/// Writes cells, those of a link between its marks (OSC 8).
fn write<W: io::Write>(
    backend: &mut CrosstermBackend<W>,
    cells: &[(u16, u16, &Cell)],
    links: &Links,
) -> io::Result<()> {
    let mut rest = cells;
    while let Some((_, _, first)) = rest.first() {
        let number = first.underline_color;
        let run = rest.iter().take_while(|(_, _, cell)| cell.underline_color == number).count();
        let (run, more) = rest.split_at(run);
        rest = more;
        let Some(address) = links.address(first) else {
            backend.draw(run.iter().copied())?;
            continue;
        };
        // The number is no colour.
        let mut cells: Vec<Cell> = run.iter().map(|(_, _, cell)| (*cell).clone()).collect();
        cells.iter_mut().for_each(|cell| cell.underline_color = Color::Reset);
        let cells = run.iter().zip(&cells).map(|((x, y, _), cell)| (*x, *y, cell));
        io::Write::write_all(backend, format!("\x1b]8;;{address}\x1b\\").as_bytes())?;
        backend.draw(cells)?;
        io::Write::write_all(backend, b"\x1b]8;;\x1b\\")?;
    }
    Ok(())
}

/// Whether terminals differ in how many columns they give the symbol: families of emoji, flags,
/// signs with a variant. Older ones, tmux among them, show each of its parts.
fn is_uncertain(symbol: &str) -> bool {
    symbol.chars().skip(1).any(|c| c == '\u{fe0f}' || width(c.encode_utf8(&mut [0; 4])) > 0)
}

/// The changed cells with those that an uncertain one may cover, in reading order.
fn with_covered<'a>(
    changed: Vec<(u16, u16, &'a Cell)>,
    next: &'a Buffer,
) -> Vec<(u16, u16, &'a Cell)> {
    let mut cells: BTreeMap<(u16, u16), &'a Cell> = BTreeMap::new();
    for (x, y, cell) in changed {
        cells.insert((y, x), cell);
        if !is_uncertain(cell.symbol()) {
            continue;
        }
        let parts = u16::try_from(cell.symbol().chars().count()).unwrap_or(u16::MAX);
        let end = x.saturating_add(parts.saturating_mul(2)).min(next.area.right());
        let mut at = x;
        while at < end {
            let Some(covered) = next.cell((at, y)) else { break };
            cells.insert((y, at), covered);
            at += u16::try_from(width(covered.symbol())).unwrap_or(1).max(1);
        }
    }
    cells.into_iter().map(|((y, x), cell)| (x, y, cell)).collect()
}

/// By how many rows the block has moved up; negative: down. `None`: moving it saves nothing.
fn moved(shown: &Buffer, next: &Buffer, block: &Range<u16>) -> Option<isize> {
    let rows = isize::try_from(block.len()).ok()?;
    let at = |buffer: &Buffer, row: isize| -> Range<usize> {
        let width = usize::from(buffer.area.width);
        let row = usize::from(block.start) + row.unsigned_abs();
        row * width..(row + 1) * width
    };
    let same = |from: isize, to: isize| {
        shown.content.get(at(shown, from)) == next.content.get(at(next, to))
    };
    let stays: Vec<bool> = (0..rows).map(|row| same(row, row)).collect();
    let changed = isize::try_from(stays.iter().filter(|stays| !**stays).count()).ok()?;
    if changed < WORTH {
        return None;
    }
    let saved = |by: isize| -> isize {
        (0..rows)
            .map(|to| {
                let from = to + by;
                let comes = (0..rows).contains(&from) && same(from, to);
                isize::from(comes) - isize::from(stays[to.unsigned_abs()])
            })
            .sum()
    };
    let mut best = (0, 0);
    for by in (1..=rows / 2).flat_map(|by| [by, -by]) {
        let saved = saved(by);
        if saved > best.0 {
            best = (saved, by);
        }
        // A longer way brings in more rows that are new, and so saves less than this.
        if best.0 >= changed - by.abs() {
            break;
        }
    }
    (best.0 >= WORTH).then_some(best.1)
}

/// The same in our own copy: what comes in is blank.
fn move_rows(buffer: &mut Buffer, block: &Range<u16>, by: isize) {
    let width = usize::from(buffer.area.width);
    let range = usize::from(block.start) * width..usize::from(block.end) * width;
    let Some(cells) = buffer.content.get_mut(range) else { return };
    let shift = (by.unsigned_abs() * width).min(cells.len());
    let blank = if by > 0 {
        cells.rotate_left(shift);
        cells.len() - shift..cells.len()
    } else {
        cells.rotate_right(shift);
        0..shift
    };
    cells[blank].fill(Cell::EMPTY);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terminal(rows: u16, columns: u16) -> vt100::Parser {
        vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
    }

    fn buffer(lines: &[String]) -> Buffer {
        Buffer::with_lines(lines.iter().map(String::as_str))
    }

    fn numbered(rows: std::ops::Range<usize>) -> Vec<String> {
        rows.map(|n| format!("row {n:<5} of a text that is longer than its number")).collect()
    }

    #[test]
    fn text_that_moves_is_moved_by_the_terminal() {
        let mut surface = Surface::default();
        let mut screen = terminal(20, 60);
        let first = surface.draw(buffer(&numbered(0..20)), None, 0..20, &Links::default()).unwrap();
        screen.process(&first);
        for from in [1, 5, 3] {
            let lines = numbered(from..from + 20);
            let bytes = surface.draw(buffer(&lines), None, 0..20, &Links::default()).unwrap();
            assert!(bytes.len() < first.len() / 2, "{} of {}", bytes.len(), first.len());
            screen.process(&bytes);
            let shown = screen.screen().contents();
            assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
        }
        let same = surface.draw(buffer(&numbered(3..23)), None, 0..20, &Links::default()).unwrap();
        assert_eq!(same, b"", "nothing changed, nothing is written");
    }

    #[test]
    fn a_link_stands_between_its_marks_and_is_closed() {
        let mut links = Links::default();
        let mut next = Buffer::empty(ratatui::layout::Rect::new(0, 0, 12, 1));
        next.set_string(0, 0, "see docs now", ratatui::style::Style::new());
        next.set_style(ratatui::layout::Rect::new(4, 0, 4, 1), links.style("https://docs.rs"));
        let bytes = Surface::default().draw(next, None, 0..1, &links).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (_, link) = text.split_once("\x1b]8;;https://docs.rs/\x1b\\").unwrap();
        let (inside, after) = link.split_once("\x1b]8;;\x1b\\").unwrap();
        assert!(inside.contains("docs") && after.contains("now"), "{text:?}");
        assert!(!text.contains("\x1b[58"), "the number is no colour: {text:?}");
    }

    #[test]
    fn what_follows_a_family_of_emoji_stands_where_it_should() {
        // The emulator gives each of the four its own two columns, as tmux does.
        let mut surface = Surface::default();
        let mut screen = terminal(1, 20);
        for line in ["ab👨‍👩‍👧‍👦cdefghijkl", "ab👨‍👩‍👧‍👦cdefghijkx", "a👨‍👩‍👧‍👦bcdefghijkx", "abcdefgh"]
        {
            let line = format!("{line}{}", " ".repeat(20 - width(line)));
            let bytes = surface
                .draw(buffer(std::slice::from_ref(&line)), None, 0..1, &Links::default())
                .unwrap();
            screen.process(&bytes);
            let shown = screen.screen().contents();
            let (_, after) = line.rsplit_once('👦').unwrap_or(("", &line));
            assert!(shown.trim_end().ends_with(after.trim_end()), "{shown:?}");
            let column = screen.screen().cell(0, 19).unwrap().contents().to_owned();
            assert_eq!(column.trim(), "", "{shown:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_terminal_shows_the_last_frame(
            frames in prop::collection::vec(prop::collection::vec(0usize..6, 8), 1..8),
            end in 0u16..9,
        ) {
            let mut surface = Surface::default();
            let mut screen = terminal(8, 12);
            for frame in frames {
                let mut next = Buffer::empty(ratatui::layout::Rect::new(0, 0, 12, 8));
                for (y, n) in (0u16..).zip(&frame) {
                    let word = ["", "one", "zwei drei", "日本語", "e\u{301}é", "    x"][*n];
                    next.set_stringn(0, y, word, 12, ratatui::style::Style::new());
                }
                let bytes = surface.draw(next.clone(), None, 0..end.min(8), &Links::default()).unwrap();
                screen.process(&bytes);
                for y in 0..8 {
                    for x in 0..12 {
                        let want = next[(x, y)].symbol().trim();
                        let got = screen.screen().cell(y, x).unwrap().contents().trim().to_owned();
                        prop_assert_eq!(got, want, "column {} of row {}", x, y);
                    }
                }
            }
        }
    }
}
