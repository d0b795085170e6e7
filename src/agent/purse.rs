//! The money of a session: what it has spent, what it may spend, and the way into the ledger.
//!
//! One purse for everything that asks a model: the turn, side requests that run beside it, and
//! whatever asks on the session's behalf. Whoever makes a request books it here and nowhere else,
//! so that the total is the sum of the entries.

use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::agent::Setup;
use crate::agent::route::Route;
use crate::agent::shared::{Shared, lock};
use crate::config::Budget;
use crate::cost::ledger::{self, Miss};
use crate::cost::{budget, prices};
use crate::protocol::budget::{Answer, Limits, Span};
use crate::protocol::{Cause, Event, Level, Money, RequestId, SessionId, Spend, TurnId, Usage};

#[derive(Debug)]
pub struct Purse {
    /// Folder of the ledger. Money is booked even where no session is kept.
    ledger: PathBuf,
    project: String,
    session: SessionId,
    /// Whether what a script says is booked like what a model says.
    book_scripted: bool,
    state: Mutex<State>,
    /// Held while a person is asked about a budget.
    pub asking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    spent: Spent,
    budget: Budget,
    turn: TurnId,
    /// Tokens in the conversation's window, for whoever tells of money.
    context: u64,
    /// Booked beside the turn, not yet in the session's log.
    unlogged: Vec<Spend>,
    /// Budgets that were spoken of when they were nearly used up.
    warned: Vec<Span>,
    /// The person lets this turn go on whatever it costs.
    exempt: bool,
    /// The question that waits for an answer.
    waiting: Option<(RequestId, oneshot::Sender<Answer>)>,
}

/// The money of this session and of this day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    pub session: Money,
    pub today: Money,
    /// Requests whose price is not known.
    pub unpriced: u64,
}

/// One request that was answered, or broke off after it had cost something.
#[derive(Debug)]
pub struct Bill<'a> {
    pub route: &'a Route,
    pub usage: Usage,
    pub cause: Cause,
    /// The sub-agent's name; `None`: the conversation itself.
    pub agent: Option<&'a str>,
    /// The tool whose result the request carried.
    pub tool: Option<&'a str>,
    /// Why the cache did not hold, and for how many tokens.
    pub miss: Option<(Miss, u64)>,
}

impl Purse {
    pub fn new(setup: &Setup, session: SessionId, spent: Spent) -> Purse {
        Purse {
            ledger: setup.ledger.clone(),
            project: setup.cwd.display().to_string(),
            session,
            book_scripted: setup.book_scripted,
            state: Mutex::new(State {
                spent,
                budget: setup.budget.clone(),
                turn: TurnId(0),
                context: 0,
                unlogged: Vec::new(),
                warned: Vec::new(),
                exempt: false,
                waiting: None,
            }),
            asking: tokio::sync::Mutex::default(),
        }
    }

    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The folder that the session was begun in.
    pub fn project(&self) -> &str {
        &self.project
    }

    pub fn spent(&self) -> Spent {
        lock(&self.state).spent
    }

    pub fn begin_turn(&self, turn: TurnId) {
        let mut state = lock(&self.state);
        state.turn = turn;
        state.exempt = false;
    }

    pub fn limits(&self) -> Limits {
        let state = lock(&self.state);
        Limits { session: state.budget.session, day: state.budget.day }
    }

    pub fn set_limits(&self, limits: Limits) {
        let mut state = lock(&self.state);
        (state.budget.session, state.budget.day) = (limits.session, limits.day);
        state.warned.clear();
        // The turn that waits looks for itself whether these are enough.
        if let Some((_, waiting)) = state.waiting.take() {
            let _gone = waiting.send(Answer::Raise(limits));
        }
    }

    /// True the first time.
    pub fn first_warning(&self, span: Span) -> bool {
        let mut state = lock(&self.state);
        let first = !state.warned.contains(&span);
        state.warned.push(span);
        state.warned.dedup();
        first
    }

    /// To the end of the turn no budget holds.
    pub fn exempt_turn(&self) {
        lock(&self.state).exempt = true;
    }

    pub fn is_exempt(&self) -> bool {
        lock(&self.state).exempt
    }

