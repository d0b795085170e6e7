//! A model that makes the same failing call again and again: after five times the person is asked.

use serde_json::{Value, json};
use tern::protocol::{About, Chosen, Command, ErrorKind, Event, Reply, RequestId, TurnEnd};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

fn failing() -> Answer {
    calls(&[("a", "Read", json!({"file_path": "nowhere"}))])
}

fn five() -> Vec<Answer> {
    (0..5).map(|_| failing()).collect()
}

async fn question(session: &mut Session) -> (RequestId, String) {
    session
        .until(|event| match event {
            Event::QuestionAsked { inquiry } => match &inquiry.about {
                About::Choices { questions } => Some((inquiry.id, questions[0].question.clone())),
                About::Plan { .. } => None,
            },
            _ => None,
        })
        .await
}

fn chooses(label: &str) -> Reply {
    Reply::Chosen { answers: vec![Chosen { labels: vec![label.into()], text: String::new() }] }
}

fn last_words(session: &Session) -> String {
    let requests = session.script.requests();
    requests.last().unwrap().messages.last().unwrap().text()
}

#[tokio::test]
async fn the_person_says_how_to_go_on() {
    let own = Chosen { labels: vec![], text: "Look in src.".into() };
    for (reply, words) in [
        (chooses("Another way"), "do it another way"),
        (Reply::Chosen { answers: vec![own] }, "Look in src."),
        (Reply::Declined { message: Some("Use LS.".into()) }, "Use LS."),
        (chooses("Go on"), ""),
    ] {
        let mut session = Session::start(five().into_iter().chain([text("I see.")]));
        session.submit("go").await;
        let (request, asked) = question(&mut session).await;
        assert!(asked.starts_with("The same call of Read failed 5 times: "), "{asked}");
        assert!(asked.contains("nowhere"), "{asked}");
        session.send(Command::Reply { request, reply }).await;
        assert_eq!(session.end().await, TurnEnd::Done);
        assert_eq!(session.script.requests().len(), 6);
        assert!(last_words(&session).contains(words), "{}", last_words(&session));
    }
}

#[tokio::test]
async fn the_person_may_stop_it() {
    for reply in [chooses("Stop"), Reply::Declined { message: None }] {
        let mut session = Session::start(five());
        session.submit("go").await;
        let (request, _) = question(&mut session).await;
        session.send(Command::Reply { request, reply }).await;
        assert_eq!(session.end().await, TurnEnd::Interrupted);
    }
    let mut session = Session::start(five());
    let turn = session.submit("go").await;
    question(&mut session).await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
}

#[tokio::test]
async fn where_nobody_is_there_the_turn_ends() {
    let options = Options { can_ask: false, ..Options::default() };
    let mut session = Session::with(options, five());
    let TurnEnd::Failed { error, message, .. } = session.ask("go").await else {
        panic!("must fail");
    };
    assert_eq!(error, ErrorKind::Tool);
    assert!(message.contains("Read failed 5 times"), "{message}");
}

/// Looking around in between makes no other call of it; a change does.
#[tokio::test]
async fn what_was_changed_in_between_counts() {
    let look = || calls(&[("b", "LS", json!({"path": "."}))]);
    let touch = |n: u32| calls(&[("c", "Bash", json!({"command": format!("touch {n}")}))]);
    let options = || Options { can_ask: false, ..Options::default() };
    let looks = (0..5).flat_map(|_| [failing(), look()]);
    let mut session = Session::with(options(), looks);
    assert!(matches!(session.ask("go").await, TurnEnd::Failed { .. }));

    let changes = (0..6).flat_map(|n| [failing(), touch(n)]).chain([text("Done.")]);
    let mut session = Session::with(options(), changes);
    assert_eq!(session.ask("go").await, TurnEnd::Done);

    let others = (0..12).map(|n| {
        let path: Value = format!("nowhere{}", n % 3).into();
        calls(&[("a", "Read", json!({"file_path": path}))])
    });
    let mut session = Session::with(options(), others.chain([text("Done.")]));
    assert_eq!(session.ask("go").await, TurnEnd::Done);
}
