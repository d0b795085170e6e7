//! Who gets which rows and columns.

use ratatui::layout::Rect;

use crate::app::model::DiffStyle as Wish;
use crate::view::diff::DiffStyle;

/// Below this, the screen only says that it is too small.
pub const LEAST: (u16, u16) = (30, 8);

/// From this width on, a panel stands beside the transcript instead of over it.
const BESIDE: u16 = 150;

/// Columns from which on a diff stands side by side.
const SPLIT: u16 = 130;

/// Columns of text at most, without the gutter.
pub const MEASURE: u16 = 100;

/// The gutter: margin, mark, blank.
pub const GUTTER: u16 = 4;

/// Rows that the parts want; the transcript gets what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Rows of the prompt's text.
    pub prompt: u16,
    pub completions: u16,
    /// Rows of what waits for trust.
    pub notice: u16,
    /// Rows of what is queued.
    pub queue: u16,
    /// Rows of the dialog with its frame; 0: there is none; the most there can be: all of them.
    pub dialog: u16,
    /// A panel is open.
    pub panel: bool,
    /// A line for the search.
    pub search: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    pub transcript: Rect,
    /// One row: what goes on, or a remark.
    pub activity: Rect,
    pub search: Rect,
    pub dialog: Rect,
    pub completions: Rect,
    pub notice: Rect,
    pub queue: Rect,
    pub prompt: Rect,
    pub status: Rect,
    pub panel: Rect,
}

/// `None`: there is not enough room for anything.
pub fn areas(area: Rect, wanted: Wanted) -> Option<Areas> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let mut bottom = area.bottom();
    let mut take = |rows: u16| {
        bottom -= rows;
        Rect { y: bottom, height: rows, ..area }
    };
    let status = take(1);
    let prompt = take(wanted.prompt.clamp(1, (area.height / 3).max(1)));
    let above = area.height - 1 - prompt.height;
    // A dialog leaves a few rows of what led to it, where there are enough.
    let most = if area.height >= 20 { above.saturating_sub(4) } else { above.saturating_sub(1) };
    let most = if wanted.dialog == u16::MAX { above } else { most };
    let dialog = take(wanted.dialog.min(most));
    let above = above - dialog.height;
    let notice = take(wanted.notice.min(above.saturating_sub(3)));
    let above = above - notice.height;
    let queue = take(wanted.queue.min(above.saturating_sub(3)));
    let above = above - queue.height;
    let completions = take(wanted.completions.min(above.saturating_sub(3)));
    let search = take(u16::from(wanted.search && above > 4));
    let activity = take(u16::from(above - completions.height > 1));
    let transcript = Rect { height: bottom - area.y, ..area };
    let mut areas = Areas {
        transcript,
        activity,
        search,
        dialog,
        completions,
        notice,
        queue,
        prompt,
        status,
        panel: Rect::default(),
    };
    if wanted.panel {
        if area.width >= BESIDE {
            let left = (area.width / 2).max(area.width.saturating_sub(120)).min(MEASURE + 8);
            areas.panel = Rect { x: area.x + left, width: area.width - left, ..transcript };
            areas.transcript.width = left;
        } else {
            areas.panel = transcript;
        }
    }
    Some(areas)
}

/// Columns that text has in an area: neither more than can be read in one sweep, nor so many that
/// it touches the edge.
pub fn measure(area: Rect) -> u16 {
    area.width.saturating_sub(GUTTER + 2).clamp(1, MEASURE)
}

/// Side by side where the person wants it, or where there is room for it.
pub fn diff_style(wanted: Wish, width: u16) -> DiffStyle {
    match wanted {
        Wish::Split => DiffStyle::Split,
        Wish::Auto if width >= SPLIT => DiffStyle::Split,
        Wish::Auto | Wish::Unified => DiffStyle::Unified,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_never_overlap_and_fill_the_height(
            width in 0u16..300, height in 0u16..100, prompt in 0u16..200,
            completions in 0u16..20, queue in 0u16..5, notice in 0u16..9, dialog in 0u16..200,
            panel: bool, search: bool,
        ) {
            let area = Rect::new(0, 0, width, height);
            let wanted = Wanted { prompt, completions, queue, notice, dialog, panel, search };
            let Some(areas) = areas(area, wanted) else {
                prop_assert!(width < LEAST.0 || height < LEAST.1);
                return Ok(());
            };
            let parts = [
                areas.transcript, areas.activity, areas.search, areas.completions, areas.notice,
                areas.queue,
                areas.dialog, areas.prompt, areas.status,
            ];
            prop_assert_eq!(parts.iter().map(|part| part.height).sum::<u16>(), height);
            let mut shown: Vec<Rect> = parts.into_iter().filter(|part| part.height > 0).collect();
            shown.sort_by_key(|part| part.y);
            for pair in shown.windows(2) {
                prop_assert_eq!(pair[0].bottom(), pair[1].y);
            }
            prop_assert!(areas.prompt.height >= 1 && areas.status.height == 1);
        }
    }
}
