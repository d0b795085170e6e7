//! What was said while a turn runs and waits for the model.

use std::collections::VecDeque;
use std::sync::{Mutex, Weak};

use jiff::Timestamp;

use crate::agent::shared::{Shared, lock};
use crate::protocol::{Event, Input, Queued};
use crate::session::log::Log;
use crate::session::record::Body;

/// Oldest first, each with an id that is never used twice.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<(u64, Input)>,
    next: u64,
    /// Gone with the journal, so that whoever still holds the queue does not hold the log.
    pub log: Weak<Mutex<Log>>,
    /// What the log says is queued.
    noted: Vec<Input>,
}

impl Queue {
    /// Writes what is queued into the log, where that says something else. A disk that does not take
    /// it has the record kept, and the journal's next one tells of it.
    pub fn note(&mut self) {
        let inputs: Vec<Input> = self.waiting.iter().map(|(_, input)| input.clone()).collect();
        if inputs == self.noted {
            return;
        }
        if let Some(log) = self.log.upgrade() {
            self.noted.clone_from(&inputs);
            let _told_later = lock(&log).append(Body::Queue { inputs }, Timestamp::now());
        }
    }
}

impl Shared {
    pub async fn queue(&self, input: Input) {
        {
            let mut queue = lock(&self.queue);
            let id = queue.next;
            queue.next += 1;
            queue.waiting.push_back((id, input));
            queue.note();
        }
        self.queue_changed().await;
    }

    /// Takes everything queued, oldest first. The log has it as queued until it is said.
    pub async fn take_queue(&self) -> Vec<Input> {
        let taken: Vec<Input> =
            lock(&self.queue).waiting.drain(..).map(|(_, input)| input).collect();
        if !taken.is_empty() {
            self.queue_changed().await;
        }
        taken
    }

    /// Takes everything queued as one input.
    pub async fn take_queue_joined(&self) -> Option<Input> {
        let texts: Vec<String> =
            self.take_queue().await.into_iter().map(|input| input.text).collect();
        (!texts.is_empty()).then(|| Input::text(texts.join("\n\n")))
    }

    /// Drops one of what is queued; one that the model has got already is not there any more.
    pub async fn unqueue(&self, id: u64) {
        let dropped = {
            let mut queue = lock(&self.queue);
            let before = queue.waiting.len();
            queue.waiting.retain(|(other, _)| *other != id);
            queue.note();
            queue.waiting.len() < before
        };
        if dropped {
            self.queue_changed().await;
        }
    }

    async fn queue_changed(&self) {
        let queued = lock(&self.queue)
            .waiting
            .iter()
            .map(|(id, input)| Queued { id: *id, text: input.text.clone() })
            .collect();
        self.emit(Event::QueueChanged { queued }).await;
    }
}
