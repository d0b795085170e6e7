//! Between a call and its tool: the permission layer's verdict and, where that is a question, the
//! person's answer.
//!
//! *Invariants:* nothing passes without a verdict of `permissions::check`; a question shows a
//! preview computed for it, and what was shown is bound to the call; an interrupt while waiting is
//! an interrupt, never a denial; with no one to ask, a question counts as a denial.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::{Answer, Approvals};
use crate::agent::confinement;
use crate::agent::dispatch::{Call, denied, interrupted};
use crate::agent::hooking;
use crate::agent::rules::Standing;
use crate::agent::shared::{Shared, lock};
use crate::permissions::check::check;
use crate::permissions::facts::HookRuling;
use crate::permissions::{Verdict, access, facts};
use crate::protocol::{Closed, Decision, Event, Mode, Preview, Request, Ruling, Source};
use crate::tools::{Approved, Outcome, Prepared, Tool, ToolCtx};

#[derive(Debug)]
pub struct Gate {
    pub approvals: Approvals,
    pub rules: Standing,
    can_ask: bool,
    denied_in_a_row: AtomicU32,
}

/// Whether a call may run.
#[derive(Debug)]
pub enum Passed {
    Yes(Approved),
    No(Outcome),
}

impl Gate {
    pub fn new(rules: Standing, can_ask: bool) -> Gate {
        Gate { approvals: Approvals::default(), rules, can_ask, denied_in_a_row: AtomicU32::new(0) }
    }

    pub fn mode(&self) -> Mode {
        self.rules.mode()
    }

    pub fn can_ask(&self) -> bool {
        self.can_ask
    }

    /// Denials since the last call that ran.
    pub fn denied_in_a_row(&self) -> u32 {
        self.denied_in_a_row.load(Ordering::Relaxed)
    }

    /// Whether the call only reads, so that it may run beside others without a question.
    pub async fn only_reads(&self, shared: &Shared, call: &Call) -> bool {
        let verdict = self.judge(shared, &call.tool, &call.input).await;
        verdict.decision == Ruling::Allow && verdict.source == Some(Source::BuiltIn)
    }

    pub async fn pass(
        &self,
        shared: &Shared,
        call: &Call,
        tool: &dyn Tool,
        ctx: &ToolCtx,
        hook: Option<HookRuling>,
        cancel: &CancellationToken,
    ) -> Passed {
        let asks = matches!(hook, Some(HookRuling::Ask { .. }));
        let mut verdict = self.judge_with(shared, &call.tool, &call.input, hook).await;
        if verdict.decision == Ruling::Ask
            && let Some(hook) =
                hooking::before_question(shared, call, &verdict.because, cancel).await
            && !(asks && hook == HookRuling::Allow)
        {
            verdict = self.judge_with(shared, &call.tool, &call.input, Some(hook)).await;
        }
        let passed = match verdict.decision {
            Ruling::Allow => Passed::Yes(Approved::default()),
            Ruling::Deny => Passed::No(denied(&verdict.because, None)),
            Ruling::Ask if !self.can_ask => {
                let because =
                    format!("{} Nobody is there to be asked.", sentence(&verdict.because));
                Passed::No(denied(&because, None))
            }
            Ruling::Ask => self.ask(shared, call, tool, ctx, verdict, cancel).await,
        };
        match &passed {
            Passed::Yes(_) => self.denied_in_a_row.store(0, Ordering::Relaxed),
            Passed::No(outcome) if outcome.status == crate::protocol::CallStatus::Denied => {
                self.denied_in_a_row.fetch_add(1, Ordering::Relaxed);
            }
            Passed::No(_) => {}
        }
        passed
    }

    async fn ask(
        &self,
        shared: &Shared,
        call: &Call,
        tool: &dyn Tool,
        ctx: &ToolCtx,
        verdict: Verdict,
        cancel: &CancellationToken,
    ) -> Passed {
        // A call that cannot work is answered at once: nobody needs to be asked about it.
        let Prepared { preview, base, note } = match tool.preview(&call.input, ctx).await {
            Ok(prepared) => prepared,
            Err(outcome) => return Passed::No(outcome),
        };
        let (id, answer) = self.approvals.open(&call.tool, &call.input);
        // Only commands run in it.
        let confined = matches!(preview, Preview::Command { .. });
        let sandbox = confined.then(|| confinement::badge(&lock(&shared.session).confinement));
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
            suggestions: match self.rules.managed().own_rules() {
                Ok(()) => verdict.suggestions,
                Err(_) => Vec::new(),
            },
            reason: call.input.get("description").and_then(Value::as_str).map(str::to_owned),
            sandbox,
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
        let approved = |hunks| Approved { base: Some(base.clone()), hunks };
        match answer {
            None => {
                self.approvals.withdraw(id);
                shared.emit(closed(Closed::Interrupt)).await;
                Passed::No(interrupted())
            }
            Some(Answer::Rule(rule)) => {
                shared.emit(closed(Closed::Rule { rule })).await;
                Passed::Yes(approved(None))
            }
            Some(Answer::Person(decision)) => {
                shared.emit(closed(Closed::Answer { decision: decision.clone() })).await;
                match decision {
                    Decision::Once | Decision::Rules { .. } => Passed::Yes(approved(None)),
                    Decision::Hunks { kept } => Passed::Yes(approved(Some(kept))),
                    Decision::Deny { message } => {
                        Passed::No(denied("the user said no.", message.as_deref()))
                    }
                }
            }
        }
    }

    /// The rule that lets this call through now, if one does.
    pub async fn covered(&self, shared: &Shared, tool: &str, input: &Value) -> Option<String> {
        let verdict = self.judge(shared, tool, input).await;
        (verdict.decision == Ruling::Allow)
            .then(|| verdict.rule.map_or_else(|| verdict.because.clone(), |rule| rule.value))
    }

    /// Whether the call may run without a question; if not, why, in a sentence.
    pub async fn unasked(&self, shared: &Shared, tool: &str, input: &Value) -> Result<(), String> {
        let verdict = self.judge(shared, tool, input).await;
        match verdict.decision {
            Ruling::Allow => Ok(()),
            Ruling::Ask | Ruling::Deny => Err(verdict.because),
        }
    }

    async fn judge(&self, shared: &Shared, tool: &str, input: &Value) -> Verdict {
        self.judge_with(shared, tool, input, None).await
    }

    /// Looks at the file system on a thread of its own: a slow disk must not hold up the screen.
    async fn judge_with(
        &self,
        shared: &Shared,
        tool: &str,
        input: &Value,
        hook: Option<HookRuling>,
    ) -> Verdict {
        if let Some(problem) = self.rules.managed().broken {
            return Verdict::broken_policy(&problem.to_string());
        }
        let mut policy = self.rules.policy();
        // A command starts where the last `cd` of the shell has led; files count from the session's
        // own folder.
        if tool == "Bash" {
            policy.cwd = lock(&shared.session).shell_dir(&policy.cwd);
        }
        let (tool, input) = (tool.to_owned(), input.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let access = access::of(&tool, &input, &policy.cwd);
            let mut facts = facts::gather(&access, &policy);
            facts.hook = hook;
            check(&access, &policy, &facts)
        });
        // A panic inside the permission layer must not become a permission.
        judged.await.unwrap_or_else(|_| broken())
    }
}

fn broken() -> Verdict {
    Verdict {
        decision: Ruling::Ask,
        because: "tern could not work out what this call would do".to_owned(),
        rule: None,
        source: Some(Source::BuiltIn),
        parts: Vec::new(),
        suggestions: Vec::new(),
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
