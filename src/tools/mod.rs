//! What the model can do: one [`Tool`] a file, all of them in `table`.
//!
//! *Invariant:* a tool does not decide whether it may run. By the time [`Tool::run`] is called the
//! permission layer has allowed it, and [`ToolCtx::approved`] holds what exactly was approved.

mod agent_call;
mod args;
mod bash;
mod change;
mod deferred;
mod disk;
pub mod edit;
mod form;
mod glob;
mod grep;
mod job;
mod list;
pub mod mcp_tool;
mod multi_edit;
mod notebook;
pub mod picture;
mod plan;
mod question;
mod read;
pub mod seen;
mod skill;
pub mod table;
#[cfg(test)]
mod tests;
mod todo;
mod walk;
mod web_fetch;
pub mod web_search;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::api::ToolSpec;
use crate::extend::Extensions;
use crate::permissions::Barred;
use crate::process::sandbox::Confine;
use crate::process::{Jobs, Mark};
use crate::protocol::{Ask, CallStatus, ChangedHunk, Detail, Preview, Title, Todo};
use crate::tools::picture::Picture;
use crate::tools::seen::Seen;
use crate::tools::table::Table;
use crate::tools::web_fetch::Pages;

#[async_trait]
pub trait Tool: Send + Sync + std::fmt::Debug {
    fn name(&self) -> &str;

    /// Name, description and schema, as sent to the model: short, and the same bytes every time.
    fn spec(&self) -> ToolSpec;

    /// The same input with the names of the schema: models write `path` for `file_path` and
    /// numbers as text. What is titled, checked, shown and run must be this one value.
    fn tidy(&self, input: Value) -> Value {
        input
    }

    /// Whether this very call may run beside others. Wrong input counts as mutating.
    fn class(&self, input: &Value) -> Class;

    /// The call in plain words, for its line on the screen. Never fails: a wrong input gives the
    /// tool's name and what can be said.
    fn title(&self, input: &Value, cwd: &Path) -> Title;

    /// The file that running it would change, where the input tells: so that its content can be
    /// kept first. What a command changes, nobody knows.
    fn target(&self, _input: &Value, _cwd: &Path) -> Option<PathBuf> {
        None
    }

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
    /// SHA-256 (hex) over the file's real path and its bytes before the change, or that there is
    /// no file; `None` for a tool that changes no file. Opaque: it goes back as
    /// [`Approved::base`], and a write whose target no longer gives the same mark is refused.
    pub base: Option<String>,
    /// What the person should know about the call beyond the preview: that an edit's old text
    /// was not found letter by letter, say. One sentence.
    pub note: Option<String>,
}

/// What was approved; for a call that needed no question, what the preview was.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Approved {
    /// [`Prepared::base`] when the preview was shown. `None`: nothing was shown.
    pub base: Option<Option<String>>,
    /// Hunks of the preview to apply, from 0. `None`: all.
    pub hunks: Option<Vec<usize>>,
    /// Those of them that become something else.
    pub changed: Vec<ChangedHunk>,
    /// What runs in the place of the call's own input, as the person has changed it.
    pub input: Option<Value>,
    /// A command may reach the network although the sandbox keeps it from others.
    pub network: bool,
}

/// What a tool may use. One for each call.
#[derive(Debug, Clone)]
pub struct ToolCtx {
    /// The session's directory: relative paths count from it, and a shell starts in it.
    pub cwd: PathBuf,
    /// Where long outputs are kept whole.
    pub spill: PathBuf,
    pub cancel: CancellationToken,
    /// Output as it comes, for the screen. Sending never waits: a full channel drops pieces, as
    /// the result holds everything anyway.
    pub output: mpsc::Sender<String>,
    pub session: Arc<SessionState>,
    pub approved: Approved,
    /// What a look through folders leaves out.
    pub barred: Barred,
    /// Whom to put a question to in the middle of the call.
    pub ask: Arc<dyn Ask>,
}

