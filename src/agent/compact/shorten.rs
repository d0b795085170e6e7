//! What takes the place of a history: a summary, what the person said word for word, what is
//! pinned, and the newest messages as they were. Pure.

use crate::agent::compact::size::message_bytes;
use crate::agent::recount::is_ours;
use crate::protocol::{Part, Role};
use crate::session::window::{self, Edits, Piece};

/// Bytes of the person's own words that are kept beside a summary.
const VERBATIM: usize = 60_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Rebuilt {
    /// Summary and the person's earlier words, in one text.
    pub head: String,
    /// Those words.
    pub said: Vec<String>,
    /// Pinned pieces from before the tail.
    pub pinned: Vec<Piece>,
    /// What stays as it is.
    pub tail: Vec<Piece>,
}

impl Rebuilt {
    /// Bytes of the new history, but for the preamble.
    pub fn bytes(&self) -> usize {
        let kept = self.pinned.iter().chain(&self.tail);
        self.head.len() + kept.map(|(_, message)| message_bytes(message)).sum::<usize>()
    }
}

/// `said`: what the summary that the history begins with quotes already. `keep`: bytes of the
/// newest messages.
pub fn rebuilt(
    pieces: &[Piece],
    edits: &Edits,
    said: &[String],
    summary: &str,
    keep: usize,
) -> Rebuilt {
    let (old, tail) = pieces.split_at(tail_start(pieces, keep));
    let earlier = said.iter().map(String::as_str);
    let quotable = old.iter().filter(|piece| !edits.is_pinned(piece)).filter_map(spoken);
    let said: Vec<String> = newest_within(&earlier.chain(quotable).collect::<Vec<_>>(), VERBATIM)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut head = summary.to_owned();
    if !said.is_empty() {
        head.push_str("\n\nWhat the user said, word for word, oldest first:\n");
        for text in &said {
            head.push_str("\n> ");
            head.push_str(&text.replace('\n', "\n> "));
            head.push('\n');
        }
    }
    Rebuilt { head, said, pinned: window::pinned(old, &edits.pins), tail: tail.to_vec() }
}

/// Where the newest messages begin that fit into `keep` bytes: at one that is no result, so that
/// none is parted from its call. `pieces.len()` if not even the newest step fits.
fn tail_start(pieces: &[Piece], keep: usize) -> usize {
    let mut size = 0;
    let mut start = pieces.len();
    for (index, (_, message)) in pieces.iter().enumerate().rev() {
        size += message_bytes(message);
        if size > keep {
            break;
        }
        let answers = message.parts.iter().any(|part| matches!(part, Part::Result { .. }));
        // The first holds what every conversation begins with.
        if !answers && index > 0 {
            start = index;
        }
    }
    start
}

/// What the person said in this message. What goes along with it stands before it.
fn spoken((_, message): &Piece) -> Option<&str> {
    match (message.role, message.parts.last()) {
        (Role::User, Some(Part::Text { text })) if !is_ours(text) => Some(text),
        _ => None,
    }
}

fn newest_within<'a>(texts: &[&'a str], budget: usize) -> Vec<&'a str> {
    let mut left = budget;
    let fits = |text: &&&str| {
        let fits = text.len() <= left;
        left = left.saturating_sub(text.len());
        fits
    };
    let mut kept: Vec<&str> = texts.iter().rev().take_while(fits).copied().collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CallId, ItemId, Message, MessageId};
    use crate::session::window::Edit;

    fn piece(id: &str, message: Message) -> Piece {
        (MessageId(id.into()), message)
    }

    fn conversation() -> Vec<Piece> {
        let call = Part::Call {
            id: CallId("c".into()),
            tool: "Read".into(),
            input: serde_json::json!({}),
        };
        let result =
            Part::Result { call: CallId("c".into()), text: "r".repeat(20), is_error: false };
        let prompt = ["<attached>\nx\n</attached>", "in the parser"];
        let parts = prompt.map(|text| Part::Text { text: text.into() }).to_vec();
        vec![
            piece("p", Message::user("<context>\n</context>")),
            piece("u1", Message::user("fix the bug")),
            piece("a1", Message::assistant("looking")),
            piece("u2", Message { role: Role::User, parts }),
            piece("a2", Message { role: Role::Assistant, parts: vec![call] }),
            piece("a2", Message { role: Role::User, parts: vec![result] }),
            piece("n", Message::user("(tern: plan mode is over.)")),
            piece("a3", Message::assistant("done")),
        ]
    }

    #[test]
    fn the_tail_never_begins_with_a_result() {
        let starts = [(3, 8), (4, 7), (31, 6), (59, 4), (60, 4), (10_000, 1)];
        for (keep, start) in starts {
            assert_eq!(tail_start(&conversation(), keep), start, "{keep}");
        }
    }

    #[test]
    fn the_persons_words_are_kept_and_no_others() {
        let all = rebuilt(&conversation(), &Edits::default(), &[], "All is well.", 0);
        assert_eq!((all.tail.len(), all.said.len()), (0, 2));
        assert!(all.head.starts_with("All is well."));
        assert!(all.head.ends_with("> fix the bug\n\n> in the parser\n"), "{}", all.head);

        let again = rebuilt(&conversation()[2..], &Edits::default(), &all.said[..1], "New.", 0);
        assert_eq!(again.said, all.said, "words of an earlier summary are quoted once");
        let tail = rebuilt(&conversation(), &Edits::default(), &[], "", 60);
        assert_eq!(tail.said, ["fix the bug", "in the parser"]);
    }

    #[test]
    fn what_is_pinned_stands_whole_and_is_not_quoted() {
        let mut edits = Edits::default();
        let ids = ["u1", "a2"].map(|id| ItemId::Message(MessageId(id.into())));
        edits.apply(&Edit { pin: ids.to_vec(), ..Edit::default() });
        let all = rebuilt(&conversation(), &edits, &[], "s", 0);
        let names: Vec<&str> = all.pinned.iter().map(|(id, _)| id.0.as_str()).collect();
        assert_eq!(names, ["u1", "a2", "a2"]);
        assert_eq!(all.said, ["in the parser"]);
    }
}
