//! Bad days in the real program: countdowns, keys that expire, budgets, a model in a circle, and
//! answers of a size that nobody meant.

use serde_json::{Value, json};

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{answer, calls, says};

/// A provider with prices, and more lines of configuration.
fn priced(tern: &Tern, base_url: &str, more: &str) {
    tern.config(&format!(
        "model = \"fake/model\"\n[providers.fake]\napi = \"anthropic\"\nbase-url = \"{base_url}\"\n\
         key = \"sk-canary-123456\"\n[models.\"fake/model\"]\nwindow = 200000\n\
         prices = [{{ from = 2026-01-01, input = 3, output = 15 }}]\n{more}"
    ));
}

/// A call that costs 0.0243 USD by those prices.
fn dear() -> Reply {
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "LS", "input": {"path": "."}});
    let usage = json!({"input_tokens": 8_000, "output_tokens": 20});
    Reply::sse(answer(&[call], "tool_use", &usage))
}

fn overloaded() -> Reply {
    let error = json!({"type": "overloaded_error", "message": "Overloaded"});
    Reply::json(529, json!({"type": "error", "error": error}))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_screen_a_budget_ends_with_7() {
    let server = FakeServer::start(vec![dear(), Reply::sse(says("unused"))]).await;
    let tern = Tern::new();
    priced(&tern, &server.base_url(), "");
    let ran = aside(move || {
        tern.run(&["-p", "go", "--max-budget-usd", "0.03", "--output-format", "json"])
    })
    .await;
    assert_eq!(ran.code, Some(7), "{ran:?}");
    let result = ran.result();
    assert_eq!((&result["stop"], &result["error"]["kind"]), (&json!("budget"), &json!("budget")));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_budget_counts_over_every_run() {
    let usage = json!({"input_tokens": 8_000, "output_tokens": 20});
    let dear = answer(&[json!({"type": "text", "text": "Dear."})], "end_turn", &usage);
    let server = FakeServer::start(vec![Reply::sse(dear)]).await;
    let tern = Tern::new();
    priced(&tern, &server.base_url(), "[budget]\nday-usd = 0.03\n");
    let (first, second) =
        aside(move || (tern.run(&["-p", "go"]), tern.run(&["-p", "and again"]))).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(second.code, Some(7), "{second:?}");
    assert!(second.err.contains("this day"), "{second:?}");
    assert_eq!(server.requests().len(), 1, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_command_is_run_once_more_and_its_new_key_is_used() {
    for fine in [true, false] {
        let server = FakeServer::answering(move |asked| {
            if fine && asked.header("x-api-key") == Some("sk-key-number-2") {
                return Reply::sse(says("Let in."));
            }
            let error = json!({"type": "authentication_error", "message": "expired"});
            Reply::json(401, json!({"type": "error", "error": error}))
        })
        .await;
        let tern = Tern::new();
        let counter = tern.dir.path().join("counter");
        let command =
            format!("echo x >> {0}; echo sk-key-number-$(wc -l < {0})", counter.display());
        tern.config(&format!(
            "model = \"fake/model\"\n[providers.fake]\napi = \"anthropic\"\n\
             base-url = \"{}\"\nkey-command = \"{command}\"\n",
            server.base_url()
        ));
        let (ran, counted) = aside(move || {
            let ran = tern.run(&["-p", "hi"]);
            (ran, std::fs::read_to_string(&counter).unwrap())
        })
        .await;
        assert_eq!(ran.code, Some(if fine { 0 } else { 4 }), "{ran:?}");
        assert_eq!(counted, "x\nx\n", "run twice, no more");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_screen_a_circle_ends_with_1() {
    let server =
        FakeServer::answering(|_| Reply::sse(calls("Read", &json!({"file_path": "nowhere"}))))
            .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran = aside(move || tern.run(&["-p", "go"])).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("the same call of Read failed 5 times"), "{ran:?}");
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_of_answer_and_none_at_all() {
    let long = "All work and no play. ".repeat(10 << 20 >> 4);
    let size = long.len();
    assert!(size > 10 << 20);
    let server = FakeServer::start(vec![Reply::sse(says(&long)), Reply::sse(says(""))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let (long, empty) = aside(move || (tern.run(&["-p", "go"]), tern.run(&["-p", "hm"]))).await;
    assert_eq!((long.code, long.out.len()), (Some(0), size + 1));
    assert_eq!((empty.code, empty.out.trim()), (Some(0), ""), "{empty:?}");
    assert!(empty.err.contains("empty answer"), "{empty:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_shapes_are_answered_with_what_is_wrong() {
    let wrong: Vec<Value> = [
        ("Read", json!({})),
        ("Read", json!({"file_path": 7})),
        ("Read", json!({"path": ["a"], "offset": "x"})),
        ("Edit", json!({"file_path": "f", "old_string": null})),
        ("Bash", json!({"command": {"run": "ls"}})),
        ("Teleport", json!({"to": "Mars"})),
        ("", json!({})),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (tool, input))| {
        json!({"type": "tool_use", "id": format!("toolu_{n}"), "name": tool, "input": input})
    })
    .collect();
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    let server = FakeServer::start(vec![
        Reply::sse(answer(&wrong, "tool_use", &usage)),
        Reply::sse(says("Sorry.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let ran =
        aside(move || tern.run(&["-p", "go", "--permission-mode", "bypassPermissions"])).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "Sorry.\n"), "{ran:?}");
    let requests = server.requests();
    let results =
        requests[1].body["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), wrong.len());
    for result in results {
        assert_eq!((&result["type"], &result["is_error"]), (&json!("tool_result"), &json!(true)));
        assert!(result["content"].to_string().len() > 12, "{result}");
    }
}

#[cfg(unix)]
mod on_screen {
    use super::*;
    use crate::screen;
    use crate::support::pty::Pty;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_wait_counts_down_and_escape_ends_it() {
        let wait = || overloaded().header("retry-after", "30");
        let server = FakeServer::start(vec![
            overloaded().header("retry-after", "2"),
            Reply::sse(says("Here I am.")),
            wait(),
        ])
        .await;
        let tern = Tern::new();
        priced(&tern, &server.base_url(), "");
        aside(move || {
            let mut pty = Pty::start(&tern, &["hello"], (80, 24));
            pty.wait_for("trying again in 2 s (1 of 6)");
            pty.wait_for("trying again in 1 s (1 of 6)");
            pty.wait_for("Here I am.");
            pty.press("and again\r");
            pty.wait_for("trying again in 29 s (1 of 6)");
            pty.wait_for("The server is overloaded (529)");
            pty.press("\x1b");
            pty.wait_for("stopped");
            pty.wait_until("no countdown", |screen| !screen.contains("trying again"));
            pty.press("\x03\x03");
            assert_eq!(pty.ends_as_found(), 0);
        })
        .await;
        assert_eq!(server.requests().len(), 3, "nothing was sent after the wait was ended");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_budget_is_raised_let_go_once_or_ends_the_turn() {
        for (key, sent) in [("\r", 2), ("o", 2), ("n", 1)] {
            let server = FakeServer::start(vec![dear(), Reply::sse(says("Listed."))]).await;
            let tern = Tern::new();
            priced(&tern, &server.base_url(), "[budget]\nsession-usd = 0.03\n");
            aside(move || {
                let mut pty = Pty::start(&tern, &["go"], (80, 24));
                pty.wait_for("raise and go on");
                screen::answer(&mut pty, key, "The session's budget is reached");
                pty.wait_for(if sent == 2 { "Listed." } else { "budget" });
                pty.press("\x03\x03");
                assert_eq!(pty.ends_as_found(), 0);
            })
            .await;
            assert_eq!(server.requests().len(), sent, "{key:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_in_a_circle_is_asked_about() {
        let server = FakeServer::answering(|asked| {
            if asked.body["messages"].to_string().contains("do it another way") {
                return Reply::sse(says("I see."));
            }
            Reply::sse(calls("Read", &json!({"file_path": "nowhere"})))
        })
        .await;
        let tern = Tern::new();
        tern.fake_provider(&server.base_url());
        aside(move || {
            let mut pty = Pty::start(&tern, &["go"], (80, 24));
            pty.wait_for("The same call of Read failed 5 times");
            pty.wait_for("1. Another way");
            screen::answer(&mut pty, "\r", "In a circle");
            pty.wait_for("I see.");
            pty.wait_for("price not known");
            pty.press("\x03\x03");
            assert_eq!(pty.ends_as_found(), 0);
        })
        .await;
        assert_eq!(server.requests().len(), 6);
    }
}
