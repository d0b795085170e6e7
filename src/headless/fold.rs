//! Events to the one object that says how it went. Pure.

use serde::Serialize;

use crate::protocol::{
    CallId, CallStatus, ErrorKind, Event, MessageId, Money, TurnEnd, TurnId, Usage,
};

/// What is known of a session so far.
#[derive(Debug, Default)]
pub struct Outcome {
    session: String,
    model: String,
    /// Text of the newest message that had any.
    text: String,
    message: Option<MessageId>,
    turn: Option<TurnId>,
    running: bool,
    interrupts: u32,
    requests: u32,
    usage: Usage,
    cost: Money,
    unpriced: bool,
    duration_ms: u64,
    denied: Vec<Denied>,
    /// Whether the newest calls came to anything.
    last_calls: Vec<CallStatus>,
    names: Vec<(CallId, String, String)>,
    end: Option<TurnEnd>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Denied {
    pub tool: String,
    pub what: String,
    pub because: String,
}

/// The object of `--output-format json`, field for field.
#[derive(Debug, Serialize)]
pub struct ResultObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    ok: bool,
    text: &'a str,
    session: &'a str,
    model: &'a str,
    stop: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorObject<'a>>,
    turns: u32,
    usage: UsageObject,
    cost_usd: Option<f64>,
    duration_ms: u64,
    denied: &'a [Denied],
}

#[derive(Debug, Serialize)]
struct ErrorObject<'a> {
    kind: ErrorKind,
    message: &'a str,
    hints: &'a [String],
}

#[derive(Debug, Serialize)]
struct UsageObject {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

const ONLY_DENIED: &str = "the model could not go on without a call that was denied";

impl Outcome {
    pub fn failed(kind: ErrorKind, message: &str, hints: &[String]) -> Outcome {
        let (message, hints) = (message.to_owned(), hints.to_vec());
        let end = Some(TurnEnd::Failed { error: kind, message, hints });
        Outcome { end, ..Outcome::default() }
    }

    /// The same, of a session.
    pub fn tell(&mut self, text: String) {
        (self.text, self.end) = (text, Some(TurnEnd::Done));
    }

