//! The dialog about budgets: where a turn waits at one, and where the person sets them.

use crate::app::edit::{Editor, Lines};
use crate::app::effect::{Effect, Setting};
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::app::msg::Millis;
use crate::protocol::budget::{Answer, Limits, Reached, Span};
use crate::protocol::{Command, Money, RequestId};

/// It takes no key for this long, and for this long after each key that was typed for something
/// else.
const GUARD: u64 = 250;

#[derive(Debug, Clone)]
pub struct Budget {
    /// The turn that waits; `None`: the person opened it.
    pub reached: Option<Reached>,
    /// Dollars; empty: no limit. The session's, the day's.
    pub fields: [Editor; 2],
    /// The field that has the keys.
    pub at: usize,
    pub problem: Option<String>,
    armed_at: Millis,
}

impl Budget {
    fn new(limits: Limits, reached: Option<Reached>, armed_at: Millis) -> Budget {
        let mut wanted = limits;
        if let Some(reached) = reached {
            match reached.span {
                Span::Session => wanted.session = Some(enough(&reached)),
                Span::Day => wanted.day = Some(enough(&reached)),
            }
        }
        let field = |limit| Editor::with(Lines::One, &written(limit));
        Budget {
            reached,
            fields: [field(wanted.session), field(wanted.day)],
            at: usize::from(reached.is_some_and(|reached| reached.span == Span::Day)),
            problem: None,
            armed_at,
        }
    }

    /// Whether it takes keys now.
    pub fn armed(&self, now: Millis) -> bool {
        now >= self.armed_at
    }

    /// When it will; `None`: it does already.
    pub fn arms_at(&self, now: Millis) -> Option<Millis> {
        (!self.armed(now)).then_some(self.armed_at)
    }

    /// A key came that was meant for something else.
    pub fn hold(&mut self, now: Millis) {
        self.armed_at = self.armed_at.max(now.plus(GUARD));
    }

    fn limits(&self) -> Result<Limits, String> {
        let [session, day] = [&self.fields[0], &self.fields[1]].map(|field| read(&field.text()));
        Ok(Limits { session: session?, day: day? })
    }
}

/// A turn waits.
pub fn reached(model: &mut Model, reached: Reached) {
    model.pending.clear();
    let armed_at = model.now.plus(GUARD);
    model.budget = Some(Budget::new(model.spending.limits, Some(reached), armed_at));
}

/// It waits no more.
pub fn closed(model: &mut Model, request: RequestId) {
    model.budget.take_if(|budget| budget.reached.is_some_and(|it| it.request == request));
}

/// The person wants to set them; `given` is what stands behind `/budget`.
pub fn open(model: &mut Model, given: Option<&str>) -> Vec<Effect> {
    if let Some(given) = given {
        return match read(given) {
            Ok(session) => {
                let limits = Limits { session, ..model.spending.limits };
                vec![Effect::Send(Command::SetBudget { limits })]
            }
            Err(problem) => {
                model.say(&problem);
                Vec::new()
            }
        };
    }
    model.budget = Some(Budget::new(model.spending.limits, None, model.now));
    Vec::new()
}

/// Enter: these limits, for this session.
pub fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(budget) = &mut model.budget else { return Vec::new() };
    let limits = match budget.limits() {
        Ok(limits) => limits,
        Err(problem) => {
            budget.problem = Some(problem);
            return Vec::new();
        }
    };
    let reached = budget.reached;
    model.budget = None;
    let command = match reached {
        Some(reached) => {
            Command::AnswerBudget { request: reached.request, answer: Answer::Raise(limits) }
        }
        None => Command::SetBudget { limits },
    };
    vec![Effect::Send(command)]
}

/// The same, and for later sessions too.
pub fn keep(model: &mut Model) -> Vec<Effect> {
    let limits = model.budget.as_ref().map(Budget::limits);
    let mut effects = accept(model);
    if let (Some(Ok(limits)), false) = (limits, effects.is_empty()) {
        effects.push(Effect::Save(Setting::Budgets(limits)));
    }
    effects
}

