//! The list that opens while a slash command is being written.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};

use crate::app::model::Model;
use crate::app::slash::COMMANDS;
use crate::protocol::Mode;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    pub items: Vec<Item>,
    pub at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub label: String,
    pub help: String,
    /// The prompt after taking the item over.
    pub text: String,
    /// False where an argument should follow.
    pub complete: bool,
}

const SHOWN: usize = 50;

/// After every change of the prompt.
pub fn refresh(model: &mut Model) {
    let text = model.prompt.editor.text();
    let items = match text.strip_prefix('/') {
        Some(rest) if !text.contains('\n') => items(model, rest),
        _ => Vec::new(),
    };
    // Nothing to choose from where the only choice is what stands there.
    let items = if items.len() == 1 && items[0].text.trim() == text.trim() && items[0].complete {
        Vec::new()
    } else {
        items
    };
    model.complete = (!items.is_empty()).then_some(Complete { items, at: 0 });
}

pub fn step(model: &mut Model, down: bool) {
    if let Some(complete) = &mut model.complete {
        let count = complete.items.len();
        complete.at = if down { complete.at + 1 } else { complete.at + count - 1 } % count;
    }
}

/// Takes the item over. True where the command can run as it stands.
pub fn accept(model: &mut Model) -> bool {
    let Some(item) = model.complete.take().and_then(|it| it.items.into_iter().nth(it.at)) else {
        return false;
    };
    model.prompt.editor.set(&item.text);
    if !item.complete {
        refresh(model);
    }
    item.complete
}

fn items(model: &Model, rest: &str) -> Vec<Item> {
    let Some((name, argument)) = rest.split_once(' ') else {
        let rows = ranked(COMMANDS.iter().map(|row| row.name.to_owned()), rest);
        let rows = rows.into_iter().filter_map(|name| COMMANDS.iter().find(|row| row.name == name));
        return rows
            .map(|row| Item {
                label: format!("/{} {}", row.name, row.args).trim_end().to_owned(),
                help: row.help.to_owned(),
                text: format!("/{}", row.name),
                complete: true,
            })
            .collect();
    };
    let values: Vec<(String, String)> = match name {
        "mode" => Mode::ALL
            .iter()
            .map(|mode| (mode.name().to_owned(), mode_help(*mode).to_owned()))
            .collect(),
        "theme" => model.look.themes.iter().map(|name| (name.clone(), String::new())).collect(),
        "model" => model.models.iter().map(|m| (m.name.clone(), m.facts.clone())).collect(),
        _ => Vec::new(),
    };
    let names = ranked(values.iter().map(|(name, _)| name.clone()), argument.trim());
    let help =
        |name: &String| values.iter().find(|(of, _)| of == name).map(|(_, help)| help.clone());
    names
        .into_iter()
        .take(SHOWN)
        .map(|value| Item {
            help: help(&value).unwrap_or_default(),
            text: format!("/{name} {value}"),
            label: value,
            complete: true,
        })
        .collect()
}

pub fn mode_help(mode: Mode) -> &'static str {
    match mode {
        Mode::Default => "asks before it changes or runs anything",
        Mode::AcceptEdits => "edits files of the project without asking",
        Mode::Plan => "looks and plans, changes nothing",
        Mode::DontAsk => "does what rules allow and refuses the rest",
        Mode::BypassPermissions => "asks nothing: only where nothing can be lost",
    }
}

/// Those that match: what the query says in full first, then what begins with it, then the best.
/// All of them, in their own order, for an empty query.
pub fn ranked(values: impl Iterator<Item = String>, query: &str) -> Vec<String> {
    if query.is_empty() {
        return values.collect();
    }
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let found = pattern.match_list(values, &mut matcher);
    let mut found: Vec<String> = found.into_iter().map(|(value, _)| value).collect();
    let query = query.to_lowercase();
    found.sort_by_key(|value| {
        let value = value.to_lowercase();
        (value != query, !value.starts_with(&query))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_in_full_comes_first() {
        let names = || COMMANDS.iter().map(|row| row.name.to_owned());
        for row in COMMANDS {
            assert_eq!(ranked(names(), row.name).first().map(String::as_str), Some(row.name));
        }
        assert_eq!(ranked(names(), "res").first().map(String::as_str), Some("resume"));
    }
}
