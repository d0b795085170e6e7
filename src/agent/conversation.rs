//! What only the running turn may change: the history as the model sees it, what it cost, and its
//! way to the disk.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::agent::compact;
use crate::agent::journal::Journal;
use crate::agent::mention::{self, Attached};
use crate::agent::nested::Nested;
use crate::agent::news::Told;
use crate::agent::pictures;
use crate::agent::prefix::{self, Sent};
use crate::agent::purse::{self, Bill};
use crate::agent::recover::FilledBy;
use crate::agent::route::{Route, Router};
use crate::agent::shared::{Shared, lock};
use crate::agent::turn::Limits;
use crate::agent::undo;
use crate::api::{Purpose, Request, ToolSpec};
use crate::config::{Compact, Effort};
use crate::context::Place;
use crate::cost::ledger::Miss;
use crate::cost::prices;
use crate::protocol::{
    Cause, Event, Input, Message, MessageId, Money, Part, Role, SessionId, TurnId, Usage,
};
use crate::session::record::Compaction;
use crate::session::replay::summary_message;

#[derive(Debug)]
pub struct Conversation {
    pub session: SessionId,
    pub history: Vec<Message>,
    /// For each message of the history, the record of the log that it begins with.
    ids: Vec<MessageId>,
    /// Ids of calls that stand in the history.
    pub taken: HashSet<String>,
    pub route: Route,
    pub router: Arc<dyn Router>,
    pub fallback: Option<String>,
    pub effort: Option<Effort>,
    pub compact: Compact,
    pub limits: Limits,
    pub journal: Journal,
    /// Set when a summary did not get shorter; cleared by the next prompt.
    pub refuses_to_shrink: bool,
    /// What the person did besides talking, for the next prompt: commands, undone changes.
    pub notes: Vec<String>,
    /// What the model knows of what changes besides the conversation.
    pub told: Told,
    /// Instruction files that were given in the course of it.
    pub nested: Nested,
    /// A step over changes of files that was shown and waits for the person.
    pub rewind: Option<undo::Pending>,
    pub system: Arc<str>,
    pub preamble: String,
    pub specs: Arc<[ToolSpec]>,
    /// The text that stands for the older history, and the record of the first message after it.
    summary: Option<(String, Option<MessageId>)>,
    gauge: Gauge,
    /// The tool with the largest result that the next request carries.
    pub carries: Option<String>,
    /// What the last request used.
    last: Option<Usage>,
    /// The request that is out, and the one before it with what it left in the cache.
    sending: Option<Sent>,
    cached: Option<Cached>,
}

/// What the last request left in the server's cache.
#[derive(Debug)]
struct Cached {
    sent: Sent,
    tokens: u64,
    at: Instant,
}

/// How full the window is: what the server counted last, and what has come since.
#[derive(Debug, Clone, Copy, Default)]
struct Gauge {
    /// Tokens of the last request and its answer.
    counted: u64,
    /// Bytes of the history that `counted` stands for.
    counted_bytes: usize,
    /// Learned from the last request; 0 before the first.
    bytes_per_token: f64,
}

/// What a token is taken for before a server has counted anything.
const BYTES_PER_TOKEN: f64 = 3.6;

/// Everything a conversation begins with.
#[derive(Debug)]
pub struct Start {
    pub session: SessionId,
    pub route: Route,
    pub router: Arc<dyn Router>,
    pub fallback: Option<String>,
    pub effort: Option<Effort>,
    pub compact: Compact,
    pub limits: Limits,
    pub place: Place,
    pub journal: Journal,
    pub system: Arc<str>,
    pub preamble: String,
    pub specs: Arc<[ToolSpec]>,
    /// A history taken up again, each message with its record.
    pub history: Vec<(MessageId, Message)>,
}

