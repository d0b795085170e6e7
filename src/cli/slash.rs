//! Slash commands of `tern -p`: those that only tell something are answered from this machine,
//! without a model, a key or a session. The others say what takes their place.

use std::io::Write;

use jiff::Timestamp;

use crate::app::complete::mode_help;
use crate::app::slash::{COMMANDS, Slash};
use crate::cli::args::Cli;
use crate::cli::sessions::list::{self, ListArgs};
use crate::cli::start::{self, Trust};
use crate::cli::{Env, Failure, cost, mcp, models, router};
use crate::config::problem::one_line;
use crate::cost::sums::By;
use crate::protocol::{ErrorKind, Mode, Sourced};
use crate::trust;
use crate::view::origin;
use crate::view::theme::Theme;

/// The text that answers the command.
pub fn answer(slash: &Slash, cli: &Cli, env: &Env) -> Result<String, Failure> {
    let mut out = Vec::new();
    match slash {
        Slash::Help => help(&mut out),
        Slash::Mcp => mcp::list(env, &mut out),
        Slash::Cost => {
            let args = cost::CostArgs { by: By::Day, since: Some("7d".to_owned()), json: false };
            cost::run(&args, env, &mut out).map(drop)
        }
        Slash::History => sessions(env, &mut out),
        Slash::Model { name: None } => models(cli, env, &mut out),
        Slash::Mode { mode: None } => modes(cli, env, &mut out),
        Slash::Permissions => permissions(cli, env, &mut out),
        Slash::Status => status(cli, env, &mut out),
        Slash::Trust => trusted(env, &mut out),
        Slash::Theme { name: None } => themes(cli, env, &mut out),
        Slash::Exit => Ok(()),
        other => return Err(instead(other)),
    }
    .map_err(|error| Failure::new(ErrorKind::Internal, format!("{error:#}")))?;
    Ok(String::from_utf8_lossy(&out).trim_end().to_owned())
}

/// What a person does who wanted this of a single turn.
fn instead(slash: &Slash) -> Failure {
    let (what, hint) = match slash {
        Slash::Model { .. } => ("/model cannot choose for a single turn", "Use --model NAME."),
        Slash::Mode { .. } => {
            ("/mode cannot choose for a single turn", "Use --permission-mode MODE.")
        }
        Slash::Theme { .. } => {
            ("/theme has nothing to draw here", "Use `tern config set ui.theme NAME`.")
        }
        Slash::OutputStyle { .. } => (
            "/output-style chooses for sessions to come",
            "Use `tern config set output-style NAME`.",
        ),
        Slash::Resume { .. } => {
            ("/resume needs a screen", "Use -c or -r ID together with -p and a prompt.")
        }
        Slash::Export { .. } => {
            ("/export needs a session that goes on", "Use `tern sessions export ID`.")
        }
        Slash::Memory => {
            ("/memory needs a screen", "The files are AGENTS.md and CLAUDE.md, here and above.")
        }
        Slash::Fork => ("/fork needs a session that goes on", "Use -r ID --fork and a prompt."),
        Slash::Diff => ("/diff needs a session that goes on", "Use `git diff`, or tern's screen."),
        Slash::Budget { .. } => (
            "/budget needs a session that goes on",
            "Use --max-budget-usd, or `tern config set budget.day-usd 10`.",
        ),
        Slash::Compact { .. } => (
            "/compact needs a session that goes on",
            "Use --input-format stream-json and the compact command.",
        ),
        _ => ("this command needs a session that goes on", "Each tern -p begins a new one."),
    };
    Failure::new(ErrorKind::Config, what).hint(hint)
}

fn help(out: &mut dyn Write) -> anyhow::Result<()> {
    let width = COMMANDS.iter().map(|row| row.name.len() + row.args.len() + 2).max().unwrap_or(0);
    for row in COMMANDS {
        let call = format!("/{} {}", row.name, row.args);
        writeln!(out, "{:<width$}  {}", call.trim_end(), row.help)?;
    }
    writeln!(out, "\ntern --help lists flags, subcommands and exit codes")?;
    Ok(())
}

