//! The query loop: what goes out, what comes back, in which order.

use serde_json::json;
use tern::api::{StopReason, StreamPart};
use tern::protocol::{
    CallId, CallStatus, Command, Event, Input, Message, Part, Role, TurnEnd, TurnId,
};

use crate::support::script::{Answer, call_parts, calls, stopped, text, text_parts};
use crate::support::session::{Options, Session};

fn kinds(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned())
        .collect()
}

fn texts(message: &Message) -> Vec<&str> {
    message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn results(message: &Message) -> Vec<(&str, bool)> {
    message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Result { call, is_error, .. } => Some((call.0.as_str(), *is_error)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_plain_answer() {
    let mut session = Session::start([text("Hello.")]);
    assert_eq!(session.ask("hi").await, TurnEnd::Done);
    let all = kinds(&session.events);
    let from = all.iter().position(|kind| kind == "turn-started").unwrap();
    assert_eq!(
        all[from..],
        [
            "turn-started",
            "request-started",
            "text-added",
            "message-ended",
            "usage-added",
            "turn-ended"
        ]
    );
    let requests = session.script.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].messages.len(), 1);
    assert_eq!(texts(&requests[0].messages[0]).last(), Some(&"hi"));
}

#[tokio::test]
async fn results_go_back_in_the_order_of_the_calls_and_the_prefix_stays() {
    let mut session = Session::start([
        calls(&[
            ("a", "Read", json!({"file_path": "one.txt"})),
            ("b", "Read", json!({"file_path": "missing.txt"})),
            ("c", "Read", json!({"file_path": "two.txt"})),
        ]),
        text("Read them."),
    ]);
    session.file("one.txt", "first\n");
    session.file("two.txt", "second\n");
    assert_eq!(session.ask("read").await, TurnEnd::Done);
    let requests = session.script.requests();
    let (first, second) = (&requests[0], &requests[1]);
    assert_eq!(second.messages[..first.messages.len()], first.messages);
    assert_eq!((&second.system, &second.tools), (&first.system, &first.tools));
    let last = second.messages.last().unwrap();
    assert_eq!(results(last), [("a", false), ("b", true), ("c", false)]);
}

#[tokio::test]
async fn a_call_that_changes_something_waits_for_the_readers_before_it() {
    let mut session = Session::start([
        calls(&[
            ("a", "Bash", json!({"command": "sleep 0.3; cat f.txt"})),
            ("b", "Bash", json!({"command": "echo new > f.txt"})),
            ("c", "Bash", json!({"command": "cat f.txt"})),
        ]),
        text("ok"),
    ]);
    session.file("f.txt", "old\n");
    session.ask("go").await;
    let texts: Vec<String> = session.results().into_iter().map(|result| result.text).collect();
    assert!(texts[0].contains("old"), "{texts:?}");
    assert!(texts[2].contains("new"), "{texts:?}");
}

#[tokio::test]
async fn unknown_tools_and_malformed_input_are_answered_not_run() {
    let mut parts = call_parts(0, "a", "Teleport", "{}", true);
    parts.extend(call_parts(1, "b", "Bash", "{\"command\": \"touch x", true));
    let mut session = Session::start([stopped(parts, StopReason::ToolUse), text("sorry")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let results = session.results();
    assert!(results[0].text.contains("There is no tool named \"Teleport\""), "{}", results[0].text);
    assert!(results[1].text.contains("not valid JSON"), "{}", results[1].text);
    assert!(!session.dir.path().join("project/x").exists());
}

#[tokio::test]
async fn a_cut_call_never_runs_and_the_model_is_asked_to_go_on() {
    let cut = call_parts(0, "a", "Bash", "{\"command\": \"touch cut\"", false);
    let mut session = Session::start([stopped(cut, StopReason::MaxTokens), text("again")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(session.results(), []);
    let requests = session.script.requests();
    assert!(texts(requests[1].messages.last().unwrap()).last().unwrap().contains("cut off"));
}

#[tokio::test]
async fn the_output_limit_is_continued_three_times() {
    let cut = |n: usize| stopped(text_parts(&format!("part {n} ")), StopReason::MaxTokens);
    let mut session = Session::start((0..4).map(cut));
    let TurnEnd::Failed { message, .. } = session.ask("long").await else {
        panic!("must fail");
    };
    assert!(message.contains("4 times"), "{message}");
    assert_eq!(session.script.requests().len(), 4);
}

#[tokio::test]
async fn what_is_said_meanwhile_goes_along_with_the_results() {
    let slow = json!({"command": "sleep 0.4"});
    let mut session = Session::start([calls(&[("a", "Bash", slow)]), text("ok")]);
    session.submit("go").await;
    session.until(|event| matches!(event, Event::CallStarted { .. }).then_some(())).await;
    session.send(Command::Queue { turn: TurnId(2), input: Input::text("and be quick") }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let requests = session.script.requests();
    let last = requests[1].messages.last().unwrap();
    assert!(matches!(last.parts[0], Part::Result { .. }), "results stand first");
    assert_eq!(texts(last), ["and be quick"]);
}

#[tokio::test]
async fn an_interrupt_keeps_what_was_said_and_the_history_stays_valid() {
    let hangs = Answer::Hangs(vec![StreamPart::Text { index: 0, text: "I was sayi".into() }]);
    let mut session = Session::start([hangs, text("yes")]);
    let turn = session.submit("go").await;
    session.until(|event| matches!(event, Event::TextAdded { .. }).then_some(())).await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
    assert_eq!(session.ask("still there?").await, TurnEnd::Done);
    let requests = session.script.requests();
    let roles: Vec<Role> = requests[1].messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    assert_eq!(texts(&requests[1].messages[1]), ["I was sayi"]);
}

#[tokio::test]
async fn an_interrupted_command_leaves_results_for_all_its_calls() {
    let mut session = Session::start([
        calls(&[
            ("a", "Bash", json!({"command": "echo begun; touch a; sleep 30"})),
            ("b", "Bash", json!({"command": "touch b"})),
        ]),
        text("ok"),
    ]);
    let turn = session.submit("go").await;
    session.until(|event| matches!(event, Event::CallOutput { .. }).then_some(())).await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
    let statuses: Vec<CallStatus> = session.results().iter().map(|result| result.status).collect();
    assert_eq!(statuses, [CallStatus::Interrupted, CallStatus::Interrupted]);
    assert!(session.results()[0].text.contains("begun"), "its output is kept");
    assert!(!session.dir.path().join("project/b").exists());
    session.ask("go on").await;
    let requests = session.script.requests();
    assert_eq!(results(&requests[1].messages[2]), [("a", true), ("b", true)]);
}

#[tokio::test]
async fn an_interrupt_for_another_turn_does_nothing() {
    let mut session = Session::start([text("one"), text("two")]);
    session.ask("1").await;
    session.send(Command::Interrupt { turn: TurnId(1) }).await;
    assert_eq!(session.ask("2").await, TurnEnd::Done);
}

#[tokio::test]
async fn two_hundred_calls_at_once_all_get_their_result() {
    let many: Vec<(String, serde_json::Value)> =
        (0..200).map(|n| (format!("c{n}"), json!({"file_path": "f.txt"}))).collect();
    let many: Vec<_> =
        many.iter().map(|(id, input)| (id.as_str(), "Read", input.clone())).collect();
    let mut session = Session::start([calls(&many), text("ok")]);
    session.file("f.txt", "x\n");
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let requests = session.script.requests();
    let ids: Vec<String> = (0..200).map(|n| format!("c{n}")).collect();
    let got = results(requests[1].messages.last().unwrap());
    assert_eq!(got.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn the_turn_limit_ends_the_turn() {
    let call = || calls(&[("a", "LS", json!({"path": "."}))]);
    let options = Options { max_turns: Some(2), ..Options::default() };
    let mut session = Session::with(options, [call(), call()]);
    assert_eq!(session.ask("go").await, TurnEnd::TurnLimit);
}

#[tokio::test]
async fn repeated_ids_are_made_unique() {
    let call = || calls(&[("same", "LS", json!({"path": "."}))]);
    let mut session = Session::start([call(), call(), text("ok")]);
    session.ask("go").await;
    let ended: Vec<CallId> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CallEnded { call, .. } => Some(call.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [CallId("same".into()), CallId("same-2".into())]);
}

#[tokio::test]
async fn the_first_request_is_small() {
    let mut session = Session::start([text("ok")]);
    session.ask("hi").await;
    let request = &session.script.requests()[0];
    let tools: usize = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.schema.to_string().len())
        .sum();
    let messages: usize = request.messages.iter().flat_map(texts).map(str::len).sum();
    println!("first request: tools {tools}, system {}, messages {messages}", request.system.len());
    assert!(tools <= 6_500, "tools take {tools} bytes");
    assert!(request.system.len() <= 4_000, "the system prompt takes {}", request.system.len());
    assert!(tools + request.system.len() + messages <= 11_000);
}
