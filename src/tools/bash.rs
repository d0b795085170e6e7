//! Bash: one command in a shell of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::process::{self, End, Ended, Output, Spec};
use crate::protocol::{CallStatus, Detail, Preview, Title};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, lock, spec};

#[derive(Debug)]
pub struct Bash;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    command: String,
    /// milliseconds, at most 600000; default 120000
    timeout: Option<u64>,
    /// what it is for, in a few words
    #[expect(dead_code, reason = "for the person who is asked, not for the run")]
    description: Option<String>,
    #[schemars(skip)]
    #[serde(default)]
    run_in_background: bool,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("cmd", "command"), ("script", "command"), ("timeout_ms", "timeout")];
    const HIDDEN: &'static [&'static str] = &["run_in_background"];
}

const TIMEOUT: Duration = Duration::from_secs(120);
const LONGEST: Duration = Duration::from_secs(600);

#[async_trait]
impl Tool for Bash {
    fn name(&self) -> &'static str {
        "Bash"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/bash.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    /// What a command does is the permission layer's to find out.
    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let command = input["command"].as_str().unwrap_or_default().trim();
        let mut lines = command.lines();
        let first = lines.next().unwrap_or("a command").to_owned();
        let more = if lines.next().is_some() { " …" } else { "" };
        Title::new("Running", "Ran", first + more)
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        let input: Input = args::parse(self.name(), input)?;
        let cwd = ctx.session.shell_dir(&ctx.cwd).display().to_string();
        let preview = Preview::Command { command: input.command, cwd };
        Ok(Prepared { preview, base: None, note: None })
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: Input = match args::parse(self.name(), &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        match run(&input, ctx).await {
            Ok(outcome) | Err(outcome) => outcome,
        }
    }
}

async fn run(input: &Input, ctx: &ToolCtx) -> Result<Outcome, Outcome> {
    if input.run_in_background {
        return Err(Outcome::failed(
            "Bash: run_in_background is not available. Run the command in the foreground with a \
             timeout, or end it with & and send its output to a file.",
            "not available",
        ));
    }
    if input.command.trim().is_empty() {
        return Err(Outcome::failed("Bash: the command is empty.", "empty"));
    }
    if input.command.contains('\0') {
        return Err(Outcome::failed("Bash: the command holds a NUL character.", "refused"));
    }
    let timeout = input.timeout.map_or(TIMEOUT, Duration::from_millis).min(LONGEST);
    let start = start_dir(ctx);
    // The file is private and new, so nobody else can say where the shell went.
    let last_dir = tempfile::NamedTempFile::new().ok();
    let spec = Spec {
        argv: process::shell(&input.command, last_dir.as_ref().map(|file| file.path())),
        cwd: start.dir.clone(),
        env: process::child_env(std::env::vars_os(), &ctx.session.secret_env),
        timeout,
        spill: ctx.spill.clone(),
        run: ctx.session.mark.next_run(),
        confine: None,
    };
    let ended = process::run(&spec, &ctx.cancel, ctx.output.clone())
        .await
        .map_err(|e| Outcome::failed(format!("Bash: {e}."), "not started"))?;

    let mut notes = start.note.into_iter().collect::<Vec<_>>();
    let last = last_dir.and_then(|file| std::fs::read_to_string(file.path()).ok());
    notes.extend(follow(last.as_deref().map(str::trim_end), &start.dir, ctx));
    Ok(outcome(&ended, &input.command, timeout, notes))
}

struct Start {
    dir: PathBuf,
    note: Option<String>,
}

/// Where the shell was left, if that is still there.
fn start_dir(ctx: &ToolCtx) -> Start {
    let dir = ctx.session.shell_dir(&ctx.cwd);
    if dir.is_dir() {
        return Start { dir, note: None };
    }
    *lock(&ctx.session.shell_dir) = None;
    let note = format!("{} is gone: ran in {}.", dir.display(), ctx.cwd.display());
    Start { dir: ctx.cwd.clone(), note: Some(note) }
}

