//! The list that opens while a slash command or the name of a file is being written.

use std::cmp::Reverse;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::app::edit::{Place, slice};
use crate::app::effect::Effect;
use crate::app::model::{Focus, Model};
use crate::app::slash::COMMANDS;
use crate::protocol::Mode;
use crate::text::mention;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    pub items: Vec<Item>,
    pub at: usize,
    pub over: Over,
}

/// What taking an item over replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The whole prompt, which is a command.
    Prompt,
    /// The mention that begins here and ends at the cursor.
    Mention(Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub label: String,
    pub help: String,
    /// What stands there after taking the item over.
    pub text: String,
    /// False where more should follow.
    pub complete: bool,
}

/// Files that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    seq: u64,
    /// Where the mention begins.
    at: Place,
}

const SHOWN: usize = 50;

/// After every change of the prompt.
pub fn refresh(model: &mut Model) -> Vec<Effect> {
    let text = model.prompt.editor.text();
    if !text.starts_with('/') {
        return refresh_mention(model);
    }
    model.finding = None;
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
    model.complete = (!items.is_empty()).then_some(Complete { items, at: 0, over: Over::Prompt });
    Vec::new()
}

/// Asks for the files that a mention could mean. Until the answer is there the list stays as it
/// is, so that it does not flicker under the keys.
fn refresh_mention(model: &mut Model) -> Vec<Effect> {
    let cursor = model.prompt.editor.cursor();
    let line = slice(&model.prompt.editor.lines()[cursor.line], 0, cursor.column);
    let Some(begun) = mention::begun(&line) else {
        model.finding = None;
        model.complete = None;
        return Vec::new();
    };
    let at = Place { column: line[..begun.start].chars().count(), ..cursor };
    if model.complete.as_ref().is_some_and(|list| list.over != Over::Mention(at)) {
        model.complete = None;
    }
    let seq = model.next_seq();
    model.finding = Some(Finding { seq, at });
    vec![Effect::FindFiles { seq, query: begun.query }]
}

/// The files that were found. They come again while there is more to be looked at.
pub fn found(model: &mut Model, seq: u64, paths: &[String], looking: bool) {
    let Some(finding) = model.finding.filter(|finding| finding.seq == seq) else { return };
    if !looking {
        model.finding = None;
    }
    if model.focus() != Focus::Prompt {
        return;
    }
    let over = Over::Mention(finding.at);
    let items: Vec<Item> = paths.iter().map(|path| file(path)).collect();
    // A choice that was made meanwhile stays where the list still has it.
    let chosen = model.complete.as_ref().filter(|list| list.over == over && list.at > 0);
    let chosen = chosen.and_then(|list| list.items.get(list.at)).map(|item| item.label.clone());
    let at = chosen.and_then(|label| items.iter().position(|item| item.label == label));
    model.complete =
        (!items.is_empty()).then_some(Complete { items, at: at.unwrap_or_default(), over });
}

fn file(path: &str) -> Item {
    let folder = path.ends_with('/');
    let spelled = mention::spell(path);
    Item {
        label: path.to_owned(),
        help: String::new(),
        // Within a folder one goes on writing; behind a file comes the rest of the sentence.
        text: if folder { spelled.trim_end_matches('"').to_owned() } else { format!("{spelled} ") },
        complete: false,
    }
}

pub fn step(model: &mut Model, down: bool) {
    if let Some(complete) = &mut model.complete {
        let count = complete.items.len();
        complete.at = if down { complete.at + 1 } else { complete.at + count - 1 } % count;
    }
}

/// Whether a command can run as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Whole,
    Begun,
}

/// Takes the item over.
pub fn accept(model: &mut Model) -> (Taken, Vec<Effect>) {
    let taken = model.complete.take().and_then(|list| {
        let over = list.over;
        Some((over, list.items.into_iter().nth(list.at)?))
    });
    let Some((over, item)) = taken else { return (Taken::Begun, Vec::new()) };
    match over {
        Over::Prompt => model.prompt.editor.set(&item.text),
        Over::Mention(at) => model.prompt.replace_from(at, &item.text),
    }
    if item.complete {
        return (Taken::Whole, Vec::new());
    }
    (Taken::Begun, refresh(model))
}

fn items(model: &Model, rest: &str) -> Vec<Item> {
    let Some((name, argument)) = rest.split_once(' ') else {
        return commands(model, rest);
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

/// Those of tern itself and those that files describe.
fn commands(model: &Model, query: &str) -> Vec<Item> {
    let own = COMMANDS.iter().map(|row| (row.name, row.args, row.help));
    let files =
        model.recipes.iter().map(|it| (it.name.as_str(), it.args.as_str(), it.help.as_str()));
    let files = files.filter(|(name, ..)| !COMMANDS.iter().any(|row| row.name == *name));
    let prompts = model.servers.iter().flat_map(|server| &server.prompts);
    let prompts = prompts.map(|(name, about)| (name.as_str(), "", about.as_str()));
    let rows: Vec<(&str, &str, &str)> = own.chain(files).chain(prompts).collect();
    ranked(rows.iter().map(|(name, ..)| (*name).to_owned()), query)
        .into_iter()
        .filter_map(|name| rows.iter().find(|(of, ..)| *of == name))
        .map(|(name, args, help)| Item {
            label: format!("/{name} {args}").trim_end().to_owned(),
            help: (*help).to_owned(),
            text: format!("/{name}"),
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

/// The texts that match, by their places: those with a word that begins with the query first,
/// then the best. All of them, in their own order, for an empty query.
pub fn ranking(texts: impl Iterator<Item = String>, query: &str) -> Vec<usize> {
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let query = query.to_lowercase();
    let mut found: Vec<(bool, Reverse<u32>, usize)> = texts
        .enumerate()
        .filter_map(|(at, text)| {
            let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
            let text = text.to_lowercase();
            let begins = text.split([' ', '-', '/']).any(|word| word.starts_with(&query));
            Some((!begins, Reverse(score), at))
        })
        .collect();
    found.sort_unstable();
    // Letters that are found scattered over a sentence are no match beside real ones.
    let best = found.iter().map(|(_, Reverse(score), _)| *score).max().unwrap_or_default();
    found.retain(|(_, Reverse(score), _)| score * 4 >= best * 3);
    found.into_iter().map(|(_, _, at)| at).collect()
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
