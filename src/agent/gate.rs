//! Between a call and its tool: the permission layer's verdict and, where that is a question, the
//! person's answer.
//!
//! *Invariants:* nothing passes without a verdict of `permissions::check`; a question shows a
//! preview computed for it, and what was shown is bound to the call; an interrupt while waiting is
//! an interrupt, never a denial; with no one to ask, a question counts as a denial.

use std::sync::Mutex;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::Approvals;
use crate::agent::asked::{self, Asking};
use crate::agent::confinement;
use crate::agent::dispatch::{Call, DENIED, denied};
use crate::agent::hooking;
use crate::agent::rules::Standing;
use crate::agent::shared::{Shared, lock};
use crate::permissions::check::check;
use crate::permissions::denials::Denials;
use crate::permissions::facts::HookRuling;
use crate::permissions::{Verdict, access, facts};
use crate::protocol::{CallStatus, DenialInfo, Event, Level, Mode, Ruling, Source};
use crate::tools::{Approved, Outcome, Tool, ToolCtx};

#[derive(Debug)]
pub struct Gate {
    pub approvals: Approvals,
    pub rules: Standing,
    can_ask: bool,
    pub denials: Mutex<Denials>,
}

/// Whether a call may run.
#[derive(Debug)]
pub enum Passed {
    Yes(Approved),
    No(Outcome),
}

impl Gate {
    pub fn new(rules: Standing, can_ask: bool) -> Gate {
        Gate { approvals: Approvals::default(), rules, can_ask, denials: Mutex::default() }
    }

    pub fn mode(&self) -> Mode {
        self.rules.mode()
    }

    pub fn can_ask(&self) -> bool {
        self.can_ask
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
        let mut verdict = self.verdict(shared, call, hook).await;
        if verdict.decision == Ruling::Ask
            && let Some(hook) =
                hooking::before_question(shared, call, &verdict.because, cancel).await
            && !(asks && hook == HookRuling::Allow)
        {
            verdict = self.verdict(shared, call, Some(hook)).await;
        }
        // What dontAsk refuses could still be asked about.
        let by_mode = verdict.source.is_none() && self.mode() == Mode::DontAsk;
        let firm = verdict.decision == Ruling::Deny && !by_mode;
        let passed = match verdict.decision {
            Ruling::Allow => {
                Passed::Yes(Approved { network: asked::wants_network(call), ..Approved::default() })
            }
            Ruling::Deny => Passed::No(denied(&verdict.because, None)),
            Ruling::Ask if !self.can_ask => {
                let because =
                    format!("{} Nobody is there to be asked.", sentence(&verdict.because));
                Passed::No(denied(&because, None))
            }
            Ruling::Ask => {
                let asking = Asking { gate: self, shared, tool, ctx, cancel };
                asked::ask(asking, call, verdict).await
            }
        };
        self.count(shared, call, tool, (&passed, firm));
        self.back_to_asking(shared).await;
        passed
    }

    /// `firm`: a denial that the person could not have turned.
    fn count(
        &self,
        shared: &Shared,
        call: &Call,
        tool: &dyn Tool,
        (passed, firm): (&Passed, bool),
    ) {
        let mut denials = lock(&self.denials);
        denials.was_asked_again(&call.tool, &call.input);
        match passed {
            Passed::Yes(_) => denials.allowed(),
            Passed::No(outcome) if outcome.status == CallStatus::Denied => {
                let because = outcome.text.lines().next().unwrap_or_default();
                let denial = DenialInfo {
                    call: call.id.clone(),
                    tool: call.tool.clone(),
                    what: tool.title(&call.input, &shared.cwd()).object,
                    because: because.strip_prefix(DENIED).unwrap_or(because).to_owned(),
                    firm,
                };
                denials.denied(denial, &call.input);
            }
            Passed::No(_) => {}
        }
    }

    /// A mode that refuses instead of asking has said no so often that someone should be asked.
    async fn back_to_asking(&self, shared: &Shared) {
        if !self.can_ask || self.mode() != Mode::DontAsk {
            return;
        }
        let Some(why) = lock(&self.denials).too_many() else { return };
        lock(&self.denials).asked();
        if self.rules.set_mode(Mode::Default).is_ok() {
            shared.emit(Event::ModeSet { mode: Mode::Default }).await;
            let text = format!(
                "{why}: back to asking, in mode default. /mode dontAsk refuses again; /permissions shows them."
            );
            shared.notice(Level::Info, text).await;
        }
    }

    /// The mode that the call is judged in: where the person wants to be asked about it, one that
    /// asks.
    fn mode_for(&self, shared: &Shared, tool: &str, input: &Value) -> Mode {
        match shared.mode() {
            Mode::DontAsk if lock(&self.denials).is_asked_again(tool, input) => Mode::Default,
            mode => mode,
        }
    }

    /// What the permission layer says of the call, and then whether it may have the network that
    /// the sandbox keeps from commands: only where everything may run unasked, or by the person.
    pub async fn verdict(&self, shared: &Shared, call: &Call, hook: Option<HookRuling>) -> Verdict {
        let verdict = self.judge_with(shared, &call.tool, &call.input, hook).await;
        let cut = confinement::cuts_network(&lock(&shared.session).confinement);
        if verdict.decision != Ruling::Allow || !asked::wants_network(call) || !cut {
            return verdict;
        }
        let decision = match self.mode_for(shared, &call.tool, &call.input) {
            Mode::BypassPermissions => return verdict,
            Mode::DontAsk => Ruling::Deny,
            Mode::Default | Mode::AcceptEdits | Mode::Plan => Ruling::Ask,
        };
        Verdict {
            decision,
            because: "it wants the network, which the sandbox keeps from commands".to_owned(),
            rule: None,
            source: Some(Source::BuiltIn),
            suggestions: Vec::new(),
            ..verdict
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
        policy.mode = self.mode_for(shared, tool, input);
        if shared.lineage.is_some_and(|lineage| lineage.apart) {
            policy.cwd = shared.cwd();
        }
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

pub fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
