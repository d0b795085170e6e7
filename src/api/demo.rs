//! A model played from a script: no network, no key, the same answer every time. It is what
//! `tern --demo` shows and what tests talk to; everything around it is real.
//!
//! The script is data (`assets/demo/script.toml`): steps with words and tool calls, and where to
//! go next, depending on what the tools answered.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::api::{ApiError, ApiErrorKind, PartStream, Provider, Request, StopReason, StreamPart};
use crate::protocol::{Message, Part, Role, Usage};

const SCRIPT: &str = include_str!("../../assets/demo/script.toml");

/// The sample project of `--demo`: path, text, and whether it is a program.
pub const PROJECT: &[(&str, &str, bool)] = &[
    ("README.md", include_str!("../../assets/demo/project/README.md"), false),
    ("AGENTS.md", include_str!("../../assets/demo/project/AGENTS.md"), false),
    ("bin/tally", include_str!("../../assets/demo/project/bin/tally"), true),
    ("tests/run.sh", include_str!("../../assets/demo/project/tests/run.sh"), true),
];

/// What the prompt proposes in the demo.
pub const FIRST_PROMPT: &str = "A test of this project fails. Find out why, fix it, and prove it.";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    turn: Vec<Turn>,
}

/// What one prompt sets off. The last turn of a script answers all further prompts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    start: String,
    step: BTreeMap<String, Step>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    think: String,
    say: String,
    calls: Vec<Call>,
    next: Vec<Exit>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    tool: String,
    input: serde_json::Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exit {
    when: Option<String>,
    go: String,
}

/// How fast the script is typed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Like a fast model, so that a person can watch.
    Natural,
    /// All at once, for tests.
    Instant,
}

#[derive(Debug)]
pub struct Demo {
    script: Script,
    pace: Pace,
    place: Mutex<Place>,
}

/// Where in the script the session is. The history alone would not tell after a compaction.
#[derive(Debug, Default)]
struct Place {
    turn: usize,
    step: Option<String>,
    /// Bytes of the last request, which a real server would have cached.
    cached: u64,
}

impl Demo {
    pub fn new(pace: Pace) -> Result<Demo, ApiError> {
        Demo::from_script(SCRIPT, pace)
    }

    /// A provider that plays `script`, written as `assets/demo/script.toml` is.
    pub fn from_script(script: &str, pace: Pace) -> Result<Demo, ApiError> {
        let script: Script = toml::from_str(script).map_err(|error| {
            ApiError::new(ApiErrorKind::BadRequest, format!("the script is not valid: {error}"))
        })?;
        let missing = script.turn.iter().find_map(Turn::missing_step);
        match missing {
            Some(step) => Err(ApiError::new(
                ApiErrorKind::BadRequest,
                format!("the script names a step {step:?} that it does not have"),
            )),
            None if script.turn.is_empty() => {
                Err(ApiError::new(ApiErrorKind::BadRequest, "the script has no turn"))
            }
            None => Ok(Demo { script, pace, place: Mutex::default() }),
        }
    }

    /// Moves to the step that answers `messages`. Not called for side requests.
    fn advance(&self, messages: &[Message], prompt: u64) -> (Step, u64) {
        let mut place = self.place.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let results = last_results(messages);
        let at = place.turn.min(self.script.turn.len() - 1);
        let turn = &self.script.turn[at];
        let next = place
            .step
            .as_ref()
            .filter(|_| !results.is_empty())
            .and_then(|step| turn.step.get(step))
            .and_then(|step| step.after(&results));
        let (turn, step) = match next {
            Some(next) => (turn, next),
            // A new prompt: the next turn of the script, if any is left.
            None => {
                let fresh = place.step.is_none() && place.turn == 0;
                let index =
                    if fresh { 0 } else { (place.turn + 1).min(self.script.turn.len() - 1) };
                place.turn = index;
                let turn = &self.script.turn[index];
                (turn, turn.start.clone())
            }
        };
        let cached = place.cached.min(prompt);
        place.cached = prompt;
        let found = turn.step.get(&step).cloned().unwrap_or_default();
        place.step = Some(step);
        (found, cached)
    }
}

