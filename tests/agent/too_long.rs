//! Requests that do not fit, at a server that counts: what goes first, what is summed up, and what
//! the person is told where nothing helps.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tern::protocol::{Command, ErrorKind, Event, Input, InputImage, TurnEnd, TurnId};

use crate::pictures::png;
use crate::support::online::Online;
use crate::support::server::{Asked, FakeServer, Reply};
use crate::support::session::{Options, Session};
use crate::support::wire::{answer, says};

/// Tokens that the server has room for.
const WINDOW: usize = 20_000;

fn tokens(body: &Value) -> usize {
    body.to_string().len() / 4
}

fn call(n: usize, tool: &str, input: &Value) -> String {
    let id = format!("toolu_{n}");
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    answer(
        &[json!({"type": "tool_use", "id": id, "name": tool, "input": input})],
        "tool_use",
        &usage,
    )
}

/// Refuses what has more tokens than the window, and plays `answers` for the rest; a summary is
/// told by its request.
async fn counting(answers: Vec<String>) -> (FakeServer, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let told = log.clone();
    let mut answers = answers.into_iter();
    let server = FakeServer::answering(move |asked: &Asked| {
        let summary = asked.body["messages"].to_string().contains("about to be shortened");
        let what = if summary { "summary" } else { "turn" };
        let count = tokens(&asked.body);
        if count > WINDOW {
            told.lock().unwrap().push(format!("{what} refused"));
            let message = format!("prompt is too long: {count} tokens > {WINDOW} maximum");
            let error = json!({"type": "invalid_request_error", "message": message});
            return Reply::json(400, json!({"type": "error", "error": error}));
        }
        told.lock().unwrap().push(what.to_owned());
        Reply::sse(if summary {
            says("## Goal\nRead all of it.")
        } else {
            answers.next().unwrap_or_else(|| says("The script has ended."))
        })
    })
    .await;
    (server, log)
}

fn session(server: &FakeServer) -> Session {
    let online = Online::at(&server.base_url());
    Session::staged(Options::default(), [], |setup, _| {
        setup.model = "anthropic/claude-sonnet-4-5".into();
        setup.router = Arc::new(online);
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_too_long_even_for_its_summary_is_cut_first() {
    let reads = (0..5).map(|n| call(n, "Read", &json!({"file_path": format!("{n}.txt")})));
    let (server, log) = counting(reads.chain([says("All read.")]).collect()).await;
    let mut session = session(&server);
    for n in 0..5 {
        session.file(&format!("{n}.txt"), &format!("line of file {n}\n").repeat(1_300));
    }
    assert_eq!(session.ask("Read them all.").await, TurnEnd::Done);
    let log = log.lock().unwrap().clone();
    assert_eq!(
        log,
        [
            "turn",
            "turn",
            "turn",
            "turn",
            "turn refused",
            "summary refused",
            "summary",
            "turn",
            "turn"
        ]
    );
    let requests = server.requests();
    // The first attempt only appends to the request that was refused.
    let messages = |n: usize| requests[n].body["messages"].as_array().unwrap().clone();
    assert_eq!(plain(&messages(4)), plain(&messages(5)));
    let after = messages(7).iter().map(Value::to_string).collect::<String>();
    assert!(after.contains("Read all of it.") && after.contains("Read them all."), "{after}");
}

/// Without the marks of the cache, which move; and with the last message's parts, which grow.
fn plain(messages: &[Value]) -> Vec<Value> {
    let mut messages = messages.to_vec();
    let last = messages.len() - 1;
    for message in &mut messages {
        for block in message["content"].as_array_mut().into_iter().flatten() {
            block.as_object_mut().unwrap().shift_remove("cache_control");
        }
    }
    messages.truncate(last);
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_alone_is_too_long_is_said_to_be() {
    let (server, log) = counting(vec![]).await;
    let mut session = session(&server);
    let TurnEnd::Failed { error, message, hints } = session.ask(&"word ".repeat(30_000)).await
    else {
        panic!("must fail");
    };
    assert_eq!(error, ErrorKind::Context);
    assert!(message.contains(&format!("the window has {WINDOW}")), "{message}");
    assert!(hints.iter().any(|hint| hint.contains("The prompt alone")), "{hints:?}");
    assert_eq!(*log.lock().unwrap(), ["turn refused"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_left_out_of_a_request_that_is_too_large() {
    let server = FakeServer::answering(|asked| {
        if asked.body["messages"].to_string().contains("\"type\":\"image\"") {
            let error = json!({"type": "request_too_large", "message": "more than 32 MB"});
            return Reply::json(413, json!({"type": "error", "error": error}));
        }
        Reply::sse(says("I see none."))
    })
    .await;
    let mut session = session(&server);
    let image = InputImage { name: "image 1".into(), data: STANDARD.encode(png()) };
    let input = Input { images: vec![image], ..Input::text("What is this?") };
    session.send(Command::Submit { turn: TurnId(1), input }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].body.to_string().contains("too large with it"));
    assert!(session.notices().iter().any(|text| text.contains("images are left out")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_full_in_mid_answer_is_emptied_and_the_answer_goes_on() {
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    let long = "So far, so good. ".repeat(600);
    let full = answer(
        &[json!({"type": "text", "text": "And then"})],
        "model_context_window_exceeded",
        &usage,
    );
    let (server, log) = counting(vec![says(&long), full, says("it was done.")]).await;
    let mut session = session(&server);
    session.ask("first").await;
    assert_eq!(session.ask("second").await, TurnEnd::Done);
    assert_eq!(*log.lock().unwrap(), ["turn", "turn", "summary", "turn"]);
    assert!(session.events.iter().any(|event| matches!(event, Event::Compacted { .. })));
    let requests = server.requests();
    let last = requests[3].body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(last["role"], "user", "no model is sent an answer of its own to go on with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_has_the_patience_of_any_request() {
    let mut summaries = 0;
    let server = FakeServer::answering(move |asked| {
        if !asked.body["messages"].to_string().contains("about to be shortened") {
            return Reply::sse(says(&"A long answer. ".repeat(1_000)));
        }
        summaries += 1;
        let error = json!({"type": "overloaded_error", "message": "Overloaded"});
        match summaries {
            1 => Reply::json(529, json!({"type": "error", "error": error})),
            2 => Reply::sse(says("Half a summary").split("event: message_delta").next().unwrap()),
            _ => Reply::sse(says("## Goal\nNothing much.")),
        }
    })
    .await;
    let mut session = session(&server);
    session.ask("first").await;
    session.ask("second").await;
    session.send(Command::Compact { focus: None, preview: false }).await;
    let summary = session
        .until(|event| match event {
            Event::Compacted { summary, .. } => Some(summary.clone()),
            _ => None,
        })
        .await;
    assert_eq!(summary, "## Goal\nNothing much.");
    let waits = session.events.iter().filter(|event| matches!(event, Event::Retrying { .. }));
    assert_eq!(waits.count(), 2);
}
