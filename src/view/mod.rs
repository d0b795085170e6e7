//! Drawing: from the app's model to a frame.
//!
//! [`draw`] reads the model and never changes it. What is costly to make (wrapped rows, parsed
//! Markdown, coloured code) is kept in [`State`], so that a frame costs what is on the screen and
//! not what the session holds. [`Seen`] tells the app where everything came out.

mod activity;
mod ascii;
mod budget;
pub mod cache;
mod call;
pub mod code;
mod confirm;
mod dialog;
pub mod diff;
mod entry;
mod field;
mod frame;
pub mod front;
mod group;
mod inquiry;
mod layout;
pub mod links;
pub mod live;
pub mod markdown;
mod marks;
mod panels;
mod picture;
mod prompt;
mod queue;
mod rows;
pub mod selection;
mod start;
mod state;
mod status;
pub mod stream;
pub mod theme;
mod transcript;
mod trust;
mod welcome;
mod which_key;
mod words;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::Model;
use crate::app::edit::Row;
use crate::app::scroll::Seen;
use crate::view::layout::{Areas, Wanted};
pub use crate::view::state::{State, Work};
pub use panels::origin;
pub use words::tokens;

/// Draws the screen.
pub fn draw(model: &Model, state: &mut State, frame: &mut Frame<'_>) -> Seen {
    let area = frame.area();
    let (seen, cursor) = render(model, state, area, frame.buffer_mut());
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    seen
}

/// The same into a buffer, for whoever has no terminal. The second value is the cursor's place.
pub fn render(
    model: &Model,
    state: &mut State,
    area: Rect,
    buf: &mut Buffer,
) -> (Seen, Option<Position>) {
    state.begin(model);
    let drawn = parts(model, state, area, buf);
    if model.look.ascii {
        ascii::replace(buf);
    }
    state.end();
    drawn
}

fn parts(
    model: &Model,
    state: &mut State,
    area: Rect,
    buf: &mut Buffer,
) -> (Seen, Option<Position>) {
    let theme = state.theme.clone();
    let marks = state.marks(model);
    buf.set_style(area, theme.page.patch(theme.text));
    let mut seen = Seen { width: area.width, height: area.height, ..Seen::default() };
    if let Some(start) = &model.start {
        let cursor = match layout::areas(area, Wanted::default()) {
            Some(_) => start::draw(model, start, &theme, marks, area, buf),
            None => {
                seen.too_small = true;
                too_small(state, area, buf)
            }
        };
        return (seen, cursor);
    }
    let made = make(model, state, area);
    seen.prompt = made.columns;
    let Some(areas) = layout::areas(area, made.wanted) else {
        seen.too_small = true;
        return (seen, too_small(state, area, buf));
    };
    let covered = areas.panel == areas.transcript && model.panel.is_some();
    if covered {
        // Nobody scrolls what a panel covers: it stays where it was.
        seen.top = model.seen.top;
        seen.at_end = model.seen.at_end;
        seen.transcript = model.seen.transcript;
    } else if model.transcript.is_empty() {
        welcome::draw(model, &theme, areas.transcript, buf);
        seen.at_end = true;
    } else {
        transcript::draw(model, state, areas.transcript, &mut seen, buf);
    }
    let cursor = below(model, state, &areas, made, &mut seen, buf);
    which_key::draw(model, &theme, marks, Rect { width: area.width, ..areas.transcript }, buf);
    (seen, cursor)
}

/// What is made before it is known where it stands.
#[derive(Debug)]
struct Made {
    /// Columns of the prompt's text, and its rows.
    columns: usize,
    prompt: Vec<Row>,
    dialog: Option<dialog::Prepared>,
    wanted: Wanted,
}

fn make(model: &Model, state: &mut State, area: Rect) -> Made {
    let columns = prompt::text_columns(area.width);
    let prompt = prompt::rows(model, columns);
    let dialog = dialog::prepare(model, state, area);
    let wanted = Wanted {
        prompt: u16::try_from(prompt.len()).unwrap_or(u16::MAX),
        completions: prompt::completion_rows(model),
        notice: trust::notice_rows(model, area.height),
        queue: queue::rows(model),
        dialog: dialog.as_ref().map_or(0, dialog::Prepared::height),
        panel: model.panel.is_some(),
        search: model.search.is_some(),
    };
    Made { columns, prompt, dialog, wanted }
}

/// Everything but the transcript.
fn below(
    model: &Model,
    state: &mut State,
    areas: &Areas,
    made: Made,
    seen: &mut Seen,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = state.theme.clone();
    let marks = state.marks(model);
    activity::draw(model, seen, &theme, marks, areas.activity, buf);
    let mut cursor = None;
    if areas.panel.height > 0 {
        let drawn = panels::draw(model, state, areas.panel, buf);
        seen.inner = drawn.inner;
        cursor = drawn.cursor;
    }
    if areas.search.height > 0 {
        cursor = search(model, state, areas.search, buf).or(cursor);
    }
    if let Some(dialog) = made.dialog {
        let drawn = dialog::draw(model, state, &dialog, areas.dialog, buf);
        seen.inner = drawn.inner;
        cursor = drawn.cursor.or(cursor);
    }
    trust::notice(model, &theme, marks, areas.notice, buf);
    prompt::completions(model, &theme, marks, areas.completions, buf);
    queue::draw(model, &theme, marks, areas.queue, buf);
    let at_prompt = prompt::draw(model, &made.prompt, &theme, marks, areas.prompt, buf);
    status::draw(model, &theme, marks, areas.status, buf);
    let writes =
        matches!(model.focus(), crate::app::Focus::Prompt | crate::app::Focus::HistorySearch);
    cursor.or(writes.then_some(at_prompt))
}

fn too_small(state: &State, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let text = ["too small for tern", "make the window", "larger"];
    for (y, line) in (area.y..area.bottom()).zip(text) {
        buf.set_stringn(area.x, y, line, usize::from(area.width), state.theme.text);
    }
    None
}

/// The line of the search in the transcript.
fn search(model: &Model, state: &State, area: Rect, buf: &mut Buffer) -> Option<Position> {
    use ratatui::text::{Line, Span};

    let search = model.search.as_ref()?;
    let theme = &state.theme;
    let text = search.field.text();
    let count = match (search.hits.len(), text.is_empty()) {
        (_, true) => String::new(),
        (0, _) => "nothing found".to_owned(),
        (n, _) => format!("{} of {n}", search.at + 1),
    };
    let line = Line::from(vec![
        Span::styled("  / ", theme.accent),
        Span::styled(text.clone(), theme.strong),
        Span::styled(format!("   {count}"), theme.faint),
        Span::styled("   ⏎ above · ↓ below · esc", theme.faint),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
    let column = crate::app::edit::columns(&text, 0, search.field.cursor().column);
    let x = area.x + 4 + u16::try_from(column).unwrap_or(u16::MAX / 2);
    search.typing.then_some(Position { x: x.min(area.right().saturating_sub(1)), y: area.y })
}
