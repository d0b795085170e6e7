//! Themes as written.
//!
//! ```toml
//! inherits = "dark"          # everything not said here is as there
//! kind = "dark"              # or "light": which terminal it is for
//! background = "ground"      # what text is read on
//!
//! [palette]                  # names for colours; those of the inherited theme can be changed
//! ground = "#101216"
//! blue = "#7fb4f5"
//!
//! [styles]                   # [bold] [italic] .. [colour] [on colour]
//! accent = "blue"
//! heading = "bold blue"
//! selection = "on #26324a"
//! ```
//!
//! A colour is a name of the palette, `#rrggbb`, a number of the terminal's table of 256, one of
//! its sixteen by name (`red`, `light-red`), or `default`.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use crate::view::theme::{Library, Problem, Theme};

/// Themes that inherit from each other more often than this inherit from themselves.
const DEEPEST: usize = 8;

/// What a file says, the inherited file's saying under it.
#[derive(Debug, Default)]
struct Sayings {
    kind: Option<String>,
    background: Option<String>,
    palette: BTreeMap<String, String>,
    styles: BTreeMap<String, String>,
}

pub(super) fn theme(name: &str, library: &Library) -> (Theme, Vec<Problem>) {
    let mut problems = Problems { theme: name.to_string(), found: Vec::new() };
    let mut sayings = Sayings::default();
    if library.has(name) {
        read(name, library, DEEPEST, &mut sayings, &mut problems);
    } else {
        let names = library.names().join(", ");
        problems.add(format!("there is no theme of this name; themes are {names}"));
        read("dark", library, DEEPEST, &mut sayings, &mut problems);
    }
    let mut theme = Theme::plain(name);
    theme.dark = sayings.kind.as_deref() != Some("light");
    if let Some(background) = &sayings.background {
        match colour(background, &sayings.palette) {
            Some(colour) => theme.background = colour,
            None => problems.add(format!("unknown colour {background:?} for the background")),
        }
    }
    let mut known = theme.styles();
    for (name, text) in &sayings.styles {
        match known.iter_mut().find(|(known, _)| known == name) {
            Some((_, style)) => match self::style(text, &sayings.palette) {
                Ok(read) => **style = read,
                Err(word) => problems.add(format!("{name} = {text:?}: unknown word {word:?}")),
            },
            None => problems.add(format!("unknown style {name:?}{}", nearest(name, &known))),
        }
    }
    (theme.finished(), problems.found)
}

/// Adds what the file says to what those that inherit from it said already.
fn read(name: &str, library: &Library, depth: usize, out: &mut Sayings, problems: &mut Problems) {
    let Some(text) = library.text(name) else {
        return problems.add(format!("inherits from {name:?}, which does not exist"));
    };
    let file: toml::Table = match text.parse() {
        Ok(file) => file,
        Err(error) => return problems.add(error.message().to_string()),
    };
    for (key, value) in &file {
        match (key.as_str(), value) {
            ("inherits", toml::Value::String(_)) => {}
            ("kind", toml::Value::String(kind)) if kind == "dark" || kind == "light" => {
                out.kind.get_or_insert_with(|| kind.clone());
            }
            ("kind", value) => problems.add(format!("kind is dark or light, not {value}")),
            ("background", toml::Value::String(colour)) => {
                out.background.get_or_insert_with(|| colour.clone());
            }
            ("palette", toml::Value::Table(table)) => add(table, &mut out.palette, problems),
            ("styles", toml::Value::Table(table)) => add(table, &mut out.styles, problems),
            (key, _) => problems.add(format!("unknown key or wrong type: {key}")),
        }
    }
    if let Some(toml::Value::String(parent)) = file.get("inherits") {
        // A theme that hides a built-in one may inherit from it.
        let hidden = Library::default();
        let library = if parent == name { &hidden } else { library };
        match depth {
            0 => problems.add(format!("inherits from itself by way of {parent:?}")),
            _ => read(parent, library, depth - 1, out, problems),
        }
    }
}

fn add(table: &toml::Table, out: &mut BTreeMap<String, String>, problems: &mut Problems) {
    for (key, value) in table {
        match value {
            toml::Value::String(text) => {
                out.entry(key.clone()).or_insert_with(|| text.clone());
            }
            other => problems.add(format!("{key} is a text in quotes, not {other}")),
        }
    }
}

/// A style from its words, or the word that means nothing.
fn style(text: &str, palette: &BTreeMap<String, String>) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let modifier = match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            "strike" => Modifier::CROSSED_OUT,
            "on" => {
                let word = words.next().unwrap_or("on");
                style.bg = Some(colour(word, palette).ok_or(word)?);
                continue;
            }
            _ => {
                style.fg = Some(colour(word, palette).ok_or(word)?);
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    Ok(style)
}

fn colour(word: &str, palette: &BTreeMap<String, String>) -> Option<Color> {
    match palette.get(word).map_or(word, String::as_str) {
        "default" => Some(Color::Reset),
        word => word.parse().ok(),
    }
}

fn nearest(name: &str, known: &[(&'static str, &mut Style)]) -> String {
    known
        .iter()
        .map(|(known, _)| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| format!("; did you mean {known:?}?"))
        .unwrap_or_default()
}

#[derive(Debug)]
struct Problems {
    theme: String,
    found: Vec<Problem>,
}

impl Problems {
    fn add(&mut self, message: String) {
        self.found.push(Problem { theme: self.theme.clone(), message });
    }
}
