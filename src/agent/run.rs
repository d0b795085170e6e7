//! The agent's task: takes commands, runs turns, and stays responsive while one runs.
//!
//! *Invariant:* a turn and the commands that arrive meanwhile are polled by this one task. The
//! turn owns the conversation; commands reach only what is shared, or wait until it is over.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::Answer;
use crate::agent::begin::NotBegun;
use crate::agent::conversation::Conversation;
use crate::agent::hooking;
use crate::agent::request::{Ended, failed};
use crate::agent::servers::Connected;
use crate::agent::shared::{Shared, lock};
use crate::agent::title::Naming;
use crate::agent::undo::Target;
use crate::agent::{
    Setup, begin, compact, pay, recount, rule_book, servers, trust, turn, undo, window,
};
use crate::protocol::{
    Command, Decision, Detail, Event, Level, Mode, RequestId, Ruling, SessionId, TurnEnd, TurnId,
    TurnSummary,
};
use crate::session::prune;
use crate::tools::Tool;

/// Commands that had to wait for the end of the turn.
type Later = VecDeque<Command>;

pub async fn run(
    mut setup: Setup,
    mut commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) {
    let mut later = Later::new();
    let begun = first(&mut setup, &mut commands, &mut later, &events).await;
    let Some((shared, mut talk)) = begun else { return };
    let mut shared = Arc::new(shared);
    let connected = match &setup.mcp {
        Some(mcp) => Some(Connected::begin(mcp, &shared, &events).await),
        None => None,
    };
    let mut naming = Naming::default();
    loop {
        let command = match later.pop_front() {
            Some(command) => command,
            None => tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => command,
                    None => break,
                },
                title = naming.title() => {
                    named(&mut talk, &shared, title).await;
                    continue;
                }
            },
        };
        match command {
            Command::Submit { turn, input } | Command::Queue { turn, input } => {
                let cancel = CancellationToken::new();
                let work = turn::run(&mut talk, &shared, turn, input, &cancel);
                let on = On { turn: Some(turn), cancel: &cancel };
                if meanwhile(work, &shared, &mut commands, &mut later, on).await == Go::Stop {
                    break;
                }
                note_mode(&mut talk, &shared).await;
                if setup.keep_log && turn.0 % TIDIED == 1 {
                    tidy_up(&setup);
                }
                if setup.titles {
                    naming.begin(&talk, &shared);
                }
            }
            Command::Compact { focus, preview } => {
                let cancel = CancellationToken::new();
                let work = compact_on_request(&mut talk, &shared, focus, preview, &cancel);
                let on = On { turn: None, cancel: &cancel };
                if meanwhile(work, &shared, &mut commands, &mut later, on).await == Go::Stop {
                    break;
                }
            }
            Command::UndoCompaction => {
                if let Err(why) = compact::undo(&mut talk, &shared).await {
                    shared.notice(Level::Info, why).await;
                }
            }
            Command::UseSummary { request, summary } => {
                let cancel = CancellationToken::new();
                compact::adopt_draft(&mut talk, &shared, request, summary, &cancel).await;
            }
            Command::ShowWindow { exact } => {
                let cancel = CancellationToken::new();
                let work = window::show(&mut talk, &shared, exact, &cancel);
                let on = On { turn: None, cancel: &cancel };
                if meanwhile(work, &shared, &mut commands, &mut later, on).await == Go::Stop {
                    break;
                }
            }
            Command::ShowWindowItem { item } => window::show_item(&talk, &shared, item).await,
            Command::EditWindow { item, act } => {
                window::edit(&mut talk, &shared, item, act).await;
            }
            Command::Shell { command } => {
                let cancel = CancellationToken::new();
                let work = run_shell(&mut talk, &shared, command, &cancel);
                let on = On { turn: None, cancel: &cancel };
                if meanwhile(work, &shared, &mut commands, &mut later, on).await == Go::Stop {
                    break;
                }
            }
            Command::SetModel { model } => set_model(&mut talk, &shared, &model).await,
            Command::Undo => undo::ask(&mut talk, &shared, Target::Undo).await,
            Command::Redo => undo::ask(&mut talk, &shared, Target::Redo).await,
            Command::Rewind { to, scope } => {
                undo::ask(&mut talk, &shared, Target::Before { message: to, scope }).await;
            }
            Command::ConfirmRewind { request, also } => {
                undo::confirm(&mut talk, &shared, request, &also).await;
            }
            Command::Revert { request, file, hunk } => {
                undo::ask_part(&mut talk, &shared, request, file, hunk).await;
            }
            Command::Clear => {
                naming.stop().await;
                renew(&mut setup, None, &events, &mut shared, &mut talk).await;
                if let Some(connected) = &connected {
                    connected.continues(&shared).await;
                }
            }
            Command::Resume { session } => {
                naming.stop().await;
                renew(&mut setup, Some(session), &events, &mut shared, &mut talk).await;
                if let Some(connected) = &connected {
                    connected.continues(&shared).await;
                }
            }
            Command::Fork { session } => {
                naming.stop().await;
                setup.fork = true;
                let session = session.unwrap_or_else(|| talk.session.clone());
                renew(&mut setup, Some(session), &events, &mut shared, &mut talk).await;
            }
            Command::View { session } => {
                naming.stop().await;
                setup.view = true;
                renew(&mut setup, Some(session), &events, &mut shared, &mut talk).await;
            }
            Command::Rename { title } => talk.journal.rename(&shared, &title).await,
            Command::Leave { place } => talk.journal.leave(&shared, place).await,
            Command::SendQueued { next, .. } => {
                if let Some(input) = shared.take_queue_joined().await {
                    later.push_front(Command::Submit { turn: next, input });
                }
            }
            Command::Stop => break,
            quick @ (Command::Interrupt { .. }
            | Command::Answer { .. }
            | Command::AnswerBudget { .. }
            | Command::SetBudget { .. }
            | Command::Unqueue { .. }
            | Command::Reply { .. }
            | Command::SetMode { .. }
            | Command::Server { .. }
            | Command::SteerAgent { .. }
            | Command::StopAgent { .. }
            | Command::Background
            | Command::FollowJob { .. }
            | Command::AskChanges { .. }
            | Command::AskTrust
            | Command::Trust { .. }
            | Command::Distrust
            | Command::AskRules
            | Command::ChangeRule { .. }
            | Command::AskAgain { .. }
            | Command::Kill { .. }) => {
                at_once(quick, &shared, None).await;
                note_mode(&mut talk, &shared).await;
            }
        }
    }
    naming.stop().await;
    shared.agents.stop_all().await;
    talk.end_turn(&shared).await;
    for command in later {
        if let Command::Leave { place } = command {
            talk.journal.leave(&shared, place).await;
        }
    }
    hooking::session_ended(&shared, "other").await;
    talk.journal.close(&shared).await;
    if let Some(connected) = connected {
        connected.end().await;
    }
    // Whoever hears that the agent has stopped may open the log at once, and finds no process
    // that a call left behind.
    drop(talk);
    drop(shared);
    let _gone = events.send(Event::Stopped).await;
}

