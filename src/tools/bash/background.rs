//! A command that goes on in the background.

use std::time::Duration;

use tempfile::NamedTempFile;

use crate::process::{Job, Running};
use crate::protocol::Detail;
use crate::tools::bash::{Input, outcome};
use crate::tools::{Outcome, ToolCtx};

/// Begun there. Without a time limit of its own it ends with the session.
pub(super) fn started(
    running: Running,
    input: &Input,
    timeout: Option<Duration>,
    ctx: &ToolCtx,
) -> Outcome {
    let jobs = &ctx.session.jobs;
    let job = jobs.adopt(running, &input.command, timeout, None, &ctx.session.mark);
    Outcome::done(
        format!("Runs in the background as task {}. {}", job.id.0, how(&job)),
        format!("task {}", job.id.0),
    )
}

/// Moved there by the person.
pub(super) fn moved(
    running: Running,
    input: &Input,
    scratch: Option<NamedTempFile>,
    ctx: &ToolCtx,
) -> Outcome {
    let elapsed = running.elapsed();
    let jobs = &ctx.session.jobs;
    let job = jobs.adopt(running, &input.command, None, scratch, &ctx.session.mark);
    let so_far = outcome::shown(&job.unread());
    let gap = if so_far.is_empty() || so_far.ends_with('\n') { "" } else { "\n" };
    let text = format!(
        "{so_far}{gap}[the user moved it to the background, where it goes on as task {}. {}]",
        job.id.0,
        how(&job)
    );
    Outcome::done(text, format!("in the background as task {}", job.id.0)).with(Detail::Command {
        code: None,
        duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        spilled: None,
    })
}

fn how(job: &Job) -> String {
    let id = job.id.0;
    format!(
        "You are told when it ends. Its output: UseTool {{\"name\": \"TaskOutput\", \"input\": \
         {{\"task_id\": \"{id}\"}}}}; TaskStop with the same input ends it."
    )
}
