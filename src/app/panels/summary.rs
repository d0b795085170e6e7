//! The panel of a summary that is not in use yet: it is read, changed in the editor, used or
//! discarded.

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::{Activity, Model};
use crate::app::panels::{Kind, Panel, open as open_panel};
use crate::protocol::{Command, RequestId};

#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub request: RequestId,
    /// Tokens now, and with the summary as it came.
    pub before: u64,
    pub after: u64,
    /// As it goes to the model.
    text: String,
    /// The same, safe to draw.
    pub shown: String,
    pub changed: bool,
}

pub fn drafted(model: &mut Model, request: RequestId, (before, after): (u64, u64), text: String) {
    let shown = clean::prose(&text);
    model.activity = Activity::Idle;
    let draft = Draft { request, before, after, text, shown, changed: false };
    open_panel(model, Kind::Summary(draft));
}

fn draft(model: &mut Model) -> Option<&mut Draft> {
    match &mut model.panel {
        Some(Panel { kind: Kind::Summary(draft), .. }) => Some(draft),
        _ => None,
    }
}

/// Enter.
pub fn use_it(model: &mut Model) -> Vec<Effect> {
    let Some(draft) = draft(model) else { return Vec::new() };
    let (request, summary) = (draft.request, Some(std::mem::take(&mut draft.text)));
    model.panel = None;
    vec![Effect::Send(Command::UseSummary { request, summary })]
}

pub fn edit(model: &mut Model) -> Vec<Effect> {
    draft(model).map(|draft| Effect::OpenEditor(draft.text.clone())).into_iter().collect()
}

/// Back from the editor; false if no summary is shown.
pub fn edited(model: &mut Model, text: &Result<String, String>) -> bool {
    let Some(draft) = draft(model) else { return false };
    match text {
        Ok(text) => {
            draft.changed |= *text != draft.text;
            draft.shown = clean::prose(text);
            draft.text.clone_from(text);
        }
        Err(problem) => model.warn(problem),
    }
    true
}

/// Esc, and whatever else takes the panel away.
pub fn discard(model: &mut Model) -> Vec<Effect> {
    let Some(draft) = draft(model) else { return Vec::new() };
    let request = draft.request;
    model.panel = None;
    model.say("discarded; the conversation is as it was");
    vec![Effect::Send(Command::UseSummary { request, summary: None })]
}
