//! Sessions taken up again: the same conversation, byte for byte.

use serde_json::json;
use tern::protocol::{CallStatus, Command, Event, Input, Message, Mode, Part, Place, TurnEnd};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

/// What the model will be sent next must begin with what it was sent last.
fn continues(before: &[Message], after: &[Message]) {
    for (index, message) in before.iter().enumerate() {
        assert_eq!(after.get(index), Some(message), "message {index}");
    }
}

/// The session taken up from what a kill at this moment would leave of it.
fn killed(mut session: Session, answers: impl IntoIterator<Item = Answer>) -> Session {
    let (copy, id) = (tempfile::tempdir().unwrap(), session.id());
    let from = session.dir.path().join("data");
    let status = std::process::Command::new("cp").arg("-r").arg(&from).arg(copy.path()).status();
    assert!(status.unwrap().success());
    std::fs::create_dir(copy.path().join("project")).unwrap();
    session.dir = copy;
    session.again_as(id, false, answers)
}

#[tokio::test]
async fn a_session_goes_on_with_the_same_prefix() {
    let mut session = Session::start([
        calls(&[("a", "Read", json!({"file_path": "f.txt"}))]),
        text("It says x."),
    ]);
    session.file("f.txt", "x\n");
    session.file("AGENTS.md", "Be brief.\n");
    session.ask("read it").await;
    let before = session.script.requests();
    let mut session = session.again([text("Yes.")]).await;
    assert_eq!(session.ask("sure?").await, TurnEnd::Done);
    let after = session.script.requests();
    continues(&before[1].messages, &after[0].messages);
    assert_eq!(before[1].system, after[0].system);
    assert_eq!(before[1].tools, after[0].tools);
    let said = serde_json::to_string(&after[0].messages).unwrap();
    assert!(said.contains("It says x.") && said.contains("sure?"));
}

#[tokio::test]
async fn the_screen_gets_back_what_it_had() {
    let mut session =
        Session::start([calls(&[("a", "Bash", json!({"command": "echo hello"}))]), text("Done.")]);
    session.send(Command::Shell { command: "echo mine".to_owned() }).await;
    session.ask("say hello").await;
    let mut session = session.again([]).await;
    session.until(|event| matches!(event, Event::Spent { .. }).then_some(())).await;
    let shown: Vec<String> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Titled { title } => Some(format!("title {title}")),
            Event::Restored { text, .. } => Some(format!("text {text}")),
            Event::CallRestored { title, result: Some(result), input, .. } => {
                let command = input["command"].as_str()?;
                Some(format!("call {} {:?} {command}", title.object, result.status))
            }
            Event::ShellEnded { command, output, code } => {
                Some(format!("own {command} {} {code:?}", output.trim()))
            }
            Event::TurnRestored { end, summary } => {
                Some(format!("{end:?} {} requests {} commands", summary.requests, summary.commands))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        shown,
        [
            "title say hello",
            "own echo mine mine Some(0)",
            "text say hello",
            "call echo hello Done echo hello",
            "text Done.",
            "Done 2 requests 1 commands",
        ]
    );
}

#[tokio::test]
async fn a_call_without_a_result_is_unknown_and_not_run_again() {
    let mut session =
        Session::start([calls(&[("a", "Bash", json!({"command": "echo once >> f; sleep 60"}))])]);
    session.submit("go").await;
    session.until(|event| matches!(event, Event::CallStarted { .. }).then_some(())).await;
    let log = session.log();
    assert_eq!(log.last().unwrap()["type"], "call", "the intent is written before the call runs");
    let mut session = killed(session, [text("I see.")]);
    assert_eq!(session.ask("what happened?").await, TurnEnd::Done);
    let unknown = session
        .events
        .iter()
        .any(|event| matches!(event, Event::CallRestored { result: None, .. }));
    assert!(unknown);
    let request = &session.script.requests()[0];
    let told = request.messages.iter().flat_map(|message| &message.parts).any(|part| {
        matches!(part, Part::Result { text, .. } if text.contains("outcome of this call is not known"))
    });
    assert!(told);
    assert!(!session.dir.path().join("project/f").exists(), "it is not run again");
}

#[tokio::test]
async fn a_compacted_session_goes_on_with_its_summary() {
    let options = Options { window: 1_200, ..Options::default() };
    let big = json!({"command": "seq 1 2000"});
    let mut session =
        Session::with(options, [calls(&[("a", "Bash", big)]), text("The summary."), text("done")]);
    session.ask("go").await;
    let before = session.script.requests().pop().unwrap();
    let mut session = session.again([text("ok")]).await;
    session.ask("more").await;
    continues(&before.messages, &session.script.requests()[0].messages);
}