    /// A text that no model said.
    pub fn told(text: String) -> Outcome {
        Outcome { text, end: Some(TurnEnd::Done), ..Outcome::default() }
    }

    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Started { session, model, .. } => {
                self.session.clone_from(&session.0);
                self.model.clone_from(model);
            }
            Event::ModelSet { model, .. } => self.model.clone_from(model),
            Event::TurnStarted { turn, .. } => {
                self.turn = Some(*turn);
                self.running = true;
                self.last_calls.clear();
                self.end = None;
            }
            Event::TextAdded { message, text } => {
                if self.message.as_ref() != Some(message) {
                    self.message = Some(message.clone());
                    self.text.clear();
                }
                self.text.push_str(text);
            }
            Event::RequestStarted { .. } => self.requests += 1,
            Event::CallQueued { call, tool, title, .. } => {
                // The first call of a new message begins a new group.
                if self.names.last().is_some_and(|(last, _, _)| last.0.is_empty()) {
                    self.last_calls.clear();
                    self.names.pop();
                }
                self.names.push((call.clone(), tool.clone(), title.object.clone()));
            }
            Event::MessageEnded { .. } => {
                self.names.push((CallId::default(), String::new(), String::new()));
            }
            Event::CallEnded { call, result } => {
                self.last_calls.push(result.status);
                if result.status == CallStatus::Denied {
                    let name = self.names.iter().rev().find(|(id, _, _)| id == call);
                    let (tool, what) = name
                        .map(|(_, tool, what)| (tool.clone(), what.clone()))
                        .unwrap_or_default();
                    let because = result.text.trim_start_matches("Denied: ").to_owned();
                    self.denied.push(Denied { tool, what, because });
                }
            }
            // Sub-agents cost money and are denied things, but the answer is not theirs.
            Event::Within { event, .. } => match &**event {
                Event::UsageAdded { .. } | Event::Within { .. } => self.add(event),
                Event::CallEnded { result, .. } if result.status == CallStatus::Denied => {
                    let because = result.text.trim_start_matches("Denied: ").to_owned();
                    let (tool, what) =
                        (String::from("Agent"), String::from("a call of a sub-agent"));
                    self.denied.push(Denied { tool, what, because });
                }
                _ => {}
            },
            Event::UsageAdded { spend, .. } => {
                self.usage.add(&spend.usage);
                match spend.cost {
                    Some(cost) => self.cost += cost,
                    None => self.unpriced = true,
                }
            }
            Event::TurnEnded { end, summary, .. } => {
                self.running = false;
                self.duration_ms += summary.duration_ms;
                self.end = Some(end.clone());
            }
            _ => {}
        }
    }

    pub fn turn(&self) -> Option<TurnId> {
        self.turn
    }

    pub fn running(&self) -> bool {
        self.running
    }

    /// Counts an interrupt; true from the second on.
    pub fn interrupted_twice(&mut self) -> bool {
        self.interrupts += 1;
        if self.interrupts > 1 {
            self.end = Some(TurnEnd::Interrupted);
        }
        self.interrupts > 1
    }

    /// The last answer.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Kind, sentence and hints, where it did not go well.
    pub fn error(&self) -> Option<(ErrorKind, &str, &[String])> {
        match &self.end {
            Some(TurnEnd::Failed { error, message, hints }) => Some((*error, message, hints)),
            Some(TurnEnd::TurnLimit) => {
                Some((ErrorKind::TurnLimit, "the limit of --max-turns was reached", &[]))
            }
            Some(TurnEnd::Budget) => Some((ErrorKind::Budget, "the budget is used up", &[])),
            Some(TurnEnd::Done) if self.only_denied() => {
                Some((ErrorKind::Denied, ONLY_DENIED, &[]))
            }
            Some(TurnEnd::Done | TurnEnd::Interrupted) | None => None,
        }
    }

    pub fn exit_code(&self) -> u8 {
        match (&self.end, self.error()) {
            (Some(TurnEnd::Interrupted), _) => 130,
            (_, Some((kind, _, _))) => kind.exit_code(),
            (_, None) => 0,
        }
    }

    pub fn object(&self) -> ResultObject<'_> {
        let error = self.error().map(|(kind, message, hints)| ErrorObject { kind, message, hints });
        let stop = match &self.end {
            Some(TurnEnd::Done) | None if error.is_none() => "done",
            Some(TurnEnd::Interrupted) => "interrupted",
            Some(TurnEnd::TurnLimit) => "turn_limit",
            Some(TurnEnd::Budget) => "budget",
            Some(TurnEnd::Failed { .. } | TurnEnd::Done) | None => "error",
        };
        ResultObject {
            kind: "result",
            ok: error.is_none() && stop == "done",
            text: &self.text,
            session: &self.session,
            model: &self.model,
            stop,
            error,
            turns: self.requests,
            usage: UsageObject {
                input: self.usage.input,
                output: self.usage.output,
                cache_read: self.usage.cache_read,
                cache_write: self.usage.cache_write(),
            },
            cost_usd: (!self.unpriced).then(|| self.cost.usd()),
            duration_ms: self.duration_ms,
            denied: &self.denied,
        }
    }

    /// The model gave up after calls of which not one was let through.
    fn only_denied(&self) -> bool {
        !self.last_calls.is_empty()
            && self.last_calls.iter().all(|status| *status == CallStatus::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CallResult, Detail, Title, TurnSummary};

    fn call(outcome: &mut Outcome, id: &str, status: CallStatus) {
        let call = CallId(id.into());
        outcome.add(&Event::CallQueued {
            call: call.clone(),
            tool: "Bash".into(),
            title: Title::new("Running", "Ran", "make"),
            input: serde_json::Value::Null,
        });
        let text = "Denied: nobody can be asked".to_owned();
        let result = CallResult { status, text, facts: String::new(), detail: Detail::Text };
        outcome.add(&Event::CallEnded { call, result });
    }

    fn message(outcome: &mut Outcome, id: &str, text: &str) {
        let message = MessageId(id.into());
        outcome.add(&Event::TextAdded { message: message.clone(), text: text.into() });
        outcome.add(&Event::MessageEnded { message });
    }

    fn done(outcome: &mut Outcome, end: TurnEnd) {
        let summary = TurnSummary::default();
        outcome.add(&Event::TurnEnded { turn: TurnId(1), end, summary });
    }

    #[test]
    fn the_text_is_that_of_the_last_message() {
        let mut outcome = Outcome::default();
        message(&mut outcome, "a", "looking");
        message(&mut outcome, "b", "found");
        done(&mut outcome, TurnEnd::Done);
        assert_eq!((outcome.text(), outcome.exit_code()), ("found", 0));
    }

    #[test]
    fn a_denial_is_an_error_only_if_the_model_got_no_further() {
        let mut outcome = Outcome::default();
        message(&mut outcome, "a", "try");
        call(&mut outcome, "1", CallStatus::Denied);
        done(&mut outcome, TurnEnd::Done);
        assert_eq!(outcome.exit_code(), 3);
        assert_eq!(
            serde_json::to_value(outcome.object().denied).unwrap(),
            serde_json::json!([{ "tool": "Bash", "what": "make", "because": "nobody can be asked" }])
        );
        message(&mut outcome, "b", "another way");
        call(&mut outcome, "2", CallStatus::Done);
        done(&mut outcome, TurnEnd::Done);
        assert_eq!((outcome.exit_code(), outcome.object().denied.len()), (0, 1));
    }

    #[test]
    fn exit_codes() {
        let failed = |error| TurnEnd::Failed { error, message: "x".into(), hints: vec![] };
        for (end, code) in [
            (TurnEnd::Done, 0),
            (TurnEnd::Interrupted, 130),
            (TurnEnd::TurnLimit, 7),
            (TurnEnd::Budget, 7),
            (failed(ErrorKind::Auth), 4),
            (failed(ErrorKind::Network), 6),
            (failed(ErrorKind::Context), 8),
        ] {
            let mut outcome = Outcome::default();
            done(&mut outcome, end.clone());
            assert_eq!(outcome.exit_code(), code, "{end:?}");
        }
    }
}
