//! Compaction taken back: the log still has what it left out.

use tern::api::Request;
use tern::protocol::{Command, Event, Message};

use crate::support::script::{Answer, text};
use crate::support::session::{Options, Session};

async fn compacted(answers: impl IntoIterator<Item = Answer>) -> Session {
    let long = "the parser reads a byte too far; ".repeat(400);
    let first = [text(&long), text(&long), text("In short: a byte too far.")];
    let options = Options { keep_tokens: Some(100), ..Options::default() };
    let mut session = Session::with(options, first.into_iter().chain(answers));
    session.ask("look at the parser").await;
    session.ask("and at the lexer").await;
    session.send(Command::Compact { focus: None }).await;
    session.until(|event| matches!(event, Event::Compacted { .. }).then_some(())).await;
    session
}

async fn undo(session: &mut Session) {
    session.send(Command::UndoCompaction).await;
    session
        .until(|event| match event {
            Event::Noticed { text, .. } if text.contains("taken back") => Some(()),
            _ => None,
        })
        .await;
}

fn said(request: &Request) -> String {
    request.messages.iter().map(Message::text).collect()
}

#[tokio::test]
async fn the_model_sees_the_whole_conversation_again_now_and_later() {
    let mut session = compacted([text("Yes."), text("Once more.")]).await;
    session.ask("still there?").await;
    let short = said(&session.script.requests()[3]);
    assert!(short.contains("In short") && !short.contains("reads a byte too far; the parser"));

    undo(&mut session).await;
    session.ask("and now?").await;
    let whole = said(&session.script.requests()[4]);
    assert!(whole.contains("reads a byte too far; the parser") && !whole.contains("In short"));
    // What was said after the compaction stays.
    assert!(whole.contains("still there?Yes."), "{}", &whole[whole.len() - 200..]);

    let mut session = session.again([text("Here.")]).await;
    session.ask("hello?").await;
    let later = said(&session.script.requests()[0]);
    assert!(later.starts_with(&whole) && later.ends_with("Once more.hello?"));
}

#[tokio::test]
async fn there_must_be_one() {
    let mut session = compacted([]).await;
    undo(&mut session).await;
    session.send(Command::UndoCompaction).await;
    session
        .until(|event| match event {
            Event::Noticed { text, .. } if text == "There is no compaction to take back." => {
                Some(())
            }
            _ => None,
        })
        .await;
}