/// The turn that waits goes on, whatever it costs.
pub fn once(model: &mut Model) -> Vec<Effect> {
    answer(model, Answer::Once)
}

/// The turn that waits ends; without one, nothing changes.
pub fn stop(model: &mut Model) -> Vec<Effect> {
    answer(model, Answer::Stop)
}

fn answer(model: &mut Model, answer: Answer) -> Vec<Effect> {
    let Some(reached) = model.budget.as_ref().map(|budget| budget.reached) else {
        return Vec::new();
    };
    match (reached, answer) {
        (Some(reached), answer) => {
            model.budget = None;
            let request = reached.request;
            vec![Effect::Send(Command::AnswerBudget { request, answer })]
        }
        (None, Answer::Stop) => {
            model.budget = None;
            Vec::new()
        }
        (None, Answer::Once | Answer::Raise(_)) => Vec::new(),
    }
}

pub fn next_field(model: &mut Model) {
    if let Some(budget) = &mut model.budget {
        budget.at = (budget.at + 1) % budget.fields.len();
    }
}

pub fn insert(model: &mut Model, text: &str) {
    let Some(budget) = &mut model.budget else { return };
    let amount: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    budget.problem = None;
    budget.fields[budget.at].insert(&amount);
}

pub fn edit(model: &mut Model, change: Edit) {
    if let Some(budget) = &mut model.budget {
        budget.problem = None;
        budget.fields[budget.at].edit(change);
    }
}

/// Twice the limit, and in any case room for the next request.
fn enough(reached: &Reached) -> Money {
    let needed = (reached.spent + reached.next).0.saturating_mul(2);
    let double = reached.limit.0.saturating_mul(2);
    // Up to whole cents.
    Money(double.max(needed).saturating_add(9_999) / 10_000 * 10_000)
}

/// `10`, `0.5`; nothing for no limit.
fn written(limit: Option<Money>) -> String {
    limit.map_or_else(String::new, |limit| {
        let text = format!("{:.4}", limit.usd());
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}

/// Dollars as a person writes them. Empty, `off` and `none`: no limit.
fn read(text: &str) -> Result<Option<Money>, String> {
    let text = text.trim().trim_start_matches('$').trim();
    if text.is_empty() || text.eq_ignore_ascii_case("off") || text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    text.parse().ok().and_then(Money::from_usd).map(Some).ok_or_else(|| {
        format!("\"{text}\" is not an amount in dollars; write 2.50, or off for no limit")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, amount) in [
            ("2.5", Ok(Some(2_500_000))),
            ("$10", Ok(Some(10_000_000))),
            ("0.0042", Ok(Some(4_200))),
            ("", Ok(None)),
            ("off", Ok(None)),
            ("1.2.3", Err(())),
            ("-1", Err(())),
            ("1e400", Err(())),
        ] {
            let read = read(text).map(|limit| limit.map(|money| money.0)).map_err(drop);
            assert_eq!(read, amount, "{text}");
            if let Ok(Some(amount)) = amount {
                assert_eq!(super::read(&written(Some(Money(amount)))), Ok(Some(Money(amount))));
            }
        }
    }

    #[test]
    fn what_is_proposed_is_enough() {
        let reached = |limit, spent, next| Reached {
            request: RequestId(1),
            span: Span::Session,
            limit: Money(limit),
            spent: Money(spent),
            next: Money(next),
        };
        assert_eq!(enough(&reached(1_000_000, 900_000, 200_000)), Money(2_200_000));
        assert_eq!(enough(&reached(1_000_000, 900_000, 5_000_000)), Money(11_800_000));
        assert_eq!(enough(&reached(5_000, 4_000, 2_000)), Money(20_000));
        assert!(enough(&reached(i64::MAX, 1, 1)).0 > 0);
    }
}
