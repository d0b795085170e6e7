//! The question about one call: shown with a preview, answered by the person, a rule or an
//! interrupt. A command that the person changes is judged anew, as it will run.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::Answer;
use crate::agent::confinement;
use crate::agent::dispatch::{Call, denied, interrupted};
use crate::agent::gate::{Gate, Passed, sentence};
use crate::agent::hooking;
use crate::agent::shared::{Shared, lock};
use crate::permissions::Verdict;
use crate::protocol::{ChangedHunk, Closed, Decision, Event, Preview, Request, Ruling};
use crate::tools::{Approved, Prepared, Tool, ToolCtx};

/// What does not change while a call is asked about.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub gate: &'a Gate,
    pub shared: &'a Shared,
    pub tool: &'a dyn Tool,
    pub ctx: &'a ToolCtx,
    pub cancel: &'a CancellationToken,
}

pub async fn ask(asking: Asking<'_>, call: &Call, verdict: Verdict) -> Passed {
    let Asking { gate, shared, tool, ctx, cancel } = asking;
    // A call that cannot work is answered at once: nobody needs to be asked about it.
    let Prepared { preview, base, note } = match tool.preview(&call.input, ctx).await {
        Ok(prepared) => prepared,
        Err(outcome) => return Passed::No(outcome),
    };
    let (id, answer) = gate.approvals.open(shared.who(), &call.tool, &call.input);
    // Only commands run in it.
    let confined = matches!(preview, Preview::Command { .. });
    let (sandbox, offers_network) = {
        let session = lock(&shared.session);
        let sandbox = confined.then(|| confinement::badge(&session.confinement));
        (sandbox, confined && confinement::cuts_network(&session.confinement))
    };
    let request = Request {
        id,
        call: call.id.clone(),
        tool: call.tool.clone(),
        preview,
        parts: verdict.parts,
        because: match note {
            Some(note) => format!("{} {note}", sentence(&verdict.because)),
            None => verdict.because,
        },
        rule: verdict.rule,
        suggestions: match gate.rules.managed().own_rules() {
            Ok(()) => verdict.suggestions,
            Err(_) => Vec::new(),
        },
        reason: call.input.get("description").and_then(Value::as_str).map(str::to_owned),
        sandbox,
        offers_network: offers_network && !wants_network(call),
    };
    shared.emit(Event::PermissionAsked { request: Box::new(request) }).await;
    let waiting = async {
        tokio::select! {
            answer = answer => answer.ok(),
            () = cancel.cancelled() => None,
        }
    };
    let notice = format!("tern asks for permission to use {}", call.tool);
    let answer = hooking::while_waiting(shared, &notice, cancel, waiting).await;
    let closed = |by| Event::PermissionClosed { request: id, by };
    let approved =
        Approved { base: Some(base), network: wants_network(call), ..Approved::default() };
    let decision = match answer {
        None => {
            gate.approvals.withdraw(id);
            shared.emit(closed(Closed::Interrupt)).await;
            return Passed::No(interrupted());
        }
        Some(Answer::Rule(rule)) => {
            shared.emit(closed(Closed::Rule { rule })).await;
            return Passed::Yes(approved);
        }
        Some(Answer::Person(decision)) => decision,
    };
    shared.emit(closed(Closed::Answer { decision: decision.clone() })).await;
    match decision {
        Decision::Once | Decision::Rules { .. } => Passed::Yes(approved),
        Decision::Network => Passed::Yes(Approved { network: true, ..approved }),
        Decision::Hunks { kept, changed } => {
            Passed::Yes(Approved { hunks: Some(only_kept(kept, &changed)), changed, ..approved })
        }
        Decision::Command { command } => Box::pin(changed(asking, call, command)).await,
        Decision::Deny { message } => Passed::No(denied("the user said no.", message.as_deref())),
    }
}

/// A hunk with other text is one that is kept.
fn only_kept(mut kept: Vec<usize>, changed: &[ChangedHunk]) -> Vec<usize> {
    kept.extend(changed.iter().map(|change| change.hunk));
    kept
}

/// Whether the call itself asks for the network that the sandbox keeps from commands.
pub fn wants_network(call: &Call) -> bool {
    call.tool == "Bash" && call.input.get("network").and_then(Value::as_bool) == Some(true)
}

/// The command as the person has written it: it passes hooks and rules like one of the model's, and
/// is shown once more where those say so.
async fn changed(asking: Asking<'_>, call: &Call, command: String) -> Passed {
    let Asking { gate, shared, cancel, .. } = asking;
    let mut call = call.clone();
    if let Some(field) = call.input.get_mut("command") {
        *field = command.into();
    }
    let before = hooking::before_call(shared, &call, cancel).await;
    let call = before.call;
    let verdict = gate.verdict(shared, &call, before.ruling).await;
    let passed = match verdict.decision {
        Ruling::Allow => {
            Passed::Yes(Approved { network: wants_network(&call), ..Approved::default() })
        }
        Ruling::Deny => {
            let because =
                format!("as the user changed the command, {}", sentence(&verdict.because));
            return Passed::No(denied(&because, None));
        }
        Ruling::Ask => ask(asking, &call, verdict).await,
    };
    match passed {
        // The last version counts, where it was changed more than once.
        Passed::Yes(approved) => Passed::Yes(Approved {
            input: approved.input.clone().or_else(|| Some(call.input.clone())),
            ..approved
        }),
        Passed::No(outcome) => Passed::No(outcome),
    }
}
