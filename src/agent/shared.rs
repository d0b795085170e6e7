//! What a turn and the command loop both need while the turn runs. Everything here is reached
//! through `&self`; what only the turn may change stands in `Conversation`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::Answer;
use crate::agent::ask::Asker;
use crate::agent::gate::Gate;
use crate::agent::hooking::Hooking;
use crate::agent::purse::Purse;
use crate::agent::questions::Questions;
use crate::agent::queue::Queue;
use crate::agent::rules::Settings;
use crate::agent::side::Side;
use crate::agent::sub::Agents;
use crate::agent::undo::Changes;
use crate::mcp::Servers;
use crate::protocol::{AgentId, CallId, Event, Level, Mode};
use crate::tools::table::Table;
use crate::tools::{Approved, SessionState, Tool, ToolCtx};

#[derive(Debug)]
pub struct Shared {
    /// The only way out. Dropped with `Shared`, after which the front end sees the end.
    pub events: mpsc::Sender<Event>,
    pub tools: Arc<Table>,
    pub gate: Arc<Gate>,
    pub purse: Arc<Purse>,
    pub side: Side,
    pub hooking: Arc<Hooking>,
    pub agents: Arc<Agents>,
    /// Why a hook wants the turn to end.
    pub halt: Mutex<Option<String>>,
    /// `None`: this is the session itself.
    pub agent: Option<Who>,
    pub settings: Arc<dyn Settings>,
    /// Of a sub-agent: what it may at most.
    pub lineage: Option<Lineage>,
    pub questions: Arc<Questions>,
    pub spill: PathBuf,
    pub mcp: Option<Arc<Servers>>,
    pub session: Mutex<Arc<SessionState>>,
    pub cwd: Mutex<PathBuf>,
    pub changes: Arc<Changes>,
    /// Said while a turn runs, not yet given to the model.
    pub queue: Mutex<Queue>,
}

/// A sub-agent, by its name and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub id: AgentId,
    pub kind: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage {
    /// 1 for one that the session itself has started.
    pub depth: usize,
    /// The widest mode that it, or one that it comes from, may have.
    pub most: Option<Mode>,
    /// It works in a folder of its own.
    pub apart: bool,
}

/// The mode of the two that lets less through unasked.
pub fn narrower(one: Mode, other: Mode) -> Mode {
    let rank = |mode: Mode| match mode {
        Mode::Plan => 0,
        Mode::DontAsk => 1,
        Mode::Default => 2,
        Mode::AcceptEdits => 3,
        Mode::BypassPermissions => 4,
    };
    if rank(other) < rank(one) { other } else { one }
}

impl Shared {
    /// A front end that is gone does not stop the agent from tidying up, so a failed send is no
    /// error.
    pub async fn emit(&self, event: Event) {
        let event = match &self.agent {
            None => event,
            Some(Who { id, .. }) => Event::Within { agent: id.clone(), event: Box::new(event) },
        };
        let _gone = self.events.send(event).await;
    }

    pub async fn notice(&self, level: Level, text: impl Into<String>) {
        self.emit(Event::Noticed { level, text: text.into() }).await;
    }

    /// The session's mode as it is now, or a narrower one.
    pub fn mode(&self) -> Mode {
        let mode = self.gate.mode();
        let most = self.lineage.as_ref().and_then(|lineage| lineage.most);
        most.map_or(mode, |most| narrower(mode, most))
    }

    pub fn who(&self) -> Option<&AgentId> {
        self.agent.as_ref().map(|who| &who.id)
    }

    /// Lets through what waits for an answer and is allowed by now.
    pub async fn answer_covered(&self) {
        for waits in self.gate.approvals.waiting() {
            // A sub-agent's call is judged by what the sub-agent may do.
            let agent = waits.who.as_ref().map(|who| self.agents.find(who));
            let of: &Shared = match &agent {
                None => self,
                Some(Some(agent)) => agent,
                Some(None) => continue,
            };
            if let Some(rule) = self.gate.covered(of, &waits.tool, &waits.input).await {
                self.gate.approvals.answer(waits.id, Answer::Rule(rule));
            }
        }
    }

    pub fn tool(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.tools.find(name)
    }

    pub fn cwd(&self) -> PathBuf {
        lock(&self.cwd).clone()
    }

    pub fn tool_ctx(&self, cancel: CancellationToken, output: mpsc::Sender<String>) -> ToolCtx {
        ToolCtx {
            cwd: self.cwd(),
            spill: self.spill.clone(),
            ask: Arc::new(Asker {
                side: self.side.clone(),
                cancel: cancel.clone(),
                questions: self.questions.clone(),
                can_ask: self.gate.can_ask(),
                starts: None,
            }),
            cancel,
            output,
            session: lock(&self.session).clone(),
            approved: Approved::default(),
            barred: self.gate.rules.barred(),
        }
    }

    /// The same for a call that may start a sub-agent.
    pub fn call_ctx(
        self: &Arc<Shared>,
        call: &CallId,
        cancel: CancellationToken,
        output: mpsc::Sender<String>,
    ) -> ToolCtx {
        let starts = Some((self.clone(), call.clone()));
        let ask = Asker {
            side: self.side.clone(),
            cancel: cancel.clone(),
            questions: self.questions.clone(),
            can_ask: self.gate.can_ask(),
            starts,
        };
        ToolCtx { ask: Arc::new(ask), ..self.tool_ctx(cancel, output) }
    }
}

/// Plain values behind these locks stay whole even if a holder panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
