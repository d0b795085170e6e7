//! Runs the tool calls of one answer: neighbours that only read run together, a call that changes
//! something runs alone and in its place; results come back in the order of the calls.
//!
//! *Invariant:* every call gets exactly one result, whatever happens to it: done, failed, denied,
//! interrupted, or a panic inside the tool. The history stays valid for the next request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::gate::Passed;
use crate::agent::hooking::{self, Before};
use crate::agent::shared::Shared;
use crate::agent::undo::Kept;
use crate::permissions::access;
use crate::protocol::{CallId, CallResult, CallStatus, Detail, Event, Title};
use crate::tools::{Class, Outcome, Tool, ToolCtx};

/// A call as the model made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub id: CallId,
    pub tool: String,
    pub input: Value,
    /// Set where the input is not JSON; such a call is answered, not run.
    pub malformed: Option<String>,
}

impl Call {
    /// `malformed`: what is wrong with its input. The call is known by the tool that is meant.
    pub fn new(id: CallId, tool: &str, input: &Value, malformed: Option<String>) -> Call {
        let (tool, input) = match &malformed {
            Some(_) => (tool.to_owned(), input.clone()),
            None => access::meant(tool, input),
        };
        Call { id, tool, input, malformed }
    }
}

/// Readers at work at the same time; more would only compete for the disk.
const READERS: usize = 8;

/// One result for each call, in order. `on_start` and `on_end` write the log: a call's intent
/// before it runs, its result after.
pub async fn run(
    shared: &Arc<Shared>,
    calls: &[Call],
    cancel: &CancellationToken,
    journal: &mut impl Journal,
) -> Vec<CallResult> {
    let calls = &*calls.iter().map(|call| tidied(shared, call)).collect::<Vec<Call>>();
    for call in calls {
        shared
            .emit(Event::CallQueued {
                call: call.id.clone(),
                tool: call.tool.clone(),
                title: title(shared, call),
                input: call.input.clone(),
            })
            .await;
    }
    let mut results = Vec::with_capacity(calls.len());
    let mut rest = calls;
    while let Some(first) = rest.first() {
        let readers = readers(shared, rest).await;
        if readers > 1 {
            let (group, after) = rest.split_at(readers);
            for call in group {
                journal.intent(shared, call, title(shared, call), false).await;
            }
            let started: Vec<_> = group
                .iter()
                .enumerate()
                .map(async |(at, call)| (at, one(shared, call, cancel, None).await))
                .collect();
            let mut running = stream::iter(started).buffer_unordered(READERS);
            let mut ended = Vec::with_capacity(group.len());
            while let Some((at, result)) = running.next().await {
                end(shared, journal, &group[at].id, &result).await;
                ended.push((at, result));
            }
            ended.sort_by_key(|(at, _)| *at);
            results.extend(ended.into_iter().map(|(_, result)| result));
            rest = after;
        } else {
            journal.intent(shared, first, title(shared, first), readers == 0).await;
            let keeper: Option<&mut dyn Journal> = if readers == 0 { Some(journal) } else { None };
            let result = one(shared, first, cancel, keeper).await;
            end(shared, journal, &first.id, &result).await;
            results.push(result);
            rest = &rest[1..];
        }
    }
    journal.adopt(shared).await;
    results
}

/// A result is in the log before anybody is shown it.
async fn end(shared: &Shared, journal: &mut impl Journal, call: &CallId, result: &CallResult) {
    journal.result(shared, call, result).await;
    shared.emit(Event::CallEnded { call: call.clone(), result: result.clone() }).await;
}

