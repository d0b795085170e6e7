//! The hooks of a session at work: what each event tells them, and what their answers do.
//!
//! *Invariant:* a hook decides nothing by itself. What it says of a call goes to the permission layer,
//! which knows the rules that are stronger; what it says otherwise becomes words for the model.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::agent::Setup;
use crate::agent::conversation::Conversation;
use crate::agent::dispatch::Call;
use crate::agent::shared::{Shared, lock};
use crate::config::{Check, Hook};
use crate::hooks::{self, Answers, Hooks, Occasion, Place, Say};
use crate::permissions::facts::HookRuling;
use crate::process::{Exchange, Mark, child_env};
use crate::protocol::{CallId, CallStatus, Event, HookEvent, Level, SessionId, Sourced, TurnEnd};
use crate::tools::Outcome;

#[derive(Debug)]
pub struct Hooking {
    hooks: Hooks,
    checks: Vec<Sourced<Check>>,
    place: Place,
    session: SessionId,
    /// The session's log; `None` with --no-session.
    transcript: Option<PathBuf>,
    /// What is still running ends with the session.
    over: CancellationToken,
    _end: DropGuard,
}

/// When a session ends nobody wants to wait for long.
const LEAVING: Duration = Duration::from_secs(5);
/// How often in a turn a hook may send the model back to work.
const AGAIN: u32 = 5;

impl Hooking {
    pub fn new(setup: &Setup, session: &SessionId, transcript: Option<PathBuf>) -> Hooking {
        let mut env = child_env(std::env::vars_os(), &setup.secret_env);
        env.push((hooks::PROJECT_DIR.into(), setup.place.root.clone().into_os_string()));
        let over = CancellationToken::new();
        Hooking {
            hooks: setup.hooks.clone(),
            checks: setup.checks.clone(),
            place: Place { cwd: setup.cwd.clone(), env, mark: Mark::default() },
            session: session.clone(),
            transcript,
            _end: over.clone().drop_guard(),
            over,
        }
    }

    /// Those that may run: no hook of a folder that is not trusted, none that the policy forbids.
    fn of(&self, shared: &Shared, event: HookEvent, about: &str) -> Vec<&Hook> {
        let rules = &shared.gate.rules;
        let (trusted, managed) = (rules.trusted(), rules.managed());
        self.hooks.of(event, about, |source| {
            (trusted || !source.is_project()) && managed.hook(source).is_ok()
        })
    }

    /// The checks that may run, by the same measure.
    pub fn checks(&self, shared: &Shared) -> Vec<&Sourced<Check>> {
        let rules = &shared.gate.rules;
        let (trusted, managed) = (rules.trusted(), rules.managed());
        let may = |check: &&Sourced<Check>| {
            (trusted || !check.source.is_project()) && managed.hook(check.source).is_ok()
        };
        self.checks.iter().filter(may).collect()
    }

    /// A program of the person's, but for what it is.
    pub fn exchange(&self, timeout: Duration) -> Exchange {
        Exchange {
            argv: Vec::new(),
            cwd: self.place.cwd.clone(),
            env: self.place.env.clone(),
            timeout,
            input: Vec::new(),
            most: 0,
            run: self.place.mark.next_run(),
        }
    }
}

/// Whether any hook is for it, so that nothing need be put together otherwise.
fn wants(shared: &Shared, event: HookEvent, about: &str) -> bool {
    !shared.hooking.of(shared, event, about).is_empty()
}

/// What happens, as the hooks are told.
#[derive(Debug, Clone, Copy)]
struct Happening<'a> {
    event: HookEvent,
    about: &'a str,
    call: Option<&'a CallId>,
    limit: Option<Duration>,
}

