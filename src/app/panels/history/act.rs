//! What the history panel does with the chosen session: rename, fork, export, delete.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::history::{chosen, state};
use crate::app::panels::{Kind, Panel};
use crate::protocol::{Command, SessionId};

/// A change of a session that is not the one that is open, or a document made of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Rename(String),
    Delete,
    Export(Form),
}

/// Where and how a session is written as a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A Markdown file beside the work, named after the session.
    Markdown,
    Html,
    /// This file; its ending says which form.
    File(String),
}

/// What the keys of the panel are for, besides the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Asking {
    #[default]
    Nothing,
    /// The filter's line is a new title; the filter comes back afterwards.
    Title { id: SessionId, filter: String },
    /// Whether to delete it.
    Delete { id: SessionId, title: String },
}

pub fn rename(model: &mut Model) {
    let Some((id, title)) = chosen(model).map(|row| (row.id.clone(), row.title.clone())) else {
        return;
    };
    let Some(panel) = &mut model.panel else { return };
    let filter = panel.filter.text();
    panel.filter.set(&title);
    panel.filtering = true;
    if let Kind::History(history) = &mut panel.kind {
        history.asking = Asking::Title { id, filter };
    }
}

/// Enter in the title. `None`: it was the filter that was being written.
pub fn renamed(model: &mut Model) -> Option<Vec<Effect>> {
    let title = model.panel.as_ref()?.query();
    let id = back_from_title(model)?;
    Some(match title.is_empty() {
        true => Vec::new(),
        false if model.session.id.as_ref() == Some(&id) => {
            vec![Effect::Send(Command::Rename { title })]
        }
        false => vec![Effect::ChangeSession { id, change: Change::Rename(title) }],
    })
}

/// The filter is the filter again. `None`: it was already.
pub fn back_from_title(model: &mut Model) -> Option<SessionId> {
    let Asking::Title { id, filter } = std::mem::take(&mut state(model)?.asking) else {
        return None;
    };
    let panel = model.panel.as_mut()?;
    panel.filter.set(&filter);
    panel.filtering = false;
    Some(id)
}

pub fn fork(model: &mut Model) -> Vec<Effect> {
    let Some(session) = chosen(model).map(|row| row.id.clone()) else { return Vec::new() };
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    model.panel = None;
    vec![Effect::Send(Command::Fork { session: Some(session) })]
}

pub fn export(model: &mut Model, form: Form) -> Vec<Effect> {
    let Some(id) = chosen(model).map(|row| row.id.clone()) else { return Vec::new() };
    vec![Effect::ChangeSession { id, change: Change::Export(form) }]
}

/// Asks first.
pub fn delete(model: &mut Model) {
    let Some((id, title)) = chosen(model).map(|row| (row.id.clone(), row.title.clone())) else {
        return;
    };
    if model.session.id.as_ref() == Some(&id) {
        return model.say("this session is open");
    }
    if let Some(history) = state(model) {
        history.asking = Asking::Delete { id, title };
    }
}

/// Yes to what is asked.
pub fn yes(model: &mut Model) -> Vec<Effect> {
    let asking = state(model).map(|history| std::mem::take(&mut history.asking));
    match asking {
        Some(Asking::Delete { id, .. }) => {
            vec![Effect::ChangeSession { id, change: Change::Delete }]
        }
        Some(Asking::Title { .. } | Asking::Nothing) | None => Vec::new(),
    }
}

/// No: true where there was a question.
pub fn no(model: &mut Model) -> bool {
    let asked = is_asked(model.panel.as_ref());
    if asked && let Some(history) = state(model) {
        history.asking = Asking::Nothing;
    }
    asked
}

pub fn is_asked(panel: Option<&Panel>) -> bool {
    matches!(
        panel.map(|panel| &panel.kind),
        Some(Kind::History(history)) if matches!(history.asking, Asking::Delete { .. })
    )
}
