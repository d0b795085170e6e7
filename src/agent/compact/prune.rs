//! The first way to make room: a line takes the place of an old tool result, and says how to get
//! it back. The newest results and the pinned ones stay.

use std::collections::HashMap;
use std::path::Path;

use crate::process;
use crate::protocol::{CallId, Part, Role};
use crate::session::window::{Edits, Piece, Stub};

/// Bytes of the newest results that stay, at most.
const PROTECTED: usize = 140_000;
/// Results shorter than this stay.
const SHORT: usize = 400;
/// About what is left of a result.
const LEFT: usize = 160;
/// Tools that give the same again when they are called again, and change nothing.
const REPEATABLE: [&str; 4] = ["Read", "Grep", "Glob", "LS"];

/// A result that can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old<'a> {
    pub call: &'a CallId,
    pub tool: &'a str,
    pub text: &'a str,
}

/// The old results; `None` if to drop them would free less than `worth` bytes. `window` is in
/// bytes. Pure.
pub fn old<'a>(
    pieces: &'a [Piece],
    edits: &Edits,
    window: usize,
    worth: usize,
) -> Option<Vec<Old<'a>>> {
    let mut tools: HashMap<&CallId, &str> = HashMap::new();
    let mut pinned: Vec<&CallId> = Vec::new();
    for piece in pieces {
        let is_pinned = edits.is_pinned(piece);
        for (call, tool, _) in piece.1.calls() {
            tools.insert(call, tool);
            if is_pinned {
                pinned.push(call);
            }
        }
    }
    // What the model has asked for last it has not seen yet.
    let is_answer = |(_, message): &Piece| message.role == Role::Assistant;
    let seen = pieces.iter().rposition(is_answer).unwrap_or_default();
    let mut protected = PROTECTED.min(window / 5);
    let mut freed = 0;
    let mut old = Vec::new();
    for (at, (_, message)) in pieces.iter().enumerate().rev() {
        for part in message.parts.iter().rev() {
            let Part::Result { call, text, .. } = part else { continue };
            if at > seen || protected >= text.len() {
                protected = protected.saturating_sub(text.len());
                continue;
            }
            protected = 0;
            if text.len() > SHORT && !pinned.contains(&call) {
                freed += text.len() - LEFT;
                old.push(Old { call, tool: tools.get(call).copied().unwrap_or_default(), text });
            }
        }
    }
    (freed >= worth && freed > 0).then_some(old)
}

/// The line that takes the place of a result. What a call cannot give again is put into a file of
/// `dir`.
pub fn stub(old: &Old<'_>, dir: &Path) -> Stub {
    let Old { call, tool, text } = old;
    let size = text.len();
    let back = if REPEATABLE.contains(tool) {
        "call the tool again to see it".to_owned()
    } else {
        match process::spill(dir, "txt", text.as_bytes()) {
            Ok(path) => format!("all of it is in {}, which Read shows", path.display()),
            Err(error) => {
                tracing::warn!("a result could not be put aside: {error}");
                "what it was can only be had by a new call, if that does no harm".to_owned()
            }
        }
    };
    let text = format!("[{size} bytes of output were dropped to make room: {back}]");
    Stub { call: (*call).clone(), text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ItemId, Message, MessageId};
    use crate::session::window::Edit;
    use serde_json::json;

    fn step(id: &str, tool: &str, output: &str) -> [Piece; 2] {
        let call = CallId(id.into());
        let asked = Part::Call { id: call.clone(), tool: tool.into(), input: json!({}) };
        let given = Part::Result { call, text: output.into(), is_error: false };
        let piece = |role, part| (MessageId(id.into()), Message { role, parts: vec![part] });
        [piece(Role::Assistant, asked), piece(Role::User, given)]
    }

    fn conversation() -> Vec<Piece> {
        let first = (MessageId("u".into()), Message::user("go"));
        let steps = [("a", 3_000), ("b", 1_500), ("short", 100), ("new", 10_000)];
        let steps = steps.map(|(id, size)| step(id, "Read", &"x".repeat(size)));
        [first].into_iter().chain(steps.into_iter().flatten()).collect()
    }

    fn names(pieces: &[Piece], edits: &Edits, worth: usize) -> Option<Vec<String>> {
        let old = old(pieces, edits, 60_000, worth)?;
        Some(old.iter().map(|old| old.call.0.clone()).collect())
    }

    #[test]
    fn the_newest_the_short_and_the_pinned_stay() {
        let pieces = conversation();
        let mut edits = Edits::default();
        assert_eq!(names(&pieces, &edits, 2_000), Some(vec!["a".to_owned()]));
        assert_eq!(names(&pieces, &edits, 10_000), None);
        let pin = vec![ItemId::Result(CallId("a".into()))];
        edits.apply(&Edit { pin, ..Edit::default() });
        assert_eq!(names(&pieces, &edits, 1), None);
        let small = old(&pieces, &Edits::default(), 1_000, 1).unwrap();
        assert_eq!(
            small.len(),
            2,
            "a small window keeps fewer, but not none the model has yet to see"
        );
    }

    #[test]
    fn a_stub_says_how_to_get_the_output_back() {
        let dir = tempfile::tempdir().unwrap();
        let call = CallId("c".into());
        let stub = |tool, dir: &Path| stub(&Old { call: &call, tool, text: "all of it" }, dir).text;
        assert!(stub("Read", dir.path()).contains("call the tool again"));
        let file = stub("Bash", dir.path());
        let path = file.split_once(" is in ").unwrap().1.split_once(',').unwrap().0;
        assert_eq!(std::fs::read_to_string(path).unwrap(), "all of it");
        let nowhere = stub("Bash", Path::new("/dev/null/x"));
        assert!(nowhere.contains("a new call"), "{nowhere}");
    }
}
