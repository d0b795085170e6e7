//! Write: a whole file.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::change::{self, Target};
use crate::tools::edit::placeholder;
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, disk, size, spec};

#[derive(Debug)]
pub struct Write;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    file_path: String,
    content: String,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("path", "file_path"),
        ("file", "file_path"),
        ("filename", "file_path"),
        ("filepath", "file_path"),
        ("contents", "content"),
        ("text", "content"),
        ("file_text", "content"),
    ];
}

/// Bytes. A model writes no more by hand; more would only fill the log and the screen.
const MOST: usize = 5 * 1024 * 1024;

#[async_trait]
impl Tool for Write {
    fn name(&self) -> &str {
        "Write"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/write.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        Title::new("Writing", "Wrote", disk::object(input, "file_path", cwd, "a file"))
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
    if input.content.len() > MOST {
        let (is, most) = (size(input.content.len() as u64), size(MOST as u64));
        let text =
            format!("The content is {is}; at most {most} can be written. Make it by a command.");
        return Err(Outcome::failed(text, "too large"));
    }
    let target = Target::find(&input.file_path, ctx)?;
    target.must_have_been_read()?;
    if target.stale {
        return Err(target.changed_since_read());
    }
    if let Some(line) = placeholder::find(&input.content, &[&target.text]) {
        return Err(placeholder::refused(&line));
    }
    Ok(target.become_whole(&input.content))
}
