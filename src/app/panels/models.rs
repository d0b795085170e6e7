//! The panel that chooses the model.

use crate::app::complete::ranked;
use crate::app::effect::{Effect, Setting};
use crate::app::model::{Model, ModelRow};
use crate::protocol::Command;

pub fn lines(model: &Model) -> Vec<&ModelRow> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default();
    let names = ranked(model.models.iter().map(|row| row.name.clone()), &query);
    names.iter().filter_map(|name| model.models.iter().find(|row| row.name == *name)).collect()
}

/// The chosen model, or the filter's text where nothing matches: any `PROVIDER/MODEL` can be used.
pub fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(panel) = &model.panel else { return Vec::new() };
    let chosen = lines(model).get(panel.at).map(|row| row.name.clone());
    let Some(name) = chosen.or_else(|| Some(panel.query()).filter(|name| name.contains('/')))
    else {
        return Vec::new();
    };
    model.panel = None;
    set(model, name)
}

pub fn set(model: &mut Model, name: String) -> Vec<Effect> {
    model.say(&format!("model {name}"));
    vec![
        Effect::Send(Command::SetModel { model: name.clone() }),
        Effect::Save(Setting::Model(name)),
    ]
}
