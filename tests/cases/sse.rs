//! The cases of `sse.jsonl`: those with a body are played as they say; the ones in words have a
//! test each, named after them, over a real socket where the transport matters.

#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value, reason = "test code")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};
use tern::api::answer::{Answer, End, Parts};
use tern::api::{ApiError, ApiErrorKind, Provider, Purpose, Request, StopReason, StreamPart};
use tern::config::{KeySource, Network, ProviderConfig, Wire};
use tern::protocol::{Message, Usage};

use crate::support::server::{FakeServer, Reply};

const GOOD: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n\
    event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
    event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n\
    event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
    event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n\
    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

// What comes of a stream of bytes.

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

// What comes over a socket.

fn network() -> Network {
    Network {
        connect_timeout: Duration::from_secs(5),
        header_timeout: Some(Duration::from_secs(30)),
        idle_timeout: Duration::from_secs(30),
        retries: 0,
        max_retry_wait: Duration::ZERO,
    }
}

fn provider(base_url: String, network: Network, local: bool) -> std::sync::Arc<dyn Provider> {
    let config = ProviderConfig {
        wire: Wire::Anthropic,
        base_url,
        key: KeySource::default(),
        headers: BTreeMap::new(),
        network,
        local,
    };
    let client = tern::net::client(Duration::from_secs(5)).unwrap();
    tern::api::connect(&config, client, Some("sk-secret-0123456789".to_owned().into()))
}

fn request() -> Request {
    Request {
        model: "m".to_owned(),
        system: "be brief".into(),
        tools: Vec::new().into(),
        messages: vec![Message::user("hi")],
        max_tokens: 100,
        effort: None,
        session: "s".to_owned(),
        purpose: Purpose::Conversation,
    }
}

async fn ask(provider: &dyn Provider) -> Result<Parts, ApiError> {
    Ok(provider.stream(request()).await?.collect().await)
}

async fn ask_one(reply: Reply) -> Result<Parts, ApiError> {
    let server = FakeServer::start(vec![reply]).await;
    ask(&*provider(server.base_url(), network(), false)).await
}

#[tokio::test]
async fn a_request_carries_what_the_server_needs() {
    let server = FakeServer::start(vec![Reply::sse(GOOD).split(7)]).await;
    let parts = ask(&*provider(server.base_url() + "/", network(), false)).await.unwrap();
    assert_eq!((text(&parts).as_str(), stop(&parts)), ("hi", Some(&StopReason::EndTurn)));
    let asked = server.requests();
    assert_eq!(
        (asked.len(), asked[0].method.as_str(), asked[0].path.as_str()),
        (1, "POST", "/v1/messages")
    );
    assert_eq!(asked[0].header("x-api-key"), Some("sk-secret-0123456789"));
    assert_eq!(asked[0].header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));
    assert_eq!(
        (&asked[0].body["stream"], &asked[0].body["max_tokens"]),
        (&json!(true), &json!(100))
    );
}

#[tokio::test]
async fn statuses_become_kinds_with_what_the_headers_say() {
    let told = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "no"}});
    for (reply, kind, after) in [
        (Reply::json(429, told("rate_limit_error")), ApiErrorKind::RateLimit, None),
        (
            Reply::json(429, told("rate_limit_error")).header("retry-after", "2"),
            ApiErrorKind::RateLimit,
            Some(2),
        ),
        (Reply::json(413, told("request_too_large")), ApiErrorKind::TooLarge, None),
        (Reply::json(400, told("invalid_request_error")), ApiErrorKind::BadRequest, None),
        (Reply::json(500, told("api_error")), ApiErrorKind::Server, None),
        (Reply::json(502, told("api_error")), ApiErrorKind::Server, None),
        (Reply::json(503, told("api_error")), ApiErrorKind::Overloaded, None),
        (Reply::json(504, told("timeout_error")), ApiErrorKind::Server, None),
        (Reply::html(200, "<html>log in</html>"), ApiErrorKind::NotAnApi, None),
        (Reply::new(204, "text/plain", ""), ApiErrorKind::NotAnApi, None),
        (
            Reply::new(302, "text/html", "").header("location", "/again"),
            ApiErrorKind::NotAnApi,
            None,
        ),
        (
            Reply::new(407, "text/plain", "").header("proxy-authenticate", "Basic"),
            ApiErrorKind::Forbidden,
            None,
        ),
    ] {
        let what = format!("{reply:?}");
        let error = match ask_one(reply.header("request-id", "req_1")).await {
            Err(error) => {
                assert_eq!(error.request_id.is_some(), error.status != Some(204), "{what}");
                error
            }
            Ok(parts) => parts.into_iter().next_back().unwrap().unwrap_err(),
        };
        assert_eq!(
            (error.kind, error.retry_after),
            (kind, after.map(Duration::from_secs)),
            "{what}"
        );
    }
}

