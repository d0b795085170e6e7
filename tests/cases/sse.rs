//! The cases of `sse.jsonl`: those with a body are played as they say; the ones in words have a
//! test each, those in which the transport matters in [`socket`].

#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value, reason = "test code")]

mod socket;

use serde_json::{Value, json};
use tern::api::answer::{Answer, End, Parts};
use tern::api::{ApiErrorKind, StopReason, StreamPart};
use tern::protocol::Usage;

const GOOD: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n\
    event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
    event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n\
    event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
    event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n\
    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn play(chunks: &[&[u8]]) -> Parts {
    let mut answer = Answer::anthropic();
    let mut parts = Vec::new();
    for chunk in chunks {
        answer.push(chunk, &mut parts);
    }
    answer.end(End::Closed, &mut parts);
    parts
}

fn play_whole(body: &str) -> Parts {
    let whole = play(&[body.as_bytes()]);
    let single: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    assert_eq!(play(&single), whole, "byte by byte");
    whole
}

fn text(parts: &Parts) -> String {
    parts
        .iter()
        .filter_map(|part| match part {
            Ok(StreamPart::Text { text, .. }) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn stop(parts: &Parts) -> Option<&StopReason> {
    match parts.last() {
        Some(Ok(StreamPart::Stopped(stop))) => Some(stop),
        _ => None,
    }
}

fn error(parts: &Parts) -> Option<ApiErrorKind> {
    parts.last().and_then(|part| part.as_ref().err()).map(|error| error.kind)
}

fn event(data: Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

fn block_start(index: u64, block: Value) -> String {
    event(json!({"type": "content_block_start", "index": index, "content_block": block}))
}

fn delta(index: u64, delta: Value) -> String {
    event(json!({"type": "content_block_delta", "index": index, "delta": delta}))
}

fn block_stop(index: u64) -> String {
    event(json!({"type": "content_block_stop", "index": index}))
}

fn ending(reason: &str) -> String {
    event(
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}}),
    ) + &event(json!({"type": "message_stop"}))
}

#[test]
fn cases_with_a_body_come_out_as_they_say() {
    let file = include_str!("sse.jsonl");
    let mut played = 0;
    for line in file.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let Some(body) = case["wire"]["body"].as_str() else { continue };
        let id = case["id"].as_str().unwrap();
        let pieces: Vec<&[u8]> = match case["wire"]["deliver"].as_str().unwrap() {
            "whole" => vec![body.as_bytes()],
            "split after every CR" => {
                body.as_bytes().split_inclusive(|byte| *byte == b'\r').collect()
            }
            other => panic!("{id}: {other}"),
        };
        let parts = play(&pieces);
        assert_eq!(parts, play_whole(body), "{id}");
        match case["outcome"].as_str().unwrap() {
            // All of them hold the same text; none of what comes after the end is in it.
            "complete" | "complete-or-error" => {
                assert_eq!(
                    (text(&parts).as_str(), stop(&parts)),
                    ("héllo 中 😀", Some(&StopReason::EndTurn)),
                    "{id}"
                );
            }
            "treated as {}" => {
                assert_eq!(stop(&parts), Some(&StopReason::ToolUse), "{id}");
                assert!(
                    !parts.iter().any(|part| matches!(part, Ok(StreamPart::CallInput { .. }))),
                    "{id}"
                );
                assert!(parts.contains(&Ok(StreamPart::BlockEnded { index: 0 })), "{id}");
            }
            "no-panic" => assert!(stop(&parts).is_some() || error(&parts).is_some(), "{id}"),
            other => panic!("{id}: {other}"),
        }
        played += 1;
    }
    assert_eq!(played, 8);
}

#[test]
fn invalid_utf8_holds_nothing_back() {
    for bad in [&b"\xff"[..], b"\x93quoted\x94 \xe9"] {
        let mut answer = Answer::anthropic();
        let mut parts = Vec::new();
        let begin = block_start(0, json!({"type": "text", "text": ""}));
        let line = delta(0, json!({"type": "text_delta", "text": "BAD"}));
        let at = line.find("BAD").unwrap();
        let bytes =
            [begin.as_bytes(), &line.as_bytes()[..at], bad, &line.as_bytes()[at + 3..]].concat();
        answer.push(&bytes, &mut parts);
        assert_eq!(text(&parts), String::from_utf8_lossy(bad));
        answer.push(delta(0, json!({"type": "text_delta", "text": "next"})).as_bytes(), &mut parts);
        assert!(text(&parts).ends_with("next"));
    }
}

#[test]
fn id_and_retry_fields_are_ignored() {
    let body = format!("retry: 999999999999999999999999\nid: {}\n\n{GOOD}", "x".repeat(10_000));
    assert_eq!(play_whole(&body), play_whole(GOOD));
}

#[test]
fn interleaved_blocks_keep_their_index() {
    let body = block_start(1, json!({"type": "text", "text": ""}))
        + &block_start(0, json!({"type": "tool_use", "id": "a", "name": "A"}))
        + &delta(1, json!({"type": "text_delta", "text": "x"}))
        + &delta(0, json!({"type": "input_json_delta", "partial_json": "{}"}))
        + &delta(1, json!({"type": "text_delta", "text": "y"}))
        + &block_stop(1)
        + &block_stop(0)
        + &ending("tool_use");
    let parts: Vec<StreamPart> = play_whole(&body).into_iter().map(Result::unwrap).collect();
    let said = |text: &str| StreamPart::Text { index: 1, text: text.to_owned() };
    let usage = Usage { output: 5, ..Usage::default() };
    assert_eq!(
        parts,
        [
            StreamPart::CallStarted { index: 0, id: "a".to_owned(), name: "A".to_owned() },
            said("x"),
            StreamPart::CallInput { index: 0, json: "{}".to_owned() },
            said("y"),
            StreamPart::BlockEnded { index: 1 },
            StreamPart::Usage(usage),
            StreamPart::BlockEnded { index: 0 },
            StreamPart::Stopped(StopReason::ToolUse),
        ]
    );
}