/// Turns after which the store of file contents is looked at again.
const TIDIED: u64 = 32;

/// Beside everything else, and nobody waits for it: what cannot be deleted now can be later.
fn tidy_up(setup: &Setup) {
    let (places, most) = (setup.places.clone(), setup.checkpoints);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = prune::keep_within(&places, most, jiff::Timestamp::now()) {
            tracing::warn!("the store of file contents was not looked at: {error}");
        }
    });
}

/// The session that the program was started for. Where it is open elsewhere, the person says what
/// is done instead; `None`: nothing.
async fn first(
    setup: &mut Setup,
    commands: &mut mpsc::Receiver<Command>,
    later: &mut Later,
    events: &mpsc::Sender<Event>,
) -> Option<(Shared, Conversation)> {
    loop {
        let ended = match begin::begin_with_hooks(setup, events.clone(), "startup").await {
            Ok(begun) => return Some(begun),
            Err(NotBegun::Ended(ended)) => ended,
            Err(NotBegun::Busy(session)) if setup.can_ask => {
                let _gone = events.send(Event::SessionBusy { session }).await;
                if instead(setup, commands, later).await == Go::On {
                    continue;
                }
                Ended::Interrupted
            }
            Err(NotBegun::Busy(_)) => begin::busy(),
        };
        if let Ended::Failed { kind, message, hints } = ended {
            let end = TurnEnd::Failed { error: kind, message, hints };
            let summary = TurnSummary::default();
            let _gone = events.send(Event::TurnEnded { turn: TurnId(0), end, summary }).await;
        }
        let _gone = events.send(Event::Stopped).await;
        return None;
    }
}

