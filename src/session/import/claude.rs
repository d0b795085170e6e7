//! Claude Code: lines that form a tree by `parentUuid`. The branch that ends last is the
//! conversation; sub-agents' lines (`isSidechain`) and other branches are left out.

use std::collections::HashMap;

use serde_json::Value;

use crate::protocol::{CallId, Part};
use crate::session::import::{Read, text, time};

/// How a line hangs in the tree.
struct Node {
    line: usize,
    parent: Option<String>,
}

pub fn read(lines: &[&[u8]]) -> Read {
    let mut read = Read { model: "anthropic/unknown".to_owned(), ..Read::default() };
    let mut nodes: HashMap<String, Node> = HashMap::new();
    let (mut last, mut spoken) = (None, 0_usize);
    for (at, line) in lines.iter().enumerate() {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            read.drop("lines that could not be read");
            continue;
        };
        match text(&value, "type") {
            "summary" => read.title = Some(text(&value, "summary").to_owned()),
            "custom-title" => read.title = Some(text(&value, "customTitle").to_owned()),
            "user" | "assistant" | "system" | "attachment" => {
                let id = text(&value, "uuid").to_owned();
                if value.get("isSidechain").and_then(Value::as_bool) == Some(true) {
                    read.drop("messages of sub-agents");
                    continue;
                }
                let parent = ["parentUuid", "logicalParentUuid"]
                    .iter()
                    .find_map(|name| value.get(name)?.as_str().map(str::to_owned));
                if matches!(text(&value, "type"), "user" | "assistant") {
                    last = Some(id.clone());
                    spoken += 1;
                }
                nodes.insert(id, Node { line: at, parent });
            }
            _ => read.drop("lines that are no messages"),
        }
    }
    let mut branch = Vec::new();
    let mut next = last;
    // Taken out of the map, so that a circle ends.
    while let Some(node) = next.and_then(|id| nodes.remove(&id)) {
        branch.push(node.line);
        next = node.parent;
    }
    branch.reverse();
    let mut told = 0;
    for at in branch {
        if let Ok(value) = serde_json::from_slice::<Value>(lines[at]) {
            told += usize::from(matches!(text(&value, "type"), "user" | "assistant"));
            line(&value, &mut read);
        }
    }
    if spoken > told {
        read.dropped.insert("messages of branches that were left", spoken - told);
    }
    read
}

fn line(value: &Value, read: &mut Read) {
    if read.id.is_empty() {
        text(value, "sessionId").clone_into(&mut read.id);
    }
    if read.cwd.is_empty() {
        text(value, "cwd").clone_into(&mut read.cwd);
    }
    if let Some(branch) = value.get("gitBranch").and_then(Value::as_str)
        && read.branch.is_none()
        && !branch.is_empty()
    {
        read.branch = Some(branch.to_owned());
    }
    let t = time(value);
    let Some(message) = value.get("message") else { return read.drop("notices") };
    match text(value, "type") {
        "assistant" => {
            let model = text(message, "model");
            if !model.is_empty() && model != "<synthetic>" {
                read.model = format!("anthropic/{model}");
            }
            let parts = assistant(message, read);
            read.assistant(t, parts);
        }
        "user" if value.get("isMeta").and_then(Value::as_bool) == Some(true) => {
            read.drop("reminders");
        }
        "user" => user(message, t, read),
        _ => read.drop("notices"),
    }
}

fn assistant(message: &Value, read: &mut Read) -> Vec<Part> {
    let mut parts = Vec::new();
    for block in blocks(message) {
        match text(&block, "type") {
            "text" => parts.push(Part::Text { text: text(&block, "text").to_owned() }),
            "tool_use" => parts.push(Part::Call {
                id: CallId(text(&block, "id").to_owned()),
                tool: text(&block, "name").to_owned(),
                input: block.get("input").cloned().unwrap_or_default(),
            }),
            // A signature is good only for the conversation it was made in.
            "thinking" | "redacted_thinking" => read.drop("thoughts"),
            _ => read.drop("parts of another kind"),
        }
    }
    parts
}

fn user(message: &Value, t: Option<jiff::Timestamp>, read: &mut Read) {
    let mut parts = Vec::new();
    for block in blocks(message) {
        match text(&block, "type") {
            "text" => parts.push(Part::Text { text: text(&block, "text").to_owned() }),
            "tool_result" => {
                let failed = block.get("is_error").and_then(Value::as_bool) == Some(true);
                let said = result_text(&block, read);
                read.result(t, text(&block, "tool_use_id"), said, failed);
            }
            "image" => match image(&block) {
                Some(image) => parts.push(image),
                None => read.drop("images"),
            },
            _ => read.drop("parts of another kind"),
        }
    }
    read.user(t, parts);
}

/// A message's content: a text, or a list of blocks.
fn blocks(message: &Value) -> Vec<Value> {
    match message.get("content") {
        Some(Value::String(text)) => vec![serde_json::json!({ "type": "text", "text": text })],
        Some(Value::Array(blocks)) => blocks.clone(),
        _ => Vec::new(),
    }
}

fn result_text(block: &Value, read: &mut Read) -> String {
    match block.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let mut said = Vec::new();
            for part in parts {
                match text(part, "type") {
                    "text" => said.push(text(part, "text")),
                    _ => read.drop("images and the like in results"),
                }
            }
            said.join("\n")
        }
        _ => String::new(),
    }
}

fn image(block: &Value) -> Option<Part> {
    let source = block.get("source")?;
    let data = source.get("data")?.as_str()?.to_owned();
    Some(Part::Image { media_type: text(source, "media_type").to_owned(), data })
}
