//! What was changed about what the model sees: messages that are dropped or pinned, results that
//! only a line stands for. The log keeps what was there.
//!
//! Pure. The running conversation and one that is taken up again go through the same functions, so
//! that both send the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::protocol::{CallId, ItemId, Message, MessageId, Part, Role};

/// A record of the log as a message.
pub type Piece = (MessageId, Message);

/// Stands between two answers of the model where something between them is gone.
const GAP: &str = "(tern: what stood here is part of the summary above.)";

/// The body of a `window` record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Edit {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pin: Vec<ItemId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpin: Vec<ItemId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<MessageId>,
    /// Results that a line takes the place of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stubs: Vec<Stub>,
    /// Dropped messages and stubs that count again as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<ItemId>,
    /// tern made room by itself: `/compact --undo` takes it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stub {
    pub call: CallId,
    pub text: String,
}

/// All edits of a branch together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Edits {
    pub pins: BTreeSet<ItemId>,
    pub dropped: BTreeSet<MessageId>,
    pub stubs: BTreeMap<CallId, String>,
}

impl Edits {
    pub fn apply(&mut self, edit: &Edit) {
        self.pins.extend(edit.pin.iter().cloned());
        for id in &edit.unpin {
            self.pins.remove(id);
        }
        self.dropped.extend(edit.drop.iter().cloned());
        self.stubs.extend(edit.stubs.iter().map(|stub| (stub.call.clone(), stub.text.clone())));
        for id in &edit.restore {
            match id {
                ItemId::Message(id) => drop(self.dropped.remove(id)),
                ItemId::Result(call) => drop(self.stubs.remove(call)),
            }
        }
    }

    /// What the model sees of these records: no dropped message, no result without its call, and
    /// a line for each stub.
    pub fn seen(&self, pieces: Vec<Piece>) -> Vec<Piece> {
        if self.dropped.is_empty() && self.stubs.is_empty() {
            return pieces;
        }
        let gone: HashSet<CallId> = pieces
            .iter()
            .filter(|(id, _)| self.dropped.contains(id))
            .flat_map(|(_, message)| message.calls().map(|(call, _, _)| call.clone()))
            .collect();
        let mut seen = Vec::new();
        for (id, mut message) in pieces {
            // The results of a call may bear the name of the record that made it.
            if self.dropped.contains(&id) && !has_results(&message) {
                continue;
            }
            message.parts.retain_mut(|part| match part {
                Part::Result { call, text, .. } => {
                    if let Some(stub) = self.stubs.get(call) {
                        text.clone_from(stub);
                    }
                    !gone.contains(call)
                }
                _ => true,
            });
            if !message.parts.is_empty() {
                seen.push((id, message));
            }
        }
        seen
    }

    pub fn is_pinned(&self, piece: &Piece) -> bool {
        pinned_calls(piece, &self.pins).is_some()
    }
}

/// The pinned ones of these pieces, whole: a pinned result brings its call, a call its result, and
/// an answer all of its calls. In order.
pub fn pinned(pieces: &[Piece], pins: &BTreeSet<ItemId>) -> Vec<Piece> {
    let mut wanted: HashSet<CallId> = HashSet::new();
    let mut kept = Vec::new();
    for piece in pieces {
        if let Some(calls) = pinned_calls(piece, pins) {
            wanted.extend(calls);
            kept.push(piece.clone());
            continue;
        }
        let (id, message) = piece;
        let mut message = message.clone();
        message
            .parts
            .retain(|part| matches!(part, Part::Result { call, .. } if wanted.contains(call)));
        if !message.parts.is_empty() {
            kept.push((id.clone(), message));
        }
    }
    kept
}

/// The calls of a piece that is pinned by its own name or by a result of one of its calls.
fn pinned_calls((id, message): &Piece, pins: &BTreeSet<ItemId>) -> Option<Vec<CallId>> {
    if pins.is_empty() || has_results(message) {
        return None;
    }
    let calls: Vec<CallId> = message.calls().map(|(call, _, _)| call.clone()).collect();
    let named = pins.contains(&ItemId::Message(id.clone()));
    let answered = calls.iter().any(|call| pins.contains(&ItemId::Result(call.clone())));
    (named || answered).then_some(calls)
}