#[tokio::test]
async fn an_error_never_repeats_the_key() {
    let body = json!({"error": {"message": "bad key sk-secret-0123456789"}});
    let error = ask_one(Reply::json(401, body)).await.unwrap_err();
    assert_eq!(error.message, "The server did not accept the key (401): bad key [key]");
    assert!(!error.hints.is_empty());
}

#[tokio::test]
async fn an_endless_error_body_is_cut_off() {
    let error =
        ask_one(Reply::new(500, "text/plain", vec![b'x'; 1 << 20]).stall()).await.unwrap_err();
    assert!(error.message.len() < 1000, "{}", error.message.len());
}

#[tokio::test]
async fn broken_connections_keep_what_came() {
    let half = GOOD.find("event: content_block_stop").unwrap();
    for reply in
        [Reply::sse(GOOD).cut(half), Reply::sse(&GOOD[..half]).reset(), Reply::sse(&GOOD[..half])]
    {
        let parts = ask_one(reply.clone()).await.unwrap();
        assert_eq!(
            (text(&parts).as_str(), error(&parts)),
            ("hi", Some(ApiErrorKind::Cut)),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn damaged_compression_is_a_broken_stream() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03not gzip at all";
    let parts = ask_one(Reply::sse(&gzip[..]).header("content-encoding", "gzip")).await.unwrap();
    assert!(
        matches!(error(&parts), Some(ApiErrorKind::Cut | ApiErrorKind::BadStream)),
        "{parts:?}"
    );
}

#[tokio::test]
async fn silence_has_limits() {
    // The limits are short for a person and long for a busy machine that need not hit them.
    let server =
        FakeServer::start(vec![Reply::sse("").stall_headers(), Reply::sse(": ping\n\n").stall()])
            .await;
    let limits = Network { header_timeout: Some(Duration::from_millis(50)), ..network() };
    let error = ask(&*provider(server.base_url(), limits, false)).await.unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::HeaderTimeout);
    let limits = Network { idle_timeout: Duration::from_secs(1), ..network() };
    let parts = ask(&*provider(server.base_url(), limits, false)).await.unwrap();
    assert_eq!(parts[0], Ok(StreamPart::Alive));
    assert_eq!(error_of(&parts), "The server's answer stood still for 1 s.");
}

fn error_of(parts: &Parts) -> String {
    parts.last().and_then(|part| part.as_ref().err()).map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn pings_are_signs_of_life() {
    // Comments, ping events, and the single bytes of one line: each within the limit, all of them
    // together far over it.
    let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    let slow: Vec<&str> =
        [":\n\n", ping, ":", " ", "x", "\n"].into_iter().cycle().take(18).chain([GOOD]).collect();
    let server =
        FakeServer::start(vec![Reply::sse("").chunks(slow).pause(Duration::from_millis(100))])
            .await;
    let limits = Network { idle_timeout: Duration::from_millis(1500), ..network() };
    let parts = ask(&*provider(server.base_url(), limits, false)).await.unwrap();
    assert_eq!(stop(&parts), Some(&StopReason::EndTurn));
}

#[tokio::test]
async fn a_server_on_this_machine_may_take_its_time_to_begin() {
    let limits = || Network {
        header_timeout: Some(Duration::from_millis(50)),
        idle_timeout: Duration::from_millis(200),
        ..network()
    };
    let wait = Duration::from_millis(400);
    let server = FakeServer::start(vec![
        Reply::sse(GOOD).late(wait),
        Reply::sse("").chunks([":\n\n", GOOD]).pause(wait),
    ])
    .await;
    let local = provider(server.base_url(), limits(), true);
    assert!(stop(&ask(&*local).await.unwrap()).is_some());
    // Once it has begun, it counts as any other.
    assert_eq!(error(&ask(&*local).await.unwrap()), Some(ApiErrorKind::IdleTimeout));
}

#[tokio::test]
async fn dropping_the_stream_ends_the_wait_at_once() {
    let server = FakeServer::start(vec![Reply::sse(": ping\n\n").stall()]).await;
    let mut stream = provider(server.base_url(), network(), false).stream(request()).await.unwrap();
    assert_eq!(stream.next().await, Some(Ok(StreamPart::Alive)));
    let began = Instant::now();
    let next = tokio::time::timeout(Duration::from_millis(10), stream.next()).await;
    assert!(next.is_err());
    drop(stream);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nobody_there_is_said_plainly_and_the_next_try_works() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let error = ask(&*provider(format!("http://{address}"), network(), true)).await.unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::Connect);
    assert_eq!(error.message, format!("Nothing answers at {address} (connection refused)."));
    assert_eq!(error.hints, ["Start the server, or choose another model with /model."]);

    let server = FakeServer::start(vec![Reply::sse(GOOD).stall_headers(), Reply::sse(GOOD)]).await;
    let limits = Network { header_timeout: Some(Duration::from_secs(1)), ..network() };
    let provider = provider(server.base_url(), limits, false);
    assert!(ask(&*provider).await.is_err());
    assert!(stop(&ask(&*provider).await.unwrap()).is_some());
}

#[tokio::test]
async fn wrong_addresses_are_said_plainly() {
    for (base_url, kind) in [
        ("not a url", ApiErrorKind::NotAnApi),
        ("http://", ApiErrorKind::NotAnApi),
        ("http://no-such-host.invalid", ApiErrorKind::Connect),
    ] {
        let error = ask(&*provider(base_url.to_owned(), network(), false)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{base_url}: {}", error.message);
    }
    // TLS spoken to a server that does not know it.
    let server = FakeServer::start(vec![]).await;
    let base_url = server.base_url().replace("http://", "https://user:pass-word@");
    let error = ask(&*provider(base_url, network(), false)).await.unwrap_err();
    assert!(matches!(error.kind, ApiErrorKind::Connect | ApiErrorKind::Cut), "{error:?}");
    assert!(!error.message.contains("pass-word"), "{}", error.message);
}

#[tokio::test]
async fn one_stream_that_fails_leaves_another_alone() {
    let mut turn = 0;
    let server = FakeServer::answering(move |_| {
        turn += 1;
        if turn == 1 { Reply::sse(GOOD).cut(40) } else { Reply::sse(GOOD).split(9) }
    })
    .await;
    let provider = provider(server.base_url(), network(), false);
    let (one, other) = tokio::join!(ask(&*provider), ask(&*provider));
    let mut ends = [stop(&one.unwrap()).cloned(), stop(&other.unwrap()).cloned()];
    ends.sort_by_key(Option::is_some);
    assert_eq!(ends, [None, Some(StopReason::EndTurn)]);
}

#[tokio::test]
async fn servers_of_this_machine_are_found_by_what_they_answer() {
    use tern::api::detect::{Found, Place, servers};
    let list = json!({"object": "list", "data": [{"id": "qwen3:8b"}, {"id": "evil\u{1b}[2J"}, {"no": "id"}]});
    let good = FakeServer::answering(move |_| Reply::json(200, list.clone())).await;
    let other = FakeServer::start(vec![Reply::html(200, "<html>")]).await;
    let hangs = FakeServer::start(vec![Reply::json(200, json!({})).stall_headers()]).await;
    let place = |provider: &str, base: String| Place {
        provider: provider.to_owned(),
        base_url: base + "/v1",
    };
    let places = [
        place("vllm", hangs.base_url()),
        place("llamacpp", other.base_url()),
        place("lmstudio", "http://127.0.0.1:1".to_owned()),
        place("ollama", good.base_url()),
    ];
    // A machine that is busy enough may miss the third of a second that a server has.
    let mut found = Vec::new();
    for _ in 0..10 {
        found = servers(&places).await.unwrap();
        if !found.is_empty() {
            break;
        }
    }
    let models = vec!["qwen3:8b".to_owned(), "evil[2J".to_owned()];
    assert_eq!(
        found,
        [Found { provider: "ollama".to_owned(), base_url: good.base_url() + "/v1", models }]
    );
    assert_eq!(good.requests()[0].path, "/v1/models");
}

/// Against a server of others, where `TERN_TEST_SERVER` names one that speaks all three wires
/// (llama.cpp's does): `TERN_TEST_SERVER=http://127.0.0.1:8080 TERN_TEST_MODEL=name`.
#[tokio::test]
async fn a_real_server_answers_on_every_wire() {
    let Ok(base_url) = std::env::var("TERN_TEST_SERVER") else {
        println!("SKIPPED a_real_server_answers_on_every_wire: TERN_TEST_SERVER is not set");
        return;
    };
    let model = std::env::var("TERN_TEST_MODEL").unwrap_or_default();
    let key = std::env::var("TERN_TEST_KEY").ok();
    for (wire, path) in
        [(Wire::Anthropic, ""), (Wire::OpenaiChat, "/v1"), (Wire::OpenaiResponses, "/v1")]
    {
        let config = ProviderConfig {
            wire,
            base_url: format!("{base_url}{path}"),
            key: KeySource::default(),
            headers: BTreeMap::new(),
            network: network(),
            local: true,
        };
        let connect = |key: Option<String>| {
            let client = tern::net::client(Duration::from_secs(5)).unwrap();
            tern::api::connect(&config, client, key.map(Into::into))
        };
        let request = Request { model: model.clone(), max_tokens: 24, ..request() };
        let parts: Parts =
            connect(key.clone()).stream(request.clone()).await.unwrap().collect().await;
        println!("{wire:?}: {:?}", text(&parts));
        assert!(
            matches!(stop(&parts), Some(StopReason::EndTurn | StopReason::MaxTokens)),
            "{wire:?} {parts:?}"
        );
        assert!(!text(&parts).is_empty(), "{wire:?}");
        let usage = parts.iter().rev().find_map(|part| match part {
            Ok(StreamPart::Usage(usage)) => Some(*usage),
            _ => None,
        });
        assert!(
            usage.is_some_and(|usage| usage.prompt() > 0 && usage.output > 0),
            "{wire:?} {usage:?}"
        );

        let mut long = request.clone();
        long.messages = vec![Message::user("word ".repeat(100_000))];
        let error = ask_once(&*connect(key.clone()), long).await.unwrap_err();
        println!("{wire:?}: {} {:?}", error.message, error.limits);
        assert_eq!(error.kind, ApiErrorKind::PromptTooLong, "{wire:?} {error:?}");
        if key.is_some() {
            let error = ask_once(&*connect(Some("wrong".to_owned())), request).await.unwrap_err();
            println!("{wire:?}: {}", error.message);
            assert_eq!(error.kind, ApiErrorKind::Auth, "{wire:?} {error:?}");
        }
    }
}

async fn ask_once(provider: &dyn Provider, request: Request) -> Result<Parts, ApiError> {
    let parts: Parts = provider.stream(request).await?.collect().await;
    match parts.last() {
        Some(Err(error)) => Err(error.clone()),
        _ => Ok(parts),
    }
}
