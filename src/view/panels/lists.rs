//! The panels that choose one of a plain list: models, themes, what is queued.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::panels::memory::Memory;
use crate::app::panels::{
    busy, memory as app_memory, models as app_models, queue as app_queue, themes as app_themes,
};
use crate::app::scroll::Inner;
use crate::text::{clip, width};
use crate::view::panels::{Draw, list};

pub fn models(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let rows = app_models::lines(draw.model);
    if rows.is_empty() {
        let query = draw.panel.query();
        let text = if query.contains('/') {
            format!("no known model by that name; enter uses {query} as it stands")
        } else {
            "no known model by that name; PROVIDER/MODEL can be entered".to_owned()
        };
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    }
    let column = rows.iter().map(|row| width(&row.name)).max().unwrap_or_default();
    let lines = rows.into_iter().map(|row| {
        let using = row.name == draw.model.session.model;
        let style = if using { theme.strong } else { theme.text };
        let pad = " ".repeat(column - width(&row.name) + 3);
        Line::from(vec![
            Span::styled(mark(draw, using), theme.accent),
            Span::styled(row.name.clone(), style),
            Span::raw(pad),
            Span::styled(row.facts.clone(), theme.faint),
        ])
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}

pub fn busy(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let lines = busy::CHOICES.iter().enumerate().map(|(at, (name, means))| {
        let chosen = at == draw.panel.at;
        Line::from(vec![
            Span::styled(format!("{} ", if chosen { marks.chosen } else { " " }), theme.accent),
            Span::styled(format!("{name:<22}"), if chosen { theme.strong } else { theme.text }),
            Span::styled(*means, theme.faint),
        ])
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}

pub fn memory(draw: &Draw<'_>, memory: &Memory, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let rows = app_memory::lines(draw.model);
    if rows.is_empty() {
        let text = if memory.loaded { "no such file" } else { "looking for instruction files" };
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    }
    let columns = usize::from(area.width);
    let lines = rows.into_iter().enumerate().map(|(at, row)| {
        let chosen = at == draw.panel.at;
        let size = match (row.bytes, row.cut) {
            (None, _) => "not there yet".to_owned(),
            (Some(bytes), false) => format!("{:.1} KiB", bytes as f64 / 1024.0),
            (Some(bytes), true) => format!("the first {} KiB", bytes / 1024),
        };
        let imported = if row.imported { "imported, " } else { "" };
        let facts = format!("{imported}{} {} {size}", row.scope, marks.dot);
        let room = columns.saturating_sub(width(&facts) + 4);
        let name = clip::path(&row.name, room).into_owned();
        let pad = " ".repeat(room.saturating_sub(width(&name)) + 1);
        let style = match (chosen, row.bytes) {
            (true, _) => theme.strong,
            (false, Some(_)) => theme.text,
            (false, None) => theme.faint,
        };
        Line::from(vec![
            Span::styled(format!("{} ", if chosen { marks.chosen } else { " " }), theme.accent),
            Span::styled(name, style),
            Span::raw(pad),
            Span::styled(facts, theme.faint),
        ])
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}

pub fn themes(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let lines = app_themes::lines(draw.model).into_iter().map(|name| {
        let using = name == draw.model.look.theme;
        let style = if using { theme.strong } else { theme.text };
        Line::from(vec![Span::styled(mark(draw, using), theme.accent), Span::styled(name, style)])
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}

pub fn queue(draw: &Draw<'_>, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = &draw.state.theme;
    let found = app_queue::lines(draw.model);
    if found.is_empty() {
        let line = Line::styled("nothing is queued", theme.faint);
        buf.set_line(area.x, area.y, &line, area.width);
        return Inner::default();
    }
    let columns = usize::from(area.width).saturating_sub(4);
    let lines = found.into_iter().map(|(index, queued)| {
        let text = queued.text.replace('\n', " ");
        Line::from(vec![
            Span::styled(format!("{:>2}  ", index + 1), theme.faint),
            Span::styled(clip::end(&text, columns).into_owned(), theme.text),
        ])
    });
    list(&lines.collect::<Vec<_>>(), draw.panel.at, theme, area, buf)
}

fn mark(draw: &Draw<'_>, using: bool) -> String {
    let mark = draw.state.marks(draw.model).done;
    if using { format!("{mark} ") } else { "  ".to_owned() }
}
