//! The agent's facts become what the screen knows. Text from outside is cleaned here, once.

use crate::app::agents;
use crate::app::browse;
use crate::app::calls::{Call, CallState};
use crate::app::clean;
use crate::app::dialog::{budget, confirm, inquiry, trust};
use crate::app::earlier;
use crate::app::effect::Effect;
use crate::app::model::{Activity, Focused, Model, Phase};
use crate::app::panels::{busy, changes, history, jobs, permissions, servers, summary, window};
use crate::app::pictures;
use crate::app::queue;
use crate::app::scroll::Scroll;
use crate::app::spend::Spending;
use crate::app::transcript::{Body, Kind};
use crate::protocol::budget::Limits;
use crate::protocol::{
    AgentId, CallId, CallResult, CallStatus, Closed, Detail, Event, HookEnd, HookRun, Level,
    MessageId, Request, RewindScope, Role, SessionId, Skipped, Step, TurnEnd, TurnId, TurnSummary,
};

pub fn fold(model: &mut Model, event: Event) -> Vec<Effect> {
    match model.earlier.take() {
        Some(transcript) => earlier::fold(model, transcript, event),
        None => now(model, event),
    }
}

/// Folds an event that concerns the transcript as it is shown.
pub(super) fn now(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Opening { session } => {
            started(model, &session, true);
            model.session.id = Some(session);
            model.opening = true;
            model.say("reading the beginning of this session");
        }
        Event::EarlierBegun => model.earlier = Some(model.transcript.earlier()),
        Event::EarlierEnded => {}
        Event::PlaceRestored { place } => earlier::back_to(model, &place),
        Event::Started { session, cwd, model: name, mode, window, scripted, resumed } => {
            // Its end is on the screen already.
            if !std::mem::take(&mut model.opening) {
                started(model, &session, resumed);
            }
            let info = &mut model.session;
            info.id = Some(session);
            info.cwd = clean::line(&cwd);
            info.model = clean::line(&name);
            info.mode = mode;
            info.window = window;
            info.scripted = scripted;
            info.viewed = model.view.take() == info.id;
        }
        Event::SessionBusy { session } => {
            model.activity = Activity::Idle;
            busy::open(model, session);
        }
        Event::Restored { message, role, text } => restored(model, &message, role, &text),
        Event::CallRestored { call, tool, title, input, result } => {
            let mut entry = Call::new(call, &tool, &title, CallState::Queued).with_input(&input);
            entry.end(result.unwrap_or_else(unknown));
            model.transcript.push(Body::Call(Box::new(entry)));
        }
        Event::TurnRestored { end, summary } => {
            model.transcript.close_live();
            model.transcript.push(Body::Ending { end, summary });
        }
        Event::TurnStarted { turn, message, text } => turn_started(model, turn, message, &text),
        Event::Steered { message, text } => {
            model.transcript.close_live();
            let said = Body::Person { text: clean::prose(&text), open: false };
            let at = model.transcript.push(said);
            model.transcript.name(at, message);
        }
        Event::Attached { title, result } => model.transcript.attached(&title, result),
        Event::QueueChanged { queued } => {
            queue::changed(model, queued);
        }
        Event::RequestStarted { .. } => model.set_phase(Phase::Waiting),
        Event::TextAdded { message, text } => {
            model.set_phase(Phase::Writing);
            model.transcript.stream(&message, Kind::Prose, &text);
        }
        Event::ThoughtAdded { message, text } => {
            model.set_phase(Phase::Thinking);
            model.transcript.stream(&message, Kind::Thought, &text);
        }
        Event::MessageEnded { .. } => model.transcript.close_live(),
        Event::CallQueued { call, tool, title, input } => {
            let entry = Call::new(call, &tool, &title, CallState::Queued).with_input(&input);
            model.transcript.push(Body::Call(Box::new(entry)));
        }
        Event::CallChanged { call, title, input } => {
            model.transcript.change_call(&call, |call| call.change(&title, &input));
        }
        Event::SandboxSet { words, held } => {
            model.session.sandbox = Some((held, clean::line(&words)));
        }
        Event::CallStarted { call } => {
            model.set_phase(Phase::Running);
            set_call(model, &call, CallState::Running);
            jobs::call_started(model, &call);
        }
        Event::CallOutput { call, text } => {
            model.transcript.change_call(&call, |call| call.output.push(&text));
        }
        Event::CallEnded { call, result } => {
            let changed = matches!(result.detail, Detail::Diff { .. } | Detail::Command { .. });
            model.commands.remove(&call);
            let denied = result.status == CallStatus::Denied;
            model.transcript.change_call(&call, |call| call.end(result));
            let mut effects = match denied {
                true => permissions::denied(model),
                false => Vec::new(),
            };
            if changed {
                effects.extend(changes::changed(model));
            }
            let ended = model.transcript.call(&call);
            effects.extend(ended.map(|call| pictures::wanted(model, call)).unwrap_or_default());
            return effects;
        }
        Event::PermissionAsked { request } => return asked(model, *request),
        Event::PermissionClosed { request, by } => {
            model.dialogs.close(request, model.now);
            if let Closed::Rule { rule } = by {
                model.say(&format!("allowed by {}", clean::line(&rule)));
            }
        }
        Event::TrustNeeded { trust } => trust::needed(model, *trust),
        Event::TrustShown { trust } => trust::shown(model, *trust),
        Event::RulesShown { book } => permissions::shown(model, *book),
        Event::TrustSet { trusted } => trust::set(model, trusted),
        Event::QuestionAsked { inquiry } => {
            inquiry::ask(model, *inquiry);
            return notify(model, "tern has a question");
        }
        Event::QuestionClosed { request } => inquiry::closed(model, request),
        Event::RewindAsked { rewind } => {
            confirm::ask(model, *rewind);
            return notify(model, "tern asks whether to take a step back");
        }
        Event::Rewound { step, scope, input, files, skipped, calls } => {
            rewound(model, (step, scope), &files, &skipped, &calls);
            if let Some(input) = input {
                back_in_the_prompt(model, &input);
            }
            return changes::changed(model);
        }
        Event::ChangesShown { request, files } => return changes::shown(model, request, files),
        Event::TodosChanged { todos } => model.todos = clean::todos(todos),
        Event::UsageAdded { spend, session, today, unpriced, context } => {
            model.spending.add(spend);
            let spending = &mut model.spending;
            (spending.session, spending.today) = (session, today);
            (spending.unpriced, spending.context) = (unpriced, context);
        }
        Event::Spent { session, today, unpriced, context } => {
            let spending = &mut model.spending;
            (spending.session, spending.today) = (session, today);
            (spending.unpriced, spending.context) = (unpriced, context);
        }
        Event::BudgetReached { reached } => {
            budget::reached(model, reached);
            return notify(model, "tern has reached a budget and asks");
        }
        Event::BudgetClosed { request } => budget::closed(model, request),
        Event::BudgetSet { limits } => model.spending.limits = limits,
        Event::Retrying { attempt, of, wait_ms, why, .. } => {
            let until = model.now.plus(wait_ms);
            let why = clean::line(&why);
            model.set_phase(Phase::Retrying { attempt, of, until, why });
        }
        Event::CompactionStarted { .. } => {
            // One that the person has asked for is no part of a turn.
            if !model.is_working() {
                let (turn, since) = (model.next_turn(), model.now);
                model.activity = Activity::Working { turn, since, phase: Phase::Compacting };
            }
            model.set_phase(Phase::Compacting);
        }
        Event::CompactionEnded => model.activity = Activity::Idle,
        Event::SummaryDrafted { request, before, after, summary } => {
            summary::drafted(model, request, (before, after), summary);
            return notify(model, "tern shows a summary before it is used");
        }
        Event::WindowShown { window } => window::told(model, *window),
        Event::WindowItemShown { item, text } => window::item_told(model, &item, &text),
        Event::Compacted { before, after, summary } => {
            model.transcript.close_live();
            let summary = clean::prose(&summary);
            model.transcript.push(Body::Compaction { before, after, summary, open: false });
            model.spending.context = after;
        }
        Event::ShellEnded { command, output, code } => {
            let (command, output) = (clean::exact(&command), clean::output(&output));
            model.transcript.push(Body::Shell { command, output, code, open: true });
        }
        Event::JobChanged { job, command, running, facts } => {
            jobs::changed(model, job, &command, running, &facts);
        }
        Event::JobOutput { job, text } => return jobs::output(model, job, &text),
        Event::ServersChanged { servers } => model.servers = servers::known(servers),
        Event::ModeSet { mode } => model.session.mode = mode,
        Event::ModelSet { model: name, window } => {
            model.session.model = clean::line(&name);
            model.session.window = window;
        }
        Event::Titled { title } => {
            model.session.title = clean::line(&title);
            return history::reload(model);
        }
        Event::GitChanged { branch, dirty } => {
            model.session.branch = clean::line(&branch);
            model.session.dirty = dirty;
        }
        Event::Noticed { level, text } => {
            let text = clean::prose(&text);
            model.transcript.push(Body::Notice { level, text, hints: Vec::new() });
        }
        Event::CommandsChanged { commands, styles } => {
            (model.recipes, model.styles) = (clean::commands(commands), clean::commands(styles));
        }
        Event::HookRan { run } => hook_ran(model, run),
        Event::AgentChanged { info } => agents::changed(model, info),
        Event::Within { agent, event } => return within(model, &agent, *event),
        Event::TurnEnded { turn, end, summary } => return turn_ended(model, turn, end, summary),
        Event::Stopped => return vec![Effect::Quit],
    }
    Vec::new()
}

