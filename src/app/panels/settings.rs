//! The settings panel: each setting with its value, where that comes from and what it means; one is
//! changed for all projects or for this one.

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, open as open_panel};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    pub rows: Vec<SettingRow>,
    pub loaded: bool,
    /// The value that is being written, while the filter's line has it.
    pub editing: Option<Editing>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    pub name: String,
    /// As in a file; empty: unset.
    pub value: String,
    /// `config.toml:14`, or what set it.
    pub origin: String,
    pub doc: String,
    /// Values that it can have, where they can be listed.
    pub choices: Vec<String>,
    /// What is written adds to the list that there is.
    pub adds: bool,
    /// A file of the project may set it.
    pub project: bool,
    /// A change counts at once.
    pub live: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editing {
    pub name: String,
    pub layer: Layer,
    /// What the list was filtered by.
    filter: String,
}

/// The file that a change goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    User,
    Project,
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    open_panel(model, Kind::Settings(Settings::default()));
    vec![Effect::ListSettings]
}

pub fn listed(model: &mut Model, rows: Vec<SettingRow>) {
    let Some(settings) = settings(model) else { return };
    settings.loaded = true;
    let safe = |row: SettingRow| SettingRow {
        value: clean::line(&row.value),
        origin: clean::line(&row.origin),
        ..row
    };
    settings.rows = rows.into_iter().map(safe).collect();
}

fn settings(model: &mut Model) -> Option<&mut Settings> {
    match &mut model.panel {
        Some(Panel { kind: Kind::Settings(settings), .. }) => Some(settings),
        _ => None,
    }
}

/// Those that the filter leaves, by name, value or meaning.
pub fn lines(model: &Model) -> Vec<&SettingRow> {
    let Some(Panel { kind: Kind::Settings(settings), filter, .. }) = &model.panel else {
        return Vec::new();
    };
    let query = match &settings.editing {
        Some(editing) => editing.filter.to_lowercase(),
        None => filter.text().trim().to_lowercase(),
    };
    let fits = |row: &&SettingRow| {
        [&row.name, &row.value, &row.doc].iter().any(|text| text.to_lowercase().contains(&query))
    };
    settings.rows.iter().filter(fits).collect()
}

pub fn is_editing(panel: &Panel) -> bool {
    matches!(&panel.kind, Kind::Settings(settings) if settings.editing.is_some())
}

/// Enter, or `P` for the project: the value stands in the line of the filter, to be changed. One of
/// two or more that can be listed goes on to the next instead.
pub fn change(model: &mut Model, layer: Layer) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let Some(row) = lines(model).get(at).map(|row| (*row).clone()) else { return Vec::new() };
    if layer == Layer::Project && !row.project {
        model.say("a file of the project may not set this");
        return Vec::new();
    }
    if !row.choices.is_empty() {
        let now = row.value.trim_matches('"');
        let next = row.choices.iter().position(|choice| choice == now).map_or(0, |at| at + 1);
        let value = row.choices[next % row.choices.len()].clone();
        return vec![Effect::SaveSetting { name: row.name, value, layer }];
    }
    let Some(panel) = &mut model.panel else { return Vec::new() };
    let filter = panel.filter.text();
    panel.filter.set(if row.adds { "" } else { row.value.trim_matches('"') });
    panel.filtering = true;
    if let Some(settings) = settings(model) {
        settings.editing = Some(Editing { name: row.name, layer, filter });
    }
    Vec::new()
}

/// Enter in the value. `None`: it was the filter that was being written.
pub fn accepted(model: &mut Model) -> Option<Vec<Effect>> {
    let value = model.panel.as_ref()?.query();
    let Editing { name, layer, .. } = back(model)?;
    Some(vec![Effect::SaveSetting { name, value, layer }])
}

/// The filter is the filter again. `None`: it was already.
pub fn back(model: &mut Model) -> Option<Editing> {
    let editing = settings(model)?.editing.take()?;
    let panel = model.panel.as_mut()?;
    panel.filter.set(&editing.filter);
    panel.filtering = false;
    Some(editing)
}

/// Kept, or not; the list is read anew.
pub fn saved(model: &mut Model, done: &Result<String, String>) -> Vec<Effect> {
    match done {
        Ok(text) => model.say(&clean::line(text)),
        Err(problem) => model.warn(problem),
    }
    settings(model).map(|_| Effect::ListSettings).into_iter().collect()
}
