//! Watches for a model that runs in a circle: the same call that fails again and again. The person
//! is asked what to do about it; where nobody is there, the turn ends.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use tokio_util::sync::CancellationToken;

use crate::agent::conversation::Conversation;
use crate::agent::dispatch::{self, Call};
use crate::agent::hooking;
use crate::agent::shared::Shared;
use crate::protocol::{
    About, CallResult, CallStatus, Choice, Choosable, ErrorKind, Reply, TurnEnd,
};
use crate::tools::Class;

/// The same failing call this often is a circle.
const SAME_FAILURES: u32 = 5;
/// Characters of the call's own words in the question.
const EXCERPT: usize = 200;

const OTHERWISE: &str = "Another way";
const ON: &str = "Go on";
const STOP: &str = "Stop";

/// Failures since something was last changed, by a mark of the call. What only reads changes
/// nothing, so a look in between does not make the next attempt another one.
#[derive(Debug, Default)]
pub struct Watch {
    failures: HashMap<u64, u32>,
}

/// A call that has failed too often.
#[derive(Debug, PartialEq)]
struct Circle {
    tool: String,
    said: String,
}

impl Watch {
    /// How the turn ends, if it does.
    pub async fn check(
        &mut self,
        talk: &mut Conversation,
        shared: &Shared,
        calls: &[Call],
        results: &[CallResult],
        cancel: &CancellationToken,
    ) -> Option<TurnEnd> {
        let mut circle = None;
        for (call, result) in calls.iter().zip(results) {
            circle = match result.status {
                CallStatus::Failed => self.failed(call, result).or(circle),
                _ if dispatch::class(shared, call).await == Class::Mutating => {
                    self.failures.clear();
                    None
                }
                _ => circle,
            };
        }
        let circle = circle?;
        self.failures.clear();
        if !shared.gate.can_ask() || shared.agent.is_some() {
            return Some(TurnEnd::Failed {
                error: ErrorKind::Tool,
                message: format!(
                    "the same call of {} failed {SAME_FAILURES} times: {}",
                    circle.tool, circle.said
                ),
                hints: vec!["Tell the model what to do differently, or say \"go on\".".to_owned()],
            });
        }
        ask(talk, shared, &circle, cancel).await
    }

    fn failed(&mut self, call: &Call, result: &CallResult) -> Option<Circle> {
        let mut hasher = DefaultHasher::new();
        (&call.tool, call.input.to_string()).hash(&mut hasher);
        let failures = self.failures.entry(hasher.finish()).or_default();
        *failures += 1;
        (*failures >= SAME_FAILURES).then(|| {
            let line = result.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Circle { tool: call.tool.clone(), said: line.chars().take(EXCERPT).collect() }
        })
    }
}

async fn ask(
    talk: &mut Conversation,
    shared: &Shared,
    circle: &Circle,
    cancel: &CancellationToken,
) -> Option<TurnEnd> {
    let option = |label: &str, description: &str| Choosable {
        label: label.to_owned(),
        description: description.to_owned(),
    };
    let question = Choice {
        question: format!(
            "The same call of {} failed {SAME_FAILURES} times: {} What now?",
            circle.tool, circle.said
        ),
        header: "In a circle".to_owned(),
        options: vec![
            option(OTHERWISE, "the model is told not to make this call again"),
            option(ON, "as it is; you are asked again after as many failures"),
            option(STOP, "the turn ends here"),
        ],
        multi_select: false,
    };
    let about = About::Choices { questions: vec![question] };
    let waiting = shared.questions.ask(about, &shared.events, cancel);
    let notice = format!("The same call of {} fails again and again", circle.tool);
    let reply = hooking::while_waiting(shared, &notice, cancel, async { waiting.await.ok() }).await;
    let note = match reply {
        Some(Reply::Chosen { answers }) => {
            let answer = answers.into_iter().next().unwrap_or_default();
            match answer.labels.first().map(String::as_str) {
                _ if !answer.text.trim().is_empty() => answer.text,
                Some(ON) => return None,
                Some(OTHERWISE) => format!(
                    "(The same call of {} has failed {SAME_FAILURES} times with the same input. Do \
                     not make it again: find out why it fails, or do it another way.)",
                    circle.tool
                ),
                _ => return Some(TurnEnd::Interrupted),
            }
        }
        Some(Reply::Declined { message: Some(message) }) => message,
        Some(Reply::Declined { message: None } | Reply::Approved { .. }) | None => {
            return Some(TurnEnd::Interrupted);
        }
    };
    talk.add_note(shared, &note).await;
    None
}
