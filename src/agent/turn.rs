//! One turn, top to bottom: the person's input goes in, the model answers, its calls run, their
//! results go back, until the model has nothing more to call.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::agent::checks::Checked;
use crate::agent::circle::Watch;
use crate::agent::compact;
use crate::agent::conversation::{Conversation, new_message_id};
use crate::agent::dispatch::{self, Call};
use crate::agent::hooking;
use crate::agent::recipes;
use crate::agent::recount::Done;
use crate::agent::recover::{self, Next, Past};
use crate::agent::request::{self, Answer};
use crate::agent::servers;
use crate::agent::shared::{Shared, lock};
use crate::protocol::{
    CallResult, Cause, ErrorKind, Event, Input, Level, Message, Money, Part, Role, TurnEnd, TurnId,
    TurnSummary,
};

/// Said to the model when its answer was cut by the output limit.
pub const GO_ON: &str = "Your answer was cut off by the output limit. Go on exactly where it stopped, \
                     in smaller steps.";

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of one turn.
    pub max_turns: Option<u32>,
}

/// Runs the turn and reports its end. The history is valid for the next request whatever happens.
pub async fn run(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    input: Input,
    cancel: &CancellationToken,
) {
    carry_out(talk, shared, turn, input, cancel).await;
}

/// The same, for whoever wants to know how it went.
pub async fn carry_out(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    input: Input,
    cancel: &CancellationToken,
) -> (TurnEnd, TurnSummary) {
    let began = Instant::now();
    let mut summary = TurnSummary { cost: Some(Money::ZERO), ..Default::default() };
    if let Err(why) = hooking::before_prompt(talk, shared, &input.text, cancel).await {
        let hints = vec!["The model has not seen it. /hooks lists what runs.".to_owned()];
        let message = format!("a hook has stopped the prompt: {why}");
        let end = TurnEnd::Failed { error: ErrorKind::Denied, message, hints };
        shared.emit(Event::TurnEnded { turn, end: end.clone(), summary: summary.clone() }).await;
        return (end, summary);
    }
    let typed = input.text.clone();
    let input = match servers::expanded(shared, &typed, cancel).await {
        None => input,
        Some(Ok(text)) => Input { text, ..input },
        Some(Err(message)) => {
            let hints = vec!["/mcp shows servers and their prompts.".to_owned()];
            let end = TurnEnd::Failed { error: ErrorKind::Tool, message, hints };
            shared
                .emit(Event::TurnEnded { turn, end: end.clone(), summary: summary.clone() })
                .await;
            return (end, summary);
        }
    };
    let called = recipes::called(shared, &input.text, cancel).await;
    let (message, attached) = talk.begin_turn(shared, turn, &input, called, cancel).await;
    shared.emit(Event::TurnStarted { turn, message, text: typed }).await;
    for attached in attached {
        shared.emit(attached.event()).await;
    }
    let end = exchange(talk, shared, turn, cancel, &mut summary).await;
    summary.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    talk.end_turn(shared).await;
    if shared.agent.is_none() {
        shared.gate.rules.take_back();
    }
    shared.emit(Event::TurnEnded { turn, end: end.clone(), summary: summary.clone() }).await;
    (end, summary)
}

