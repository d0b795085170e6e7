//! What the screen wants done, as data: the driver has one function for each.

use crate::app::panels::cost::By;
use crate::app::panels::history::{Change, Looks};
use crate::app::panels::settings::Layer;
use crate::app::start::Choice;
use crate::protocol::budget::Limits;
use crate::protocol::{CallId, Command, MessageId, SessionId};

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send(Command),
    Copy(String),
    /// Copy what is chosen in the transcript.
    CopySelection,
    /// Open a file of the session's folder in the user's editor, at a line from 1.
    OpenFile {
        path: String,
        line: usize,
    },
    /// Give the image of this file to the terminal; answered by `Reply::Picture`, or not at all.
    ShowPicture {
        call: CallId,
        path: String,
    },
    /// Open the text in the user's editor; answered by `Reply::Edited`.
    OpenEditor(String),
    ListSessions {
        seq: u64,
        query: String,
        looks: Looks,
    },
    PreviewSession {
        id: SessionId,
        /// Show what stands around this record.
        around: Option<MessageId>,
    },
    /// Answered by `Reply::Memory`.
    ListMemory,
    /// Write a note into an instruction file, or take it `back`; answered by `Reply::Noted`.
    Note {
        file: std::path::PathBuf,
        text: String,
        back: bool,
    },
    /// Answered by `Reply::Settings`.
    ListSettings,
    /// An empty value unsets it. Answered by `Reply::SettingSaved`.
    SaveSetting {
        name: String,
        value: String,
        layer: Layer,
    },
    /// Open the file itself in the user's editor.
    EditFile(std::path::PathBuf),
    /// Answered by `Reply::SessionChanged`.
    ChangeSession {
        id: SessionId,
        change: Change,
    },
    /// Look for files of the project; answered by `Reply::Files`.
    FindFiles {
        seq: u64,
        query: String,
    },
    LoadCosts {
        seq: u64,
        by: By,
    },
    Save(Setting),
    /// Add a prompt to the history of prompts.
    Remember(String),
    /// Look for keys and local servers; answered by `Reply::Found`.
    Find,
    /// Connect with what the person chose; answered by `Reply::Connected`.
    Connect(Choice),
    /// Tell the person, who is looking elsewhere.
    Notify(String),
    Redraw,
    Suspend,
    Quit,
}

/// A setting to be kept in the user's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    Theme(String),
    Model(String),
    OutputStyle(String),
    Budgets(Limits),
}

/// A text that never stands in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}