fn sessions(env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    let args = ListArgs {
        words: Vec::new(),
        here: false,
        branch: None,
        since: None,
        limit: 20,
        skip: 0,
        json: false,
    };
    let mut listed = Vec::new();
    list::run(&args, env, Timestamp::now(), &mut listed)?;
    match listed.is_empty() {
        true => writeln!(out, "no earlier session")?,
        false => out.write_all(&listed)?,
    }
    Ok(())
}

fn models(cli: &Cli, env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}\n", chosen(cli, env))?;
    models::run(&models::ModelsArgs { name: None, json: false }, env, out).map(drop)
}

/// The model that a prompt would go to.
fn chosen(cli: &Cli, env: &Env) -> String {
    let (loaded, ..) = start::configuration(cli, env, this_run(cli));
    router::model(&loaded.config, env)
        .unwrap_or_else(|failure| format!("no model: {}", failure.message))
}

fn this_run(cli: &Cli) -> Trust {
    Trust { this_run: cli.session.trust }
}

fn mode(cli: &Cli, env: &Env) -> Mode {
    let (loaded, ..) = start::configuration(cli, env, this_run(cli));
    loaded.config.permissions.mode.map_or(Mode::Default, |mode| mode.value)
}

fn modes(cli: &Cli, env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    let chosen = mode(cli, env);
    for mode in Mode::ALL {
        let mark = if mode == chosen { "*" } else { " " };
        writeln!(out, "{mark} {:<18} {}", mode.name(), mode_help(mode))?;
    }
    Ok(())
}

fn permissions(cli: &Cli, env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    let (loaded, _, trusted) = start::configuration(cli, env, this_run(cli));
    let mode = mode(cli, env);
    writeln!(out, "mode {}: {}", mode.name(), mode_help(mode))?;
    let written = &loaded.config.permissions;
    let rules: [(&str, &[Sourced<String>]); 3] =
        [("deny", &written.deny), ("ask", &written.ask), ("allow", &written.allow)];
    for (effect, rules) in rules {
        for rule in rules {
            writeln!(out, "{effect:<6} {}  ({})", rule.value, origin(rule))?;
        }
    }
    if rules.iter().all(|(_, rules)| rules.is_empty()) {
        writeln!(out, "no rules: everything that changes something is denied, as no one is asked")?;
    }
    if !trusted {
        writeln!(out, "this folder is not trusted: allow rules of its own files do not count")?;
    }
    Ok(())
}

fn trusted(env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    let store = trust::Store::load(&env.dirs.trust())?;
    let survey = trust::Survey::of(&env.cwd, &store);
    writeln!(
        out,
        "{}",
        match survey.state {
            trust::State::Nothing => "nothing in this folder needs trust",
            trust::State::Trusted => "this folder is trusted: this counts",
            trust::State::Changed =>
                "this folder was trusted, but has changed: this does not count",
            trust::State::Untrusted => "this folder is not trusted: this does not count",
        }
    )?;
    for needs in &survey.needs {
        for item in &needs.items {
            let file = one_line(&needs.root.join(&item.file).to_string_lossy());
            let line = item.line.map(|line| format!(":{line}")).unwrap_or_default();
            writeln!(out, "{}  {}  ({file}{line})", item.kind.name(), one_line(&item.text))?;
        }
    }
    Ok(())
}

fn status(cli: &Cli, env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    for (name, value) in [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("folder", env.cwd.display().to_string()),
        ("model", chosen(cli, env)),
        ("mode", mode(cli, env).name().to_owned()),
        ("settings", env.dirs.user_file().display().to_string()),
    ] {
        writeln!(out, "{name:<10} {value}")?;
    }
    Ok(())
}

fn themes(cli: &Cli, env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    let (loaded, ..) = start::configuration(cli, env, this_run(cli));
    let chosen = loaded.config.ui.theme.as_deref().unwrap_or("dark");
    for name in Theme::names() {
        let mark = if name == chosen { "*" } else { " " };
        writeln!(out, "{mark} {name}")?;
    }
    Ok(())
}