impl Turn {
    fn missing_step(&self) -> Option<String> {
        let named = self.step.values().flat_map(|step| step.next.iter().map(|exit| &exit.go));
        std::iter::once(&self.start)
            .chain(named)
            .find(|name| !self.step.contains_key(*name))
            .cloned()
    }
}

impl Step {
    fn after(&self, results: &[(&str, bool)]) -> Option<String> {
        let fits = |when: &str| match when {
            "denied" => results.iter().any(|(text, _)| text.starts_with("Denied:")),
            "failed" => results.iter().any(|(_, is_error)| *is_error),
            words => results.iter().any(|(text, _)| text.contains(words)),
        };
        self.next
            .iter()
            .find(|exit| exit.when.as_deref().is_none_or(fits))
            .map(|exit| exit.go.clone())
    }

    fn parts(&self, number: usize) -> Vec<StreamPart> {
        let mut parts = vec![StreamPart::Started];
        let mut index = 0;
        if !self.think.is_empty() {
            parts.extend(
                pieces(&self.think).map(|text| StreamPart::Thinking { index, text: text.into() }),
            );
            parts.push(StreamPart::BlockEnded { index });
            index += 1;
        }
        let say = self.say.trim();
        if !say.is_empty() {
            parts.extend(pieces(say).map(|text| StreamPart::Text { index, text: text.into() }));
            parts.push(StreamPart::BlockEnded { index });
            index += 1;
        }
        for (n, call) in self.calls.iter().enumerate() {
            let id = format!("demo_{number}_{n}");
            parts.push(StreamPart::CallStarted { index, id, name: call.tool.clone() });
            parts.push(StreamPart::CallInput { index, json: call.input.to_string() });
            parts.push(StreamPart::BlockEnded { index });
            index += 1;
        }
        parts
    }
}

#[async_trait]
impl Provider for Demo {
    async fn stream(&self, request: Request) -> Result<PartStream, ApiError> {
        let prompt = tokens(request_bytes(&request));
        let (step, cached) = if asks_for_summary(&request) {
            let say = "## Goal\nFix the failing test of the sample project.\n\n## Done\nWhat the \
                       script did so far."
                .to_owned();
            (Step { say, ..Step::default() }, prompt)
        } else {
            self.advance(&request.messages, prompt)
        };
        let mut parts = step.parts(request.messages.len());
        let said: usize = parts
            .iter()
            .map(|part| match part {
                StreamPart::Text { text, .. } | StreamPart::Thinking { text, .. } => text.len(),
                StreamPart::CallInput { json, .. } => json.len() + 20,
                _ => 0,
            })
            .sum();
        parts.push(StreamPart::Usage(Usage {
            cache_read: cached,
            cache_write_5m: prompt - cached,
            output: tokens(said),
            thinking: tokens(step.think.len()),
            ..Usage::default()
        }));
        let stop = if step.calls.is_empty() { StopReason::EndTurn } else { StopReason::ToolUse };
        parts.push(StreamPart::Stopped(stop));
        let pace = self.pace;
        let typed = stream::iter(parts).then(move |part| async move {
            if let Some(wait) = pause(pace, &part) {
                tokio::time::sleep(wait).await;
            }
            Ok(part)
        });
        Ok(typed.boxed())
    }
}

fn pause(pace: Pace, part: &StreamPart) -> Option<Duration> {
    let millis = match (pace, part) {
        (Pace::Instant, _) => return None,
        (Pace::Natural, StreamPart::Started) => 350,
        (Pace::Natural, StreamPart::Text { .. } | StreamPart::Thinking { .. }) => 24,
        (Pace::Natural, StreamPart::CallStarted { .. }) => 120,
        (Pace::Natural, _) => return None,
    };
    Some(Duration::from_millis(millis))
}

