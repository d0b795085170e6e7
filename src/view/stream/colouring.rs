//! Which rows of a stream are code, and putting colours into them.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::text::Line;

use crate::view::markdown::fence::{Fence, code_line};
use crate::view::markdown::split::{Kind, Unit};
use crate::view::markdown::{Look, unit_rows};

/// An area of rows that can be in other colours than it is.
#[derive(Debug)]
pub(super) enum Coloured {
    Block(Block),
    /// A unit with code somewhere inside, drawn again as a whole.
    Unit {
        unit: Unit,
        rows: Range<usize>,
        state: State,
    },
}

/// A code block at the top level.
#[derive(Debug)]
pub(super) struct Block {
    fence: Fence,
    /// Bytes of the text.
    body: Range<usize>,
    /// First row of each line.
    lines: Vec<usize>,
    rows: Range<usize>,
    is_closed: bool,
    /// How many of the lines have their colours.
    done: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    New,
    /// Asked when the colours were of this generation, for so many lines.
    Asked(u64, usize),
    Final,
}

/// Remembers a closed unit if it has code.
pub(super) fn note(areas: &mut Vec<Coloured>, unit: Unit, rows: Range<usize>, missed: bool) {
    match (unit.kind, areas.last_mut()) {
        (Kind::Fence(fence), _) if !fence.lang.is_empty() => areas.push(Coloured::Block(Block {
            fence,
            body: unit.range.end..unit.range.end,
            lines: Vec::new(),
            rows: rows.end..rows.end,
            is_closed: false,
            done: 0,
            state: State::New,
        })),
        (Kind::CodeLine(fence), Some(Coloured::Block(block)))
            if block.body.end == unit.range.start && block.fence == fence =>
        {
            block.body.end = unit.range.end;
            block.lines.push(rows.start);
            if block.rows.is_empty() {
                block.rows.start = rows.start;
            }
            block.rows.end = rows.end;
        }
        (Kind::FenceEnd, Some(Coloured::Block(block))) if block.body.end == unit.range.start => {
            block.is_closed = true;
        }
        (kind, _) if missed => {
            let unit = Unit { kind, ..unit };
            areas.push(Coloured::Unit { unit, rows, state: State::New });
        }
        _ => {}
    }
}

impl Coloured {
    pub fn rows(&self) -> &Range<usize> {
        match self {
            Coloured::Block(block) => &block.rows,
            Coloured::Unit { rows, .. } => rows,
        }
    }

    /// Colours what can be; returns how many rows are new.
    pub fn colour(
        &mut self,
        text: &str,
        finished: bool,
        rows: &mut [Line<'static>],
        look: &mut Look<'_>,
    ) -> usize {
        let generation = look.colours.generation();
        match self {
            Coloured::Block(block) => {
                let asked = State::Asked(generation, block.lines.len());
                if block.state == State::Final || block.state == asked {
                    return 0;
                }
                block.state = asked;
                block.colour(text, finished, rows, look)
            }
            Coloured::Unit { unit, rows: area, state } => {
                let asked = State::Asked(generation, 0);
                if *state == State::Final || *state == asked {
                    return 0;
                }
                let misses = look.colours.misses();
                let new = unit_rows(text, unit, look);
                let missed = look.colours.misses() > misses;
                *state = if missed { asked } else { State::Final };
                replace(rows, area.clone(), new)
            }
        }
    }
}

impl Block {
    fn colour(
        &mut self,
        text: &str,
        finished: bool,
        rows: &mut [Line<'static>],
        look: &mut Look<'_>,
    ) -> usize {
        let Some(body) = text.get(self.body.clone()) else { return 0 };
        let lines: Vec<&str> =
            body.split_inclusive('\n').map(|line| self.fence.code(line)).collect();
        let code = match body.lines().eq(lines.iter().copied()) {
            true => Cow::Borrowed(body),
            false => Cow::Owned(lines.join("\n") + "\n"),
        };
        let Some(tokens) = look.colours.get(&self.fence.lang, &code) else { return 0 };
        let known = tokens.lines.len().min(self.lines.len());
        let mut changed = 0;
        for index in self.done..known {
            let start = self.lines[index];
            let end = self.lines.get(index + 1).copied().unwrap_or(self.rows.end);
            let runs = tokens.lines.get(index);
            let new = code_line(lines.get(index).unwrap_or(&""), runs, look.width, look.theme);
            changed += replace(rows, start..end, new);
        }
        self.done = self.done.max(known);
        let is_closed = self.is_closed || finished;
        if tokens.lines.is_empty() || (is_closed && self.done == self.lines.len()) {
            self.state = State::Final;
        }
        changed
    }
}

/// Puts rows in the place of others. Colours do not change how many there are; should that ever
/// not hold, the plain rows stay.
fn replace(rows: &mut [Line<'static>], area: Range<usize>, new: Vec<Line<'static>>) -> usize {
    match rows.get_mut(area) {
        Some(old) if old.len() == new.len() => {
            let count = new.len();
            old.iter_mut().zip(new).for_each(|(old, new)| *old = new);
            count
        }
        _ => 0,
    }
}
