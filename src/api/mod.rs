//! Talking to models: one [`Provider`] a wire format, each turning a [`Request`] into a stream of
//! [`StreamPart`]s.
//!
//! *Invariant:* nothing here retries, waits or decides what to do about an error; that is
//! `agent::recover`. Nothing here knows about tools beyond their schemas.

pub mod answer;
pub mod anthropic;
pub mod cache;
pub mod connect;
pub mod demo;
pub mod detect;
pub mod error;
pub mod history;
pub mod http;
pub mod key;
pub mod limits;
pub mod openai_chat;
pub mod openai_responses;
pub mod openai_usage;
pub mod retry;
pub mod sse;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::config::{CacheTtl, Effort};
use crate::models::Model;
use crate::protocol::{Message, Usage};

pub use connect::{connect, connect_to};

/// A model's server. Cloned cheaply; one for a session.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Sends the request and returns once the server has answered with headers. Dropping the
    /// stream closes the connection.
    async fn stream(&self, request: Request) -> Result<PartStream, ApiError>;

    /// Tokens of the request as the server counts them, where it counts for nothing. `None`: it does
    /// not.
    async fn count(&self, _request: Request) -> Option<Result<u64, ApiError>> {
        None
    }

    /// Whether its server can search the web.
    fn searches(&self) -> bool {
        false
    }

    /// How long a prompt stays in the server's cache after its last use.
    fn cache_life(&self) -> Duration {
        CacheTtl::default().duration()
    }
}

pub type PartStream = BoxStream<'static, Result<StreamPart, ApiError>>;

/// One request. `system`, `tools` and the head of `messages` are the same bytes from request to
/// request of a session, so that the server's prompt cache hits.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The model's name on its server, without the provider.
    pub model: String,
    pub system: Arc<str>,
    pub tools: Arc<[ToolSpec]>,
    pub messages: Vec<Message>,
    /// Output tokens.
    pub max_tokens: u32,
    pub effort: Option<Effort>,
    /// One name for all requests of a session, for servers that route by it.
    pub session: String,
    pub purpose: Purpose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A request of the conversation: its prefix is worth caching.
    Conversation,
    /// A side request that nothing follows.
    Side,
    /// One for which the server searches the web. Only where [`Provider::searches`].
    WebSearch,
}

/// What a wire has to know besides the request itself.
#[derive(Debug, Clone, Default)]
pub struct To {
    /// The model, with what the user's configuration says of it. `None`: what the built-in table
    /// knows of the wire's own provider counts.
    pub known: Option<Arc<Model>>,
    pub cache: CacheTtl,
}

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON Schema of the input, an object.
    pub schema: serde_json::Value,
}

/// One step of an answer. `index` names the block within the answer; blocks may interleave.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamPart {
    /// The answer has begun.
    Started,
    /// Something came that carries nothing (a ping): the server is alive.
    Alive,
    Text {
        index: usize,
        text: String,
    },
    Thinking {
        index: usize,
        text: String,
    },
    /// Replaces any signature this block had.
    Signature {
        index: usize,
        signature: String,
    },
    RedactedThinking {
        index: usize,
        data: String,
    },
    CallStarted {
        index: usize,
        id: String,
        name: String,
    },
    /// A piece of the call's input, as JSON text.
    CallInput {
        index: usize,
        json: String,
    },
    /// A whole block that only this wire understands; see `Part::Opaque`.
    Opaque {
        index: usize,
        wire: &'static str,
        value: serde_json::Value,
    },
    /// The block is complete. A call without this was cut off and is never run.
    BlockEnded {
        index: usize,
    },
    /// Totals so far of this answer; a later one replaces an earlier one.
    Usage(Usage),
    /// Always the last part of a complete answer. A stream that ends without it was cut off.
    Stopped(StopReason),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    EndTurn,
    ToolUse,
    MaxTokens,
    StopSequence,
    /// A server-side tool took long: send the turn back to go on.
    PauseTurn,
    Refusal,
    /// The window was full in mid-answer.
    WindowExceeded,
    /// A reason that this version does not know.
    Other(String),
}

/// What went wrong, in terms of what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiErrorKind {
    /// 401: the key is missing, wrong or expired.
    Auth,
    /// 402: the account has no credit.
    Billing,
    /// 403
    Forbidden,
    /// 404 for the model.
    UnknownModel,
    /// 404 for the path, or a page that is not an API.
    NotAnApi,
    /// 429
    RateLimit,
    /// 529, 503
    Overloaded,
    /// Other 5xx, and an error event in mid-stream that names no better kind.
    Server,
    /// 413, by bytes.
    TooLarge,
    /// The prompt does not fit the window. See `limits`.
    PromptTooLong,
    /// The prompt fits, but not with `max_tokens` on top. See `limits`.
    MaxTokensTooLarge,
    /// 400 that names something else.
    BadRequest,
    /// No connection: refused, unreachable, name not found, TLS.
    Connect,
    /// The server took the request and sent no headers in time.
    HeaderTimeout,
    /// The stream stood still for too long.
    IdleTimeout,
    /// The connection broke, or the stream ended without its end mark.
    Cut,
    /// Bytes that are not what the wire format allows.
    BadStream,
}

/// An error of a request. `message` is one sentence for a person, clean of secrets.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub kind: ApiErrorKind,
    pub message: String,
    /// What the person can do, each a sentence.
    pub hints: Vec<String>,
    pub status: Option<u16>,
    /// What the server asked for by Retry-After and its relatives.
    pub retry_after: Option<Duration>,
    pub limits: Option<Limits>,
    pub request_id: Option<String>,
}

/// Token counts that an error message named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    pub input: Option<u64>,
    pub max_tokens: Option<u64>,
    pub window: Option<u64>,
}

impl ApiError {
    pub fn new(kind: ApiErrorKind, message: impl Into<String>) -> ApiError {
        ApiError {
            kind,
            message: message.into(),
            hints: Vec::new(),
            status: None,
            retry_after: None,
            limits: None,
            request_id: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> ApiError {
        self.hints.push(hint.into());
        self
    }
}
