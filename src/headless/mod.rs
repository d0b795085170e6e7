//! tern without a screen: one prompt in, text or JSON out, an exit code at the end; or a whole
//! session over JSON lines in both directions.
//!
//! *Invariant:* standard output carries nothing but the answer in the chosen format; notices and
//! errors of the text format go to standard error.

mod fold;
mod json;
mod text;
mod window;

use std::io::Write;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;

use crate::protocol::{Command, ErrorKind, Event, Input, TurnId};

pub use fold::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The text of the last answer.
    Text,
    /// One object at the end.
    Json,
    /// Each event as a line, then the object.
    Stream {
        /// Text in the pieces it came in; otherwise one event a message.
        partial: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    One(String),
    /// Nothing is asked: what fills the window is printed.
    Window,
    /// Commands as JSON lines on standard input.
    Lines,
}

/// Both ends of the agent.
#[derive(Debug)]
pub struct Connection {
    pub commands: mpsc::Sender<Command>,
    pub events: mpsc::Receiver<Event>,
}

/// Where output goes, and how it may look there.
pub struct Streams<'a> {
    pub out: &'a mut (dyn Write + Send),
    pub err: &'a mut (dyn Write + Send),
    /// A terminal gets only text that cannot drive it.
    pub out_is_terminal: bool,
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("out_is_terminal", &self.out_is_terminal).finish()
    }
}

/// Runs to the end and gives the exit code. `interrupts` yields once for each Ctrl+C.
pub async fn run(
    mut connection: Connection,
    prompt: Prompt,
    output: Output,
    mut interrupts: mpsc::Receiver<()>,
    streams: &mut Streams<'_>,
) -> std::io::Result<u8> {
    let mut outcome = Outcome::default();
    let mut printer = json::Lines::default();
    let mut lines = match &prompt {
        Prompt::Lines => Some(BufReader::new(tokio::io::stdin()).lines()),
        Prompt::One(_) | Prompt::Window => None,
    };
    if prompt == Prompt::Window {
        let _gone = connection.commands.send(Command::ShowWindow { exact: true }).await;
    }
    if let Prompt::One(text) = prompt {
        let input = Input::text(text);
        let _gone = connection.commands.send(Command::Submit { turn: TurnId(1), input }).await;
    }
    loop {
        tokio::select! {
            event = connection.events.recv() => {
                let Some(event) = event else { break };
                outcome.add(&event);
                match output {
                    Output::Stream { partial } => printer.event(&event, partial, streams)?,
                    Output::Text => text::event(&event, streams)?,
                    Output::Json => {}
                }
                match event {
                    Event::Stopped => break,
                    Event::WindowShown { window } if lines.is_none() => {
                        outcome.tell(window::text(&window));
                        let _gone = connection.commands.send(Command::Stop).await;
                    }
                    Event::TurnEnded { .. } if lines.is_none() => {
                        let _gone = connection.commands.send(Command::Stop).await;
                    }
                    _ => {}
                }
            }
            line = next_line(&mut lines), if lines.is_some() => match line {
                Some(line) => match serde_json::from_str::<Command>(&line) {
                    Ok(command) => {
                        let _gone = connection.commands.send(command).await;
                    }
                    Err(_) if line.trim().is_empty() => {}
                    Err(error) => printer.bad_line(&error.to_string(), streams)?,
                },
                // No more orders: what runs may end, then the session does.
                None => {
                    lines = None;
                    if !outcome.running() {
                        let _gone = connection.commands.send(Command::Stop).await;
                    }
                }
            },
            Some(()) = interrupts.recv() => {
                if outcome.interrupted_twice() {
                    break;
                }
                let turn = outcome.turn().unwrap_or(TurnId(1));
                let _gone = connection.commands.send(Command::Interrupt { turn }).await;
            }
        }
    }
    finish(&outcome, output, streams)
}

/// Reports an error that came before there was a session, in the chosen format.
pub fn fail(
    kind: ErrorKind,
    message: &str,
    hints: &[String],
    output: Output,
    streams: &mut Streams<'_>,
) -> std::io::Result<u8> {
    finish(&Outcome::failed(kind, message, hints), output, streams)
}

/// Prints what was asked of tern itself, in the chosen format.
pub fn tell(text: String, output: Output, streams: &mut Streams<'_>) -> std::io::Result<u8> {
    finish(&Outcome::told(text), output, streams)
}

fn finish(outcome: &Outcome, output: Output, streams: &mut Streams<'_>) -> std::io::Result<u8> {
    match output {
        Output::Text => text::end(outcome, streams)?,
        Output::Json | Output::Stream { .. } => json::result(outcome, streams)?,
    }
    Ok(outcome.exit_code())
}

async fn next_line(
    lines: &mut Option<tokio::io::Lines<BufReader<tokio::io::Stdin>>>,
) -> Option<String> {
    match lines {
        // A line that is not UTF-8 or cannot be read ends the input like its end does.
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}
