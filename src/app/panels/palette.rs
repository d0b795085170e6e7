//! The palette: every action that works anywhere and every slash command, found by what it does.

use crate::app::act::act;
use crate::app::complete::ranking;
use crate::app::effect::Effect;
use crate::app::keys::{Action, Context};
use crate::app::model::Model;
use crate::app::panels::{self, Kind};
use crate::app::slash::COMMANDS;
use crate::app::submit;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    pub help: String,
    /// Empty: it has none.
    pub keys: String,
    run: Run,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Run {
    Action(Action),
    /// `/compact`
    Command(String),
    /// A command that cannot do without its argument is written into the prompt.
    Write(String),
}

/// Actions of the prompt that make sense without its keys.
const OF_PROMPT: [Action; 1] = [Action::HistorySearch];

pub fn open(model: &mut Model) {
    panels::open(model, Kind::Palette);
    if let Some(panel) = &mut model.panel {
        panel.filtering = true;
    }
}

/// What matches, best first.
pub fn lines(model: &Model) -> Vec<Line> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default();
    let all = all(model);
    let texts = all.iter().map(|line| format!("{} {}", line.name, line.help));
    let order = ranking(texts, &query);
    order.into_iter().filter_map(|at| all.get(at).cloned()).collect()
}

/// Closes the palette and does what was chosen.
pub fn run(model: &mut Model) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let Some(line) = lines(model).into_iter().nth(at) else { return Vec::new() };
    model.panel = None;
    match line.run {
        Run::Action(action) => act(model, action),
        Run::Command(text) => submit::command(model, &text),
        Run::Write(text) => {
            model.prompt.clear();
            model.prompt.insert(&text);
            crate::app::complete::refresh(model)
        }
    }
}

fn all(model: &Model) -> Vec<Line> {
    let here = |(context, action): (Context, Action)| {
        context == Context::Global && action != Action::Palette
            || context == Context::Prompt && OF_PROMPT.contains(&action)
    };
    let actions = [Context::Global, Context::Prompt].into_iter().flat_map(|context| {
        let rows = model.keymap.rows(context);
        rows.filter(move |(row, _)| here((context, row.action))).map(|(row, keys)| Line {
            name: row.name.to_owned(),
            help: row.help.to_owned(),
            keys: keys.first().cloned().unwrap_or_default(),
            run: Run::Action(row.action),
        })
    });
    let mut lines: Vec<Line> = actions.collect();
    for row in COMMANDS {
        // The action does the same, and shows its key.
        if lines.iter().any(|line| line.name == row.name) {
            continue;
        }
        let text = format!("/{}", row.name);
        let run = match row.args.is_empty() || row.args.starts_with('[') {
            true => Run::Command(text.clone()),
            false => Run::Write(format!("{text} ")),
        };
        lines.push(Line { name: text, help: row.help.to_owned(), keys: String::new(), run });
    }
    lines
}
