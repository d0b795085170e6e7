//! NotebookEdit: one cell of a Jupyter notebook replaced, inserted or deleted.
//!
//! The file is not read and written anew as JSON: only the bytes of the cell change, and everything
//! else stays as it was written.

use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::change::{self, Target};
use crate::tools::edit::How;
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, disk, spec};

#[derive(Debug)]
pub struct NotebookEdit;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    notebook_path: String,
    /// the cell's id as Read shows it; to insert: the cell before, or none for the start
    cell_id: Option<String>,
    /// empty to delete
    #[serde(default)]
    new_source: String,
    cell_type: Option<Kind>,
    /// default replace
    edit_mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Code,
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Replace,
    Insert,
    Delete,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("file_path", "notebook_path"), ("path", "notebook_path"), ("source", "new_source")];
}

#[async_trait]
impl Tool for NotebookEdit {
    fn name(&self) -> &str {
        "NotebookEdit"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(
            self.name(),
            "Replace, insert or delete one cell of a Jupyter notebook. Read the notebook first.",
        )
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        Title::new("Editing", "Edited", disk::object(input, "notebook_path", cwd, "a notebook"))
    }

    fn target(&self, input: &Value, cwd: &Path) -> Option<PathBuf> {
        disk::target(&json!({"file_path": input.get("notebook_path")?}), cwd)
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
    let target = Target::find(&input.notebook_path, ctx)?;
    target.must_have_been_read()?;
    if target.stale {
        return Err(target.changed_since_read());
    }
    let new = edited(&target.text, input)
        .map_err(|fault| Outcome::failed(format!("NotebookEdit: {fault}."), "not edited"))?;
    Ok(target.become_text(new, How::Exact))
}

#[derive(Deserialize)]
struct Notebook<'a> {
    #[serde(borrow)]
    cells: Vec<&'a RawValue>,
    #[serde(default)]
    nbformat: u64,
    #[serde(default)]
    nbformat_minor: u64,
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(default)]
    id: Option<String>,
    cell_type: String,
    #[serde(borrow)]
    source: &'a RawValue,
    #[serde(borrow, default)]
    outputs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    execution_count: Option<&'a RawValue>,
}

fn edited(text: &str, input: &Input) -> Result<String, String> {
    let notebook: Notebook<'_> =
        serde_json::from_str(text).map_err(|error| format!("this is no notebook: {error}"))?;
    let at = match &input.cell_id {
        Some(id) => Some(find(&notebook, id)?),
        None => None,
    };
    let mode = input.edit_mode.unwrap_or(Mode::Replace);
    match (mode, at) {
        (Mode::Replace, Some(at)) => replace(text, notebook.cells[at].get(), input),
        (Mode::Delete, Some(at)) => Ok(delete(text, &notebook, at)),
        (Mode::Insert, at) => insert(text, &notebook, at, input),
        (Mode::Replace | Mode::Delete, None) => Err("cell_id is missing".to_owned()),
    }
}

