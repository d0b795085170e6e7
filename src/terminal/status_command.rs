//! The person's own words in the status line: a command of theirs that is given the session as
//! JSON and prints a line.
//!
//! It runs when what it is told has changed and then stays the same for a moment; one at a time,
//! and never for long.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::app::{Model, Msg, Reply};
use crate::process::{Exchange, child_env, exchange};

/// What is told must have been the same for this long.
const SETTLED: Duration = Duration::from_millis(300);
/// A command that takes longer is stopped.
const LONGEST: Duration = Duration::from_secs(2);
/// Bytes of its output that are read.
const MOST: usize = 4_096;

#[derive(Debug)]
pub struct StatusCommand {
    /// For `sh -c`.
    pub command: String,
    pub cwd: PathBuf,
    pub vars: BTreeMap<String, String>,
    told: Value,
    /// When to run it, where what it is told has changed.
    pub due: Option<Instant>,
    /// Also the address of the answer: that of an older run falls on the floor.
    runs: u64,
}

impl StatusCommand {
    pub fn new(command: String, cwd: PathBuf, vars: BTreeMap<String, String>) -> StatusCommand {
        StatusCommand { command, cwd, vars, told: Value::Null, due: None, runs: 0 }
    }

    /// To be called after each frame.
    pub fn look(&mut self, model: &Model, now: Instant) {
        let facts = facts(model);
        if facts != self.told {
            self.told = facts;
            self.due = Some(now + SETTLED);
        }
    }

    /// Runs the command if it is time; its line comes as a reply.
    pub fn run_if_due(&mut self, now: Instant, replies: &UnboundedSender<Msg>) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.due = None;
        self.runs += 1;
        let vars = self.vars.iter().map(|(name, value)| (name.into(), value.into()));
        let spec = Exchange {
            argv: vec!["sh".into(), "-c".into(), self.command.clone().into()],
            cwd: self.cwd.clone(),
            env: child_env(vars, &[]),
            timeout: LONGEST,
            input: self.told.to_string().into_bytes(),
            most: MOST,
            run: format!("status-{}", self.runs),
        };
        let (seq, replies) = (self.runs, replies.clone());
        tokio::spawn(async move {
            let line = match exchange(spec, &CancellationToken::new()).await {
                Ok(done) => done.stdout.lines().next().unwrap_or_default().to_owned(),
                Err(error) => format!("status-command: {error}"),
            };
            let _ = replies.send(Msg::Done(Reply::StatusLine { seq, line }));
        });
    }
}

/// What the command is told. Names and units are part of the interface.
fn facts(model: &Model) -> Value {
    let session = &model.session;
    json!({
        "session": session.id.as_ref().map(|id| &id.0),
        "title": session.title,
        "cwd": session.cwd,
        "model": session.model,
        "mode": session.mode.name(),
        "branch": session.branch,
        "dirty_files": session.dirty,
        "context_tokens": model.spending.context,
        "window_tokens": session.window,
        "cost_micro_usd": model.spending.session.0,
        "today_micro_usd": model.spending.today.0,
        "working": model.is_working(),
        "version": session.version,
    })
}
