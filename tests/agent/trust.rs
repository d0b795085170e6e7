//! Trust in the folder: what waits for it, and what giving it does at once.

use serde_json::json;
use tern::agent::{Fixed, Rules};
use tern::permissions::rule::RuleTexts;
use tern::protocol::{Closed, Command, Event, Source, Sourced, Trust, TrustState};
use tern::trust::{State, Store, Survey};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

const SETTINGS: &str = "{\"permissions\": {\n  \"allow\": [\"Bash(touch *)\"]}}";

/// A session in a folder whose own file allows `touch`.
fn session(answers: impl IntoIterator<Item = Answer>) -> Session {
    Session::staged(
        Options { mode: tern::protocol::Mode::Default, ..Options::default() },
        answers,
        |setup, root| {
            std::fs::create_dir_all(setup.cwd.join(".claude")).unwrap();
            std::fs::write(setup.cwd.join(".claude/settings.json"), SETTINGS).unwrap();
            let rule = Sourced::new("Bash(touch *)".to_owned(), Source::Project);
            let rules = Rules {
                texts: RuleTexts { allow: vec![rule], ..RuleTexts::default() },
                trust_file: root.join("state/trust.toml"),
                ..Rules::default()
            };
            setup.rules = rules.clone();
            setup.settings = std::sync::Arc::new(Fixed(rules));
        },
    )
}

fn touch(id: &str) -> Answer {
    calls(&[(id, "Bash", json!({"command": format!("touch {id}")}))])
}

async fn needed(session: &mut Session) -> Box<Trust> {
    session
        .until(|event| match event {
            Event::TrustNeeded { trust } => Some(trust.clone()),
            _ => None,
        })
        .await
}

async fn set(session: &mut Session) -> bool {
    session
        .until(|event| match event {
            Event::TrustSet { trusted } => Some(*trusted),
            _ => None,
        })
        .await
}

fn on_record(session: &Session) -> State {
    let store = Store::load(&session.dir.path().join("state/trust.toml")).unwrap();
    Survey::of(&session.dir.path().join("project"), &store).state
}

#[tokio::test]
async fn what_the_folder_allows_counts_once_it_is_trusted() {
    let mut session = session([touch("one"), touch("two"), text("ok")]);
    let trust = needed(&mut session).await;
    assert_eq!(trust.state, TrustState::Untrusted);
    let item = &trust.items[0];
    assert_eq!(
        (item.kind.as_str(), item.text.as_str(), item.file.as_str(), item.line),
        ("allow rule", "Bash(touch *)", ".claude/settings.json", Some(2))
    );
    session.submit("go").await;
    session.question().await;
    session.send(Command::Trust { seen: trust.seen }).await;
    assert!(set(&mut session).await);
    // The question that waited is answered by the rule, and the next call needs none.
    let closed = session
        .until(|event| match event {
            Event::PermissionClosed { by, .. } => Some(by.clone()),
            _ => None,
        })
        .await;
    assert_eq!(closed, Closed::Rule { rule: "Bash(touch *)".into() });
    session.end().await;
    assert!(session.dir.path().join("project/two").exists());
    assert_eq!(on_record(&session), State::Trusted);
}

#[tokio::test]
async fn files_that_changed_since_they_were_shown_are_not_trusted() {
    let mut session = session([touch("one"), text("ok")]);
    let trust = needed(&mut session).await;
    session.file(".claude/settings.json", &SETTINGS.replace("touch", "curl"));
    session.send(Command::Trust { seen: trust.seen }).await;
    let shown = session
        .until(|event| match event {
            Event::TrustShown { trust } => Some(trust.clone()),
            _ => None,
        })
        .await;
    assert_eq!(shown.items[0].text, "Bash(curl *)");
    assert_eq!(on_record(&session), State::Untrusted);
    session.submit("go").await;
    session.question().await;
}

#[tokio::test]
async fn trust_that_is_taken_back_counts_no_longer() {
    let mut session = session([touch("one"), touch("two"), text("ok")]);
    let trust = needed(&mut session).await;
    session.send(Command::Trust { seen: trust.seen }).await;
    assert!(set(&mut session).await);
    session.send(Command::Distrust).await;
    assert!(!set(&mut session).await);
    needed(&mut session).await;
    session.submit("go").await;
    session.question().await;
    assert_eq!(on_record(&session), State::Untrusted);
}
