//! How a command ended, for the model and for the call's line.

use std::time::Duration;

use crate::process::{End, Ended, Output};
use crate::protocol::{CallStatus, Detail};
use crate::tools::Outcome;
use crate::tools::bash::tests_passed;

/// `notes` are put after the output, in brackets.
pub(super) fn of(
    ended: &Ended,
    command: &str,
    timeout: Duration,
    mut notes: Vec<String>,
) -> Outcome {
    let seconds = seconds(ended.duration);
    let (status, code, fact) = match ended.end {
        End::Exited(0) => (CallStatus::Done, Some(0), None),
        End::Exited(code) => {
            let status = if code == 1 && says_no_by_one(command) {
                CallStatus::Done
            } else {
                CallStatus::Failed
            };
            (status, Some(code), Some(format!("exit {code}")))
        }
        End::Signalled(signal) => {
            (CallStatus::Failed, None, Some(format!("ended by signal {signal}")))
        }
        End::TimedOut => {
            (CallStatus::Failed, None, Some(format!("timed out after {} s", timeout.as_secs_f32())))
        }
        End::Cancelled => (CallStatus::Interrupted, None, Some("interrupted".to_owned())),
    };
    if let Some(fact) = &fact {
        notes.insert(0, fact.clone());
    }
    if ended.left > 0 {
        let what = if ended.left == 1 { "process goes" } else { "processes go" };
        notes.push(format!("{} {what} on in the background until the session ends", ended.left));
    }
    let output = &ended.output;
    let mut text = shown(output);
    if text.is_empty() && notes.is_empty() {
        text.push_str("(no output)");
    }
    if !notes.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text += &format!("[{}]", notes.join("; "));
    }
    let fact = tests_passed::summary(output).or(fact.filter(|_| status != CallStatus::Done));
    let facts = match fact {
        Some(fact) => format!("{fact} · {seconds}"),
        None => seconds,
    };
    Outcome {
        status,
        text,
        facts,
        detail: Detail::Command {
            code,
            duration_ms: u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
            spilled: output.spilled.as_ref().map(|path| path.display().to_string()),
        },
    }
}

/// What programs say that find no network. Not for deciding anything: a wrong guess costs a hint.
const NO_NETWORK: [&str; 12] = [
    "Could not resolve host",
    "Couldn't resolve host",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "failed to lookup address",
    "dns error",
    "EAI_AGAIN",
    "ENOTFOUND",
    "no such host",
    "nodename nor servname",
    "Could not connect to server",
];

/// Said where a command in a sandbox without a network failed for want of one.
pub(super) fn missed_network(ended: &Ended) -> Option<&'static str> {
    let failed = !matches!(ended.end, End::Exited(0));
    let output = &ended.output;
    let says = |text: &str| NO_NETWORK.iter().any(|known| text.contains(known));
    (failed && (says(&output.head) || says(&output.tail))).then_some(
        "the sandbox has no network: call again with network: true to ask the person for it",
    )
}

/// The output, with what is left out named.
pub(in crate::tools) fn shown(output: &Output) -> String {
    if output.omitted == 0 {
        return output.head.clone();
    }
    let whole = match &output.spilled {
        Some(path) if output.spill_cut => format!("; its first 64 MiB: {}", path.display()),
        Some(path) => format!("; all of it: {}", path.display()),
        None => String::new(),
    };
    let gap = if output.head.ends_with('\n') { "" } else { "\n" };
    format!(
        "{}{gap}[… {} of {} bytes left out{whole} …]\n{}",
        output.head, output.omitted, output.total, output.tail
    )
}

/// Programs for which exit code 1 is an answer, not a failure. Only a lone command counts: in a
/// longer line nobody knows whose code it was.
fn says_no_by_one(command: &str) -> bool {
    let lone = !command.trim().contains(['\n', ';', '&', '|']);
    let first = command.split_whitespace().next().unwrap_or_default();
    let first = first.rsplit('/').next().unwrap_or_default();
    let git = command.split_whitespace().take(2).eq(["git", "diff"])
        || command.split_whitespace().take(2).eq(["git", "grep"]);
    lone && (git
        || matches!(
            first,
            "grep" | "egrep" | "fgrep" | "rg" | "find" | "diff" | "cmp" | "test" | "["
        ))
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}
