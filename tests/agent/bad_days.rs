//! Bad days over a real socket: for each thing that a server or a line may do, how often it is asked
//! again, with what, and how the turn ends.

use std::sync::Arc;

use serde_json::{Value, json};
use tern::protocol::{CallStatus, Event, TurnEnd};

use crate::support::online::Online;
use crate::support::server::{FakeServer, Reply};
use crate::support::session::{Options, Session};
use crate::support::wire::{answer, says};

/// How one turn went.
#[derive(Debug)]
struct Went {
    end: TurnEnd,
    bodies: Vec<Value>,
    /// Milliseconds of each announced wait.
    waits: Vec<u64>,
    session: Session,
}

impl Went {
    fn end(&self) -> String {
        match &self.end {
            TurnEnd::Done => "done".to_owned(),
            TurnEnd::Failed { error, .. } => format!("{error:?}").to_lowercase(),
            other => format!("{other:?}"),
        }
    }

    fn told(&self) -> String {
        match &self.end {
            TurnEnd::Failed { message, hints, .. } => format!("{message} {}", hints.join(" ")),
            other => format!("{other:?}"),
        }
    }

    /// The model's text as it stands in the log.
    fn kept(&self) -> String {
        self.session.log().iter().filter(|line| line["type"] == "assistant").fold(
            String::new(),
            |all, line| {
                let parts = line["parts"].as_array().unwrap();
                parts.iter().filter_map(|part| part["text"].as_str()).fold(all, |a, t| a + t)
            },
        )
    }
}

fn session(server: &FakeServer, tweak: impl FnOnce(&mut Online)) -> Session {
    let mut online = Online::at(&server.base_url());
    tweak(&mut online);
    Session::staged(Options::default(), [], |setup, _| {
        setup.model = "anthropic/claude-sonnet-4-5".into();
        setup.router = Arc::new(online);
    })
}

async fn went(replies: Vec<Reply>) -> Went {
    let server = FakeServer::start(replies).await;
    let mut session = session(&server, |_| {});
    let end = session.ask("hi").await;
    let waits = session.events.iter().filter_map(|event| match event {
        Event::Retrying { wait_ms, .. } => Some(*wait_ms),
        _ => None,
    });
    let waits = waits.collect();
    let bodies = server.requests().into_iter().map(|asked| asked.body).collect();
    Went { end, bodies, waits, session }
}

fn error(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

fn refusing(status: u16, kind: &str) -> Reply {
    Reply::json(status, error(kind, "because of reasons"))
}

fn fine() -> Reply {
    Reply::sse(says("Fine."))
}

/// The events of `body` before the first of this type.
fn up_to(body: &str, event: &str) -> String {
    body.split(&format!("event: {event}")).next().unwrap().to_owned()
}

fn event(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap())
}

fn list_call() -> String {
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "LS", "input": {"path": "."}});
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    answer(&[json!({"type": "text", "text": "Looking."}), call], "tool_use", &usage)
}

fn stopped(text: &str, stop: &str) -> Reply {
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    Reply::sse(answer(&[json!({"type": "text", "text": text})], stop, &usage))
}

