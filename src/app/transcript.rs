//! The conversation as a list of entries. An entry's `revision` goes up whenever it would be
//! drawn differently, so that the view can keep rows of what has not changed.

mod group;

use std::collections::HashMap;

use crate::app::calls::{Call, CallState};
use crate::protocol::{CallId, CallResult, Level, MessageId, Title, TurnEnd, TurnSummary};
use crate::text::clean::Feed;
pub use group::Group;

/// Lines of a person's text from which on it is folded.
pub const LONG: usize = 16;

#[derive(Debug, Clone, Default)]
pub struct Transcript {
    entries: Vec<Entry>,
    calls: HashMap<CallId, usize>,
    /// The entry that the next piece of this message's text or thought goes to.
    live: Option<Live>,
    next: u64,
    /// Calls that run now.
    running: usize,
}

/// A text that is being streamed.
#[derive(Debug, Clone)]
struct Live {
    message: MessageId,
    kind: Kind,
    entry: usize,
    feed: Feed,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Never used twice, also not after a clear.
    pub id: u64,
    pub revision: u32,
    /// The message that it shows, where one is known: what a step back can go to.
    pub message: Option<MessageId>,
    pub group: Group,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Long texts are folded.
    Person {
        text: String,
        open: bool,
    },
    Prose {
        text: String,
        live: bool,
    },
    Thought {
        text: String,
        live: bool,
        open: bool,
    },
    Call(Box<Call>),
    Shell {
        command: String,
        output: String,
        code: Option<i32>,
        open: bool,
    },
    Notice {
        level: Level,
        text: String,
        hints: Vec<String>,
    },
    Compaction {
        before: u64,
        after: u64,
        summary: String,
        open: bool,
    },
    Ending {
        end: TurnEnd,
        summary: TurnSummary,
    },
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

    /// An empty one, for what is to stand before this one.
    pub fn earlier(&self) -> Transcript {
        /// More entries than will be added meanwhile.
        const APART: u64 = 1 << 32;
        Transcript { next: self.next + APART, ..Transcript::default() }
    }

    pub fn put_before(&mut self, mut earlier: Transcript) {
        earlier.close_live();
        let more = earlier.entries.len();
        for entry in &mut self.entries {
            entry.group.moved(more);
        }
        earlier.entries.append(&mut self.entries);
        self.entries = earlier.entries;
        self.calls.values_mut().for_each(|index| *index += more);
        self.calls.extend(earlier.calls);
        if let Some(live) = &mut self.live {
            live.entry += more;
        }
        self.running += earlier.running;
        self.next = self.next.max(earlier.next);
    }

    pub fn push(&mut self, body: Body) -> usize {
        if let Body::Call(call) = &body {
            self.close_live();
            self.calls.insert(call.id.clone(), self.entries.len());
            self.running += usize::from(call.state == CallState::Running);
        }
        let group = Group::Alone;
        self.entries.push(Entry { id: self.next, revision: 0, message: None, group, body });
        self.next += 1;
        self.join();
        self.entries.len() - 1
    }

    /// A file that goes along with a prompt looks like one that was read for it.
    pub fn attached(&mut self, title: &Title, result: CallResult) {
        let id = CallId(format!("attached-{}", self.next));
        let mut call = Call::new(id, "Read", title, CallState::Queued);
        call.end(result);
        self.push(Body::Call(Box::new(call)));
    }

    /// Adds a piece of streamed text, as it came: to the message's open entry, or to a new one.
    /// Where the pieces are cut does not matter.
    pub fn stream(&mut self, message: &MessageId, kind: Kind, piece: &str) {
        let mut clean = String::new();
        match &mut self.live {
            Some(live) if live.message == *message && live.kind == kind => {
                live.feed.push(piece, &mut clean);
                let entry = live.entry;
                if !clean.is_empty() {
                    self.append(entry, &clean);
                }
            }
            _ => {
                self.close_live();
                // Blank space between two calls is no entry of its own.
                let piece = piece.trim_start_matches(['\n', '\r']);
                let mut feed = Feed::default();
                feed.push(piece, &mut clean);
                if clean.is_empty() {
                    return;
                }
                let entry = self.push(match kind {
                    Kind::Prose => Body::Prose { text: clean, live: true },
                    Kind::Thought => Body::Thought { text: clean, live: true, open: false },
                });
                self.live = Some(Live { message: message.clone(), kind, entry, feed });
            }
        }
    }

