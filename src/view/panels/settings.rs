//! The settings panel: a setting a row, and below what the chosen one means.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::settings::{Layer, SettingRow, Settings, lines};
use crate::app::scroll::Inner;
use crate::text::{clip, width};
use crate::view::entry::plain;
use crate::view::panels::{Draw, list};

/// Rows for the meaning of the chosen setting.
const MEANING: u16 = 4;

pub fn draw(draw: &Draw<'_>, settings: &Settings, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let rows = lines(draw.model);
    if rows.is_empty() {
        let text = if settings.loaded { "no setting like that" } else { "looking" };
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    }
    let columns = usize::from(area.width);
    let below = if area.height > 2 * MEANING { MEANING } else { 0 };
    let above = Rect { height: area.height - below, ..area };
    let names = rows.iter().map(|row| width(&row.name)).max().unwrap_or_default();
    let shown = rows.iter().enumerate().map(|(at, row)| line(draw, row, at, names, columns));
    let inner = list(&shown.collect::<Vec<_>>(), draw.panel.at, theme, above, buf);
    let Some(chosen) = rows.get(draw.panel.at).filter(|_| below > 0) else { return inner };
    let mut meaning = plain(&meaning(chosen), columns.max(1), theme.text);
    if let Some(editing) = &settings.editing {
        let file = match editing.layer {
            Layer::User => "your own file",
            Layer::Project => ".tern/config.toml of this project",
        };
        meaning = vec![Line::styled(format!("= {} in {file}", editing.name), theme.accent)];
    }
    let top = area.bottom() - below + 1;
    for (y, line) in (top..area.bottom()).zip(meaning) {
        buf.set_line(area.x, y, &line, area.width);
    }
    inner
}

fn meaning(row: &SettingRow) -> String {
    let choices = match row.choices.as_slice() {
        [] => String::new(),
        choices => format!(" One of {}.", choices.join(", ")),
    };
    let when = if row.live { "Counts at once." } else { "Counts from the next start." };
    let who = if row.project { "" } else { " Only in your own file." };
    format!("{}.{choices} {when}{who}", row.doc)
}

fn line(
    draw: &Draw<'_>,
    row: &SettingRow,
    at: usize,
    names: usize,
    columns: usize,
) -> Line<'static> {
    let theme = &draw.state.theme;
    let chosen = at == draw.panel.at;
    let mark = if chosen { draw.state.marks(draw.model).chosen } else { " " };
    let room = columns.saturating_sub(names + 4);
    let origin = clip::start(&row.origin, room / 2).into_owned();
    let value = if row.value.is_empty() { "unset" } else { &row.value };
    let left = room.saturating_sub(width(&origin) + 2);
    let value = clip::end(value, left).into_owned();
    let pad = " ".repeat(left.saturating_sub(width(&value)) + 2);
    let gap = " ".repeat(names - width(&row.name) + 2);
    let style = match (row.value.is_empty(), chosen) {
        (true, _) => theme.faint,
        (false, true) => theme.strong,
        (false, false) => theme.text,
    };
    Line::from(vec![
        Span::styled(format!("{mark} "), theme.accent),
        Span::styled(row.name.clone(), theme.text),
        Span::raw(gap),
        Span::styled(value, style),
        Span::raw(pad),
        Span::styled(origin, theme.faint),
    ])
}