/// What passes by itself is waited out and asked for again, in the same words.
#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_asked_for_again() {
    let half = up_to(&says("Half an answer"), "content_block_stop");
    let half_call = up_to(&list_call(), "message_delta").replace("\\\".\\\"}", "");
    assert_ne!(half_call, up_to(&list_call(), "message_delta"));
    let half_call = half_call.rsplit_once("event: content_block_stop").unwrap().0.to_owned();
    let midway = |kind: &str| Reply::sse(half.clone() + &event(&error(kind, "in mid-stream")));
    let backoff = 500..=625;
    let at_once = 0..=0;
    let rows: Vec<(&str, Reply, std::ops::RangeInclusive<u64>)> = vec![
        ("429 without advice", refusing(429, "rate_limit_error"), backoff.clone()),
        (
            "429 with retry-after",
            refusing(429, "rate_limit_error").header("retry-after", "0.2"),
            200..=200,
        ),
        (
            "429 with retry-after-ms",
            refusing(429, "rate_limit_error").header("retry-after-ms", "30"),
            30..=30,
        ),
        (
            "429 with a date",
            refusing(429, "rate_limit_error")
                .header("date", "Sun, 22 Nov 2026 06:33:56 GMT")
                .header("retry-after", "Sun, 22 Nov 2026 06:33:57 GMT"),
            1_000..=1_000,
        ),
        ("529", refusing(529, "overloaded_error"), backoff.clone()),
        ("529 with advice", refusing(529, "overloaded_error").header("retry-after", "0"), at_once),
        ("500", refusing(500, "api_error"), backoff.clone()),
        ("501", refusing(501, "api_error"), backoff.clone()),
        ("502, a web page", Reply::html(502, "<html>bad gateway</html>"), backoff.clone()),
        ("503, not JSON", Reply::new(503, "text/plain", "no server is available"), backoff.clone()),
        ("504", refusing(504, "timeout_error"), backoff.clone()),
        ("500 without a body", Reply::new(500, "text/plain", ""), backoff.clone()),
        ("408", refusing(408, "timeout_error"), backoff.clone()),
        ("409", refusing(409, "conflict_error"), backoff.clone()),
        ("hung up on", fine().hang_up(), backoff.clone()),
        ("no headers", fine().stall_headers(), backoff.clone()),
        ("reset before anything came", Reply::sse("").reset(), backoff.clone()),
        ("reset in mid-answer", Reply::sse(half.clone()).reset(), backoff.clone()),
        ("closed in mid-answer", Reply::sse(half.clone()).cut(half.len()), backoff.clone()),
        ("ended in mid-answer", Reply::sse(half.clone()), backoff.clone()),
        ("silent in mid-answer", Reply::sse(half.clone()).stall(), backoff.clone()),
        ("cut inside a call", Reply::sse(half_call).reset(), backoff.clone()),
        ("overloaded in mid-answer", midway("overloaded_error"), backoff.clone()),
        ("an error in mid-answer", midway("api_error"), backoff.clone()),
        ("rate limit in mid-answer", midway("rate_limit_error"), backoff.clone()),
        ("an error under 200", Reply::json(200, error("overloaded_error", "no")), backoff.clone()),
        ("garbage", Reply::sse(half.clone() + "event: message_delta\ndata: {oh\n\n"), backoff),
    ];
    let all = rows.into_iter().map(|(name, reply, wait)| async move {
        let went = went(vec![reply, fine()]).await;
        assert_eq!((went.end().as_str(), went.bodies.len()), ("done", 2), "{name}: {went:?}");
        assert_eq!(went.bodies[0], went.bodies[1], "{name}");
        assert_eq!(went.waits.len(), 1, "{name}");
        assert!(wait.contains(&went.waits[0]), "{name}: {:?}", went.waits);
        assert_eq!(went.session.results(), [], "{name}: nothing has run");
        assert_eq!(went.kept(), "Fine.", "{name}");
    });
    futures_util::future::join_all(all).await;
}

