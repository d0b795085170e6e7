//! Making room in the window: when, by what means, what stays, and the way back.

use serde_json::json;
use tern::api::{Request, StreamPart};
use tern::protocol::{Command, Event, ItemId, Level, Message, Part, TurnEnd, WindowAct};

use crate::support::script::{Answer, call, call_parts, text, text_of, usage};
use crate::support::session::{Options, Session};

async fn compacted(answers: impl IntoIterator<Item = Answer>) -> Session {
    let long = "the parser reads a byte too far; ".repeat(400);
    let first = [text(&long), text(&long), text("In short: a byte too far.")];
    let options = Options { keep_tokens: Some(100), ..Options::default() };
    let mut session = Session::with(options, first.into_iter().chain(answers));
    session.ask("look at the parser").await;
    session.ask("and at the lexer").await;
    compact(&mut session).await;
    session
}

async fn compact(session: &mut Session) -> (u64, u64) {
    session.send(Command::Compact { focus: None, preview: false }).await;
    session
        .until(|event| match event {
            Event::Compacted { before, after, .. } => Some((*before, *after)),
            _ => None,
        })
        .await
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

fn compactions(session: &Session) -> usize {
    session.events.iter().filter(|event| matches!(event, Event::Compacted { .. })).count()
}

/// The outputs of calls that a request carries.
fn outputs(request: &Request) -> Vec<String> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            Part::Result { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect()
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

#[tokio::test]
async fn the_request_for_a_summary_only_appends_to_the_last_one() {
    let session = compacted([]).await;
    let requests = session.script.requests();
    let (last, summary) = (&requests[1], &requests[2]);
    assert_eq!((&summary.system, &summary.tools), (&last.system, &last.tools));
    assert_eq!(summary.messages[..last.messages.len()], last.messages[..]);
    let asked = summary.messages.last().unwrap().text();
    assert!(asked.starts_with("The conversation is about to be shortened"), "{asked}");
}

#[tokio::test]
async fn at_four_fifths_of_the_window_it_is_summarised_once() {
    let long = "words ".repeat(2_000);
    let base = empty().await;
    let mut session = Session::with(
        // What every request begins with fills most of this window: no summary makes it small.
        Options { window: base * 10 / 9, keep_tokens: Some(100), ..Options::default() },
        [
            text_of(&long, base + 3_400),
            text_of("In short: words.", base + 3_500),
            text_of("Still.", base + 200),
            text_of("And still.", base + 220),
        ],
    );
    session.ask("write a lot").await;
    session.ask("go on").await;
    session.ask("and on").await;
    assert_eq!(session.script.requests().len(), 4);
    assert_eq!(compactions(&session), 1);
    let after = said(&session.script.requests()[2]);
    assert!(after.contains("In short: words."), "{after}");
    assert!(after.contains("> write a lot"), "the person's words stay: {after}");
    assert!(after.ends_with("go on"), "the prompt that waits stays as it is: {after}");
    let started = session.events.iter().position(|e| matches!(e, Event::CompactionStarted { .. }));
    let ended = session.events.iter().position(|e| matches!(e, Event::Compacted { .. }));
    assert!(started.unwrap() < ended.unwrap());
}

#[tokio::test]
async fn below_that_nothing_happens() {
    let mut session = Session::with(
        Options { window: 20_000, ..Options::default() },
        [text_of("a", 15_000), text_of("b", 15_500)],
    );
    session.ask("one").await;
    session.ask("two").await;
    assert_eq!(compactions(&session), 0);
    assert_eq!(session.script.requests().len(), 2);
}

#[tokio::test]
async fn where_the_server_counts_its_count_decides() {
    let long = "words ".repeat(10_000);
    let options = || Options { window: 20_000, keep_tokens: Some(100), ..Options::default() };
    let mut session = Session::with(options(), [text_of(&long, 2_000), text("b")]);
    // The estimate of what came since is far too high.
    session.script.will_count(9_000);
    session.ask("write a lot").await;
    session.ask(&long).await;
    assert_eq!((compactions(&session), session.script.requests().len()), (0, 2));

    let answers = [text_of(&long, 2_000), text("In short."), text("b")];
    let mut session = Session::with(options(), answers);
    session.script.will_count(16_000);
    session.ask("write a lot").await;
    session.ask(&long).await;
    assert_eq!(compactions(&session), 1);
}

#[tokio::test]
async fn a_summary_that_is_no_shorter_is_asked_for_once_more_and_then_left() {
    let long = "words ".repeat(9_000);
    let mut session = Session::with(
        Options { window: 22_000, keep_tokens: Some(100), ..Options::default() },
        [
            text_of(&long, 17_700),
            text_of(&long, 17_800),
            text_of(&long, 17_900),
            text_of("It goes on.", 18_000),
        ],
    );
    session.ask("write a lot").await;
    assert_eq!(session.ask("go on").await, TurnEnd::Done);
    let requests = session.script.requests();
    assert_eq!(requests.len(), 4, "two summaries, then the turn goes on");
    assert!(said(&requests[2]).contains("no more than 300 words"));
    assert_eq!(
        requests[3].messages[..2],
        requests[0..1][0]
            .messages
            .iter()
            .cloned()
            .chain([Message::assistant(long.clone())])
            .collect::<Vec<_>>()[..]
    );
    let said = session.notices().join("\n");
    assert!(said.contains("would not be shorter"), "{said}");
}

/// Tokens of a request without a conversation.
async fn empty() -> u64 {
    let mut session = Session::start([]);
    session.send(Command::ShowWindow { exact: false }).await;
    session
        .until(|event| match event {
            Event::WindowShown { window } => Some(window.tokens),
            _ => None,
        })
        .await
}

/// A session whose window is filled by what `Read` and `Bash` gave, the newest last.
async fn full_of_results(answers: impl IntoIterator<Item = Answer>) -> Session {
    let step = |id: &str, tool: &str, input: serde_json::Value, tokens: u64| {
        let mut parts = call_parts(1, id, tool, &input.to_string(), true);
        parts.push(usage(tokens, 0));
        parts.push(StreamPart::Stopped(tern::api::StopReason::ToolUse));
        Answer::Parts(parts)
    };
    let first = [
        step("r1", "Read", json!({ "file_path": "old.txt" }), 2_700),
        step("b1", "Bash", json!({ "command": "cat old.txt" }), 12_500),
        step("r2", "Read", json!({ "file_path": "new.txt" }), 15_500),
    ];
    let options = Options { window: 22_000, ..Options::default() };
    let mut session = Session::with(options, first.into_iter().chain(answers));
    session.file("old.txt", &"an old line that was of use then\n".repeat(1_000));
    session.file("new.txt", &"a new line\n".repeat(800));
    assert_eq!(session.ask("look at both").await, TurnEnd::Done);
    session
}

#[tokio::test]
async fn old_results_go_first_and_say_how_to_get_them_back() {
    let session = full_of_results([text_of("Seen.", 8_000)]).await;
    let pruned = outputs(&session.script.requests()[3]);
    assert!(pruned[0].contains("dropped to make room: call the tool again"), "{}", pruned[0]);
    let path =
        pruned[1].split_once("all of it is in ").expect("a file").1.split_once(',').unwrap().0;
    assert!(std::fs::read_to_string(path).unwrap().contains("an old line"));
    assert!(pruned[2].contains("a new line"), "the newest stays: {}", pruned[2]);
    assert_eq!(compactions(&session), 0, "that was enough");
    let notice = session.notices().join("\n");
    assert!(notice.contains("Old tool results were dropped to make room: "), "{notice}");

    // A session that is taken up sends the same bytes.
    let before = session.script.requests()[3].messages.clone();
    let mut session = session.again([text("Yes."), text("All.")]).await;
    session.ask("still?").await;
    assert_eq!(session.script.requests()[0].messages[..before.len()], before[..]);

    undo(&mut session).await;
    session.ask("and now?").await;
    assert!(outputs(&session.script.requests()[1])[0].contains("an old line"));
}

#[tokio::test]
async fn what_is_pinned_outlives_every_summary_with_its_call() {
    let long = "the parser reads a byte too far; ".repeat(400);
    let mut session = Session::with(
        Options { keep_tokens: Some(1), ..Options::default() },
        [
            call("r1", "Read", json!({ "file_path": "a.txt" })),
            text(&long),
            text(&long),
            text("First summary."),
            text(&long),
            text("Second summary."),
            text("Yes."),
        ],
    );
    session.file("a.txt", "the heart of the matter\n");
    session.ask("read it").await;
    session.ask("think").await;
    let item = ItemId::Result(tern::protocol::CallId("r1".into()));
    session.send(Command::EditWindow { item, act: WindowAct::Pin }).await;
    session.until(|event| matches!(event, Event::WindowShown { .. }).then_some(())).await;
    compact(&mut session).await;
    session.ask("think again").await;
    compact(&mut session).await;
    session.ask("still there?").await;
    let last = session.script.requests()[6].clone();
    assert!(said(&last).contains("Second summary.") && !said(&last).contains("First summary."));
    assert!(outputs(&last).concat().contains("the heart of the matter"));
    let calls = last.messages.iter().flat_map(Message::calls).count();
    assert_eq!((calls, outputs(&last).len()), (1, 1), "a call and its result, no other");
    for words in ["> read it", "> think\n", "> think again"] {
        assert_eq!(said(&last).matches(words).count(), 1, "{words}: {}", said(&last));
    }

    let mut session = session.again([text("Here.")]).await;
    session.ask("later").await;
    let later = session.script.requests()[0].messages.clone();
    assert_eq!(later[..last.messages.len()], last.messages[..]);
}

async fn drafted(session: &mut Session) -> (tern::protocol::RequestId, String) {
    session.send(Command::Compact { focus: None, preview: true }).await;
    session
        .until(|event| match event {
            Event::SummaryDrafted { request, summary, .. } => Some((*request, summary.clone())),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_summary_is_shown_before_it_is_used_as_the_person_leaves_it() {
    let long = "the parser reads a byte too far; ".repeat(400);
    let mut session = Session::with(
        Options { keep_tokens: Some(1), ..Options::default() },
        [text(&long), text(&long), text("A draft."), text("More."), text("A draft."), text("Ok.")],
    );
    session.ask("look at the parser").await;
    session.ask("and at the lexer").await;
    let (request, summary) = drafted(&mut session).await;
    assert_eq!(summary, "A draft.");
    session.send(Command::UseSummary { request, summary: None }).await;
    session.ask("go on").await;
    assert!(said(&session.script.requests()[3]).contains("byte too far"), "discarded");

    let (request, _) = drafted(&mut session).await;
    // An answer to an older question finds nothing.
    let old = Command::UseSummary {
        request: tern::protocol::RequestId(request.0 + 40),
        summary: Some("Wrong.".into()),
    };
    session.send(old).await;
    session
        .until(|event| matches!(event, Event::Noticed { level: Level::Warning, .. }).then_some(()))
        .await;
    session.send(Command::UseSummary { request, summary: Some("My own words.".into()) }).await;
    session.ask("and now").await;
    let request = said(&session.script.requests()[5]);
    assert!(request.contains("My own words.") && !request.contains("byte too far"), "{request}");
}
