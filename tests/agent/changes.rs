//! What a session has made of the files, and the way back of one file or one hunk.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tern::protocol::{
    CallId, Command, Event, FileEffect, FileStep, LineKind, RequestId, Rewind, Step, StepConflict,
    StepPart,
};

use crate::support::script::{Answer, calls, text};
use crate::support::session::Session;

fn turn(all: &[(&'static str, Value)]) -> Vec<Answer> {
    let one = |(at, (tool, input)): (usize, &(&str, Value))| {
        calls(&[(&format!("{tool}{at}"), tool, input.clone())])
    };
    all.iter().enumerate().map(one).chain([text("Done.")]).collect()
}

fn write(name: &str, content: &str) -> (&'static str, Value) {
    ("Write", json!({ "file_path": name, "content": content }))
}

fn shell(command: &str) -> (&'static str, Value) {
    ("Bash", json!({ "command": command }))
}

fn files(session: &Session) -> BTreeMap<String, String> {
    let folder = std::fs::read_dir(session.dir.path().join("project")).unwrap();
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned())
    };
    folder.map(entry).collect()
}

async fn shown_with(session: &mut Session, context: u32) -> (RequestId, Vec<FileStep>) {
    session.send(Command::AskChanges { context }).await;
    let shown = session.until(|event| match event {
        Event::ChangesShown { request, files } => Some((*request, files.clone())),
        _ => None,
    });
    shown.await
}

async fn shown(session: &mut Session) -> (RequestId, Vec<FileStep>) {
    shown_with(session, 1).await
}

/// The preview, or what the agent says instead.
async fn revert(
    session: &mut Session,
    request: RequestId,
    file: usize,
    hunk: Option<usize>,
) -> Result<Rewind, String> {
    session.send(Command::Revert { request, file, hunk }).await;
    let asked = session.until(|event| match event {
        Event::RewindAsked { rewind } => Some(Ok(rewind.as_ref().clone())),
        Event::Noticed { text, .. } => Some(Err(text.clone())),
        _ => None,
    });
    asked.await
}

async fn confirm(session: &mut Session, rewind: &Rewind) -> (Vec<String>, Vec<CallId>) {
    let request = rewind.request;
    session.send(Command::ConfirmRewind { request, also: Vec::new() }).await;
    let done = session.until(|event| match event {
        Event::Rewound { files, calls, .. } => Some((files.clone(), calls.clone())),
        _ => None,
    });
    done.await
}

async fn redo(session: &mut Session) -> (Vec<String>, Vec<CallId>) {
    session.send(Command::Redo).await;
    let asked = session.until(|event| match event {
        Event::RewindAsked { rewind } => Some(rewind.as_ref().clone()),
        _ => None,
    });
    let asked = asked.await;
    assert_eq!(asked.step, Step::Redo);
    confirm(session, &asked).await
}

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

#[tokio::test]
async fn one_hunk_goes_back_and_comes_again() {
    let new = "1\ntwo\n3\n4\n5\n6\n7\neight\n9\n";
    let answers = [turn(&[shell("cat a"), write("a", new)]), vec![text("I see.")]];
    let mut session = Session::start(answers.concat());
    session.file("a", LINES);
    session.ask("change it").await;
    let (request, all) = shown(&mut session).await;
    assert_eq!((all.len(), all[0].hunks.len()), (1, 2));

    let asked = revert(&mut session, request, 0, Some(1)).await.unwrap();
    assert_eq!(asked.part, Some(StepPart::Hunk));
    assert_eq!(files(&session)["a"], new, "a preview changes nothing");
    let (touched, calls) = confirm(&mut session, &asked).await;
    assert_eq!((touched, calls), (vec!["a".to_owned()], vec![]));
    assert_eq!(files(&session)["a"], "1\ntwo\n3\n4\n5\n6\n7\n8\n9\n");

    let (_, left) = shown(&mut session).await;
    assert_eq!((left[0].hunks.len(), left[0].added, left[0].removed), (1, 1, 1));
    session.ask("go on").await;
    let told = serde_json::to_string(&session.script.requests().last().unwrap().messages).unwrap();
    assert!(told.contains("The user has undone some of your changes in: a."), "{told}");

    assert_eq!(redo(&mut session).await.0, ["a"]);
    assert_eq!(files(&session)["a"], new);
}

