//! A [`Request`] as a Chat Completions body.

use serde_json::{Value, json};

use crate::api::cache;
use crate::api::history::{self, Turn};
use crate::api::http::Outgoing;
use crate::api::openai_chat::{WIRE, details};
use crate::api::{Purpose, Request};
use crate::config::{CacheTtl, Effort};
use crate::protocol::{Part, Role};

/// What a server takes that others refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's own newer models know only `max_completion_tokens`; everyone else knows
    /// `max_tokens`.
    OpenAi,
    /// Takes thinking back in the form in which it gave it, and passes on where a prompt is to be
    /// cached.
    OpenRouter,
    Other,
}

impl Dialect {
    pub fn of(host: &str) -> Dialect {
        match host {
            "api.openai.com" => Dialect::OpenAi,
            host if host == "openrouter.ai" || host.ends_with(".openrouter.ai") => {
                Dialect::OpenRouter
            }
            _ => Dialect::Other,
        }
    }
}

pub fn build(request: &Request, dialect: Dialect, cache: CacheTtl) -> Outgoing {
    let turns = history::turns(&request.messages, |part| carries(part, dialect));
    // Anthropic's models cache only what they are told to.
    let told = dialect == Dialect::OpenRouter
        && request.model.starts_with("anthropic/")
        && request.purpose == Purpose::Conversation;
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        let content = if told {
            let mark = cache::mark(cache);
            json!([{"type": "text", "text": &*request.system, "cache_control": mark}])
        } else {
            json!(&*request.system)
        };
        messages.push(json!({"role": "system", "content": content}));
    }
    for turn in &turns {
        match turn.role {
            Role::User => user(turn, &mut messages),
            Role::Assistant => messages.extend(assistant(turn)),
        }
    }
    let limit = match dialect {
        Dialect::OpenAi => "max_completion_tokens",
        Dialect::OpenRouter | Dialect::Other => "max_tokens",
    };
    let mut body = json!({
        "model": request.model,
        "messages": messages,
        limit: request.max_tokens,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if told {
        // At the top it means the last block, wherever that is.
        body["cache_control"] = cache::mark(cache);
    }
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
fn carries(part: &Part, dialect: Dialect) -> bool {
    match part {
        Part::Thinking { signature, text } => signature.is_none() && !text.is_empty(),
        Part::Opaque { wire, .. } => wire == WIRE && dialect == Dialect::OpenRouter,
        Part::RedactedThinking { .. } => false,
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
    let (mut calls, mut details) = (Vec::new(), Vec::new());
    for part in &turn.parts {
        match part {
            Part::Text { text } => content.push_str(text),
            Part::Opaque { value, .. } => {
                details.extend(value[details::FIELD].as_array().into_iter().flatten().cloned());
            }
            Part::Thinking { text, .. } => reasoning.push_str(text),
            Part::Call { id, tool, input } => calls.push(json!({
                "id": id.0,
                "type": "function",
                "function": {
                    "name": history::plain_name(tool, 64),
                    "arguments": input.to_string(),
                },
            })),
            Part::Result { .. } | Part::RedactedThinking { .. } | Part::Image { .. } => {}
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
        if !reasoning.is_empty() && details.is_empty() {
            message["reasoning_content"] = reasoning.into();
        }
    }
    if !details.is_empty() {
        message[details::FIELD] = details.into();
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
        let out = build(&request, Dialect::Other, CacheTtl::default());
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
        let openai = build(
            &Request { purpose: Purpose::Side, ..request },
            Dialect::OpenAi,
            CacheTtl::default(),
        )
        .body;
        assert_eq!(openai["max_completion_tokens"], 100);
        assert_eq!((openai.get("max_tokens"), openai.get("reasoning_effort")), (None, None));
    }

    #[test]
    fn openrouter_gets_its_thinking_back_and_is_told_what_to_cache() {
        let details = json!([{"type": "reasoning.text", "text": "hm", "signature": "s"}]);
        let value = json!({"reasoning_details": details});
        let said = vec![
            Part::Thinking { text: "hm".to_owned(), signature: None },
            Part::Opaque { wire: "anthropic".to_owned(), value: json!({"type": "x"}) },
            Part::Text { text: "ok".to_owned() },
            Part::Opaque { wire: WIRE.to_owned(), value },
        ];
        let request = |model: &str| Request {
            model: model.to_owned(),
            system: Arc::from("be brief"),
            tools: Arc::from([]),
            messages: vec![
                Message::user("a"),
                Message { role: Role::Assistant, parts: said.clone() },
                Message::user("b"),
            ],
            max_tokens: 100,
            effort: None,
            session: "s".to_owned(),
            purpose: Purpose::Conversation,
        };
        assert_eq!(Dialect::of("openrouter.ai"), Dialect::OpenRouter);
        assert_eq!(Dialect::of("notopenrouter.ai"), Dialect::Other);
        let claude = "anthropic/claude-sonnet-5";
        let hour = json!({"type": "ephemeral", "ttl": "1h"});
        let body = build(&request(claude), Dialect::OpenRouter, CacheTtl::OneHour).body;
        assert_eq!(body["cache_control"], hour);
        let system = json!([{"type": "text", "text": "be brief", "cache_control": hour}]);
        assert_eq!(body["messages"][0]["content"], system);
        let answer = json!({"role": "assistant", "content": "ok", "reasoning_details": details});
        assert_eq!(body["messages"][2], answer);

        // Nobody else is sent any of it.
        for (model, dialect) in [
            ("x-ai/grok", Dialect::OpenRouter),
            (claude, Dialect::Other),
            (claude, Dialect::OpenAi),
        ] {
            let body = build(&request(model), dialect, CacheTtl::OneHour).body;
            assert!(!body.to_string().contains("cache_control"), "{body}");
            let has = body["messages"][2].get("reasoning_details").is_some();
            assert_eq!(has, dialect == Dialect::OpenRouter, "{body}");
        }
    }
}
