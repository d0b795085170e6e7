//! Instruction files that count only for a part of the project.

use serde_json::json;
use tern::protocol::Message;

use crate::support::script::{calls, text};
use crate::support::session::Session;

fn read(id: &str, file: &str) -> crate::support::script::Answer {
    calls(&[(id, "Read", json!({ "file_path": file }))])
}

fn said(messages: &[Message]) -> String {
    serde_json::to_string(messages).unwrap()
}

#[tokio::test]
async fn a_folders_instructions_come_with_the_first_look_into_it() {
    let answers = [read("a", "sub/x.txt"), read("b", "sub/y.txt"), text("Done.")];
    let mut session = Session::start(answers);
    for (name, text) in [
        ("project/sub/AGENTS.md", "Sub has rules of its own."),
        ("project/sub/x.txt", "x\n"),
        ("project/sub/y.txt", "y\n"),
        ("project/other/AGENTS.md", "Nobody comes here."),
        (
            "project/.claude/rules/txt.md",
            "---\npaths: \"**/*.txt\"\n---\nText ends with a line end.",
        ),
    ] {
        let path = session.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    session.ask("look").await;
    let requests = session.script.requests();
    assert!(!said(&requests[0].messages).contains("rules of its own"));
    let second = said(&requests[1].messages);
    assert!(second.contains("rules of its own") && second.contains("ends with a line end"));
    let third = said(&requests[2].messages);
    assert_eq!(third.matches("rules of its own").count(), 1, "it is given once");
    assert!(!third.contains("Nobody comes here"));
    // What was sent before stays as it is, byte for byte.
    let (before, after) = (&requests[1].messages, &requests[2].messages);
    assert_eq!(after[..before.len()], before[..]);
    let told = session.notices();
    assert!(told.iter().any(|notice| notice.contains("sub/AGENTS.md")), "{told:?}");

    let mut session = session.again([read("c", "sub/x.txt"), text("Done.")]).await;
    session.ask("again").await;
    let resumed = said(&session.script.requests()[1].messages);
    assert_eq!(resumed.matches("rules of its own").count(), 1, "also after it was taken up");
}

#[tokio::test]
async fn what_the_model_had_read_is_known_when_the_session_is_taken_up() {
    let mut session = Session::start([read("a", "x.txt"), text("Read.")]);
    let file = session.file("x.txt", "one\n");
    session.ask("look").await;
    let mut session = session.again([read("b", "x.txt"), text("The same.")]).await;
    session.ask("look again").await;
    let again = session.results()[0].text.clone();
    assert!(again.starts_with("Unchanged"), "{again}");

    // A file that someone else has changed meanwhile is not what the model knows.
    std::fs::write(&file, "one, and more\n").unwrap();
    let edit = json!({ "file_path": "x.txt", "old_string": "one", "new_string": "two" });
    let answers = [calls(&[("c", "Edit", edit)]), read("d", "x.txt"), text("Edited.")];
    let mut session = session.again(answers).await;
    session.ask("edit").await;
    let results = session.results();
    assert!(results[0].text.contains("changed elsewhere"), "{:?}", results[0]);
    assert!(results[1].text.contains("two, and more"), "{:?}", results[1]);
}
