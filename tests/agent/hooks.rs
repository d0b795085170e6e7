//! Hooks: programs of the person's that have a say.

use std::time::Duration;

use serde_json::{Value, json};
use tern::config::Hook;
use tern::protocol::{
    CallStatus, Command, Decision, ErrorKind, Event, HookEnd, HookEvent, Mode, Source, Sourced,
    TurnEnd,
};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

fn hook(event: HookEvent, matcher: &str, command: &str) -> Sourced<Hook> {
    let timeout = Duration::from_secs(20);
    let (matcher, command) = (matcher.to_owned(), command.to_owned());
    Sourced::new(Hook { event, matcher, command, timeout, detached: false }, Source::User)
}

fn with(
    mode: Mode,
    hooks: impl Into<Vec<Sourced<Hook>>>,
    answers: impl IntoIterator<Item = Answer>,
) -> Session {
    Session::with(Options { mode, hooks: hooks.into(), ..Options::default() }, answers)
}

fn bash(command: &str) -> Answer {
    calls(&[("a", "Bash", json!({ "command": command }))])
}

fn runs(session: &Session) -> Vec<(HookEvent, HookEnd, String)> {
    let ran = session.events.iter().filter_map(|event| match event {
        Event::HookRan { run } => Some((run.event, run.end, run.text.clone())),
        _ => None,
    });
    ran.collect()
}

