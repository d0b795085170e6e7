//! What a front end was told is done, and whether a log has it.

use std::collections::BTreeSet;

use serde_json::Value;
use tern::protocol::Event;
use tern::session::read::Loaded;
use tern::session::record::Body;

#[derive(Debug, Default)]
pub struct Shown {
    pub messages: BTreeSet<String>,
    pub calls: BTreeSet<String>,
    /// Messages that have begun.
    spoken: BTreeSet<String>,
}

impl Shown {
    pub fn of(events: &[Event]) -> Shown {
        let mut shown = Shown::default();
        events.iter().for_each(|event| shown.add(event));
        shown
    }

    /// Of JSON lines; the last may be torn.
    pub fn of_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Shown {
        let mut shown = Shown::default();
        for line in lines {
            let value = serde_json::from_str::<Value>(line).ok();
            let event = value.and_then(|value| serde_json::from_value::<Event>(value).ok());
            event.iter().for_each(|event| shown.add(event));
        }
        shown
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::TurnStarted { message, .. } => drop(self.messages.insert(message.0.clone())),
            Event::TextAdded { message, .. } => drop(self.spoken.insert(message.0.clone())),
            Event::MessageEnded { message } if self.spoken.contains(&message.0) => {
                self.messages.insert(message.0.clone());
            }
            Event::CallEnded { call, .. } => drop(self.calls.insert(call.0.clone())),
            _ => {}
        }
    }

    pub fn len(&self) -> usize {
        self.messages.len() + self.calls.len()
    }

    /// What is not in the log. `None`: there is no log.
    pub fn lost(&self, loaded: Option<&Loaded>) -> Vec<String> {
        let mut there = BTreeSet::new();
        for record in loaded.into_iter().flat_map(Loaded::records) {
            match record.body {
                Body::User { .. } | Body::Assistant { .. } => drop(there.insert(record.id.0)),
                Body::Result { call, .. } => drop(there.insert(call.0)),
                _ => {}
            }
        }
        self.messages.union(&self.calls).filter(|id| !there.contains(*id)).cloned().collect()
    }
}