/// Waits for the command that chooses a session; others wait until there is one.
async fn instead(
    setup: &mut Setup,
    commands: &mut mpsc::Receiver<Command>,
    later: &mut Later,
) -> Go {
    loop {
        match commands.recv().await {
            Some(Command::Fork { session: Some(session) }) => {
                (setup.resume, setup.fork) = (Some(session), true);
            }
            Some(Command::View { session }) => {
                (setup.resume, setup.view) = (Some(session), true);
            }
            Some(Command::Resume { session }) => setup.resume = Some(session),
            Some(Command::Clear) => {}
            Some(Command::Stop) | None => return Go::Stop,
            Some(other) => {
                later.push_back(other);
                continue;
            }
        }
        return Go::On;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    On,
    Stop,
}

/// The work that is going on.
#[derive(Clone, Copy)]
struct On<'a> {
    turn: Option<TurnId>,
    cancel: &'a CancellationToken,
}

/// Drives `work` to its end while commands come in. A front end that is gone, or says stop,
/// cancels the work, which still ends in its own way.
async fn meanwhile(
    work: impl Future<Output = ()>,
    shared: &Shared,
    commands: &mut mpsc::Receiver<Command>,
    later: &mut Later,
    on: On<'_>,
) -> Go {
    tokio::pin!(work);
    let mut go = Go::On;
    loop {
        tokio::select! {
            () = &mut work => return go,
            command = commands.recv(), if go == Go::On => match command {
                None | Some(Command::Stop) => {
                    go = Go::Stop;
                    on.cancel.cancel();
                }
                Some(Command::Queue { input, .. }) if on.turn.is_some() => shared.queue(input).await,
                Some(Command::SendQueued { turn, next }) => {
                    // Taken before the turn is stopped, so that nothing is sent twice.
                    if on.turn == Some(turn) && let Some(input) = shared.take_queue_joined().await {
                        later.push_front(Command::Submit { turn: next, input });
                        on.cancel.cancel();
                    }
                }
                Some(command @ (Command::Submit { .. }
                    | Command::Queue { .. }
                    | Command::Compact { .. }
                    | Command::UndoCompaction
                    | Command::UseSummary { .. }
                    | Command::ShowWindow { .. }
                    | Command::ShowWindowItem { .. }
                    | Command::EditWindow { .. }
                    | Command::Shell { .. }
                    | Command::SetModel { .. }
                    | Command::Undo
                    | Command::Redo
                    | Command::Rewind { .. }
                    | Command::ConfirmRewind { .. }
                    | Command::Revert { .. }
                    | Command::Clear
                    | Command::Fork { .. }
                    | Command::View { .. }
                    | Command::Rename { .. }
                    | Command::Leave { .. }
                    | Command::Resume { .. })) => later.push_back(command),
                Some(command) => at_once(command, shared, Some(on)).await,
            },
        }
    }
}

