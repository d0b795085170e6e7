//! What this session has used and cost, from the agent's own counts.

use crate::protocol::budget::Limits;
use crate::protocol::{Cause, Money, Spend, TurnId, Usage};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spending {
    pub session: Money,
    pub today: Money,
    /// Requests of this session whose price is not known.
    pub unpriced: u64,
    /// Tokens in the window now.
    pub context: u64,
    /// The budgets in force.
    pub limits: Limits,
    pub turns: Vec<TurnSpend>,
    pub by_model: Vec<(String, Total)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TurnSpend {
    /// `None`: before the first turn, or between turns.
    pub turn: Option<TurnId>,
    /// The prompt's first line.
    pub what: String,
    pub total: Total,
    pub requests: Vec<Spend>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Total {
    pub usage: Usage,
    pub cost: Money,
    pub requests: u64,
    /// Requests whose price is not known: `cost` is then a lower bound.
    pub unpriced: u64,
}

impl Total {
    fn add(&mut self, spend: &Spend) {
        self.usage.add(&spend.usage);
        self.requests += 1;
        match spend.cost {
            Some(cost) => self.cost += cost,
            None => self.unpriced += 1,
        }
    }

    /// Share of the prompt that came from the cache, in percent. `None`: there was no prompt.
    pub fn cached(&self) -> Option<u64> {
        let prompt = self.usage.prompt();
        (prompt > 0).then(|| self.usage.cache_read * 100 / prompt)
    }
}

impl Spending {
    pub fn start_turn(&mut self, turn: TurnId, prompt: &str) {
        let what = prompt.lines().next().unwrap_or_default().to_owned();
        self.turns.push(TurnSpend {
            turn: Some(turn),
            what,
            total: Total::default(),
            requests: Vec::new(),
        });
    }

    pub fn add(&mut self, spend: Spend) {
        match self.by_model.iter_mut().find(|(model, _)| *model == spend.model) {
            Some((_, total)) => total.add(&spend),
            None => {
                let mut total = Total::default();
                total.add(&spend);
                self.by_model.push((spend.model.clone(), total));
            }
        }
        if self.turns.is_empty() {
            self.turns.push(TurnSpend {
                turn: None,
                what: "before the first turn".to_owned(),
                total: Total::default(),
                requests: Vec::new(),
            });
        }
        if let Some(turn) = self.turns.last_mut() {
            turn.total.add(&spend);
            turn.requests.push(spend);
        }
    }
}

/// In words, for a line of the panel.
pub fn cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::Prompt => "prompt",
        Cause::Tool => "tool results",
        Cause::SubAgent => "sub-agent",
        Cause::Compaction => "compaction",
        Cause::Title => "title",
        Cause::Retry => "tried again",
        Cause::Continuation => "continued",
        Cause::Page => "question to a page",
        Cause::Search => "search of the web",
        Cause::Permission => "permission",
    }
}
