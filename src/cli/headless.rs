//! `tern -p`: builds the session and hands it to the headless driver.

use std::io::{IsTerminal, Read};

use tokio::sync::mpsc;

use crate::agent;
use crate::app::slash;
use crate::cli::args::{Cli, InputFormat, OutputFormat};
use crate::cli::start::{self, Prepared};
use crate::cli::{Env, Failure};
use crate::headless::{self, Connection, Output, Prompt, Streams};
use crate::protocol::ErrorKind;

/// Bytes of standard input that are added to a prompt.
const MOST_INPUT: u64 = 10 << 20;

pub fn run(cli: &Cli, env: &Env) -> anyhow::Result<u8> {
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
        Ok((prepared, prompt)) => {
            for problem in &prepared.problems {
                writeln!(streams.err, "tern: warning: {problem}")?;
            }
            let runtime = start::runtime()?;
            let code = runtime.block_on(drive(prepared, prompt, output, &mut streams));
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

fn prepare(cli: &Cli, env: &Env) -> Result<(Prepared, Prompt), Failure> {
    let prompt = match cli.headless.input_format {
        InputFormat::StreamJson => Prompt::Lines,
        InputFormat::Text => Prompt::One(whole_prompt(cli)?),
    };
    let can_ask = prompt == Prompt::Lines;
    let trust = start::Trust { this_run: cli.session.trust };
    let prepared = start::prepare(cli, env, trust, can_ask)?;
    Ok((prepared, prompt))
}

async fn drive(
    prepared: Prepared,
    prompt: Prompt,
    output: Output,
    streams: &mut Streams<'_>,
) -> std::io::Result<u8> {
    let record = prepared.record.clone();
    let secrets = prepared.setup.secrets.clone();
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
    match slash::parse(&text) {
        Ok(Some(slash::Slash::Init)) => Ok(slash::INIT.to_owned()),
        Ok(Some(_)) => Err(Failure::new(
            ErrorKind::Config,
            format!(
                "{} needs a session that goes on",
                text.split_whitespace().next().unwrap_or("")
            ),
        )
        .hint("Use the subcommand (tern --help), or --input-format stream-json.")),
        Ok(None) => Ok(text),
        Err(message) => Err(Failure::new(ErrorKind::Config, message)),
    }
}
