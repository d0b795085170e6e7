//! Commands in the background: started there or moved there, looked at, ended, and gone with the
//! session.

use std::time::Duration;

use serde_json::json;
use tern::protocol::{CallStatus, Command, Event, JobId};

use crate::support::script::{call, calls, text};
use crate::support::session::Session;

fn changed(event: &Event) -> Option<(u64, bool, String)> {
    match event {
        Event::JobChanged { job, running, facts, .. } => Some((job.0, *running, facts.clone())),
        _ => None,
    }
}

fn looked(input: &serde_json::Value) -> serde_json::Value {
    json!({"name": "TaskOutput", "input": input})
}

#[tokio::test]
async fn the_model_starts_one_reads_it_and_ends_it() {
    let command = "echo one; read -t 60 <> <(:); echo never";
    let mut session = Session::start([
        call("a", "Bash", json!({"command": command, "run_in_background": true})),
        call("b", "UseTool", looked(&json!({"task_id": "1", "block": true, "timeout": 300}))),
        calls(&[
            ("c", "TaskStop", json!({"task_id": 1})),
            ("d", "TaskOutput", json!({"bash_id": "9"})),
        ]),
        text("done"),
        text("again"),
    ]);
    session.ask("go").await;
    let results = session.results();
    assert!(results[0].text.contains("in the background as task 1"), "{}", results[0].text);
    assert_eq!(results[1].text, "one\n[runs since 0 s]");
    assert!(results[2].text.starts_with("[stopped"), "{}", results[2].text);
    assert_eq!(results[3].status, CallStatus::Failed);
    assert!(results[3].text.contains("The tasks are 1."), "{}", results[3].text);
    session.ask("and now?").await;
    // The model has seen the end itself, so it is not told again.
    let requests = session.script.requests();
    let last = format!("{:?}", requests.last().unwrap().messages);
    assert!(!last.contains("has ended"), "{last}");
}

#[tokio::test]
async fn the_model_is_told_of_an_end_with_the_next_request() {
    let mut session = Session::start([
        call("a", "Bash", json!({"command": "exit 3", "run_in_background": true})),
        text("started"),
        text("ok"),
    ]);
    session.ask("go").await;
    while !session.events.iter().filter_map(changed).any(|(_, running, _)| !running) {
        session.next().await;
    }
    session.ask("next").await;
    let requests = session.script.requests();
    // It may have ended before the first turn was over.
    let said = format!("{:?}", requests[2].messages);
    assert_eq!(said.matches("background task 1 has ended: exit 3").count(), 1, "{said}");
}

#[tokio::test]
async fn a_command_is_moved_while_it_runs_and_ended_by_the_person() {
    let command = "cd /tmp; echo before; sleep 60";
    let mut session =
        Session::start([call("a", "Bash", json!({"command": command})), text("done")]);
    session.submit("go").await;
    session.until(|event| matches!(event, Event::CallOutput { .. }).then_some(())).await;
    session.send(Command::Background).await;
    session.end().await;
    let result = &session.results()[0];
    assert!(result.text.starts_with("before\n[the user moved it"), "{}", result.text);
    assert_eq!(result.status, CallStatus::Done);

    session.send(Command::FollowJob { job: Some(JobId(1)) }).await;
    let output = session
        .until(|event| match event {
            Event::JobOutput { text, .. } => Some(text.clone()),
            _ => None,
        })
        .await;
    assert_eq!(output, "before\n");
    session.send(Command::Kill { job: JobId(1) }).await;
    let facts = session.until(|event| changed(event).filter(|(_, running, _)| !running)).await.2;
    assert!(facts.starts_with("stopped"), "{facts}");
}

#[tokio::test]
async fn nothing_is_left_when_the_session_ends() {
    let command = "setsid sleep 987.6 & sleep 987.6";
    let mut session = Session::start([
        call("a", "Bash", json!({"command": command, "run_in_background": true})),
        text("done"),
    ]);
    session.ask("go").await;
    wait_for(|| sleepers() == 2).await;
    session.send(Command::Stop).await;
    session.until(|event| matches!(event, Event::Stopped).then_some(())).await;
    assert_eq!(sleepers(), 0);
}

fn sleepers() -> usize {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x00987.6\0")
    })
    .count()
}

async fn wait_for(mut held: impl FnMut() -> bool) {
    for _ in 0..400 {
        if held() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came to it");
}
