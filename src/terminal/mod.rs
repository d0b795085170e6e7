//! The full-screen driver: terminal events and the agent's facts in, frames and effects out.
//!
//! [`run`] owns the terminal from its first line to its last. It draws at once after a key, at
//! most 40 times a second for what streams in, and sleeps otherwise.

pub mod clipboard;
mod colouring;
mod editor;
mod effects;
mod files;
mod inline;
mod input;
mod keys;
mod lines;
pub mod manners;
pub mod notify;
pub mod offscreen;
mod pace;
pub mod paths;
pub mod pictures;
pub mod probe;
mod raw;
mod replay;
mod screen;
mod services;
mod signals;
mod status_command;
mod surface;
mod watch;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::app::start::Choice;
use crate::app::{Effect, Model};
use crate::protocol::{Command, Event, Level, SessionId};
use crate::view::theme::{ColorDepth, Library};
pub use replay::connection as replayed;
pub use services::{NoServices, Services};
pub use status_command::StatusCommand;
pub use watch::Fresh;

/// What a session on the screen needs.
pub struct Setup {
    /// With whatever is known before the first frame: look, keys, mode, folder.
    pub model: Model,
    /// Called after the first frame is on the screen; with a choice where the model has a first
    /// start screen, and again when that failed and the person chose something else.
    pub connect: Connect,
    pub services: Arc<dyn Services>,
    pub themes: Library,
    pub colours: ColorDepth,
    /// Wheel and clicks; without it the terminal's own selection works as usual.
    pub mouse: bool,
    pub form: Form,
    /// How the terminal is told that tern waits and is not looked at. `None`: not at all.
    pub notifications: Option<notify::Form>,
    pub manners: manners::Wants,
    /// The theme follows the terminal; this file keeps what the terminal said last.
    pub background: Option<PathBuf>,
    pub status_command: Option<status_command::StatusCommand>,
    /// `$VISUAL` or `$EDITOR`, with its arguments.
    pub editor: Option<String>,
    pub clipboard: clipboard::Ways,
    /// Sent as soon as there is a connection.
    pub prompt: Option<String>,
    /// Done once the first frame is on the screen.
    pub first: Vec<Effect>,
}

/// How the session stands in the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// It has a screen of its own.
    #[default]
    Screen,
    /// `--inline`: what has been said scrolls away like the output of any program; the rest is
    /// drawn below it.
    Inline,
    /// `--linear`: lines that are only ever added.
    Lines,
}

pub type Connect = Box<dyn FnMut(Option<Choice>) -> Connecting + Send>;
pub type Connecting = Pin<Box<dyn Future<Output = anyhow::Result<Connection>> + Send>>;

/// The two ends of the agent's channels.
#[derive(Debug)]
pub struct Connection {
    pub commands: mpsc::Sender<Command>,
    pub events: mpsc::Receiver<Event>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    pub session: Option<SessionId>,
    pub how: How,
    /// What went wrong after the screen was gone, a sentence each.
    pub problems: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The person left.
    Quit,
    /// The number of the signal that ended it.
    Signal(i32),
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("editor", &self.editor).finish_non_exhaustive()
    }
}

/// Runs the screen until the person leaves or a signal ends it; puts the terminal back as it was
/// found, whatever happens. Errors: no terminal, or the terminal went away.
pub async fn run(setup: Setup) -> anyhow::Result<Exit> {
    let guard = raw::Guard::enter(raw::Modes { mouse: setup.mouse, form: setup.form })?;
    let mut screen = screen::Screen::new(setup, &guard);
    let result = screen.run().await;
    let events = screen.leave();
    drop(guard);
    let problems = last_words(events).await;
    Ok(Exit { problems, ..result? })
}

/// Longer than the agent takes to end what runs: the way from SIGINT to SIGKILL is 5 seconds at most.
const LAST: Duration = Duration::from_secs(6);

/// Waits until the agent has written what it has. Ctrl+C ends the waiting.
async fn last_words(events: Option<mpsc::Receiver<Event>>) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(mut events) = events else { return problems };
    let hear = async {
        while let Some(event) = events.recv().await {
            match event {
                Event::Stopped => break,
                Event::Noticed { level: Level::Error, text } => problems.push(text),
                _ => {}
            }
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(LAST, hear) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    problems
}