/// Keeps the directory the shell ended in, as long as it lies in the workspace. Says so when the
/// next command will start elsewhere than this one.
fn follow(last: Option<&str>, start: &Path, ctx: &ToolCtx) -> Option<String> {
    let last = PathBuf::from(last.filter(|last| last.starts_with('/'))?);
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if last == real(start) {
        return None;
    }
    let root = real(&ctx.cwd);
    let inside = |root: &Path| last.starts_with(root);
    if inside(&root) || ctx.session.roots.iter().any(|other| inside(&real(other))) {
        let shown = last.display().to_string();
        // The session's own spelling of its directory, so that its paths stay as they were.
        let dir = last.strip_prefix(&root).map_or(last.clone(), |rest| ctx.cwd.join(rest));
        *lock(&ctx.session.shell_dir) = (last != root).then_some(dir);
        return Some(format!("now in {shown}"));
    }
    *lock(&ctx.session.shell_dir) = None;
    Some(format!("{} is outside the workspace: back in {}", last.display(), root.display()))
}

fn outcome(ended: &Ended, command: &str, timeout: Duration, mut notes: Vec<String>) -> Outcome {
    let seconds = seconds(ended.duration);
    let (status, code, fact) = match ended.end {
        End::Exited(0) => (CallStatus::Done, Some(0), None),
        End::Exited(code) => {
            let status = if code == 1 && says_no_by_one(command) {
                CallStatus::Done
            } else {
                CallStatus::Failed
            };
            (status, Some(code), Some(format!("exit {code}")))
        }
        End::Signalled(signal) => {
            (CallStatus::Failed, None, Some(format!("ended by signal {signal}")))
        }
        End::TimedOut => {
            (CallStatus::Failed, None, Some(format!("timed out after {} s", timeout.as_secs_f32())))
        }
        End::Cancelled => (CallStatus::Interrupted, None, Some("interrupted".to_owned())),
    };
    if let Some(fact) = &fact {
        notes.insert(0, fact.clone());
    }
    if ended.left > 0 {
        let what = if ended.left == 1 { "process goes" } else { "processes go" };
        notes.push(format!("{} {what} on in the background until the session ends", ended.left));
    }
    let output = &ended.output;
    let mut text = shown(output);
    if text.is_empty() && notes.is_empty() {
        text.push_str("(no output)");
    }
    if !notes.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text += &format!("[{}]", notes.join("; "));
    }
    let facts = match fact.filter(|_| status != CallStatus::Done) {
        Some(fact) => format!("{fact} · {seconds}"),
        None => seconds,
    };
    Outcome {
        status,
        text,
        facts,
        detail: Detail::Command {
            code,
            duration_ms: u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
            spilled: output.spilled.as_ref().map(|path| path.display().to_string()),
        },
    }
}

fn shown(output: &Output) -> String {
    if output.omitted == 0 {
        return output.head.clone();
    }
    let whole = match &output.spilled {
        Some(path) if output.spill_cut => format!("; its first 64 MiB: {}", path.display()),
        Some(path) => format!("; all of it: {}", path.display()),
        None => String::new(),
    };
    let gap = if output.head.ends_with('\n') { "" } else { "\n" };
    format!(
        "{}{gap}[… {} of {} bytes left out{whole} …]\n{}",
        output.head, output.omitted, output.total, output.tail
    )
}

/// Programs for which exit code 1 is an answer, not a failure. Only a lone command counts: in a
/// longer line nobody knows whose code it was.
fn says_no_by_one(command: &str) -> bool {
    let lone = !command.trim().contains(['\n', ';', '&', '|']);
    let first = command.split_whitespace().next().unwrap_or_default();
    let first = first.rsplit('/').next().unwrap_or_default();
    let git = command.split_whitespace().take(2).eq(["git", "diff"])
        || command.split_whitespace().take(2).eq(["git", "grep"]);
    lone && (git
        || matches!(
            first,
            "grep" | "egrep" | "fgrep" | "rg" | "find" | "diff" | "cmp" | "test" | "["
        ))
}

fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}
