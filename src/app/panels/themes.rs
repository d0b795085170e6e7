//! The panel that chooses the theme, and shows each while it is chosen.

use crate::app::complete::ranked;
use crate::app::effect::{Effect, Setting};
use crate::app::model::Model;
use crate::app::panels::{Kind, open as open_panel};

pub fn open(model: &mut Model) {
    let before = model.look.theme.clone();
    let at = model.look.themes.iter().position(|name| *name == before).unwrap_or_default();
    open_panel(model, Kind::Themes { before });
    if let Some(panel) = &mut model.panel {
        panel.at = at;
    }
}

pub fn lines(model: &Model) -> Vec<String> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default();
    ranked(model.look.themes.iter().cloned(), &query)
}

/// Draws the screen in the chosen theme until the panel is left.
pub fn show(model: &mut Model) {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    if let Some(name) = lines(model).into_iter().nth(at) {
        model.look.theme = name;
    }
}

pub fn choose(model: &mut Model) -> Vec<Effect> {
    show(model);
    model.look.follows_terminal = false;
    model.panel = None;
    vec![Effect::Save(Setting::Theme(model.look.theme.clone()))]
}

/// `/theme NAME`
pub fn set(model: &mut Model, name: &str) -> Vec<Effect> {
    if !model.look.themes.iter().any(|known| known == name) {
        let names = model.look.themes.join(", ");
        model.say(&format!("unknown theme \"{name}\"; themes are {names}"));
        return Vec::new();
    }
    model.look.follows_terminal = false;
    name.clone_into(&mut model.look.theme);
    vec![Effect::Save(Setting::Theme(name.to_owned()))]
}
