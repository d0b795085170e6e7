//! A recorded event stream in the place of an agent.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::protocol::{Closed, Command, Envelope, Event};
use crate::terminal::Connection;

/// Plays `events` at the times they were recorded, at most `longest` milliseconds apart. A
/// question is answered by the person before the stream goes on; other commands are ignored.
pub fn connection(events: Vec<Envelope<Event>>, longest: u64) -> Connection {
    let (commands, mut orders) = mpsc::channel(64);
    let (facts, received) = mpsc::channel(256);
    tokio::spawn(async move {
        let mut ms = events.first().map_or(0, |event| event.ms);
        for event in events {
            let wait = event.ms.saturating_sub(ms).min(longest);
            ms = event.ms;
            // Even a sleep of nothing takes a millisecond.
            if wait > 0 {
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            // What the recorded person answered gives way to what this one answers.
            if let Event::PermissionClosed { request, by: Closed::Answer { .. } } = &event.body {
                let decision = loop {
                    match orders.recv().await {
                        Some(Command::Answer { request: answered, decision })
                            if answered == *request =>
                        {
                            break decision;
                        }
                        Some(Command::Stop) | None => return,
                        Some(_) => {}
                    }
                };
                let by = Closed::Answer { decision };
                let _ = facts.send(Event::PermissionClosed { request: *request, by }).await;
                continue;
            }
            if facts.send(event.event()).await.is_err() {
                return;
            }
        }
        while !matches!(orders.recv().await, Some(Command::Stop) | None) {}
    });
    Connection { commands, events: received }
}