impl Conversation {
    pub fn new(start: Start) -> Conversation {
        let taken = start
            .history
            .iter()
            .flat_map(|(_, message)| message.calls().map(|(id, _, _)| id.0.clone()))
            .collect();
        let mut talk = Conversation {
            session: start.session,
            history: Vec::new(),
            ids: Vec::new(),
            taken,
            route: start.route,
            router: start.router,
            fallback: start.fallback,
            effort: start.effort,
            compact: start.compact,
            limits: start.limits,
            journal: start.journal,
            refuses_to_shrink: false,
            notes: Vec::new(),
            told: Told::default(),
            nested: Nested::new(start.place),
            rewind: None,
            system: start.system,
            preamble: start.preamble,
            specs: start.specs,
            summary: None,
            gauge: Gauge::default(),
            carries: None,
            last: None,
            sending: None,
            cached: None,
        };
        for (id, message) in start.history {
            talk.push(id, message);
        }
        talk
    }

    /// The next request. Its head is the same bytes as the last one's.
    pub fn request(&mut self, max_tokens: u32, purpose: Purpose) -> Request {
        let request = Request {
            model: self.route.model.clone(),
            system: self.system.clone(),
            tools: self.specs.clone(),
            messages: self.route.seen(&self.history),
            max_tokens,
            effort: self.effort,
            session: self.session.0.clone(),
            purpose,
        };
        self.sending = Some(Sent::of(&request));
        request
    }

    pub fn preamble(&self) -> &str {
        &self.preamble
    }

    /// Puts the person's input into history and log; durable when it returns.
    /// Also tells what goes along with it.
    pub async fn begin_turn(
        &mut self,
        shared: &Shared,
        turn: TurnId,
        input: &Input,
        called: Option<String>,
        cancel: &CancellationToken,
    ) -> (MessageId, Vec<Attached>) {
        self.refuses_to_shrink = false;
        self.rewind = None;
        self.journal.begin_turn(turn);
        if shared.agent.is_none() {
            shared.purse.begin_turn(turn);
        }
        if self.history.is_empty() && !self.preamble.is_empty() {
            let parts = vec![Part::Text { text: self.preamble.clone() }];
            self.push(new_message_id(), Message { role: Role::User, parts });
        }
        // Left over from a turn that ended before it could take them.
        self.take_steering(shared, cancel).await;
        // What a command mentions counts like what the person does.
        let mentions = match &called {
            Some(called) => format!("{}\n{}", input.text, called),
            None => input.text.clone(),
        };
        let attached = mention::attached(shared, &mentions, cancel).await;
        let mut news = self.news(shared);
        news.extend(self.instructions(shared).await);
        let texts = self.notes.drain(..).chain(news);
        let mut parts: Vec<Part> = texts.map(|text| Part::Text { text }).collect();
        parts.extend(called.map(|text| Part::Text { text }));
        parts.extend(attached.iter().map(Attached::part));
        parts.extend(pictures::of(shared, &input.images).await);
        parts.push(Part::Text { text: input.text.clone() });
        let id = self.journal.user(shared, parts.clone()).await;
        self.journal.turn_begun(id.clone());
        self.push(id.clone(), Message { role: Role::User, parts });
        self.journal.sync(shared).await;
        (id, attached)
    }

    pub async fn end_turn(&mut self, shared: &Shared) {
        self.journal.take_over(shared).await;
        self.journal.spent(shared, None).await;
        self.journal.sync(shared).await;
    }

    /// `cut`: the answer did not come whole.
    pub async fn add_answer(
        &mut self,
        shared: &Shared,
        id: &MessageId,
        parts: Vec<Part>,
        cut: bool,
    ) {
        self.journal.assistant(shared, id, parts.clone(), &self.route.name, cut).await;
        self.push(id.clone(), Message { role: Role::Assistant, parts });
    }

    /// The text of the newest answer that has any.
    pub fn last_said(&self) -> String {
        let answers = self.history.iter().rev().filter(|message| message.role == Role::Assistant);
        answers.map(Message::text).find(|text| !text.trim().is_empty()).unwrap_or_default()
    }

    /// A word from tern to the model that no person wrote.
    pub async fn add_note(&mut self, shared: &Shared, text: &str) {
        let parts = vec![Part::Text { text: text.to_owned() }];
        let id = self.journal.user(shared, parts.clone()).await;
        self.push(id, Message { role: Role::User, parts });
    }

