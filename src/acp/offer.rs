//! What a session has to choose from, and what tern can do at all. Pure.

use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::schema as acp;
use serde_json::{Map, Value, json};

use crate::protocol::{CommandInfo, Mode};

/// The answer to `initialize`.
pub fn initialized(version: ProtocolVersion) -> acp::InitializeResponse {
    let prompts = acp::PromptCapabilities::new().image(true).embedded_context(true);
    let sessions = acp::SessionCapabilities::new()
        .list(acp::SessionListCapabilities::new())
        .resume(acp::SessionResumeCapabilities::new())
        .close(acp::SessionCloseCapabilities::new())
        .additional_directories(acp::SessionAdditionalDirectoriesCapabilities::new());
    let can = acp::AgentCapabilities::new()
        .load_session(true)
        .prompt_capabilities(prompts)
        .mcp_capabilities(acp::McpCapabilities::new().http(true))
        .session_capabilities(sessions);
    let info = acp::Implementation::new("tern", env!("CARGO_PKG_VERSION"));
    acp::InitializeResponse::new(version).agent_capabilities(can).agent_info(info)
}

pub fn modes(current: Mode, all: &[Mode]) -> acp::SessionModeState {
    let modes = all.iter().map(|mode| {
        let (name, help) = match mode {
            Mode::Default => ("Default", "Asks before files change and commands run"),
            Mode::AcceptEdits => ("Accept edits", "Changes files of the project without asking"),
            Mode::Plan => ("Plan", "Reads and plans, changes nothing"),
            Mode::DontAsk => ("Don't ask", "Denies what no rule allows"),
            Mode::BypassPermissions => ("Bypass permissions", "Asks almost nothing"),
        };
        acp::SessionMode::new(mode.name(), name).description(help.to_owned())
    });
    acp::SessionModeState::new(current.name(), modes.collect())
}

/// The name of the one option.
pub const MODEL: &str = "model";

pub fn options(current: &str, models: &[String]) -> Vec<acp::SessionConfigOption> {
    let known = models.iter().any(|model| model == current);
    let first = (!known).then_some(current);
    let all: Vec<_> = first
        .into_iter()
        .chain(models.iter().map(String::as_str))
        .map(|model| acp::SessionConfigSelectOption::new(model.to_owned(), model))
        .collect();
    let choice = acp::SessionConfigOption::select(MODEL, "Model", current.to_owned(), all)
        .category(acp::SessionConfigOptionCategory::Model);
    vec![choice]
}

/// Commands of tern itself that mean something here; the others come from files and servers.
const OWN: &[(&str, &str, &str)] = &[
    ("compact", "focus", "replace the history by a summary"),
    ("cost", "", "what the last days cost"),
    ("init", "", "write an AGENTS.md for this project"),
    ("mcp", "", "MCP servers and their state"),
    ("permissions", "", "mode and rules, and where each comes from"),
    ("rename", "title", "give this session a title"),
    ("status", "", "model, mode, folder"),
    ("trust", "", "what this folder would run or allow"),
];

pub fn commands(found: &[CommandInfo]) -> Vec<acp::AvailableCommand> {
    let own = OWN.iter().map(|(name, args, help)| (*name, *args, *help));
    let others = found.iter().map(|info| (&*info.name, &*info.args, &*info.help));
    own.chain(others)
        .map(|(name, args, help)| {
            let command = acp::AvailableCommand::new(name, help);
            if args.is_empty() {
                return command;
            }
            let hint = acp::UnstructuredCommandInput::new(args);
            command.input(acp::AvailableCommandInput::Unstructured(hint))
        })
        .collect()
}

/// The client's servers as `.mcp.json` has them.
pub fn servers(given: &[acp::McpServer]) -> Value {
    let mut servers = Map::new();
    for server in given {
        match server {
            acp::McpServer::Stdio(server) => {
                let env: Map<String, Value> = server
                    .env
                    .iter()
                    .map(|variable| (variable.name.clone(), json!(variable.value)))
                    .collect();
                let entry = json!({"command": server.command, "args": server.args, "env": env});
                servers.insert(server.name.clone(), entry);
            }
            acp::McpServer::Http(server) => {
                let headers: Map<String, Value> = server
                    .headers
                    .iter()
                    .map(|header| (header.name.clone(), json!(header.value)))
                    .collect();
                let entry = json!({"type": "http", "url": server.url, "headers": headers});
                servers.insert(server.name.clone(), entry);
            }
            // Never announced as something that tern can do.
            _ => {}
        }
    }
    Value::Object(servers)
}
