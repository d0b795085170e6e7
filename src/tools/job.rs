//! TaskOutput and TaskStop: what the model can do with commands in the background.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::process::{Job, JobState, jobs};
use crate::protocol::{JobId, Title};
use crate::tools::args::{self, Args};
use crate::tools::bash::outcome::shown;
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, plain_preview, spec};

#[derive(Debug)]
pub struct TaskOutput;

#[derive(Debug)]
pub struct TaskStop;

#[derive(Debug, Deserialize, JsonSchema)]
struct Look {
    task_id: String,
    /// wait for its end
    #[serde(default)]
    block: bool,
    /// milliseconds to wait, at most 600000; default 30000
    timeout: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Stop {
    task_id: String,
}

const IDS: &[(&str, &str)] =
    &[("bash_id", "task_id"), ("shell_id", "task_id"), ("id", "task_id"), ("job", "task_id")];

impl Args for Look {
    const ALIASES: &'static [(&'static str, &'static str)] = IDS;
}

impl Args for Stop {
    const ALIASES: &'static [(&'static str, &'static str)] = IDS;
}

const WAIT: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(600);
/// A stopped command is gone after this: the whole kill order fits in.
const GONE: Duration = Duration::from_secs(5);

#[async_trait]
impl Tool for TaskOutput {
    fn name(&self) -> &str {
        "TaskOutput"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Look>(self.name(), "State of a background task, and its output since the last look.")
    }

    fn tidy(&self, input: Value) -> Value {
        as_text(args::tidy::<Look>(input))
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Look>(self.name(), &as_text(input.clone()))
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        Title::new("Looking at", "Looked at", object(input))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Look>(self.name(), input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: Look = match args::parse(self.name(), &as_text(input)) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        let job = match find(self.name(), &input.task_id, ctx) {
            Ok(job) => job,
            Err(outcome) => return outcome,
        };
        if input.block {
            let most = input.timeout.map_or(WAIT, Duration::from_millis).min(LONGEST);
            job.ended(most, &ctx.cancel).await;
        }
        if ctx.cancel.is_cancelled() {
            return Outcome::interrupted("Interrupted.");
        }
        seen(&job)
    }
}

#[async_trait]
impl Tool for TaskStop {
    fn name(&self) -> &str {
        "TaskStop"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Stop>(self.name(), "End a background task with everything it started.")
    }

    fn tidy(&self, input: Value) -> Value {
        as_text(args::tidy::<Stop>(input))
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        Title::new("Stopping", "Stopped", object(input))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Stop>(self.name(), input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: Stop = match args::parse(self.name(), &as_text(input)) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        let job = match find(self.name(), &input.task_id, ctx) {
            Ok(job) => job,
            Err(outcome) => return outcome,
        };
        ctx.session.jobs.stop(job.id);
        job.ended(GONE, &ctx.cancel).await;
        seen(&job)
    }
}

/// Some models write the number as a number.
fn as_text(mut input: Value) -> Value {
    if let Some(id) = input.get_mut("task_id").filter(|id| id.is_number()) {
        *id = Value::String(id.to_string());
    }
    input
}

fn object(input: &Value) -> String {
    format!("task {}", input["task_id"].as_str().unwrap_or("?"))
}

fn find(tool: &str, id: &str, ctx: &ToolCtx) -> Result<Arc<Job>, Outcome> {
    let jobs = &ctx.session.jobs;
    let number = id.trim().trim_start_matches("task ").parse().ok();
    number.and_then(|id| jobs.find(JobId(id))).ok_or_else(|| {
        let ids: Vec<String> = jobs.all().iter().map(|job| job.id.0.to_string()).collect();
        let known = match ids.as_slice() {
            [] => "None was started in this session.".to_owned(),
            ids => format!("The tasks are {}.", ids.join(", ")),
        };
        Outcome::failed(format!("{tool}: there is no task {id:?}. {known}"), "no such task")
    })
}

fn seen(job: &Job) -> Outcome {
    let state = job.state();
    let mut text = shown(&job.unread());
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match state {
        JobState::Running => {
            let seconds = job.started.elapsed().as_secs();
            if text.is_empty() {
                text.push_str("(nothing new)\n");
            }
            Outcome::done(format!("{text}[runs since {seconds} s]"), "running")
        }
        JobState::Ended(ended) => {
            job.note_told();
            let facts = jobs::facts(&ended);
            let touched: Vec<String> =
                ended.touched.iter().map(|path| path.display().to_string()).collect();
            let touched = match touched.as_slice() {
                [] => String::new(),
                names => format!("; changed meanwhile, protected files: {}", names.join(", ")),
            };
            Outcome::done(format!("{text}[{facts}{touched}]"), facts)
        }
    }
}
