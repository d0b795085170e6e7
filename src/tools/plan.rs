//! ExitPlanMode: the plan is shown for approval; approved, plan mode is over.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::{About, AskError, CallStatus, Mode, Reply, Title};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, plain_preview, spec};

#[derive(Debug)]
pub struct ExitPlanMode;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    /// Markdown
    plan: String,
}

impl Args for Input {}

/// Bytes of a plan that a person can be expected to read.
const LONGEST: usize = 100_000;

#[async_trait]
impl Tool for ExitPlanMode {
    fn name(&self) -> &str {
        "ExitPlanMode"
    }

    fn spec(&self) -> ToolSpec {
        let text = "Show the finished plan to the person, who approves it, changes it, or says \
                    what is wrong with it.";
        spec::<Input>(self.name(), text)
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, _input: &Value, _cwd: &Path) -> Title {
        Title::new("Showing", "Showed", "the plan")
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
        if input.plan.trim().is_empty() || input.plan.len() > LONGEST {
            let text = format!("ExitPlanMode: a plan has 1 to {LONGEST} bytes.");
            return Outcome::failed(text, "wrong input");
        }
        match ctx.ask.person(About::Plan { plan: input.plan }).await {
            Ok(reply) => answered(reply),
            Err(AskError::Interrupted) => Outcome::interrupted("Interrupted by the user."),
            Err(AskError::Unavailable(_)) => Outcome::failed(
                "Nobody is there to approve it, and plan mode stays. Give the plan as your answer \
                 and stop.",
                "nobody to ask",
            ),
        }
    }
}

fn answered(reply: Reply) -> Outcome {
    match reply {
        Reply::Approved { mode, plan } => {
            let asked = match mode {
                Mode::AcceptEdits => "Edits of files are accepted without a question.",
                _ => "Changes are asked about one by one.",
            };
            let what = match &plan {
                Some(plan) => format!("The user changed the plan and approved it as:\n\n{plan}\n"),
                None => "The user approved the plan.".to_owned(),
            };
            let facts = if plan.is_some() { "changed and approved" } else { "approved" };
            Outcome::done(format!("{what} Plan mode is over. {asked} Carry it out."), facts)
        }
        Reply::Declined { message } => {
            let mut text = "The user wants to go on planning. Plan mode stays.".to_owned();
            if let Some(message) = message {
                text += &format!("\nThe user says: {message}");
            }
            Outcome { status: CallStatus::Denied, ..Outcome::done(text, "not approved") }
        }
        Reply::Chosen { .. } => Outcome::done("The user gave no answer.", "no answer"),
    }
}
