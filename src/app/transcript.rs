//! The conversation as a list of entries. An entry's `revision` goes up whenever it would be
//! drawn differently, so that the view can keep rows of what has not changed.

use std::collections::HashMap;

use crate::app::calls::Call;
use crate::protocol::{CallId, Level, MessageId, TurnEnd, TurnSummary};

/// Lines of a person's text from which on it is folded.
pub const LONG: usize = 16;

#[derive(Debug, Clone, Default)]
pub struct Transcript {
    entries: Vec<Entry>,
    calls: HashMap<CallId, usize>,
    /// The entry that the next piece of this message's text or thought goes to.
    live: Option<(MessageId, Kind, usize)>,
    next: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Never used twice, also not after a clear.
    pub id: u64,
    pub revision: u32,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Long texts are folded.
    Person { text: String, open: bool },
    Prose { text: String, live: bool },
    Thought { text: String, live: bool, open: bool },
    Call(Box<Call>),
    Shell { command: String, output: String, code: Option<i32>, open: bool },
    Notice { level: Level, text: String, hints: Vec<String> },
    Compaction { before: u64, after: u64, summary: String, open: bool },
    Ending { end: TurnEnd, summary: TurnSummary },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Prose,
    Thought,
}

impl Transcript {
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn clear(&mut self) {
        let next = self.next;
        *self = Transcript { next, ..Transcript::default() };
    }

    pub fn push(&mut self, body: Body) -> usize {
        if let Body::Call(call) = &body {
            self.close_live();
            self.calls.insert(call.id.clone(), self.entries.len());
        }
        self.entries.push(Entry { id: self.next, revision: 0, body });
        self.next += 1;
        self.entries.len() - 1
    }

    /// Adds a piece of streamed text: to the message's open entry, or to a new one.
    pub fn stream(&mut self, message: &MessageId, kind: Kind, piece: &str) {
        if let Some((of, at, index)) = &self.live
            && of == message
            && *at == kind
        {
            let index = *index;
            self.change(index, |body| match body {
                Body::Prose { text, .. } | Body::Thought { text, .. } => text.push_str(piece),
                _ => {}
            });
            return;
        }
        self.close_live();
        // Blank space between two calls is no entry of its own.
        let piece = piece.trim_start_matches('\n');
        if piece.is_empty() {
            return;
        }
        let text = piece.to_owned();
        let index = self.push(match kind {
            Kind::Prose => Body::Prose { text, live: true },
            Kind::Thought => Body::Thought { text, live: true, open: false },
        });
        self.live = Some((message.clone(), kind, index));
    }

    /// Nothing more comes for the text that was streamed.
    pub fn close_live(&mut self) {
        let Some((_, _, index)) = self.live.take() else { return };
        self.change(index, |body| match body {
            Body::Prose { live, .. } | Body::Thought { live, .. } => *live = false,
            _ => {}
        });
    }

    pub fn change(&mut self, index: usize, change: impl FnOnce(&mut Body)) {
        if let Some(entry) = self.entries.get_mut(index) {
            change(&mut entry.body);
            entry.revision += 1;
        }
    }

    pub fn change_call(&mut self, id: &CallId, change: impl FnOnce(&mut Call)) {
        if let Some(index) = self.calls.get(id).copied() {
            self.change(index, |body| {
                if let Body::Call(call) = body {
                    change(call);
                }
            });
        }
    }

    pub fn call(&self, id: &CallId) -> Option<&Call> {
        match &self.entries.get(*self.calls.get(id)?)?.body {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }

    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.entries.iter().filter_map(|entry| match &entry.body {
            Body::Call(call) => Some(&**call),
            _ => None,
        })
    }

    pub fn set_open(&mut self, index: usize, open: bool) {
        if self.entries.get(index).and_then(|entry| entry.body.is_open()) == Some(!open) {
            self.change(index, |body| body.set_open(open));
        }
    }

    pub fn toggle(&mut self, index: usize) {
        if let Some(open) = self.entries.get(index).and_then(|entry| entry.body.is_open()) {
            self.set_open(index, !open);
        }
    }

