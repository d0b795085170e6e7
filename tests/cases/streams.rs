//! The recorded and hand-made streams of `streams/`: each gives the result that the vendor's own
//! SDK gives, or a better one where `streams/README.md` says so, however its bytes are cut.

#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value, reason = "test code")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tern::api::answer::{Answer, End, Parts};
use tern::api::{ApiErrorKind, StopReason, StreamPart, error};
use tern::protocol::Usage;

/// What came of a stream, in terms that all wires share.
#[derive(Debug, Clone, PartialEq, Default)]
struct Outcome {
    /// Text, thinking and opaque parts joined by block; calls with their input parsed.
    blocks: Vec<Value>,
    stop: Option<StopReason>,
    usage: Usage,
    error: Option<ApiErrorKind>,
}

/// One capture.
struct Case {
    name: String,
    wire: fn() -> Answer,
    status: u16,
    body: Vec<u8>,
    golden: Value,
}

#[test]
fn every_stream_gives_its_golden_result_however_it_is_cut() {
    let cases = cases();
    assert!(cases.len() >= 39, "{} cases", cases.len());
    for case in &cases {
        let whole = play(case, std::slice::from_ref(&case.body));
        let expected = better(&case.name).unwrap_or_else(|| golden(&case.golden, &whole));
        assert_eq!(whole, expected, "{}", case.name);
        for (how, chunks) in cuts(&case.body) {
            let cut = play(case, &chunks);
            assert_eq!(cut, whole, "{} cut {how}", case.name);
        }
    }
}

#[test]
fn crlf_line_ends_change_nothing() {
    for case in &cases() {
        if case.status != 200 || case.body.contains(&b'\r') || case.body.starts_with(b"{") {
            continue;
        }
        let crlf = String::from_utf8(case.body.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        let cr: Vec<u8> =
            case.body.iter().map(|byte| if *byte == b'\n' { b'\r' } else { *byte }).collect();
        let whole = play(case, std::slice::from_ref(&case.body));
        for body in [crlf, cr] {
            assert_eq!(play(case, std::slice::from_ref(&body)), whole, "{}", case.name);
            let single: Vec<Vec<u8>> = body.chunks(1).map(<[u8]>::to_vec).collect();
            assert_eq!(play(case, &single), whole, "{} byte by byte", case.name);
        }
    }
}

#[test]
fn a_stream_cut_anywhere_runs_no_half_call_and_never_looks_whole() {
    for case in &cases() {
        if case.status != 200 || case.body.starts_with(b"{") {
            continue;
        }
        let whole = play(case, std::slice::from_ref(&case.body));
        let step = (case.body.len() / 200).max(1);
        for at in (0..case.body.len()).step_by(step) {
            for end in [End::Broken, End::Closed] {
                let parts = parts(case, &[case.body[..at].to_vec()], end);
                let outcome = fold(&parts);
                for block in outcome.blocks.iter().filter(|block| block["whole"] == true) {
                    assert!(whole.blocks.contains(block), "{} cut at {at}: {block}", case.name);
                }
                assert!(
                    outcome.error.is_some() || outcome.stop == whole.stop,
                    "{} cut at {at}",
                    case.name
                );
                let last_is_end = matches!(parts.last(), Some(Ok(StreamPart::Stopped(_)) | Err(_)));
                assert!(last_is_end, "{} cut at {at}", case.name);
            }
        }
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/streams");
    let mut bodies: Vec<PathBuf> = ["aimock", "litellm", "llamacpp-smollm2", "synthetic"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "body"))
        .collect();
    bodies.sort();
    bodies
        .iter()
        .map(|path| {
            let json = |extension: &str| -> Value {
                serde_json::from_slice(&std::fs::read(path.with_extension(extension)).unwrap())
                    .unwrap()
            };
            let about = json("json");
            let wire = match about["request"]["path"].as_str().unwrap() {
                "/v1/messages" => Answer::anthropic as fn() -> Answer,
                "/v1/chat/completions" => Answer::openai_chat,
                "/v1/responses" => Answer::openai_responses,
                other => panic!("{other}"),
            };
            let status = about["status"].as_str().unwrap().split(' ').nth(1).unwrap();
            let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            Case {
                name: format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap()),
                wire,
                status: status.parse().unwrap(),
                body: std::fs::read(path).unwrap(),
                golden: json("golden.json"),
            }
        })
        .collect()
}

fn play(case: &Case, chunks: &[Vec<u8>]) -> Outcome {
    if case.status != 200 {
        // The body of an error is read whole before anything is made of it.
        let body = String::from_utf8_lossy(&chunks.concat()).into_owned();
        let error = error::from_text(Some(case.status), &body);
        return Outcome { error: Some(error.kind), ..Outcome::default() };
    }
    fold(&parts(case, chunks, End::Closed))
}

fn parts(case: &Case, chunks: &[Vec<u8>], end: End) -> Parts {
    let mut answer = (case.wire)();
    let mut parts = Vec::new();
    for chunk in chunks {
        answer.push(chunk, &mut parts);
    }
    answer.end(end, &mut parts);
    parts
}

