//! The dialog of budgets: where a turn waits at one, and where the person sets them.

use tern::app::{Effect, Setting};
use tern::protocol::budget::{Answer, Limits, Reached, Span};
use tern::protocol::{Command, Event, Money, RequestId};

use crate::support::screen::{Screen, screen};

const DAY: Limits = Limits { session: None, day: Some(Money(10_000_000)) };

fn reached() -> Event {
    let reached = Reached {
        request: RequestId(9),
        span: Span::Day,
        limit: Money(10_000_000),
        spent: Money(9_900_000),
        next: Money(180_000),
    };
    Event::BudgetReached { reached }
}

fn waiting(width: u16, height: u16) -> Screen {
    screen(width, height)
        .events("fixed")
        .event(Event::BudgetSet { limits: DAY })
        .event(reached())
        .wait(1_000)
}

#[test]
fn it_says_what_would_be_gone_over() {
    for (width, height) in [(80, 24), (120, 40), (48, 14)] {
        let name = format!("budget-reached-{width}x{height}");
        insta::assert_snapshot!(name, waiting(width, height).text());
    }
    let set = screen(80, 24).events("fixed").keys("/budget<enter>12.5");
    insta::assert_snapshot!("budget-set", { set }.text());
}

#[test]
fn each_key_gives_its_answer() {
    let raised = |session, usd| Answer::Raise(Limits { session, day: Money::from_usd(usd) });
    for (keys, answer) in [
        ("<enter>", raised(None, 20.16)),
        ("<ctrl+u>11<enter>", raised(None, 11.0)),
        ("<tab>$3<enter>", raised(Some(Money(3_000_000)), 20.16)),
        ("o", Answer::Once),
        ("n", Answer::Stop),
        ("<esc>", Answer::Stop),
    ] {
        let screen = waiting(80, 24).keys(keys);
        let request = RequestId(9);
        assert_eq!(screen.commands(), [Command::AnswerBudget { request, answer }], "{keys}");
        assert!(screen.off.model.budget.is_none(), "{keys}");
    }
}

#[test]
fn what_was_typed_for_the_prompt_is_no_answer() {
    let screen = screen(80, 24).events("fixed").event(reached()).typed_ahead("no<enter>");
    assert!(screen.off.model.budget.is_some());
    assert!(!screen.commands().iter().any(|it| matches!(it, Command::AnswerBudget { .. })));
}

#[test]
fn a_wrong_amount_stays_and_says_so() {
    let screen = waiting(80, 24).keys("<ctrl+u>1.2.3<enter>");
    let problem = screen.off.model.budget.as_ref().and_then(|budget| budget.problem.clone());
    assert!(problem.is_some_and(|text| text.contains("1.2.3")));
    assert_eq!(screen.commands(), []);
}

#[test]
fn the_question_goes_with_what_asked_it() {
    let closed = waiting(80, 24).event(Event::BudgetClosed { request: RequestId(9) });
    assert!(closed.off.model.budget.is_none());
    let other = waiting(80, 24).event(Event::BudgetClosed { request: RequestId(8) });
    assert!(other.off.model.budget.is_some());
}

#[test]
fn a_person_sets_them_for_now_or_for_later() {
    let limits = Limits { session: Some(Money(2_500_000)), day: DAY.day };
    let set = Command::SetBudget { limits };
    let open = || screen(80, 24).events("fixed").event(Event::BudgetSet { limits: DAY });
    assert_eq!(open().keys("/budget 2.50<enter>").commands(), std::slice::from_ref(&set));
    assert_eq!(open().keys("/budget<enter>2.5<enter>").commands(), std::slice::from_ref(&set));
    assert_eq!(open().keys("<ctrl+x>cb2.5<enter>").commands(), std::slice::from_ref(&set));
    let kept = open().keys("/budget<enter>2.5<ctrl+s>");
    assert_eq!(kept.commands(), [set]);
    assert!(kept.off.effects.contains(&Effect::Save(Setting::Budgets(limits))));
    assert_eq!(open().keys("/budget<enter>2<esc>").commands(), []);
    assert_eq!(open().keys("/budget much<enter>").commands(), []);
}
