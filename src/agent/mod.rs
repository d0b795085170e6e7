//! The query loop: what talks to the model and runs tools.
//!
//! One task owns the conversation. It takes [`Command`]s from a channel and answers with
//! [`Event`]s on another; it does not know who is at the other end. `run` is the task, `turn` one
//! exchange, `request` one request with its recovery, `dispatch` the tool calls, `gate` the
//! permission question, `rules` what it decides by, `trust` the trust in the folder, `compact` the
//! making of room, `journal` the way to the disk, `retell` the way back from it, `purse` the money,
//! `side` what goes to the small model, `undo` the steps back over files and conversation.
//!
//! *Invariants:* the history is valid for the next request after every step, whatever is
//! interrupted; nothing runs that the gate has not let through.

mod approvals;
mod ask;
mod asked;
mod begin;
mod checks;
pub mod circle;
mod compact;
mod confinement;
mod conversation;
mod dispatch;
pub mod fold;
mod gate;
mod gauge;
mod hooking;
mod journal;
mod mention;
mod nested;
mod news;
mod pay;
mod pictures;
mod prefix;
mod purse;
mod questions;
mod queue;
mod recipes;
mod recount;
pub mod recover;
mod request;
mod retell;
pub mod route;
mod rule_book;
mod rules;
mod run;
pub mod servers;
mod shared;
mod side;
mod sub;
mod summary;
mod title;
mod trust;
mod turn;
mod undo;
mod window;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::agent::route::Router;
use crate::config::{Budget, Check, Compact, Effort, Sandbox};
use crate::context::Place;
use crate::hooks::Hooks;
use crate::protocol::{Command, Event, Mode, SessionId, Sourced};
use crate::session::Places;
use crate::session::log;
use crate::tools::table::Table;

pub use rules::{Fixed, Reread, Rules, Settings};
pub use turn::Limits;

/// Everything an agent needs. Made by the command line, or by a test.
#[derive(Debug)]
pub struct Setup {
    pub cwd: PathBuf,
    /// `PROVIDER/MODEL`
    pub model: String,
    pub fallback: Option<String>,
    pub effort: Option<Effort>,
    pub mode: Mode,
    pub compact: Compact,
    pub budget: Budget,
    pub limits: Limits,
    pub router: Arc<dyn Router>,
    pub tools: Arc<Table>,
    pub rules: Rules,
    /// All that the settings name; those of a folder that is not trusted do not run.
    pub hooks: Hooks,
    /// What runs after changes of files; those of a folder that is not trusted do not.
    pub checks: Vec<Sourced<Check>>,
    /// For reading them again.
    pub settings: Arc<dyn Settings>,
    /// False where no person is there to answer: an ask then counts as a denial.
    pub can_ask: bool,
    pub prompt: Prompt,
    /// The name of the output style.
    pub style: Option<String>,
    pub place: Place,
    pub places: Places,
    /// Bytes of earlier contents of files that are kept for going back.
    pub checkpoints: u64,
    pub ledger: PathBuf,
    /// True in the demo, whose ledger goes away with it: scripted requests are booked there too.
    pub book_scripted: bool,
    /// Where long outputs are kept whole.
    pub spill: PathBuf,
    /// What the session is written down with.
    pub log: log::Tools,
    pub sandbox: Sandbox,
    /// Names of environment variables that hold keys; commands do not get them.
    pub secret_env: Vec<String>,
    /// False with --no-session.
    pub keep_log: bool,
    /// Whether the small model may be asked for a title, where the first words are a poor one.
    pub titles: bool,
    /// `None`: no server is defined.
    pub mcp: Option<servers::Mcp>,
    pub resume: Option<SessionId>,
    /// With `resume`: leave the old log as it is.
    pub fork: bool,
    /// With `resume`: write nothing down.
    pub view: bool,
    /// The end of a large session is told before the rest, for a screen that shows it first.
    pub end_first: bool,
}

/// The system prompt and what stands around it.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    /// In the place of tern's own.
    pub system: Option<String>,
    pub append: Option<String>,
}

/// Both ends of a running agent. Dropping `commands` stops it.
#[derive(Debug)]
pub struct Handle {
    pub commands: mpsc::Sender<Command>,
    pub events: mpsc::Receiver<Event>,
}

/// Commands that may wait; a person is slower than the agent.
const COMMANDS: usize = 64;
/// Events that may wait before the agent does.
const EVENTS: usize = 1024;

/// Starts the agent on the current runtime.
pub fn spawn(setup: Setup) -> Handle {
    let (commands, orders) = mpsc::channel(COMMANDS);
    let (facts, events) = mpsc::channel(EVENTS);
    tokio::spawn(run::run(setup, orders, facts));
    Handle { commands, events }
}
