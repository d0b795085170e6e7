//! The command line: chooses a driver or a subcommand, and maps errors to exit codes.
//!
//! The only module that looks at the environment, the clock and standard input and output on
//! behalf of the others; they get what they need as arguments.

#[cfg(feature = "acp")]
pub mod acp;
pub mod args;
pub mod completions;
pub mod config;
pub mod cost;
pub mod debug;
pub mod doctor;
pub mod login;
pub mod mcp;
pub mod models;
pub mod permissions;
pub mod plugins;
pub mod sessions;

mod demo;
mod headless;
mod router;
mod screen;
mod services;
mod slash;
mod start;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::args::{Cli, Sub};
use crate::config::dirs::Dirs;
use crate::protocol::ErrorKind;

/// Where and with what environment tern was started.
#[derive(Debug, Clone)]
pub struct Env {
    pub dirs: Dirs,
    pub cwd: PathBuf,
    pub vars: Vars,
}

/// Environment variables that are valid UTF-8.
pub type Vars = BTreeMap<String, String>;

/// What kept tern from starting: kind, sentence, hints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
    pub hints: Vec<String>,
}

impl Failure {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), hints: Vec::new() }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }
}

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let failure = error.downcast_ref::<Failure>();
            // Nobody reads a closed pipe, and that is no error.
            if broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            report(&error, failure);
            ExitCode::from(failure.map_or(1, |failure| failure.kind.exit_code()))
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<u8> {
    let env = environment(cli)?;
    let _log = start::diagnostics(cli.session.log.as_deref())?;
    // Not locked: an editor is answered from other threads.
    let out = &mut std::io::stdout();
    match &cli.command {
        Some(Sub::Sessions(args)) => sessions::run(args, &env, out),
        Some(Sub::Cost(args)) => cost::run(args, &env, out),
        Some(Sub::Permissions(args)) => {
            let home = permissions::Home {
                cwd: env.cwd.clone(),
                home: env.dirs.home.clone(),
                own: start::own_folders(&env),
            };
            let configuration = |cwd: &Path| start::permission_defaults(&env, cwd);
            permissions::run(args, &home, &configuration, &mut std::io::stdin().lock(), out)
        }
        Some(Sub::Config(args)) => config::run(args, &env, out),
        Some(Sub::Models(args)) => models::run(args, &env, out),
        Some(Sub::Mcp(args)) => mcp::run(args, &env, out),
        #[cfg(feature = "acp")]
        Some(Sub::Acp(args)) => acp::run(args, cli, &env),
        Some(Sub::Login(args)) => login::run(args, &env, out),
        Some(Sub::Logout(args)) => login::run_logout(args, &env, out),
        Some(Sub::Plugin(args)) => plugins::run(args, &env, out),
        Some(Sub::Doctor(args)) => doctor::run(args, &env, out),
        Some(Sub::Completions(args)) => completions::run(args, Cli::command(), out),
        Some(Sub::Man(args)) => completions::man(args, &Cli::command(), out),
        Some(Sub::Debug(args)) => debug::run(args, out),
        None if cli.session.trust && !cli.print => {
            Err(Failure::new(ErrorKind::Config, "--trust is for --print and tern acp")
                .hint("On the screen, /trust shows what there is to trust.")
                .into())
        }
        None if cli.print => headless::run(cli, &env),
        None => screen::run(cli, &env),
    }
}

fn environment(cli: &Cli) -> Result<Env, Failure> {
    let vars: Vars = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let dirs = Dirs::from_env(|name| std::env::var_os(name))
        .map_err(|error| Failure::new(ErrorKind::Config, error.to_string()))?;
    let cwd = match &cli.session.cwd {
        Some(dir) => std::fs::canonicalize(dir).map_err(|error| {
            Failure::new(ErrorKind::Config, format!("cannot work in {}: {error}", dir.display()))
                .hint("Give --cwd a folder that exists.")
        })?,
        None => std::env::current_dir().map_err(|error| {
            Failure::new(ErrorKind::Config, format!("the current folder is gone: {error}"))
                .hint("Change to a folder that exists, or give one with --cwd.")
        })?,
    };
    if !cwd.is_dir() {
        return Err(Failure::new(
            ErrorKind::Config,
            format!("cannot work in {}: it is not a folder", cwd.display()),
        ));
    }
    Ok(Env { dirs, cwd, vars })
}

/// Kind, sentence, hints, on standard error.
fn report(error: &anyhow::Error, failure: Option<&Failure>) {
    let mut err = std::io::stderr().lock();
    let tidy = |text: &str| {
        if std::io::stderr().is_terminal() {
            crate::text::clean::clean(text, crate::text::clean::Mode::Prose).into_owned()
        } else {
            text.to_owned()
        }
    };
    let _ = writeln!(err, "tern: error: {}", tidy(&format!("{error:#}")));
    for hint in failure.map(|failure| failure.hints.as_slice()).unwrap_or_default() {
        let _ = writeln!(err, "  hint: {}", tidy(hint));
    }
}

/// One line on standard error.
fn warn(text: &str) {
    // It may be closed; there is nobody else to tell.
    let _ = writeln!(std::io::stderr(), "tern: {text}");
}

/// One line on standard output.
fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
