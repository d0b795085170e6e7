//! `tern mcp list` and `get`: what is defined and what is known, without starting anything.

use std::io::Write;

use crate::cli::Env;
use crate::cli::mcp::{find, open};
use crate::protocol::{ServerInfo, ServerState, Source, ToolUse};

pub fn list(env: &Env, json: bool, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (servers, problems) = open(env)?;
    let all = servers.list();
    if json {
        writeln!(out, "{}", serde_json::to_string(&all)?)?;
        return Ok(0);
    }
    let width = all.iter().map(|info| info.name.chars().count()).max().unwrap_or(0);
    for info in &all {
        let name = &info.name;
        writeln!(out, "{name:<width$}  {:<8}  {}", source(info.source), info.place)?;
        writeln!(out, "{:<width$}  {}", "", state(info))?;
    }
    if all.is_empty() {
        writeln!(out, "no MCP servers; tern mcp add NAME URL, or tern mcp add NAME -- COMMAND")?;
    }
    for problem in problems {
        writeln!(out, "warning: {problem}")?;
    }
    Ok(0)
}

pub fn get(name: &str, env: &Env, json: bool, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (servers, _) = open(env)?;
    let info = find(&servers, name)?;
    if json {
        writeln!(out, "{}", serde_json::to_string(&info)?)?;
        return Ok(0);
    }
    one(&info, out)?;
    Ok(0)
}

/// One server, for a person.
pub fn one(info: &ServerInfo, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  {}", info.name, info.about)?;
    writeln!(out, "  from     {}", source(info.source))?;
    writeln!(out, "  place    {}", info.place)?;
    writeln!(out, "  state    {}", state(info))?;
    if !info.tools.is_empty() {
        writeln!(out, "  tools    {}, about {} tokens", info.tools.len(), info.tokens())?;
    }
    for tool in &info.tools {
        let mark = match tool.use_ {
            ToolUse::On => " ",
            ToolUse::Off => "-",
            ToolUse::Waits => "?",
        };
        writeln!(out, "  {mark} {}  {}", tool.tool, tool.about)?;
    }
    for (command, about) in &info.prompts {
        writeln!(out, "    /{command}  {about}")?;
    }
    if info.resources {
        writeln!(out, "  resources: @{}:URI", info.name)?;
    }
    Ok(())
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Project => "project",
        Source::Local => "local",
        Source::Flag => "flag",
        Source::Managed => "managed",
        Source::SettingsFile => "settings",
        Source::BuiltIn | Source::User | Source::Environment | Source::Session => "user",
    }
}

fn state(info: &ServerInfo) -> String {
    let tools = info.tools.len();
    let known = if info.about.is_empty() {
        String::new()
    } else {
        format!(" · {tools} tools, about {} tokens", info.tokens())
    };
    match &info.state {
        ServerState::Off => "switched off".to_owned(),
        ServerState::Waits { why } => {
            format!("waits: {why}; tern mcp approve {}", info.name)
        }
        ServerState::Idle => format!("starts when it is called{known}"),
        ServerState::Starting => "not reached yet; tern mcp test shows what it offers".to_owned(),
        ServerState::Ready => format!("connected{known}"),
        ServerState::Login => format!("wants a login: tern mcp login {}", info.name),
        ServerState::Failed { why } => format!("failed: {why}"),
    }
}
