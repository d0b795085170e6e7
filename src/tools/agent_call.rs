//! Agent: hands a task to a sub-agent. What it is and how it works is the agent's business; here is
//! how the model asks for one.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::{AgentState, AgentTask, AskError, Title};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, plain_preview, spec};

#[derive(Debug)]
pub struct AgentCall;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    /// 3 to 5 words
    description: String,
    /// everything it needs to know
    prompt: String,
    #[serde(default)]
    subagent_type: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    run_in_background: Option<bool>,
    #[serde(default)]
    isolation: Option<Isolation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Isolation {
    Worktree,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("task", "prompt"),
        ("type", "subagent_type"),
        ("agent", "subagent_type"),
        ("agent_type", "subagent_type"),
        ("background", "run_in_background"),
    ];

    const HIDDEN: &'static [&'static str] = &["name", "effort"];
}

#[async_trait]
impl Tool for AgentCall {
    fn name(&self) -> &str {
        "Agent"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/agent.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    /// Agents run beside each other: everything that one of them does is judged by itself.
    fn class(&self, input: &Value) -> Class {
        args::class::<Input>(self.name(), input)
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let kind = input["subagent_type"].as_str().unwrap_or("general");
        let task = input["description"].as_str().unwrap_or("a task");
        Title::new("Agent", "Agent", format!("{kind}: {task}"))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: Input = match args::parse(self.name(), &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        if input.prompt.trim().is_empty() {
            return Outcome::failed("Agent: the prompt is empty.", "no task");
        }
        let task = AgentTask {
            kind: input.subagent_type.filter(|kind| !kind.trim().is_empty()),
            task: input.description,
            prompt: input.prompt,
            model: input.model,
            background: input.run_in_background.unwrap_or(false),
            worktree: input.isolation == Some(Isolation::Worktree),
        };
        match ctx.ask.agent(task).await {
            Ok(report) => match report.state {
                AgentState::Running | AgentState::Done => Outcome::done(report.text, report.facts),
                AgentState::Failed => Outcome::failed(report.text, report.facts),
                AgentState::Stopped => Outcome::interrupted(report.text),
            },
            Err(AskError::Interrupted) => Outcome::interrupted("Interrupted."),
            Err(AskError::Unavailable(why)) => {
                Outcome::failed(format!("Agent: {why}."), "not started")
            }
        }
    }
}