    pub fn wait_for(&self, request: RequestId) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.state).waiting = Some((request, sender));
        receiver
    }

    pub fn waits_no_more(&self, request: RequestId) {
        lock(&self.state).waiting.take_if(|(waiting, _)| *waiting == request);
    }

    /// An answer to a question that no longer waits falls on the floor.
    pub fn answer(&self, request: RequestId, answer: Answer) {
        let waiting = lock(&self.state).waiting.take_if(|(waiting, _)| *waiting == request);
        if let Some((_, waiting)) = waiting {
            let _gone = waiting.send(answer);
        }
    }

    pub fn set_context(&self, tokens: u64) {
        lock(&self.state).context = tokens;
    }

    /// What is told where the window has become another without a request.
    pub fn refilled(&self, tokens: u64) -> Event {
        self.set_context(tokens);
        let Spent { session, today, unpriced } = self.spent();
        Event::Spent { session, today, unpriced, context: tokens }
    }

    /// Where the budgets stand if the next request costs `next`.
    pub fn standing(&self, next: Money) -> budget::Standing {
        let state = lock(&self.state);
        let Budget { session, day, warn_at } = state.budget;
        let spent = budget::Spent { session: state.spent.session, day: state.spent.today };
        budget::standing(&budget::Limits { session, day, warn_at }, &spent, next)
    }

    /// Prices the request by today's table and writes it into the ledger. Nothing is booked for a
    /// request that used nothing. The error is a sentence; the money counts all the same.
    pub fn book(&self, bill: &Bill<'_>) -> Option<(Spend, Result<(), String>)> {
        if bill.usage == Usage::default() {
            return None;
        }
        let now = Timestamp::now();
        let price = bill.route.known.as_ref().and_then(|model| model.price(today(), &bill.usage));
        let rates = price.map(prices::rates);
        let spend = Spend {
            model: bill.route.name.clone(),
            usage: bill.usage,
            cost: rates.as_ref().map(|rates| prices::price(rates, &bill.usage)),
            cause: bill.cause.clone(),
        };
        let turn = {
            let mut state = lock(&self.state);
            match spend.cost {
                Some(cost) => {
                    state.spent.session += cost;
                    state.spent.today += cost;
                }
                None => state.spent.unpriced += 1,
            }
            state.turn
        };
        // What a script says costs nothing, so it does not count toward anybody's real day.
        if bill.route.scripted && !self.book_scripted {
            return Some((spend, Ok(())));
        }
        let entry = ledger::Entry {
            v: ledger::VERSION,
            t: now,
            session: self.session.clone(),
            project: self.project.clone(),
            model: spend.model.clone(),
            usage: bill.usage,
            cost: spend.cost,
            price_from: price.map(|price| price.from.to_string()),
            cause: spend.cause.clone(),
            agent: bill.agent.map(str::to_owned),
            turn,
            tool: bill.tool.map(str::to_owned),
            saved: rates.as_ref().map(|rates| prices::saved(rates, &bill.usage)),
            miss: bill.miss.map(|(cause, _)| cause),
            lost: rates
                .as_ref()
                .zip(bill.miss)
                .map(|(rates, (_, tokens))| prices::lost(rates, &bill.usage, tokens)),
        };
        let written = ledger::append(&self.ledger, &entry)
            .map_err(|problem| format!("The ledger could not be written: {problem}"));
        Some((spend, written))
    }

    /// Books a request made beside the turn, and tells of it; the session's log learns of it with
    /// its next record.
    pub async fn book_aside(&self, bill: &Bill<'_>, events: &tokio::sync::mpsc::Sender<Event>) {
        let Some((spend, written)) = self.book(bill) else { return };
        lock(&self.state).unlogged.push(spend.clone());
        let _gone = events.send(self.told(spend)).await;
        if let Err(text) = written {
            let _gone = events.send(Event::Noticed { level: Level::Error, text }).await;
        }
    }

    /// A booking that the session's log learns of with its next record.
    pub fn log_later(&self, spend: Spend) {
        lock(&self.state).unlogged.push(spend);
    }

    /// A booking as the front end hears of it.
    pub fn told(&self, spend: Spend) -> Event {
        let state = lock(&self.state);
        Event::UsageAdded {
            spend,
            session: state.spent.session,
            today: state.spent.today,
            unpriced: state.spent.unpriced,
            context: state.context,
        }
    }

    pub fn take_unlogged(&self) -> Vec<Spend> {
        std::mem::take(&mut lock(&self.state).unlogged)
    }
}

/// The day by which prices go.
pub fn today() -> jiff::civil::Date {
    Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

impl Shared {
    /// Books a request of the conversation.
    pub async fn book(&self, bill: &Bill<'_>) -> Option<Spend> {
        let (spend, written) = self.purse.book(bill)?;
        if let Err(text) = written {
            self.notice(Level::Error, text).await;
        }
        Some(spend)
    }
}