impl<'a> Happening<'a> {
    fn new(event: HookEvent, about: &'a str) -> Happening<'a> {
        Happening { event, about, call: None, limit: None }
    }
}

/// Runs the hooks of an event and tells the front end of each. `fields` are those that only this
/// event has.
async fn fire(
    shared: &Shared,
    happening: Happening<'_>,
    fields: Value,
    cancel: &CancellationToken,
) -> Answers {
    let hooking = &shared.hooking;
    let mut input = Map::new();
    input.insert("session_id".into(), hooking.session.0.clone().into());
    let transcript = hooking.transcript.as_ref().map(|path| path.display().to_string());
    input.insert("transcript_path".into(), transcript.into());
    input.insert("cwd".into(), shared.cwd().display().to_string().into());
    input.insert("permission_mode".into(), shared.mode().name().into());
    input.insert("hook_event_name".into(), happening.event.name().into());
    if let Some(agent) = &shared.agent {
        input.insert("agent_id".into(), agent.id.0.clone().into());
        input.insert("agent_type".into(), agent.kind.clone().into());
    }
    if let Value::Object(fields) = fields {
        input.extend(fields);
    }
    let (event, about) = (happening.event, happening.about);
    let occasion = Occasion { event, about, input: input.into() };
    let found = hooking.of(shared, event, about);
    let fired = hooks::fire(&found, &occasion, &hooking.place, happening.limit, cancel);
    let answers = tokio::select! {
        answers = fired => answers,
        () = hooking.over.cancelled() => Vec::new(),
    };
    let mut all = Answers::default();
    for (mut run, answer) in answers {
        run.call = happening.call.cloned();
        shared.emit(Event::HookRan { run }).await;
        all.add(answer);
    }
    if let Some(why) = &all.stop {
        lock(&shared.halt).get_or_insert_with(|| why.clone());
    }
    all
}

/// What the hooks say of a call before it is judged.
#[derive(Debug)]
pub struct Before {
    /// With the input that they want it to have.
    pub call: Call,
    pub ruling: Option<HookRuling>,
    /// For the model, with the result.
    pub context: Option<String>,
}

pub async fn before_call(shared: &Shared, call: &Call, cancel: &CancellationToken) -> Before {
    let mut before = Before { call: call.clone(), ruling: None, context: None };
    if !wants(shared, HookEvent::PreToolUse, &call.tool) {
        return before;
    }
    let happening =
        Happening { call: Some(&call.id), ..Happening::new(HookEvent::PreToolUse, &call.tool) };
    let answers = fire(shared, happening, about_call(call), cancel).await;
    before.context = answers.for_model();
    before.ruling = answers.say.map(ruling);
    if let Some(input) = answers.input {
        let input = shared.tool(&call.tool).map_or(input.clone(), |tool| tool.tidy(input));
        let note = format!("A hook has changed the input of this call to {input}");
        before.context = Some(match before.context {
            Some(context) => format!("{note}\n{context}"),
            None => note,
        });
        before.call.input = input;
    }
    before
}

/// What the hooks say where the person would be asked.
pub async fn before_question(
    shared: &Shared,
    call: &Call,
    because: &str,
    cancel: &CancellationToken,
) -> Option<HookRuling> {
    if !wants(shared, HookEvent::PermissionRequest, &call.tool) {
        return None;
    }
    let happening = Happening {
        call: Some(&call.id),
        ..Happening::new(HookEvent::PermissionRequest, &call.tool)
    };
    let mut fields = about_call(call);
    fields["reason"] = because.into();
    fire(shared, happening, fields, cancel).await.say.map(ruling)
}

fn ruling(say: Say) -> HookRuling {
    match say {
        Say::Allow => HookRuling::Allow,
        Say::Ask(because) => HookRuling::Ask { because },
        Say::Deny(because) => HookRuling::Deny { because },
    }
}

/// What the hooks have to say of a call that ran is added to what the model gets.
pub async fn after_call(
    shared: &Shared,
    call: &Call,
    context: Option<String>,
    mut outcome: Outcome,
    cancel: &CancellationToken,
) -> Outcome {
    let event = match outcome.status {
        CallStatus::Done => HookEvent::PostToolUse,
        CallStatus::Failed => HookEvent::PostToolUseFailure,
        CallStatus::Denied | CallStatus::Interrupted | CallStatus::Unknown => return outcome,
    };
    let mut remarks: Vec<String> = context.into_iter().collect();
    if wants(shared, event, &call.tool) {
        let happening = Happening { call: Some(&call.id), ..Happening::new(event, &call.tool) };
        let mut fields = about_call(call);
        let mut response = json!({
            "success": outcome.status == CallStatus::Done,
            "output": outcome.text,
        });
        if let Some(path) = call.input.get("file_path") {
            response["filePath"] = path.clone();
        }
        fields["tool_response"] = response;
        let answers = fire(shared, happening, fields, cancel).await;
        remarks.extend(answers.block.clone());
        remarks.extend(answers.for_model());
    }
    for remark in remarks {
        outcome.text.push_str("\n\n<hook>\n");
        outcome.text.push_str(&remark);
        outcome.text.push_str("\n</hook>");
    }
    outcome
}

fn about_call(call: &Call) -> Value {
    json!({ "tool_name": call.tool, "tool_input": call.input, "tool_use_id": call.id.0 })
}

/// Before a prompt goes to the model. The error says why it does not.
pub async fn before_prompt(
    talk: &mut Conversation,
    shared: &Shared,
    prompt: &str,
    cancel: &CancellationToken,
) -> Result<(), String> {
    if shared.agent.is_some() || !wants(shared, HookEvent::UserPromptSubmit, "") {
        return Ok(());
    }
    let happening = Happening::new(HookEvent::UserPromptSubmit, "");
    let answers = fire(shared, happening, json!({ "prompt": prompt }), cancel).await;
    if let Some(why) = answers.block.or_else(|| lock(&shared.halt).take()) {
        return Err(why);
    }
    talk.notes.extend(note(&answers.context));
    Ok(())
}

/// `source`: `startup`, `resume` or `clear`.
pub async fn session_begun(talk: &mut Conversation, shared: &Shared, source: &str) {
    if wants(shared, HookEvent::SessionStart, source) {
        let happening = Happening::new(HookEvent::SessionStart, source);
        let fields = json!({ "source": source });
        let answers = fire(shared, happening, fields, &CancellationToken::new()).await;
        talk.notes.extend(note(&answers.context));
    }
}

fn note(context: &[String]) -> Option<String> {
    (!context.is_empty()).then(|| format!("<hook>\n{}\n</hook>", context.join("\n")))
}

/// `reason`: `clear`, `resume` or `other`.
pub async fn session_ended(shared: &Shared, reason: &str) {
    if wants(shared, HookEvent::SessionEnd, reason) {
        let happening =
            Happening { limit: Some(LEAVING), ..Happening::new(HookEvent::SessionEnd, reason) };
        let fields = json!({ "reason": reason });
        fire(shared, happening, fields, &CancellationToken::new()).await;
    }
}

/// The model is done. What a hook wants done besides; `again` counts how often that was so in this
/// turn, and an end is made of it.
pub async fn before_end(
    shared: &Shared,
    said: &str,
    again: u32,
    cancel: &CancellationToken,
) -> Option<String> {
    let (event, about) = match &shared.agent {
        None => (HookEvent::Stop, ""),
        Some(agent) => (HookEvent::SubagentStop, agent.kind.as_str()),
    };
    if !wants(shared, event, about) {
        return None;
    }
    let fields = json!({ "stop_hook_active": again > 0, "last_assistant_message": said });
    let answers = fire(shared, Happening::new(event, about), fields, cancel).await;
    let why = answers.block.filter(|_| answers.stop.is_none())?;
    if again >= AGAIN {
        let text = format!(
            "A {} hook has sent the model back to work {AGAIN} times in this turn; now it ends.",
            event.name()
        );
        shared.notice(Level::Warning, text).await;
        return None;
    }
    Some(format!("<hook>\nYou are not done yet: {why}\n</hook>"))
}

/// A hook has said that the turn shall not go on.
pub async fn halted(shared: &Shared) -> Option<TurnEnd> {
    let why = lock(&shared.halt).take()?;
    shared.notice(Level::Warning, format!("A hook has ended the turn: {why}")).await;
    Some(TurnEnd::Done)
}

/// Before the history is summarised. The error says why it is not.
pub async fn before_compact(
    shared: &Shared,
    focus: Option<&str>,
    automatic: bool,
    cancel: &CancellationToken,
) -> Result<(), String> {
    let trigger = trigger(automatic);
    if !wants(shared, HookEvent::PreCompact, trigger) {
        return Ok(());
    }
    let fields = json!({ "trigger": trigger, "custom_instructions": focus.unwrap_or_default() });
    let happening = Happening::new(HookEvent::PreCompact, trigger);
    match fire(shared, happening, fields, cancel).await.block {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

pub async fn compacted(
    shared: &Shared,
    summary: &str,
    automatic: bool,
    cancel: &CancellationToken,
) {
    let trigger = trigger(automatic);
    if wants(shared, HookEvent::PostCompact, trigger) {
        let fields = json!({ "trigger": trigger, "compact_summary": summary });
        fire(shared, Happening::new(HookEvent::PostCompact, trigger), fields, cancel).await;
    }
}

fn trigger(automatic: bool) -> &'static str {
    if automatic { "auto" } else { "manual" }
}

/// Tells the hooks that the person is waited for, while `waiting` goes on; its end ends them too.
pub async fn while_waiting<T>(
    shared: &Shared,
    message: &str,
    cancel: &CancellationToken,
    waiting: impl Future<Output = T>,
) -> T {
    let kind = "permission_prompt";
    if !wants(shared, HookEvent::Notification, kind) {
        return waiting.await;
    }
    let fields = json!({ "message": message, "notification_type": kind });
    let told = fire(shared, Happening::new(HookEvent::Notification, kind), fields, cancel);
    tokio::pin!(waiting, told);
    tokio::select! {
        answer = &mut waiting => answer,
        _ = &mut told => waiting.await,
    }
}

/// A sub-agent begins.
pub async fn agent_begun(shared: &Shared, prompt: &str, cancel: &CancellationToken) {
    let Some(agent) = &shared.agent else { return };
    if wants(shared, HookEvent::SubagentStart, &agent.kind) {
        let happening = Happening::new(HookEvent::SubagentStart, &agent.kind);
        fire(shared, happening, json!({ "prompt": prompt }), cancel).await;
    }
}