#[tokio::test]
async fn a_fork_leaves_the_old_log_as_it_is() {
    let mut session = Session::start([text("one")]);
    session.ask("1").await;
    let (id, log) = (session.id(), session.log());
    let old = session.dir.path().join("data");
    let mut session = session.again_as(id.clone(), true, [text("two")]);
    session.ask("2").await;
    assert_ne!(session.id(), id);
    let places = tern::session::Places::new(&old, &old);
    let text = std::fs::read_to_string(places.find(&id).unwrap()).unwrap();
    assert_eq!(text.lines().count(), log.len());
    let said = serde_json::to_string(&session.script.requests()[0].messages).unwrap();
    assert!(said.contains("one"));
}

#[tokio::test]
async fn a_session_without_a_message_leaves_no_trace() {
    let mut session = Session::start([]);
    session.until(|event| matches!(event, Event::Started { .. }).then_some(())).await;
    session.send(tern::protocol::Command::SetMode { mode: Mode::Plan }).await;
    session.send(tern::protocol::Command::Stop).await;
    session.until(|event| matches!(event, Event::Stopped).then_some(())).await;
    assert!(!session.dir.path().join("data").exists());
}

#[tokio::test]
async fn the_log_and_the_ledger_tell_the_same_sum() {
    let mut session = Session::start([
        calls(&[("a", "LS", json!({"path": "."}))]),
        text("one"),
        Answer::Parts(vec![tern::api::StreamPart::Stopped(tern::api::StopReason::EndTurn)]),
    ]);
    session.ask("1").await;
    session.ask("2").await;
    let in_log: i64 = session
        .log()
        .iter()
        .filter(|record| record["type"] == "usage")
        .map(|record| record["spend"]["cost"].as_i64().unwrap())
        .sum();
    let ledger = tern::cost::ledger::read(&session.dir.path().join("data/ledger"), None).unwrap();
    let in_ledger: i64 = ledger.entries.iter().map(|entry| entry.cost.unwrap().0).sum();
    assert_eq!((in_log, ledger.entries.len()), (in_ledger, 2));
    // 1,000 in and 50 out, then 1,000 in and 20 out, at 3 and 15 USD a million.
    assert_eq!(in_log, 3_000 + 750 + 3_000 + 300);
    assert_eq!(session.results()[0].status, CallStatus::Done);
}

#[tokio::test]
async fn a_session_that_is_open_elsewhere_is_copied_or_looked_at() {
    let mut first = Session::start([text("Hello."), text("Still here.")]);
    first.ask("hi").await;
    let id = first.id();
    let busy = |event: &Event| matches!(event, Event::SessionBusy { .. }).then_some(());
    let started = |event: &Event| match event {
        Event::Started { session, .. } => Some(session.clone()),
        _ => None,
    };

    let mut second = first.beside(Some(id.clone()), [text("In the copy.")]);
    second.until(busy).await;
    second.send(Command::Fork { session: Some(id.clone()) }).await;
    let copy = second.until(started).await;
    assert_ne!(copy, id);
    second.ask("on in the copy").await;
    let said = format!("{:?}", second.script.requests()[0].messages);
    assert!(said.contains("hi") && said.contains("on in the copy"), "{said}");

    let mut third = first.beside(None, [text("Nobody keeps this.")]);
    third.until(started).await;
    third.send(Command::Resume { session: id.clone() }).await;
    third.until(busy).await;
    let before = first.log().len();
    third.send(Command::View { session: id.clone() }).await;
    assert_eq!(third.until(started).await, id);
    third.ask("not written").await;
    assert_eq!(first.log().len(), before);
    first.ask("go on").await;
    assert!(first.log().len() > before, "the first one is not disturbed");
}

#[tokio::test]
async fn the_open_session_is_renamed_and_forked() {
    let mut session = Session::start([text("Hello."), text("On.")]);
    session.ask("hi").await;
    let id = session.id();
    session.send(Command::Rename { title: "  A talk\nabout nothing".to_owned() }).await;
    let title = |event: &Event| match event {
        Event::Titled { title } => Some(title.clone()),
        _ => None,
    };
    assert_eq!(session.until(title).await, "A talk");
    session.send(Command::Fork { session: None }).await;
    assert_eq!(session.until(title).await, "A talk", "the copy has its title");
    assert_ne!(session.id(), id);
    session.ask("on").await;
    assert!(session.log()[0].to_string().contains(&id.0), "it says where it came from");
}

