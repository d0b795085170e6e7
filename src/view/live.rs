//! The session without a screen of its own: what is finished, page by page, for the terminal to
//! keep; and what is not, with the prompt, for a region below it that is drawn again and again.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::Model;
use crate::app::calls::CallState;
use crate::app::scroll::{Anchor, Seen};
use crate::app::transcript::{Body, Entry};
use crate::view::layout::{self, Areas, measure};
use crate::view::{State, ascii, below, make, too_small, transcript, welcome};

/// Rows that are drawn at once.
const PAGE: u16 = 100;

/// Rows of the welcome.
const WELCOME: u16 = 7;

/// The first entry from `from` on that may still be drawn otherwise. Calls in a row may yet be told
/// in one line.
pub fn finished(model: &Model, from: usize) -> usize {
    let entries = model.transcript.entries();
    let rest = entries.get(from..).unwrap_or_default();
    let ended = rest.iter().take_while(|entry| is_finished(entry)).count();
    let waits = |entry: &&Entry| matches!(entry.body, Body::Call(_) | Body::Thought { .. });
    let held = match model.is_working() {
        true => rest[..ended].iter().rev().take_while(waits).count(),
        false => 0,
    };
    from + ended - held
}

fn is_finished(entry: &Entry) -> bool {
    match &entry.body {
        Body::Prose { live, .. } | Body::Thought { live, .. } => !live,
        Body::Call(call) => matches!(call.state, CallState::Ended(_)),
        Body::Person { .. }
        | Body::Shell { .. }
        | Body::Notice { .. }
        | Body::Compaction { .. }
        | Body::Ending { .. } => true,
    }
}

/// The next rows from `at` on, up to the entry `end`, and where they go on. `None`: there are none.
pub fn page(
    model: &Model,
    state: &mut State,
    width: u16,
    at: Anchor,
    end: usize,
) -> Option<(Buffer, Anchor)> {
    state.begin(model);
    let area = Rect { x: 0, y: 0, width, height: PAGE };
    state.begin_transcript(model, measure(area));
    let (mut rows, mut next) = (0, at);
    while next.entry < end && rows < usize::from(PAGE) {
        let skip = usize::try_from(next.row).unwrap_or(0);
        let left = transcript::height(model, state, next.entry).saturating_sub(skip);
        let taken = left.min(usize::from(PAGE) - rows);
        rows += taken;
        next = match taken == left {
            true => Anchor { entry: next.entry + 1, row: 0 },
            false => Anchor { row: next.row.saturating_add_unsigned(taken), ..next },
        };
    }
    if next == at {
        return None;
    }
    let area = Rect { height: u16::try_from(rows).unwrap_or(PAGE), ..area };
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, state.theme.text);
    if rows > 0 {
        transcript::draw_from(model, state, area, at, &mut Seen::default(), &mut buffer);
    }
    if model.look.ascii {
        ascii::replace(&mut buffer);
    }
    state.end();
    Some((buffer, next))
}

/// What is drawn again and again.
#[derive(Debug)]
pub struct Live {
    /// As high as it needs to be, and no higher than the screen.
    pub buffer: Buffer,
    pub cursor: Option<Position>,
    pub seen: Seen,
}

/// The rows from `from` on, or as many of the last as there is room for, and everything below them.
pub fn live(model: &Model, state: &mut State, screen: Rect, from: Anchor) -> Live {
    state.begin(model);
    let made = make(model, state, screen);
    let mut seen = Seen { width: screen.width, height: screen.height, ..Seen::default() };
    seen.prompt = made.columns;
    let Some(mut areas) = layout::areas(screen, made.wanted) else {
        let area = Rect { height: screen.height.min(3), ..screen };
        let mut buffer = Buffer::empty(area);
        seen.too_small = true;
        let cursor = too_small(state, area, &mut buffer);
        return Live { buffer, cursor, seen };
    };
    state.begin_transcript(model, measure(areas.transcript));
    let rows = match model.transcript.is_empty() {
        true => usize::from(WELCOME),
        false => rows(model, state, from, usize::from(areas.transcript.height)),
    };
    let room = areas.transcript.height;
    // A blank row parts what is finished from the prompt.
    let high = u16::try_from(rows).unwrap_or(u16::MAX).clamp(1, room.max(1));
    pull_up(&mut areas, room.saturating_sub(high));
    let area = Rect { height: screen.height - room.saturating_sub(high), ..screen };
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, state.theme.text);
    seen.at_end = true;
    seen.transcript = usize::from(areas.transcript.height);
    if model.transcript.is_empty() {
        welcome::draw(model, &state.theme, areas.transcript, &mut buffer);
    } else if rows > 0 {
        transcript::draw(model, state, areas.transcript, &mut seen, &mut buffer);
    }
    let cursor = below(model, state, &areas, made, &mut seen, &mut buffer);
    if model.look.ascii {
        ascii::replace(&mut buffer);
    }
    state.end();
    Live { buffer, cursor, seen }
}

/// Rows from `from` on, counted to `most`.
fn rows(model: &Model, state: &mut State, from: Anchor, most: usize) -> usize {
    let mut rows = 0;
    let mut skip = usize::try_from(from.row).unwrap_or(0);
    for index in from.entry..model.transcript.entries().len() {
        if rows >= most {
            break;
        }
        rows += transcript::height(model, state, index).saturating_sub(skip);
        skip = 0;
    }
    rows.min(most)
}

/// The transcript loses rows, and what is below it moves up.
fn pull_up(areas: &mut Areas, by: u16) {
    areas.transcript.height -= by.min(areas.transcript.height);
    for area in [
        &mut areas.activity,
        &mut areas.search,
        &mut areas.dialog,
        &mut areas.completions,
        &mut areas.notice,
        &mut areas.queue,
        &mut areas.prompt,
        &mut areas.status,
    ] {
        area.y = area.y.saturating_sub(by);
    }
}
