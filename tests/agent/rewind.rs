//! Going back to before a message: the conversation, the files, or both; and forth again.

use std::collections::BTreeMap;

use serde_json::json;
use tern::protocol::{Command, Event, Message, MessageId, Rewind, RewindScope, Role, Step};

use crate::support::script::{Answer, calls, text};
use crate::support::session::Session;

/// A turn that writes these files and says a word.
fn turn(files: &[(&str, &str)]) -> Vec<Answer> {
    let one = |(at, (name, content)): (usize, &(&str, &str))| {
        let input = json!({ "file_path": name, "content": content });
        calls(&[(&format!("w{at}"), "Write", input)])
    };
    files.iter().enumerate().map(one).chain([text("Done.")]).collect()
}

fn files(session: &Session) -> BTreeMap<String, String> {
    let folder = std::fs::read_dir(session.dir.path().join("project")).unwrap();
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    folder.map(entry).collect()
}

/// The person's messages so far, by what they said.
fn message(session: &Session, said: &str) -> MessageId {
    let found = session.events.iter().rev().find_map(|event| match event {
        Event::TurnStarted { message, text, .. } if text == said => Some(message.clone()),
        Event::Restored { message, role: Role::User, text } if text.ends_with(said) => {
            Some(message.clone())
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{said} was said"))
}

async fn ask(session: &mut Session, command: Command) -> Result<Rewind, String> {
    session.send(command).await;
    let asked = session.until(|event| match event {
        Event::RewindAsked { rewind } => Some(Ok(rewind.as_ref().clone())),
        Event::Noticed { text, .. } => Some(Err(text.clone())),
        _ => None,
    });
    asked.await
}

async fn back(session: &mut Session, said: &str, scope: RewindScope) -> Rewind {
    let to = message(session, said);
    ask(session, Command::Rewind { to, scope }).await.expect("there is something to show")
}

/// The message that came back into the prompt, and the files that were touched.
async fn confirm(session: &mut Session, rewind: &Rewind) -> (Option<String>, Vec<String>) {
    let request = rewind.request;
    session.send(Command::ConfirmRewind { request, also: Vec::new() }).await;
    let done = session.until(|event| match event {
        Event::Rewound { input, files, .. } => Some(Ok((input.clone(), files.clone()))),
        Event::Noticed { text, .. } => Some(Err(text.clone())),
        _ => None,
    });
    done.await.expect("the step is taken")
}

async fn redo(session: &mut Session) -> Vec<String> {
    let asked = ask(session, Command::Redo).await.expect("there is a way forth");
    assert_eq!(asked.step, Step::Redo);
    confirm(session, &asked).await.1
}

fn last_request(session: &Session) -> Vec<Message> {
    session.script.requests().last().unwrap().messages.to_vec()
}

fn spoken(messages: &[Message]) -> String {
    serde_json::to_string(messages).unwrap()
}

#[tokio::test]
async fn conversation_and_files_go_back_together_and_forth_again() {
    let answers = [
        turn(&[("a", "1\n")]),
        turn(&[("a", "2\n"), ("b", "2\n")]),
        vec![text("Probed.")],
        vec![text("Again.")],
    ];
    let mut session = Session::start(answers.concat());
    session.ask("first").await;
    let then = files(&session);
    session.ask("second").await;
    session.ask("probe").await;
    let now = files(&session);
    let whole = last_request(&session);

    let asked = back(&mut session, "second", RewindScope::Both).await;
    let listed: Vec<&str> = asked.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((listed, asked.messages, asked.commands), (vec!["a", "b"], 2, 0));
    assert_eq!(files(&session), now, "a preview changes nothing");
    let (input, touched) = confirm(&mut session, &asked).await;
    assert_eq!(input.as_deref(), Some("second"));
    assert_eq!(touched, ["a", "b"]);
    assert_eq!(files(&session), then);
    let restored: Vec<&str> = restored(&session);
    assert!(restored.last().is_some_and(|text| *text == "Done."), "{restored:?}");
    assert!(!restored.iter().any(|text| text.contains("second")), "{restored:?}");

    assert_eq!(redo(&mut session).await, ["a", "b"]);
    assert_eq!(files(&session), now);
    session.ask("afterwards").await;
    let after = last_request(&session);
    assert_eq!(after[..whole.len()], whole[..], "the conversation is what it was");
}

/// Texts of the messages that were told since the session was last announced.
fn restored(session: &Session) -> Vec<&str> {
    let from = session.events.iter().rposition(|event| matches!(event, Event::Started { .. }));
    let texts = session.events[from.unwrap_or(0)..].iter().filter_map(|event| match event {
        Event::Restored { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn another_way_begins_where_the_person_went_back() {
    let answers =
        [turn(&[("a", "1\n")]), turn(&[("b", "2\n")]), vec![text("Else.")], vec![text("More.")]];
    let mut session = Session::start(answers.concat());
    session.ask("first").await;
    session.ask("second").await;
    let asked = back(&mut session, "second", RewindScope::Conversation).await;
    assert_eq!(asked.files, [], "files are not part of it");
    confirm(&mut session, &asked).await;
    assert!(files(&session).contains_key("b"), "files stay");
    session.ask("something else").await;
    let said = spoken(&last_request(&session));
    assert!(!said.contains("second") && said.contains("something else"), "{said}");
    assert!(said.contains("What was changed after it stays in: b."), "{said}");
    let nothing = ask(&mut session, Command::Redo).await;
    assert_eq!(nothing, Err("There is nothing to redo.".to_owned()), "a new branch has begun");

    // The log is a tree: what was left is still there, and the branch is what is taken up.
    let kinds = session.log();
    assert!(kinds.iter().any(|record| record.to_string().contains("\"second\"")));
    let mut session = session.again([text("Yes.")]).await;
    session.ask("still here?").await;
    let said = spoken(&last_request(&session));
    assert!(!said.contains("second") && said.contains("something else"), "{said}");
}

#[tokio::test]
async fn files_alone_go_back_to_before_any_message() {
    let answers = [
        turn(&[("a", "1\n")]),
        vec![text("Only words.")],
        turn(&[("a", "3\n")]),
        vec![text("I see.")],
    ];
    let mut session = Session::start(answers.concat());
    session.ask("first").await;
    session.ask("talk").await;
    session.ask("third").await;
    let asked = back(&mut session, "talk", RewindScope::Files).await;
    let (input, touched) = confirm(&mut session, &asked).await;
    assert_eq!((input, touched), (None, vec!["a".to_owned()]));
    assert_eq!(files(&session)["a"], "1\n");
    session.ask("what now?").await;
    let said = spoken(&last_request(&session));
    assert!(said.contains("third") && said.contains("undone your changes"), "{said}");
    assert_eq!(redo(&mut session).await, ["a"]);
    assert_eq!(files(&session)["a"], "3\n");
}

#[tokio::test]
async fn a_rewind_can_be_taken_back_in_a_later_run() {
    let answers = [turn(&[("a", "1\n")]), turn(&[("a", "2\n")])];
    let mut session = Session::start(answers.concat());
    session.ask("first").await;
    session.ask("second").await;
    let now = files(&session);
    let asked = back(&mut session, "first", RewindScope::Both).await;
    confirm(&mut session, &asked).await;
    assert!(files(&session).is_empty());
    let mut session = session.again([text("I am.")]).await;
    assert_eq!(redo(&mut session).await, ["a"]);
    assert_eq!(files(&session), now);
    session.ask("are you there?").await;
    let said = spoken(&last_request(&session));
    assert!(said.contains("first") && said.contains("second"), "{said}");
}

#[tokio::test]
async fn a_message_that_is_gone_cannot_be_gone_back_to() {
    let mut session = Session::start([text("Yes."), text("Yes.")]);
    session.ask("first").await;
    session.ask("second").await;
    let gone = message(&session, "second");
    let asked = back(&mut session, "second", RewindScope::Conversation).await;
    confirm(&mut session, &asked).await;
    let wanted = Err("That message is no longer part of this conversation.".to_owned());
    for to in [gone, MessageId("never".into())] {
        let scope = RewindScope::Both;
        assert_eq!(ask(&mut session, Command::Rewind { to, scope }).await, wanted);
    }
}

/// Whatever happened before: going back touches what the preview lists and nothing else, and going
/// forth again gives the same bytes and the same conversation.
#[tokio::test]
async fn back_and_forth_is_where_it_was() {
    let mut seed = 11_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for case in 0..12 {
        let turns = 2 + random(4);
        let names = ["a", "b", "c"];
        let contents: Vec<String> = (0..9).map(|n| format!("{case} {n}\n")).collect();
        let mut answers = Vec::new();
        for _ in 0..turns {
            let writes: Vec<(&str, &str)> = (0..random(3))
                .map(|_| (names[random(3) as usize], contents[random(9) as usize].as_str()))
                .collect();
            answers.extend(turn(&writes));
        }
        answers.extend([text("Probed."), text("Probed again.")]);
        let mut session = Session::start(answers);
        session.file("theirs", "untouched\n");
        for n in 0..turns {
            session.ask(&format!("turn {n}")).await;
        }
        session.ask("probe").await;
        let (now, whole) = (files(&session), last_request(&session));
        let scope = [RewindScope::Both, RewindScope::Conversation, RewindScope::Files];
        let scope = scope[random(3) as usize];
        let said = format!("turn {}", random(turns));
        let asked = back(&mut session, &said, scope).await;
        let listed: Vec<String> = asked.files.iter().map(|file| file.path.clone()).collect();
        if listed.is_empty() && scope == RewindScope::Files {
            continue;
        }
        let (_, touched) = confirm(&mut session, &asked).await;
        assert_eq!(touched, listed, "case {case}");
        let there = files(&session);
        let differs = |name: &String| now.get(name) != there.get(name);
        let changed: Vec<String> =
            now.keys().chain(there.keys()).filter(|name| differs(name)).cloned().collect();
        assert!(changed.iter().all(|name| listed.contains(name)), "case {case}: {changed:?}");
        redo(&mut session).await;
        assert_eq!(files(&session), now, "case {case}");
        session.ask("probe again").await;
        let after = last_request(&session);
        assert_eq!(after[..whole.len()], whole[..], "case {case}, {scope:?} to {said}");
    }
}