/// Whole words with the space after them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut end = 0;
        for word in rest.split_word_bounds() {
            end += word.len();
            if word.chars().all(char::is_whitespace) {
                break;
            }
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Results of the newest message, if it holds any.
fn last_results(messages: &[Message]) -> Vec<(&str, bool)> {
    let Some(last) = messages.last().filter(|message| message.role == Role::User) else {
        return Vec::new();
    };
    last.parts
        .iter()
        .filter_map(|part| match part {
            Part::Result { text, is_error, .. } => Some((text.as_str(), *is_error)),
            _ => None,
        })
        .collect()
}

fn asks_for_summary(request: &Request) -> bool {
    request.messages.last().is_some_and(|last| {
        last.parts.iter().any(|part| {
            matches!(part, Part::Text { text } if text.starts_with("The conversation is about to be shortened"))
        })
    })
}

fn request_bytes(request: &Request) -> usize {
    let tools: usize = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.schema.to_string().len())
        .sum();
    let messages: usize = request
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .map(|part| match part {
            Part::Text { text } | Part::Result { text, .. } | Part::Thinking { text, .. } => {
                text.len()
            }
            Part::Call { input, .. } => input.to_string().len(),
            Part::RedactedThinking { data } | Part::Image { data, .. } => data.len(),
            Part::Opaque { value, .. } => value.to_string().len(),
        })
        .sum();
    request.system.len() + tools + messages
}

/// An estimate, as no tokenizer is at hand: 3.6 bytes a token.
fn tokens(bytes: usize) -> u64 {
    (bytes as u64 * 10).div_ceil(36)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CallId;

    fn request(messages: Vec<Message>) -> Request {
        Request {
            model: "scripted".into(),
            system: "".into(),
            tools: Vec::new().into(),
            messages,
            max_tokens: 1_000,
            effort: None,
            session: String::new(),
            purpose: crate::api::Purpose::Conversation,
        }
    }

    async fn ask(demo: &Demo, message: Message) -> (String, Vec<String>) {
        let mut stream = demo.stream(request(vec![message])).await.unwrap();
        let (mut text, mut calls) = (String::new(), Vec::new());
        while let Some(part) = stream.next().await {
            match part.unwrap() {
                StreamPart::Text { text: piece, .. } => text.push_str(&piece),
                StreamPart::CallStarted { name, .. } => calls.push(name),
                _ => {}
            }
        }
        (text, calls)
    }

    fn result(text: &str) -> Message {
        let part = Part::Result { call: CallId("c".into()), text: text.into(), is_error: false };
        Message { role: Role::User, parts: vec![part] }
    }

    #[test]
    fn the_script_that_is_built_in_is_whole() {
        Demo::new(Pace::Instant).unwrap();
    }

    #[tokio::test]
    async fn the_script_reacts_to_what_the_tools_answer() {
        let demo = Demo::new(Pace::Instant).unwrap();
        assert_eq!(ask(&demo, Message::user("go")).await.1, ["Read", "Read", "Grep"]);
        assert_eq!(ask(&demo, result("text")).await.1, ["Bash"]);
        assert_eq!(ask(&demo, result("FAIL empty input\n1 failed")).await.1, ["Edit"]);
        let (text, calls) = ask(&demo, result("Denied: no")).await;
        assert!(text.contains("nothing was changed"), "{text}");
        assert!(calls.is_empty());
        assert!(ask(&demo, Message::user("why?")).await.0.contains("## What happened"));
        for _ in 0..2 {
            assert!(ask(&demo, Message::user("more")).await.0.starts_with("The script ends"));
        }
    }

    #[test]
    fn a_script_that_leads_nowhere_is_refused() {
        let script = "[[turn]]\nstart = \"a\"\n[turn.step.a]\nnext = [{ go = \"b\" }]\n";
        let error = Demo::from_script(script, Pace::Instant).unwrap_err();
        assert!(error.message.contains("\"b\""), "{error}");
    }
}
