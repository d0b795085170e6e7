//! Files that a prompt mentions.

use serde_json::json;
use tern::agent::Rules;
use tern::permissions::rule::RuleTexts;
use tern::protocol::{Event, Mode, Source, Sourced, TurnEnd};

use crate::support::script::{calls, text};
use crate::support::session::{Options, Session};

fn attached(session: &Session) -> Vec<(String, String)> {
    session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Attached { title, result } => Some((title.object.clone(), result.facts.clone())),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_mentioned_file_goes_along_and_counts_as_read() {
    let edit = json!({"file_path": "a.rs", "old_string": "two", "new_string": "2"});
    let mut session = Session::start([calls(&[("1", "Edit", edit)]), text("Done.")]);
    session.file("a.rs", "one\ntwo\nthree\n");
    session.file("b b.txt", "never read\n");
    let end = session.ask("change @a.rs, not @\"b b.txt\":1-1 nor @nobody").await;
    assert_eq!(end, TurnEnd::Done);
    assert_eq!(
        attached(&session),
        [("a.rs".into(), "3 lines".into()), ("b b.txt".into(), "1 line".into())]
    );
    let sent = serde_json::to_string(&session.script.requests()[0].messages).unwrap();
    assert!(sent.contains("one\\ntwo\\nthree"), "{sent}");
    assert!(sent.find("three") < sent.find("change @a.rs"), "the words stand last: {sent}");
    assert!(
        !session.results()[0].is_error(),
        "an edit of it needs no Read: {:?}",
        session.results()
    );
    assert_eq!(session.notices(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_model_may_not_read_unasked_goes_along_by_name_only() {
    let deny = vec![Sourced::new("Read(secret.env)".to_owned(), Source::User)];
    let rules = Rules { texts: RuleTexts { deny, ..RuleTexts::default() }, ..Rules::default() };
    let options = Options { mode: Mode::Default, rules, ..Options::default() };
    let mut session = Session::with(options, [text("Hm.")]);
    session.file("secret.env", "KEY=hunter2\n");
    std::fs::write(session.dir.path().join("outside.txt"), "hunter2\n").unwrap();
    session.ask("look at @secret.env and @../outside.txt").await;
    assert_eq!(attached(&session), []);
    let sent = serde_json::to_string(&session.script.requests()[0].messages).unwrap();
    assert!(!sent.contains("hunter2"), "{sent}");
    let notices = session.notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].starts_with("secret.env goes along by name only: "), "{notices:?}");
}

#[tokio::test]
async fn a_session_taken_up_again_shows_the_words_alone() {
    let mut session = Session::start([text("Ok.")]);
    session.file("a.rs", "fn main() {}\n");
    std::fs::create_dir(session.dir.path().join("project/docs")).unwrap();
    session.ask("see @a.rs and @docs/").await;
    assert_eq!(attached(&session).len(), 2);
    let mut session = session.again([]).await;
    session.until(|event| matches!(event, Event::Spent { .. }).then_some(())).await;
    let shown: Vec<&str> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Restored { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(shown, ["see @a.rs and @docs/", "Ok."]);
}
