//! The JSON formats: events as lines of a versioned envelope, and the result object.

use std::time::Instant;

use crate::headless::{Outcome, Streams};
use crate::protocol::{AgentId, Envelope, Event, VERSION};

/// Numbers the lines and, where pieces are not wanted, joins text to one event a message.
#[derive(Debug)]
pub struct Lines {
    seq: u64,
    began: Instant,
    /// Of each sub-agent, and of the session itself, the text that is not complete.
    held: Vec<(Option<AgentId>, Event)>,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { seq: 0, began: Instant::now(), held: Vec::new() }
    }
}

impl Lines {
    pub fn event(
        &mut self,
        event: &Event,
        partial: bool,
        streams: &mut Streams<'_>,
    ) -> std::io::Result<()> {
        if partial {
            return self.print(event, streams);
        }
        let Envelope { agent, body, .. } = Envelope::of(0, 0, event);
        match body {
            Event::TextAdded { .. } | Event::ThoughtAdded { .. } => {
                self.hold(agent, body);
                Ok(())
            }
            // The result of the call holds all of it.
            Event::CallOutput { .. } => Ok(()),
            _ => {
                let held = std::mem::take(&mut self.held);
                let (whole, rest) = held.into_iter().partition(|(of, _)| *of == agent);
                self.held = rest;
                for (of, held) in whole {
                    self.line(of, &held, streams)?;
                }
                self.print(event, streams)
            }
        }
    }

    pub fn bad_line(&mut self, why: &str, streams: &mut Streams<'_>) -> std::io::Result<()> {
        let text = format!("a line of standard input is not a command: {why}");
        self.print(&Event::Noticed { level: crate::protocol::Level::Error, text }, streams)
    }

    fn hold(&mut self, agent: Option<AgentId>, event: &Event) {
        let last = self.held.iter_mut().rev().find(|(of, _)| *of == agent).map(|(_, held)| held);
        match (last, event) {
            (
                Some(Event::TextAdded { message: held, text: all }),
                Event::TextAdded { message, text },
            )
            | (
                Some(Event::ThoughtAdded { message: held, text: all }),
                Event::ThoughtAdded { message, text },
            ) if held == message => all.push_str(text),
            _ => self.held.push((agent, event.clone())),
        }
    }

    fn print(&mut self, event: &Event, streams: &mut Streams<'_>) -> std::io::Result<()> {
        let Envelope { agent, body, .. } = Envelope::of(0, 0, event);
        self.line(agent, body, streams)
    }

    fn line(
        &mut self,
        agent: Option<AgentId>,
        body: &Event,
        streams: &mut Streams<'_>,
    ) -> std::io::Result<()> {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let envelope = Envelope { v: VERSION, seq: self.seq, ms, agent, body };
        self.seq += 1;
        let line = serde_json::to_string(&envelope)?;
        writeln!(streams.out, "{line}")?;
        // Whoever reads the lines acts on each of them.
        streams.out.flush()
    }
}

pub fn result(outcome: &Outcome, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let line = serde_json::to_string(&outcome.object())?;
    writeln!(streams.out, "{line}")?;
    streams.out.flush()
}