/// Commands that need nothing but what is shared.
async fn at_once(command: Command, shared: &Shared, on: Option<On<'_>>) {
    match command {
        Command::Interrupt { turn } => match on {
            // An interrupt for a turn that is over falls on the floor.
            Some(on) if on.turn.is_none_or(|running| running == turn) => on.cancel.cancel(),
            _ => {}
        },
        Command::Answer { request, decision } => answer(shared, request, decision).await,
        Command::AnswerBudget { request, answer } => shared.purse.answer(request, answer),
        Command::SetBudget { limits } => pay::set(shared, limits).await,
        Command::Unqueue { id: Some(id) } => shared.unqueue(id).await,
        Command::Unqueue { id: None } => {
            shared.take_queue().await;
            lock(&shared.queue).note();
        }
        Command::Reply { request, reply } => {
            if let Some(mode) = shared.questions.answer(request, reply) {
                set_mode(shared, mode).await;
            }
        }
        Command::SetMode { mode } => set_mode(shared, mode).await,
        Command::Kill { job } => {
            lock(&shared.session).jobs.stop(job);
        }
        Command::Background => lock(&shared.session).to_background.notify_waiters(),
        Command::FollowJob { job } => lock(&shared.session).jobs.follow(job),
        Command::AskChanges { context } => undo::show_changes(shared, context).await,
        Command::AskTrust => trust::show(shared).await,
        Command::Trust { seen } => trust::give(shared, &seen).await,
        Command::Distrust => trust::withdraw(shared).await,
        Command::AskRules => rule_book::show(shared).await,
        Command::ChangeRule { change } => rule_book::change(shared, change).await,
        Command::AskAgain { call } => rule_book::ask_again(shared, &call).await,
        Command::Server { server, act } => servers::act(shared, server, act).await,
        Command::SteerAgent { agent, text } => shared.agents.steer(shared, &agent, text).await,
        Command::StopAgent { agent } => shared.agents.stop(&agent),
        Command::Submit { .. }
        | Command::Queue { .. }
        | Command::SendQueued { .. }
        | Command::SetModel { .. }
        | Command::Compact { .. }
        | Command::UndoCompaction
        | Command::UseSummary { .. }
        | Command::ShowWindow { .. }
        | Command::ShowWindowItem { .. }
        | Command::EditWindow { .. }
        | Command::Shell { .. }
        | Command::Undo
        | Command::Redo
        | Command::Rewind { .. }
        | Command::ConfirmRewind { .. }
        | Command::Revert { .. }
        | Command::Clear
        | Command::Fork { .. }
        | Command::View { .. }
        | Command::Rename { .. }
        | Command::Leave { .. }
        | Command::Resume { .. }
        | Command::Stop => {}
    }
}

async fn set_mode(shared: &Shared, mode: Mode) {
    lock(&shared.gate.denials).asked();
    if let Err(why) = shared.gate.rules.set_mode(mode) {
        shared.notice(Level::Warning, why).await;
    }
    shared.emit(Event::ModeSet { mode: shared.gate.mode() }).await;
}

/// Hands the answer to its question. A rule that was just given also answers what else waits and
/// is covered by it.
async fn answer(shared: &Shared, request: RequestId, decision: Decision) {
    if let Decision::Rules { rules, scope } = &decision
        && let Err(problem) = shared.gate.rules.learn(Ruling::Allow, rules, *scope).await
    {
        shared.notice(Level::Error, format!("The rule is not kept for later: {problem}")).await;
    }
    let learnt = matches!(decision, Decision::Rules { .. });
    // A second answer, or one to a question that is closed, finds nothing.
    if !shared.gate.approvals.answer(request, Answer::Person(decision)) || !learnt {
        return;
    }
    shared.answer_covered().await;
}

async fn compact_on_request(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    focus: Option<String>,
    preview: bool,
    cancel: &CancellationToken,
) {
    if !talk.can_compact() {
        shared.notice(Level::Info, "There is nothing to compact yet.").await;
        return;
    }
    let focus = focus.as_deref();
    let result = match preview {
        true => compact::preview(talk, shared, focus, cancel).await,
        false => compact::now(talk, shared, TurnId(0), focus, false, cancel).await,
    };
    match result {
        Ok(()) => {}
        Err(TurnEnd::Failed { message, .. }) => shared.notice(Level::Error, message).await,
        Err(TurnEnd::Interrupted | TurnEnd::Done | TurnEnd::TurnLimit | TurnEnd::Budget) => {
            shared.notice(Level::Info, "Compaction was stopped; nothing changed.").await;
        }
    }
    shared.emit(Event::CompactionEnded).await;
}

