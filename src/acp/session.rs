//! One session: the agent's events go to the client, the client's orders to the agent.
//!
//! *Invariant:* the task never waits for the agent to take an order while it does not read the
//! agent's events, so neither can block the other. The session ends when its last order has been
//! given and the sender of orders is dropped.

use std::sync::Arc;
use std::time::Duration;

use agent_client_protocol::Error;
use agent_client_protocol::v1::Responder;
use agent_client_protocol::v1::schema as acp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::acp::tell::{Teller, chunk};
use crate::acp::{Host, Opened, Peer, Refused, ask, offer, prompt, refused, wrong};
use crate::agent;
use crate::app::slash::{self, Slash};
use crate::protocol::{Command, Event, Input, Level, Mode, SessionId, TurnEnd, TurnId};
use crate::protocol::{Inquiry, Request, budget};

/// What the client wants of a session.
#[derive(Debug)]
pub enum Order {
    Prompt {
        blocks: Vec<acp::ContentBlock>,
        responder: Responder<acp::PromptResponse>,
    },
    Mode {
        id: acp::SessionModeId,
        responder: Responder<acp::SetSessionModeResponse>,
    },
    Choose {
        id: acp::SessionConfigId,
        value: acp::SessionConfigOptionValue,
        responder: Responder<acp::SetSessionConfigOptionResponse>,
    },
    Cancel,
}

impl Order {
    /// Tells the client that nothing comes of it.
    pub fn refuse(self, error: Error) -> Result<(), Error> {
        match self {
            Order::Prompt { responder, .. } => responder.respond_with_error(error),
            Order::Mode { responder, .. } => responder.respond_with_error(error),
            Order::Choose { responder, .. } => responder.respond_with_error(error),
            Order::Cancel => Ok(()),
        }
    }
}

/// A session that stands.
pub struct Begun {
    pub session: SessionId,
    mode: Mode,
    modes: Vec<Mode>,
    model: String,
    agent: agent::Handle,
    problems: Vec<String>,
    host: Arc<dyn Host>,
    peer: Peer,
    teller: Teller,
    /// The number of the last turn.
    turn: u64,
    waiting: Option<Responder<acp::PromptResponse>>,
}

/// How often the output of a running command is told.
const OUTPUT_EVERY: Duration = Duration::from_millis(200);

/// Waits until the session stands and, where it is an old one, has been told. With `tells` false,
/// what was said before is left out.
pub async fn begin(
    opened: Opened,
    tells: bool,
    peer: Peer,
    can: acp::ClientCapabilities,
    host: Arc<dyn Host>,
) -> Result<Begun, Error> {
    let Opened { agent, modes, models, problems } = opened;
    let mut begun = Begun {
        session: SessionId::default(),
        mode: Mode::Default,
        modes,
        model: String::new(),
        agent,
        problems,
        host,
        peer,
        teller: Teller::new(models, &can),
        turn: 0,
        waiting: None,
    };
    while let Some(event) = begun.agent.events.recv().await {
        match event {
            Event::Started { session, mode, model, window, resumed, cwd, .. } => {
                (begun.session, begun.mode, begun.model) = (session, mode, model);
                begun.teller.cwd = cwd.into();
                begun.teller.window = window;
                if !begun.modes.contains(&mode) {
                    begun.modes.push(mode);
                }
                if !resumed {
                    return Ok(begun);
                }
            }
            // The last that is told of a session that is taken up.
            Event::Spent { .. } => {
                begun.tell(&event);
                return Ok(begun);
            }
            Event::SessionBusy { .. } => {
                let _gone = begun.agent.commands.try_send(Command::Stop);
                return Err(wrong("another tern has this session open".to_owned()));
            }
            Event::TurnEnded { end: TurnEnd::Failed { error, message, hints }, .. } => {
                return Err(refused(Refused { kind: error, message, hints }));
            }
            Event::Restored { .. } | Event::CallRestored { .. } if !tells => {}
            event => begun.tell(&event),
        }
    }
    Err(Error::internal_error())
}

impl Begun {
    pub fn modes(&self) -> acp::SessionModeState {
        offer::modes(self.mode, &self.modes)
    }

    pub fn options(&self) -> Vec<acp::SessionConfigOption> {
        offer::options(&self.model, &self.teller.models)
    }

