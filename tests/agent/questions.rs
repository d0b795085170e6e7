//! The model's questions to the person, and plan mode from its beginning to its end.

use serde_json::json;
use tern::protocol::{About, CallStatus, Chosen, Command, Event, Inquiry, Mode, Reply};

use crate::support::script::{call, text};
use crate::support::session::{Options, Session};

async fn asked(session: &mut Session) -> Box<Inquiry> {
    session
        .until(|event| match event {
            Event::QuestionAsked { inquiry } => Some(inquiry.clone()),
            _ => None,
        })
        .await
}

fn question() -> serde_json::Value {
    json!({"questions": [
        {"question": "Which parser?", "header": "Parser",
         "options": [{"label": "hand-written"}, {"label": "generated", "description": "slower"}]},
        {"question": "Which tests?", "multiSelect": true,
         "options": [{"label": "unit"}, {"label": "fuzz"}]},
    ]})
}

#[tokio::test]
async fn the_person_chooses_and_the_model_learns_it() {
    let mut session = Session::start([call("a", "AskUserQuestion", question()), text("done")]);
    session.submit("go").await;
    let inquiry = asked(&mut session).await;
    let About::Choices { questions } = &inquiry.about else { panic!("{inquiry:?}") };
    assert_eq!((questions.len(), questions[1].multi_select), (2, true));
    let answers = vec![
        Chosen { labels: vec!["generated".into()], text: String::new() },
        Chosen { labels: vec!["unit".into()], text: "and a bench".into() },
    ];
    let reply = Reply::Chosen { answers };
    session.send(Command::Reply { request: inquiry.id, reply: reply.clone() }).await;
    session.end().await;
    let result = &session.results()[0];
    assert_eq!(
        result.text,
        "Which parser?\n  generated\nWhich tests?\n  unit; in their own words: and a bench"
    );
    // A second answer finds nothing.
    session.send(Command::Reply { request: inquiry.id, reply }).await;
}

#[tokio::test]
async fn an_interrupt_while_it_waits_is_an_interrupt() {
    let mut session = Session::start([call("a", "AskUserQuestion", question())]);
    let turn = session.submit("go").await;
    let inquiry = asked(&mut session).await;
    session.send(Command::Interrupt { turn }).await;
    let closed = session
        .until(|event| match event {
            Event::QuestionClosed { request } => Some(*request),
            _ => None,
        })
        .await;
    assert_eq!(closed, inquiry.id);
    session.end().await;
    assert_eq!(session.results()[0].status, CallStatus::Interrupted);
}

#[tokio::test]
async fn with_nobody_there_the_model_is_told_so() {
    let options = Options { can_ask: false, ..Options::default() };
    let plan = json!({"plan": "1. look"});
    let mut session = Session::with(
        options,
        [call("a", "AskUserQuestion", question()), call("b", "ExitPlanMode", plan), text("done")],
    );
    session.ask("go").await;
    let results = session.results();
    assert!(results[0].text.contains("Nobody is there to answer"), "{}", results[0].text);
    assert!(results[1].text.contains("Give the plan as your answer"), "{}", results[1].text);
}

#[tokio::test]
async fn a_plan_is_refused_with_words_then_changed_and_approved() {
    let show = |id| call(id, "UseTool", json!({"name": "ExitPlanMode", "input": {"plan": "# A"}}));
    let write = json!({"file_path": "a.txt", "content": "x\n"});
    let options = Options { mode: Mode::Plan, ..Options::default() };
    let mut session = Session::with(
        options,
        [
            call("w", "Write", write.clone()),
            show("a"),
            show("b"),
            call("c", "Write", write),
            text("done"),
        ],
    );
    session.submit("go").await;
    let inquiry = asked(&mut session).await;
    assert_eq!(inquiry.about, About::Plan { plan: "# A".into() });
    let reply = Reply::Declined { message: Some("tests first".into()) };
    session.send(Command::Reply { request: inquiry.id, reply }).await;
    let inquiry = asked(&mut session).await;
    // No mode that asks less than acceptEdits comes of an approval.
    let plan = Some("# B".to_owned());
    let reply = Reply::Approved { mode: Mode::AcceptEdits, plan };
    session.send(Command::Reply { request: inquiry.id, reply }).await;
    session.end().await;
    let results = session.results();
    assert_eq!(results[0].status, CallStatus::Denied, "plan mode refuses writes");
    assert!(results[1].text.ends_with("The user says: tests first"), "{}", results[1].text);
    assert!(results[2].text.contains("approved it as:\n\n# B"), "{}", results[2].text);
    assert_eq!(results[3].status, CallStatus::Done, "{}", results[3].text);
    assert!(session.events.contains(&Event::ModeSet { mode: Mode::AcceptEdits }));
    let requests = session.script.requests();
    let first = format!("{:?}", requests[0].messages);
    assert!(first.contains("plan mode is on"), "{first}");
    let last = format!("{:?}", requests.last().unwrap().messages);
    assert_eq!(last.matches("plan mode is on").count(), 1, "{last}");
    assert_eq!(last.matches("plan mode is over.").count(), 1, "{last}");
}

#[tokio::test]
async fn an_approval_never_loosens_more_than_edits() {
    let options = Options { mode: Mode::Plan, ..Options::default() };
    let mut session =
        Session::with(options, [call("a", "ExitPlanMode", json!({"plan": "x"})), text("done")]);
    session.submit("go").await;
    let inquiry = asked(&mut session).await;
    let reply = Reply::Approved { mode: Mode::BypassPermissions, plan: None };
    session.send(Command::Reply { request: inquiry.id, reply }).await;
    session.end().await;
    assert!(session.events.contains(&Event::ModeSet { mode: Mode::Default }));
}