/// Where intents and results are written down.
#[async_trait::async_trait]
pub trait Journal: Send {
    /// Returns once the intent is on disk; durable (fsync) where the call may change something.
    async fn intent(&mut self, shared: &Shared, call: &Call, title: Title, changes: bool);
    async fn result(&mut self, shared: &Shared, call: &CallId, result: &CallResult);
    /// Keeps what the call may change; it runs next.
    async fn keep(&mut self, shared: &Shared, call: &Call, tool: &dyn Tool) -> Kept;
    /// Takes over what sub-agents have kept and noted.
    async fn adopt(&mut self, shared: &Shared);
    /// Notes what it has changed.
    async fn kept(&mut self, shared: &Shared, call: &Call, kept: Kept);
}

/// `keeper`: for a call that may change files.
async fn one(
    shared: &Arc<Shared>,
    call: &Call,
    cancel: &CancellationToken,
    keeper: Option<&mut dyn Journal>,
) -> CallResult {
    let outcome = attempt(shared, call, cancel, keeper).await;
    CallResult {
        status: outcome.status,
        text: outcome.text,
        facts: outcome.facts,
        detail: outcome.detail,
    }
}

async fn attempt(
    shared: &Arc<Shared>,
    call: &Call,
    cancel: &CancellationToken,
    keeper: Option<&mut dyn Journal>,
) -> Outcome {
    if cancel.is_cancelled() {
        return interrupted();
    }
    if let Some(why) = &call.malformed {
        return Outcome::failed(
            format!("The input of this call is not valid JSON: {why}. Send the call again."),
            "malformed input",
        );
    }
    let Some(tool) = shared.tool(&call.tool) else {
        return Outcome::failed(
            format!(
                "There is no tool named {:?}. The tools are: {}.",
                call.tool,
                shared.tools.names().join(", ")
            ),
            "no such tool",
        );
    };
    let (output, pieces) = mpsc::channel(64);
    let mut ctx = shared.call_ctx(&call.id, cancel.child_token(), output);
    let Before { call, ruling, context } = hooking::before_call(shared, call, cancel).await;
    let mut call = call;
    match shared.gate.pass(shared, &call, tool.as_ref(), &ctx, ruling, cancel).await {
        Passed::Yes(approved) => ctx.approved = approved,
        Passed::No(outcome) => return outcome,
    }
    let changed = ctx.approved.input.take();
    if let Some(input) = &changed {
        call.input = tool.tidy(input.clone());
        let (id, title) = (call.id.clone(), title(shared, &call));
        shared.emit(Event::CallChanged { call: id, title, input: call.input.clone() }).await;
    }
    let call = &call;
    shared.emit(Event::CallStarted { call: call.id.clone() }).await;
    let mut outcome = match keeper {
        None => run_tool(shared, call, tool.clone(), ctx, pieces, cancel).await,
        Some(keeper) => {
            // Not earlier: while the person was asked, the file may have changed.
            let kept = keeper.keep(shared, call, tool.as_ref()).await;
            let outcome = run_tool(shared, call, tool.clone(), ctx, pieces, cancel).await;
            keeper.kept(shared, call, kept).await;
            outcome
        }
    };
    if changed.is_some() {
        let command = call.input["command"].as_str().unwrap_or_default();
        outcome.text =
            format!("The user changed the command. What ran is:\n{command}\n\n{}", outcome.text);
    }
    let outcome = note_others(shared, call, tool.as_ref(), outcome);
    hooking::after_call(shared, call, context, outcome, cancel).await
}

/// Two agents that change one file are told of each other.
fn note_others(shared: &Shared, call: &Call, tool: &dyn Tool, mut outcome: Outcome) -> Outcome {
    if outcome.status == CallStatus::Done
        && let Some(file) = tool.target(&call.input, &shared.cwd())
        && let Some(other) = shared.agents.wrote(shared.who(), &file)
    {
        outcome.text.push_str(&format!("\n(tern: {other} has changed this file, too.)"));
    }
    outcome
}

/// A call that no model has made, shown like any other.
pub async fn aside(shared: &Arc<Shared>, call: &Call, cancel: &CancellationToken) -> CallResult {
    shared
        .emit(Event::CallQueued {
            call: call.id.clone(),
            tool: call.tool.clone(),
            title: title(shared, call),
            input: call.input.clone(),
        })
        .await;
    one(shared, call, cancel, None).await
}

