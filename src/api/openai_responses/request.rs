//! A [`Request`] as a Responses API body.

use serde_json::{Value, json};

use crate::api::history::{self, Turn};
use crate::api::http::Outgoing;
use crate::api::openai_responses::WIRE;
use crate::api::{Purpose, Request, To};
use crate::models::{self, Model, Thinking};
use crate::protocol::{Part, Role};

pub fn build(request: &Request, to: &To) -> Outgoing {
    let by_name = || models::find(&format!("openai/{}", request.model));
    let model = to.known.as_deref().or_else(by_name);
    let turns = history::turns(&request.messages, carries);
    let mut body = json!({
        "model": request.model,
        "input": turns.iter().flat_map(items).collect::<Vec<Value>>(),
        "max_output_tokens": request.max_tokens,
        "stream": true,
        // The server keeps nothing, so reasoning travels with the history, encrypted.
        "store": false,
        // Requests with one key go to one machine, where their common beginning is cached.
        "prompt_cache_key": history::plain_name(&request.session, 64),
    });
    if !request.system.is_empty() {
        body["instructions"] = request.system.to_string().into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request
            .tools
            .iter()
            .map(|tool| {
                json!({
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                    "strict": false,
                })
            })
            .collect();
    }
    if request.purpose == Purpose::WebSearch {
        // https://platform.openai.com/docs/guides/tools-web-search
        body["tools"] = json!([{"type": "web_search"}]);
        body["include"] = json!(["web_search_call.action.sources"]);
    }
    // Models that do not reason refuse to be asked about it.
    if reasons(&request.model, model) {
        if request.purpose != Purpose::WebSearch {
            body["include"] = json!(["reasoning.encrypted_content"]);
        }
        if let Some(reasoning) = reasoning(request, model) {
            body["reasoning"] = reasoning;
        }
    }
    Outgoing { path: "/responses", headers: Vec::new(), body }
}

fn reasons(name: &str, model: Option<&Model>) -> bool {
    match model {
        Some(model) => model.thinking != Thinking::None,
        None => !["gpt-3", "gpt-4", "chatgpt-4"].iter().any(|old| name.starts_with(old)),
    }
}

fn reasoning(request: &Request, model: Option<&Model>) -> Option<Value> {
    if request.purpose == Purpose::Side {
        // A title needs no thought; only a known model is known to take less.
        return model.map(|model| json!({"effort": model.efforts.first()}));
    }
    let effort = request.effort.map(|effort| {
        model
            .and_then(|model| model.efforts.get(effort as usize).cloned())
            .unwrap_or_else(|| ["low", "medium", "high", "high"][effort as usize].to_owned())
    });
    match (effort, model) {
        (Some(effort), Some(_)) => Some(json!({"effort": effort, "summary": "auto"})),
        (Some(effort), None) => Some(json!({"effort": effort})),
        (None, Some(_)) => Some(json!({"summary": "auto"})),
        (None, None) => None,
    }
}

/// An item of reasoning is of use only with its encrypted content.
fn carries(part: &Part) -> bool {
    match part {
        Part::Opaque { wire, value } => {
            wire == WIRE && (!is_reasoning(value) || value["encrypted_content"].is_string())
        }
        Part::Thinking { .. } | Part::RedactedThinking { .. } => false,
        Part::Text { .. } | Part::Call { .. } | Part::Result { .. } | Part::Image { .. } => true,
    }
}

fn is_reasoning(item: &Value) -> bool {
    item["type"] == "reasoning"
}

fn items(turn: &Turn<'_>) -> Vec<Value> {
    match turn.role {
        Role::User => user_items(turn),
        Role::Assistant => assistant_items(turn),
    }
}

fn user_items(turn: &Turn<'_>) -> Vec<Value> {
    let mut items = Vec::new();
    let mut content = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Result { call, text, .. } => items.push(json!({
                "type": "function_call_output",
                "call_id": history::plain_name(&call.0, 64),
                "output": text,
            })),
            Part::Text { text } => content.push(json!({"type": "input_text", "text": text})),
            Part::Image { media_type, data } => content.push(json!({
                "type": "input_image",
                "image_url": format!("data:{media_type};base64,{data}"),
            })),
            Part::Thinking { .. }
            | Part::RedactedThinking { .. }
            | Part::Call { .. }
            | Part::Opaque { .. } => {}
        }
    }
    if !content.is_empty() {
        items.push(json!({"role": "user", "content": content}));
    }
    items
}

