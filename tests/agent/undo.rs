//! Changes of files taken back and forth again: exactly what the preview lists, byte for byte.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tern::protocol::{
    CallId, Command, Event, FileEffect, Part, RequestId, Rewind, Skipped, Step, StepConflict,
};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

/// What a step said that it had done.
#[derive(Debug, PartialEq)]
struct Rewound {
    step: Step,
    files: Vec<String>,
    skipped: Vec<Skipped>,
    calls: Vec<CallId>,
}

fn write(name: &str, content: &str) -> (&'static str, Value) {
    ("Write", json!({ "file_path": name, "content": content }))
}

/// One turn that makes these calls one after the other.
fn turn(all: &[(&'static str, Value)]) -> Vec<Answer> {
    let one = |(at, (tool, input)): (usize, &(&str, Value))| {
        calls(&[(&format!("{tool}{at}"), tool, input.clone())])
    };
    all.iter().enumerate().map(one).chain([text("Done.")]).collect()
}

fn edit(name: &str, old: &str, new: &str) -> (&'static str, Value) {
    ("Edit", json!({ "file_path": name, "old_string": old, "new_string": new }))
}

fn read(name: &str) -> (&'static str, Value) {
    ("Read", json!({ "file_path": name }))
}

fn shell(command: &str) -> (&'static str, Value) {
    ("Bash", json!({ "command": command }))
}

/// Every file of the project, with its content and its permission bits.
fn files(session: &Session) -> BTreeMap<String, (Vec<u8>, u32)> {
    use std::os::unix::fs::PermissionsExt;
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, (std::fs::read(&path).unwrap(), mode))
    };
    let entries = std::fs::read_dir(session.dir.path().join("project")).unwrap();
    let is_file =
        |entry: &std::io::Result<std::fs::DirEntry>| entry.as_ref().unwrap().path().is_file();
    entries.filter(is_file).map(entry).collect()
}

async fn ask(session: &mut Session, command: Command) -> Rewind {
    session.send(command).await;
    let asked = session.until(|event| match event {
        Event::RewindAsked { rewind } => Some(Ok(rewind.as_ref().clone())),
        Event::Noticed { text, .. } => Some(Err(text.clone())),
        _ => None,
    });
    asked.await.expect("there is something to show")
}

async fn confirm(session: &mut Session, request: RequestId, also: &[usize]) -> Rewound {
    session.send(Command::ConfirmRewind { request, also: also.to_vec() }).await;
    let done = session.until(|event| match event {
        Event::Rewound { step, files, skipped, calls, .. } => Some(Ok(Rewound {
            step: *step,
            files: files.clone(),
            skipped: skipped.clone(),
            calls: calls.clone(),
        })),
        Event::Noticed { text, .. } => Some(Err(text.clone())),
        _ => None,
    });
    done.await.expect("the step is taken")
}

async fn take(session: &mut Session, command: Command) -> Rewound {
    let asked = ask(session, command).await;
    confirm(session, asked.request, &[]).await
}

/// Path and effect of each file of a preview, and whether it is left alone.
fn listed(rewind: &Rewind) -> Vec<(&str, FileEffect, bool)> {
    let files = rewind.files.iter();
    files.map(|file| (file.path.as_str(), file.effect, file.conflict.is_some())).collect()
}