    /// Opens everything, or folds everything where all is open.
    pub fn toggle_all(&mut self) {
        let folded = self.entries.iter().any(|entry| entry.body.is_open() == Some(false));
        for index in 0..self.entries.len() {
            self.set_open(index, folded);
        }
    }
}

impl Body {
    /// `None`: there is nothing to open.
    pub fn is_open(&self) -> Option<bool> {
        match self {
            Body::Person { text, open } => (text.lines().count() > LONG).then_some(*open),
            Body::Thought { open, .. }
            | Body::Shell { open, .. }
            | Body::Compaction { open, .. } => Some(*open),
            Body::Call(call) => Some(call.open),
            Body::Prose { .. } | Body::Notice { .. } | Body::Ending { .. } => None,
        }
    }

    fn set_open(&mut self, to: bool) {
        match self {
            Body::Person { open, .. }
            | Body::Thought { open, .. }
            | Body::Shell { open, .. }
            | Body::Compaction { open, .. } => *open = to,
            Body::Call(call) => call.open = to,
            Body::Prose { .. } | Body::Notice { .. } | Body::Ending { .. } => {}
        }
    }

    /// The entry's text in parts, for search and for copying.
    pub fn parts(&self) -> Vec<&str> {
        match self {
            Body::Person { text, .. } | Body::Prose { text, .. } | Body::Thought { text, .. } => {
                vec![text]
            }
            Body::Call(call) => vec![call.verb(), &call.title.object, call.text()],
            Body::Shell { command, output, .. } => vec![command, output],
            Body::Notice { text, hints, .. } => {
                std::iter::once(text).chain(hints).map(String::as_str).collect()
            }
            Body::Compaction { summary, .. } => vec![summary],
            Body::Ending { .. } => Vec::new(),
        }
    }

    /// What copying the entry gives.
    pub fn text(&self) -> String {
        match self {
            Body::Call(call) => match call.text() {
                "" => call.title.object.clone(),
                text => text.to_owned(),
            },
            body => body.parts().join("\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::calls::CallState;
    use crate::protocol::Title;

    fn message(name: &str) -> MessageId {
        MessageId(name.to_owned())
    }

    fn texts(transcript: &Transcript) -> Vec<String> {
        transcript.entries().iter().map(|entry| entry.body.text().trim().to_owned()).collect()
    }

    #[test]
    fn streamed_pieces_join_until_a_call_comes_between() {
        let mut transcript = Transcript::default();
        transcript.stream(&message("a"), Kind::Thought, "hm");
        transcript.stream(&message("a"), Kind::Prose, "one ");
        transcript.push(Body::Notice {
            level: Level::Info,
            text: "note".to_owned(),
            hints: Vec::new(),
        });
        transcript.stream(&message("a"), Kind::Prose, "two");
        let id = CallId("1".to_owned());
        let title = Title::new("Reading", "Read", "x");
        let call = Call::new(id, "Read".to_owned(), title, CallState::Queued);
        transcript.push(Body::Call(Box::new(call)));
        transcript.stream(&message("a"), Kind::Prose, "\n\n");
        transcript.stream(&message("a"), Kind::Prose, "\n\nthree");
        assert_eq!(texts(&transcript), ["hm", "one two", "note", "x", "three"]);
        assert_eq!(transcript.entries()[1].revision, 1);
    }

    #[test]
    fn opening_changes_only_what_was_folded() {
        let mut transcript = Transcript::default();
        transcript.push(Body::Person { text: "hi".to_owned(), open: false });
        for n in 0..2 {
            transcript.push(Body::Thought { text: n.to_string(), live: false, open: n == 1 });
        }
        transcript.toggle_all();
        let state: Vec<_> =
            transcript.entries().iter().map(|e| (e.revision, e.body.is_open())).collect();
        assert_eq!(state, [(0, None), (1, Some(true)), (0, Some(true))]);
        transcript.toggle_all();
        assert!(transcript.entries().iter().all(|entry| entry.body.is_open() != Some(true)));
    }
}
