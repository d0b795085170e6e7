//! One conversation over all three wires: each model is sent what the others said and did, in the
//! form that its own wire takes, and nothing that only another wire understands.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tern::protocol::{Command, Event, Input, InputImage, TurnEnd, TurnId};

use crate::pictures::png;
use crate::support::online::Online;
use crate::support::server::{Asked, FakeServer, Reply};
use crate::support::session::{Options, Session};

const CLAUDE: &str = "anthropic/claude-sonnet-4-5";
const GPT: &str = "openai/gpt-6.2-sol";
const LOCAL: &str = "vllm/qwen";

/// A call to look around, then words; each with the thinking of its wire.
fn answers(asked: &Asked) -> Reply {
    let path = asked.path.as_str();
    let last = match path {
        "/v1/responses" => &asked.body["input"],
        _ => &asked.body["messages"],
    };
    let last = last.as_array().unwrap().last().unwrap().to_string();
    let called = ["tool_result", "function_call_output", "\"role\":\"tool\""];
    let called = called.iter().any(|mark| last.contains(mark));
    let list = json!({"path": "."});
    Reply::json(
        200,
        match (path, called) {
            ("/v1/messages", false) => json!({
                "content": [
                    {"type": "thinking", "thinking": "Claude thinks.", "signature": "claude-sig"},
                    {"type": "text", "text": "Claude looks."},
                    {"type": "tool_use", "id": "toolu_1", "name": "LS", "input": list},
                ],
                "stop_reason": "tool_use", "usage": {"input_tokens": 10, "output_tokens": 5},
            }),
            ("/v1/messages", true) => json!({
                "content": [{"type": "text", "text": "Claude is done."}],
                "stop_reason": "end_turn", "usage": {"input_tokens": 10, "output_tokens": 5},
            }),
            ("/v1/responses", false) => json!({
                "status": "completed",
                "output": [
                    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gpt-enc"},
                    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "LS",
                     "arguments": list.to_string(), "status": "completed"},
                ],
                "usage": {"input_tokens": 10, "output_tokens": 5},
            }),
            ("/v1/responses", true) => json!({
                "status": "completed",
                "output": [{"type": "message", "id": "msg_1", "role": "assistant",
                            "content": [{"type": "output_text", "text": "GPT is done."}]}],
                "usage": {"input_tokens": 10, "output_tokens": 5},
            }),
            ("/v1/chat/completions", false) => json!({
                "choices": [{"finish_reason": "tool_calls", "message": {
                    "role": "assistant", "content": null, "reasoning_content": "Qwen thinks.",
                    "tool_calls": [{"id": "functions.LS:0", "type": "function",
                                    "function": {"name": "LS", "arguments": list.to_string()}}],
                }}],
            }),
            ("/v1/chat/completions", true) => json!({
                "choices": [{"finish_reason": "stop",
                             "message": {"role": "assistant", "content": "Qwen is done."}}],
            }),
            other => panic!("{other:?}"),
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_over_every_wire() {
    let server = FakeServer::answering(answers).await;
    let online = Online::at(&server.base_url());
    let mut session = Session::staged(Options::default(), [], |setup, _| {
        setup.model = CLAUDE.into();
        setup.router = Arc::new(online);
    });
    let image = InputImage { name: "image 1".into(), data: STANDARD.encode(png()) };
    let first = Input { images: vec![image], ..Input::text("Look at [image 1].") };
    session.send(Command::Submit { turn: TurnId(100), input: first }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    for (n, model) in [GPT, LOCAL, CLAUDE, LOCAL, GPT, CLAUDE].into_iter().enumerate() {
        session.send(Command::SetModel { model: model.into() }).await;
        session
            .until(|event| match event {
                Event::ModelSet { model: set, .. } => (set == model).then_some(()),
                _ => None,
            })
            .await;
        assert_eq!(session.ask(&format!("And then, {n}?")).await, TurnEnd::Done, "{model}");
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 14, "two for each turn");
    for asked in &requests {
        match asked.path.as_str() {
            "/v1/messages" => messages_are_valid(&asked.body),
            "/v1/responses" => responses_are_valid(&asked.body),
            _ => chat_is_valid(&asked.body),
        }
    }
    // Everything that was said and seen is there, and each wire's own thinking is back.
    let of = |path: &str| {
        let last = requests.iter().rev().find(|asked| asked.path == path).unwrap();
        last.body.to_string()
    };
    for (path, own, foreign) in [
        ("/v1/messages", "claude-sig", "gpt-enc"),
        ("/v1/responses", "gpt-enc", "claude-sig"),
        ("/v1/chat/completions", "Qwen thinks.", "claude-sig"),
    ] {
        let body = of(path);
        for said in ["Claude looks.", "Claude is done.", "GPT is done.", "Qwen is done.", own] {
            assert!(body.contains(said), "{said} on {path}");
        }
        assert!(!body.contains(foreign), "{foreign} on {path}");
    }
    assert!(of("/v1/messages").contains("\"type\":\"image\""));
    assert!(of("/v1/responses").contains("input_image"));
    // Nothing is known of the local model, so it gets a sentence.
    assert!(of("/v1/chat/completions").contains("an image was here"));
}

/// Names and ids that every server takes.
fn plain(name: &Value) -> String {
    let name = name.as_str().unwrap().to_owned();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    assert!(!name.is_empty() && name.len() <= 64 && name.chars().all(fits), "{name}");
    name
}

fn messages_are_valid(body: &Value) {
    let messages = body["messages"].as_array().unwrap();
    let mut open = BTreeSet::new();
    for (n, message) in messages.iter().enumerate() {
        assert_eq!(message["role"], ["user", "assistant"][n % 2], "roles alternate");
        let mut answered = BTreeSet::new();
        for block in message["content"].as_array().unwrap() {
            match block["type"].as_str().unwrap() {
                "tool_use" => assert!(open.insert(plain(&block["id"]))),
                "tool_result" => assert!(answered.insert(plain(&block["tool_use_id"]))),
                "thinking" => assert_eq!(block["signature"], "claude-sig"),
                "text" | "image" => {}
                other => panic!("{other}"),
            }
        }
        if n % 2 == 0 {
            assert_eq!(std::mem::take(&mut open), answered, "every call has its result");
        }
    }
}

fn responses_are_valid(body: &Value) {
    let (mut open, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for item in body["input"].as_array().unwrap() {
        match item["type"].as_str() {
            Some("function_call") => assert!(open.insert(plain(&item["call_id"]))),
            Some("function_call_output") => assert!(answered.insert(plain(&item["call_id"]))),
            Some("reasoning") => assert_eq!(item["encrypted_content"], "gpt-enc"),
            Some("message") | None => assert!(item["role"].is_string(), "{item}"),
            Some(other) => panic!("{other}"),
        }
    }
    assert_eq!(open, answered);
    assert_eq!(body["store"], false);
}

fn chat_is_valid(body: &Value) {
    let mut open = BTreeSet::new();
    for message in body["messages"].as_array().unwrap() {
        if message["role"] == "tool" {
            assert!(open.remove(message["tool_call_id"].as_str().unwrap()), "{message}");
            continue;
        }
        assert!(open.is_empty(), "results follow their calls at once");
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            assert!(open.insert(call["id"].as_str().unwrap().to_owned()));
        }
        for field in message.as_object().unwrap().keys() {
            let known = ["role", "content", "tool_calls", "reasoning_content"];
            assert!(known.contains(&field.as_str()), "{field}");
        }
    }
    assert!(open.is_empty());
}