async fn notice(session: &mut Session, command: Command) -> String {
    session.send(command).await;
    session
        .until(|event| match event {
            Event::Noticed { text, .. } => Some(text.clone()),
            _ => None,
        })
        .await
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn bytes_and_modes_come_back_and_go_again() {
    let mut session = Session::start(turn(&[
        read("run.sh"),
        edit("run.sh", "one", "two"),
        write("new.txt", "fresh\n"),
        edit("run.sh", "two", "three"),
        read("crlf"),
        edit("crlf", "b", "B"),
    ]));
    let script = session.file("run.sh", "#!/bin/sh\necho one\n");
    set_mode(&script, 0o750);
    session.file("crlf", "\u{feff}a\r\nb\r\n");
    session.file("theirs", "untouched");
    let old = files(&session);
    session.ask("change the files").await;
    let new = files(&session);
    assert_ne!(old, new);
    set_mode(&script, 0o600);

    let asked = ask(&mut session, Command::Undo).await;
    assert_eq!((asked.step, asked.prompt.as_str()), (Step::Undo, "change the files"));
    let wanted = [
        ("crlf", FileEffect::Changed, false),
        ("new.txt", FileEffect::Removed, false),
        ("run.sh", FileEffect::Changed, false),
    ];
    assert_eq!(listed(&asked), wanted);
    let run = &asked.files[2];
    assert_eq!((run.added, run.removed, run.note.as_str()), (1, 1, "mode 600 to 750"));
    assert_eq!(files(&session)["run.sh"].0, new["run.sh"].0, "a preview changes nothing");
    let done = confirm(&mut session, asked.request, &[]).await;
    assert_eq!(done.files, ["crlf", "new.txt", "run.sh"]);
    let ids = ["Edit1", "Write2", "Edit3", "Edit5"].map(|id| CallId(id.to_owned()));
    assert_eq!((done.skipped, &done.calls[..]), (vec![], &ids[..]));
    assert_eq!(files(&session), old);

    let done = take(&mut session, Command::Redo).await;
    assert_eq!((done.step, &done.calls[..]), (Step::Redo, &ids[..]));
    let mut wanted = new;
    wanted.get_mut("run.sh").unwrap().1 = 0o600;
    assert_eq!(files(&session), wanted);
    assert_eq!(notice(&mut session, Command::Redo).await, "There is nothing to redo.");
    take(&mut session, Command::Undo).await;
    assert_eq!(files(&session), old);
    let empty = "There are no changes of files to undo.";
    assert_eq!(notice(&mut session, Command::Undo).await, empty);
}

#[tokio::test]
async fn what_someone_else_changed_is_left_alone_and_told() {
    let mut session = Session::start(turn(&[
        write("a", "by the model\n"),
        write("b", "by the model\n"),
        write("c", "by the model\n"),
    ]));
    session.file("untold", "x");
    session.ask("write").await;
    session.file("a", "mine\n");
    std::fs::remove_file(session.dir.path().join("project/b")).unwrap();
    let asked = ask(&mut session, Command::Undo).await;
    // "b" is as it was before: there is nothing to do.
    let wanted = [("a", FileEffect::Removed, true), ("c", FileEffect::Removed, false)];
    assert_eq!(listed(&asked), wanted);
    assert_eq!(asked.files[0].conflict, Some(StepConflict::ChangedSince));
    let done = confirm(&mut session, asked.request, &[]).await;
    let why = "it was changed by someone else".to_owned();
    assert_eq!(done.skipped, [Skipped { path: "a".into(), why }]);
    assert_eq!(done.files, ["c"]);
    let left: Vec<String> = files(&session).into_keys().collect();
    assert_eq!(left, ["a", "untold"]);
    assert_eq!(files(&session)["a"].0, b"mine\n");
}

#[tokio::test]
async fn a_conflict_may_be_chosen_and_comes_back_with_a_redo() {
    let mut session = Session::start(turn(&[write("a", "by the model\n")]));
    session.ask("write").await;
    session.file("a", "mine\n");
    let asked = ask(&mut session, Command::Undo).await;
    let done = confirm(&mut session, asked.request, &[0]).await;
    assert_eq!((done.files, done.skipped), (vec!["a".to_owned()], vec![]));
    assert!(files(&session).is_empty());
    take(&mut session, Command::Redo).await;
    assert_eq!(files(&session)["a"].0, b"mine\n");
}

#[tokio::test]
async fn what_changes_between_preview_and_yes_is_not_touched() {
    let mut session = Session::start(turn(&[write("a", "1\n"), write("b", "1\n")]));
    session.ask("write").await;
    let asked = ask(&mut session, Command::Undo).await;
    session.file("a", "raced\n");
    session.file("later", "not in the list\n");
    let done = confirm(&mut session, asked.request, &[]).await;
    assert_eq!(done.files, ["b"]);
    assert_eq!(done.skipped[0].why, "it changed after the preview");
    let left: Vec<String> = files(&session).into_keys().collect();
    assert_eq!(left, ["a", "later"]);
    // The same yes again, and one to a preview that never was.
    for request in [asked.request, RequestId(99)] {
        let told = notice(&mut session, Command::ConfirmRewind { request, also: vec![] }).await;
        assert!(told.contains("out of date"), "{told}");
    }
}

#[tokio::test]
async fn turns_are_undone_one_by_one_and_the_model_hears_of_it() {
    let answers = [
        turn(&[write("a", "1\n")]),
        turn(&[edit("a", "1", "2")]),
        vec![text("I see.")],
        vec![text("Nothing new.")],
    ];
    let mut session = Session::start(answers.concat());
    session.ask("first").await;
    session.ask("second").await;
    let asked = ask(&mut session, Command::Undo).await;
    assert_eq!(asked.prompt, "second");
    confirm(&mut session, asked.request, &[]).await;
    assert_eq!(files(&session)["a"].0, b"1\n");
    take(&mut session, Command::Undo).await;
    assert!(files(&session).is_empty());
    session.ask("and now?").await;
    session.ask("once more").await;
    let requests = session.script.requests();
    let said = |at: usize| -> Vec<String> {
        let last = requests[at].messages.last().unwrap();
        let text = |part: &Part| match part {
            Part::Text { text } => Some(text.clone()),
            _ => None,
        };
        last.parts.iter().filter_map(text).collect()
    };
    let told = said(requests.len() - 2);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("undone your changes made for \"second\" in: a."), "{}", told[0]);
    assert!(told[1].contains("\"first\""), "{}", told[1]);
    assert_eq!(said(requests.len() - 1), ["once more"], "it is told once");
    take(&mut session, Command::Redo).await;
    assert_eq!(files(&session)["a"].0, b"1\n", "a turn that only talks forbids no redo");
}

