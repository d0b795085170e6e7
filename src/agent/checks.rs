//! What the person wants run after changes of files: a formatter, a linter, tests. Each is shown like
//! a call; a failure goes to the model, which is sent back to work a few times at most.
//!
//! *Invariant:* a check runs only where the folder that names it is trusted, and none that the policy
//! forbids: it is a program like a hook.

use tokio_util::sync::CancellationToken;

use crate::agent::shared::Shared;
use crate::config::Check;
use crate::process::{End, Exchange, Exchanged, exchange, shell};
use crate::protocol::{CallId, CallResult, CallStatus, Detail, Event, Level, Sourced, Title};
use crate::text::clip;

/// How often in a turn the model is told of failures.
const MOST: u32 = 3;
/// Lines at both ends of an output that the model gets.
const HEAD: usize = 40;
const TAIL: usize = 80;
/// Bytes of an output that are read, and of a line that are kept.
const READ: usize = 1 << 20;
const LINE: usize = 500;

/// What was checked in this turn.
#[derive(Debug, Default)]
pub struct Checked {
    /// Changes of files that the last checks have seen.
    edits: u32,
    told: u32,
}

impl Checked {
    /// Runs the checks where files have changed since they last ran; `edits` counts the turn's
    /// changes. What the model is told, where it is not done.
    pub async fn after(
        &mut self,
        shared: &Shared,
        edits: u32,
        cancel: &CancellationToken,
    ) -> Option<String> {
        if edits == self.edits || shared.agent.is_some() {
            return None;
        }
        self.edits = edits;
        for check in shared.hooking.checks(shared) {
            let Some(output) = run(shared, check, cancel).await else { continue };
            if cancel.is_cancelled() {
                return None;
            }
            let Check { name, command, .. } = &check.value;
            // Whatever comes after it would only fail for the same reason.
            if self.told == MOST {
                let text = format!("{name} still fails after {MOST} tries: {command}");
                shared.notice(Level::Warning, text).await;
                return None;
            }
            self.told += 1;
            return Some(format!(
                "(tern: your changes do not pass this project's {name} check, `{command}`. Mend \
                 that, or say why it cannot be mended. Its output:\n{output})"
            ));
        }
        None
    }
}

/// Runs one and shows it. `None`: it passed, or could not run; else what it said.
async fn run(
    shared: &Shared,
    check: &Sourced<Check>,
    cancel: &CancellationToken,
) -> Option<String> {
    let Check { name, command, timeout } = &check.value;
    let (argv, most) = (shell(command, None), READ);
    let spec = Exchange { argv, most, ..shared.hooking.exchange(*timeout) };
    let call = CallId(format!("check-{}", spec.run));
    let title = Title::new("Checking", "Checked", command.clone());
    let input = serde_json::json!({ "check": name, "command": command });
    let tool = "Check".to_owned();
    shared.emit(Event::CallQueued { call: call.clone(), tool, title, input }).await;
    shared.emit(Event::CallStarted { call: call.clone() }).await;
    let began = tokio::time::Instant::now();
    let ended = exchange(spec, cancel).await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let seconds = format!("{:.1} s", began.elapsed().as_secs_f64());
    let (status, facts, code, output) = match ended {
        Ok(exchanged) => {
            let output = said(&exchanged);
            let (status, facts, code) = match exchanged.end {
                End::Exited(0) => (CallStatus::Done, format!("{name} passed · {seconds}"), Some(0)),
                End::Exited(code) => {
                    (CallStatus::Failed, format!("{name} failed · {seconds}"), Some(code))
                }
                End::Signalled(_) => (CallStatus::Failed, format!("{name} was killed"), None),
                End::TimedOut => {
                    (CallStatus::Failed, format!("{name} took longer than {seconds}"), None)
                }
                End::Cancelled => (CallStatus::Interrupted, String::new(), None),
            };
            (status, facts, code, output)
        }
        Err(error) => {
            (CallStatus::Failed, format!("{name} did not start"), None, error.to_string())
        }
    };
    let detail = Detail::Command { code, duration_ms, spilled: None };
    let result = CallResult { status, text: output.clone(), facts, detail };
    shared.emit(Event::CallEnded { call, result }).await;
    (status == CallStatus::Failed).then_some(output)
}

/// Both outputs, the middle left out where they are long.
fn said(exchanged: &Exchanged) -> String {
    let all = format!("{}{}", exchanged.stdout, exchanged.stderr);
    let lines: Vec<&str> = all.lines().collect();
    let cut = |line: &&str| line[..line.floor_char_boundary(LINE.min(line.len()))].to_owned();
    match clip::ends(lines.len(), HEAD, TAIL) {
        None => lines.iter().map(cut).collect::<Vec<_>>().join("\n"),
        Some(ends) => {
            let gap = format!("({} lines left out)", ends.hidden);
            let head = lines[ends.head].iter().map(cut);
            let tail = lines[ends.tail].iter().map(cut);
            head.chain([gap]).chain(tail).collect::<Vec<_>>().join("\n")
        }
    }
}
