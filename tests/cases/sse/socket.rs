//! The cases in which the transport matters, over a real socket.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;
use tern::api::answer::Parts;
use tern::api::{ApiError, ApiErrorKind, Provider, Purpose, Request, StopReason, StreamPart};
use tern::config::{KeySource, Network, ProviderConfig, Wire};
use tern::protocol::Message;

use super::{GOOD, error, stop, text};
use crate::support::server::{FakeServer, Reply};

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
        auth: tern::config::Auth::Wire,
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
            auth: tern::config::Auth::Wire,
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