/// What does not pass ends the turn at once, with what the person can do.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_ends_the_turn() {
    let patience = refusing(429, "rate_limit_error").header("retry-after", "3600");
    let limit = "You have reached your specified API usage limits.";
    let credit = "Your credit balance is too low to access the API.";
    let long = "prompt is too long: 210000 tokens > 200000 maximum";
    let rows = vec![
        ("401", refusing(401, "authentication_error"), "auth", "tern login"),
        ("402", refusing(402, "billing_error"), "auth", "credit"),
        (
            "no credit",
            Reply::json(400, error("invalid_request_error", credit)),
            "auth",
            "Add credit",
        ),
        ("403", refusing(403, "permission_error"), "auth", "/model"),
        (
            "404 for the model",
            Reply::json(404, error("not_found_error", "model: nope")),
            "config",
            "tern models",
        ),
        ("404 for the path", Reply::html(404, "<html>nginx</html>"), "config", "base-url"),
        ("a web page", Reply::html(200, "<html>Log in</html>"), "config", "base-url"),
        ("nothing", Reply::new(204, "text/plain", ""), "config", "base-url"),
        ("another 400", refusing(400, "invalid_request_error"), "internal", "because of reasons"),
        ("a wait of an hour", patience, "ratelimit", "3600 s"),
        (
            "a spent allowance",
            Reply::json(429, error("rate_limit_error", limit)),
            "auth",
            "usage limits",
        ),
        (
            "prompt too long",
            Reply::json(400, error("invalid_request_error", long)),
            "context",
            "system prompt, the tools and the instruction files",
        ),
        ("413", refusing(413, "request_too_large"), "context", "system prompt"),
        ("a refusal", stopped("I must not.", "refusal"), "tool", "/rewind"),
    ];
    let all = rows.into_iter().map(|(name, reply, end, words)| async move {
        let went = went(vec![reply]).await;
        assert_eq!((went.end().as_str(), went.bodies.len()), (end, 1), "{name}: {went:?}");
        assert!(went.told().contains(words), "{name}: {}", went.told());
        assert_eq!(went.waits, [0; 0], "{name}");
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_in_time_ends_the_turn() {
    let half = up_to(&says("Half an answer"), "content_block_stop");
    let busy = refusing(529, "overloaded_error").header("retry-after", "0");
    let limit = refusing(429, "rate_limit_error").header("retry-after", "0");
    let rows = vec![
        ("overloads", busy, 3, "overloaded", "fallback-model", ""),
        ("rate limits", limit, 3, "ratelimit", "/model", ""),
        ("cut each time", Reply::sse(half).reset(), 3, "network", "base-url", "Half an answer"),
        ("garbage twice", Reply::sse("data: {oh\n\n"), 2, "network", "wire format", ""),
    ];
    let all = rows.into_iter().map(|(name, reply, requests, end, words, kept)| async move {
        let went = went(vec![reply; 3]).await;
        assert_eq!((went.end().as_str(), went.bodies.len()), (end, requests), "{name}: {went:?}");
        assert!(went.told().contains(words), "{name}: {}", went.told());
        assert_eq!(went.kept(), kept, "{name}: a partial answer is kept");
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut session = Session::staged(Options::default(), [], |setup, _| {
        setup.model = "anthropic/claude-sonnet-4-5".into();
        setup.router = Arc::new(Online::at(&format!("http://127.0.0.1:{port}")));
    });
    let TurnEnd::Failed { error, message, .. } = session.ask("hi").await else { panic!("fails") };
    assert_eq!(error, tern::protocol::ErrorKind::Network);
    assert!(message.contains("connection refused"), "{message}");
    let tries = session.events.iter().filter(|event| matches!(event, Event::Retrying { .. }));
    assert_eq!(tries.count(), 2);
}

/// A complete call makes an answer worth acting on: it runs once, and nothing is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_complete_call_is_run_however_its_answer_ended() {
    let whole = up_to(&list_call(), "message_delta");
    let rows = vec![
        ("reset", Reply::sse(whole.clone()).reset()),
        ("closed", Reply::sse(whole.clone()).cut(whole.len())),
        ("ended", Reply::sse(whole.clone())),
        ("silent", Reply::sse(whole).stall()),
    ];
    let all = rows.into_iter().map(|(name, reply)| async move {
        let went = went(vec![reply, fine()]).await;
        assert_eq!((went.end().as_str(), went.bodies.len()), ("done", 2), "{name}: {went:?}");
        let results = went.session.results();
        assert_eq!(results.len(), 1, "{name}");
        assert_eq!(results[0].status, CallStatus::Done, "{name}");
        assert_eq!(went.waits, [0; 0], "{name}");
        let last = went.bodies[1]["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(last["content"][0]["type"], "tool_result", "{name}");
        assert_eq!(went.kept(), "Looking.Fine.", "{name}");
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_a_tool_has_run_repeats_only_the_request_for_its_result() {
    let touch = json!({"type": "tool_use", "id": "toolu_1", "name": "Bash",
                       "input": {"command": "echo once >> ran"}});
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    let went = went(vec![
        Reply::sse(answer(&[touch], "tool_use", &usage)),
        refusing(529, "overloaded_error").header("retry-after", "0"),
        Reply::sse(up_to(&says("Half"), "content_block_stop")).reset(),
        fine(),
    ])
    .await;
    assert_eq!((went.end().as_str(), went.bodies.len()), ("done", 4));
    assert_eq!(went.bodies[1], went.bodies[3]);
    let ran = std::fs::read_to_string(went.session.dir.path().join("project/ran")).unwrap();
    assert_eq!(ran, "once\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_asked_for_once_where_there_may_be_one() {
    let refuses = || refusing(401, "authentication_error");
    for (replies, end) in
        [(vec![refuses(), fine()], TurnEnd::Done), (vec![refuses(), refuses()], TurnEnd::TurnLimit)]
    {
        let server = FakeServer::start(replies).await;
        let mut session = session(&server, |online| online.key_may_change = true);
        let ended = session.ask("hi").await;
        assert_eq!(ended == TurnEnd::Done, end == TurnEnd::Done, "{ended:?}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_asked_for_is_made_to_fit_once() {
    let message =
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease";
    let too_much = || Reply::json(400, error("invalid_request_error", message));
    let once = went(vec![too_much(), fine()]).await;
    let asked: Vec<u64> = once.bodies.iter().map(|b| b["max_tokens"].as_u64().unwrap()).collect();
    assert_eq!((once.end().as_str(), asked), ("done", vec![32_000, 9_000]));
    let twice = went(vec![too_much(), too_much()]).await;
    assert_eq!((twice.end().as_str(), twice.bodies.len()), ("context", 2), "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_by_its_limit_goes_on() {
    let went = went(vec![stopped("One ", "max_tokens"), stopped("two.", "end_turn")]).await;
    assert_eq!((went.end().as_str(), went.kept().as_str()), ("done", "One two."));
    let messages = went.bodies[1]["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().filter_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_turn_is_sent_back_as_it_is() {
    let search = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
                        "input": {"query": "x"}});
    let mut events = up_to(&says("Searching."), "message_delta");
    events += &event(&json!({"type": "content_block_start", "index": 1, "content_block": search}));
    events += &event(&json!({"type": "content_block_stop", "index": 1}));
    events += &event(&json!({"type": "message_delta", "delta": {"stop_reason": "pause_turn"},
                             "usage": {"output_tokens": 9}}));
    events += &event(&json!({"type": "message_stop"}));
    let went = went(vec![Reply::sse(events), fine()]).await;
    assert_eq!((went.end().as_str(), went.bodies.len()), ("done", 2));
    let last = went.bodies[1]["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["role"], &last["content"][0]["text"]),
        (&json!("assistant"), &json!("Searching."))
    );
    assert_eq!(last["content"][1], search);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_answer_is_shown_and_left_out_of_what_follows() {
    let server = FakeServer::start(vec![stopped("I must not do that.", "refusal"), fine()]).await;
    let mut session = session(&server, |_| {});
    let TurnEnd::Failed { message, .. } = session.ask("bad").await else { panic!("refused") };
    assert!(message.contains("refused"), "{message}");
    let shown = session
        .events
        .iter()
        .any(|event| matches!(event, Event::TextAdded { text, .. } if text.contains("I must not")));
    assert!(shown);
    assert_eq!(session.ask("good").await, TurnEnd::Done);
    let sent = server.requests()[1].body["messages"].to_string();
    assert!(sent.contains("good") && !sent.contains("I must not"), "{sent}");
    let log = serde_json::to_string(&session.log()).unwrap();
    assert!(log.contains("Refused: I must not do that."), "{log}");
}
