//! The real program on a screen: the demo from start to the proved fix, and the ways it ends.

#![cfg(unix)]

use serde_json::json;

use crate::support::pty::Pty;
use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{calls, says};

#[test]
fn the_demo_finds_fixes_and_proves() {
    let tern = Tern::new();
    let mut pty = Pty::start(&tern, &["--demo"], (100, 40));
    pty.wait_for("This is a demonstration");
    pty.press("\r");
    pty.wait_for("$ sh tests/run.sh");
    answer(&mut pty, "s", "Run a command");
    pty.wait_for("count ? sum / count : 0");
    answer(&mut pty, "\r", "Edit bin/tally");
    pty.wait_for("All five tests pass");
    pty.wait_for("1 file · +2 −2");
    pty.press("/cost\r");
    pty.wait_for("scripted: nothing is spent");
    pty.press("\x1b");
    pty.wait_until("no panel", |screen| !screen.contains("nothing is spent"));
    pty.press("/history\r");
    pty.wait_for("tally · main · 1 prompt");
    pty.press("\x1b");
    pty.wait_until("no panel", |screen| !screen.contains("1 prompt"));
    pty.press("/exit\r");
    assert_eq!(pty.ends_as_found(), 0);
}

/// Answers the question once it takes keys: for a first moment it takes none.
pub fn answer(pty: &mut Pty, key: &str, question: &str) {
    pty.wait_for(question);
    pty.wait_for_same_colour("╭", question);
    pty.press(key);
    pty.wait_until("answered", |screen| !screen.contains(question));
}

#[test]
fn the_first_start_lists_what_there_is() {
    let tern = Tern::new();
    let mut pty = Pty::start(&tern, &[], (80, 24));
    for text in ["tern needs a model to talk to", "anthropic", "openrouter", "demo"] {
        pty.wait_for(text);
    }
    // A key that is being typed is never shown.
    pty.press("\r");
    pty.wait_for("key");
    pty.press("sk-secret-42");
    pty.wait_until("something typed", |screen| screen.contains('•') || screen.contains('*'));
    assert!(!pty.text().contains("secret"), "{}", pty.text());
    pty.press("\x03\x03");
    assert_eq!(pty.ends_as_found(), 0);
    assert_eq!(tern.traces(), [""; 0]);
}

#[test]
fn a_suspended_tern_gives_the_terminal_back_and_takes_it_again() {
    let tern = Tern::new();
    let mut pty = Pty::start(&tern, &["--demo"], (80, 24));
    pty.wait_for("This is a demonstration");
    pty.press("\x1a");
    pty.wait_for_bytes("\x1b[?1049l");
    assert!(!pty.text().contains("This is a demonstration"), "{}", pty.text());
    pty.signal("-CONT");
    pty.wait_for("This is a demonstration");
    pty.press(" and on");
    pty.wait_for("prove it. and on");
    pty.press("\x15\x03\x03");
    assert_eq!(pty.ends_as_found(), 0);
}

#[test]
fn signals_put_the_terminal_back() {
    for signal in ["-TERM", "-HUP"] {
        let tern = Tern::new();
        let mut pty = Pty::start(&tern, &["--demo"], (80, 24));
        pty.wait_for("This is a demonstration");
        pty.press("\r");
        // The reason stays in sight where there is little room.
        pty.wait_for("the model's reason: Run the project's tests");
        pty.signal(signal);
        pty.ends_as_found();
    }
}

/// The events of an answer up to the end of its text.
fn begins(answer: &str) -> String {
    answer.split("event: content_block_stop").next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn escape_stops_a_stream_and_the_session_goes_on() {
    let server = FakeServer::start(vec![
        Reply::sse(begins(&says("This is the beginning"))).stall(),
        Reply::sse(says("And this the second answer.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    aside(move || {
        let mut pty = Pty::start(&tern, &[], (80, 24));
        pty.wait_for("? help");
        pty.press("go\r");
        pty.wait_for("This is the beginning");
        pty.press("\x1b");
        pty.wait_for("stopped");
        pty.press("again\r");
        pty.wait_for("And this the second answer.");
        pty.press("\x03\x03");
        assert_eq!(pty.ends_as_found(), 0);
    })
    .await;
    let history = &server.requests()[1].body["messages"];
    let roles: Vec<&str> =
        history.as_array().unwrap().iter().flat_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user"], "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_is_too_small_answers_nothing() {
    let server = FakeServer::start(vec![
        Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
        Reply::sse(says("Done.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    aside(move || {
        let mut pty = Pty::start(&tern, &["do it"], (80, 24));
        pty.wait_for("$ touch made");
        pty.resize(20, 6);
        pty.wait_for("too small");
        pty.press("y\r");
        pty.resize(80, 24);
        pty.wait_for("$ touch made");
        assert!(!tern.project().join("made").exists());
        answer(&mut pty, "n", "Run a command");
        pty.wait_for("Done.");
        pty.press("\x03\x03");
        assert_eq!(pty.ends_as_found(), 0);
    })
    .await;
}
