//! A [`Request`] as a Messages API body.

use serde_json::{Map, Value, json};

use crate::api::anthropic::WIRE;
use crate::api::cache::{self, Block, breakpoints};
use crate::api::history::{self, Turn};
use crate::api::http::Outgoing;
use crate::api::{Purpose, Request, To};
use crate::config::{CacheTtl, Effort};
use crate::models::{self, Model, Thinking};
use crate::protocol::{Part, Role};

/// Fewer tokens of thinking are refused by the server.
const LEAST_BUDGET: u32 = 1024;
/// Searches that the server may make for one question; each is billed.
const SEARCHES: u32 = 3;

pub fn build(request: &Request, to: &To) -> Outgoing {
    let by_name = || models::find(&format!("anthropic/{}", request.model));
    let model = to.known.as_deref().or_else(by_name);
    let turns = history::turns(&request.messages, carries);
    let thinking = thinking(request, model, &turns);
    let mut body = json!({
        "model": request.model,
        "max_tokens": request.max_tokens,
        "stream": true,
    });
    let mark_prefix = request.purpose == Purpose::Conversation;
    if !request.system.is_empty() {
        let mut block = json!({"type": "text", "text": &*request.system});
        if mark_prefix {
            mark(&mut block, to.cache);
        }
        body["system"] = json!([block]);
    }
    if !request.tools.is_empty() {
        let mut tools: Vec<Value> = request
            .tools
            .iter()
            .map(|tool| {
                json!({
                    "name": tool.name,
                    "description": tool.description,
                    "input_schema": tool.schema,
                })
            })
            .collect();
        if mark_prefix
            && request.system.is_empty()
            && let Some(last) = tools.last_mut()
        {
            mark(last, to.cache);
        }
        body["tools"] = tools.into();
    }
    if request.purpose == Purpose::WebSearch {
        // https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
        let search =
            json!({"type": "web_search_20250305", "name": "web_search", "max_uses": SEARCHES});
        body["tools"] = json!([search]);
    }
    body["messages"] = messages(&turns, request.purpose, to.cache);
    let mut headers = vec![("anthropic-version", "2023-06-01".to_owned())];
    match thinking {
        Asked::Nothing => {}
        Asked::Budget(tokens) => {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": tokens});
            headers.push(("anthropic-beta", "interleaved-thinking-2025-05-14".to_owned()));
        }
        Asked::Adaptive(effort) => {
            body["thinking"] = json!({"type": "adaptive", "display": "summarized"});
            if let Some(effort) = effort {
                body["output_config"] = json!({"effort": effort});
            }
        }
    }
    Outgoing { path: "/v1/messages", headers, body }
}

/// The same request, to be counted and not answered:
/// <https://platform.claude.com/docs/en/build-with-claude/token-counting>.
pub fn counting(request: &Request, to: &To) -> Outgoing {
    let mut outgoing = build(request, to);
    if let Some(body) = outgoing.body.as_object_mut() {
        body.remove("max_tokens");
        body.remove("stream");
    }
    Outgoing { path: "/v1/messages/count_tokens", ..outgoing }
}

/// What the request says about thinking.
#[derive(Debug, PartialEq)]
enum Asked {
    Nothing,
    Budget(u32),
    Adaptive(Option<String>),
}