/// What a hook that keeps its input in this file of the project was told.
fn told(session: &Session, name: &str) -> Value {
    let path = session.dir.path().join("project").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn exit_code_2_stops_a_call_and_the_model_hears_why() {
    let no = "cat > told.json; echo 'not on a Friday' >&2; exit 2";
    let hooks = [hook(HookEvent::PreToolUse, "Bash", no)];
    let mut session = with(Mode::BypassPermissions, hooks, [bash("touch made"), text("ok")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let result = &session.results()[0];
    assert_eq!(result.status, CallStatus::Denied);
    assert!(result.text.contains("not on a Friday"), "{}", result.text);
    assert!(!session.dir.path().join("project/made").exists());
    let told = told(&session, "told.json");
    assert_eq!(told["hook_event_name"], "PreToolUse");
    assert_eq!(told["tool_name"], "Bash");
    assert_eq!(told["tool_input"]["command"], "touch made");
    assert_eq!(told["permission_mode"], "bypassPermissions");
    assert!(told["transcript_path"].as_str().unwrap().ends_with(".jsonl"));
    assert_eq!(runs(&session)[0].1, HookEnd::Blocked);
}

fn decides(decision: &str) -> String {
    let own = json!({"hookSpecificOutput": {"hookEventName": "PreToolUse",
        "permissionDecision": decision, "permissionDecisionReason": "because"}});
    format!("printf '%s' '{own}'")
}

#[tokio::test]
async fn an_allow_spares_a_question_but_no_rule() {
    let hooks = [hook(HookEvent::PreToolUse, "", &decides("allow"))];
    let mut session = with(Mode::Default, hooks.clone(), [bash("touch made"), text("ok")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert!(session.dir.path().join("project/made").exists());

    // Nothing that is asked about for good reason runs because a hook says so.
    let mut session = with(Mode::Default, hooks, [bash("rm -rf ~/"), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    session.answer(&request, Decision::Deny { message: None }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
}

#[tokio::test]
async fn an_ask_brings_the_question_that_the_mode_would_spare() {
    let hooks = [hook(HookEvent::PreToolUse, "Bash", &decides("ask"))];
    let mut session = with(Mode::BypassPermissions, hooks, [bash("touch made"), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    assert!(request.because.contains("a hook asks: because"), "{}", request.because);
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
}

#[tokio::test]
async fn a_changed_input_is_judged_and_run_and_told() {
    let own = json!({"hookSpecificOutput": {"updatedInput": {"command": "touch other"}}});
    let hooks = [hook(HookEvent::PreToolUse, "Bash", &format!("printf '%s' '{own}'"))];
    let mut session = with(Mode::Default, hooks, [bash("touch made"), text("ok")]);
    session.submit("go").await;
    let request = session.question().await;
    let shown = serde_json::to_value(&request.preview).unwrap();
    assert_eq!(shown["command"], "touch other");
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let project = session.dir.path().join("project");
    assert!(project.join("other").exists() && !project.join("made").exists());
    assert!(session.results()[0].text.contains("touch other"));
}

#[tokio::test]
async fn what_is_said_after_a_call_reaches_the_model() {
    let hooks = [hook(
        HookEvent::PostToolUse,
        "Write",
        r#"cat > told.json; printf '{"decision": "block", "reason": "line 1 is too long"}'"#,
    )];
    let write = json!({"file_path": "a.txt", "content": "x"});
    let answers = [calls(&[("a", "Write", write)]), text("ok")];
    let mut session = with(Mode::BypassPermissions, hooks, answers);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let result = &session.results()[0];
    assert_eq!(result.status, CallStatus::Done);
    assert!(result.text.contains("line 1 is too long"), "{}", result.text);
    assert_eq!(told(&session, "told.json")["tool_response"]["filePath"], "a.txt");
}

#[tokio::test]
async fn a_prompt_can_be_stopped_or_added_to() {
    let reads = "read -r input; case \"$input\" in *secret*) echo 'no secrets' >&2; exit 2;; \
                 esac; echo 'today is rainy'";
    let hooks = [hook(HookEvent::UserPromptSubmit, "", reads)];
    let mut session = with(Mode::Default, hooks, [text("ok")]);
    let TurnEnd::Failed { error, message, .. } = session.ask("the secret").await else {
        panic!("it was stopped")
    };
    assert_eq!(error, ErrorKind::Denied);
    assert!(message.contains("no secrets"), "{message}");
    assert_eq!(session.ask("the weather").await, TurnEnd::Done);
    let requests = session.script.requests();
    assert_eq!(requests.len(), 1);
    let sent = serde_json::to_string(&requests[0].messages).unwrap();
    assert!(sent.contains("today is rainy") && !sent.contains("the secret"), "{sent}");
}

#[tokio::test]
async fn stop_hooks_send_the_model_back_but_not_for_ever() {
    let never = r#"cat >> stops.jsonl; printf '{"decision": "block", "reason": "more"}'"#;
    let hooks = [hook(HookEvent::Stop, "", never)];
    let mut session = with(Mode::Default, hooks, (0..6).map(|_| text("done")));
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(session.script.requests().len(), 6);
    assert!(session.notices().iter().any(|text| text.contains("5 times")));
    let log = session.dir.path().join("project/stops.jsonl");
    let lines = std::fs::read_to_string(log).unwrap();
    let active =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["stop_hook_active"].clone();
    let active: Vec<Value> = lines.lines().map(active).collect();
    assert_eq!((active.len(), &active[0], &active[5]), (6, &json!(false), &json!(true)));
}

#[tokio::test]
async fn hooks_that_fail_hang_or_talk_nonsense_stop_nothing_and_are_told() {
    let mut slow = hook(HookEvent::PreToolUse, "Bash", "sleep 60");
    slow.value.timeout = Duration::from_millis(300);
    let hooks = [
        slow,
        hook(HookEvent::PreToolUse, "Bash", "echo oops >&2; exit 1"),
        hook(HookEvent::PreToolUse, "Bash", "echo '{\"continue\": '"),
        hook(HookEvent::PreToolUse, "Bash", "/no/such/program"),
    ];
    let mut session = with(Mode::BypassPermissions, hooks, [bash("touch made"), text("ok")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert!(session.dir.path().join("project/made").exists());
    let told = runs(&session);
    assert!(
        told.iter().all(|(_, end, text)| *end == HookEnd::Failed && !text.is_empty()),
        "{told:?}"
    );
    assert_eq!(told.len(), 4);
}

#[tokio::test]
async fn continue_false_ends_the_turn() {
    let hooks = [hook(
        HookEvent::PostToolUse,
        "",
        r#"printf '{"continue": false, "stopReason": "enough"}'"#,
    )];
    let mut session = with(Mode::BypassPermissions, hooks, [bash("true")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert!(session.notices().iter().any(|text| text.contains("enough")));
}

#[tokio::test]
async fn a_permission_hook_answers_for_the_person_and_a_notification_tells_of_the_question() {
    let no = json!({"hookSpecificOutput": {"decision": {"behavior": "deny", "message": "never"}}});
    let hooks = [
        hook(HookEvent::PermissionRequest, "Bash", &format!("printf '%s' '{no}'")),
        hook(HookEvent::Notification, "permission_prompt", "cat > rung.json"),
    ];
    let write = json!({"file_path": "a.txt", "content": "x"});
    let answers = [bash("touch made"), calls(&[("b", "Write", write)]), text("ok")];
    let mut session = with(Mode::Default, hooks, answers);
    session.submit("go").await;
    let request = session.question().await;
    assert_eq!(request.tool, "Write");
    assert!(session.results()[0].text.contains("never"));
    session
        .until(|event| match event {
            Event::HookRan { run } if run.event == HookEvent::Notification => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(told(&session, "rung.json")["notification_type"], "permission_prompt");
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
}

#[tokio::test]
async fn sessions_begin_and_end_with_their_hooks() {
    let hooks = [
        hook(HookEvent::SessionStart, "startup", "echo 'build is red'"),
        hook(HookEvent::SessionEnd, "", "cat > ended.json"),
    ];
    let mut session = with(Mode::Default, hooks, [text("ok")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let sent = serde_json::to_string(&session.script.requests()[0].messages).unwrap();
    assert!(sent.contains("build is red"));
    session.send(Command::Stop).await;
    session.until(|event| matches!(event, Event::Stopped).then_some(())).await;
    assert_eq!(told(&session, "ended.json")["hook_event_name"], "SessionEnd");
}

#[tokio::test]
async fn a_hook_of_a_folder_that_is_not_trusted_never_runs() {
    let mut theirs = hook(HookEvent::PreToolUse, "", "touch pwned");
    theirs.source = Source::Project;
    let mut session = with(Mode::BypassPermissions, [theirs], [bash("true"), text("ok")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert!(!session.dir.path().join("project/pwned").exists());
    assert_eq!(runs(&session), []);
}
