//! Moves what is large in a user record to the blob store, and back.

use crate::protocol::Part;
use crate::session::blobs::Blobs;
use crate::session::record::{Body, Shelved};

/// Bytes that a pasted text or an image may have inside the log.
const INLINE: usize = 4 << 10;

/// Characters of a shelved text that stay in the record.
const HEAD: usize = 200;

/// Empties the large parts of a user record into blobs. What the store does not take stays where
/// it is: a long line is better than a lost paste.
pub(crate) fn shelve(body: Body, blobs: &Blobs) -> Body {
    let Body::User { mut parts, mut shelved } = body else { return body };
    for (part, place) in parts.iter_mut().enumerate() {
        let is_text = matches!(place, Part::Text { .. });
        let Some(content) = content_of(place) else { continue };
        if content.len() <= INLINE {
            continue;
        }
        if let Ok(blob) = blobs.put(content.as_bytes()) {
            let head = if is_text { content.chars().take(HEAD).collect() } else { String::new() };
            shelved.push(Shelved { part, blob, bytes: content.len() as u64, head });
            content.clear();
        }
    }
    Body::User { parts, shelved }
}

/// The parts with their contents, and a sentence for each that is gone.
pub fn unshelve(
    mut parts: Vec<Part>,
    shelved: &[Shelved],
    blobs: &Blobs,
) -> (Vec<Part>, Vec<String>) {
    let mut problems = Vec::new();
    for shelf in shelved {
        let Some(part) = parts.get_mut(shelf.part) else { continue };
        let content = blobs.get(&shelf.blob).map_err(|error| error.to_string()).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| "the stored content is not text".to_owned())
        });
        match (content, content_of(part)) {
            (Ok(content), Some(place)) => *place = content,
            (Ok(_), None) => {}
            (Err(problem), _) => {
                *part = Part::Text { text: format!("[{} bytes are missing here]", shelf.bytes) };
                problems.push(problem);
            }
        }
    }
    (parts, problems)
}

fn content_of(part: &mut Part) -> Option<&mut String> {
    match part {
        Part::Text { text } => Some(text),
        Part::Image { data, .. } => Some(data),
        Part::Thinking { .. }
        | Part::RedactedThinking { .. }
        | Part::Call { .. }
        | Part::Result { .. }
        | Part::Opaque { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::disk::{Disk, Fault, Op, Plan};

    fn text(text: &str) -> Part {
        Part::Text { text: text.to_owned() }
    }

    #[test]
    fn large_parts_go_and_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(dir.path(), Disk::default());
        let paste = "é".repeat(INLINE);
        let image = Part::Image { media_type: "image/png".into(), data: "A".repeat(INLINE + 1) };
        let whole = vec![text("look"), text(&paste), image];
        let Body::User { parts, shelved } = shelve(Body::user(whole.clone()), &blobs) else {
            panic!("the kind of record changed");
        };
        assert_eq!(parts[..2], [text("look"), text("")]);
        assert_eq!(
            shelved.iter().map(|s| (s.part, s.bytes)).collect::<Vec<_>>(),
            [(1, 8192), (2, 4097)]
        );
        assert_eq!(unshelve(parts.clone(), &shelved, &blobs), (whole, vec![]));

        std::fs::remove_file(blobs.path(&shelved[0].blob).unwrap()).unwrap();
        let (parts, problems) = unshelve(parts, &shelved, &blobs);
        assert_eq!(parts[1], text("[8192 bytes are missing here]"));
        assert_eq!(problems, [format!("the stored content {} is missing", shelved[0].blob)]);
    }

    #[test]
    fn a_full_store_leaves_the_paste_in_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let fault = Fault::Error(rustix::io::Errno::NOSPC.raw_os_error());
        let plan = Plan { op: Some(Op::Write), from: 0, count: u64::MAX, fault };
        let body = Body::user(vec![text(&"x".repeat(INLINE + 1))]);
        assert_eq!(shelve(body.clone(), &Blobs::new(dir.path(), Disk::faulty(plan))), body);
    }
}
