//! Whether the next request may be paid for; where it may not, the person is asked before it is
//! sent, or the turn ends where there is nobody to ask.

use tokio_util::sync::CancellationToken;

use crate::agent::shared::Shared;
use crate::cost::budget::{Standing, sentence};
use crate::protocol::budget::{Answer, Reached};
use crate::protocol::{Event, Level, Money, TurnEnd};

/// Returns once a request that is likely to cost `next` may be sent. The error is how the turn
/// ends instead.
pub async fn allow(
    shared: &Shared,
    next: Money,
    cancel: &CancellationToken,
) -> Result<(), TurnEnd> {
    if !is_over(shared, next).await {
        return Ok(());
    }
    // One question at a time; whoever waited for the answer to another looks again.
    let _asking = shared.purse.asking.lock().await;
    while is_over(shared, next).await {
        if !shared.gate.can_ask() {
            if let Some(text) = sentence(&shared.purse.standing(next)) {
                shared.notice(Level::Warning, format!("{}.", capital(&text))).await;
            }
            return Err(TurnEnd::Budget);
        }
        match ask(shared, next, cancel).await? {
            Answer::Raise(limits) => set(shared, limits).await,
            Answer::Once => shared.purse.exempt_turn(),
            Answer::Stop => return Err(TurnEnd::Budget),
        }
    }
    Ok(())
}

/// Puts other limits in force, and lets the turn go on that waits for them.
pub async fn set(shared: &Shared, limits: crate::protocol::budget::Limits) {
    shared.purse.set_limits(limits);
    shared.emit(Event::BudgetSet { limits }).await;
}

/// Speaks once of a budget that is nearly used up.
async fn is_over(shared: &Shared, next: Money) -> bool {
    let standing = shared.purse.standing(next);
    match standing {
        Standing::Within => false,
        Standing::Near { span, .. } => {
            if shared.purse.first_warning(span)
                && let Some(text) = sentence(&standing)
            {
                shared.notice(Level::Warning, format!("{}.", capital(&text))).await;
            }
            false
        }
        Standing::Over { .. } => !shared.purse.is_exempt(),
    }
}

async fn ask(shared: &Shared, next: Money, cancel: &CancellationToken) -> Result<Answer, TurnEnd> {
    let Standing::Over { span, limit, spent, next } = shared.purse.standing(next) else {
        return Ok(Answer::Raise(shared.purse.limits()));
    };
    let request = shared.gate.approvals.number();
    let answer = shared.purse.wait_for(request);
    let reached = Reached { request, span, limit, spent, next };
    shared.emit(Event::BudgetReached { reached }).await;
    let answer = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(TurnEnd::Interrupted),
        // The sender stays in the purse until it answers.
        answer = answer => Ok(answer.unwrap_or(Answer::Stop)),
    };
    shared.purse.waits_no_more(request);
    shared.emit(Event::BudgetClosed { request }).await;
    answer
}

pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
