//! The conversation as the model sees it, free of any one provider's wire format.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::CallId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    User,
    Assistant,
}

/// One message. Results of tool calls are parts of the user message that follows the calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Part {
    Text {
        text: String,
    },
    /// The model's reasoning. `signature` must be sent back unchanged with the text, or not at all.
    Thinking {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// Reasoning that the provider keeps encrypted; sent back as it came.
    RedactedThinking {
        data: String,
    },
    Call {
        id: CallId,
        tool: String,
        input: serde_json::Value,
    },
    Result {
        call: CallId,
        text: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    /// `data` is base64.
    Image {
        media_type: String,
        data: String,
    },
    /// An item that only the wire format named by `wire` understands (an OpenAI reasoning item, an
    /// Anthropic server-tool block); other wires leave it out.
    Opaque {
        wire: String,
        value: serde_json::Value,
    },
}

impl Message {
    pub fn user(text: impl Into<String>) -> Message {
        Message { role: Role::User, parts: vec![Part::Text { text: text.into() }] }
    }

    pub fn assistant(text: impl Into<String>) -> Message {
        Message { role: Role::Assistant, parts: vec![Part::Text { text: text.into() }] }
    }

    /// All text parts, joined by nothing.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The tool calls of this message, in order.
    pub fn calls(&self) -> impl Iterator<Item = (&CallId, &str, &serde_json::Value)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call { id, tool, input } => Some((id, tool.as_str(), input)),
            _ => None,
        })
    }
}
