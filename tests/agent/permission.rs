//! Questions and answers.

use serde_json::json;
use tern::agent::Rules;
use tern::permissions::rule::RuleTexts;
use tern::protocol::{
    CallStatus, ChangedHunk, Closed, Command, Decision, Event, Mode, Preview, Scope, Source,
    Sourced, TurnEnd,
};

use crate::support::script::{calls, text};
use crate::support::session::{Options, Session};

fn asking(answers: impl IntoIterator<Item = crate::support::script::Answer>) -> Session {
    Session::with(Options { mode: Mode::Default, ..Options::default() }, answers)
}

#[tokio::test]
async fn a_command_runs_once_it_is_allowed() {
    let touch = json!({"command": "touch made", "description": "make it"});
    let mut session = asking([calls(&[("a", "Bash", touch)]), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    assert!(!session.dir.path().join("project/made").exists());
    assert_eq!(request.reason.as_deref(), Some("make it"));
    let Preview::Command { command, .. } = &request.preview else { panic!("a command") };
    assert_eq!(command, "touch made");
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert!(session.dir.path().join("project/made").exists());
}

#[tokio::test]
async fn a_denial_reaches_the_model_with_its_message() {
    let mut session =
        asking([calls(&[("a", "Bash", json!({"command": "touch made"}))]), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    let message = Some("use a temporary folder".to_owned());
    session.answer(&request, Decision::Deny { message }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let result = &session.results()[0];
    assert_eq!(result.status, CallStatus::Denied);
    assert!(result.text.contains("use a temporary folder"));
    assert!(!session.dir.path().join("project/made").exists());
}

#[tokio::test]
async fn a_second_answer_finds_nothing() {
    let mut session =
        asking([calls(&[("a", "Bash", json!({"command": "touch made"}))]), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    session.answer(&request, Decision::Deny { message: None }).await;
    session.answer(&request, Decision::Once).await;
    session.end().await;
    assert!(!session.dir.path().join("project/made").exists());
}

#[tokio::test]
async fn a_rule_of_this_session_covers_the_next_call() {
    let touch = |name: &str| json!({"command": format!("touch {name}")});
    let mut session = asking([
        calls(&[("a", "Bash", touch("one"))]),
        calls(&[("b", "Bash", touch("two"))]),
        text("ok"),
    ]);
    session.submit("go").await;
    let request = session.question().await;
    let rules = vec!["Bash(touch *)".to_owned()];
    session.answer(&request, Decision::Rules { rules, scope: Scope::Session }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert!(session.dir.path().join("project/two").exists());
}

#[tokio::test]
async fn an_interrupt_while_a_question_waits_is_no_denial() {
    let mut session =
        asking([calls(&[("a", "Bash", json!({"command": "touch made"}))]), text("ok")]);
    let turn = session.submit("go").await;
    session.question().await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
    assert_eq!(session.results()[0].status, CallStatus::Interrupted);
    let closed = session
        .events
        .iter()
        .any(|event| matches!(event, Event::PermissionClosed { by: Closed::Interrupt, .. }));
    assert!(closed);
}

#[tokio::test]
async fn an_edit_shows_its_whole_change_and_applies_what_was_kept() {
    let before: String = (1..=40).map(|n| format!("line {n}\n")).collect();
    let after = before.replace("line 3\n", "LINE 3\n").replace("line 33\n", "LINE 33\n");
    let write = json!({"file_path": "f.txt", "content": after});
    let mut session = asking([
        calls(&[("r", "Read", json!({"file_path": "f.txt"}))]),
        calls(&[("a", "Write", write)]),
        text("ok"),
    ]);
    let path = session.file("f.txt", &before);
    session.submit("go").await;
    let request = session.question().await;
    let Preview::Edit { hunks, added, removed, .. } = &request.preview else { panic!("an edit") };
    assert_eq!((hunks.len(), *added, *removed), (2, 2, 2));
    session.answer(&request, Decision::Hunks { kept: vec![1], changed: Vec::new() }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert_eq!(std::fs::read_to_string(path).unwrap(), before.replace("line 33\n", "LINE 33\n"));
}

#[tokio::test]
async fn a_file_changed_behind_the_question_is_not_overwritten() {
    let write = json!({"file_path": "f.txt", "content": "mine\n"});
    let mut session = asking([
        calls(&[("r", "Read", json!({"file_path": "f.txt"}))]),
        calls(&[("a", "Write", write)]),
        text("ok"),
    ]);
    let path = session.file("f.txt", "before\n");
    session.submit("go").await;
    let request = session.question().await;
    std::fs::write(&path, "theirs\n").unwrap();
    session.answer(&request, Decision::Once).await;
    session.end().await;
    assert_eq!(std::fs::read_to_string(path).unwrap(), "theirs\n");
    assert_eq!(session.results().last().unwrap().status, CallStatus::Failed);
}

#[tokio::test]
async fn with_no_one_to_ask_a_question_is_a_denial_and_three_end_the_turn() {
    let touch = |n: u32| {
        let id = format!("c{n}");
        calls(&[(id.as_str(), "Bash", json!({"command": format!("touch f{n}")}))])
    };
    let options = Options { mode: Mode::Default, can_ask: false, ..Options::default() };
    let mut session = Session::with(options, [touch(1), touch(2), touch(3)]);
    let TurnEnd::Failed { message, .. } = session.ask("go").await else { panic!("must fail") };
    assert!(message.contains("3 calls in a row were denied"), "{message}");
    assert!(session.results()[0].text.contains("Nobody is there to be asked"));
}

#[tokio::test]
async fn plan_mode_writes_nothing() {
    let options = Options { mode: Mode::Plan, ..Options::default() };
    let write = json!({"file_path": "f.txt", "content": "x"});
    let mut session = Session::with(options, [calls(&[("a", "Write", write)]), text("ok")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(session.results()[0].status, CallStatus::Denied);
    assert!(!session.dir.path().join("project/f.txt").exists());
}

#[tokio::test]
async fn a_sandbox_that_is_asked_for_holds_commands() {
    use tern::config::{Sandbox, SandboxMode};
    use tern::process::sandbox::{Kind, probe};
    let found = tokio::task::spawn_blocking(probe).await.unwrap();
    if found.kind == Kind::None {
        println!("SKIPPED a_sandbox_that_is_asked_for_holds_commands: {}", found.why);
        return;
    }
    // Not the usual temporary folder, which commands in the sandbox may write to.
    let Ok(outside) = tempfile::tempdir_in("/var/tmp") else {
        println!("SKIPPED a_sandbox_that_is_asked_for_holds_commands: /var/tmp cannot be written");
        return;
    };
    let target = outside.path().join("made");
    let command = format!("echo in > inside; echo out > {}", target.display());
    let sandbox = Sandbox { mode: SandboxMode::Auto, ..Sandbox::default() };
    let options = Options { sandbox, ..Options::default() };
    let mut session =
        Session::with(options, [calls(&[("a", "Bash", json!({"command": command}))]), text("ok")]);
    session.ask("go").await;
    assert!(session.dir.path().join("project/inside").exists(), "{:?}", session.results());
    assert!(!target.exists());
}

#[tokio::test]
async fn a_command_that_the_person_changes_is_judged_as_it_runs() {
    let touch = |session: &mut Session| session.dir.path().join("project/mine").exists();
    let bash = || calls(&[("a", "Bash", json!({"command": "touch theirs"}))]);
    let change = |command: &str| Decision::Command { command: command.to_owned() };
    // What nothing allows is shown once more, as it will run.
    let mut session = asking([bash(), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    session.answer(&request, change("touch mine")).await;
    let again = session.question().await;
    let Preview::Command { command, .. } = &again.preview else { panic!("a command") };
    assert_eq!(command, "touch mine");
    session.answer(&again, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert!(touch(&mut session) && !session.dir.path().join("project/theirs").exists());
    let text = &session.results()[0].text;
    assert!(text.starts_with("The user changed the command. What ran is:\ntouch mine\n"), "{text}");
    let title = session.events.iter().find_map(|event| match event {
        Event::CallChanged { title, .. } => Some(title.object.clone()),
        _ => None,
    });
    assert_eq!(title.as_deref(), Some("touch mine"));

    // A deny rule stands over the person's own change; what only reads needs no second look.
    let deny = vec![Sourced::new("Bash(touch *)".to_owned(), Source::User)];
    let texts = RuleTexts { deny, ..RuleTexts::default() };
    let rules = Rules { texts, ..Rules::default() };
    let options = Options { mode: Mode::Default, rules, ..Options::default() };
    let mkdir = || calls(&[("a", "Bash", json!({"command": "mkdir x"}))]);
    let mut session =
        Session::with(options, [mkdir(), mkdir(), crate::support::script::text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    session.answer(&request, change("touch mine")).await;
    let request = session.question().await;
    session.answer(&request, change("pwd")).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let results = session.results();
    assert_eq!(results[0].status, CallStatus::Denied);
    assert_eq!(results[1].status, CallStatus::Done);
    assert!(!touch(&mut session));
}

#[tokio::test]
async fn a_hunk_that_the_person_changes_is_what_is_written_and_told() {
    let before: String = (1..=40).map(|n| format!("line {n}\n")).collect();
    let after = before.replace("line 3\n", "LINE 3\n").replace("line 33\n", "LINE 33\n");
    let write = json!({"file_path": "f.txt", "content": after});
    let mut session = asking([
        calls(&[("r", "Read", json!({"file_path": "f.txt"}))]),
        calls(&[("a", "Write", write)]),
        text("ok"),
    ]);
    let path = session.file("f.txt", &before);
    session.submit("go").await;
    let request = session.question().await;
    let text = "line 30\nline 31\nline 32\nmine\nline 34\nline 35\nline 36\n".to_owned();
    let changed = vec![ChangedHunk { hunk: 1, text: text.clone() }];
    session.answer(&request, Decision::Hunks { kept: vec![1], changed }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert_eq!(std::fs::read_to_string(path).unwrap(), before.replace("line 33\n", "mine\n"));
    let told = &session.results()[1].text;
    for part in ["kept 1 of 2 hunks and dropped hunk 1 (line 3)", "changed hunk 2 (line 33)", &text]
    {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[tokio::test]
async fn a_mode_that_refuses_goes_back_to_asking_after_three_denials_in_a_row() {
    let touch = |n: u32| {
        let id = format!("c{n}");
        calls(&[(id.as_str(), "Bash", json!({"command": format!("touch f{n}")}))])
    };
    let options = Options { mode: Mode::DontAsk, ..Options::default() };
    let mut session = Session::with(options, [touch(1), touch(2), touch(3), touch(4), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    let Preview::Command { command, .. } = &request.preview else { panic!("a command") };
    assert_eq!(command, "touch f4");
    let back = Event::ModeSet { mode: Mode::Default };
    assert!(session.events.contains(&back));
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let statuses: Vec<CallStatus> = session.results().iter().map(|result| result.status).collect();
    assert_eq!(statuses[..3], [CallStatus::Denied; 3]);
    assert_eq!(statuses[3], CallStatus::Done);
}