/// The agent's task is gone: what ran has ended, and the person is told.
pub fn disconnected(model: &mut Model, why: &str) -> Vec<Effect> {
    model.dialogs.clear();
    model.asked.clear();
    model.confirm = None;
    model.trusting = None;
    model.fail(why);
    Vec::new()
}

fn started(model: &mut Model, session: &SessionId, resumed: bool) {
    model.confirm = None;
    model.budget = None;
    model.spending.limits = Limits::default();
    let first = model.session.id.is_none();
    // A step over the conversation: the session's money is what it was.
    let same = model.session.id.as_ref() == Some(session);
    // A prompt may have been sent before the agent was there; it stays.
    if !first {
        model.transcript.clear();
        model.agents.clear();
        model.trust = None;
        model.trusting = None;
        model.activity = Activity::Idle;
        model.sent = None;
    }
    if !first || resumed {
        if !same {
            model.spending = Spending { today: model.spending.today, ..Spending::default() };
        }
        model.todos.clear();
        model.jobs.clear();
        model.scroll = Scroll::Follow;
        model.browse = None;
        model.selection = None;
        model.session.title.clear();
        model.dialogs.clear();
        model.asked.clear();
    }
}

fn restored(model: &mut Model, message: &MessageId, role: Role, text: &str) {
    let text = clean::prose(text);
    if text.trim().is_empty() {
        return;
    }
    model.transcript.close_live();
    let at = model.transcript.push(match role {
        Role::User => Body::Person { text, open: false },
        Role::Assistant => Body::Prose { text, live: false },
    });
    let wanted = model.jump.as_ref().is_some_and(|(session, wanted)| {
        wanted == message && model.session.id.as_ref() == Some(session)
    });
    model.transcript.name(at, message.clone());
    if wanted {
        model.jump = None;
        browse::jump(model, Some(message));
    }
}