/// A cell by its id, or by its number from 0 where it has none.
fn find(notebook: &Notebook<'_>, id: &str) -> Result<usize, String> {
    let ids: Vec<Option<String>> = notebook
        .cells
        .iter()
        .map(|cell| serde_json::from_str::<Cell<'_>>(cell.get()).ok().and_then(|cell| cell.id))
        .collect();
    if let Some(at) = ids.iter().position(|own| own.as_deref() == Some(id)) {
        return Ok(at);
    }
    let number = id.trim_start_matches("cell-").parse::<usize>().ok();
    number
        .filter(|at| ids.get(*at).is_some_and(Option::is_none))
        .ok_or_else(|| format!("there is no cell {id:?}"))
}

fn replace(text: &str, cell: &str, input: &Input) -> Result<String, String> {
    let parts: Cell<'_> = serde_json::from_str(cell).map_err(|error| error.to_string())?;
    let wanted = match input.cell_type {
        Some(Kind::Code) => "code",
        Some(Kind::Markdown) => "markdown",
        None => parts.cell_type.as_str(),
    };
    if wanted != parts.cell_type {
        return Err("the kind of a cell cannot be changed: delete it and insert one".to_owned());
    }
    let mut swaps = vec![(
        place(text, parts.source.get()),
        source(text, parts.source.get(), &input.new_source),
    )];
    // What the old source gave is not what the new one gives.
    if parts.cell_type == "code" {
        if let Some(outputs) = parts.outputs {
            swaps.push((place(text, outputs.get()), "[]".to_owned()));
        }
        if let Some(run) = parts.execution_count {
            swaps.push((place(text, run.get()), "null".to_owned()));
        }
    }
    swaps.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut out = text.to_owned();
    for (range, new) in swaps {
        out.replace_range(range, &new);
    }
    Ok(out)
}

/// Where a part of the text stands in it.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

/// The source as JSON, in the form of the one before: a text, or a list of lines one below the
/// other.
fn source(text: &str, before: &str, new: &str) -> String {
    if before.starts_with('"') {
        return Value::from(new).to_string();
    }
    let start = place(text, before).start;
    let outer = indent_of(text, start);
    listed(new, &outer, &step_of(text))
}

fn listed(new: &str, outer: &str, step: &str) -> String {
    let lines: Vec<String> = new
        .split_inclusive('\n')
        .map(|line| format!("{outer}{step}{}", Value::from(line)))
        .collect();
    if lines.is_empty() {
        return "[]".to_owned();
    }
    format!("[\n{}\n{outer}]", lines.join(",\n"))
}

/// The blanks that the line begins with in which `at` lies.
fn indent_of(text: &str, at: usize) -> String {
    let line = text[..at].rsplit('\n').next().unwrap_or_default();
    line.chars().take_while(|c| *c == ' ' || *c == '\t').collect()
}

/// One step of indentation: Jupyter itself writes one blank.
fn step_of(text: &str) -> String {
    let second = text.lines().nth(1).unwrap_or_default();
    let step: String = second.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
    if step.is_empty() { " ".to_owned() } else { step }
}

fn delete(text: &str, notebook: &Notebook<'_>, at: usize) -> String {
    let cell = |n: usize| place(text, notebook.cells[n].get());
    let own = cell(at);
    let gone = if at + 1 < notebook.cells.len() {
        own.start..cell(at + 1).start
    } else if at > 0 {
        cell(at - 1).end..own.end
    } else {
        own
    };
    format!("{}{}", &text[..gone.start], &text[gone.end..])
}

fn insert(
    text: &str,
    notebook: &Notebook<'_>,
    after: Option<usize>,
    input: &Input,
) -> Result<String, String> {
    let Some(neighbour) = after.or((!notebook.cells.is_empty()).then_some(0)) else {
        return Err("the notebook has no cell to insert one beside; write it whole".to_owned());
    };
    let range = place(text, notebook.cells[neighbour].get());
    let (outer, step) = (indent_of(text, range.start), step_of(text));
    let inner = format!("{outer}{step}");
    let code = input.cell_type.unwrap_or(Kind::Code) == Kind::Code;
    let mut fields = vec![format!("\"cell_type\": \"{}\"", if code { "code" } else { "markdown" })];
    if code {
        fields.push("\"execution_count\": null".to_owned());
    }
    if (notebook.nbformat, notebook.nbformat_minor) >= (4, 5) {
        let id = uuid::Uuid::now_v7().simple().to_string();
        fields.push(format!("\"id\": \"{}\"", &id[24..]));
    }
    fields.push("\"metadata\": {}".to_owned());
    if code {
        fields.push("\"outputs\": []".to_owned());
    }
    fields.push(format!("\"source\": {}", listed(&input.new_source, &inner, &step)));
    let fields: Vec<String> = fields.iter().map(|field| format!("{inner}{field}")).collect();
    let cell = format!("{{\n{}\n{outer}}}", fields.join(",\n"));
    Ok(match after {
        Some(_) => format!("{},\n{outer}{cell}{}", &text[..range.end], &text[range.end..]),
        None => format!("{}{cell},\n{outer}{}", &text[..range.start], &text[range.start..]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = r##"{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "a",
   "metadata": {"odd":   1},
   "source": [
    "# Title\n",
    "text"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "b",
   "metadata": {},
   "outputs": [{"output_type": "stream", "text": ["x"]}],
   "source": "print(1)"
  }
 ],
 "metadata": {"k": 1.0},
 "nbformat": 4,
 "nbformat_minor": 5
}
"##;

    fn input(json: Value) -> Input {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn only_the_cell_changes() {
        let replaced = edited(
            BOOK,
            &input(json!({"notebook_path": "n", "cell_id": "a", "new_source": "# Ö\nb\n"})),
        );
        let expected = BOOK.replace("\"# Title\\n\",\n    \"text\"", "\"# Ö\\n\",\n    \"b\\n\"");
        assert_eq!(replaced.unwrap(), expected);
        let replaced = edited(
            BOOK,
            &input(json!({"notebook_path": "n", "cell_id": "b", "new_source": "f(\"x\")"})),
        );
        let expected = BOOK
            .replace("\"print(1)\"", "\"f(\\\"x\\\")\"")
            .replace("[{\"output_type\": \"stream\", \"text\": [\"x\"]}]", "[]")
            .replace("\"execution_count\": 3", "\"execution_count\": null");
        assert_eq!(replaced.unwrap(), expected);
    }

    #[test]
    fn cells_come_and_go_and_the_rest_stays() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for cell in [json!("a"), json!("b"), json!(null)] {
            let input = input(json!({
                "notebook_path": "n", "cell_id": cell, "new_source": "x\ny", "edit_mode": "insert",
            }));
            let text = edited(BOOK, &input).unwrap();
            let cells = value(&text)["cells"].as_array().unwrap().clone();
            let at = cells.iter().position(|cell| cell["source"] == json!(["x\n", "y"])).unwrap();
            assert_eq!(cells.len(), 3);
            let id = cells[at]["id"].as_str().unwrap().to_owned();
            // Taken out again, every byte is as before.
            let gone = json!({"notebook_path": "n", "cell_id": id, "edit_mode": "delete"});
            assert_eq!(edited(&text, &self::input(gone)).unwrap(), BOOK, "{text}");
        }
        for cell in ["z", "1", ""] {
            let input = input(json!({"notebook_path": "n", "cell_id": cell, "new_source": "x"}));
            assert!(edited(BOOK, &input).is_err(), "{cell}");
        }
    }
}
