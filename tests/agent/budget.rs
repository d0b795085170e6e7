//! Budgets: looked at before each request, asked about where a person is there.

use tern::api::{StopReason, StreamPart};
use tern::config::{Budget, Config};
use tern::protocol::budget::{Answer as Say, Limits, Reached, Span};
use tern::protocol::{Command, Event, Money, TurnEnd};

use crate::support::script::{Answer, call_parts, text, usage};
use crate::support::session::{Options, Session};

/// Less than two of the script's first requests, which cost 0.02475 USD each.
const ONE: Money = Money(30_000);

fn limited(session: Option<Money>, day: Option<Money>) -> Options {
    let budget = Budget { session, day, ..Config::default().budget };
    Options { budget, ..Options::default() }
}

fn three_requests() -> [Answer; 3] {
    let list = |id| {
        let mut parts = call_parts(0, id, "LS", r#"{"path": "."}"#, true);
        parts.push(usage(8_000, 50));
        parts.push(StreamPart::Stopped(StopReason::ToolUse));
        Answer::Parts(parts)
    };
    [list("c1"), list("c2"), text("Done.")]
}

async fn reached(session: &mut Session) -> Reached {
    session
        .until(|event| match event {
            Event::BudgetReached { reached } => Some(*reached),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn the_request_that_would_go_over_is_not_sent_unless_the_person_says_so() {
    let mut session = Session::with(limited(Some(ONE), None), three_requests());
    session.submit("go").await;
    let first = reached(&mut session).await;
    assert_eq!((first.span, first.limit), (Span::Session, ONE));
    assert!(first.spent < ONE && first.spent + first.next > ONE, "{first:?}");
    assert_eq!(session.script.requests().len(), 1);

    // Too little is asked about again; enough goes on, and only this budget is raised.
    let raise = |usd| Say::Raise(Limits { session: Money::from_usd(usd), day: None });
    let request = first.request;
    session.send(Command::AnswerBudget { request, answer: raise(0.035) }).await;
    let again = reached(&mut session).await;
    assert_eq!(again.limit, Money(35_000));
    // An answer to the question before this one is late.
    session.send(Command::AnswerBudget { request, answer: Say::Stop }).await;
    let request = again.request;
    session.send(Command::AnswerBudget { request, answer: raise(1.0) }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert_eq!(session.script.requests().len(), 3);
}

#[tokio::test]
async fn once_lets_the_turn_go_on_and_the_next_one_asks_again() {
    let answers = three_requests().into_iter().chain([text("unused")]);
    let mut session = Session::with(limited(None, Some(ONE)), answers);
    session.submit("go").await;
    let Reached { request, span, .. } = reached(&mut session).await;
    assert_eq!(span, Span::Day);
    session.send(Command::AnswerBudget { request, answer: Say::Once }).await;
    assert_eq!(session.end().await, TurnEnd::Done);

    session.submit("more").await;
    let Reached { request, .. } = reached(&mut session).await;
    session.send(Command::AnswerBudget { request, answer: Say::Stop }).await;
    assert_eq!(session.end().await, TurnEnd::Budget);
    assert_eq!(session.script.requests().len(), 3, "nothing was sent");
}

#[tokio::test]
async fn a_turn_that_waits_can_be_interrupted_or_let_go_by_another_budget() {
    let mut session = Session::with(limited(Some(ONE), None), three_requests());
    let turn = session.submit("go").await;
    reached(&mut session).await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);

    session.submit("go on").await;
    reached(&mut session).await;
    let limits = Limits { session: Some(Money(1_000_000)), day: None };
    session.send(Command::SetBudget { limits }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let set = session.events.iter().filter(|event| matches!(event, Event::BudgetSet { .. }));
    assert!(set.count() >= 1);
}

#[tokio::test]
async fn it_is_spoken_of_once_before_it_is_used_up_and_ends_a_turn_that_nobody_watches() {
    let options = Options { can_ask: false, ..limited(Some(Money(60_000)), None) };
    let mut session = Session::with(options, three_requests());
    assert_eq!(session.ask("go").await, TurnEnd::Budget);
    assert_eq!(session.script.requests().len(), 2);
    let notices = session.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("The next request, at about"), "{notices:?}");

    let mut options = limited(Some(Money(80_000)), None);
    options.budget.warn_at = 0.5;
    let answers = three_requests().into_iter().chain([text("Done.")]);
    let mut session = Session::with(options, answers);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(session.ask("more").await, TurnEnd::Done);
    assert_eq!(session.notices(), ["$0.05 of the session's $0.08 are spent."]);
}