fn fold(parts: &Parts) -> Outcome {
    let mut outcome = Outcome::default();
    let mut blocks: Vec<(usize, Value)> = Vec::new();
    let mut add = |index: usize, kind: &str, key: &str, text: &str| {
        let known = blocks.iter().position(|(at, block)| *at == index && block["type"] == kind);
        let at = known.unwrap_or_else(|| {
            blocks.push((index, json!({"type": kind, key: ""})));
            blocks.len() - 1
        });
        let joined = format!("{}{text}", blocks[at].1[key].as_str().unwrap_or_default());
        blocks[at].1[key] = joined.into();
    };
    for part in parts {
        match part {
            Ok(StreamPart::Text { index, text }) => add(*index, "text", "text", text),
            Ok(StreamPart::Thinking { index, text }) => add(*index, "thinking", "thinking", text),
            Ok(StreamPart::Signature { index, signature }) => {
                add(*index, "thinking", "signature", signature);
            }
            Ok(StreamPart::RedactedThinking { index, data }) => {
                add(*index, "redacted_thinking", "data", data);
            }
            Ok(StreamPart::CallStarted { index, id, name }) => {
                add(*index, "tool_use", "id", id);
                add(*index, "tool_use", "name", name);
            }
            Ok(StreamPart::CallInput { index, json }) => add(*index, "tool_use", "input", json),
            Ok(StreamPart::BlockEnded { index }) => add(*index, "end", "", ""),
            Ok(StreamPart::Usage(usage)) => outcome.usage = *usage,
            Ok(StreamPart::Stopped(stop)) => outcome.stop = Some(stop.clone()),
            Ok(StreamPart::Opaque { .. } | StreamPart::Started | StreamPart::Alive) => {}
            Err(error) => outcome.error = Some(error.kind),
        }
    }
    let ended: Vec<usize> = blocks
        .iter()
        .filter(|(_, block)| block["type"] == "end")
        .map(|(index, _)| *index)
        .collect();
    for (index, mut block) in blocks {
        if block["type"] == "end" {
            continue;
        }
        if block["type"] == "tool_use" {
            block["whole"] = ended.contains(&index).into();
            block["input"] = match block["input"].as_str().unwrap_or_default() {
                "" => json!({}),
                text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            };
        }
        outcome.blocks.push(block);
    }
    outcome
}

/// What the SDK made of the stream, in our terms. Where it only tells that there was an error, the
/// kind is looked up by its class.
fn golden(golden: &Value, ours: &Outcome) -> Outcome {
    if golden["outcome"] == "error" {
        let text = golden["error"]["message"].as_str().unwrap();
        let kind = match golden["error"]["class"].as_str().unwrap() {
            "AuthenticationError" => ApiErrorKind::Auth,
            "RateLimitError" => ApiErrorKind::RateLimit,
            "InternalServerError" => ApiErrorKind::Server,
            "OverloadedError" => ApiErrorKind::Overloaded,
            "APIStatusError" if text.contains("overloaded_error") => ApiErrorKind::Overloaded,
            "BadRequestError" if text.contains("ContextWindowExceeded") => {
                ApiErrorKind::PromptTooLong
            }
            "BadRequestError" if text.contains("Invalid model name") => ApiErrorKind::UnknownModel,
            other => panic!("no kind for {other}: {text}"),
        };
        // What came before the error is ours to keep; the SDK does not tell of it.
        return Outcome { error: Some(kind), stop: None, ..ours.clone() };
    }
    let message = &golden["final"];
    if message["content"].is_array() {
        messages_golden(message)
    } else if message["choices"].is_array() {
        chat_golden(message)
    } else {
        responses_golden(message)
    }
}

fn messages_golden(message: &Value) -> Outcome {
    let blocks =
        message["content"].as_array().unwrap().iter().map(|block| match block["type"].as_str() {
            Some("tool_use") => call(&block["id"], &block["name"], block["input"].clone()),
            _ => block.clone(),
        });
    let count = |name: &str| message["usage"][name].as_u64().unwrap_or(0);
    Outcome {
        blocks: blocks.collect(),
        stop: Some(match message["stop_reason"].as_str().unwrap() {
            "end_turn" => StopReason::EndTurn,
            "tool_use" => StopReason::ToolUse,
            "max_tokens" => StopReason::MaxTokens,
            "pause_turn" => StopReason::PauseTurn,
            other => panic!("{other}"),
        }),
        usage: Usage {
            input: count("input_tokens"),
            cache_read: count("cache_read_input_tokens"),
            cache_write_5m: count("cache_creation_input_tokens"),
            output: count("output_tokens"),
            ..Usage::default()
        },
        error: None,
    }
}

