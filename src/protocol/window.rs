//! What fills the model's window, as the person is shown it and may change it.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::{CallId, MessageId};

/// The answer to `ShowWindow`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Tokens that the model has room for; `None` where the model is not known.
    pub size: Option<u64>,
    /// Tokens at which room is made by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compacts_at: Option<u64>,
    /// Tokens of the next request.
    pub tokens: u64,
    /// True where the server has counted them, false where they are estimated.
    pub exact: bool,
    /// In the order in which the request carries them.
    pub items: Vec<Item>,
}

/// One thing that the next request carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// `None`: it can be neither pinned nor dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ItemId>,
    pub source: Filler,
    /// One line; as it came, not clean.
    pub name: String,
    /// Estimated; the estimates of all items add up to `Window::tokens`.
    pub tokens: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Only a line that says how to get it back is left of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum ItemId {
    /// A message of the person's or the model's, with its calls and their results.
    Message(MessageId),
    /// The result of one call.
    Result(CallId),
}

/// Where something in the window comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Filler {
    System,
    Tools,
    /// Environment and state of git.
    Project,
    Memory,
    /// A server of the Model Context Protocol: what is told of it, and what its tools gave.
    Server {
        name: String,
    },
    /// What stands for the older history.
    Summary,
    Said,
    /// Files, read by the model or given along.
    Files,
    /// Results of other tools.
    Results,
    Answers,
    /// Words of tern: reminders, what hooks added, commands that the person ran.
    Notes,
}

/// What `EditWindow` does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowAct {
    /// No pruning and no summary touches it.
    Pin,
    Unpin,
    /// The model no longer sees it.
    Drop,
    /// It sees it again.
    Restore,
}

impl Filler {
    /// For people.
    pub fn name(&self) -> String {
        match self {
            Filler::System => "system prompt".to_owned(),
            Filler::Tools => "tools".to_owned(),
            Filler::Project => "environment and git".to_owned(),
            Filler::Memory => "memory files".to_owned(),
            Filler::Server { name } => format!("MCP {name}"),
            Filler::Summary => "summary of earlier".to_owned(),
            Filler::Said => "what you said".to_owned(),
            Filler::Files => "files".to_owned(),
            Filler::Results => "results of tools".to_owned(),
            Filler::Answers => "answers of the model".to_owned(),
            Filler::Notes => "notes".to_owned(),
        }
    }
}