    /// Until the client has no more orders.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        self.update(self.teller.commands());
        for problem in std::mem::take(&mut self.problems) {
            self.update(self.teller.notice(Level::Warning, &problem));
        }
        let mut next_output = Instant::now();
        let mut open = true;
        loop {
            tokio::select! {
                event = self.agent.events.recv() => match event {
                    None | Some(Event::Stopped) => break,
                    Some(event) => self.event(event),
                },
                order = orders.recv(), if open => match order {
                    Some(order) => self.order(order),
                    None => {
                        open = false;
                        self.send(Command::Interrupt { turn: TurnId(self.turn) });
                        self.send(Command::Stop);
                    }
                },
                () = sleep_until(next_output), if self.teller.has_output() => {
                    let updates = self.teller.outputs();
                    self.update(updates);
                    next_output = Instant::now() + OUTPUT_EVERY;
                }
            }
        }
        if let Some(responder) = self.waiting.take() {
            let _gone = responder.respond(acp::PromptResponse::new(acp::StopReason::Cancelled));
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::PermissionAsked { request } => self.ask(*request),
            Event::QuestionAsked { inquiry } => self.put(*inquiry),
            // Money is not spent on the word of a program that may say yes to everything.
            Event::BudgetReached { reached } => {
                let text = "The budget is reached. Set a larger one where tern is configured.";
                self.say(text);
                let answer = budget::Answer::Stop;
                self.send(Command::AnswerBudget { request: reached.request, answer });
            }
            // What a sub-agent does is its own; what it asks is for the person.
            Event::Within { event, .. } => {
                if asks(&event) {
                    self.event(*event);
                }
            }
            Event::TurnEnded { end, turn, .. } if turn.0 == self.turn => self.ended(end),
            event => {
                match &event {
                    Event::ModeSet { mode } => self.mode = *mode,
                    Event::ModelSet { model, .. } => self.model.clone_from(model),
                    Event::Started { window, .. } => self.teller.window = *window,
                    _ => {}
                }
                self.tell(&event);
            }
        }
    }

    fn ended(&mut self, end: TurnEnd) {
        let updates = self.teller.outputs();
        self.update(updates);
        let Some(responder) = self.waiting.take() else { return };
        let stop = match end {
            TurnEnd::Done => acp::StopReason::EndTurn,
            TurnEnd::Interrupted => acp::StopReason::Cancelled,
            TurnEnd::TurnLimit | TurnEnd::Budget => acp::StopReason::MaxTurnRequests,
            TurnEnd::Failed { error, message, hints } => {
                let error = refused(Refused { kind: error, message, hints });
                let _gone = responder.respond_with_error(error);
                return;
            }
        };
        let _gone = responder.respond(acp::PromptResponse::new(stop));
    }

    fn order(&mut self, order: Order) {
        let done = match order {
            Order::Prompt { blocks, responder } => self.prompt(blocks, responder),
            Order::Mode { id, responder } => {
                let mode = Mode::parse(&id.0).filter(|mode| self.modes.contains(mode));
                match mode {
                    Some(mode) => {
                        self.send(Command::SetMode { mode });
                        responder.respond(acp::SetSessionModeResponse::new())
                    }
                    None => responder.respond_with_error(wrong(format!("no mode {}", id.0))),
                }
            }
            Order::Choose { id, value, responder } => match (&*id.0, value.as_value_id()) {
                (offer::MODEL, Some(model)) => {
                    self.send(Command::SetModel { model: model.0.to_string() });
                    let options = offer::options(&model.0, &self.teller.models);
                    responder.respond(acp::SetSessionConfigOptionResponse::new(options))
                }
                _ => responder.respond_with_error(wrong(format!("no option {}", id.0))),
            },
            Order::Cancel => {
                self.send(Command::Interrupt { turn: TurnId(self.turn) });
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::debug!("the client did not get an answer: {error}");
        }
    }

    fn prompt(
        &mut self,
        blocks: Vec<acp::ContentBlock>,
        responder: Responder<acp::PromptResponse>,
    ) -> Result<(), Error> {
        if self.waiting.is_some() {
            return responder.respond_with_error(wrong("a prompt is being worked on".to_owned()));
        }
        let input = match prompt::input(blocks) {
            Ok(input) => input,
            Err(why) => return responder.respond_with_error(wrong(why)),
        };
        match slash::parse(&input.text) {
            Ok(Some(Slash::Init)) => self.submit(Input::text(slash::INIT), responder),
            Ok(Some(Slash::Compact { focus, .. })) => {
                self.send(Command::Compact { focus, preview: false });
                done(responder)
            }
            Ok(Some(Slash::UndoCompaction)) => {
                self.send(Command::UndoCompaction);
                done(responder)
            }
            Ok(Some(Slash::Rename { title: Some(title) })) => {
                self.send(Command::Rename { title });
                done(responder)
            }
            // Where it is not one of tern's own, the agent knows whether files describe it.
            _ => match self.host.answer(&self.teller.cwd, &input.text) {
                None => self.submit(input, responder),
                Some(Ok(text)) => {
                    self.say(&text);
                    done(responder)
                }
                Some(Err(why)) => responder.respond_with_error(refused(why)),
            },
        }
    }

    fn submit(
        &mut self,
        input: Input,
        responder: Responder<acp::PromptResponse>,
    ) -> Result<(), Error> {
        self.turn += 1;
        let turn = TurnId(self.turn);
        match self.agent.commands.try_send(Command::Submit { turn, input }) {
            Ok(()) => self.waiting = Some(responder),
            Err(_) => return responder.respond_with_error(Error::internal_error()),
        }
        Ok(())
    }

    /// Puts a permission question to the client. The answer finds its way to the agent by itself.
    fn ask(&self, request: Request) {
        let (call, options) = ask::permission(&request, &self.teller);
        let id = self.id();
        let (peer, commands) = (self.peer.clone(), self.agent.commands.clone());
        tokio::spawn(async move {
            let asked = acp::RequestPermissionRequest::new(id, call, options);
            let answer = peer.send_request(asked).block_task().await;
            let outcome = answer.map_or(acp::RequestPermissionOutcome::Cancelled, |a| a.outcome);
            let decision = ask::decision(&request, &outcome);
            let _gone = commands.send(Command::Answer { request: request.id, decision }).await;
        });
    }

    /// Puts a question of the model, step by step.
    fn put(&self, inquiry: Inquiry) {
        let id = self.id();
        let (peer, commands) = (self.peer.clone(), self.agent.commands.clone());
        tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for step in ask::steps(&inquiry) {
                let asked = acp::RequestPermissionRequest::new(id.clone(), step.call, step.options);
                match peer.send_request(asked).block_task().await {
                    Ok(answer) => outcomes.push(answer.outcome),
                    Err(_) => break,
                }
            }
            let reply = ask::reply(&inquiry, &outcomes);
            let _gone = commands.send(Command::Reply { request: inquiry.id, reply }).await;
        });
    }

    /// Tells the client something that no model said, as a message.
    fn say(&self, text: &str) {
        self.update(vec![acp::SessionUpdate::AgentMessageChunk(chunk(text))]);
    }

    fn tell(&mut self, event: &Event) {
        let updates = self.teller.updates(event);
        self.update(updates);
    }

    fn update(&self, updates: Vec<acp::SessionUpdate>) {
        for update in updates {
            // A client that is gone ends the session by dropping its orders.
            let _gone =
                self.peer.send_notification(acp::SessionNotification::new(self.id(), update));
        }
    }

    fn send(&mut self, command: Command) {
        if self.agent.commands.try_send(command).is_err() {
            let updates = self.teller.notice(Level::Error, "tern has too much to do; try again");
            self.update(updates);
        }
    }

    fn id(&self) -> acp::SessionId {
        acp::SessionId::new(self.session.0.clone())
    }
}

fn asks(event: &Event) -> bool {
    match event {
        Event::PermissionAsked { .. }
        | Event::QuestionAsked { .. }
        | Event::BudgetReached { .. } => true,
        Event::Within { event, .. } => asks(event),
        _ => false,
    }
}

/// Nothing was asked of the model.
fn done(responder: Responder<acp::PromptResponse>) -> Result<(), Error> {
    responder.respond(acp::PromptResponse::new(acp::StopReason::EndTurn))
}
