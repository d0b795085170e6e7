//! What only the running turn may change: the history as the model sees it, what it cost, and its
//! way to the disk.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::agent::compact::Draft;
use crate::agent::compact::shorten::Rebuilt;
use crate::agent::compact::size;
use crate::agent::gauge::Gauge;
use crate::agent::journal::Journal;
use crate::agent::mention::{self, Attached};
use crate::agent::nested::Nested;
use crate::agent::news::Told;
use crate::agent::pictures;
use crate::agent::prefix::{self, Sent};
use crate::agent::purse::{self, Bill};
use crate::agent::recover::FilledBy;
use crate::agent::retell::Told as Retold;
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
use crate::session::replay::{BEGINNING_LOST, summary_message};
use crate::session::window::{self, Edit, Edits, Piece};

#[derive(Debug)]
pub struct Conversation {
    pub session: SessionId,
    pub history: Vec<Message>,
    /// For each message of the history, the records of the log that it is made of, each with the
    /// number of its parts.
    origins: Vec<Vec<(MessageId, usize)>>,
    /// What is pinned, dropped, or cut to a line.
    pub edits: Edits,
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
    /// A summary that was shown and waits for the person.
    pub draft: Option<Draft>,
    /// A step over changes of files that was shown and waits for the person.
    pub rewind: Option<undo::Pending>,
    pub system: Arc<str>,
    pub preamble: String,
    pub specs: Arc<[ToolSpec]>,
    /// What the summary that the history begins with quotes of the person.
    said: Vec<String>,
    /// Tokens after room was last made. Until a good deal has come to them no more is made.
    pub(super) settled: Option<u64>,
    pub(super) gauge: Gauge,
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
}

impl Conversation {
    pub fn new(start: Start) -> Conversation {
        Conversation {
            session: start.session,
            history: Vec::new(),
            origins: Vec::new(),
            edits: Edits::default(),
            taken: HashSet::new(),
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
            draft: None,
            rewind: None,
            system: start.system,
            preamble: start.preamble,
            specs: start.specs,
            said: Vec::new(),
            settled: None,
            gauge: Gauge::default(),
            carries: None,
            last: None,
            sending: None,
            cached: None,
        }
    }

    /// The next request. Its head is the same bytes as the last one's.
    pub fn request(&mut self, max_tokens: u32, purpose: Purpose) -> Request {
        let request = self.next_request(max_tokens, purpose);
        self.sending = Some(Sent::of(&request));
        request
    }

    pub fn next_request(&self, max_tokens: u32, purpose: Purpose) -> Request {
        Request {
            model: self.route.model.clone(),
            system: self.system.clone(),
            tools: self.specs.clone(),
            messages: self.route.seen(&self.history),
            max_tokens,
            effort: self.effort,
            session: self.session.0.clone(),
            purpose,
        }
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
        self.draft = None;
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
        let origin = (id, message.parts.len());
        match (self.history.last_mut(), self.origins.last_mut()) {
            (Some(last), Some(origins)) if last.role == message.role => {
                last.parts.extend(message.parts);
                origins.push(origin);
            }
            _ => {
                self.history.push(message);
                self.origins.push(vec![origin]);
            }
        }
    }

    /// The history, record by record.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (message, origins) in self.history.iter().zip(&self.origins) {
            let mut at = 0;
            for (id, count) in origins {
                let parts = message.parts[at..at + count].to_vec();
                pieces.push((id.clone(), Message { role: message.role, parts }));
                at += count;
            }
        }
        pieces
    }

    /// Books what a request used. Nothing is booked for a request that used nothing.
    pub async fn spend(&mut self, shared: &Shared, usage: Usage, cause: Cause) -> Option<Money> {
        if usage == Usage::default() {
            return None;
        }
        self.last = Some(usage);
        // A request for a summary carries more than the next one will, or less.
        if cause != Cause::Compaction {
            self.gauge.measured(&usage, size::bytes(&self.history), self.fixed_bytes());
        }
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

    /// True if there is more than one exchange to shorten.
    pub fn can_compact(&self) -> bool {
        self.history.len() > 2
    }

    pub fn filled_by(&self) -> FilledBy {
        let prompt = size::bytes(&self.history).saturating_sub(self.preamble.len());
        match prompt {
            _ if self.can_compact() => FilledBy::History,
            prompt if prompt > self.fixed_bytes() + self.preamble.len() => FilledBy::Prompt,
            _ => FilledBy::Fixed,
        }
    }

    /// Puts a history of the same messages with as many parts in place, some of them shorter.
    pub fn set_history(&mut self, history: Vec<Message>) {
        self.history = history;
        self.remeasure();
    }

    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// Changes what the model sees, but for bringing back what is no longer there.
    pub fn apply(&mut self, edit: &Edit) {
        self.edits.apply(edit);
        let seen = self.edits.seen(self.pieces());
        self.put(seen);
    }

    /// Puts another history in place, as it stands in the log.
    pub fn take_up(&mut self, told: Retold) {
        // Ids of calls that are no longer there stay taken: the log has them.
        for (_, message) in &told.history {
            self.taken.extend(message.calls().map(|(id, _, _)| id.0.clone()));
        }
        (self.edits, self.said, self.settled) = (told.edits, told.said, None);
        self.put(told.history);
    }

    /// Puts what was made of a summary in the place of the history. Returns what the log says of
    /// it, but for the counts.
    pub fn shorten(&mut self, rebuilt: Rebuilt) -> Compaction {
        self.nested.forgotten();
        let Rebuilt { head, said, pinned, tail } = rebuilt;
        let keep_from = tail.first().map(|(id, _)| id.clone());
        let mut names: Vec<MessageId> = Vec::new();
        for (id, message) in &pinned {
            if !message.parts.iter().any(|part| matches!(part, Part::Result { .. })) {
                names.push(id.clone());
            }
        }
        self.said.clone_from(&said);
        // The same message that a session taken up again begins with.
        let first = (new_message_id(), summary_message(&head));
        let mut all = window::joined(first, pinned, tail);
        if !self.preamble.is_empty() {
            all.insert(0, (MessageId::default(), Message::user(self.preamble.clone())));
        }
        self.put(all);
        Compaction { summary: head, keep_from, said, pinned: names, ..Compaction::default() }
    }

    fn put(&mut self, pieces: Vec<Piece>) {
        self.history.clear();
        self.origins.clear();
        // Servers want the person to begin.
        if pieces.first().is_some_and(|(_, first)| first.role == Role::Assistant) {
            self.push(MessageId::default(), Message::user(BEGINNING_LOST));
        }
        for (id, message) in pieces {
            self.push(id, message);
        }
        self.remeasure();
    }

    pub fn set_route(&mut self, shared: &Shared, route: Route) {
        lock(&shared.side.main).clone_from(&route.name);
        self.route = route;
        // Another window fills up at another time.
        self.settled = None;
    }
}

pub fn new_message_id() -> MessageId {
    MessageId(uuid::Uuid::now_v7().to_string())
}