fn unknown() -> CallResult {
    CallResult {
        status: CallStatus::Unknown,
        text: String::new(),
        facts: "outcome unknown".to_owned(),
        detail: Detail::Text,
    }
}

/// The message that was gone back before, to be said in other words. What stood there can be had
/// back with *up*.
fn back_in_the_prompt(model: &mut Model, input: &str) {
    model.panel = None;
    model.browse = None;
    model.prompt.clear();
    model.prompt.paste(&clean::prose(input));
    model.complete = None;
}

fn rewound(
    model: &mut Model,
    (step, scope): (Step, RewindScope),
    files: &[String],
    skipped: &[Skipped],
    calls: &[CallId],
) {
    model.confirm = None;
    for call in calls {
        model.transcript.change_call(call, |call| call.undone = step == Step::Undo);
    }
    let names: Vec<String> = files.iter().map(|path| clean::line(path)).collect();
    let (done, back) = match (step, scope) {
        (Step::Undo, RewindScope::Files) => ("Undone", "/redo brings the changes back"),
        (Step::Redo, RewindScope::Files) => ("Redone", "/undo takes the changes back again"),
        (Step::Undo, _) => ("Went back to here, and put back", "/redo goes forth again"),
        (Step::Redo, _) => ("Went forth again, and put back", "esc esc goes back"),
    };
    let text = match (names.is_empty(), scope, step) {
        (false, ..) => format!("{done}: {}", names.join(", ")),
        (true, RewindScope::Files, _) => "No file was changed".to_owned(),
        (true, _, Step::Undo) => "Went back to here; no file was changed".to_owned(),
        (true, _, Step::Redo) => "Went forth again; no file was changed".to_owned(),
    };
    let left = skipped.iter().map(|file| {
        format!("left as it is: {} ({})", clean::line(&file.path), clean::line(&file.why))
    });
    let took = !names.is_empty() || scope.conversation();
    let back = took.then(|| back.to_owned());
    let hints = left.chain(back).collect();
    model.transcript.push(Body::Notice { level: Level::Info, text, hints });
}

fn turn_started(model: &mut Model, turn: TurnId, message: MessageId, text: &str) {
    model.confirm = None;
    let text = clean::prose(text);
    model.spending.start_turn(turn, &text);
    model.turn = model.turn.max(turn);
    let entry = match model.sent.take() {
        // Shown when it was sent; the agent's text counts, as a hook may have changed it.
        Some((sent, at)) if sent == turn => {
            let shown = model.transcript.entries().get(at).map(|entry| &entry.body);
            if !matches!(shown, Some(Body::Person { text: shown, .. }) if *shown == text) {
                model.transcript.change(at, |body| *body = Body::Person { text, open: false });
            }
            at
        }
        _ => {
            model.transcript.close_live();
            model.transcript.push(Body::Person { text, open: false })
        }
    };
    model.transcript.name(entry, message);
    let since = match model.activity {
        Activity::Working { turn: working, since, .. } if working == turn => since,
        _ => model.now,
    };
    model.activity = Activity::Working { turn, since, phase: Phase::Waiting };
}