#[tokio::test]
async fn one_file_goes_back_and_the_others_stay() {
    let answers = [
        turn(&[write("a", "1\n"), write("b", "1\n")]),
        turn(&[write("a", "2\n")]),
        vec![text("Again.")],
    ];
    let mut session = Session::start(answers.concat());
    session.ask("first").await;
    session.ask("second").await;
    let now = files(&session);
    let (request, all) = shown(&mut session).await;
    let listed: Vec<(&str, FileEffect)> =
        all.iter().map(|file| (file.path.as_str(), file.effect)).collect();
    assert_eq!(listed, [("a", FileEffect::Created), ("b", FileEffect::Created)]);

    let asked = revert(&mut session, request, 0, None).await.unwrap();
    assert_eq!((asked.part, asked.files[0].effect), (Some(StepPart::File), FileEffect::Removed));
    let (touched, calls) = confirm(&mut session, &asked).await;
    let both = vec![CallId("Write0".into()), CallId("Write0-2".into())];
    assert_eq!((touched, calls), (vec!["a".to_owned()], both.clone()));
    assert_eq!(files(&session).into_keys().collect::<Vec<_>>(), ["b"]);

    // It is a record: another start of the program knows the way forth, too.
    let mut session = session.again([text("Again.")]).await;
    session.ask("anything").await;
    assert_eq!(redo(&mut session).await, (vec!["a".to_owned()], both));
    assert_eq!(files(&session), now);
}

#[tokio::test]
async fn every_kind_of_change_is_told() {
    let mut session = Session::start(turn(&[
        write("new", "fresh\n"),
        shell("mv old-name.txt new-name.txt && rm gone && chmod +x run.sh"),
        shell("printf '\\377\\376\\000' > logo.png; sed -i 's/\\t/    /' blank"),
    ]));
    session.file("old-name.txt", "a poem\n");
    session.file("gone", "bye\n");
    session.file("logo.png", "not yet\n");
    session.file("blank", "\tx\n");
    let script = session.file("run.sh", "#!/bin/sh\n");
    set_mode(&script, 0o644);
    session.ask("everything").await;
    let (request, all) = shown(&mut session).await;
    let listed: Vec<(&str, Option<&str>, FileEffect, &str)> = all
        .iter()
        .map(|file| (&*file.path, file.from.as_deref(), file.effect, &*file.note))
        .collect();
    let wanted = [
        ("blank", None, FileEffect::Changed, ""),
        ("gone", None, FileEffect::Removed, ""),
        ("logo.png", None, FileEffect::Changed, "not text"),
        ("new", None, FileEffect::Created, ""),
        ("new-name.txt", Some("old-name.txt"), FileEffect::Changed, ""),
        ("run.sh", None, FileEffect::Changed, "mode 644 to 755"),
    ];
    assert_eq!(listed, wanted);
    let blank: Vec<(LineKind, &str)> =
        all[0].hunks[0].lines.iter().map(|line| (line.kind, &*line.text)).collect();
    assert_eq!(blank, [(LineKind::Removed, "\tx"), (LineKind::Added, "    x")]);

    let asked = revert(&mut session, request, 4, None).await.unwrap();
    confirm(&mut session, &asked).await;
    let left = files(&session);
    assert_eq!(left.get("old-name.txt").map(String::as_str), Some("a poem\n"));
    assert!(!left.contains_key("new-name.txt"));
}

#[tokio::test]
async fn a_list_that_is_out_of_date_takes_nothing_back() {
    let mut session = Session::start(turn(&[shell("cat a"), write("a", "new\n")]));
    let path = session.file("a", LINES);
    session.ask("change it").await;
    let (old, _) = shown(&mut session).await;
    let (request, _) = shown_with(&mut session, u32::MAX).await;
    for (request, file, hunk) in [(old, 0, None), (request, 7, None), (request, 0, Some(9))] {
        let said = revert(&mut session, request, file, hunk).await;
        assert_eq!(said, Err("That list of changes is out of date; nothing was changed.".into()));
    }
    // Someone else's words are never lost without a look.
    std::fs::write(&path, "theirs\n").unwrap();
    let (request, all) = shown(&mut session).await;
    assert_eq!(all[0].conflict, Some(StepConflict::ChangedSince));
    let asked = revert(&mut session, request, 0, None).await.unwrap();
    confirm(&mut session, &asked).await;
    assert_eq!(files(&session)["a"], "theirs\n");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
