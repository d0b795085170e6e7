//! Bash: one command in a shell of its own.

mod background;
mod looks;
pub(super) mod outcome;
mod tests_passed;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::process::{self, End, Spec};
use crate::protocol::{Preview, Title};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Confinement, Outcome, Prepared, Tool, ToolCtx, lock, spec};

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
    /// for servers and long runs
    #[serde(default)]
    run_in_background: bool,
    /// Asks the person for the network that a sandbox keeps from commands. The model is told of it
    /// where it could have used it, so that the schema stays short.
    #[schemars(skip)]
    #[serde(default)]
    #[expect(dead_code, reason = "what the person allows counts, not what is asked for")]
    network: bool,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("cmd", "command"), ("script", "command"), ("timeout_ms", "timeout")];
    const HIDDEN: &'static [&'static str] = &["network"];
}

const TIMEOUT: Duration = Duration::from_secs(120);
const LONGEST: Duration = Duration::from_secs(600);

#[async_trait]
impl Tool for Bash {
    fn name(&self) -> &str {
        "Bash"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../../assets/prompts/tools/bash.md"))
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
        let (doing, done) = match input["run_in_background"].as_bool() {
            Some(true) => ("Starting", "Started"),
            _ => ("Running", "Ran"),
        };
        Title::new(doing, done, first + more)
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
    if input.command.trim().is_empty() {
        return Err(Outcome::failed("Bash: the command is empty.", "empty"));
    }
    if input.command.contains('\0') {
        return Err(Outcome::failed("Bash: the command holds a NUL character.", "refused"));
    }
    let confine = match &ctx.session.confinement {
        Confinement::None => None,
        Confinement::In(confine) if ctx.approved.network => Some(confine.with_network()),
        Confinement::In(confine) => Some(confine.clone()),
        Confinement::Refused(why) => {
            return Err(Outcome::failed(format!("Bash: {why}"), "refused"));
        }
    };
    let given = input.timeout.filter(|ms| *ms > 0).map(Duration::from_millis);
    let timeout = given.unwrap_or(TIMEOUT).min(LONGEST);
    let start = start_dir(ctx);
    // The file is private and new, so nobody else can say where the shell went.
    let last_dir = if input.run_in_background { None } else { tempfile::NamedTempFile::new().ok() };
    let spec = Spec {
        argv: process::shell(&input.command, last_dir.as_ref().map(|file| file.path())),
        cwd: start.dir.clone(),
        env: process::child_env(std::env::vars_os(), &ctx.session.secret_env),
        timeout,
        spill: ctx.spill.clone(),
        run: ctx.session.mark.next_run(),
        confine,
    };
    let offline = spec.confine.as_ref().is_some_and(|confine| !confine.policy().network);
    if input.run_in_background && !ctx.session.jobs.has_room() {
        let text = "Bash: too many commands run in the background. End one with TaskStop.";
        return Err(Outcome::failed(text, "too many"));
    }
    ctx.session.jobs.guard(&ctx.session.mark);
    let mut running = process::start(&spec, ctx.output.clone())
        .map_err(|e| Outcome::failed(format!("Bash: {e}."), "not started"))?;
    if input.run_in_background {
        return Ok(background::started(running, input, given, ctx));
    }
    let end = tokio::select! {
        biased;
        end = running.over(&ctx.cancel, Some(timeout)) => end,
        () = ctx.session.to_background.notified() => {
            let why = "the user moved it to the background";
            return Ok(background::moved(running, input, (last_dir, None), why, ctx));
        }
    };
    if end == End::TimedOut && ctx.session.jobs.has_room() && background::may_go_on(&input.command)
    {
        return Ok(background::late(running, input, last_dir, timeout, ctx));
    }
    let ended = running.finish(end).await;

    let mut notes = start.note.into_iter().collect::<Vec<_>>();
    let last = last_dir.and_then(|file| std::fs::read_to_string(file.path()).ok());
    notes.extend(follow(last.as_deref().map(str::trim_end), &start.dir, ctx));
    notes.extend(touched(&ended.touched, &ctx.cwd));
    notes.extend(outcome::missed_network(&ended).filter(|_| offline).map(str::to_owned));
    looks::note(&input.command, &start.dir, &ended, ctx);
    Ok(outcome::of(&ended, &input.command, timeout, notes))
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

/// Told to the model and, with the result, to the person: what they guard runs later, unasked.
fn touched(paths: &[PathBuf], cwd: &Path) -> Option<String> {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.strip_prefix(cwd).unwrap_or(path).display().to_string())
        .collect();
    (!names.is_empty()).then(|| format!("changed meanwhile, protected files: {}", names.join(", ")))
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
    if inside(&root) || lock(&ctx.session.roots).iter().any(|other| inside(&real(other))) {
        let shown = last.display().to_string();
        // The session's own spelling of its directory, so that its paths stay as they were.
        let dir = last.strip_prefix(&root).map_or(last.clone(), |rest| ctx.cwd.join(rest));
        *lock(&ctx.session.shell_dir) = (last != root).then_some(dir);
        return Some(format!("now in {shown}"));
    }
    *lock(&ctx.session.shell_dir) = None;
    Some(format!("{} is outside the workspace: back in {}", last.display(), root.display()))
}