fn set_call(model: &mut Model, call: &CallId, state: CallState) {
    model.transcript.change_call(call, |call| {
        if call.is_running() {
            call.state = state;
        }
    });
}

/// Hooks that are kept for `/hooks`.
const HOOKS: usize = 200;

/// A hook that let things pass without a word is not worth a line.
fn hook_ran(model: &mut Model, run: HookRun) {
    let run = HookRun { command: clean::line(&run.command), text: clean::prose(&run.text), ..run };
    let name = run.event.name();
    let first = run.text.lines().next().unwrap_or_default();
    let notice = match run.end {
        HookEnd::Failed => {
            Some((Level::Warning, format!("The {name} hook {} {first}", run.command)))
        }
        HookEnd::Blocked => {
            Some((Level::Info, format!("The {name} hook {} said no: {first}", run.command)))
        }
        HookEnd::Passed | HookEnd::Decided if first.is_empty() => None,
        HookEnd::Passed | HookEnd::Decided => {
            Some((Level::Info, format!("{name} hook: {}", run.text)))
        }
    };
    if let Some((level, text)) = notice {
        model.transcript.push(Body::Notice { level, text, hints: Vec::new() });
    }
    if model.hooks.len() == HOOKS {
        model.hooks.remove(0);
    }
    model.hooks.push(run);
}

/// Questions, money and warnings of a sub-agent reach the person like those of the session; the
/// rest is kept with it.
fn within(model: &mut Model, id: &AgentId, event: Event) -> Vec<Effect> {
    agents::add(model, id, &event);
    match event {
        Event::PermissionAsked { request } => {
            let agent = agents::name(model, id);
            return ask(model, *request, Some(agent), "a sub-agent of tern asks for permission");
        }
        Event::PermissionClosed { .. } | Event::HookRan { .. } | Event::AgentChanged { .. } => {
            return fold(model, event);
        }
        Event::UsageAdded { spend, session, today, unpriced, .. } => {
            model.spending.add(spend);
            let spending = &mut model.spending;
            (spending.session, spending.today, spending.unpriced) = (session, today, unpriced);
        }
        Event::Noticed { level, text } => {
            let text = format!("{}: {}", agents::name(model, id), clean::prose(&text));
            model.transcript.push(Body::Notice { level, text, hints: Vec::new() });
        }
        Event::Within { agent, event } => return within(model, &agent, *event),
        _ => {}
    }
    Vec::new()
}

fn asked(model: &mut Model, request: Request) -> Vec<Effect> {
    set_call(model, &request.call, CallState::Asked);
    ask(model, request, None, "tern asks for permission")
}

/// `agent`: the sub-agent whose call it is.
fn ask(model: &mut Model, request: Request, agent: Option<String>, notice: &str) -> Vec<Effect> {
    model.pending.clear();
    model.dialogs.ask(request, agent, model.now, model.typed);
    notify(model, notice)
}

fn turn_ended(model: &mut Model, turn: TurnId, end: TurnEnd, summary: TurnSummary) -> Vec<Effect> {
    model.transcript.close_live();
    model.commands.clear();
    if model.working_turn().is_none_or(|working| working == turn) {
        model.activity = Activity::Idle;
    }
    model.dialogs.turn_ended();
    let text = match &end {
        TurnEnd::Done => "tern is done",
        TurnEnd::Interrupted => "",
        TurnEnd::TurnLimit | TurnEnd::Budget | TurnEnd::Failed { .. } => "tern has stopped",
    };
    let body = match end {
        TurnEnd::Failed { error, message, hints } => {
            let hints: Vec<String> = hints.iter().map(|hint| clean::prose(hint)).collect();
            let message = clean::prose(&message);
            model.transcript.push(Body::Notice {
                level: Level::Error,
                text: message.clone(),
                hints: hints.clone(),
            });
            Body::Ending { end: TurnEnd::Failed { error, message, hints }, summary }
        }
        end => Body::Ending { end, summary },
    };
    let interrupted = matches!(body, Body::Ending { end: TurnEnd::Interrupted, .. });
    model.transcript.push(body);
    let mut effects = notify(model, text);
    // What the turn has written is part of the list.
    effects.extend(history::reload(model));
    if interrupted {
        effects.extend(queue::interrupted(model));
    }
    effects
}

/// Only someone who is looking elsewhere is told.
fn notify(model: &Model, text: &str) -> Vec<Effect> {
    if model.focused == Focused::No && !text.is_empty() {
        vec![Effect::Notify(text.to_owned())]
    } else {
        Vec::new()
    }
}
