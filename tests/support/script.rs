//! A provider that plays answers given by the test, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tern::agent::route::{Route, Router};
use tern::api::{ApiError, PartStream, Provider, Request, StopReason, StreamPart};
use tern::config::Network;
use tern::models::Model;
use tern::protocol::Usage;

/// One answer of the model.
#[derive(Debug, Clone)]
pub enum Answer {
    Parts(Vec<StreamPart>),
    /// These parts, then this error.
    Broken(Vec<StreamPart>, ApiError),
    /// These parts, then nothing for ever.
    Hangs(Vec<StreamPart>),
}

#[derive(Debug, Default)]
pub struct Script {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
    /// What the server counts, each time it is asked. Where it is empty the server does not count.
    counts: Mutex<VecDeque<u64>>,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Script> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Script { answers, ..Script::default() })
    }

    pub fn will_count(&self, tokens: u64) {
        self.counts.lock().unwrap().push_back(tokens);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

#[async_trait]
impl Provider for Script {
    async fn count(&self, _request: Request) -> Option<Result<u64, ApiError>> {
        self.counts.lock().unwrap().pop_front().map(Ok)
    }

    async fn stream(&self, request: Request) -> Result<PartStream, ApiError> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let ok = |parts: Vec<StreamPart>| stream::iter(parts.into_iter().map(Ok));
        match answer.expect("the script has an answer left") {
            Answer::Parts(parts) => Ok(ok(parts).boxed()),
            Answer::Broken(parts, error) if parts.is_empty() => Err(error),
            Answer::Broken(parts, error) => Ok(ok(parts).chain(stream::iter([Err(error)])).boxed()),
            Answer::Hangs(parts) => Ok(ok(parts).chain(stream::pending()).boxed()),
        }
    }
}

/// A router with one model, `script/model`, of a known window, and perhaps a small one beside it,
/// `script/small`.
#[derive(Debug)]
pub struct Fixed {
    pub provider: Arc<Script>,
    pub window: u64,
    pub small: Option<Arc<Script>>,
}

#[async_trait]
impl Router for Fixed {
    async fn route(&self, name: &str) -> Result<Route, ApiError> {
        let small = self.small.as_ref().filter(|_| name == "script/small");
        let like = if small.is_some() { "claude-haiku-4-5" } else { "claude-sonnet-4-5" };
        let base = tern::models::find(&format!("anthropic/{like}")).unwrap();
        let model = Model { window: self.window, ..base.clone() };
        Ok(Route {
            name: name.to_owned(),
            model: name.rsplit('/').next().unwrap_or_default().to_owned(),
            provider: small.unwrap_or(&self.provider).clone(),
            known: Some(Arc::new(model)),
            network: Network { retries: 6, ..tern::config::Config::default().network },
            scripted: false,
        })
    }

    fn small(&self, _main: &str) -> Option<String> {
        self.small.as_ref().map(|_| "script/small".to_owned())
    }
}

pub fn text(text: &str) -> Answer {
    let mut parts = vec![StreamPart::Started];
    parts.extend(text_parts(text));
    parts.push(usage(1_000, 20));
    parts.push(StreamPart::Stopped(StopReason::EndTurn));
    Answer::Parts(parts)
}

/// A text of a request that had so many tokens.
pub fn text_of(text: &str, tokens: u64) -> Answer {
    let mut parts = text_parts(text);
    parts.push(usage(tokens, 0));
    parts.push(StreamPart::Stopped(StopReason::EndTurn));
    Answer::Parts(parts)
}

pub fn text_parts(text: &str) -> Vec<StreamPart> {
    vec![StreamPart::Text { index: 0, text: text.into() }, StreamPart::BlockEnded { index: 0 }]
}

/// An answer that makes this call.
pub fn call(id: &str, tool: &str, input: Value) -> Answer {
    calls(&[(id, tool, input)])
}

/// An answer that makes these calls.
pub fn calls(calls: &[(&str, &str, Value)]) -> Answer {
    let mut parts = vec![StreamPart::Started];
    for (index, (id, tool, input)) in calls.iter().enumerate() {
        parts.extend(call_parts(index + 1, id, tool, &input.to_string(), true));
    }
    parts.push(usage(1_000, 50));
    parts.push(StreamPart::Stopped(StopReason::ToolUse));
    Answer::Parts(parts)
}

pub fn call_parts(index: usize, id: &str, tool: &str, json: &str, ended: bool) -> Vec<StreamPart> {
    let mut parts = vec![
        StreamPart::CallStarted { index, id: id.into(), name: tool.into() },
        StreamPart::CallInput { index, json: json.into() },
    ];
    if ended {
        parts.push(StreamPart::BlockEnded { index });
    }
    parts
}

pub fn stopped(mut parts: Vec<StreamPart>, reason: StopReason) -> Answer {
    parts.push(usage(1_000, 20));
    parts.push(StreamPart::Stopped(reason));
    Answer::Parts(parts)
}

pub fn usage(input: u64, output: u64) -> StreamPart {
    StreamPart::Usage(Usage { input, output, ..Usage::default() })
}
