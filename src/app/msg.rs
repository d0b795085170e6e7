//! What can happen to the screen.

use crossterm::event::{KeyEvent, MouseEvent};

use crate::app::keys::Keymap;
use crate::app::model::Look;
use crate::app::panels::cost::Report;
use crate::app::panels::history::{Preview, SessionRow};
use crate::app::panels::memory::MemoryRow;
use crate::app::panels::settings::SettingRow;
use crate::app::pictures::Picture;
use crate::app::scroll::Seen;
use crate::app::start::Found;
use crate::protocol::{CallId, Event, MessageId, SessionId};

/// Milliseconds since the program began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The time now. Sent before whatever happens, so that everything else needs no clock.
    Tick(Millis),
    Key(KeyEvent),
    Paste(String),
    /// A whole line was entered, where there is no screen to type on.
    Line(String),
    Mouse(MouseEvent),
    Resized {
        width: u16,
        height: u16,
    },
    Focused(bool),
    /// Settings of the screen were changed in a file.
    Settings {
        look: Box<Look>,
        keymap: Box<Keymap>,
        problems: Vec<String>,
    },
    /// The terminal has told its background.
    Background {
        light: bool,
    },
    Agent(Box<Event>),
    /// The agent cannot be reached any more, and why.
    Disconnected(String),
    /// A frame is on the screen.
    Drawn(Seen),
    Done(Reply),
}

/// The answer to an effect. `seq` is that of the question; an answer to an older one is dropped.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Edited(Result<String, String>),
    Sessions {
        seq: u64,
        rows: Result<Vec<SessionRow>, String>,
    },
    Preview {
        id: SessionId,
        around: Option<MessageId>,
        preview: Result<Preview, String>,
    },
    Costs {
        seq: u64,
        report: Result<Report, String>,
    },
    /// Paths that match; those of folders end with a slash. `looking`: there may be more.
    Files {
        seq: u64,
        paths: Vec<String>,
        looking: bool,
    },
    SessionChanged(Result<String, String>),
    Memory(Vec<MemoryRow>),
    /// The file, and what was done in words.
    Noted(Result<(std::path::PathBuf, String), String>),
    Settings(Vec<SettingRow>),
    SettingSaved(Result<String, String>),
    Saved(Result<String, String>),
    /// What the person's status command printed.
    StatusLine {
        seq: u64,
        line: String,
    },
    /// The terminal has the image of this call.
    Picture {
        call: CallId,
        picture: Picture,
    },
    Found(Found),
    /// Prompts of earlier sessions, newest last.
    Prompts(Vec<String>),
    /// A connection was asked for and is there, or is not.
    Connected(Result<(), String>),
}

impl Millis {
    pub fn plus(self, milliseconds: u64) -> Millis {
        Millis(self.0.saturating_add(milliseconds))
    }

    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
