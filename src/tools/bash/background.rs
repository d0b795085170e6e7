//! A command that goes on in the background.

use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::permissions::shell;
use crate::process::{Job, Running};
use crate::protocol::Detail;
use crate::tools::bash::{Input, outcome};
use crate::tools::{Outcome, ToolCtx};

/// How long a command may go on whose own time was over, from its start.
const LATE: Duration = Duration::from_secs(30 * 60);

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

/// Moved there in the middle of its run, `why` in words; with a time limit, where it has one.
pub(super) fn moved(
    running: Running,
    input: &Input,
    (scratch, timeout): (Option<NamedTempFile>, Option<Duration>),
    why: &str,
    ctx: &ToolCtx,
) -> Outcome {
    let elapsed = running.elapsed();
    let jobs = &ctx.session.jobs;
    let job = jobs.adopt(running, &input.command, timeout, scratch, &ctx.session.mark);
    let so_far = outcome::shown(&job.unread());
    let gap = if so_far.is_empty() || so_far.ends_with('\n') { "" } else { "\n" };
    let text =
        format!("{so_far}{gap}[{why}, where it goes on as task {}. {}]", job.id.0, how(&job));
    Outcome::done(text, format!("in the background as task {}", job.id.0)).with(Detail::Command {
        code: None,
        duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        spilled: None,
    })
}

/// Moved there because its time is over: what it has done so far is not lost.
pub(super) fn late(
    running: Running,
    input: &Input,
    scratch: Option<NamedTempFile>,
    timeout: Duration,
    ctx: &ToolCtx,
) -> Outcome {
    let why = format!(
        "not done after {} s and moved to the background for {} min at most",
        timeout.as_secs_f32(),
        LATE.as_secs() / 60
    );
    moved(running, input, (scratch, Some(LATE)), &why, ctx)
}

/// Whether going on is of use: not where it only waits, not for git, whose locks would stay, and
/// not where it is unclear what runs.
pub(super) fn may_go_on(command: &str) -> bool {
    let script = shell::read(command, Path::new("/"));
    let waits = |part: &shell::Part| match part.words.first().map(shell::Word::shape) {
        Some(shell::Shape::Plain { text, .. }) => {
            let name = text.rsplit('/').next().unwrap_or_default();
            matches!(name, "sleep" | "git" | "wait" | "read" | "tail")
        }
        Some(_) => true,
        None => false,
    };
    script.doubt.is_none() && !script.parts.iter().any(waits)
}

fn how(job: &Job) -> String {
    let id = job.id.0;
    format!(
        "You are told when it ends. Its output: UseTool {{\"name\": \"TaskOutput\", \"input\": \
         {{\"task_id\": \"{id}\"}}}}; TaskStop with the same input ends it."
    )
}
