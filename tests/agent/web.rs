//! Pages of the web, from a server on this machine: allowed by a rule, guarded otherwise.

use axum::Router;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::get;
use serde_json::json;
use tern::protocol::{CallStatus, Mode, Source, Sourced};

use crate::support::script::{Script, call, text};
use crate::support::session::{Options, Session, setup};

/// The port of a small site.
async fn site() -> u16 {
    let html = |body: &'static str| async move {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        (headers, body)
    };
    let to = |place: String| async move {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(&place).unwrap());
        (StatusCode::FOUND, headers)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = format!("http://localhost:{port}/page");
    let app = Router::new()
        .route("/page", get(move || html("<h1>Käse</h1><p>is <b>good</b></p>")))
        .route("/same", get(move || to("/page".to_owned())))
        .route("/other", get(move || to(other.clone())))
        .route("/round", get(move || to("/round".to_owned())))
        .route("/huge", get(|| async { "x".repeat(6 << 20) }));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    port
}

async fn fetched(port: u16, rule: &str, paths: &[&str]) -> Vec<tern::protocol::CallResult> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("project")).unwrap();
    // One after the other, so that the results come in this order.
    let asked = paths.iter().enumerate().map(|(n, path)| {
        let url = format!("http://127.0.0.1:{port}{path}");
        let input = json!({"name": "WebFetch", "input": {"url": url, "prompt": "what?"}});
        call(&format!("c{n}"), "UseTool", input)
    });
    let script = Script::new(asked.chain([text("done")]));
    let options = Options { mode: Mode::Default, can_ask: false, ..Options::default() };
    let mut setup = setup(dir.path(), &script, options);
    setup.rules.texts.allow.push(Sourced::new(rule.to_owned(), Source::User));
    let mut session = Session::of(dir, script, setup);
    session.ask("go").await;
    session.results()
}

#[tokio::test]
async fn pages_come_as_markdown_and_other_hosts_are_named_only() {
    let port = site().await;
    let paths = ["/page", "/same", "/other", "/round", "/none", "/huge"];
    let results = fetched(port, "WebFetch(domain:127.0.0.1)", &paths).await;
    for result in &results[..2] {
        assert!(
            result.text.starts_with("# Käse\n\nis **good**\n[the page itself"),
            "{}",
            result.text
        );
    }
    assert_eq!(
        results[2].text,
        format!("It redirects to another host. To go there, fetch http://localhost:{port}/page")
    );
    assert_eq!(results[3].text, "WebFetch: it redirects round and round.");
    assert_eq!(results[4].text, "WebFetch: the server answers 404 Not Found.");
    assert!(results[5].text.len() < 30_000, "{}", results[5].text.len());
}

#[tokio::test]
async fn this_machine_is_refused_without_a_rule_for_it() {
    let port = site().await;
    let results = fetched(port, "WebFetch", &["/page"]).await;
    assert_eq!(results[0].status, CallStatus::Denied, "{}", results[0].text);
}
