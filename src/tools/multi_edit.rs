//! MultiEdit: several replacements in one file, all or none.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::change::{self, Target};
use crate::tools::edit::{ALIASES, Step, places, steps};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, disk, spec};

#[derive(Debug)]
pub struct MultiEdit;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    file_path: String,
    edits: Vec<One>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct One {
    old_string: String,
    new_string: String,
    #[serde(default)]
    replace_all: Option<bool>,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("path", "file_path"), ("file", "file_path"), ("filename", "file_path")];
}

impl Args for One {
    const ALIASES: &'static [(&'static str, &'static str)] = ALIASES;
}

#[async_trait]
impl Tool for MultiEdit {
    fn name(&self) -> &str {
        "MultiEdit"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/multi_edit.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        let mut input = args::tidy::<Input>(input);
        if let Some(Value::Array(edits)) = input.get_mut("edits") {
            for edit in edits {
                *edit = args::tidy::<One>(std::mem::take(edit));
            }
        }
        input
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
        let input = parse(self, input)?;
        change::preview(ctx, move |ctx| plan(&input, ctx)).await
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        match parse(self, &input) {
            Ok(input) => change::run(ctx, move |ctx| plan(&input, ctx)).await,
            Err(outcome) => outcome,
        }
    }
}

fn parse(tool: &MultiEdit, input: &Value) -> Result<Input, Outcome> {
    let input = tool.tidy(input.clone());
    // Each edit by itself first: the error then names its own parameters.
    for (n, edit) in input["edits"].as_array().into_iter().flatten().enumerate() {
        let edit = if edit.is_object() { edit.clone() } else { Value::Object(Map::new()) };
        args::parse::<One>(&format!("MultiEdit, edit {}", n + 1), &edit)?;
    }
    let input: Input = args::parse(tool.name(), &input)?;
    if input.edits.is_empty() {
        return Err(Outcome::failed("MultiEdit: edits is empty.", "nothing to change"));
    }
    Ok(input)
}

fn plan(input: &Input, ctx: &ToolCtx) -> Result<change::Change, Outcome> {
    let target = Target::find(&input.file_path, ctx)?;
    let edits: Vec<Step<'_>> = input
        .edits
        .iter()
        .map(|one| Step {
            old: &one.old_string,
            new: &one.new_string,
            places: places(one.replace_all),
        })
        .collect();
    steps(target, &edits)
}
