//! Permission rules: `Tool` or `Tool(specifier)`, in Claude Code's syntax.
//!
//! A rule is read once, when it is loaded; one that can have no effect is reported then and never
//! silently kept. Which rule wins is not decided here (`check`).

mod command;
mod folder;
mod set;

pub use command::CommandPattern;
pub use folder::{Folders, PathPattern};
pub use set::{RuleProblem, RuleSet, RuleTexts};

use serde_json::Value;

use crate::protocol::Sourced;

/// What a rule does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Allow,
    Ask,
    Deny,
}

#[derive(Debug, Clone)]
pub struct Rule {
    pub text: Sourced<String>,
    /// With the newer name where a tool was renamed; may hold `*`.
    pub tool: String,
    pub spec: Spec,
}

/// What stands in the brackets of a rule.
#[derive(Debug, Clone)]
pub enum Spec {
    /// Nothing, or `*`: every use of the tool.
    Any,
    Command(CommandPattern),
    Path(PathPattern),
    /// `domain:HOST`.
    Domain(String),
    /// A sub-agent's type or a skill, perhaps with arguments.
    Name(CommandPattern),
    /// `param:value`, in deny and ask rules; `or` is the other way to read it.
    Param {
        name: String,
        value: String,
        or: Option<CommandPattern>,
    },
}

/// Tools that Claude Code documents or tern has, besides `mcp__..`.
pub const TOOLS: [&str; 26] = [
    "Agent",
    "AskUserQuestion",
    "Bash",
    "Cd",
    "Edit",
    "ExitPlanMode",
    "Glob",
    "Grep",
    "LS",
    "LSP",
    "ListMcpResourcesTool",
    "Monitor",
    "MultiEdit",
    "NotebookEdit",
    "NotebookRead",
    "PowerShell",
    "Read",
    "ReadMcpResourceTool",
    "Skill",
    "TaskOutput",
    "TaskStop",
    "TodoWrite",
    "ToolSearch",
    "WebFetch",
    "WebSearch",
    "Write",
];

/// The present name of a tool that was renamed.
pub fn current_name(tool: &str) -> &str {
    match tool {
        "Task" => "Agent",
        "BashOutput" | "AgentOutputTool" => "TaskOutput",
        "KillShell" | "KillBash" => "TaskStop",
        "SlashCommand" => "Skill",
        other => other,
    }
}

pub fn is_edit_tool(tool: &str) -> bool {
    matches!(tool, "Edit" | "Write" | "MultiEdit" | "NotebookEdit")
}

pub fn is_read_tool(tool: &str) -> bool {
    matches!(tool, "Read" | "Grep" | "Glob" | "LS" | "NotebookRead" | "LSP")
}

/// The two halves of `Tool(specifier)`.
pub(super) fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    let text = text.trim();
    let (tool, spec) = match text.split_once('(') {
        None => (text, None),
        Some((tool, rest)) => match rest.strip_suffix(')') {
            Some(spec) => (tool, Some(spec)),
            None => return Err("the closing bracket is missing".to_owned()),
        },
    };
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*' | '.' | ':');
    if tool.is_empty() || !tool.chars().all(valid) {
        return Err("a rule is Tool or Tool(specifier)".to_owned());
    }
    Ok((tool, spec.filter(|spec| !spec.is_empty() && *spec != "*")))
}

impl Rule {
    /// Whether it speaks of a call of this tool, brackets aside.
    pub fn names(&self, tool: &str) -> bool {
        let tool = current_name(tool);
        if self.tool == tool {
            return true;
        }
        if self.tool.starts_with("mcp__") || self.tool.contains('*') {
            let server = format!("{}__", self.tool);
            return wildcard(&self.tool, tool)
                || (self.tool.starts_with("mcp__") && tool.starts_with(&server));
        }
        match self.tool.as_str() {
            "Bash" => matches!(tool, "Monitor"),
            "Edit" => is_edit_tool(tool),
            "Read" => is_read_tool(tool),
            _ => false,
        }
    }

    /// Whether a `param:value` rule fits the call's input.
    pub fn fits_param(&self, input: &Value) -> bool {
        let Spec::Param { name, value, .. } = &self.spec else { return false };
        input.get(name).is_some_and(|found| match found {
            Value::String(text) => wildcard(value, text),
            Value::Bool(_) | Value::Number(_) => wildcard(value, &found.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        })
    }

    /// Whether it would cover this whole command by its text: for showing what a new rule means. A
    /// command of several parts is covered when each part is.
    pub fn covers_command(&self, command: &str) -> bool {
        let Spec::Command(pattern) = &self.spec else {
            return self.tool == "Bash" && matches!(self.spec, Spec::Any);
        };
        let script = super::shell::read(command, std::path::Path::new("/"));
        script.doubt.is_none()
            && !script.parts.is_empty()
            && script.parts.iter().all(|part| pattern.allows(part))
    }
}

/// `*` for any text, also none; every other character for itself; `\*` for a star.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let mut tokens: Vec<Option<char>> = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'*') => {
                chars.next();
                tokens.push(Some('*'));
            }
            '*' => tokens.push(None),
            c => tokens.push(Some(c)),
        }
    }
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0usize, 0usize);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match tokens.get(p) {
            Some(None) => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(Some(c)) if text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    p = after;
                    t = from + 1;
                    back = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    tokens[p.min(tokens.len())..].iter().all(Option::is_none)
}

#[cfg(test)]
mod tests;
