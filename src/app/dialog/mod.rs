//! Questions that wait for the person: one is shown, the others are counted.

pub mod budget;
pub mod confirm;
pub mod inquiry;
pub mod meaning;
pub mod permission;
pub mod trust;

use std::collections::VecDeque;

pub use budget::Budget;
pub use confirm::Confirm;
pub use permission::{Permission, RuleForm, Stage};
pub use trust::TrustDialog;

use crate::app::msg::Millis;
use crate::protocol::{Request, RequestId};

/// A question takes no key for this long, and for this long after each key that was typed for
/// something else: nobody answers a question that they have not seen.
const GUARD: u64 = 250;
/// The same where someone was typing when it came.
const GUARD_TYPING: u64 = 700;

#[derive(Debug, Clone, Default)]
pub struct Dialogs {
    queue: VecDeque<Permission>,
    armed_at: Millis,
}

impl Dialogs {
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn front(&self) -> Option<&Permission> {
        self.queue.front()
    }

    pub fn front_mut(&mut self) -> Option<&mut Permission> {
        self.queue.front_mut()
    }

    /// `typed`: when the last key came for the prompt.
    pub fn ask(
        &mut self,
        request: Request,
        agent: Option<String>,
        now: Millis,
        typed: Option<Millis>,
    ) {
        if self.queue.is_empty() {
            let typing = typed.is_some_and(|typed| now.since(typed) < 1_000);
            self.armed_at = now.plus(if typing { GUARD_TYPING } else { GUARD });
        }
        self.queue.push_back(Permission::new(request, agent));
    }

    /// Takes the question that is shown; the next one is guarded anew.
    pub fn answered(&mut self, now: Millis) -> Option<Permission> {
        let answered = self.queue.pop_front();
        self.armed_at = now.plus(GUARD);
        answered
    }

    /// A question was closed by something else than its dialog.
    pub fn close(&mut self, id: RequestId, now: Millis) {
        let shown = self.queue.front().map(|dialog| dialog.request.id);
        self.queue.retain(|dialog| dialog.request.id != id);
        if shown == Some(id) {
            self.armed_at = now.plus(GUARD);
        }
    }

    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// A sub-agent in the background goes on, and so does its question.
    pub fn turn_ended(&mut self) {
        self.queue.retain(|dialog| dialog.agent.is_some());
    }

    /// Whether the question takes keys now.
    pub fn armed(&self, now: Millis) -> bool {
        !self.queue.is_empty() && now >= self.armed_at
    }

    /// When it will; `None`: it does already, or there is none.
    pub fn arms_at(&self, now: Millis) -> Option<Millis> {
        (!self.queue.is_empty() && now < self.armed_at).then_some(self.armed_at)
    }

    /// A key came that was meant for something else.
    pub fn hold(&mut self, now: Millis) {
        self.armed_at = self.armed_at.max(now.plus(GUARD));
    }
}