async fn exchange(
    talk: &mut Conversation,
    shared: &Arc<Shared>,
    turn: TurnId,
    cancel: &CancellationToken,
    summary: &mut TurnSummary,
) -> TurnEnd {
    let mut cause = Cause::Prompt;
    let mut past = Past::default();
    let mut watch = Watch::default();
    let mut sent_back = 0;
    let mut done = Done::default();
    let mut checked = Checked::default();
    talk.carries = None;
    loop {
        if talk.limits.max_turns.is_some_and(|most| summary.requests >= most) {
            return TurnEnd::TurnLimit;
        }
        if let Err(end) = compact::if_due(talk, shared, turn, cancel).await {
            return end;
        }
        let answer = match request::send(talk, shared, turn, cause, &mut past, cancel).await {
            Ok(answer) => answer,
            Err(ended) => return ended.of_turn(),
        };
        summary.requests += 1;
        summary.cost = summary.cost.zip(answer.cost).map(|(sum, cost)| sum + cost);

        let calls = talk.calls_of(&answer);
        let next = recover::after_answer(
            &answer.stop,
            calls.len(),
            answer.cut.len(),
            &past,
            talk.can_compact(),
        );
        match next {
            Next::RunCalls => {
                let mut results = dispatch::run(shared, &calls, cancel, &mut talk.journal).await;
                note_cut_calls(&answer, &mut results);
                results.iter().for_each(|result| done.add(result));
                done.tell(summary);
                talk.carries = largest(&calls, &results);
                talk.add_results(&calls, &results);
                talk.add_pictures(shared).await;
                if cancel.is_cancelled() {
                    return TurnEnd::Interrupted;
                }
                if let Some(end) = hooking::halted(shared).await {
                    return end;
                }
                if let Some(end) = watch.check(talk, shared, &calls, &results, cancel).await {
                    return end;
                }
                if let Some(end) = denied(shared) {
                    return end;
                }
                past = Past { fell_back: past.fell_back, ..Past::default() };
                cause = Cause::Tool;
            }
            Next::Continue => {
                past.continuations += 1;
                talk.add_note(shared, GO_ON).await;
                cause = Cause::Continuation;
            }
            Next::Resend => {
                past.continuations += 1;
                cause = Cause::Continuation;
            }
            Next::Compact => {
                past.compactions += 1;
                if let Err(end) = compact::now(talk, shared, turn, None, true, cancel).await {
                    return end;
                }
                // No model may be sent an answer of its own to go on with.
                if talk.history.last().is_some_and(|last| last.role == Role::Assistant) {
                    talk.add_note(shared, GO_ON).await;
                }
                cause = Cause::Continuation;
            }
            Next::Done => {
                if answer.is_empty {
                    shared.notice(Level::Warning, "The model gave an empty answer.").await;
                }
                if talk.take_steering(shared, cancel).await {
                    cause = Cause::Prompt;
                    continue;
                }
                if let Some(failed) = checked.after(shared, done.edits(), cancel).await {
                    talk.add_note(shared, &failed).await;
                    cause = Cause::Prompt;
                    continue;
                }
                if cancel.is_cancelled() {
                    return TurnEnd::Interrupted;
                }
                let said = talk.last_said();
                match hooking::before_end(shared, &said, sent_back, cancel).await {
                    None => return hooking::halted(shared).await.unwrap_or(TurnEnd::Done),
                    Some(_) if cancel.is_cancelled() => return TurnEnd::Interrupted,
                    Some(more) => {
                        sent_back += 1;
                        talk.add_note(shared, &more).await;
                        cause = Cause::Prompt;
                        continue;
                    }
                }
            }
            Next::Fail { kind, message, hints } => {
                return TurnEnd::Failed { error: kind, message, hints };
            }
        }
        talk.add_news(shared).await;
        // What was said meanwhile goes along with the results.
        talk.take_steering(shared, cancel).await;
    }
}

/// The tool whose result is the largest: the request that carries it is made for it more than for
/// the others.
fn largest(calls: &[Call], results: &[CallResult]) -> Option<String> {
    let sized = calls.iter().zip(results).map(|(call, result)| (result.text.len(), &call.tool));
    sized.max_by_key(|(size, _)| *size).map(|(_, tool)| tool.clone())
}

fn note_cut_calls(answer: &Answer, results: &mut [CallResult]) {
    if let (Some(cut), Some(last)) = (answer.cut.first(), results.last_mut()) {
        last.text.push_str(&format!(
            "\n(A further call of {cut} in the same message was cut off by the output limit and did \
             not run. Send it again, in smaller pieces.)"
        ));
    }
}

/// With nobody to ask, a model that is denied everything would go on for ever.
fn denied(shared: &Shared) -> Option<TurnEnd> {
    let often = lock(&shared.gate.denials).too_many().filter(|_| !shared.gate.can_ask());
    often.map(|message| TurnEnd::Failed {
        error: ErrorKind::Denied,
        message,
        hints: vec!["Allow what is needed with --allow RULE or --permission-mode.".to_owned()],
    })
}

impl Conversation {
    /// The calls of the message that was just added, each with what is wrong with its input.
    fn calls_of(&self, answer: &Answer) -> Vec<Call> {
        let Some(message) = self.history.last().filter(|m| m.role == Role::Assistant) else {
            return Vec::new();
        };
        message
            .calls()
            .map(|(id, tool, input)| {
                let malformed = answer.malformed.iter().find(|(bad, _)| bad == id);
                Call::new(id.clone(), tool, input, malformed.map(|(_, why)| why.clone()))
            })
            .collect()
    }

    /// Results stand first in their message, as the wire formats demand.
    fn add_results(&mut self, calls: &[Call], results: &[CallResult]) {
        let parts = calls
            .iter()
            .zip(results)
            .map(|(call, result)| Part::Result {
                call: call.id.clone(),
                text: result.text.clone(),
                is_error: result.is_error(),
            })
            .collect();
        self.push(new_message_id(), Message { role: Role::User, parts });
    }

    /// The images that tools have found, each behind its name, after the results.
    async fn add_pictures(&mut self, shared: &Shared) {
        let session = lock(&shared.session).clone();
        let pictures = std::mem::take(&mut *lock(&session.pictures));
        for (name, picture) in pictures {
            let parts = vec![Part::Text { text: format!("({name})") }, picture.part()];
            let id = self.journal.user(shared, parts.clone()).await;
            self.push(id, Message { role: Role::User, parts });
        }
    }
}

/// Waits, unless cancelled; true if the time is over.
pub async fn sleep(wait: Duration, cancel: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(wait) => true,
        () = cancel.cancelled() => false,
    }
}
