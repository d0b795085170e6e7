//! Servers of the Model Context Protocol, as a front end shows and switches them.

use serde::{Deserialize, Serialize};

use crate::protocol::permission::Source;

/// One server as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// As the person wrote it.
    pub name: String,
    pub source: Source,
    /// The command line or the address.
    pub place: String,
    pub state: ServerState,
    /// What it calls itself and which revision of the protocol it speaks; empty before it was
    /// reached once.
    pub about: String,
    pub tools: Vec<ServerTool>,
    /// Slash commands, without the slash, and what each is for.
    pub prompts: Vec<(String, String)>,
    pub resources: bool,
}

impl ServerInfo {
    /// Tokens that its tools take where their schemas are sent, estimated.
    pub fn tokens(&self) -> u64 {
        self.tools.iter().filter(|tool| tool.use_ == ToolUse::On).map(|tool| tool.tokens).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ServerState {
    Off,
    /// For the person to let it in.
    Waits {
        why: String,
    },
    /// Known from earlier; it starts when it is called.
    Idle,
    Starting,
    Ready,
    /// For the person to log in.
    Login,
    Failed {
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTool {
    /// The server's own name for it.
    pub name: String,
    /// As rules and the model know it.
    pub tool: String,
    /// The first line of what the server says of it.
    pub about: String,
    pub tokens: u64,
    #[serde(rename = "use")]
    pub use_: ToolUse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolUse {
    On,
    Off,
    /// New or changed since the server was let in: for the person to see first.
    Waits,
}

/// What a person does to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ServerAct {
    /// Let it in as it is now, with the tools that it has now.
    Approve,
    On,
    Off,
    Reconnect,
    Login,
    Logout,
    /// By the server's own name for the tool.
    ToolOn {
        tool: String,
    },
    ToolOff {
        tool: String,
    },
}