/// Runs what the person typed after `!`. It is their own act: no question is asked.
async fn run_shell(
    talk: &mut Conversation,
    shared: &Shared,
    command: String,
    cancel: &CancellationToken,
) {
    let (output, code) = match shared.tool("Bash") {
        Some(bash) => person_command(bash.as_ref(), &command, shared, cancel).await,
        None => ("There is no shell in this session.".to_owned(), None),
    };
    talk.notes.push(recount::own_command_note(&command, &output, code));
    shared.emit(Event::ShellEnded { command, output, code }).await;
}

/// By the same tool as the model's commands: the same limits, and `cd` carries over.
async fn person_command(
    bash: &dyn Tool,
    command: &str,
    shared: &Shared,
    cancel: &CancellationToken,
) -> (String, Option<i32>) {
    let (output, _pieces) = mpsc::channel(1);
    let ctx = shared.tool_ctx(cancel.child_token(), output);
    let input = serde_json::json!({ "command": command });
    let outcome = bash.run(input, &ctx).await;
    let code = match outcome.detail {
        Detail::Command { code, .. } => code,
        Detail::Text | Detail::Diff { .. } | Detail::Todos { .. } => None,
    };
    (outcome.text, code)
}

async fn set_model(talk: &mut Conversation, shared: &Shared, model: &str) {
    match talk.router.route(model).await {
        Ok(route) => {
            let event = Event::ModelSet { model: route.name.clone(), window: route.window() };
            talk.journal.model(shared, &route.name).await;
            talk.set_route(shared, route);
            shared.emit(event).await;
        }
        Err(error) => {
            if let Ended::Failed { message, hints, .. } = failed(error) {
                let text = std::iter::once(message).chain(hints).collect::<Vec<_>>().join(" ");
                shared.notice(Level::Error, text).await;
            }
        }
    }
}

/// Puts another session in the place of this one, a new one or one from the disk. The old one
/// stays as it is on the disk; if the other cannot be had, it also stays on the screen.
async fn renew(
    setup: &mut Setup,
    session: Option<SessionId>,
    events: &mpsc::Sender<Event>,
    shared: &mut Arc<Shared>,
    talk: &mut Conversation,
) {
    if session.as_ref() == Some(&talk.session) && !setup.fork {
        shared.notice(Level::Info, "This is the session that is open.").await;
        return;
    }
    talk.end_turn(shared).await;
    setup.model.clone_from(&talk.route.name);
    setup.mode = shared.gate.mode();
    setup.resume = session;
    let (settings, trusted) = (setup.settings.clone(), shared.gate.rules.trusted());
    if let Ok(read) = tokio::task::spawn_blocking(move || settings.read(trusted)).await {
        setup.rules = read.rules;
        setup.style = read.style;
        setup.place.trusted = trusted;
    }
    let reason = if setup.resume.is_some() { "resume" } else { "clear" };
    match begin::begin_with_hooks(setup, events.clone(), reason).await {
        Ok((new_shared, new_talk)) => {
            shared.agents.stop_all().await;
            hooking::session_ended(shared, reason).await;
            talk.journal.close(shared).await;
            *shared = Arc::new(new_shared);
            *talk = new_talk;
        }
        Err(NotBegun::Busy(session)) => shared.emit(Event::SessionBusy { session }).await,
        Err(NotBegun::Ended(Ended::Failed { message, .. })) => {
            shared.notice(Level::Error, message).await;
        }
        Err(NotBegun::Ended(Ended::Interrupted | Ended::Budget)) => {}
    }
    (setup.fork, setup.view) = (false, false);
}

/// The small model has given the session a title, or not. What that cost goes into the log, too.
async fn named(talk: &mut Conversation, shared: &Shared, title: Option<String>) {
    if let Some(title) = title {
        talk.journal.improve_title(shared, title).await;
    }
    talk.end_turn(shared).await;
}

/// Modes change while the journal is busy; the log learns of it afterwards.
async fn note_mode(talk: &mut Conversation, shared: &Shared) {
    let mode = shared.gate.mode();
    talk.journal.mode(shared, mode).await;
}
