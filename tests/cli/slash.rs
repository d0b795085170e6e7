//! Slash commands without a screen.

use serde_json::json;

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::Tern;

#[test]
fn what_only_tells_is_told_without_a_model_a_key_or_a_trace() {
    let tern = Tern::new();
    for (command, words) in [
        ("/help", &["/compact [focus]", "replace the history"][..]),
        ("/cost", &["nothing was spent"]),
        ("/history", &["no earlier session"]),
        ("/model", &["anthropic/claude-sonnet-4-5", "no model"]),
        ("/mode", &["* default", "acceptEdits"]),
        ("/permissions", &["mode default", "no rules"]),
        ("/status", &["version", "folder"]),
        ("/theme", &["* dark", "high-contrast"]),
        ("/exit", &[]),
    ] {
        let ran = tern.run(&["-p", command]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{command}: {ran:?}");
        for word in words {
            assert!(ran.out.contains(word), "{command}: {word:?} in {ran:?}");
        }
    }
    assert_eq!(tern.traces(), [""; 0]);
}

#[test]
fn the_format_is_kept() {
    let ran = Tern::new().run(&["-p", "/mode", "--output-format", "json"]);
    let result = ran.result();
    assert_eq!(
        (&result["ok"], &result["turns"], &result["stop"]),
        (&json!(true), &json!(0), &json!("done"))
    );
    assert!(result["text"].as_str().is_some_and(|text| text.contains("* default")), "{ran:?}");
}

#[test]
fn the_others_say_what_takes_their_place() {
    let tern = Tern::new();
    for (command, hint) in [
        ("/model demo/x", "--model"),
        ("/mode plan", "--permission-mode"),
        ("/theme light", "tern config set ui.theme"),
        ("/resume", "-r ID"),
        ("/diff", "git diff"),
        ("/compact", "stream-json"),
        ("/clear", "begins a new one"),
    ] {
        let ran = tern.run(&["-p", command]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{command}: {ran:?}");
        assert!(ran.err.contains(hint), "{command}: {ran:?}");
    }
    assert_eq!(tern.traces(), [""; 0]);
}

#[test]
fn what_fills_the_window_is_told_and_counted_by_the_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let replies = vec![Reply::json(200, json!({ "input_tokens": 4_321 }))];
    let server = runtime.block_on(FakeServer::start(replies));
    let tern = Tern::new();
    std::fs::write(tern.project().join("AGENTS.md"), "Use tabs.\n").unwrap();
    tern.fake_provider(&server.base_url());
    let ran = tern.run(&["-p", "/context"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    for words in
        ["4.3k tokens, counted by the server", "tools", "Bash", "memory files", "AGENTS.md"]
    {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    let asked = &server.requests()[0];
    assert_eq!(asked.path, "/v1/messages/count_tokens");
    assert!(asked.body["max_tokens"].is_null() && asked.body["tools"].is_array());
    assert!(tern.traces().iter().all(|file| !file.contains("sessions/")), "{:?}", tern.traces());
}
