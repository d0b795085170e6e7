//! `tern -p`: what goes out, and how it ends.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside, ran};
use crate::support::wire::{calls, says};

#[tokio::test(flavor = "multi_thread")]
async fn text_is_the_answer_and_nothing_else() {
    let server = FakeServer::start(vec![Reply::sse(says("Hello **there**."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran = aside(move || tern.run(&["-p", "hi"])).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "Hello **there**.\n", ""));
    let asked = &server.requests()[0];
    assert_eq!(asked.body["model"], "model");
    assert_eq!(asked.header("x-api-key"), Some("sk-canary-123456"));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object_with_every_field() {
    let server = FakeServer::start(vec![Reply::sse(says("Hi."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran = aside(move || tern.run(&["-p", "hi", "--output-format", "json"])).await;
    assert_eq!(ran.out.lines().count(), 1);
    let mut result = ran.result();
    for varies in ["session", "duration_ms"] {
        assert!(!result[varies].is_null(), "{varies}");
        result[varies] = Value::Null;
    }
    assert_eq!(
        result,
        json!({"type": "result", "ok": true, "text": "Hi.", "session": null, "model": "fake/model",
               "stop": "done", "turns": 1,
               "usage": {"input": 100, "output": 20, "cache_read": 0, "cache_write": 0},
               "cost_usd": null, "duration_ms": null, "denied": []})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_json_is_an_event_a_line_and_the_result_last() {
    let server = FakeServer::start(vec![Reply::sse(says("One two three."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran = aside(move || tern.run(&["-p", "hi", "--output-format", "stream-json"])).await;
    let lines = ran.lines();
    let (result, events) = lines.split_last().unwrap();
    assert_eq!(result["type"], "result");
    for (seq, event) in events.iter().enumerate() {
        assert_eq!((event["v"].as_u64(), event["seq"].as_u64()), (Some(1), Some(seq as u64)));
        serde_json::from_value::<tern::protocol::Envelope<tern::protocol::Event>>(event.clone())
            .unwrap();
    }
    let texts: Vec<&Value> = events.iter().filter(|event| event["type"] == "text-added").collect();
    assert_eq!(texts.len(), 1, "pieces are joined");
    assert_eq!(texts[0]["text"], "One two three.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_over_json_lines() {
    let server = FakeServer::start(vec![
        Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
        Reply::sse(says("Done.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let made = tern.project().join("made");
    let lines = aside(move || {
        let mut child = tern
            .command(&["-p", "--input-format", "stream-json", "--output-format", "stream-json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut lines = Vec::new();
        writeln!(input, "{}", json!({"type": "submit", "turn": 1, "input": {"text": "go"}}))
            .unwrap();
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        for line in std::io::BufRead::lines(output) {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if event["type"] == "permission-asked" {
                let id = &event["request"]["id"];
                let answer = json!({"type": "answer", "request": id, "decision": {"kind": "once"}});
                writeln!(input, "{answer}").unwrap();
            }
            if event["type"] == "turn-ended" {
                writeln!(input, "{}", json!({"type": "stop"})).unwrap();
            }
            lines.push(event);
        }
        assert!(child.wait().unwrap().success(), "{lines:?}");
        lines
    })
    .await;
    assert_eq!(lines.last().unwrap()["ok"], true);
    assert_eq!(server.requests().len(), 2);
    assert!(lines.iter().any(|event| event["type"] == "permission-closed"));
    assert!(made.parent().is_none_or(|folder| !folder.exists()) || made.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_one_to_ask_a_denial_ends_with_3() {
    let server = FakeServer::start(vec![
        Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
        Reply::sse(says("I cannot go on.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let (ran, made) = aside(move || {
        let ran = tern.run(&["-p", "go", "--output-format", "json"]);
        let made = tern.project().join("made").exists();
        (ran, made)
    })
    .await;
    assert_eq!((ran.code, made), (Some(3), false));
    let result = ran.result();
    assert_eq!(result["error"]["kind"], "denied");
    assert_eq!(result["denied"][0]["tool"], "Bash");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_command_runs() {
    let server = FakeServer::start(vec![
        Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
        Reply::sse(says("Done.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let made = aside(move || {
        let ran = tern.run(&["-p", "go", "--allow", "Bash(touch *)"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        tern.project().join("made").exists()
    })
    .await;
    assert!(made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_continued_and_standard_input_joins_the_prompt() {
    let server =
        FakeServer::start(vec![Reply::sse(says("First.")), Reply::sse(says("Second."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    aside(move || {
        assert_eq!(tern.run(&["-p", "one"]).code, Some(0));
        let mut child = tern
            .command(&["-p", "-c", "two"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"from the pipe\n").unwrap();
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "Second.\n"));
    })
    .await;
    let requests = server.requests();
    let first = requests[0].body["messages"].as_array().unwrap();
    let second = requests[1].body["messages"].as_array().unwrap();
    assert_eq!(second.len(), first.len() + 2);
    let last = second.last().unwrap().to_string();
    assert!(last.contains("two") && last.contains("from the pipe"), "{last}");
    assert_eq!(requests[0].body["tools"], requests[1].body["tools"]);
    assert_eq!(requests[0].body["system"], requests[1].body["system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_with_130_and_keeps_the_session() {
    let server =
        FakeServer::start(vec![Reply::sse(says("A long answer that hangs.")).cut(500).stall()])
            .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let (code, traces) = aside(move || {
        let mut child = tern
            .command(&["-p", "go", "--output-format", "stream-json", "--include-partial-messages"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        for line in std::io::BufRead::lines(output) {
            if line.unwrap().contains("request-started") {
                let pid = child.id().to_string();
                std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
            }
        }
        (child.wait().unwrap().code(), tern.traces())
    })
    .await;
    assert_eq!(code, Some(130));
    assert!(traces.iter().any(|file| file.contains("sessions/")), "{traces:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_stands_in_no_file() {
    let server = FakeServer::start(vec![
        Reply::sse(calls("Bash", &json!({"command": "env; echo sk-canary-123456"}))),
        Reply::sse(says("The key is sk-canary-123456.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    aside(move || {
        let record = tern.dir.path().join("record.jsonl");
        let log = tern.dir.path().join("log");
        let args = ["-p", "go", "--permission-mode", "bypassPermissions"];
        let files = ["--record", record.to_str().unwrap(), "--log", log.to_str().unwrap()];
        let ran = tern.run(&[&args[..], &files[..]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let mut looked = 0;
        for file in tern.traces().iter().map(|file| tern.home().join(file)).chain([record, log]) {
            if file.ends_with("config/config.toml") {
                continue;
            }
            looked += 1;
            let text = std::fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains("sk-canary"), "{} holds the key", file.display());
        }
        assert!(looked >= 3, "log, ledger and record were looked at");
    })
    .await;
}
