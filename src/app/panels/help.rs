//! The help panel, made from the tables of keys and of slash commands.

use crate::app::keys::Context;
use crate::app::model::Model;
use crate::app::slash::COMMANDS;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Heading(String),
    Entry { keys: String, help: String },
    Blank,
}

/// What works where the panel was opened comes first.
pub fn lines(model: &Model) -> Vec<Line> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default().to_lowercase();
    let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for context in Context::ALL.iter().copied() {
        let rows = model.keymap.rows(context).filter(|(_, keys)| !keys.is_empty());
        let rows = rows.map(|(row, keys)| (keys.join(", "), row.help.to_owned())).collect();
        sections.push((context.heading().to_owned(), rows));
    }
    let commands = COMMANDS.iter().map(|row| {
        (format!("/{} {}", row.name, row.args).trim_end().to_owned(), row.help.to_owned())
    });
    let more = [(
        "!command".to_owned(),
        "run a command yourself; its output goes along with the next prompt".to_owned(),
    )];
    sections.insert(1, ("Commands".to_owned(), commands.chain(more).collect()));
    let files = model
        .recipes
        .iter()
        .map(|it| (format!("/{} {}", it.name, it.args).trim_end().to_owned(), it.help.clone()));
    sections.insert(2, ("Commands that files describe".to_owned(), files.collect()));
    let mut lines = Vec::new();
    for (heading, entries) in sections {
        let entries: Vec<_> = entries
            .into_iter()
            .filter(|(keys, help)| {
                query.is_empty()
                    || keys.to_lowercase().contains(&query)
                    || help.to_lowercase().contains(&query)
            })
            .collect();
        if entries.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Heading(heading));
        lines.extend(entries.into_iter().map(|(keys, help)| Line::Entry { keys, help }));
    }
    lines
}