fn assistant_items(turn: &Turn<'_>) -> Vec<Value> {
    let mut items: Vec<Value> = turn
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(json!({
                "role": "assistant",
                "content": [{"type": "output_text", "text": text}],
            })),
            Part::Call { id, tool, input } => Some(json!({
                "type": "function_call",
                "call_id": history::plain_name(&id.0, 64),
                "name": history::plain_name(tool, 64),
                "arguments": input.to_string(),
            })),
            Part::Opaque { value, .. } => Some(value.clone()),
            Part::Thinking { .. }
            | Part::RedactedThinking { .. }
            | Part::Result { .. }
            | Part::Image { .. } => None,
        })
        .collect();
    // The server refuses reasoning without what it led to; a cut answer leaves such.
    while items.last().is_some_and(is_reasoning) {
        items.pop();
    }
    items
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::ToolSpec;
    use crate::config::Effort;
    use crate::protocol::{CallId, Message};

    fn request(model: &str, messages: Vec<Message>) -> Request {
        Request {
            model: model.to_owned(),
            system: Arc::from("be brief"),
            tools: Arc::from([ToolSpec {
                name: "Read".to_owned(),
                description: "reads".to_owned(),
                schema: json!({"type": "object"}),
            }]),
            messages,
            max_tokens: 100,
            effort: None,
            session: "0190-s".to_owned(),
            purpose: Purpose::Conversation,
        }
    }

    #[test]
    fn a_body_is_as_the_documentation_has_it() {
        let text = |text: &str| Part::Text { text: text.to_owned() };
        let opaque = |wire: &str, value: Value| Part::Opaque { wire: wire.to_owned(), value };
        let reasoning = |id: &str| json!({"type": "reasoning", "id": id, "summary": [], "encrypted_content": "x"});
        let messages = vec![
            Message {
                role: Role::User,
                parts: vec![
                    text("hi"),
                    Part::Image { media_type: "image/png".to_owned(), data: "AA==".to_owned() },
                ],
            },
            Message {
                role: Role::Assistant,
                parts: vec![
                    Part::Thinking { text: "hm".to_owned(), signature: None },
                    opaque(WIRE, reasoning("rs_1")),
                    opaque(WIRE, json!({"type": "reasoning", "id": "rs_2", "summary": []})),
                    opaque("anthropic", json!({"type": "server_tool_use"})),
                    text("so"),
                    Part::Call {
                        id: CallId("call_1".to_owned()),
                        tool: "Read".to_owned(),
                        input: json!({"a": 1}),
                    },
                    opaque(WIRE, reasoning("rs_3")),
                ],
            },
            Message {
                role: Role::User,
                parts: vec![
                    text("go on"),
                    Part::Result {
                        call: CallId("call_1".to_owned()),
                        text: "out".to_owned(),
                        is_error: false,
                    },
                ],
            },
        ];
        let out = build(&request("gpt-6.2-sol", messages), &To::default());
        assert_eq!((out.path, out.headers), ("/responses", vec![]));
        assert_eq!(
            out.body,
            json!({
                "model": "gpt-6.2-sol",
                "input": [
                    {"role": "user", "content": [
                        {"type": "input_text", "text": "hi"},
                        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
                    ]},
                    reasoning("rs_1"),
                    {"role": "assistant", "content": [{"type": "output_text", "text": "so"}]},
                    {"type": "function_call", "call_id": "call_1", "name": "Read", "arguments": "{\"a\":1}"},
                    {"type": "function_call_output", "call_id": "call_1", "output": "out"},
                    {"role": "user", "content": [{"type": "input_text", "text": "go on"}]},
                ],
                "max_output_tokens": 100,
                "stream": true,
                "store": false,
                "prompt_cache_key": "0190-s",
                "instructions": "be brief",
                "tools": [{"type": "function", "name": "Read", "description": "reads", "parameters": {"type": "object"}, "strict": false}],
                "include": ["reasoning.encrypted_content"],
                "reasoning": {"summary": "auto"},
            })
        );
    }

    #[test]
    fn reasoning_is_asked_for_as_the_model_can() {
        for (model, effort, purpose, reasoning) in [
            (
                "gpt-6.2-sol",
                Some(Effort::Max),
                Purpose::Conversation,
                json!({"effort": "xhigh", "summary": "auto"}),
            ),
            (
                "gpt-5-mini-2025-08-07",
                Some(Effort::Low),
                Purpose::Conversation,
                json!({"effort": "low", "summary": "auto"}),
            ),
            ("gpt-5-mini", None, Purpose::Side, json!({"effort": "low"})),
            ("gpt-4.1", Some(Effort::High), Purpose::Conversation, Value::Null),
            ("local", Some(Effort::Max), Purpose::Conversation, json!({"effort": "high"})),
            ("local", None, Purpose::Conversation, Value::Null),
            ("local", None, Purpose::Side, Value::Null),
        ] {
            let mut asked = request(model, vec![Message::user("hi")]);
            asked.effort = effort;
            asked.purpose = purpose;
            let body = build(&asked, &To::default()).body;
            assert_eq!(
                body.get("reasoning").cloned().unwrap_or_default(),
                reasoning,
                "{model} {effort:?}"
            );
            assert_eq!(body.get("include").is_some(), model != "gpt-4.1", "{model}");
        }
    }
}
