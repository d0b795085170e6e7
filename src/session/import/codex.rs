//! Codex: lines of `{timestamp, type, payload}`. What was said and called are the `response_item`s;
//! `event_msg`s tell the same again for a screen.

use serde_json::Value;

use crate::protocol::{CallId, Part};
use crate::session::import::{Read, text, time};

/// What Codex itself puts before the person's first words.
const OWN_WORDS: [&str; 4] =
    ["<environment_context>", "<user_instructions>", "# AGENTS.md instructions", "<INSTRUCTIONS>"];

pub fn read(lines: &[&[u8]]) -> Read {
    let mut read = Read { model: "openai/unknown".to_owned(), ..Read::default() };
    for line in lines {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            read.drop("lines that could not be read");
            continue;
        };
        let Some(payload) = value.get("payload") else {
            read.drop("lines that are no messages");
            continue;
        };
        match text(&value, "type") {
            "session_meta" => meta(payload, &mut read),
            "turn_context" => {
                let model = text(payload, "model");
                if !model.is_empty() {
                    read.model = format!("openai/{model}");
                }
            }
            "response_item" => item(payload, &value, &mut read),
            "compacted" => read.drop("summaries"),
            // Told twice, so nothing is lost with them.
            "event_msg" => {}
            _ => read.drop("lines that are no messages"),
        }
    }
    read
}

fn meta(payload: &Value, read: &mut Read) {
    if !read.id.is_empty() {
        return;
    }
    text(payload, "id").clone_into(&mut read.id);
    text(payload, "cwd").clone_into(&mut read.cwd);
    let branch = payload.get("git").map(|git| text(git, "branch")).unwrap_or_default();
    read.branch = (!branch.is_empty()).then(|| branch.to_owned());
}

fn item(payload: &Value, line: &Value, read: &mut Read) {
    let t = time(line);
    match text(payload, "type") {
        "message" => message(payload, t, read),
        "function_call" => {
            let input = text(payload, "arguments");
            // Arguments are JSON in a text; what is not JSON stays a text.
            let input = serde_json::from_str(input).unwrap_or_else(|_| Value::from(input));
            call(payload, text(payload, "name"), input, t, read);
        }
        "custom_tool_call" => {
            let input = serde_json::json!({ "input": text(payload, "input") });
            call(payload, text(payload, "name"), input, t, read);
        }
        "local_shell_call" => {
            let input = payload.get("action").cloned().unwrap_or_default();
            call(payload, "local_shell", input, t, read);
        }
        "function_call_output" | "custom_tool_call_output" => {
            let (said, failed) = output(payload.get("output"), read);
            read.result(t, text(payload, "call_id"), said, failed);
        }
        "reasoning" => read.drop("thoughts"),
        _ => read.drop("parts of another kind"),
    }
}

fn call(payload: &Value, tool: &str, input: Value, t: Option<jiff::Timestamp>, read: &mut Read) {
    let id = CallId(text(payload, "call_id").to_owned());
    read.assistant(t, vec![Part::Call { id, tool: tool.to_owned(), input }]);
}

fn message(payload: &Value, t: Option<jiff::Timestamp>, read: &mut Read) {
    let mut parts = Vec::new();
    for block in payload.get("content").and_then(Value::as_array).into_iter().flatten() {
        match text(block, "type") {
            "input_text" | "output_text" | "text" => {
                parts.push(Part::Text { text: text(block, "text").to_owned() });
            }
            "input_image" => match image(text(block, "image_url")) {
                Some(image) => parts.push(image),
                None => read.drop("images"),
            },
            _ => read.drop("parts of another kind"),
        }
    }
    let own = |part: &Part| match part {
        Part::Text { text } => OWN_WORDS.iter().any(|words| text.trim_start().starts_with(words)),
        _ => false,
    };
    match text(payload, "role") {
        "assistant" => read.assistant(t, parts),
        "user" if parts.iter().any(own) => read.drop("reminders"),
        "user" => read.user(t, parts),
        _ => read.drop("reminders"),
    }
}

/// `data:image/png;base64,…`
fn image(url: &str) -> Option<Part> {
    let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some(Part::Image { media_type: media_type.to_owned(), data: data.to_owned() })
}

/// The text of a result, and whether it says that the call failed.
fn output(output: Option<&Value>, read: &mut Read) -> (String, bool) {
    match output {
        // An older form: JSON in a text, with the exit code beside the output.
        Some(Value::String(said)) => match serde_json::from_str::<Value>(said) {
            Ok(inner) if inner.get("output").is_some_and(Value::is_string) => {
                let code = inner.get("metadata").and_then(|meta| meta.get("exit_code"));
                let failed = code.and_then(Value::as_i64).is_some_and(|code| code != 0);
                (text(&inner, "output").to_owned(), failed)
            }
            _ => (said.clone(), false),
        },
        Some(Value::Array(parts)) => {
            let mut said = Vec::new();
            for part in parts {
                match text(part, "type") {
                    "input_text" | "output_text" | "text" => said.push(text(part, "text")),
                    _ => read.drop("images and the like in results"),
                }
            }
            (said.join("\n"), false)
        }
        Some(object) => {
            let failed = object.get("success").and_then(Value::as_bool) == Some(false);
            (text(object, "content").to_owned(), failed)
        }
        None => (String::new(), false),
    }
}