#[tokio::test]
async fn everything_around_the_conversation_comes_back() {
    let todo =
        json!({"todos": [{"content": "test it", "status": "pending", "activeForm": "Testing"}]});
    let mut session = Session::with(
        Options { mode: Mode::Default, ..Options::default() },
        [
            calls(&[("t", "TodoWrite", todo), ("r", "Read", json!({"file_path": "f.txt"}))]),
            text("Read."),
        ],
    );
    session.file("f.txt", "x\n");
    session.ask("begin").await;
    session.send(Command::SetMode { mode: Mode::AcceptEdits }).await;
    session.send(Command::SetModel { model: "script/other".to_owned() }).await;
    session.send(Command::Rename { title: "The work".to_owned() }).await;
    let place = Place { message: None, entries: 1, row: 0 };
    session.send(Command::Leave { place: Some(place.clone()) }).await;
    let edit = json!({"file_path": "f.txt", "old_string": "x", "new_string": "y"});
    let answers = [calls(&[("e", "Edit", edit)]), text("Edited.")];
    let mut session = session.again_with(answers, |setup| setup.mode = Mode::Default).await;
    session.until(|event| matches!(event, Event::Spent { .. }).then_some(())).await;
    let told: Vec<String> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Started { mode, model, .. } => Some(format!("{mode:?} {model}")),
            Event::Titled { title } => Some(title.clone()),
            Event::PlaceRestored { place: back } => Some(format!("place {}", *back == place)),
            Event::TodosChanged { todos } => Some(todos[0].content.clone()),
            // Two requests of 1,000 tokens in, 50 and 20 out, at 3 and 15 USD a million.
            Event::Spent { session, .. } => Some(format!("{}", session.0)),
            _ => None,
        })
        .collect();
    let wanted = ["AcceptEdits script/other", "The work", "place true", "test it", "7050"];
    assert_eq!(told, wanted);
    // The file is known: it need not be read again before it is changed.
    session.ask("edit it").await;
    assert_eq!(session.results()[0].status, CallStatus::Done);
}

#[tokio::test]
async fn what_was_queued_when_the_program_died_is_queued_again() {
    let mut session = Session::start([calls(&[("a", "Bash", json!({"command": "sleep 60"}))])]);
    let turn = session.submit("go").await;
    session.until(|event| matches!(event, Event::CallStarted { .. }).then_some(())).await;
    session.send(Command::Queue { turn, input: Input::text("and then this") }).await;
    session.until(|event| matches!(event, Event::QueueChanged { .. }).then_some(())).await;
    let mut session = killed(session, []);
    let queued = session
        .until(|event| match event {
            Event::QueueChanged { queued } => Some(queued.clone()),
            _ => None,
        })
        .await;
    assert_eq!(queued[0].text, "and then this");
}

/// What is told of the conversation.
fn conversation(events: &[Event]) -> Vec<Event> {
    let is_part = |event: &&Event| {
        matches!(
            event,
            Event::Restored { .. } | Event::CallRestored { .. } | Event::TurnRestored { .. }
        )
    };
    events.iter().filter(is_part).cloned().collect()
}

#[tokio::test]
async fn the_end_of_a_large_session_is_told_before_the_rest() {
    let turns = 60;
    let answers = (0..turns).flat_map(|n| {
        let list = calls(&[(&format!("call-{n}"), "LS", json!({"path": "."}))]);
        [list, text(&format!("Answer {n}: {}", "word ".repeat(2_000)))]
    });
    let options = Options { window: 10_000_000, ..Options::default() };
    let mut session = Session::with(options, answers.collect::<Vec<_>>());
    for n in 0..turns {
        assert_eq!(session.ask(&format!("prompt {n}")).await, TurnEnd::Done);
    }
    let spent = |event: &Event| matches!(event, Event::Spent { .. }).then_some(());
    let mut plain = session.again([]).await;
    plain.until(spent).await;
    let wanted = conversation(&plain.events);
    assert_eq!(wanted.len(), turns * 4);

    let mut session = plain.again_with([], |setup| setup.end_first = true).await;
    session.until(spent).await;
    let at = |wanted: fn(&Event) -> bool| session.events.iter().position(wanted).unwrap();
    let opening = at(|event| matches!(event, Event::Opening { .. }));
    let started = at(|event| matches!(event, Event::Started { .. }));
    let begun = at(|event| matches!(event, Event::EarlierBegun));
    let ended = at(|event| matches!(event, Event::EarlierEnded));
    assert!(opening == 0 && started < begun && begun < ended);
    let end = conversation(&session.events[..started]);
    let beginning = conversation(&session.events[begun..ended]);
    assert!(end.len() >= 40 && beginning.len() >= 40, "{} {}", end.len(), beginning.len());
    assert_eq!([beginning, end].concat(), wanted);
    assert_eq!(conversation(&session.events).len(), wanted.len(), "nothing is told twice");
}
