//! Whether the next request fits the budgets. Pure: over what was spent and what comes.

use crate::protocol::Money;
pub use crate::protocol::budget::Span;

/// The budgets. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    pub session: Option<Money>,
    pub day: Option<Money>,
    /// Share of a budget, 0 to 1, from which on it is spoken of.
    pub warn_at: f64,
}

/// Sums of requests with a known price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    pub session: Money,
    pub day: Money,
}

/// Where the budgets stand. The tighter one speaks; of two alike the session's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    Within,
    /// `spent` has reached the share of the limit at which to speak.
    Near {
        span: Span,
        limit: Money,
        spent: Money,
    },
    /// The next request would go over the limit, or something did already.
    Over {
        span: Span,
        limit: Money,
        spent: Money,
        next: Money,
    },
}

/// `next` is the projected cost of the next request; zero where its price is not known, as such a
/// request counts toward no budget.
pub fn standing(limits: &Limits, spent: &Spent, next: Money) -> Standing {
    let spans =
        [(Span::Session, limits.session, spent.session), (Span::Day, limits.day, spent.day)];
    let limited =
        || spans.into_iter().filter_map(|(span, limit, spent)| Some((span, limit?, spent)));
    // Money that is gone counts as over only when it is used up, not when it fits exactly.
    let over = limited().find(|(_, limit, spent)| *spent >= *limit || *spent + next > *limit);
    if let Some((span, limit, spent)) = over {
        return Standing::Over { span, limit, spent, next };
    }
    let near = limited().filter(|(_, limit, spent)| share(*spent, *limit) >= limits.warn_at);
    match near.reduce(|a, b| if share(b.2, b.1) > share(a.2, a.1) { b } else { a }) {
        Some((span, limit, spent)) => Standing::Near { span, limit, spent },
        None => Standing::Within,
    }
}

/// One sentence for the person; `None` where all is well.
pub fn sentence(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Within => None,
        Standing::Near { span, limit, spent } => {
            Some(format!("{spent} of the {}'s {limit} are spent", span.name()))
        }
        Standing::Over { span, limit, spent, next } if *spent < *limit => Some(format!(
            "the next request, at about {next}, would take this {} over its {limit} ({spent} are spent)",
            span.name()
        )),
        Standing::Over { span, limit, spent, .. } => {
            Some(format!("this {}'s {limit} are used up ({spent} are spent)", span.name()))
        }
    }
}

fn share(spent: Money, limit: Money) -> f64 {
    spent.usd() / limit.usd()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_would_go_over_is_stopped_before_it_is_sent() {
        use Span::{Day, Session};
        let money = Money;
        for (session, day, spent_session, spent_day, next, told) in [
            (None, None, 9, 9, 9, Standing::Within),
            (Some(100), None, 10, 0, 10, Standing::Within),
            (
                Some(100),
                None,
                80,
                0,
                10,
                Standing::Near { span: Session, limit: money(100), spent: money(80) },
            ),
            (
                Some(100),
                None,
                90,
                0,
                10,
                Standing::Near { span: Session, limit: money(100), spent: money(90) },
            ),
            (
                Some(100),
                None,
                90,
                0,
                11,
                Standing::Over {
                    span: Session,
                    limit: money(100),
                    spent: money(90),
                    next: money(11),
                },
            ),
            (
                Some(100),
                None,
                100,
                0,
                0,
                Standing::Over {
                    span: Session,
                    limit: money(100),
                    spent: money(100),
                    next: money(0),
                },
            ),
            (
                Some(0),
                None,
                0,
                0,
                0,
                Standing::Over { span: Session, limit: money(0), spent: money(0), next: money(0) },
            ),
            (
                None,
                Some(100),
                0,
                99,
                2,
                Standing::Over { span: Day, limit: money(100), spent: money(99), next: money(2) },
            ),
            (
                Some(100),
                Some(100),
                85,
                90,
                0,
                Standing::Near { span: Day, limit: money(100), spent: money(90) },
            ),
            (
                Some(100),
                Some(100),
                85,
                85,
                0,
                Standing::Near { span: Session, limit: money(100), spent: money(85) },
            ),
        ] {
            let limits = Limits { session: session.map(Money), day: day.map(Money), warn_at: 0.8 };
            let spent = Spent { session: Money(spent_session), day: Money(spent_day) };
            assert_eq!(standing(&limits, &spent, Money(next)), told);
        }
    }

    #[test]
    fn it_is_said_in_a_sentence() {
        let (limit, spent, next) = (Money(1_000_000), Money(900_000), Money(200_000));
        for (standing, told) in [
            (Standing::Within, None),
            (
                Standing::Near { span: Span::Day, limit, spent },
                Some("$0.90 of the day's $1.00 are spent"),
            ),
            (
                Standing::Over { span: Span::Session, limit, spent, next },
                Some(
                    "the next request, at about $0.20, would take this session over its $1.00 ($0.90 are spent)",
                ),
            ),
            (
                Standing::Over { span: Span::Session, limit, spent: limit, next },
                Some("this session's $1.00 are used up ($1.00 are spent)"),
            ),
        ] {
            assert_eq!(sentence(&standing).as_deref(), told);
        }
    }
}
