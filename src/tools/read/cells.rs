//! Jupyter notebooks as their cells.

use serde_json::Value;

use crate::tools::{Outcome, count};

/// Bytes of one cell's output that are shown.
const OUTPUT: usize = 4 * 1024;
/// Bytes of one answer.
const TEXT: usize = 100 * 1024;

/// `None`: it is no notebook, and is shown as the text that it is.
pub(super) fn read(text: &str) -> Option<Outcome> {
    let notebook: Value = serde_json::from_str(text).ok()?;
    let cells = notebook.get("cells")?.as_array()?;
    let mut out = String::new();
    let mut shown = 0;
    for (at, cell) in cells.iter().enumerate() {
        let cell = one(at, cell);
        if out.len() + cell.len() > TEXT {
            out += &format!("[cells 1–{shown} of {}; the rest is too long]\n", cells.len());
            break;
        }
        out += &cell;
        shown = at + 1;
    }
    if cells.is_empty() {
        out.push_str("(no cells)");
    }
    Some(Outcome::done(out.trim_end(), count(cells.len(), "cell")))
}

fn one(at: usize, cell: &Value) -> String {
    let kind = cell["cell_type"].as_str().unwrap_or("cell");
    let id = cell["id"].as_str().map(str::to_owned).unwrap_or_else(|| at.to_string());
    let mut out = format!("## cell {id} ({kind})\n{}\n", lines(&cell["source"]).trim_end());
    for output in cell["outputs"].as_array().into_iter().flatten() {
        let text = output_text(output);
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        let head = &text[..text.floor_char_boundary(OUTPUT)];
        let cut = if head.len() < text.len() { "\n[output cut]" } else { "" };
        out += &format!("-> {head}{cut}\n");
    }
    out.push('\n');
    out
}

fn output_text(output: &Value) -> String {
    if let Some(name) = output["ename"].as_str() {
        return format!("{name}: {}", output["evalue"].as_str().unwrap_or_default());
    }
    let text = lines(&output["text"]);
    if !text.is_empty() {
        return text;
    }
    let Some(data) = output["data"].as_object() else { return String::new() };
    match data.get("text/plain") {
        Some(plain) => lines(plain),
        None => {
            let kinds: Vec<&str> = data.keys().map(String::as_str).take(5).collect();
            format!("[{}]", kinds.join(", "))
        }
    }
}

/// A text, or a list of its lines.
fn lines(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_shown_with_their_outputs() {
        let text = r#"{"cells":[
            {"cell_type":"markdown","id":"a1","source":["A title\n","more"]},
            {"cell_type":"code","source":"1/0","outputs":[
                {"output_type":"stream","text":["hello\n"]},
                {"output_type":"error","ename":"ZeroDivisionError","evalue":"division by zero"},
                {"output_type":"display_data","data":{"image/png":"AAAA"}}]}
        ],"nbformat":4}"#;
        let outcome = read(text).unwrap();
        assert_eq!(
            outcome.text,
            "## cell a1 (markdown)\nA title\nmore\n\n## cell 1 (code)\n1/0\n-> hello\n\
             -> ZeroDivisionError: division by zero\n-> [image/png]"
        );
        assert_eq!(outcome.facts, "2 cells");
        assert!(read("{}").is_none() && read("[").is_none() && read("{\"cells\":1}").is_none());
    }
}
