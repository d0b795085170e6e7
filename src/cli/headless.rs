//! `tern -p`: builds the session and hands it to the headless driver.

use std::io::{IsTerminal, Read};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::agent;
use crate::api::demo::Pace;
use crate::app::slash::{self as commands, Slash};
use crate::cli::args::{Cli, InputFormat, OutputFormat};
use crate::cli::router::Scripted;
use crate::cli::start::{self, Prepared};
use crate::cli::{Env, Failure, demo, slash};
use crate::extend;
use crate::headless::{self, Connection, Output, Prompt, Streams};
use crate::protocol::ErrorKind;

/// Bytes of standard input that are added to a prompt.
const MOST_INPUT: u64 = 10 << 20;

pub fn run(cli: &Cli, env: &Env) -> anyhow::Result<u8> {
    let sample = cli.demo.then(demo::Project::create).transpose()?;
    let env = &match &sample {
        Some(sample) => sample.env(env),
        None => env.clone(),
    };
    let output = match cli.headless.output_format {
        OutputFormat::Text => Output::Text,
        OutputFormat::Json => Output::Json,
        OutputFormat::StreamJson => {
            Output::Stream { partial: cli.headless.include_partial_messages }
        }
    };
    let mut out = std::io::stdout();
    let mut err = std::io::stderr();
    let out_is_terminal = out.is_terminal();
    let mut streams = Streams { out: &mut out, err: &mut err, out_is_terminal };
    match prepare(cli, env) {
        Ok(Work::Told(text)) => Ok(headless::tell(text, output, &mut streams)?),
        Ok(Work::Turn(prepared, prompt)) => {
            for problem in &prepared.problems {
                writeln!(streams.err, "tern: warning: {problem}")?;
            }
            let runtime = start::runtime()?;
            let code = runtime.block_on(drive(*prepared, prompt, output, &mut streams));
            // A read of standard input cannot be cancelled; nobody waits for it.
            runtime.shutdown_background();
            Ok(code?)
        }
        Err(failure) => Ok(headless::fail(
            failure.kind,
            &failure.message,
            &failure.hints,
            output,
            &mut streams,
        )?),
    }
}

/// What is to be done.
enum Work {
    Turn(Box<Prepared>, Prompt),
    /// A slash command has been answered: there is nothing to ask a model.
    Told(String),
}

fn prepare(cli: &Cli, env: &Env) -> Result<Work, Failure> {
    let prompt = match cli.headless.input_format {
        InputFormat::StreamJson => Prompt::Lines,
        InputFormat::Text => {
            let text = whole_prompt(cli)?;
            let command = match commands::parse(&text) {
                Err(_) if describes(cli, env, &text) => None,
                parsed => parsed.map_err(|message| Failure::new(ErrorKind::Config, message))?,
            };
            match command {
                None => Prompt::One(text),
                Some(Slash::Context) => Prompt::Window,
                Some(Slash::Init) => Prompt::One(commands::INIT.to_owned()),
                Some(command) => return slash::answer(&command, cli, env).map(Work::Told),
            }
        }
    };
    let can_ask = prompt == Prompt::Lines;
    if cli.demo {
        let mut prepared = demo::prepare(cli, env)?;
        prepared.setup.can_ask = can_ask;
        prepared.setup.router = Arc::new(Scripted(Pace::Instant));
        return Ok(Work::Turn(Box::new(prepared), prompt));
    }
    let trust = start::Trust { this_run: cli.session.trust };
    let prepared = start::prepare(cli, env, trust, can_ask)?;
    Ok(Work::Turn(Box::new(prepared), prompt))
}

/// Whether a file describes the command that the text calls.
pub fn describes(cli: &Cli, env: &Env, text: &str) -> bool {
    let trust = start::Trust { this_run: cli.session.trust };
    let (_, _, trusted) = start::configuration(cli, env, trust);
    let found = extend::load(&start::extend_places(env, trusted));
    commands::called(text).is_some_and(|name| found.skill(name).is_some())
}

async fn drive(
    prepared: Prepared,
    prompt: Prompt,
    output: Output,
    streams: &mut Streams<'_>,
) -> std::io::Result<u8> {
    let record = prepared.record.clone();
    let secrets = prepared.setup.log.secrets.clone();
    let agent = agent::spawn(prepared.setup);
    let events = start::recorded(agent.events, record, secrets);
    let (interrupted, interrupts) = mpsc::channel(4);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if interrupted.send(()).await.is_err() {
                break;
            }
        }
    });
    let connection = Connection { commands: agent.commands, events };
    headless::run(connection, prompt, output, interrupts, streams).await
}

/// The prompt of the command line, and after it standard input where that is not a terminal.
fn whole_prompt(cli: &Cli) -> Result<String, Failure> {
    let mut text = cli.prompt.clone().unwrap_or_default();
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut bytes = Vec::new();
        stdin.lock().take(MOST_INPUT + 1).read_to_end(&mut bytes).map_err(|error| {
            Failure::new(ErrorKind::Config, format!("standard input cannot be read: {error}"))
        })?;
        if bytes.len() as u64 > MOST_INPUT {
            return Err(Failure::new(ErrorKind::Config, "standard input is larger than 10 MiB")
                .hint("Name a file in the prompt instead, so that the model can page it."));
        }
        let piped = String::from_utf8_lossy(&bytes);
        if !piped.trim().is_empty() {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&piped);
        }
    }
    if text.trim().is_empty() {
        return Err(Failure::new(ErrorKind::Config, "there is no prompt")
            .hint("Give one: tern -p \"explain this\", or pipe it in."));
    }
    Ok(text)
}
