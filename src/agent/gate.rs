//! Between a call and its tool: the permission layer's verdict and, where that is a question, the
//! person's answer.
//!
//! *Invariants:* nothing passes without a verdict of `permissions::check`; a question shows a
//! preview computed for it, and what was shown is bound to the call; an interrupt while waiting is
//! an interrupt, never a denial; with no one to ask, a question counts as a denial.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::{Answer, Approvals};
use crate::agent::confinement;
use crate::agent::dispatch::{Call, denied, interrupted};
use crate::agent::hooking;
use crate::agent::shared::{Shared, lock};
use crate::config::write;
use crate::permissions::check::check;
use crate::permissions::facts::HookRuling;
use crate::permissions::rule::{Folders, RuleTexts};
use crate::permissions::{Policy, RuleSet, Verdict, access, facts};
use crate::protocol::{
    Closed, Decision, Event, Mode, Preview, Request, Ruling, Scope, Source, Sourced,
};
use crate::tools::{Approved, Outcome, Prepared, Tool, ToolCtx};
use crate::trust;

/// What the gate decides by.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub texts: RuleTexts,
    /// The project's root, for rules that are anchored there.
    pub root: PathBuf,
    /// Folders besides the working directory.
    pub additional: Vec<PathBuf>,
    /// tern's own folders, which no tool may touch unasked.
    pub own: Vec<PathBuf>,
    pub trusted: bool,
    /// Where "always" is written: the user's file, and the project's own local file.
    pub user_file: PathBuf,
    pub project_file: PathBuf,
    /// Where trust in folders is kept.
    pub trust_file: PathBuf,
}

#[derive(Debug)]
pub struct Gate {
    pub approvals: Approvals,
    policy: Mutex<Policy>,
    rules: Mutex<RuleTexts>,
    folders: Folders,
    can_ask: bool,
    denied_in_a_row: AtomicU32,
    user_file: PathBuf,
    project_file: PathBuf,
    trust_file: PathBuf,
}

/// Whether a call may run.
#[derive(Debug)]
pub enum Passed {
    Yes(Approved),
    No(Outcome),
}

impl Gate {
    pub fn new(rules: Rules, mode: Mode, cwd: &Path, home: &Path, can_ask: bool) -> Gate {
        let folders = Folders {
            cwd: cwd.to_owned(),
            root: rules.root,
            home: home.to_owned(),
            additional: rules.additional.clone(),
        };
        // What is wrong with a rule was told when the configuration was read.
        let (set, _) = RuleSet::new(&rules.texts, &folders, rules.trusted);
        let policy = Policy {
            mode,
            rules: set,
            cwd: cwd.to_owned(),
            additional: rules.additional,
            home: home.to_owned(),
            own: rules.own,
            trusted: rules.trusted,
            sandboxed_commands: false,
        };
        Gate {
            approvals: Approvals::default(),
            policy: Mutex::new(policy),
            rules: Mutex::new(rules.texts),
            folders,
            can_ask,
            denied_in_a_row: AtomicU32::new(0),
            user_file: rules.user_file,
            project_file: rules.project_file,
            trust_file: rules.trust_file,
        }
    }

    pub fn mode(&self) -> Mode {
        lock(&self.policy).mode
    }

    pub fn set_mode(&self, mode: Mode) {
        lock(&self.policy).mode = mode;
    }

    /// Whether a command that no rule covers may run because a sandbox holds it.
    pub fn set_sandboxed(&self, held: bool) {
        lock(&self.policy).sandboxed_commands = held;
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
            suggestions: verdict.suggestions,
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

    /// Adds rules that the person gave; beyond the session, to the file that the scope names.
    pub async fn learn(&self, rules: &[String], scope: Scope) -> Result<(), String> {
        let file = match scope {
            Scope::Session => None,
            Scope::Project => Some(self.project_file.clone()),
            Scope::User => Some(self.user_file.clone()),
        };
        self.add(rules, file.as_deref())?;
        let Some(file) = file else { return Ok(()) };
        let rules = rules.to_vec();
        let (trust_file, root) = (self.trust_file.clone(), self.folders.root.clone());
        let saved = tokio::task::spawn_blocking(move || {
            let save = || {
                rules.iter().try_for_each(|rule| {
                    write::append(&file, "permissions.allow", rule)
                        .map(drop)
                        .map_err(|error| error.to_string())
                })
            };
            match scope {
                Scope::Project => keep_trust(&trust_file, &root, save),
                Scope::Session | Scope::User => save(),
            }
        });
        saved.await.unwrap_or_else(|_| Err("writing the file failed".to_owned()))
    }

    /// The person's own word holds in this session wherever it is kept and whether or not the
    /// folder is trusted.
    fn add(&self, rules: &[String], file: Option<&Path>) -> Result<(), String> {
        let mut texts = lock(&self.rules).clone();
        for rule in rules {
            let mut sourced = Sourced::new(rule.clone(), Source::Session);
            sourced.file = file.map(Path::to_owned);
            texts.allow.push(sourced);
        }
        let mut policy = lock(&self.policy);
        let (set, problems) = RuleSet::new(&texts, &self.folders, policy.trusted);
        let wrong = problems.iter().find(|problem| rules.contains(&problem.rule.value));
        if let Some(problem) = wrong {
            return Err(problem.to_string());
        }
        policy.rules = set;
        *lock(&self.rules) = texts;
        Ok(())
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

    pub fn home(&self) -> &Path {
        &self.folders.home
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
        let mut policy = lock(&self.policy).clone();
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

/// Saves a rule of the person's own in a file of the project. What the person has just said needs no
/// trust, so a folder that held nothing else, or was trusted as it was, is trusted with the rule
/// in it. Anything that still waits for trust goes on waiting, and the rule with it.
fn keep_trust(
    trust_file: &Path,
    root: &Path,
    save: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let root = trust::root_of(root);
    let mut store = trust::Store::load(trust_file).map_err(|error| error.to_string())?;
    let before = trust::state(&trust::examine(&root), &store);
    save()?;
    match before {
        trust::State::Nothing | trust::State::Trusted => {
            store.trust(&trust::examine(&root));
            store.save(trust_file).map_err(|error| error.to_string())
        }
        trust::State::Changed | trust::State::Untrusted => Err(
            "it is in the project's file, but other rules there wait for trust, so it counts in \
             this session only"
                .to_owned(),
        ),
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[permissions]\nallow = [\"Bash(make *)\"]\n";

    fn saved(before: &[(&str, &str)]) -> (bool, trust::State) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("project");
        std::fs::create_dir_all(root.join(".tern")).unwrap();
        for (name, text) in before {
            std::fs::write(root.join(name), text).unwrap();
        }
        let trust_file = dir.path().join("state/trust.toml");
        let save = || {
            let file = root.join(".tern/config.local.toml");
            std::fs::write(file, RULE).map_err(|error| error.to_string())
        };
        let kept = keep_trust(&trust_file, &root, save).is_ok();
        let store = trust::Store::load(&trust_file).unwrap();
        (kept, trust::state(&trust::examine(&trust::root_of(&root)), &store))
    }

    #[test]
    fn a_rule_of_the_persons_own_is_trusted_and_nothing_besides_it() {
        assert_eq!(saved(&[]), (true, trust::State::Trusted));
        let foreign = (".tern/config.toml", "permissions.allow = [\"Bash(curl *)\"]\n");
        assert_eq!(saved(&[foreign]), (false, trust::State::Untrusted));
    }
}
