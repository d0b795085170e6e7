//! What runs after changes of files, and what the model hears of it.

use std::time::Duration;

use serde_json::json;
use tern::agent::Rules;
use tern::config::Check;
use tern::protocol::{CallStatus, Event, Level, Source, Sourced, TurnEnd};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

fn check(name: &str, command: &str, source: Source) -> Sourced<Check> {
    let timeout = Duration::from_secs(20);
    Sourced::new(Check { name: name.to_owned(), command: command.to_owned(), timeout }, source)
}

fn write(content: &str) -> Answer {
    calls(&[("w", "Write", json!({"file_path": "a.txt", "content": content}))])
}

fn with(checks: Vec<Sourced<Check>>, answers: impl IntoIterator<Item = Answer>) -> Session {
    Session::with(Options { checks, ..Options::default() }, answers)
}

/// Command and end of each check that ran.
fn ran(session: &Session) -> Vec<(String, CallStatus)> {
    let queued = session.events.iter().filter_map(|event| match event {
        Event::CallQueued { call, tool, title, .. } if tool == "Check" => {
            Some((call.clone(), title.object.clone()))
        }
        _ => None,
    });
    let ended = |id| {
        session.events.iter().find_map(|event| match event {
            Event::CallEnded { call, result } if *call == id => Some(result.status),
            _ => None,
        })
    };
    queued.map(|(call, command)| (command, ended(call).unwrap())).collect()
}

#[tokio::test]
async fn a_failure_goes_to_the_model_until_it_is_mended() {
    let checks = vec![
        check("format", "tr a-z A-Z < a.txt > b.txt", Source::User),
        check("lint", "grep -q good a.txt || { echo 'a.txt is not good'; exit 1; }", Source::User),
        check("test", "touch tested", Source::User),
    ];
    let answers = [write("bad"), text("Done."), write("good"), text("Now it is good.")];
    let mut session = with(checks, answers);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let (done, failed) = (CallStatus::Done, CallStatus::Failed);
    let ends: Vec<CallStatus> = ran(&session).into_iter().map(|(_, end)| end).collect();
    assert_eq!(ends, [done, failed, done, done, done], "nothing runs after what fails");
    let asked = session.script.requests();
    assert_eq!(asked.len(), 4);
    let told = format!("{:?}", asked[2].messages.last().unwrap());
    assert!(told.contains("lint check") && told.contains("a.txt is not good"), "{told}");
    assert!(session.dir.path().join("project/tested").exists());
}

#[tokio::test]
async fn the_model_is_sent_back_three_times_at_most() {
    let checks = vec![check("test", "echo no; exit 1", Source::User)];
    let rounds = (0..4).flat_map(|round| [write(&format!("try {round}")), text("Done.")]);
    let mut session = with(checks, rounds);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(ran(&session).len(), 4);
    assert_eq!(session.script.requests().len(), 8);
    let warned = session.events.iter().any(|event| {
        matches!(event, Event::Noticed { level: Level::Warning, text } if text.contains("still fails"))
    });
    assert!(warned);
}

#[tokio::test]
async fn a_model_that_gives_up_is_not_asked_again_without_a_change() {
    let checks = vec![check("test", "exit 1", Source::User)];
    let mut session = with(checks, [write("x"), text("Done."), text("It cannot be mended.")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(ran(&session).len(), 1);
}

#[tokio::test]
async fn nothing_runs_without_a_change_or_before_trust() {
    let mut session = with(vec![check("test", "exit 1", Source::User)], [text("Hello.")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(ran(&session), []);
    for (trusted, runs) in [(false, 0), (true, 1)] {
        let checks = vec![check("test", "touch tested", Source::Project)];
        let rules = Rules { trusted, ..Rules::default() };
        let options = Options { checks, rules, ..Options::default() };
        let mut session = Session::with(options, [write("x"), text("Done.")]);
        assert_eq!(session.ask("go").await, TurnEnd::Done);
        assert_eq!(ran(&session).len(), runs, "trusted: {trusted}");
        assert_eq!(session.dir.path().join("project/tested").exists(), trusted);
    }
}