#[test]
fn usage_before_any_block_counts() {
    let body = event(
        json!({"type": "message_delta", "delta": {}, "usage": {"input_tokens": 7, "output_tokens": 2}}),
    ) + GOOD;
    let first = play_whole(&body).into_iter().next();
    assert_eq!(
        first,
        Some(Ok(StreamPart::Usage(Usage { input: 7, output: 2, ..Usage::default() })))
    );
}

#[test]
fn hostile_names_and_ids_are_made_harmless_and_unique() {
    let call = |index: u64, id: Value, name: &str| {
        block_start(index, json!({"type": "tool_use", "id": id, "name": name})) + &block_stop(index)
    };
    let body = call(0, json!("a"), "\u{1b}[31mRead")
        + &call(1, json!("a"), &"x".repeat(10_000))
        + &call(2, Value::Null, "Read")
        + &call(3, json!("b\nc\u{9b}"), "Read")
        + &call(4, json!("call_2"), "Read")
        + &ending("tool_use");
    let calls: Vec<(String, String)> = play_whole(&body)
        .into_iter()
        .filter_map(|part| match part {
            Ok(StreamPart::CallStarted { id, name, .. }) => Some((id, name)),
            _ => None,
        })
        .collect();
    let expected = [
        ("a", "[31mRead".to_owned()),
        ("a_2", "x".repeat(256)),
        ("call_2", "Read".to_owned()),
        ("bc", "Read".to_owned()),
        ("call_2_5", "Read".to_owned()),
    ];
    assert_eq!(calls, expected.map(|(id, name)| (id.to_owned(), name)));
}

#[test]
fn a_huge_event_is_an_error_and_many_small_ones_are_not() {
    let begin = block_start(0, json!({"type": "text", "text": ""}));
    let mut answer = Answer::anthropic();
    let mut parts = Vec::new();
    answer.push(begin.as_bytes(), &mut parts);
    answer.push(b"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"", &mut parts);
    let piece = vec![b'x'; 1 << 20];
    let pushed = (0..50).take_while(|_| {
        answer.push(&piece, &mut parts);
        !answer.is_over()
    });
    assert_eq!(pushed.count(), 15);
    assert_eq!(error(&parts), Some(ApiErrorKind::BadStream));

    // 10 MB in events of 64 KiB.
    let one = delta(0, json!({"type": "text_delta", "text": "y".repeat(64 << 10)}));
    let body = begin + &one.repeat(160) + &block_stop(0) + &ending("end_turn");
    let parts = play(&[body.as_bytes()]);
    assert_eq!((text(&parts).len(), stop(&parts)), (10 << 20, Some(&StopReason::EndTurn)));
}

#[test]
fn thinking_keeps_its_signature_as_it_came_or_goes_without() {
    let thinking = block_start(0, json!({"type": "thinking", "thinking": ""}))
        + &delta(0, json!({"type": "signature_delta", "signature": "first"}))
        + &delta(0, json!({"type": "thinking_delta", "thinking": "hm"}))
        + &delta(0, json!({"type": "signature_delta", "signature": "Eq+/=="}))
        + &block_stop(0)
        + &block_start(1, json!({"type": "thinking", "thinking": "bare"}))
        + &block_stop(1)
        + &ending("end_turn");
    let signatures: Vec<(usize, String)> = play_whole(&thinking)
        .into_iter()
        .filter_map(|part| match part {
            Ok(StreamPart::Signature { index, signature }) => Some((index, signature)),
            _ => None,
        })
        .collect();
    assert_eq!(signatures, [(0, "first".to_owned()), (0, "Eq+/==".to_owned())]);
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = open.repeat(10_000) + "1" + &close.repeat(10_000);
        let body = format!("event: message_start\ndata: {deep}\n\n");
        assert_eq!(error(&play_whole(&body)), Some(ApiErrorKind::BadStream));
        let whole = play(&[format!("{{\"content\":{deep}}}").as_bytes()]);
        assert_eq!(error(&whole), Some(ApiErrorKind::BadStream));
    }
}

#[test]
fn a_paused_turn_is_told_as_such() {
    assert_eq!(stop(&play_whole(&ending("pause_turn"))), Some(&StopReason::PauseTurn));
}

#[test]
fn an_error_under_a_good_status_is_an_error() {
    for (body, kind) in [
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ApiErrorKind::Overloaded,
        ),
        (
            r#"{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}"#,
            ApiErrorKind::Auth,
        ),
        ("<!DOCTYPE html><title>Log in</title>", ApiErrorKind::NotAnApi),
        ("\u{feff}\r\n  <html>", ApiErrorKind::NotAnApi),
        ("{\"content\":", ApiErrorKind::Cut),
        ("{\"content\" 1}", ApiErrorKind::BadStream),
        ("{}", ApiErrorKind::BadStream),
        ("[1,2]", ApiErrorKind::BadStream),
        ("null", ApiErrorKind::Cut),
        ("", ApiErrorKind::Cut),
        ("   \n", ApiErrorKind::Cut),
        ("not an event stream at all", ApiErrorKind::Cut),
        ("event: error\ndata: the gateway gave up\n\n", ApiErrorKind::Server),
        ("data: oops", ApiErrorKind::Cut),
        ("data: oops\n\n", ApiErrorKind::BadStream),
        ("data: oops\n\ndata: {}\n\n", ApiErrorKind::BadStream),
    ] {
        assert_eq!(error(&play_whole(body)), Some(kind), "{body}");
    }
}
