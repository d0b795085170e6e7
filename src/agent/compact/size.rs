//! Bytes that a history takes in a request, without the envelope. Tokens are estimated from them.

use crate::protocol::{Message, Part};

/// A picture is billed by its size on the screen, not by its bytes.
const PICTURE: usize = 6_000;

pub fn bytes(history: &[Message]) -> usize {
    history.iter().map(message_bytes).sum()
}

pub fn message_bytes(message: &Message) -> usize {
    message.parts.iter().map(part_bytes).sum()
}

pub fn part_bytes(part: &Part) -> usize {
    match part {
        Part::Text { text } | Part::Result { text, .. } => text.len(),
        Part::Thinking { text, signature } => {
            text.len() + signature.as_ref().map_or(0, String::len)
        }
        Part::RedactedThinking { data } => data.len(),
        Part::Call { tool, input, .. } => tool.len() + json_bytes(input),
        Part::Image { .. } => PICTURE,
        Part::Opaque { value, .. } => json_bytes(value),
    }
}

fn json_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| json_bytes(item) + 1).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() + json_bytes(value) + 4).sum::<usize>() + 2
        }
    }
}
