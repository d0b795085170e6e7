//! Sub-agents that can be started: those built in, and those that a Markdown file describes.

use std::path::Path;

use crate::config::Effort;
use crate::extend::front::{self, Parts};
use crate::extend::{Extensions, Folder, From, files, one_line};
use crate::protocol::Mode;

#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub name: String,
    /// When it is the right one; one line.
    pub description: String,
    /// Its system prompt.
    pub prompt: String,
    /// `None`: all that the session has.
    pub tools: Option<Vec<String>>,
    pub forbidden: Vec<String>,
    /// `PROVIDER/MODEL`, or the name of a model; `None`: that of whoever starts it.
    pub model: Option<String>,
    pub effort: Option<Effort>,
    /// At most; it is never wider than that of whoever starts it.
    pub mode: Option<Mode>,
    /// Requests.
    pub max_turns: Option<u32>,
    /// Works in a copy of the repository.
    pub worktree: bool,
    pub background: bool,
    pub from: From,
}

const DESCRIPTION: usize = 300;
const READERS: [&str; 8] =
    ["Read", "Glob", "Grep", "LS", "Bash", "WebFetch", "WebSearch", "TodoWrite"];

pub(super) fn built_in() -> Vec<Agent> {
    let agent = |name: &str, description: &str, prompt: &str| Agent {
        name: name.to_owned(),
        description: description.to_owned(),
        prompt: prompt.trim().to_owned(),
        tools: None,
        forbidden: Vec::new(),
        model: None,
        effort: None,
        mode: None,
        max_turns: None,
        worktree: false,
        background: false,
        from: From::BuiltIn,
    };
    let reader = |agent: Agent| Agent {
        tools: Some(READERS.map(str::to_owned).to_vec()),
        mode: Some(Mode::Plan),
        ..agent
    };
    vec![
        reader(agent(
            "explore",
            "finds things out in the code without changing it",
            include_str!("../../assets/prompts/agents/explore.md"),
        )),
        reader(agent(
            "plan",
            "works out how a change should be made",
            include_str!("../../assets/prompts/agents/plan.md"),
        )),
        agent(
            "general",
            "any task of several steps",
            include_str!("../../assets/prompts/agents/general.md"),
        ),
    ]
}

pub(super) fn defined(folder: &Folder, found: &mut Extensions) {
    for file in files::markdown(&folder.path.join("agents")) {
        match read(&file, folder.from) {
            Ok((agent, problems)) => {
                found.problems.extend(problems);
                found.agents.retain(|other| !other.name.eq_ignore_ascii_case(&agent.name));
                found.agents.push(agent);
            }
            Err(why) => found.problems.push(format!("{} {why}", file.display())),
        }
    }
}

fn read(file: &Path, from: From) -> Result<(Agent, Vec<String>), String> {
    let parts = front::split(&files::text(file)?);
    if let Some(problem) = &parts.problem {
        return Err(format!("{problem}, so it does not count"));
    }
    let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = parts.text("name").or_else(stem).unwrap_or_default();
    if !files::is_name(&name) {
        return Err("has a name that cannot be used".to_owned());
    }
    let Some(description) = parts.text("description") else {
        return Err("has no description, so nobody would know when to start it".to_owned());
    };
    if parts.body.is_empty() {
        return Err("has no text that would tell the agent what it is".to_owned());
    }
    let mut problems = Vec::new();
    let mut tell = |why: String| problems.push(format!("{} {why}", file.display()));
    let mode = mode(&parts, &mut tell);
    let effort = effort(&parts, &mut tell);
    let model = parts.text("model").filter(|model| model != "inherit");
    Ok((
        Agent {
            name,
            description: one_line(&description, DESCRIPTION),
            tools: parts.list("tools").filter(|tools| !tools.iter().any(|tool| tool == "*")),
            forbidden: parts.list("disallowedTools").unwrap_or_default(),
            model,
            effort,
            mode,
            max_turns: parts.text("maxTurns").and_then(|turns| turns.parse().ok()),
            worktree: parts.text("isolation").is_some_and(|kind| kind == "worktree"),
            background: parts.flag("background").unwrap_or(false),
            from,
            prompt: parts.body,
        },
        problems,
    ))
}

fn mode(parts: &Parts, tell: &mut impl FnMut(String)) -> Option<Mode> {
    let name = parts.text("permissionMode")?;
    let mode = Mode::parse(&name);
    if mode.is_none() {
        // What was meant may have been narrower than anything.
        tell(format!("names the unknown permission mode {name:?}; it counts as default"));
        return Some(Mode::Default);
    }
    mode
}

fn effort(parts: &Parts, tell: &mut impl FnMut(String)) -> Option<Effort> {
    match parts.text("effort")?.as_str() {
        "low" => Some(Effort::Low),
        "medium" => Some(Effort::Medium),
        "high" => Some(Effort::High),
        "max" | "xhigh" => Some(Effort::Max),
        other => {
            tell(format!("names the unknown effort {other:?}"));
            None
        }
    }
}

impl Agent {
    pub(super) fn line(&self) -> String {
        format!("- {}: {}", self.name, self.description)
    }

    /// Whether it may use a tool, as far as its own description goes. Agents that are started by
    /// agents are counted elsewhere.
    pub fn may_use(&self, tool: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|rule| names(rule, tool));
        self.tools.as_deref().is_none_or(named) && !named(&self.forbidden)
    }
}

/// `Bash(git *)` names Bash: what of it may run is for the permission layer.
fn names(rule: &str, tool: &str) -> bool {
    let rule = rule.split('(').next().unwrap_or_default().trim();
    let rule = crate::permissions::rule::current_name(rule);
    match rule.strip_suffix('*') {
        Some(start) => tool.starts_with(start),
        None => rule == tool || tool.starts_with(&format!("{rule}__")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extend::load;
    use crate::extend::tests::staged;

    #[test]
    fn agents_are_read_with_their_limits() {
        let (_dir, places) = staged(
            &[
                (
                    "config/agents/reviewer.md",
                    "---\nname: reviewer\ndescription: Use when: code is done\ntools: Read, Grep, Task\nmodel: sonnet\npermissionMode: plan\nmaxTurns: 7\n---\nYou review.",
                ),
                ("config/agents/explore.md", "---\ndescription: mine\n---\nOwn."),
                ("config/agents/nothing.md", "---\nname: nothing\n---\nBody"),
                ("config/agents/odd.md", "---\ndescription: d\npermissionMode: yolo\n---\nBody"),
            ],
            false,
        );
        let found = load(&places);
        let reviewer = found.agent("Reviewer").unwrap();
        assert_eq!((reviewer.mode, reviewer.max_turns), (Some(Mode::Plan), Some(7)));
        assert!(reviewer.may_use("Grep") && reviewer.may_use("Agent") && !reviewer.may_use("Edit"));
        assert_eq!(found.agent("explore").unwrap().prompt, "Own.");
        assert_eq!(found.agent("odd").unwrap().mode, Some(Mode::Default));
        assert!(found.agent("nothing").is_none());
        assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
        assert!(found.listing().contains("- reviewer: Use when: code is done"));
    }

    #[test]
    fn those_that_explore_cannot_write() {
        for agent in built_in().iter().filter(|agent| agent.name != "general") {
            for tool in ["Edit", "Write", "MultiEdit", "NotebookEdit", "Agent", "mcp__fs__write"] {
                assert!(!agent.may_use(tool), "{} {tool}", agent.name);
            }
            assert_eq!(agent.mode, Some(Mode::Plan));
        }
    }
}