/// Thinking is part of what the server caches, so it depends on nothing that changes from request
/// to request but the one case where the server would refuse it.
fn thinking(request: &Request, model: Option<&Model>, turns: &[Turn<'_>]) -> Asked {
    let Some(model) = model else { return Asked::Nothing };
    if request.purpose != Purpose::Conversation {
        return Asked::Nothing;
    }
    match model.thinking {
        Thinking::None => Asked::Nothing,
        Thinking::Adaptive | Thinking::Always => Asked::Adaptive(
            request.effort.and_then(|effort| model.efforts.get(effort as usize).cloned()),
        ),
        Thinking::Budget => match request.effort {
            Some(effort) if !loop_began_without_thinking(turns) => {
                let wanted = match effort {
                    Effort::Low => 4_000,
                    Effort::Medium => 10_000,
                    Effort::High => 20_000,
                    Effort::Max => 31_999,
                };
                // The budget counts toward `max_tokens`; the answer needs some of it.
                let budget = wanted.min(request.max_tokens / 5 * 4);
                if budget >= LEAST_BUDGET { Asked::Budget(budget) } else { Asked::Nothing }
            }
            _ => Asked::Nothing,
        },
    }
}

/// With thinking on, the server wants the calls whose results are sent to have been thought about;
/// calls from before a switch of model or effort have not been.
fn loop_began_without_thinking(turns: &[Turn<'_>]) -> bool {
    let [.., asked, answered] = turns else { return false };
    let has_results = answered.parts.iter().any(|part| matches!(part, Part::Result { .. }));
    let thought =
        matches!(asked.parts.first(), Some(Part::Thinking { .. } | Part::RedactedThinking { .. }));
    has_results && !thought
}

/// Thinking goes back only with its signature; other wires' items not at all.
fn carries(part: &Part) -> bool {
    match part {
        Part::Thinking { signature, .. } => signature.as_ref().is_some_and(|s| !s.is_empty()),
        Part::Opaque { wire, .. } => wire == WIRE,
        Part::Text { .. }
        | Part::RedactedThinking { .. }
        | Part::Call { .. }
        | Part::Result { .. }
        | Part::Image { .. } => true,
    }
}

fn messages(turns: &[Turn<'_>], purpose: Purpose, cache: CacheTtl) -> Value {
    let blocks: Vec<Block> = turns
        .iter()
        .flat_map(|turn| {
            turn.parts.iter().map(|part| Block { role: turn.role, markable: markable(part) })
        })
        .collect();
    let marks = match purpose {
        Purpose::Conversation => breakpoints(&blocks),
        // Nothing follows a side request that could read what it wrote.
        Purpose::Side | Purpose::WebSearch => Vec::new(),
    };
    let mut at = 0;
    turns
        .iter()
        .map(|turn| {
            let content: Vec<Value> = turn
                .parts
                .iter()
                .map(|part| {
                    let mut block = block(part);
                    if marks.contains(&at) {
                        mark(&mut block, cache);
                    }
                    at += 1;
                    block
                })
                .collect();
            let role = match turn.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            json!({"role": role, "content": content})
        })
        .collect()
}

fn markable(part: &Part) -> bool {
    matches!(part, Part::Text { .. } | Part::Call { .. } | Part::Result { .. } | Part::Image { .. })
}

fn mark(block: &mut Value, cache: CacheTtl) {
    block["cache_control"] = cache::mark(cache);
}

fn block(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({"type": "text", "text": text}),
        Part::Thinking { text, signature } => {
            json!({"type": "thinking", "thinking": text, "signature": signature})
        }
        Part::RedactedThinking { data } => json!({"type": "redacted_thinking", "data": data}),
        Part::Call { id, tool, input } => json!({
            "type": "tool_use",
            "id": history::plain_name(&id.0, 256),
            "name": history::plain_name(tool, 128),
            // The server takes an object only; a model may have sent anything.
            "input": if input.is_object() { input.clone() } else { Value::Object(Map::new()) },
        }),
        Part::Result { call, text, is_error } => {
            let mut block = json!({
                "type": "tool_result",
                "tool_use_id": history::plain_name(&call.0, 256),
                "content": text,
            });
            if *is_error {
                block["is_error"] = true.into();
            }
            block
        }
        Part::Image { media_type, data } => json!({
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": data},
        }),
        Part::Opaque { value, .. } => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::ToolSpec;
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
            max_tokens: 8000,
            effort: None,
            session: "s".to_owned(),
            purpose: Purpose::Conversation,
        }
    }

    fn call(id: &str) -> Part {
        Part::Call { id: CallId(id.to_owned()), tool: "Read".to_owned(), input: json!({"a": 1}) }
    }

    fn result(id: &str, is_error: bool) -> Part {
        Part::Result { call: CallId(id.to_owned()), text: "out".to_owned(), is_error }
    }

    fn thought(signature: Option<&str>) -> Part {
        Part::Thinking { text: "hm".to_owned(), signature: signature.map(str::to_owned) }
    }

    fn user(parts: Vec<Part>) -> Message {
        Message { role: Role::User, parts }
    }

    fn assistant(parts: Vec<Part>) -> Message {
        Message { role: Role::Assistant, parts }
    }

    #[test]
    fn a_body_is_as_the_documentation_has_it() {
        let image = Part::Image { media_type: "image/png".to_owned(), data: "AA==".to_owned() };
        let own = Part::Opaque { wire: WIRE.to_owned(), value: json!({"type": "server_tool_use"}) };
        let foreign = Part::Opaque { wire: "openai-responses".to_owned(), value: json!({}) };
        let text = |text: &str| Part::Text { text: text.to_owned() };
        let messages = vec![
            user(vec![text("hi"), image]),
            assistant(vec![
                thought(Some("sig")),
                thought(None),
                foreign,
                own,
                text("so"),
                call("a:1"),
                call("b"),
            ]),
            user(vec![text("also"), result("a:1", false), result("b", true)]),
        ];
        let out = build(&request("claude-sonnet-4-5", messages), &To::default());
        assert_eq!(out.path, "/v1/messages");
        assert_eq!(out.headers, [("anthropic-version", "2023-06-01".to_owned())]);
        assert_eq!(
            out.body,
            json!({
                "model": "claude-sonnet-4-5",
                "max_tokens": 8000,
                "stream": true,
                "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
                "tools": [{"name": "Read", "description": "reads", "input_schema": {"type": "object"}}],
                "messages": [
                    {"role": "user", "content": [
                        {"type": "text", "text": "hi"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                         "cache_control": {"type": "ephemeral"}},
                    ]},
                    {"role": "assistant", "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "sig"},
                        {"type": "server_tool_use"},
                        {"type": "text", "text": "so"},
                        {"type": "tool_use", "id": "a_1", "name": "Read", "input": {"a": 1}},
                        {"type": "tool_use", "id": "b", "name": "Read", "input": {"a": 1}},
                    ]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "a_1", "content": "out"},
                        {"type": "tool_result", "tool_use_id": "b", "content": "out", "is_error": true},
                        {"type": "text", "text": "also", "cache_control": {"type": "ephemeral"}},
                    ]},
                ],
            })
        );
    }

    #[test]
    fn a_side_request_marks_and_thinks_nothing() {
        let mut side = request("claude-opus-4-6", vec![Message::user("title?")]);
        side.purpose = Purpose::Side;
        side.effort = Some(Effort::High);
        let body = build(&side, &To::default()).body.to_string();
        assert!(!body.contains("cache_control") && !body.contains("thinking"), "{body}");
    }

    #[test]
    fn without_a_system_text_the_last_tool_ends_the_prefix() {
        let mut bare = request("claude-sonnet-4-5", vec![Message::user("hi")]);
        bare.system = Arc::from("");
        let body = build(&bare, &To::default()).body;
        assert_eq!(body.get("system"), None);
        assert_eq!(body["tools"][0]["cache_control"], json!({"type": "ephemeral"}));
    }

    #[test]
    fn thinking_is_asked_for_as_the_model_can() {
        let prompt = || vec![Message::user("hi")];
        let plain_loop = || {
            vec![Message::user("hi"), assistant(vec![call("a")]), user(vec![result("a", false)])]
        };
        let thought_loop = || {
            vec![
                Message::user("hi"),
                assistant(vec![thought(Some("s")), call("a")]),
                user(vec![result("a", false)]),
            ]
        };
        let budget = |tokens| json!({"type": "enabled", "budget_tokens": tokens});
        let adaptive = || json!({"type": "adaptive", "display": "summarized"});
        for (model, effort, max_tokens, messages, thinking, config) in [
            ("claude-sonnet-4-5", None, 8000, prompt(), Value::Null, Value::Null),
            ("claude-sonnet-4-5", Some(Effort::Low), 32_000, prompt(), budget(4000), Value::Null),
            ("claude-sonnet-4-5", Some(Effort::Max), 64_000, prompt(), budget(31_999), Value::Null),
            ("claude-sonnet-4-5", Some(Effort::High), 8000, prompt(), budget(6400), Value::Null),
            ("claude-sonnet-4-5", Some(Effort::High), 1000, prompt(), Value::Null, Value::Null),
            ("claude-sonnet-4-5", Some(Effort::Low), 8000, plain_loop(), Value::Null, Value::Null),
            (
                "claude-sonnet-4-5",
                Some(Effort::Low),
                8000,
                thought_loop(),
                budget(4000),
                Value::Null,
            ),
            ("claude-opus-4-6", None, 8000, prompt(), adaptive(), Value::Null),
            (
                "claude-opus-4-6",
                Some(Effort::Max),
                8000,
                plain_loop(),
                adaptive(),
                json!({"effort": "max"}),
            ),
            ("claude-3-5-haiku", Some(Effort::Max), 8000, prompt(), Value::Null, Value::Null),
            ("smollm2-135m", Some(Effort::Max), 8000, prompt(), Value::Null, Value::Null),
        ] {
            let mut asked = request(model, messages);
            asked.effort = effort;
            asked.max_tokens = max_tokens;
            let body = build(&asked, &To::default()).body;
            let got = |key: &str| body.get(key).cloned().unwrap_or_default();
            assert_eq!(
                (got("thinking"), got("output_config")),
                (thinking, config),
                "{model} {effort:?}"
            );
        }
    }

    #[test]
    fn a_longer_history_leaves_the_beginning_as_it_was() {
        let mut messages = vec![Message::user("hi")];
        let unmarked = |messages: &[Message]| {
            let mut body =
                build(&request("claude-sonnet-4-5", messages.to_vec()), &To::default()).body;
            for message in body["messages"].as_array_mut().unwrap() {
                for block in message["content"].as_array_mut().unwrap() {
                    block.as_object_mut().unwrap().remove("cache_control");
                }
            }
            let text = body["messages"].to_string();
            text.trim_end_matches(']').trim_end_matches('}').trim_end_matches(']').to_owned()
        };
        let mut before = unmarked(&messages);
        for turn in 0..20 {
            let id = turn.to_string();
            if turn % 5 == 4 {
                messages.push(Message::assistant("done"));
                messages.push(Message::user("next"));
                messages.push(Message::user("and"));
            } else {
                messages.push(assistant(vec![call(&id)]));
                messages.push(user(vec![result(&id, false)]));
            }
            let after = unmarked(&messages);
            assert!(after.starts_with(&before), "{before}\n{after}");
            before = after;
        }
    }

    #[test]
    fn the_cache_is_asked_to_keep_for_as_long_as_configured() {
        let to = To { cache: CacheTtl::OneHour, ..To::default() };
        let body = build(&request("claude-sonnet-4-5", vec![Message::user("hi")]), &to).body;
        let hour = json!({"type": "ephemeral", "ttl": "1h"});
        assert_eq!(body["system"][0]["cache_control"], hour);
        assert_eq!(body["messages"][0]["content"][0]["cache_control"], hour);
    }

    #[test]
    fn what_the_user_says_of_a_model_counts() {
        let known = models::find("anthropic/claude-opus-5").cloned().map(Arc::new);
        let mut asked = request("gateway-name", vec![Message::user("hi")]);
        asked.effort = Some(Effort::Max);
        assert_eq!(build(&asked, &To::default()).body["thinking"], Value::Null);
        let body = build(&asked, &To { known, ..To::default() }).body;
        assert_eq!(body["thinking"]["type"], "adaptive");
        assert_eq!(body["output_config"]["effort"], "max");
    }
}