    /// Hands queued input to the model. True if there was any.
    pub async fn take_steering(&mut self, shared: &Shared, cancel: &CancellationToken) -> bool {
        let queued = shared.take_queue().await;
        for input in &queued {
            let attached = mention::attached(shared, &input.text, cancel).await;
            let mut parts: Vec<Part> = attached.iter().map(Attached::part).collect();
            parts.extend(pictures::of(shared, &input.images).await);
            parts.push(Part::Text { text: input.text.clone() });
            let id = self.journal.user(shared, parts.clone()).await;
            self.push(id.clone(), Message { role: Role::User, parts });
            shared.emit(Event::Steered { message: id, text: input.text.clone() }).await;
            for attached in attached {
                shared.emit(attached.event()).await;
            }
        }
        !queued.is_empty()
    }

    /// Appends, joining neighbours of the same role: wire formats want roles to alternate.
    pub fn push(&mut self, id: MessageId, message: Message) {
        match self.history.last_mut() {
            Some(last) if last.role == message.role => last.parts.extend(message.parts),
            _ => {
                self.history.push(message);
                self.ids.push(id);
            }
        }
    }

    /// Books what a request used. Nothing is booked for a request that used nothing.
    pub async fn spend(&mut self, shared: &Shared, usage: Usage, cause: Cause) -> Option<Money> {
        if usage == Usage::default() {
            return None;
        }
        self.last = Some(usage);
        self.gauge.measured(&usage, compact::bytes(&self.history), self.fixed_bytes());
        let miss = self.cache_miss(&usage);
        // A summary is not made for the tool that happened to come before it.
        let tool = self.carries.as_deref().filter(|_| cause != Cause::Compaction);
        let who = shared.agent.as_ref();
        let cause = if who.is_some() { Cause::SubAgent } else { cause };
        let agent = who.map(|who| who.kind.as_str());
        let bill = Bill { route: &self.route, usage, cause, agent, tool, miss };
        let spend = shared.book(&bill).await?;
        if who.is_some() {
            // The session's own log is where its money is summed up.
            shared.purse.log_later(spend.clone());
        } else {
            self.journal.spent(shared, Some(&spend)).await;
            shared.purse.set_context(self.estimated_tokens());
        }
        let cost = spend.cost;
        shared.emit(shared.purse.told(spend)).await;
        cost
    }

    fn cache_miss(&mut self, usage: &Usage) -> Option<(Miss, u64)> {
        let sent = self.sending.take()?;
        let miss = self.cached.as_ref().and_then(|cached| {
            let life = self.route.provider.cache_life();
            prefix::miss(&cached.sent, &sent, cached.tokens, cached.at.elapsed(), life, usage)
        });
        let tokens = usage.cache_read + usage.cache_write();
        self.cached = Some(Cached { sent, tokens, at: Instant::now() });
        miss
    }

    /// What the next request is likely to cost. Zero where no price is known.
    pub fn projected_cost(&self) -> Money {
        let life = self.route.provider.cache_life();
        let warm = self.cached.as_ref().is_some_and(|cached| cached.at.elapsed() < life);
        let usage = prices::projected(self.last.as_ref(), self.estimated_tokens(), warm);
        prices::cost(self.route.known.as_deref(), purse::today(), &usage).unwrap_or_default()
    }

    /// Tokens the next request will carry: the server's own count plus an estimate of the rest.
    pub fn estimated_tokens(&self) -> u64 {
        let bytes = compact::bytes(&self.history);
        let since = bytes.saturating_sub(self.gauge.counted_bytes);
        let counted = if self.gauge.counted == 0 {
            tokens(self.fixed_bytes(), self.bytes_per_token())
        } else {
            self.gauge.counted
        };
        counted + tokens(since, self.bytes_per_token())
    }

    pub fn bytes_per_token(&self) -> f64 {
        if self.gauge.bytes_per_token > 0.0 { self.gauge.bytes_per_token } else { BYTES_PER_TOKEN }
    }

