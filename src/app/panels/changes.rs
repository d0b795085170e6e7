//! The changes panel: files that this session has changed, with their diffs.

use crate::app::changes::{Change, of};
use crate::app::model::Model;
use crate::app::panels::Kind;

/// The files that the filter leaves.
pub fn lines(model: &Model) -> Vec<Change<'_>> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default().to_lowercase();
    let changes = of(&model.transcript);
    changes.into_iter().filter(|change| change.path.to_lowercase().contains(&query)).collect()
}

pub fn first_hunk(model: &mut Model) {
    if let Some(panel) = &mut model.panel
        && let Kind::Changes { hunk } = &mut panel.kind
    {
        *hunk = 0;
        panel.scroll = 0;
    }
}

pub fn step_hunk(model: &mut Model, down: bool) {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let count = lines(model)
        .get(at)
        .map_or(0, |change| change.edits.iter().map(|hunks| hunks.len()).sum::<usize>());
    if let Some(panel) = &mut model.panel
        && let Kind::Changes { hunk } = &mut panel.kind
    {
        let last = count.saturating_sub(1);
        *hunk = if down { (*hunk + 1).min(last) } else { hunk.saturating_sub(1) };
    }
}
