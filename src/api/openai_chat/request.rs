//! A [`Request`] as a Chat Completions body.

use serde_json::{Value, json};

use crate::api::history::{self, Turn};
use crate::api::http::Outgoing;
use crate::api::{Purpose, Request};
use crate::config::Effort;
use crate::protocol::{Part, Role};

/// Which name the server has for the limit of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's own newer models know only `max_completion_tokens`.
    OpenAi,
    /// Everyone else knows `max_tokens`.
    Other,
}

pub fn build(request: &Request, dialect: Dialect) -> Outgoing {
    let turns = history::turns(&request.messages, carries);
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": &*request.system}));
    }
    for turn in &turns {
        match turn.role {
            Role::User => user(turn, &mut messages),
            Role::Assistant => messages.extend(assistant(turn)),
        }
    }
    let limit = match dialect {
        Dialect::OpenAi => "max_completion_tokens",
        Dialect::Other => "max_tokens",
    };
    let mut body = json!({
        "model": request.model,
        "messages": messages,
        limit: request.max_tokens,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if !request.tools.is_empty() {
        body["tools"] = request
            .tools
            .iter()
            .map(|tool| {
                json!({"type": "function", "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                }})
            })
            .collect();
    }
    if let (Some(effort), Purpose::Conversation) = (request.effort, request.purpose) {
        // The wire knows three; a server that does not know the field ignores it.
        body["reasoning_effort"] = match effort {
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High | Effort::Max => "high",
        }
        .into();
    }
    Outgoing { path: "/chat/completions", headers: Vec::new(), body }
}

/// Signed thinking belongs to another wire; plain thinking came from this one.
fn carries(part: &Part) -> bool {
    match part {
        Part::Thinking { signature, text } => signature.is_none() && !text.is_empty(),
        Part::RedactedThinking { .. } | Part::Opaque { .. } => false,
        Part::Text { .. } | Part::Call { .. } | Part::Result { .. } | Part::Image { .. } => true,
    }
}

/// Each result is a message of its own, before what the person said.
fn user(turn: &Turn<'_>, messages: &mut Vec<Value>) {
    let mut content = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Result { call, text, .. } => {
                messages.push(json!({"role": "tool", "tool_call_id": call.0, "content": text}));
            }
            Part::Text { text } => content.push(json!({"type": "text", "text": text})),
            Part::Image { media_type, data } => content.push(json!({
                "type": "image_url",
                "image_url": {"url": format!("data:{media_type};base64,{data}")},
            })),
            Part::Thinking { .. }
            | Part::RedactedThinking { .. }
            | Part::Call { .. }
            | Part::Opaque { .. } => {}
        }
    }
    match content.as_slice() {
        [] => {}
        // Plain text as plain text: not every server takes a list.
        texts if texts.iter().all(|part| part["type"] == "text") => {
            let texts: Vec<&str> = texts.iter().filter_map(|part| part["text"].as_str()).collect();
            messages.push(json!({"role": "user", "content": texts.join("\n\n")}));
        }
        _ => messages.push(json!({"role": "user", "content": content})),
    }
}

/// `None` for a turn that was thinking only.
fn assistant(turn: &Turn<'_>) -> Option<Value> {
    let (mut content, mut reasoning) = (String::new(), String::new());
    let mut calls = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Text { text } => content.push_str(text),
            Part::Thinking { text, .. } => reasoning.push_str(text),
            Part::Call { id, tool, input } => calls.push(json!({
                "id": id.0,
                "type": "function",
                "function": {
                    "name": history::plain_name(tool, 64),
                    "arguments": input.to_string(),
                },
            })),
            Part::Result { .. }
            | Part::RedactedThinking { .. }
            | Part::Image { .. }
            | Part::Opaque { .. } => {}
        }
    }
    if content.is_empty() && calls.is_empty() {
        return None;
    }
    let mut message = json!({"role": "assistant"});
    // Templates of some models fail on an empty text; null says that there is none.
    message["content"] = if content.is_empty() { Value::Null } else { content.into() };
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
        // DeepSeek and Kimi want the thinking behind a call back, and refuse the request without.
        if !reasoning.is_empty() {
            message["reasoning_content"] = reasoning.into();
        }
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::ToolSpec;
    use crate::protocol::{CallId, Message};

    #[test]
    fn a_body_is_as_servers_take_it() {
        let text = |text: &str| Part::Text { text: text.to_owned() };
        let call = |id: &str| Part::Call {
            id: CallId(id.to_owned()),
            tool: "mcp__a b__c".to_owned(),
            input: json!({"f": "x\"y"}),
        };
        let thought = |signature: Option<&str>| Part::Thinking {
            text: "hm".to_owned(),
            signature: signature.map(str::to_owned),
        };
        let request = Request {
            model: "m".to_owned(),
            system: Arc::from("be brief"),
            tools: Arc::from([ToolSpec {
                name: "Read".to_owned(),
                description: "reads".to_owned(),
                schema: json!({"type": "object"}),
            }]),
            messages: vec![
                Message::user("a"),
                Message::user("b"),
                Message { role: Role::Assistant, parts: vec![thought(None), call("1"), call("2")] },
                Message {
                    role: Role::User,
                    parts: vec![
                        text("see"),
                        Part::Image { media_type: "image/png".to_owned(), data: "AA==".to_owned() },
                        Part::Result {
                            call: CallId("1".to_owned()),
                            text: "out".to_owned(),
                            is_error: true,
                        },
                        Part::Result {
                            call: CallId("2".to_owned()),
                            text: String::new(),
                            is_error: false,
                        },
                    ],
                },
                Message {
                    role: Role::Assistant,
                    parts: vec![thought(None), thought(Some("s")), text("done")],
                },
            ],
            max_tokens: 100,
            effort: Some(Effort::Max),
            session: "s".to_owned(),
            purpose: Purpose::Conversation,
        };
        let out = build(&request, Dialect::Other);
        assert_eq!(out.path, "/chat/completions");
        let function = |id: &str| json!({"id": id, "type": "function", "function": {"name": "mcp__a_b__c", "arguments": "{\"f\":\"x\\\"y\"}"}});
        assert_eq!(
            out.body,
            json!({
                "model": "m",
                "messages": [
                    {"role": "system", "content": "be brief"},
                    {"role": "user", "content": "a\n\nb"},
                    {"role": "assistant", "content": null, "tool_calls": [function("1"), function("2")], "reasoning_content": "hm"},
                    {"role": "tool", "tool_call_id": "1", "content": "out"},
                    {"role": "tool", "tool_call_id": "2", "content": ""},
                    {"role": "user", "content": [
                        {"type": "text", "text": "see"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                    ]},
                    {"role": "assistant", "content": "done"},
                ],
                "max_tokens": 100,
                "stream": true,
                "stream_options": {"include_usage": true},
                "tools": [{"type": "function", "function": {"name": "Read", "description": "reads", "parameters": {"type": "object"}}}],
                "reasoning_effort": "high",
            })
        );
        let openai = build(&Request { purpose: Purpose::Side, ..request }, Dialect::OpenAi).body;
        assert_eq!(openai["max_completion_tokens"], 100);
        assert_eq!((openai.get("max_tokens"), openai.get("reasoning_effort")), (None, None));
    }
}
