//! `tern acp`: sessions for an editor, over standard input and output.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::acp::{self, Host, Open, Opened, Page, Past, Refused};
use crate::agent;
use crate::app::slash as commands;
use crate::cli::args::{Cli, SessionArgs};
use crate::cli::start::{self, Trust};
use crate::cli::{Env, Failure, demo, headless, screen, slash};
use crate::protocol::{ErrorKind, Mode};
use crate::session::Places;
use crate::session::index::{self, Filter};

#[derive(clap::Args, Debug, Clone)]
pub struct AcpArgs {
    /// Scripted model, no network, a temporary copy of a sample project for each session
    #[arg(long)]
    pub demo: bool,

    #[command(flatten)]
    pub session: SessionArgs,
}

pub fn run(args: &AcpArgs, cli: &Cli, env: &Env) -> anyhow::Result<u8> {
    let _log = start::diagnostics(args.session.log.as_deref())?;
    let cli = Cli { session: args.session.clone(), demo: args.demo, command: None, ..cli.clone() };
    let host = Arc::new(Local { cli, env: env.clone(), samples: Mutex::default() });
    let runtime = start::runtime()?;
    let served = runtime.block_on(acp::serve(
        Arc::clone(&host) as Arc<dyn Host>,
        tokio::io::stdin(),
        tokio::io::stdout(),
    ));
    // A read of standard input cannot be cancelled; nobody waits for it.
    runtime.shutdown_background();
    served.map_err(|message| Failure::new(ErrorKind::Network, message))?;
    Ok(0)
}

/// Sessions of a list.
const PAGE: usize = 50;

/// This machine.
struct Local {
    cli: Cli,
    env: Env,
    /// Sample projects of the demo, which go away with the program.
    samples: Mutex<Vec<demo::Project>>,
}

impl Local {
    fn at(&self, cwd: &Path) -> Env {
        Env { cwd: cwd.to_owned(), ..self.env.clone() }
    }

    fn prepare(&self, open: &Open) -> Result<Opened, Failure> {
        let cwd = std::fs::canonicalize(&open.cwd).ok().filter(|cwd| cwd.is_dir());
        let Some(cwd) = cwd else {
            let message = format!("{} is not a folder", open.cwd.display());
            return Err(Failure::new(ErrorKind::Config, message));
        };
        let env = self.at(&cwd);
        let mut cli = self.cli.clone();
        cli.session.add_dir.extend(open.also.iter().map(|dir| dir.display().to_string()));
        cli.session.mcp_given = Some(open.servers.clone());
        cli.resume = open.session.as_ref().map(|session| session.0.clone());
        let trust = Trust { this_run: cli.session.trust };
        let prepared = if cli.demo {
            let sample = demo::Project::create()?;
            let prepared = demo::prepare(&cli, &sample.env(&env));
            self.samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
            prepared?
        } else {
            start::prepare(&cli, &env, trust, true)?
        };
        let (loaded, ..) = start::configuration(&cli, &env, trust);
        let models = screen::choices(&loaded.config, &env);
        let managed = &loaded.config.managed;
        let started = prepared.setup.mode;
        let modes = [Mode::Default, Mode::AcceptEdits, Mode::Plan, Mode::BypassPermissions]
            .into_iter()
            // As on the screen: only a start that asked for it may go without questions.
            .filter(|mode| *mode != Mode::BypassPermissions || started == *mode)
            .filter(|mode| managed.mode(*mode).is_ok())
            .collect();
        let secrets = prepared.setup.log.secrets.clone();
        let agent = agent::spawn(prepared.setup);
        let events = start::recorded(agent.events, prepared.record, secrets);
        Ok(Opened {
            agent: agent::Handle { commands: agent.commands, events },
            modes,
            models: models.into_iter().map(|row| row.name).collect(),
            problems: prepared.problems.iter().map(ToString::to_string).collect(),
        })
    }
}

impl Host for Local {
    fn open(&self, open: &Open) -> Result<Opened, Refused> {
        self.prepare(open).map_err(refused)
    }

    fn list(&self, cwd: Option<&Path>, skip: usize) -> Result<Page, Refused> {
        let places = Places::new(&self.env.dirs.data, &self.env.dirs.cache);
        let filter = Filter { project: cwd.map(Path::to_owned), ..Filter::default() };
        let page = index::Page { from: skip, count: PAGE };
        let listing = index::list(&places, &filter, page).map_err(|error| Refused {
            kind: ErrorKind::Internal,
            message: format!("the sessions could not be listed: {error}"),
            hints: Vec::new(),
        })?;
        let past = listing.sessions.into_iter().map(|summary| Past {
            session: summary.session,
            cwd: summary.cwd.into(),
            title: summary.title,
            updated: summary.updated.to_string(),
        });
        Ok(Page { sessions: past.collect(), more: listing.more })
    }

    fn answer(&self, cwd: &Path, text: &str) -> Option<Result<String, Refused>> {
        let env = self.at(cwd);
        let command = match commands::parse(text) {
            Ok(command) => command?,
            Err(_) if headless::describes(&self.cli, &env, text) => return None,
            Err(message) => {
                return Some(Err(Refused { kind: ErrorKind::Config, message, hints: Vec::new() }));
            }
        };
        // What takes a command's place without a screen is not what takes it in an editor.
        let answer = slash::answer(&command, &self.cli, &env);
        Some(answer.map_err(|failure| Refused { hints: Vec::new(), ..refused(failure) }))
    }
}

fn refused(failure: Failure) -> Refused {
    let Failure { kind, message, hints } = failure;
    Refused { kind, message, hints }
}