    /// Whether the window is as full as the configuration allows.
    pub fn is_full(&self) -> bool {
        let at = self.compact.at;
        #[expect(clippy::cast_precision_loss, reason = "a share of a window needs no 53 bits")]
        self.route
            .window()
            .is_some_and(|window| self.estimated_tokens() as f64 >= window as f64 * at)
    }

    /// True if there is more than one exchange to shorten.
    pub fn can_compact(&self) -> bool {
        self.history.len() > 2
    }

    pub fn filled_by(&self) -> FilledBy {
        let prompt = compact::bytes(&self.history).saturating_sub(self.preamble.len());
        match prompt {
            _ if self.can_compact() => FilledBy::History,
            prompt if prompt > self.fixed_bytes() + self.preamble.len() => FilledBy::Prompt,
            _ => FilledBy::Fixed,
        }
    }

    /// Puts a history of the same messages in place, some of them shorter.
    pub fn set_history(&mut self, history: Vec<Message>) {
        self.history = history;
        self.remeasure();
    }

    /// Puts another history in place, as it stands in the log.
    pub fn take_up(&mut self, history: Vec<(MessageId, Message)>) {
        self.history.clear();
        self.ids.clear();
        self.summary = None;
        for (id, message) in history {
            // Ids of calls that are no longer there stay taken: the log has them.
            self.taken.extend(message.calls().map(|(id, _, _)| id.0.clone()));
            self.push(id, message);
        }
        self.remeasure();
    }

    /// Preamble and `head` take the place of everything before the message `tail`.
    pub fn shorten(&mut self, head: String, tail: usize) {
        self.nested.forgotten();
        let kept = self.history.split_off(tail);
        let kept_ids = self.ids.split_off(tail);
        self.history.clear();
        self.ids.clear();
        let mut parts = Vec::new();
        if !self.preamble.is_empty() {
            parts.push(Part::Text { text: self.preamble.clone() });
        }
        // The same message that a session taken up again begins with.
        parts.extend(summary_message(&head).parts);
        self.summary = Some((head, kept_ids.first().cloned()));
        self.push(new_message_id(), Message { role: Role::User, parts });
        for (id, message) in kept_ids.into_iter().zip(kept) {
            self.push(id, message);
        }
        self.remeasure();
    }

    fn remeasure(&mut self) {
        let per_token = self.bytes_per_token();
        let bytes = compact::bytes(&self.history);
        self.gauge = Gauge {
            counted: tokens(bytes + self.fixed_bytes(), per_token),
            counted_bytes: bytes,
            bytes_per_token: per_token,
        };
    }

    /// What the log says of the last compaction.
    pub fn summary_record(&self, before: u64, after: u64, automatic: bool) -> Option<Compaction> {
        let (summary, keep_from) = self.summary.clone()?;
        Some(Compaction { summary, keep_from, before, after, automatic, undone: false })
    }

    pub fn set_route(&mut self, shared: &Shared, route: Route) {
        lock(&shared.side.main).clone_from(&route.name);
        self.route = route;
    }

    fn fixed_bytes(&self) -> usize {
        let tools: usize = self
            .specs
            .iter()
            .map(|spec| spec.name.len() + spec.description.len() + spec.schema.to_string().len())
            .sum();
        self.system.len() + tools
    }
}

impl Gauge {
    fn measured(&mut self, usage: &Usage, history: usize, fixed: usize) {
        self.counted = usage.context();
        self.counted_bytes = history;
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no 53 bits")]
        let ratio = (history + fixed) as f64 / usage.context().max(1) as f64;
        // Servers that report nonsense shall not make the window look endless.
        if (1.0..=8.0).contains(&ratio) {
            self.bytes_per_token = ratio;
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of a positive count"
)]
fn tokens(bytes: usize, bytes_per_token: f64) -> u64 {
    (bytes as f64 / bytes_per_token).ceil() as u64
}

pub fn new_message_id() -> MessageId {
    MessageId(uuid::Uuid::now_v7().to_string())
}
