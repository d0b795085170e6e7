//! What the model can do: one [`Tool`] a file, all of them in `table`.
//!
//! *Invariant:* a tool does not decide whether it may run. By the time [`Tool::run`] is called the
//! permission layer has allowed it, and [`ToolCtx::approved`] holds what exactly was approved.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::api::ToolSpec;
use crate::protocol::{CallStatus, Detail, Preview, Title, Todo};

#[async_trait]
pub trait Tool: Send + Sync + std::fmt::Debug {
    fn name(&self) -> &'static str;

    /// Name, description and schema, as sent to the model: short, and the same bytes every time.
    fn spec(&self) -> ToolSpec;

    /// Whether this very call may run beside others. Wrong input counts as mutating.
    fn class(&self, input: &Value) -> Class;

    /// The call in plain words, for its line on the screen. Never fails: a wrong input gives the
    /// tool's name and what can be said.
    fn title(&self, input: &Value, cwd: &Path) -> Title;

    /// What running it would do, in full, for the person to judge; and what [`Tool::run`] must
    /// find unchanged. Reads files, changes nothing.
    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome>;

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    ReadOnly,
    Mutating,
}

/// A preview, and a mark of the state it was computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    pub preview: Preview,
    /// SHA-256 (hex) of the file's bytes before the change; `None` where there is no file.
    pub base: Option<String>,
}

/// What was approved; for a call that needed no question, what the preview was.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Approved {
    /// The file's hash when the preview was shown. `None`: nothing was shown.
    pub base: Option<Option<String>>,
    /// Hunks of the preview to apply, from 0. `None`: all.
    pub hunks: Option<Vec<usize>>,
}

/// What a tool may use. One for each call.
#[derive(Debug, Clone)]
pub struct ToolCtx {
    pub cwd: PathBuf,
    /// Where long outputs are kept whole.
    pub spill: PathBuf,
    pub cancel: CancellationToken,
    /// Output as it comes, for the screen. Sending never waits: a full channel drops pieces, as
    /// the result holds everything anyway.
    pub output: mpsc::Sender<String>,
    pub session: Arc<SessionState>,
    pub approved: Approved,
}

/// What the tools of a session know together.
#[derive(Debug, Default)]
pub struct SessionState {
    pub seen: std::sync::Mutex<seen::Seen>,
    pub todos: std::sync::Mutex<Vec<Todo>>,
}

/// How a call ended. `text` is what the model gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub status: CallStatus,
    pub text: String,
    /// A few words for the call's line.
    pub facts: String,
    pub detail: Detail,
}

impl Outcome {
    pub fn done(text: impl Into<String>, facts: impl Into<String>) -> Outcome {
        Outcome {
            status: CallStatus::Done,
            text: text.into(),
            facts: facts.into(),
            detail: Detail::Text,
        }
    }

    pub fn failed(text: impl Into<String>, facts: impl Into<String>) -> Outcome {
        Outcome { status: CallStatus::Failed, ..Outcome::done(text, facts) }
    }

    #[must_use]
    pub fn with(mut self, detail: Detail) -> Outcome {
        self.detail = detail;
        self
    }
}

pub mod seen {
    //! What the model has read, with hashes.

    /// Files that the model has seen in this session.
    #[derive(Debug, Default)]
    pub struct Seen {}
}
