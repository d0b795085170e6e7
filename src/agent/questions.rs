//! The model's questions that wait for the person. Each has an id and one sender; whoever takes it
//! out answers, so a second answer finds nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::agent::shared::lock;
use crate::protocol::{About, AskError, Event, Inquiry, Mode, Reply, RequestId};

#[derive(Debug, Default)]
pub struct Questions {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    by_id: BTreeMap<RequestId, (About, oneshot::Sender<Reply>)>,
}

/// Permission questions are numbered from 1; these from here, so that no answer can go astray.
const FIRST: u64 = 1 << 32;

impl Questions {
    /// Asks, and waits for the answer.
    pub async fn ask(
        &self,
        about: About,
        events: &mpsc::Sender<Event>,
        cancel: &CancellationToken,
    ) -> Result<Reply, AskError> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut waiting = lock(&self.waiting);
            waiting.last += 1;
            let id = RequestId(FIRST + waiting.last);
            waiting.by_id.insert(id, (about.clone(), sender));
            id
        };
        let inquiry = Box::new(Inquiry { id, about });
        let _gone = events.send(Event::QuestionAsked { inquiry }).await;
        let reply = tokio::select! {
            reply = answer => reply.ok(),
            () = cancel.cancelled() => None,
        };
        lock(&self.waiting).by_id.remove(&id);
        let _gone = events.send(Event::QuestionClosed { request: id }).await;
        reply.ok_or(AskError::Interrupted)
    }

    /// Hands the answer to its question. The mode that an approved plan is carried out in, if this
    /// was one: none that asks less than acceptEdits does.
    pub fn answer(&self, id: RequestId, reply: Reply) -> Option<Mode> {
        let (about, sender) = lock(&self.waiting).by_id.remove(&id)?;
        let (reply, mode) = match (about, reply) {
            (About::Plan { .. }, Reply::Approved { mode, plan }) => {
                let mode = match mode {
                    Mode::AcceptEdits => Mode::AcceptEdits,
                    Mode::Default | Mode::Plan | Mode::DontAsk | Mode::BypassPermissions => {
                        Mode::Default
                    }
                };
                (Reply::Approved { mode, plan }, Some(mode))
            }
            // An answer of the wrong kind is none.
            (About::Plan { .. }, Reply::Chosen { .. })
            | (About::Choices { .. }, Reply::Approved { .. }) => {
                (Reply::Declined { message: None }, None)
            }
            (_, reply) => (reply, None),
        };
        sender.send(reply).ok().and(mode)
    }
}
