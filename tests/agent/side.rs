//! Requests to the small model, beside the conversation: titles, and what a tool asks.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tern::api::{ApiError, ApiErrorKind, Purpose, ToolSpec};
use tern::config::{Budget, Config};
use tern::protocol::{Cause, Event, Money, Preview, Title, TurnEnd};
use tern::tools::{Class, Outcome, Prepared, Tool, ToolCtx};

use crate::support::script::{Answer, Script, calls, text};
use crate::support::session::{Options, Session, setup};

const LONG: &str = "The parser panics on an empty file when it is read from standard input.\n\
                    Find out why and fix it.";

fn with_small(answers: impl IntoIterator<Item = Answer>) -> (Arc<Script>, Options) {
    let small = Script::new(answers);
    (small.clone(), Options { small: Some(small), titles: true, ..Options::default() })
}

fn titles(session: &Session) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::Titled { title } => Some(title.clone()),
        _ => None,
    };
    session.events.iter().filter_map(of).collect()
}

#[tokio::test]
async fn a_long_first_prompt_is_given_a_title_by_the_small_model() {
    let (small, options) = with_small([text("\"Fix the parser's panic.\"")]);
    let mut session = Session::with(options, [text("Done."), text("Again.")]);
    assert_eq!(session.ask(LONG).await, TurnEnd::Done);
    session
        .until(|event| match event {
            Event::Titled { title } if title == "Fix the parser's panic" => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(session.ask("And once more, please.").await, TurnEnd::Done);
    let session = session.again([]).await;

    let asked = small.requests();
    assert_eq!(asked.len(), 1, "one title for a session");
    assert_eq!((asked[0].purpose, asked[0].tools.len()), (Purpose::Side, 0));
    let said = asked[0].messages[0].text();
    assert!(said.contains("The parser panics") && said.contains("Done."), "{said}");
    assert!(said.len() < 2_500, "about a thousand tokens");
    let entries = session.ledger();
    let booked: Vec<(&str, &Cause)> =
        entries.iter().map(|e| (e.model.as_str(), &e.cause)).collect();
    assert_eq!(
        booked,
        [
            ("script/model", &Cause::Prompt),
            ("script/small", &Cause::Title),
            ("script/model", &Cause::Prompt)
        ]
    );
    // The session's own sum counts it, too, when it is taken up again.
    let mut session = session;
    let spent = session
        .until(|event| match event {
            Event::Spent { session, .. } => Some(*session),
            _ => None,
        })
        .await;
    assert_eq!(spent, entries.iter().filter_map(|entry| entry.cost).sum());
    assert_eq!(titles(&session), ["Fix the parser's panic"]);
}

#[tokio::test]
async fn a_short_prompt_is_its_own_title_and_a_failure_leaves_the_first_words() {
    let (small, options) = with_small([]);
    let mut session = Session::with(options, [text("Done.")]);
    session.ask("fix the parser").await;
    assert_eq!(titles(&session), ["fix the parser"]);
    let session = session.again([]).await;
    assert_eq!(small.requests().len(), 0);
    drop(session);

    let refused = ApiError::new(ApiErrorKind::UnknownModel, "no such model");
    let (small, options) = with_small([Answer::Broken(Vec::new(), refused)]);
    let mut session = Session::with(options, [text("Done."), text("Done.")]);
    session.ask(LONG).await;
    session.ask("more").await;
    assert_eq!(titles(&session).len(), 1);
    assert_eq!(session.notices(), Vec::<String>::new(), "nobody is bothered about a title");
    drop(session.again([]).await);
    assert_eq!(small.requests().len(), 1);
}

#[tokio::test]
async fn leaving_does_not_wait_for_a_title() {
    let (small, options) = with_small([Answer::Hangs(Vec::new())]);
    let mut session = Session::with(options, [text("Done.")]);
    session.ask(LONG).await;
    let began = std::time::Instant::now();
    drop(session.again([]).await);
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    assert!(small.requests().len() <= 1);
}

/// Hands its question on to the small model.
#[derive(Debug)]
struct Asks;

#[async_trait]
impl Tool for Asks {
    fn name(&self) -> &'static str {
        "Asks"
    }

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "Asks".into(),
            description: String::new(),
            schema: json!({"type": "object"}),
        }
    }

    fn class(&self, _input: &Value) -> Class {
        Class::ReadOnly
    }

    fn title(&self, _input: &Value, _cwd: &Path) -> Title {
        Title::new("Asking", "Asked", "")
    }

    async fn preview(&self, _input: &Value, _ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        Ok(Prepared { preview: Preview::Other { text: String::new() }, base: None, note: None })
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let text = input["text"].as_str().unwrap_or_default();
        match ctx.ask.small_model("How long is it?", text).await {
            Ok(answer) => Outcome::done(answer, ""),
            Err(error) => Outcome::failed(error.to_string(), ""),
        }
    }
}

async fn asking(options: Options, material: &str) -> Session {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("project")).unwrap();
    let call = calls(&[("c1", "Asks", json!({"text": material}))]);
    let script = Script::new([call, text("Done.")]);
    let setup = setup(dir.path(), &script, options);
    setup.tools.add([Arc::new(Asks) as Arc<dyn Tool>]);
    let mut session = Session::of(dir, script, setup);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    session
}

#[tokio::test]
async fn a_tool_asks_the_small_model_and_the_ledger_has_it() {
    let overload = ApiError::new(ApiErrorKind::Overloaded, "busy");
    let (small, options) = with_small([Answer::Broken(Vec::new(), overload), text("Long.")]);
    let session = asking(options, &"long ".repeat(100_000)).await;
    assert_eq!(session.results()[0].text, "Long.");
    let asked = small.requests();
    assert_eq!(asked.len(), 2, "an overload is tried once more");
    let said = asked[1].messages[0].text();
    assert!(said.contains("How long is it?") && said.contains("the text goes on"));
    assert!(said.len() < 201_000);
    let causes: Vec<Cause> = session.ledger().into_iter().map(|entry| entry.cause).collect();
    assert_eq!(causes, [Cause::Prompt, Cause::Page, Cause::Tool]);
}

#[tokio::test]
async fn without_a_small_model_or_money_a_tool_hears_so() {
    let session = asking(Options::default(), "x").await;
    assert!(session.results()[0].text.contains("no small model"), "{:?}", session.results());

    let (small, options) = with_small([]);
    // Enough for the main model's two requests of this script, not for a long text on top.
    let budget = Budget { session: Some(Money(20_000)), ..Config::default().budget };
    let session = asking(Options { budget, ..options }, &"long ".repeat(30_000)).await;
    assert!(session.results()[0].text.contains("over its $0.02"), "{:?}", session.results());
    assert_eq!(small.requests().len(), 0);
}

#[tokio::test]
async fn a_request_is_booked_for_the_tool_whose_result_it_carries() {
    let listing = ("c1", "LS", json!({"path": "."}));
    let long = ("c2", "Bash", json!({"command": "seq 500"}));
    let answers = [calls(&[listing, long]), text("Done."), text("Done.")];
    let mut session = Session::start(answers);
    session.ask("go").await;
    session.ask("more").await;
    let tools: Vec<Option<String>> = session.ledger().into_iter().map(|entry| entry.tool).collect();
    assert_eq!(tools, [None, Some("Bash".to_owned()), None]);
}