#[tokio::test]
async fn a_session_taken_up_again_can_undo_and_redo() {
    let mut session = Session::start(turn(&[write("a", "1\n"), write("b", "1\n")]));
    session.ask("first").await;
    let new = files(&session);
    let mut session = session.again([]).await;
    take(&mut session, Command::Undo).await;
    assert!(files(&session).is_empty());
    let mut session = session.again([text("I see.")]).await;
    let told = session.until(|event| match event {
        Event::Rewound { files, calls, .. } => Some((files.clone(), calls.len())),
        _ => None,
    });
    assert_eq!(told.await, (vec!["a".to_owned(), "b".to_owned()], 2));
    session.ask("what happened?").await;
    let request = serde_json::to_string(&session.script.requests()[0].messages).unwrap();
    assert!(request.contains("undone your changes in: a, b."), "{request}");
    take(&mut session, Command::Redo).await;
    assert_eq!(files(&session), new);
}

#[tokio::test]
async fn a_command_is_undone_for_files_that_the_session_knows() {
    let mut session = Session::start(turn(&[
        read("known"),
        write("made", "1\n"),
        shell("echo more >> known; echo x > named; n=un; echo x > ${n}named; rm made"),
    ]));
    session.file("known", "one\n");
    session.ask("run it").await;
    let asked = ask(&mut session, Command::Undo).await;
    // The command names "named", which was not there; nobody knows what stood in "unnamed"; "made"
    // is gone as it was before.
    let wanted = [("known", FileEffect::Changed, false), ("named", FileEffect::Removed, false)];
    assert_eq!(listed(&asked), wanted);
    confirm(&mut session, asked.request, &[]).await;
    assert_eq!(files(&session)["known"].0, b"one\n");
    assert_eq!(files(&session)["unnamed"].0, b"x\n");
    assert!(!files(&session).contains_key("named"));
}

#[tokio::test]
async fn a_command_is_undone_for_files_that_git_knows() {
    let mut session = Session::start(turn(&[shell(
        "echo more >> clean; rm gone; echo more >> dirty; echo n > new; chmod +x clean; \
         for f in ig*; do echo more >> $f; done; git add clean",
    )]));
    let project = session.dir.path().join("project");
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        let git = git.args(["-c", "user.name=A", "-c", "user.email=a@example.com"]).args(args);
        git.current_dir(&project).status().is_ok_and(|status| status.success())
    };
    if !git(&["init", "-q"]) {
        return println!("SKIPPED a_command_is_undone_for_files_that_git_knows: no git");
    }
    for (name, text) in [("clean", "c\n"), ("gone", "g\n"), ("dirty", "d\n"), ("ignored", "i\n")] {
        session.file(name, text);
    }
    session.file(".gitignore", "ignored\n");
    assert!(git(&["add", "."]) && git(&["commit", "-q", "-m", "all"]));
    session.file("dirty", "not committed\n");
    let mut old = files(&session);
    session.ask("run it").await;
    let new = files(&session);
    let asked = ask(&mut session, Command::Undo).await;
    let effects = [
        ("clean", FileEffect::Changed, false),
        ("dirty", FileEffect::Changed, false),
        ("gone", FileEffect::Created, false),
        ("new", FileEffect::Removed, false),
    ];
    assert_eq!(listed(&asked), effects);
    confirm(&mut session, asked.request, &[]).await;
    // Nobody has an eye on what git ignores and the command does not name.
    old.insert("ignored".to_owned(), new["ignored"].clone());
    assert_eq!(files(&session), old);
    take(&mut session, Command::Redo).await;
    assert_eq!(files(&session), new);
}

#[tokio::test]
async fn a_link_is_followed_as_the_tool_follows_it() {
    let mut session = Session::start(turn(&[read("link"), edit("link", "one", "two")]));
    let real = session.file("real", "one\n");
    std::os::unix::fs::symlink(&real, session.dir.path().join("project/link")).unwrap();
    session.ask("change it").await;
    assert_eq!(std::fs::read(&real).unwrap(), b"two\n");
    let done = take(&mut session, Command::Undo).await;
    assert_eq!(done.files, ["real"]);
    assert_eq!(std::fs::read(&real).unwrap(), b"one\n");
    assert!(session.dir.path().join("project/link").is_symlink());
}

#[tokio::test]
async fn a_denied_or_failed_call_leaves_nothing_to_undo() {
    let options =
        Options { mode: tern::protocol::Mode::Default, can_ask: false, ..Options::default() };
    let mut session =
        Session::with(options, turn(&[write("a", "1\n"), edit("none", "one", "two")]));
    session.ask("write").await;
    assert_eq!(notice(&mut session, Command::Undo).await, "There are no changes of files to undo.");
    assert!(session.log().iter().all(|record| record["type"] != "checkpoint"));
}
