//! Text that the person has chosen in the transcript, by mouse or by keys.
//!
//! A place is an entry, a row of it and a column, so that the choice stays on its text while
//! more streams in. What the chosen text says, `view::selection` knows: rows are made there.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::app::browse;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::scroll::Seen;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    pub anchor: Spot,
    pub head: Spot,
    pub unit: Unit,
    /// The mouse button is down.
    dragging: bool,
    /// Rows that the head has still to go, once the screen has scrolled.
    owed: isize,
}

/// `row` counts from the entry's first, `column` in cells from the start of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Spot {
    pub entry: usize,
    pub row: usize,
    pub column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Characters,
    Rows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Left,
    Right,
    RowStart,
    RowEnd,
    Up,
    Down,
}

/// Columns before the text of an entry.
const GUTTER: u16 = 4;

impl Selection {
    fn at(spot: Spot, unit: Unit) -> Selection {
        Selection { anchor: spot, head: spot, unit, dragging: false, owed: 0 }
    }

    /// First and last place, in the order of the text.
    pub fn ends(&self) -> (Spot, Spot) {
        (self.anchor.min(self.head), self.anchor.max(self.head))
    }

    /// Cells `from..to` of a row that are chosen.
    pub fn cells(&self, entry: usize, row: usize) -> Option<(usize, usize)> {
        let (first, last) = self.ends();
        let here = (entry, row);
        if here < (first.entry, first.row) || here > (last.entry, last.row) {
            return None;
        }
        if self.unit == Unit::Rows {
            return Some((0, usize::MAX));
        }
        let from = if here == (first.entry, first.row) { first.column } else { 0 };
        let to =
            if here == (last.entry, last.row) { last.column.saturating_add(1) } else { usize::MAX };
        Some((from, to))
    }
}

/// Begins to choose, from the entry that the keys are on.
pub fn begin(model: &mut Model, unit: Unit) {
    let Some(entry) = model.browse else { return };
    // What of it can be seen, where its start cannot.
    let top = shown(&model.seen).find(|(_, spot)| spot.entry == entry).map(|(_, spot)| spot);
    let spot = top.unwrap_or(Spot { entry, ..Spot::default() });
    model.selection = Some(Selection::at(spot, unit));
}

pub fn step(model: &mut Model, step: Step) {
    let Some(selection) = &mut model.selection else { return };
    let head = &mut selection.head;
    match step {
        Step::Left => head.column = head.column.saturating_sub(1),
        Step::Right => {
            head.column = head.column.saturating_add(1).min(usize::from(model.seen.width));
        }
        Step::RowStart => head.column = 0,
        Step::RowEnd => head.column = usize::from(model.seen.width),
        Step::Up => vertical(model, -1),
        Step::Down => vertical(model, 1),
    }
}

/// The other end goes with the keys from now on.
pub fn swap(model: &mut Model) {
    if let Some(Selection { anchor, head, .. }) = &mut model.selection {
        std::mem::swap(anchor, head);
    }
}

pub fn copy(model: &mut Model) -> Vec<Effect> {
    match model.selection {
        Some(_) => vec![Effect::CopySelection],
        None => Vec::new(),
    }
}

fn vertical(model: &mut Model, by: isize) {
    let Some(selection) = &mut model.selection else { return };
    let rows: Vec<Spot> = shown(&model.seen).map(|(_, spot)| spot).collect();
    let here = |spot: &Spot| (spot.entry, spot.row) == (selection.head.entry, selection.head.row);
    let to = rows.iter().position(here).and_then(|at| at.checked_add_signed(by));
    if let Some(spot) = to.and_then(|to| rows.get(to)) {
        selection.head = Spot { column: selection.head.column, ..*spot };
        return;
    }
    let end = by > 0 && model.seen.at_end;
    let start = by < 0 && rows.first().is_some_and(|spot| (spot.entry, spot.row) == (0, 0));
    if !end && !start {
        selection.owed = by;
        browse::scroll(model, by * 3);
    }
}

/// After a frame: the step that had to wait for it.
pub fn drawn(model: &mut Model) {
    let Some(selection) = &mut model.selection else { return };
    let owed = std::mem::take(&mut selection.owed);
    if owed != 0 {
        let rows: Vec<Spot> = shown(&model.seen).map(|(_, spot)| spot).collect();
        let head = (selection.head.entry, selection.head.row);
        let at = rows.iter().position(|spot| (spot.entry, spot.row) == head);
        if let Some(spot) = at.and_then(|at| rows.get(at.checked_add_signed(owed)?)) {
            selection.head = Spot { column: selection.head.column, ..*spot };
        }
    }
}

/// Press, drag and release over the transcript. A press that is not dragged opens or folds what it
/// was on.
pub fn mouse(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    let spot = spot(&model.seen, event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            model.selection = spot
                .map(|spot| Selection { dragging: true, ..Selection::at(spot, Unit::Characters) });
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            if let Some(selection) = model.selection.as_mut().filter(|it| it.dragging) {
                if let Some(spot) = spot {
                    selection.head = spot;
                }
                let rows = usize::from(event.row);
                if rows == 0 {
                    browse::scroll(model, -1);
                } else if rows + 1 >= model.seen.transcript {
                    browse::scroll(model, 1);
                }
            }
        }
        MouseEventKind::Up(MouseButton::Left) => {
            let Some(selection) = model.selection.as_mut().filter(|it| it.dragging) else {
                return Vec::new();
            };
            selection.dragging = false;
            if selection.anchor != selection.head {
                return vec![Effect::CopySelection];
            }
            model.selection = None;
            browse::click(model, event.row);
        }
        _ => {}
    }
    Vec::new()
}

/// The rows of entries on the screen: where, and what.
fn shown(seen: &Seen) -> impl Iterator<Item = (u16, Spot)> + '_ {
    seen.entries.iter().enumerate().flat_map(|(index, (from, to, entry))| {
        let cut = if index == 0 { seen.cut } else { 0 };
        (*from..*to).map(move |y| {
            let row = cut + usize::from(y - from);
            (y, Spot { entry: *entry, row, column: 0 })
        })
    })
}

/// The place under a cell; between two entries, the last row above.
fn spot(seen: &Seen, x: u16, y: u16) -> Option<Spot> {
    let (at, spot) = shown(seen).take_while(|(at, _)| *at <= y).last()?;
    let column =
        if at == y { usize::from(x.saturating_sub(GUTTER)) } else { usize::from(u16::MAX) };
    Some(Spot { column, ..spot })
}
