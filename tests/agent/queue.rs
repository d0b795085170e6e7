//! What is said while a turn runs.

use serde_json::json;
use tern::protocol::{Command, Event, Input, TurnEnd, TurnId};

use crate::support::script::{calls, text};
use crate::support::session::Session;

/// A session whose first turn runs a command that takes long.
async fn busy(words: &[&str]) -> Session {
    let mut session = Session::start([
        calls(&[("1", "Bash", json!({"command": "sleep 60"}))]),
        text("Now then."),
        text("More."),
    ]);
    session.submit("wait").await;
    session.until(|event| matches!(event, Event::CallStarted { .. }).then_some(())).await;
    for word in words {
        let input = Input::text(*word);
        session.send(Command::Queue { turn: TurnId(1), input }).await;
    }
    let all = words.len();
    session
        .until(|event| match event {
            Event::QueueChanged { queued } => (queued.len() == all).then_some(()),
            _ => None,
        })
        .await;
    session
}

fn started(session: &Session) -> Vec<(u64, String)> {
    let started = session.events.iter().filter_map(|event| match event {
        Event::TurnStarted { turn, text, .. } => Some((turn.0, text.clone())),
        _ => None,
    });
    started.collect()
}

#[tokio::test]
async fn sent_at_once_it_stops_the_turn_and_is_the_next_one() {
    let mut session = busy(&["one", "two", "three"]).await;
    session.send(Command::Unqueue { id: Some(1) }).await;
    session.send(Command::SendQueued { turn: TurnId(1), next: TurnId(2) }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
    assert_eq!(session.end().await, TurnEnd::Done);
    assert_eq!(started(&session)[1..], [(2, "one\n\nthree".to_owned())]);
}

#[tokio::test]
async fn without_anything_queued_nothing_is_stopped() {
    let mut session = busy(&["one"]).await;
    session.send(Command::Unqueue { id: Some(0) }).await;
    session.send(Command::SendQueued { turn: TurnId(1), next: TurnId(2) }).await;
    session.send(Command::Queue { turn: TurnId(1), input: Input::text("late") }).await;
    session
        .until(|event| {
            matches!(event, Event::QueueChanged { queued } if queued.len() == 1).then_some(())
        })
        .await;
    assert!(!session.events.iter().any(|event| matches!(event, Event::TurnEnded { .. })));
    session.send(Command::Interrupt { turn: TurnId(1) }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
}