fn has_results(message: &Message) -> bool {
    message.parts.iter().any(|part| matches!(part, Part::Result { .. }))
}

/// A shortened conversation: what stands for the beginning, the pinned pieces of it, and the end.
/// Two answers that were not neighbours are kept apart.
pub fn joined(head: Piece, pinned: Vec<Piece>, tail: Vec<Piece>) -> Vec<Piece> {
    let mut all = vec![head];
    let mut add = |piece: Piece, is_new: bool| {
        let after_answer = all.last().is_some_and(|(_, last)| last.role == Role::Assistant);
        if is_new && after_answer && piece.1.role == Role::Assistant {
            all.push((MessageId::default(), Message::user(GAP)));
        }
        all.push(piece);
    };
    for piece in pinned {
        add(piece, true);
    }
    for (at, piece) in tail.into_iter().enumerate() {
        add(piece, at == 0);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(id: &str, text: &str) -> Piece {
        (MessageId(id.into()), Message::user(text))
    }

    fn calls(id: &str, calls: &[&str]) -> Piece {
        let part = |call: &&str| Part::Call {
            id: CallId((*call).into()),
            tool: "Read".into(),
            input: json!({}),
        };
        let parts = calls.iter().map(part).collect();
        (MessageId(id.into()), Message { role: Role::Assistant, parts })
    }

    fn results(id: &str, calls: &[&str]) -> Piece {
        let part = |call: &&str| Part::Result {
            call: CallId((*call).into()),
            text: format!("result of {call}"),
            is_error: false,
        };
        (
            MessageId(id.into()),
            Message { role: Role::User, parts: calls.iter().map(part).collect() },
        )
    }

    fn names(pieces: &[Piece]) -> Vec<&str> {
        pieces.iter().map(|(id, _)| id.0.as_str()).collect()
    }

    fn conversation() -> Vec<Piece> {
        vec![
            said("u1", "look"),
            calls("a1", &["x", "y"]),
            results("a1", &["x", "y"]),
            said("u2", "by the way"),
            calls("a2", &["z"]),
            results("a2", &["z"]),
        ]
    }

    fn message(id: &str) -> ItemId {
        ItemId::Message(MessageId(id.into()))
    }

    #[test]
    fn a_dropped_answer_takes_its_results_along() {
        let mut edits = Edits::default();
        edits.apply(&Edit { drop: vec![MessageId("a1".into())], ..Edit::default() });
        assert_eq!(names(&edits.seen(conversation())), ["u1", "u2", "a2", "a2"]);
        edits.apply(&Edit { restore: vec![message("a1")], ..Edit::default() });
        assert_eq!(edits.seen(conversation()), conversation());
    }

    #[test]
    fn a_stub_stands_for_a_result_and_the_call_stays() {
        let mut edits = Edits::default();
        let stub = Stub { call: CallId("y".into()), text: "gone".into() };
        edits.apply(&Edit { stubs: vec![stub], ..Edit::default() });
        let seen = edits.seen(conversation());
        assert_eq!(seen.len(), 6);
        let Part::Result { text, .. } = &seen[2].1.parts[1] else { panic!("a result") };
        assert_eq!(text, "gone");
    }

    #[test]
    fn a_pinned_result_keeps_its_call_and_the_other_results_of_it() {
        let of = |id: ItemId| pinned(&conversation(), &BTreeSet::from([id]));
        let result = of(ItemId::Result(CallId("y".into())));
        assert_eq!(result, conversation()[1..3].to_vec());
        assert_eq!(of(message("a1")), result);
        assert_eq!(names(&of(message("u2"))), ["u2"]);
        assert!(of(message("u9")).is_empty());
    }

    #[test]
    fn answers_that_were_not_neighbours_stay_apart() {
        let answer = |id: &str| (MessageId(id.into()), Message::assistant(id));
        let all =
            joined(said("h", "summary"), vec![answer("a1")], vec![answer("a2"), answer("a3")]);
        assert_eq!(names(&all), ["h", "a1", "", "a2", "a3"]);
    }
}