/// What the tools of a session know together. Dropping it kills the processes they left behind.
#[derive(Debug, Default)]
pub struct SessionState {
    /// The tools that there are.
    pub tools: Arc<Table>,
    pub seen: Mutex<Seen>,
    pub todos: Mutex<Vec<Todo>>,
    /// Pages of the web that were fetched a short while ago.
    pub pages: Mutex<Pages>,
    /// Images that tools have found, with their names: they go to the model beside the results.
    pub pictures: Mutex<Vec<(String, Picture)>>,
    /// Where `cd` has taken the shell; `None`: the session's directory. Bash alone moves it.
    pub shell_dir: Mutex<Option<PathBuf>>,
    /// Folders besides the session's own in which `cd` may stay.
    pub roots: Mutex<Vec<PathBuf>>,
    /// Names of environment variables that hold keys, beyond the known ones.
    pub secret_env: Vec<String>,
    /// Commands in the background. Before `mark`, whose end kills what these leave.
    pub jobs: Arc<Jobs>,
    /// Tells the commands that a turn waits for to go on in the background.
    pub to_background: Notify,
    /// The name that marks every process of this session.
    pub mark: Mark,
    /// What commands are held to.
    pub confinement: Confinement,
    /// Held from the look at a file to the write: two edits of one file never cross.
    pub writing: Arc<tokio::sync::Mutex<()>>,
    /// Skills, commands and agents that files describe.
    pub extensions: Mutex<Arc<Extensions>>,
}

/// Whether commands run in a sandbox.
#[derive(Debug, Clone, Default)]
pub enum Confinement {
    /// With the person's own rights, as they chose.
    #[default]
    None,
    In(Confine),
    /// A sandbox is required and cannot be had: no command runs. Why, in a sentence.
    Refused(String),
}

impl SessionState {
    /// That of a sub-agent: it has read nothing and plans its own steps, but writes to the same
    /// files, is held in the same way, and its commands in the background are the session's.
    #[must_use]
    pub fn for_agent(&self, tools: Arc<Table>) -> SessionState {
        SessionState {
            tools,
            roots: Mutex::new(lock(&self.roots).clone()),
            secret_env: self.secret_env.clone(),
            jobs: self.jobs.clone(),
            confinement: self.confinement.clone(),
            writing: self.writing.clone(),
            mark: self.mark.part(),
            extensions: Mutex::new(lock(&self.extensions).clone()),
            ..SessionState::default()
        }
    }

    /// The directory in which the next command starts: what the permission check of a Bash call
    /// must count from.
    pub fn shell_dir(&self, cwd: &Path) -> PathBuf {
        lock(&self.shell_dir).clone().unwrap_or_else(|| cwd.to_owned())
    }
}

/// A lock that a panic elsewhere has not spoiled: the data behind these is whole at every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The turn was interrupted before the call was done.
    pub fn interrupted(text: impl Into<String>) -> Outcome {
        Outcome { status: CallStatus::Interrupted, ..Outcome::done(text, "stopped") }
    }

    #[must_use]
    pub fn with(mut self, detail: Detail) -> Outcome {
        self.detail = detail;
        self
    }
}

/// The spec of a tool from its input type and its description file.
fn spec<T: args::Args>(name: &str, description: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: description.trim_end().to_owned(),
        schema: args::schema::<T>(),
    }
}

/// Runs work that waits for the disk beside the async threads. An interrupt does not wait for it:
/// for work that only reads.
async fn off_thread(
    ctx: &ToolCtx,
    work: impl FnOnce(&ToolCtx) -> Outcome + Send + 'static,
) -> Outcome {
    let for_work = ctx.clone();
    let task = tokio::task::spawn_blocking(move || work(&for_work));
    tokio::select! {
        biased;
        outcome = task => outcome.unwrap_or_else(|e| broken(&e)),
        () = ctx.cancel.cancelled() => Outcome::interrupted("Interrupted."),
    }
}

fn broken(error: &tokio::task::JoinError) -> Outcome {
    Outcome::failed(format!("The tool broke: {error}. This is a defect of tern."), "broken")
}

/// A number of bytes as people read it.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// "1 line", "2 lines".
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The preview of a tool that needs no more than its title: it reads and changes nothing.
fn plain_preview(title: &Title) -> Prepared {
    let text = format!("{} {}", title.done, title.object);
    Prepared { preview: Preview::Other { text }, base: None, note: None }
}
