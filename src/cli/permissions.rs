//! `tern permissions check`: what the permission layer would decide, and why. Runs nothing.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::Env;
use crate::config::dirs;
use crate::config::layer::{self, Inputs};
use crate::permissions::rule::{Folders, RuleTexts};
use crate::permissions::{Policy, RuleSet, Verdict, access, check, explain, facts};
use crate::protocol::{Mode, PartVerdict, Ruling, Source, Sourced};
use crate::trust;

#[derive(clap::Args, Debug, Clone)]
pub struct PermissionsArgs {
    #[command(subcommand)]
    command: PermissionsCommand,
}

#[derive(clap::Subcommand, Debug, Clone)]
enum PermissionsCommand {
    /// Decide about calls: JSON lines in, JSON lines out, in order
    Check {
        /// Decide about this command, in words for a person
        #[arg(long, value_name = "COMMAND")]
        explain: Option<String>,
    },
}

/// A line of input.
#[derive(Debug, Deserialize)]
struct Question {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    rules: Option<Lists>,
    #[serde(default)]
    project_rules: Option<Lists>,
    #[serde(default)]
    trusted: Option<bool>,
    #[serde(default)]
    cwd: Option<PathBuf>,
    #[serde(default)]
    add_dirs: Vec<PathBuf>,
    tool: String,
    #[serde(default)]
    input: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lists {
    allow: Vec<String>,
    ask: Vec<String>,
    deny: Vec<String>,
}

/// A line of output.
#[derive(Debug, Serialize)]
struct Answer {
    id: Value,
    decision: Ruling,
    because: String,
    rule: Option<String>,
    source: &'static str,
    parts: Vec<PartAnswer>,
    prompt: String,
}

#[derive(Debug, Serialize)]
struct PartAnswer {
    text: String,
    decision: Ruling,
    because: String,
}

pub fn run(args: &PermissionsArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let PermissionsCommand::Check { explain } = &args.command;
    match explain {
        Some(command) => explained(command, env, out)?,
        None => lines(std::io::stdin().lock(), env, out)?,
    }
    Ok(0)
}

/// Answers each line of `input`. A line that cannot be read is answered too, and the rest goes on.
pub fn lines(mut input: impl BufRead, env: &Env, out: &mut dyn Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Question>(&line) {
            Ok(question) => answer(question, env),
            Err(error) => json!({ "id": null, "error": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
}

fn answer(question: Question, env: &Env) -> Value {
    let policy = match policy(&question, env) {
        Ok(policy) => policy,
        Err(error) => return json!({ "id": question.id, "error": error }),
    };
    let access = access::of(&question.tool, &question.input, &policy.cwd);
    let verdict = check::check(&access, &policy, &facts::gather(&access, &policy));
    let source = source(&verdict);
    let answer = Answer {
        id: question.id,
        decision: verdict.decision,
        because: verdict.because,
        rule: verdict.rule.map(|rule| rule.value),
        source,
        parts: verdict
            .parts
            .into_iter()
            .map(|part| PartAnswer {
                text: part.text,
                decision: part.decision,
                because: part.because,
            })
            .collect(),
        prompt: explain::prompt(&access),
    };
    serde_json::to_value(answer).unwrap_or_else(|error| json!({ "error": error.to_string() }))
}

/// The policy of a line: its own rules as the user's, or the real configuration of its folder.
fn policy(question: &Question, env: &Env) -> Result<Policy, String> {
    let cwd = question.cwd.clone().unwrap_or_else(|| env.cwd.clone());
    if !cwd.is_absolute() {
        return Err("cwd must be absolute".to_owned());
    }
    let configured = question.rules.is_none() && question.project_rules.is_none();
    let (mut texts, mut mode, mut additional, known) = if configured {
        real(&cwd, env)
    } else {
        (RuleTexts::default(), Mode::Default, Vec::new(), true)
    };
    for (lists, source) in
        [(&question.rules, Source::User), (&question.project_rules, Source::Project)]
    {
        let Some(lists) = lists else { continue };
        let sourced = |rules: &[String]| -> Vec<Sourced<String>> {
            rules.iter().map(|rule| Sourced::new(rule.clone(), source)).collect()
        };
        texts.allow.extend(sourced(&lists.allow));
        texts.ask.extend(sourced(&lists.ask));
        texts.deny.extend(sourced(&lists.deny));
    }
    if let Some(name) = &question.mode {
        mode = Mode::parse(name).ok_or_else(|| format!("unknown mode {name:?}"))?;
    }
    additional.extend(question.add_dirs.iter().map(|dir| cwd.join(dir)));
    let folders = Folders {
        cwd: cwd.clone(),
        root: dirs::project_root(&cwd),
        home: env.dirs.home.clone(),
        additional: additional.clone(),
    };
    let trusted = question.trusted.unwrap_or(known);
    let (rules, _) = RuleSet::new(&texts, &folders, trusted);
    let own = [&env.dirs.config, &env.dirs.data, &env.dirs.state].map(Clone::clone).to_vec();
    Ok(Policy {
        mode,
        rules,
        cwd,
        additional,
        home: env.dirs.home.clone(),
        own,
        trusted,
        sandboxed_commands: false,
    })
}

/// Rules, mode, further folders and trust as a session in this folder would have them.
fn real(cwd: &Path, env: &Env) -> (RuleTexts, Mode, Vec<PathBuf>, bool) {
    let mut inputs = Inputs::new(env.dirs.clone(), cwd, env.vars.clone());
    inputs.trusted = trust::is_trusted(&env.dirs.trust(), &inputs.project_root, cwd);
    let (loaded, _) = layer::load(&inputs);
    let permissions = loaded.config.permissions;
    let additional = permissions
        .additional_directories
        .iter()
        .filter(|dir| inputs.trusted || !matches!(dir.source, Source::Project | Source::Local))
        .map(|dir| cwd.join(&dir.value))
        .collect();
    let texts =
        RuleTexts { allow: permissions.allow, ask: permissions.ask, deny: permissions.deny };
    let mode = permissions.mode.map_or(Mode::Default, |mode| mode.value);
    (texts, mode, additional, inputs.trusted)
}

fn explained(command: &str, env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    let question = Question {
        id: Value::Null,
        mode: None,
        rules: None,
        project_rules: None,
        trusted: None,
        cwd: None,
        add_dirs: Vec::new(),
        tool: "Bash".to_owned(),
        input: json!({ "command": command }),
    };
    let policy = policy(&question, env).map_err(anyhow::Error::msg)?;
    let access = access::of(&question.tool, &question.input, &policy.cwd);
    let verdict = check::check(&access, &policy, &facts::gather(&access, &policy));
    writeln!(out, "$ {}", explain::prompt(&access))?;
    writeln!(out)?;
    for part in &verdict.parts {
        writeln!(out, "  {:5} {}", name(part.decision), explain::visible(&part.text))?;
        writeln!(out, "        {}{}", part.because, place(part))?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "{} in mode {}: {}",
        name(verdict.decision),
        policy.mode.name(),
        verdict.because
    )?;
    for suggestion in &verdict.suggestions {
        writeln!(out, "a rule that would cover it: {}", suggestion.rule)?;
    }
    Ok(())
}

/// ` (Bash(rm *), config.toml line 3)`
fn place(part: &PartVerdict) -> String {
    let Some(rule) = &part.rule else { return String::new() };
    let file = rule.file.as_deref().map(crate::config::problem::short);
    match (file, rule.line) {
        (Some(file), Some(line)) => format!(" ({}, {file} line {line})", rule.value),
        (Some(file), None) => format!(" ({}, {file})", rule.value),
        (None, _) => format!(" ({})", rule.value),
    }
}

fn name(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Allow => "allow",
        Ruling::Ask => "ask",
        Ruling::Deny => "deny",
    }
}

fn source(verdict: &Verdict) -> &'static str {
    match verdict.source {
        None => "mode",
        Some(Source::BuiltIn) => "built-in",
        Some(Source::User) => "user",
        Some(Source::Project) => "project",
        Some(Source::Local) => "local",
        Some(Source::SettingsFile) => "settings-file",
        Some(Source::Environment) => "environment",
        Some(Source::Flag) => "flag",
        Some(Source::Session) => "session",
        Some(Source::Managed) => "managed",
    }
}
