//! What fills the model's window, and what the person changes about it.

use serde_json::json;
use tern::protocol::{
    CallId, Command, Event, Filler, Item, ItemId, Message, MessageId, Part, Window, WindowAct,
};

use crate::support::script::{call, text, text_of};
use crate::support::session::{Options, Session};

async fn shown(session: &mut Session, command: Command) -> Window {
    session.send(command).await;
    session
        .until(|event| match event {
            Event::WindowShown { window } => Some(window.as_ref().clone()),
            _ => None,
        })
        .await
}

async fn window(session: &mut Session) -> Window {
    shown(session, Command::ShowWindow { exact: false }).await
}

fn of<'a>(window: &'a Window, source: &Filler) -> Vec<&'a Item> {
    window.items.iter().filter(|item| item.source == *source).collect()
}

async fn edit(session: &mut Session, item: &ItemId, act: WindowAct) -> Window {
    shown(session, Command::EditWindow { item: item.clone(), act }).await
}

fn last(session: &Session) -> Vec<Message> {
    session.script.requests().last().unwrap().messages.clone()
}

/// Every call has its result in the next message, and roles alternate.
fn is_valid(messages: &[Message]) {
    for pair in messages.windows(2) {
        assert_ne!(pair[0].role, pair[1].role);
        let results: Vec<&CallId> = pair[1]
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Result { call, .. } => Some(call),
                _ => None,
            })
            .collect();
        let calls: Vec<&CallId> = pair[0].calls().map(|(id, _, _)| id).collect();
        assert_eq!(calls, results);
    }
}

async fn session() -> Session {
    let answers = [
        call("r1", "Read", json!({ "file_path": "a.txt" })),
        text_of("It says hello.", 4_000),
        text("Fine."),
        text("Gone."),
        text("Back."),
    ];
    let mut session = Session::staged(Options::default(), answers, |_, root| {
        std::fs::write(root.join("project/AGENTS.md"), "Use tabs.\n".repeat(20)).unwrap();
        std::fs::write(root.join("project/a.txt"), "hello\n".repeat(300)).unwrap();
    });
    session.ask("what does it say?").await;
    session
}

#[tokio::test]
async fn everything_in_the_window_is_told_by_source_and_adds_up() {
    let mut session = session().await;
    let window = window(&mut session).await;
    assert_eq!(window.items.iter().map(|item| item.tokens).sum::<u64>(), window.tokens);
    assert_eq!((window.size, window.compacts_at), (Some(200_000), Some(160_000)));
    let names = |source| -> Vec<String> {
        of(&window, &source).iter().map(|item| item.name.clone()).collect()
    };
    assert!(names(Filler::Tools).contains(&"Read".to_owned()));
    assert!(names(Filler::Memory)[0].ends_with("AGENTS.md"), "{:?}", names(Filler::Memory));
    assert_eq!(names(Filler::Said), ["what does it say?"]);
    assert_eq!(names(Filler::Files), ["Read a.txt"]);
    assert_eq!(names(Filler::Answers), ["Read a.txt", "It says hello."]);
    assert!(window.exact, "the server has just said so");
    let result = ItemId::Result(CallId("r1".into()));
    assert!(!edit(&mut session, &result, WindowAct::Drop).await.exact);

    session.script.will_count(4_321);
    let exact = shown(&mut session, Command::ShowWindow { exact: true }).await;
    assert_eq!((exact.tokens, exact.exact), (4_321, true));
}

#[tokio::test]
async fn a_thing_is_shown_whole() {
    let mut session = session().await;
    let item = ItemId::Result(CallId("r1".into()));
    session.send(Command::ShowWindowItem { item }).await;
    let text = session
        .until(|event| match event {
            Event::WindowItemShown { text, .. } => Some(text.clone()),
            _ => None,
        })
        .await;
    assert_eq!(text.matches("hello").count(), 300);
}

#[tokio::test]
async fn a_dropped_answer_takes_its_results_along_and_comes_back() {
    let mut session = session().await;
    let before = window(&mut session).await;
    let answer = of(&before, &Filler::Answers)[0].id.clone().unwrap();
    let after = edit(&mut session, &answer, WindowAct::Drop).await;
    assert!(after.tokens < before.tokens);
    assert!(of(&after, &Filler::Files).is_empty(), "its result is gone, too");
    session.ask("and now?").await;
    let sent = last(&session);
    is_valid(&sent);
    assert!(sent.iter().all(|message| message.calls().count() == 0));

    let mut session = session.again([text("Later."), text("Back.")]).await;
    session.ask("still?").await;
    assert_eq!(last(&session)[..sent.len()], sent[..], "a session taken up sends the same");
    let listed = window(&mut session).await;
    let dropped: Vec<&Item> = listed.items.iter().filter(|item| item.dropped).collect();
    assert_eq!(dropped[0].id.as_ref(), Some(&answer));
    edit(&mut session, &answer, WindowAct::Restore).await;
    session.ask("and now?").await;
    is_valid(&last(&session));
    assert_eq!(last(&session).iter().flat_map(Message::calls).count(), 1);
}

#[tokio::test]
async fn a_dropped_result_leaves_a_line_and_its_call() {
    let mut session = session().await;
    let result = ItemId::Result(CallId("r1".into()));
    let after = edit(&mut session, &result, WindowAct::Drop).await;
    assert!(of(&after, &Filler::Files)[0].dropped);
    session.ask("and now?").await;
    is_valid(&last(&session));
    let sent = format!("{:?}", last(&session));
    assert!(!sent.contains("hello\\nhello") && sent.contains("call the tool again"), "{sent}");
    edit(&mut session, &result, WindowAct::Restore).await;
    session.ask("once more").await;
    assert!(format!("{:?}", last(&session)).contains("hello\\nhello"));
}

#[tokio::test]
async fn the_first_prompt_can_go_too_and_an_unknown_thing_changes_nothing() {
    let mut session = session().await;
    let first = of(&window(&mut session).await, &Filler::Said)[0].id.clone().unwrap();
    edit(&mut session, &first, WindowAct::Drop).await;
    let nothing = ItemId::Message(MessageId("nothing".into()));
    edit(&mut session, &nothing, WindowAct::Drop).await;
    edit(&mut session, &ItemId::Result(CallId("no".into())), WindowAct::Drop).await;
    session.ask("and now?").await;
    is_valid(&last(&session));
    assert!(!format!("{:?}", last(&session)).contains("what does it say?"));
}

#[tokio::test]
async fn pins_survive_and_are_taken_back() {
    let mut session = session().await;
    let said = of(&window(&mut session).await, &Filler::Said)[0].id.clone().unwrap();
    assert!(of(&edit(&mut session, &said, WindowAct::Pin).await, &Filler::Said)[0].pinned);
    let mut session = session.again([]).await;
    assert!(of(&window(&mut session).await, &Filler::Said)[0].pinned);
    assert!(!of(&edit(&mut session, &said, WindowAct::Unpin).await, &Filler::Said)[0].pinned);
}
