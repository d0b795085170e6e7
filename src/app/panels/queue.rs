//! The panel of what is queued: one message a line.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::queue;
use crate::protocol::Queued;

/// What the filter leaves, each with its place in the queue.
pub fn lines(model: &Model) -> Vec<(usize, &Queued)> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default().to_lowercase();
    let holds = |(_, queued): &(usize, &Queued)| queued.text.to_lowercase().contains(&query);
    model.queue.iter().enumerate().filter(holds).collect()
}

/// Takes the chosen one back into the prompt.
pub fn edit(model: &mut Model) -> Vec<Effect> {
    let Some(at) = chosen(model) else { return Vec::new() };
    model.panel = None;
    queue::edit(model, at)
}

pub fn drop_chosen(model: &mut Model) -> Vec<Effect> {
    let Some(at) = chosen(model) else { return Vec::new() };
    let effects = queue::delete(model, at);
    let last = lines(model).len().saturating_sub(1);
    if let Some(panel) = &mut model.panel {
        panel.at = panel.at.min(last);
    }
    effects
}

fn chosen(model: &Model) -> Option<usize> {
    let at = model.panel.as_ref()?.at;
    lines(model).get(at).map(|(index, _)| *index)
}