fn chat_golden(message: &Value) -> Outcome {
    let choice = &message["choices"][0];
    let mut blocks = Vec::new();
    if let Some(thinking) = choice["message"]["reasoning_content"].as_str() {
        blocks.push(json!({"type": "thinking", "thinking": thinking}));
    }
    if let Some(text) = choice["message"]["content"].as_str().filter(|text| !text.is_empty()) {
        blocks.push(json!({"type": "text", "text": text}));
    }
    for one in choice["message"]["tool_calls"].as_array().into_iter().flatten() {
        let input = one["function"]["arguments"].as_str().unwrap();
        let input = serde_json::from_str(input).unwrap_or_else(|_| input.into());
        blocks.push(call(&one["id"], &one["function"]["name"], input));
    }
    let count = |path: &str| message["usage"].pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let read = count("/prompt_tokens_details/cached_tokens");
    Outcome {
        blocks,
        stop: Some(match choice["finish_reason"].as_str().unwrap() {
            "stop" => StopReason::EndTurn,
            "tool_calls" => StopReason::ToolUse,
            "length" => StopReason::MaxTokens,
            other => panic!("{other}"),
        }),
        usage: Usage {
            input: count("/prompt_tokens") - read,
            cache_read: read,
            output: count("/completion_tokens"),
            thinking: count("/completion_tokens_details/reasoning_tokens"),
            ..Usage::default()
        },
        error: None,
    }
}

fn responses_golden(message: &Value) -> Outcome {
    let mut blocks = Vec::new();
    for item in message["output"].as_array().unwrap() {
        match item["type"].as_str().unwrap() {
            "message" => blocks.push(json!({"type": "text", "text": item["content"][0]["text"]})),
            "function_call" => {
                let input = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
                blocks.push(call(&item["call_id"], &item["name"], input));
            }
            other => panic!("{other}"),
        }
    }
    let count = |path: &str| message["usage"].pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let read = count("/input_tokens_details/cached_tokens");
    Outcome {
        blocks,
        stop: Some(StopReason::ToolUse),
        usage: Usage {
            input: count("/input_tokens") - read,
            cache_read: read,
            output: count("/output_tokens"),
            ..Usage::default()
        },
        error: None,
    }
}

fn call(id: &Value, name: &Value, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input, "whole": true})
}

/// The streams of which the SDK makes less than can be made; `streams/README.md` says why.
fn better(name: &str) -> Option<Outcome> {
    let text = |text: &str| json!({"type": "text", "text": text});
    let usage = |input, output| Usage { input, output, ..Usage::default() };
    let cached = |output| Usage {
        input: 25,
        cache_read: 2000,
        cache_write_5m: 100,
        output,
        ..Usage::default()
    };
    let outcome = match name {
        "synthetic/a-truncated-no-stop" => Outcome {
            blocks: vec![text("Partial")],
            stop: None,
            usage: cached(1),
            error: Some(ApiErrorKind::Cut),
        },
        "synthetic/a-maxtok-in-tool" => Outcome {
            blocks: vec![
                json!({"type": "tool_use", "id": "toolu_a", "name": "bash", "input": "{\"command\": \"rm -rf ", "whole": false}),
            ],
            stop: Some(StopReason::MaxTokens),
            usage: cached(15),
            error: None,
        },
        "synthetic/a-sse-bom" => Outcome {
            blocks: vec![text("bom")],
            stop: Some(StopReason::EndTurn),
            usage: cached(15),
            error: None,
        },
        "synthetic/o-id-every-chunk" => Outcome {
            blocks: vec![call(&"call_a".into(), &"read".into(), json!({}))],
            stop: Some(StopReason::ToolUse),
            usage: Usage::default(),
            error: None,
        },
        "litellm/mock-msg" => Outcome {
            blocks: vec![text("Hello from a mock, with ünïcode 🎉 and a second sentence.")],
            stop: Some(StopReason::EndTurn),
            usage: usage(2095, 503),
            error: None,
        },
        _ => return None,
    };
    Some(outcome)
}

/// About a hundred ways to cut: byte by byte, by size, by event, by seeded chance.
fn cuts(body: &[u8]) -> Vec<(String, Vec<Vec<u8>>)> {
    let mut ways = Vec::new();
    for size in [1, 2, 3, 5, 7, 16, 64, 1000] {
        ways.push((format!("by {size}"), body.chunks(size).map(<[u8]>::to_vec).collect()));
    }
    let by = |end: &[u8]| {
        let mut chunks = vec![Vec::new()];
        for byte in body {
            let last = chunks.last_mut().unwrap();
            last.push(*byte);
            if last.ends_with(end) {
                chunks.push(Vec::new());
            }
        }
        chunks
    };
    ways.push(("by event".to_owned(), by(b"\n\n")));
    ways.push(("by line".to_owned(), by(b"\n")));
    ways.push(("after each CR".to_owned(), by(b"\r")));
    for seed in 1..=90u64 {
        // A generator of Knuth's; any will do, as long as it is the same on every run.
        let mut state = seed;
        let mut rest = body;
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let most = [4, 40, 400, 4000][(seed % 4) as usize];
            let (chunk, tail) = rest.split_at(((state >> 33) as usize % most).min(rest.len()));
            chunks.push(chunk.to_vec());
            rest = tail;
        }
        ways.push((format!("by seed {seed}"), chunks));
    }
    ways
}
