//! The end of a conversation, from the end of its log alone: a first answer while the whole is read.
//!
//! Only what is certain without the rest: the records lead to the last one link by link, begin with
//! a turn, and hold no step back, which would need what came before.

use std::collections::HashMap;
use std::path::Path;

use crate::protocol::Part;
use crate::session::read::{self, ReadError};
use crate::session::record::{Body, Record, RecordId};

/// Bytes looked at first, and where no turn begins in them.
const LOOKS: [u64; 2] = [256 << 10, 4 << 20];

/// The last records of the conversation, oldest first; none where nothing is certain, or where the
/// log is no larger than what is looked at.
pub fn of(path: &Path) -> Result<Vec<Record>, ReadError> {
    for bytes in LOOKS {
        let whole = path.metadata().is_ok_and(|meta| meta.len() <= bytes);
        if whole {
            break;
        }
        let found = last_turns(read::tail(path, bytes)?);
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn last_turns(records: Vec<Record>) -> Vec<Record> {
    let mut linked = linked(records);
    let steps = linked.iter().rposition(|record| matches!(record.body, Body::Rewind(_)));
    linked.drain(..steps.map_or(0, |last| last + 1));
    match begins(&linked) {
        Some(first) => linked.split_off(first),
        None => Vec::new(),
    }
}

/// Those of the records that the last one follows.
fn linked(records: Vec<Record>) -> Vec<Record> {
    let places: HashMap<RecordId, usize> =
        records.iter().enumerate().map(|(at, record)| (record.id.clone(), at)).collect();
    let mut on = vec![false; records.len()];
    let mut next = records.len().checked_sub(1);
    while let Some(at) = next {
        on[at] = true;
        let parent = records[at].parent.as_ref().and_then(|parent| places.get(parent)).copied();
        // A parent stands before its child; where it does not, the log is damaged.
        next = parent.filter(|parent| *parent < at);
    }
    records.into_iter().zip(on).filter(|(_, on)| *on).map(|(record, _)| record).collect()
}

/// The first message of the person that begins a turn: the answer before it calls nothing.
fn begins(records: &[Record]) -> Option<usize> {
    let mut over = false;
    for (at, record) in records.iter().enumerate() {
        match &record.body {
            Body::User { .. } if over => return Some(at),
            Body::Assistant { parts, cut, .. } => {
                over = *cut || !parts.iter().any(|part| matches!(part, Part::Call { .. }));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CallId, RewindScope};
    use crate::session::record::tests::{record, user};
    use crate::session::record::{Rewind, encode};

    fn says() -> Body {
        Body::assistant(vec![Part::Text { text: "yes".into() }], "demo/demo")
    }

    fn calls() -> Body {
        let call =
            Part::Call { id: CallId("c".into()), tool: "LS".into(), input: serde_json::json!({}) };
        Body::assistant(vec![call], "demo/demo")
    }

    /// Each record follows the one before, or the one of this number.
    fn check(bodies: Vec<(Body, Option<u64>)>, wanted: &[u64]) {
        let records = bodies.into_iter().enumerate().map(|(seq, (body, parent))| {
            let before = (seq > 0).then(|| seq as u64 - 1);
            let parent = parent.or(before).map(|parent| format!("r{parent}"));
            record(seq as u64, parent.as_deref(), body)
        });
        let found: Vec<u64> = last_turns(records.collect()).iter().map(|r| r.seq).collect();
        assert_eq!(found, wanted);
    }

    fn back(to: u64) -> Body {
        let id = |n: u64| crate::protocol::MessageId(format!("r{n}"));
        Body::Rewind(Rewind { to: id(to), from: id(0), scope: RewindScope::Both, part: None })
    }

    #[test]
    fn only_whole_turns_that_are_certain() {
        let plain = |bodies: Vec<Body>| bodies.into_iter().map(|body| (body, None)).collect();
        check(vec![], &[]);
        check(plain(vec![user("a"), says()]), &[]);
        check(plain(vec![says(), user("b"), says()]), &[1, 2]);
        check(plain(vec![calls(), user("said meanwhile"), says(), user("b")]), &[3]);
        check(plain(vec![says(), user("b"), says(), back(0), says(), user("c")]), &[5]);
        // Another branch than the last record's.
        let other = vec![
            (says(), None),
            (user("a"), None),
            (says(), None),
            (user("b"), Some(0)),
            (says(), None),
        ];
        check(other, &[3, 4]);
        // A record that leads nowhere within sight.
        check(vec![(says(), Some(99)), (user("a"), None), (says(), Some(98))], &[]);
    }

    #[test]
    fn a_small_log_is_read_whole_instead() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let lines = |n: u64| {
            (0..n).map(move |seq| {
                let parent = (seq > 0).then(|| format!("r{}", seq - 1));
                let body = if seq % 2 == 0 { user(&"long ".repeat(100)) } else { says() };
                encode(&record(seq, parent.as_deref(), body)).unwrap()
            })
        };
        std::fs::write(&path, lines(20).flatten().collect::<Vec<u8>>()).unwrap();
        assert_eq!(of(&path).unwrap(), []);
        std::fs::write(&path, lines(2_000).flatten().collect::<Vec<u8>>()).unwrap();
        let found = of(&path).unwrap();
        assert_eq!(found.last().map(|record| record.seq), Some(1999));
        assert!((100..1_000).contains(&found.len()), "{}", found.len());
    }
}
