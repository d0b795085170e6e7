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
use crate::agent::queue::Queue;
use crate::agent::rules::Settings;
use crate::agent::side::Side;
use crate::mcp::Servers;
use crate::protocol::{AgentId, Event, Level, Mode};
use crate::tools::table::Table;
use crate::tools::{Approved, SessionState, Tool, ToolCtx};

#[derive(Debug)]
pub struct Shared {
    /// The only way out. Dropped with `Shared`, after which the front end sees the end.
    pub events: mpsc::Sender<Event>,
    pub tools: Arc<Table>,
    pub gate: Gate,
    pub purse: Arc<Purse>,
    pub side: Side,
    pub hooking: Hooking,
    /// Why a hook wants the turn to end.
    pub halt: Mutex<Option<String>>,
    /// `None`: this is the session itself.
    pub agent: Option<Who>,
    pub settings: Arc<dyn Settings>,
    pub spill: PathBuf,
    pub mcp: Option<Arc<Servers>>,
    pub session: Mutex<Arc<SessionState>>,
    pub cwd: Mutex<PathBuf>,
    /// Said while a turn runs, not yet given to the model.
    pub queue: Mutex<Queue>,
}

/// A sub-agent, by its name and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub id: AgentId,
    pub kind: String,
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

    pub fn mode(&self) -> Mode {
        self.gate.mode()
    }

    /// Lets through what waits for an answer and is allowed by now.
    pub async fn answer_covered(&self) {
        for (id, tool, input) in self.gate.approvals.waiting() {
            if let Some(rule) = self.gate.covered(self, &tool, &input).await {
                self.gate.approvals.answer(id, Answer::Rule(rule));
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
            ask: Arc::new(Asker { side: self.side.clone(), cancel: cancel.clone() }),
            cancel,
            output,
            session: lock(&self.session).clone(),
            approved: Approved::default(),
        }
    }
}

/// Plain values behind these locks stay whole even if a holder panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