/// How long a cancelled tool may take to tidy up before it is left behind. Longer than the whole
/// SIGINT, SIGTERM, SIGKILL ladder of `process`.
const TIDY_UP: Duration = Duration::from_secs(5);

async fn run_tool(
    shared: &Shared,
    call: &Call,
    tool: Arc<dyn Tool>,
    ctx: ToolCtx,
    mut pieces: mpsc::Receiver<String>,
    cancel: &CancellationToken,
) -> Outcome {
    let input = call.input.clone();
    let name = call.tool.clone();
    // The task owns `ctx` and with it the only sender of `pieces`: when the tool ends, so does the
    // stream of pieces.
    let mut task =
        tokio::spawn(async move { AssertUnwindSafe(tool.run(input, &ctx)).catch_unwind().await });
    let abort = task.abort_handle();
    let overdue = async {
        cancel.cancelled().await;
        tokio::time::sleep(TIDY_UP).await;
    };
    tokio::pin!(overdue);
    let mut open = true;
    let ended = loop {
        tokio::select! {
            piece = pieces.recv(), if open => match piece {
                Some(text) => {
                    shared.emit(Event::CallOutput { call: call.id.clone(), text }).await;
                }
                None => open = false,
            },
            ended = &mut task => break ended,
            () = &mut overdue => {
                abort.abort();
                return interrupted();
            }
        }
    };
    match ended {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => {
            tracing::error!(tool = %name, "a tool panicked");
            Outcome::failed(
                format!("The tool {name} crashed. That is a defect of tern, not of the call."),
                "crashed",
            )
        }
    }
}

/// How many calls from the first on may run together.
async fn readers(shared: &Shared, calls: &[Call]) -> usize {
    let mut readers = 0;
    for call in calls {
        if class(shared, call).await != Class::ReadOnly {
            break;
        }
        readers += 1;
    }
    readers
}

pub async fn class(shared: &Shared, call: &Call) -> Class {
    match shared.tool(&call.tool) {
        // Nothing runs for these, so nothing needs to wait for them.
        None => Class::ReadOnly,
        Some(_) if call.malformed.is_some() => Class::ReadOnly,
        Some(tool) if tool.class(&call.input) == Class::ReadOnly => Class::ReadOnly,
        // A command that the permission layer knows to be read-only may run beside others, too.
        Some(_) if call.tool == "Bash" && shared.gate.only_reads(shared, call).await => {
            Class::ReadOnly
        }
        Some(_) => Class::Mutating,
    }
}

/// What is titled, judged, shown and run is one value: the input with the schema's own names.
fn tidied(shared: &Shared, call: &Call) -> Call {
    let mut call = call.clone();
    if let Some(tool) = shared.tool(&call.tool).filter(|_| call.malformed.is_none()) {
        call.input = tool.tidy(call.input);
    }
    call
}

fn title(shared: &Shared, call: &Call) -> Title {
    match shared.tool(&call.tool) {
        Some(tool) => tool.title(&call.input, &shared.cwd()),
        None => Title::new("Calling", "Called", &*call.tool),
    }
}

pub fn interrupted() -> Outcome {
    Outcome::interrupted("Interrupted by the user before it was done.")
}

/// What the text of a denial begins with.
pub const DENIED: &str = "Denied: ";

/// The model is told plainly, so that it can go another way.
pub fn denied(because: &str, message: Option<&str>) -> Outcome {
    let mut text = format!("{DENIED}{because}");
    if let Some(message) = message.map(str::trim).filter(|message| !message.is_empty()) {
        text.push_str("\nThe user says: ");
        text.push_str(message);
    }
    Outcome { status: CallStatus::Denied, text, facts: "denied".to_owned(), detail: Detail::Text }
}
