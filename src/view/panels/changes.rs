//! The changes panel: files at the left or above, the chosen one's diff beside or below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::changes::Change;
use crate::app::panels::changes::lines;
use crate::app::scroll::Inner;
use crate::text::{clip, width};
use crate::view::diff::{self, How};
use crate::view::layout::diff_style;
use crate::view::panels::{Draw, list};

/// From this width on the diff stands beside the files.
const WIDE: u16 = 100;
const FILES: u16 = 34;

pub fn draw(draw: &mut Draw<'_>, hunk: usize, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = std::rc::Rc::clone(&draw.state.theme);
    let changes = lines(draw.model);
    let Some(change) = changes.get(draw.panel.at) else {
        let text = "no file was changed in this session";
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    };
    let (files, below) = if area.width >= WIDE {
        let left = Rect { width: FILES, ..area };
        (left, Rect { x: area.x + FILES + 2, width: area.width - FILES - 2, ..area })
    } else {
        let rows = u16::try_from(changes.len()).unwrap_or(u16::MAX).min(area.height / 3).max(1);
        let rest = area.height.saturating_sub(rows + 1);
        (Rect { height: rows, ..area }, Rect { y: area.y + rows + 1, height: rest, ..area })
    };
    let rows = changes.iter().map(|change| file_line(draw, change, usize::from(files.width)));
    let inner = list(&rows.collect::<Vec<_>>(), draw.panel.at, &theme, files, buf);
    let mut rows = Vec::new();
    let mut starts = Vec::new();
    for hunks in &change.edits {
        if !rows.is_empty() {
            rows.push(Line::default());
        }
        let style = diff_style(draw.model.look.diff, below.width);
        let how = How { width: below.width, style, marks: None };
        let colours = &mut draw.state.cache.colours;
        let drawn = diff::draw(change.path, hunks, &how, &theme, colours);
        starts.extend(drawn.starts.iter().map(|start| start + rows.len()));
        rows.extend(drawn.rows);
    }
    let top = starts.get(hunk).copied().unwrap_or(0);
    let top = if hunk == 0 { 0 } else { top };
    for (y, row) in (below.y..below.bottom()).zip(rows.iter().skip(top)) {
        buf.set_line(below.x, y, row, below.width);
    }
    inner
}

fn file_line(draw: &Draw<'_>, change: &Change<'_>, columns: usize) -> Line<'static> {
    let theme = &draw.state.theme;
    let minus = draw.state.marks(draw.model).minus;
    let counts = format!("+{} {minus}{}", change.added, change.removed);
    let room = columns.saturating_sub(width(&counts) + 2);
    let path = clip::path(change.path, room).into_owned();
    let pad = " ".repeat(columns.saturating_sub(width(&path) + width(&counts) + 1));
    Line::from(vec![
        Span::styled(path, if change.new_file { theme.added } else { theme.text }),
        Span::raw(pad),
        Span::styled(format!("+{}", change.added), theme.added),
        Span::styled(format!(" {minus}{}", change.removed), theme.removed),
    ])
}