    /// Nothing more comes for the text that was streamed.
    pub fn close_live(&mut self) {
        let Some(mut live) = self.live.take() else { return };
        let mut rest = String::new();
        live.feed.finish(&mut rest);
        if !rest.is_empty() {
            self.append(live.entry, &rest);
        }
        self.change(live.entry, |body| match body {
            Body::Prose { live, .. } | Body::Thought { live, .. } => *live = false,
            _ => {}
        });
    }

    fn append(&mut self, entry: usize, piece: &str) {
        self.change(entry, |body| match body {
            Body::Prose { text, .. } | Body::Thought { text, .. } => text.push_str(piece),
            _ => {}
        });
    }

    /// The entry shows this message.
    pub fn name(&mut self, index: usize, message: MessageId) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.message = Some(message);
        }
    }

    pub fn change(&mut self, index: usize, change: impl FnOnce(&mut Body)) {
        if let Some(entry) = self.entries.get_mut(index) {
            change(&mut entry.body);
            entry.revision += 1;
            self.touch_group(index);
        }
    }

    pub fn change_call(&mut self, id: &CallId, change: impl FnOnce(&mut Call)) {
        let Some(index) = self.calls.get(id).copied() else { return };
        let Some(Entry { body: Body::Call(call), revision, .. }) = self.entries.get_mut(index)
        else {
            return;
        };
        let before = usize::from(call.state == CallState::Running);
        change(call);
        self.running = (self.running - before) + usize::from(call.state == CallState::Running);
        *revision += 1;
        self.touch_group(index);
    }

    /// A call is at work, so that its mark moves.
    pub fn is_running(&self) -> bool {
        self.running > 0
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

    /// Opening shows what was folded away with others, too.
    pub fn set_open(&mut self, index: usize, open: bool) {
        self.set_group_open(index, open);
        if self.entries.get(index).and_then(|entry| entry.body.is_open()) == Some(!open) {
            self.change(index, |body| body.set_open(open));
        }
    }

    /// A line that stands for several calls first becomes a line for each.
    pub fn toggle(&mut self, index: usize) {
        if !self.folded(index).is_empty() {
            self.set_group_open(index, true);
            return;
        }
        let Some(open) = self.entries.get(index).and_then(|entry| entry.body.is_open()) else {
            return;
        };
        match self.entries[index].group {
            // One member's details fold alone.
            Group::Member { .. } => self.change(index, |body| body.set_open(!open)),
            Group::Lead { .. } | Group::Alone if open => self.set_open(index, false),
            Group::Lead { .. } | Group::Alone => self.change(index, |body| body.set_open(true)),
        }
    }

    /// Opens everything, or folds everything where all is open.
    pub fn toggle_all(&mut self) {
        let folded = (0..self.entries.len()).any(|index| self.is_open(index) == Some(false));
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

    /// The Markdown of the model's prose; empty for everything else.
    pub fn prose(&self) -> &str {
        match self {
            Body::Prose { text, .. } => text,
            _ => "",
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
        let call = Call::new(id, "Read", &title, CallState::Queued);
        transcript.push(Body::Call(Box::new(call)));
        transcript.stream(&message("a"), Kind::Prose, "\n\n");
        transcript.stream(&message("a"), Kind::Prose, "\n\nthree");
        assert_eq!(texts(&transcript), ["hm", "one two", "note", "x", "three"]);
        assert_eq!(transcript.entries()[1].revision, 2, "one piece more, then the end");
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
