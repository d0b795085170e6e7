//! The panel of MCP servers: how each stands, and what it offers with what that costs.

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel};
use crate::protocol::{Command, ServerAct, ServerInfo, ServerState, ServerTool, ToolUse};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Servers {
    /// Servers whose tools are shown.
    pub open: Vec<String>,
}

/// A line of the panel.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    Server {
        info: &'a ServerInfo,
        open: bool,
    },
    Tool {
        server: &'a str,
        tool: &'a ServerTool,
    },
    /// A slash command, and what it is for.
    Prompt {
        command: &'a str,
        about: &'a str,
    },
}

/// What the screen keeps of the servers: safe to draw.
pub fn known(servers: Vec<ServerInfo>) -> Vec<ServerInfo> {
    let tool = |tool: ServerTool| ServerTool { about: clean::line(&tool.about), ..tool };
    let state = |state| match state {
        ServerState::Failed { why } => ServerState::Failed { why: clean::line(&why) },
        ServerState::Waits { why } => ServerState::Waits { why: clean::line(&why) },
        other => other,
    };
    let server = |info: ServerInfo| ServerInfo {
        place: clean::line(&info.place),
        about: clean::line(&info.about),
        state: state(info.state),
        tools: info.tools.into_iter().map(tool).collect(),
        prompts: info.prompts.into_iter().map(|(c, about)| (c, clean::line(&about))).collect(),
        ..info
    };
    servers.into_iter().map(server).collect()
}

pub fn lines(model: &Model) -> Vec<Line<'_>> {
    let Some(panel) = &model.panel else { return Vec::new() };
    let Kind::Servers(servers) = &panel.kind else { return Vec::new() };
    let query = panel.query().to_lowercase();
    let fits = |text: &str| text.to_lowercase().contains(&query);
    let mut lines = Vec::new();
    for info in &model.servers {
        let open = servers.open.contains(&info.name);
        // What is looked for is shown also where its server is folded.
        let show = |name: &str| if query.is_empty() { open } else { fits(name) };
        let tools = info.tools.iter().filter(|tool| show(&tool.tool));
        let prompts = info.prompts.iter().filter(|(command, _)| show(command));
        let before = lines.len();
        lines.push(Line::Server { info, open });
        lines.extend(tools.map(|tool| Line::Tool { server: &info.name, tool }));
        lines.extend(prompts.map(|(command, about)| Line::Prompt { command, about }));
        if lines.len() == before + 1 && !query.is_empty() && !fits(&info.name) {
            lines.truncate(before);
        }
    }
    lines
}

/// Enter: opens or folds the chosen server; a prompt goes into the prompt.
pub fn enter(model: &mut Model) -> Vec<Effect> {
    let (name, prompt) = match chosen(model) {
        Some(Line::Server { info, .. }) => (info.name.clone(), None),
        Some(Line::Tool { server, .. }) => (server.to_owned(), None),
        Some(Line::Prompt { command, .. }) => (String::new(), Some(command.to_owned())),
        None => return Vec::new(),
    };
    if let Some(command) = prompt {
        model.panel = None;
        model.prompt.insert(&format!("/{command} "));
        return Vec::new();
    }
    if let Some(Panel { kind: Kind::Servers(servers), .. }) = &mut model.panel {
        match servers.open.iter().position(|open| *open == name) {
            Some(at) => drop(servers.open.remove(at)),
            None => servers.open.push(name),
        }
    }
    Vec::new()
}

fn chosen(model: &Model) -> Option<Line<'_>> {
    let at = model.panel.as_ref()?.at;
    lines(model).into_iter().nth(at)
}

/// What a key of the panel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Approve,
    Switch,
    Reconnect,
    Login,
    Logout,
}

pub fn act(model: &mut Model, wish: Wish) -> Vec<Effect> {
    let Some(line) = chosen(model) else { return Vec::new() };
    let (server, tool) = match line {
        Line::Server { info, .. } => (info.name.clone(), None),
        Line::Tool { server, tool } => (server.to_owned(), Some(tool.clone())),
        Line::Prompt { .. } => return Vec::new(),
    };
    let state = model.servers.iter().find(|info| info.name == server).map(|info| &info.state);
    let act = match (wish, tool) {
        (Wish::Switch, Some(ServerTool { name, use_: ToolUse::On, .. })) => {
            ServerAct::ToolOff { tool: name }
        }
        (Wish::Switch, Some(ServerTool { name, use_: ToolUse::Off, .. })) => {
            ServerAct::ToolOn { tool: name }
        }
        (Wish::Switch, Some(_)) => {
            model.say("look at it, then let the server in as it is now: a");
            return Vec::new();
        }
        (Wish::Switch, None) if state == Some(&ServerState::Off) => ServerAct::On,
        (Wish::Switch, None) => ServerAct::Off,
        (Wish::Approve, _) => ServerAct::Approve,
        (Wish::Reconnect, _) => ServerAct::Reconnect,
        (Wish::Login, _) => ServerAct::Login,
        (Wish::Logout, _) => ServerAct::Logout,
    };
    vec![Effect::Send(Command::Server { server, act })]
}
