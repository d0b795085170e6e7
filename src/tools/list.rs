//! LS: what is in a directory, one level deep.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, disk, off_thread, size, spec};

#[derive(Debug)]
pub struct List;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    path: Option<String>,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("file_path", "path"), ("directory", "path"), ("dir", "path")];
}

/// Entries that are shown.
const SHOWN: usize = 500;

#[async_trait]
impl Tool for List {
    fn name(&self) -> &str {
        "LS"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/ls.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Input>(self.name(), input)
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        Title::new("Listing", "Listed", disk::object(input, "path", cwd, "."))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(super::plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        match args::parse::<Input>(self.name(), &input) {
            Ok(input) => {
                off_thread(ctx, move |ctx| match list(&input, ctx) {
                    Ok(outcome) | Err(outcome) => outcome,
                })
                .await
            }
            Err(outcome) => outcome,
        }
    }
}

fn list(input: &Input, ctx: &ToolCtx) -> Result<Outcome, Outcome> {
    let failed = |text: String| Outcome::failed(text, "not listed");
    let path = disk::absolute(input.path.as_deref().unwrap_or("."), &ctx.cwd)
        .map_err(|trouble| failed(format!("{trouble}.")))?;
    let shown = disk::shown(&path, &ctx.cwd);
    let entries = std::fs::read_dir(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotADirectory => failed(format!("{shown} is a file. Use Read.")),
        _ => failed(format!("{}.", disk::Trouble::io(&shown, &e))),
    })?;
    let barred = ctx.barred.below(&path);
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    let mut total = 0;
    for entry in entries.flatten() {
        if ctx.cancel.is_cancelled() {
            return Err(Outcome::interrupted("Interrupted."));
        }
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if barred.name(&entry.path(), is_dir) {
            continue;
        }
        total += 1;
        // Enough to sort; a folder with more is not read by anyone.
        if total > 100_000 {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => folders.push(format!("{name}/")),
            Ok(kind) if kind.is_symlink() => {
                let to = entry.path().read_link().map(|to| to.display().to_string());
                files.push(format!("{name} -> {}", to.unwrap_or_else(|_| "?".to_owned())));
            }
            _ => {
                let length = entry.metadata().map_or(0, |meta| meta.len());
                files.push(format!("{name}  {}", size(length)));
            }
        }
    }
    let left_out = barred.note().map(|note| format!("[{note}]"));
    if total == 0 {
        let text = left_out.unwrap_or_else(|| "(empty directory)".to_owned());
        return Ok(Outcome::done(text, "empty"));
    }
    folders.sort_unstable();
    files.sort_unstable();
    let mut lines: Vec<String> = folders.into_iter().chain(files).take(SHOWN).collect();
    if total > lines.len() {
        lines.push(format!(
            "[{} of {} shown; use Glob]",
            lines.len(),
            format_args!("{total} entries")
        ));
    }
    lines.extend(left_out);
    Ok(Outcome::done(
        lines.join("\n"),
        format!("{total} {}", if total == 1 { "entry" } else { "entries" }),
    ))
}
