//! Bad days: what is tried again, what is not, and what the person is told.

use std::time::Duration;

use serde_json::json;
use tern::api::{ApiError, ApiErrorKind, Limits, StreamPart};
use tern::protocol::{Command, ErrorKind, Event, Part, TurnEnd};

use crate::support::script::{Answer, call_parts, calls, text};
use crate::support::session::{Options, Session};

fn fails(kind: ApiErrorKind) -> Answer {
    Answer::Broken(vec![], ApiError::new(kind, "it went wrong"))
}

fn waits(events: &[Event]) -> Vec<u64> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Retrying { wait_ms, .. } => Some(*wait_ms),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn overloads_are_waited_out() {
    let mut session = Session::start([
        fails(ApiErrorKind::Overloaded),
        fails(ApiErrorKind::Server),
        text("here"),
    ]);
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    let waits = waits(&session.events);
    assert!((500..=625).contains(&waits[0]), "{waits:?}");
    assert!((1_000..=1_250).contains(&waits[1]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_servers_own_wait_is_honoured() {
    let error = ApiError {
        retry_after: Some(Duration::from_secs(7)),
        ..ApiError::new(ApiErrorKind::RateLimit, "slow down")
    };
    let mut session = Session::start([Answer::Broken(vec![], error), text("here")]);
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    assert_eq!(waits(&session.events), [7_000]);
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let mut session = Session::start((0..7).map(|_| fails(ApiErrorKind::Connect)));
    let TurnEnd::Failed { error, .. } = session.ask("hi").await else { panic!("must fail") };
    assert_eq!(error, ErrorKind::Network);
    assert_eq!(waits(&session.events).len(), 6);
}

#[tokio::test]
async fn an_interrupt_ends_the_wait() {
    let error = ApiError {
        retry_after: Some(Duration::from_secs(50)),
        ..ApiError::new(ApiErrorKind::RateLimit, "slow down")
    };
    let mut session = Session::start([Answer::Broken(vec![], error)]);
    let turn = session.submit("hi").await;
    session.until(|event| matches!(event, Event::Retrying { .. }).then_some(())).await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
}

#[tokio::test]
async fn a_wrong_key_is_tried_once_more_and_no_further() {
    let mut session = Session::start([fails(ApiErrorKind::Auth), fails(ApiErrorKind::Auth)]);
    let TurnEnd::Failed { error, hints, .. } = session.ask("hi").await else {
        panic!("must fail");
    };
    assert_eq!(error, ErrorKind::Auth);
    assert!(hints.iter().any(|hint| hint.contains("tern login")), "{hints:?}");
    assert_eq!(session.script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_cut_after_a_complete_call_is_used() {
    let mut parts = vec![StreamPart::Started];
    parts.extend(call_parts(0, "a", "Read", &json!({"file_path": "f"}).to_string(), true));
    let cut = Answer::Broken(parts, ApiError::new(ApiErrorKind::Cut, "connection lost"));
    let mut session = Session::start([cut, text("ok")]);
    session.file("f", "x");
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    assert_eq!(session.results().len(), 1);
    assert_eq!(session.script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_cut_inside_a_call_is_asked_for_again() {
    let parts = call_parts(0, "a", "Bash", "{\"command\": \"rm -rf ", false);
    let cut = Answer::Broken(parts, ApiError::new(ApiErrorKind::Cut, "connection lost"));
    let mut session = Session::start([cut, text("ok")]);
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    assert!(session.results().is_empty());
    assert_eq!(waits(&session.events).len(), 1);
    let requests = session.script.requests();
    assert_eq!(requests[0].messages, requests[1].messages);
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_compacted_and_sent_again() {
    let big = "x".repeat(50_000);
    let mut session = Session::start([
        text(&big),
        fails(ApiErrorKind::PromptTooLong),
        text("## Goal\nAll of it."),
        text("done"),
    ]);
    session.ask("first").await;
    assert_eq!(session.ask("second").await, TurnEnd::Done);
    let requests = session.script.requests();
    // The request for the summary only appends to the one that failed.
    assert_eq!(requests[2].messages[..2], requests[1].messages[..2]);
    assert_eq!(requests[2].tools, requests[1].tools);
    let rebuilt = &requests[3].messages;
    let all = serde_json::to_string(rebuilt).unwrap();
    assert!(all.len() < 20_000, "{}", all.len());
    for said in ["All of it.", "first", "second"] {
        assert!(all.contains(said), "{said}");
    }
}

#[tokio::test]
async fn fewer_output_tokens_are_asked_for_once() {
    let error = ApiError {
        limits: Some(Limits {
            input: Some(190_000),
            max_tokens: Some(32_000),
            window: Some(200_000),
        }),
        ..ApiError::new(ApiErrorKind::MaxTokensTooLarge, "too much")
    };
    let mut session = Session::start([Answer::Broken(vec![], error), text("ok")]);
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    let asked: Vec<u32> =
        session.script.requests().iter().map(|request| request.max_tokens).collect();
    assert_eq!(asked, [32_000, 9_000]);
}

#[tokio::test(start_paused = true)]
async fn the_fallback_model_takes_over_and_says_so() {
    let options = Options { fallback: Some("script/other".into()), ..Options::default() };
    let overloaded = || fails(ApiErrorKind::Overloaded);
    let mut session =
        Session::with(options, [overloaded(), overloaded(), overloaded(), text("ok")]);
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    let models: Vec<String> =
        session.script.requests().iter().map(|request| request.model.clone()).collect();
    assert_eq!(models, ["model", "model", "model", "other"]);
    assert!(session.notices().iter().any(|text| text.contains("going on with script/other")));
}

#[tokio::test]
async fn a_full_window_compacts_before_the_next_request() {
    let options = Options { window: 1_200, ..Options::default() };
    let big = json!({"command": "seq 1 2000"});
    let mut session =
        Session::with(options, [calls(&[("a", "Bash", big)]), text("The summary."), text("done")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert!(session.events.iter().any(|event| matches!(event, Event::Compacted { .. })));
    let last = session.script.requests().pop().unwrap();
    assert!(
        last.messages
            .iter()
            .flat_map(|message| &message.parts)
            .any(|part| matches!(part, Part::Text { text } if text.contains("The summary.")))
    );
}
