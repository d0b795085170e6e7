//! Edit: one piece of a file's text for another.
//!
//! The rungs of matching stand in [`ladder`]; what is refused is explained by [`diagnose`].

mod blanks;
pub mod diagnose;
mod escapes;
mod fold;
mod indent;
pub mod ladder;
pub mod placeholder;
#[cfg(test)]
mod tests;
mod weave;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::change::{self, Target};
use crate::tools::disk;
pub use crate::tools::edit::ladder::{How, Miss, Places, Swap, Swapped, swap};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, spec};

#[derive(Debug)]
pub struct Edit;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    file_path: String,
    /// exact text, unique in the file; empty: create the file
    old_string: String,
    new_string: String,
    /// every occurrence
    #[serde(default)]
    replace_all: Option<bool>,
}

/// Names that models use for the parameters of an edit.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("path", "file_path"),
    ("file", "file_path"),
    ("filename", "file_path"),
    ("filepath", "file_path"),
    ("old_str", "old_string"),
    ("old_text", "old_string"),
    ("oldString", "old_string"),
    ("new_str", "new_string"),
    ("new_text", "new_string"),
    ("newString", "new_string"),
    ("replaceAll", "replace_all"),
];

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] = ALIASES;
}

#[async_trait]
impl Tool for Edit {
    fn name(&self) -> &str {
        "Edit"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../../assets/prompts/tools/edit.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        Title::new("Editing", "Edited", disk::object(input, "file_path", cwd, "a file"))
    }

    fn target(&self, input: &Value, cwd: &Path) -> Option<PathBuf> {
        disk::target(input, cwd)
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        let input: Input = args::parse(self.name(), input)?;
        change::preview(ctx, move |ctx| plan(&input, ctx)).await
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        match args::parse::<Input>(self.name(), &input) {
            Ok(input) => change::run(ctx, move |ctx| plan(&input, ctx)).await,
            Err(outcome) => outcome,
        }
    }
}

fn plan(input: &Input, ctx: &ToolCtx) -> Result<change::Change, Outcome> {
    let target = Target::find(&input.file_path, ctx)?;
    let one =
        Step { old: &input.old_string, new: &input.new_string, places: places(input.replace_all) };
    steps(target, &[one])
}

pub(super) fn places(replace_all: Option<bool>) -> Places {
    if replace_all.unwrap_or(false) { Places::All } else { Places::One }
}

/// One replacement of an Edit or MultiEdit.
pub(super) type Step<'a> = Swap<'a>;

/// What the replacements make of the file, one after the other, all or none.
pub(super) fn steps(target: Target, steps: &[Step<'_>]) -> Result<change::Change, Outcome> {
    let name = target.found.shown.clone();
    let single = steps.len() == 1;
    let mut text = target.text.clone();
    let mut how = How::Exact;
    let mut rest = steps;
    if target.is_empty() {
        let Some((first, others)) = steps.split_first().filter(|(first, _)| first.old.is_empty())
        else {
            let what = if target.found.old.is_some() { "is empty" } else { "does not exist" };
            let text = format!("{name} {what}. An empty old_string puts new_string into it.");
            return Err(Outcome::failed(text, what));
        };
        first.new.clone_into(&mut text);
        rest = others;
    } else {
        target.must_have_been_read()?;
    }
    for (number, step) in steps.iter().enumerate().skip(steps.len() - rest.len()) {
        let at = |outcome: Outcome| match single {
            true => outcome,
            false => Outcome {
                text: format!(
                    "Edit {} of {}: {} Nothing was changed.",
                    number + 1,
                    steps.len(),
                    outcome.text
                ),
                ..outcome
            },
        };
        if let Some(line) = placeholder::find(step.new, &[step.old, &text]) {
            return Err(at(placeholder::refused(&line)));
        }
        let swapped =
            swap(&text, *step).map_err(|miss| at(diagnose::miss(&miss, &text, step.old, &name)))?;
        if target.stale && (swapped.how != How::Exact || step.places == Places::All) {
            return Err(at(target.changed_since_read()));
        }
        how = how.max(swapped.how);
        text = swapped.text;
    }
    Ok(target.become_text(text, how))
}
