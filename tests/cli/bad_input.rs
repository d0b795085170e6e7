//! Bad input: one clear sentence with a hint, the right exit code, and no trace left behind.

use serde_json::json;

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Ran, Tern, aside};

/// One sentence and a hint on standard error, nothing on standard output.
fn tells(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert_eq!(ran.out, "", "{ran:?}");
    assert!(ran.err.contains("tern: error: "), "{ran:?}");
    assert!(ran.err.contains("hint: "), "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} in {ran:?}");
    }
}

#[test]
fn no_key() {
    let tern = Tern::new();
    tells(&tern.run(&["-p", "hi"]), 4, &["no key was found", "tern login", "--demo"]);
    assert_eq!(tern.traces(), [""; 0]);
}

#[test]
fn no_key_for_the_model() {
    let tern = Tern::new();
    let ran = tern.run(&["-p", "hi", "-m", "anthropic/claude-sonnet-4-5"]);
    tells(&ran, 4, &["no key for anthropic", "ANTHROPIC_API_KEY"]);
    assert_eq!(tern.traces(), [""; 0]);
}

#[test]
fn unknown_names() {
    let tern = Tern::new();
    tells(
        &tern.run(&["-p", "hi", "-m", "nowhere/x"]),
        2,
        &["no provider \"nowhere\"", "anthropic"],
    );
    tells(&tern.run(&["-p", "hi", "-m", "claude-sonnet-4-5"]), 2, &["anthropic/claude-sonnet-4-5"]);
    let ran = tern.run(&["-p", "hi", "-m", "demo/x", "--permission-mode", "yolo"]);
    tells_config(&ran, &["yolo", "bypassPermissions"]);
    tells(&tern.run(&["-p", "hi", "-m", "demo/x", "--tools", "Fly"]), 2, &["Fly", "Read"]);
    assert_eq!(tern.traces(), [""; 0]);
}

/// A problem of the configuration carries its hint in its sentence.
fn tells_config(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} in {ran:?}");
    }
}

#[test]
fn no_prompt_and_no_such_folder_or_session() {
    let tern = Tern::new();
    tells(&tern.run(&["-p"]), 2, &["no prompt"]);
    tells(&tern.run(&["-p", "hi", "-C", "missing"]), 2, &["missing"]);
    tells(&tern.run(&["-p", "hi", "-m", "demo/x", "-c"]), 2, &["no session"]);
    tells(&tern.run(&["-p", "hi", "-m", "demo/x", "-r", "zzzz"]), 2, &["zzzz"]);
    assert_eq!(tern.traces(), [""; 0]);
}

#[test]
fn bad_usage_is_2() {
    let tern = Tern::new();
    for args in [&["--no-such-flag"][..], &["-c", "-r", "x"], &["--output-format", "json"]] {
        let ran = tern.run(args);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("Usage"), "{ran:?}");
    }
}

#[test]
fn a_configuration_with_errors_says_where_and_the_rest_counts() {
    let tern = Tern::new();
    tern.config("model = \"demo/scripted\"\nmodle = 1\n[permissions]\nmode = \"yolo\"\n");
    let ran = tern.run(&["-p", "hi", "--output-format", "json"]);
    assert_eq!(ran.result()["model"], "demo/scripted", "{ran:?}");
    for words in ["config.toml line 2", "modle", "model", "config.toml line 4", "yolo"] {
        assert!(ran.err.contains(words), "{words:?} in {ran:?}");
    }
}

#[test]
fn an_unreachable_server() {
    let tern = Tern::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    tern.fake_provider(&format!("http://127.0.0.1:{port}"));
    tells(&tern.run(&["-p", "hi"]), 6, &["base-url"]);
}

async fn answered(reply: Reply) -> Ran {
    let server = FakeServer::answering(move |_| reply.clone()).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    aside(move || tern.run(&["-p", "hi"])).await
}

fn error(kind: &str) -> serde_json::Value {
    json!({"type": "error", "error": {"type": kind, "message": "because of reasons"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_servers_say_no_with() {
    for (status, kind, code) in [
        (401, "authentication_error", 4),
        (403, "permission_error", 4),
        (404, "not_found_error", 2),
        (429, "rate_limit_error", 5),
        (529, "overloaded_error", 5),
        (500, "api_error", 5),
        (400, "invalid_request_error", 1),
    ] {
        let ran = answered(Reply::json(status, error(kind))).await;
        assert_eq!(ran.code, Some(code), "{status}: {ran:?}");
        assert!(ran.err.contains("tern: error: "), "{status}: {ran:?}");
        assert_eq!(ran.err.matches("tern: error").count(), 1, "{status}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_is_not_an_api() {
    let ran = answered(Reply::html(200, "<html><body>Welcome</body></html>")).await;
    tells(&ran, 2, &["base-url"]);
    assert!(!ran.err.contains("<html>"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_can_never_fit() {
    let body = json!({"type": "error", "error": {"type": "invalid_request_error",
        "message": "prompt is too long: 210000 tokens > 200000 maximum"}});
    tells(&answered(Reply::json(400, body)).await, 8, &["system prompt"]);
}

#[test]
fn not_a_repository_and_a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt;
    let tern = Tern::new();
    std::fs::set_permissions(tern.project(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let ran = tern.run(&["-p", "hi", "-m", "demo/scripted", "--output-format", "json"]);
    assert!(ran.result()["session"].as_str().is_some_and(|id| !id.is_empty()), "{ran:?}");
    std::fs::set_permissions(tern.project(), std::fs::Permissions::from_mode(0o755)).unwrap();
}
