//! Settings for the screen: each as it stands, and changes of them.

use crate::app::panels::settings::{Layer, SettingRow};
use crate::cli::Env;
use crate::cli::config::{may_stand_in, place};
use crate::config::layer::{Inputs, Loaded, load};
use crate::config::table::{Project, SETTINGS, Setting};
use crate::config::value::{Kind, toml_text};
use crate::config::write;
use crate::protocol::Mode;

/// Settings of one name each, in the order of the table, but for those that nobody here may set.
pub fn list(env: &Env, trusted: bool) -> Vec<SettingRow> {
    let inputs = Inputs { trusted, ..inputs(env) };
    let (loaded, _) = load(&inputs);
    let shown = |setting: &&Setting| {
        setting.project != Project::Managed
            && !setting.name.contains('*')
            && !matches!(setting.kind, Kind::Secret | Kind::Hooks | Kind::Raw | Kind::Unused)
    };
    SETTINGS.iter().filter(shown).map(|setting| row(setting, &loaded)).collect()
}

pub fn save(env: &Env, name: &str, value: &str, layer: Layer) -> Result<String, String> {
    let inputs = inputs(env);
    let (file, own) = match layer {
        Layer::User => (env.dirs.user_file(), true),
        Layer::Project => (inputs.project_root.join(".tern/config.toml"), false),
    };
    let (_, setting) = write::resolve(name).map_err(|error| error.to_string())?;
    may_stand_in(&file, own, name, setting).map_err(|error| error.to_string())?;
    match value {
        "" => write::unset(&file, name),
        value => write::set(&file, name, value),
    }
    .map_err(|error| error.to_string())?;
    let when = if is_live(name) { "" } else { ", from the next start" };
    Ok(format!("{name} kept in {}{when}", file.display()))
}

fn inputs(env: &Env) -> Inputs {
    Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone())
}

/// Whether a running session takes it over as soon as the file is saved.
fn is_live(name: &str) -> bool {
    matches!(name, "ui.theme" | "ui.keymap" | "ui.diff" | "ui.reduced-motion" | "ui.ascii")
}

fn row(setting: &Setting, loaded: &Loaded) -> SettingRow {
    let path: Vec<&str> = setting.name.split('.').collect();
    let values = loaded.origins.all(&path);
    let texts: Vec<String> = values.iter().map(|entry| toml_text(&entry.value)).collect();
    let adds = setting.kind == Kind::Adds;
    let (value, origin) = match (values.last(), adds) {
        (None, _) => (setting.default.to_owned(), String::new()),
        (Some(last), false) => (toml_text(&last.value), place(last)),
        (Some(last), true) => (texts.join(", "), place(last)),
    };
    let choices: Vec<String> = match setting.kind {
        Kind::Choice(names) => names.iter().map(|name| (*name).to_owned()).collect(),
        Kind::Flag => vec!["true".to_owned(), "false".to_owned()],
        Kind::Mode => Mode::ALL.iter().map(|mode| mode.name().to_owned()).collect(),
        _ => Vec::new(),
    };
    SettingRow {
        name: setting.name.to_owned(),
        value,
        origin,
        doc: setting.doc.to_owned(),
        choices,
        adds,
        project: matches!(setting.project, Project::Sets | Project::Lowers),
        live: is_live(setting.name),
    }
}
