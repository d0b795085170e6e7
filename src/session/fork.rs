//! Copies a conversation into a log of its own; the old one stays as it is.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::SessionId;
use crate::session::disk::Disk;
use crate::session::read::Loaded;
use crate::session::record::{self, Body, Opening, Origin, Record, RecordId, VERSION, new_id};

#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    #[error("the session has no record {id}", id = .0.0)]
    NoRecord(RecordId),
    #[error("the beginning of the session is lost, so it cannot be forked")]
    NoBeginning,
    #[error("the fork could not be written: {0}")]
    Io(#[from] io::Error),
}

/// Writes the conversation up to `at` as the log `to` of a new session. Records keep their names
/// and contents, also those of a kind that this version does not know.
pub fn fork(
    loaded: &Loaded,
    at: &RecordId,
    to: &Path,
    session: SessionId,
    disk: &Disk,
    now: Timestamp,
) -> Result<(), ForkError> {
    let index = loaded.index_of(at).ok_or_else(|| ForkError::NoRecord(at.clone()))?;
    let old = loaded.opening.clone().ok_or(ForkError::NoBeginning)?;
    let copies: Vec<usize> = loaded
        .branch_to(index)
        .into_iter()
        .filter(|index| loaded.entries[*index].kind != "session")
        .collect();
    let origin = Origin {
        session: loaded.session.clone(),
        record: at.clone(),
        inherited: copies.len() as u64,
    };
    let opening = Record {
        v: VERSION,
        seq: 0,
        id: new_id(now),
        parent: None,
        t: now,
        body: Body::Session(Opening { session, origin: Some(origin), ..old }),
    };
    let mut bytes = record::encode(&opening).map_err(io::Error::from)?;
    let mut parent = opening.id;
    for (seq, index) in (1..).zip(copies) {
        let line = loaded.line(index).unwrap_or_default();
        let mut copy: Copy = serde_json::from_slice(&line).map_err(io::Error::from)?;
        (copy.seq, copy.parent) = (seq, Some(parent));
        serde_json::to_writer(&mut bytes, &copy).map_err(io::Error::from)?;
        bytes.push(b'\n');
        parent = copy.id;
    }
    write(to, &bytes, disk)?;
    Ok(())
}

/// A line of which only its place in the tree is touched.
#[derive(Serialize, Deserialize)]
struct Copy {
    v: u32,
    seq: u64,
    id: RecordId,
    parent: Option<RecordId>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Whole or not at all under its name.
fn write(to: &Path, bytes: &[u8], disk: &Disk) -> io::Result<()> {
    let dir = to.parent().unwrap_or(Path::new(""));
    disk.make_dir(dir)?;
    let temporary = to.with_extension("new");
    let file = disk.create(&temporary)?;
    let written = disk
        .write_all(&file, bytes)
        .and_then(|()| disk.sync(&file))
        .and_then(|()| disk.rename(&temporary, to))
        .and_then(|()| disk.sync_dir(dir));
    if written.is_err() {
        std::fs::remove_file(&temporary).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Cause, MessageId, Mode, Money, Spend, Usage};
    use crate::session::record::tests::{record, user};
    use crate::session::{read, replay};

    #[test]
    fn a_fork_has_the_conversation_and_not_its_cost() {
        let dir = tempfile::tempdir().unwrap();
        let opening = Opening {
            session: SessionId("old".into()),
            cwd: "/p".into(),
            model: "demo/demo".into(),
            mode: Mode::Plan,
            branch: None,
            tern: String::new(),
            origin: None,
        };
        let spend = Spend {
            model: "demo/demo".into(),
            usage: Usage { input: 7, ..Usage::default() },
            cost: Some(Money(5)),
            cause: Cause::Prompt,
        };
        let mut bytes: Vec<u8> = [
            record(0, None, Body::Session(opening)),
            record(1, Some("r0"), user("one")),
            record(2, Some("r1"), Body::Usage { spend }),
            record(3, Some("r1"), user("other branch")),
        ]
        .iter()
        .flat_map(|record| record::encode(record).unwrap())
        .collect();
        bytes.extend(
            br#"{"v":1,"seq":4,"id":"r4","parent":"r2","t":"2027-01-15T08:00:03Z","type":"hologram","x":[1,{"y":null}]}"#,
        );
        let path = dir.path().join("old.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        let (loaded, _) = read::load(&path).unwrap();

        let to = dir.path().join("new/fork.jsonl");
        let now = Timestamp::from_second(1_900_000_000).unwrap();
        let id = |id: &str| MessageId(id.into());
        fork(&loaded, &id("r4"), &to, SessionId("fork".into()), &Disk::default(), now).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "the old log stays as it is");
        let (forked, damage) = read::load(&to).unwrap();
        assert!(damage.is_none(), "{damage}");
        let kinds: Vec<&str> = forked.entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, ["session", "user", "usage", "unknown"]);
        assert!(
            std::fs::read_to_string(&to)
                .unwrap()
                .contains(r#""type":"hologram","x":[1,{"y":null}]}"#)
        );
        assert_eq!(forked.session, SessionId("fork".into()));
        let state = replay::state(&forked);
        assert_eq!(
            (state.spent.cost, state.context, state.mode),
            (Money(0), Some(7), Some(Mode::Plan))
        );

        let missing = fork(&loaded, &id("r9"), &to, SessionId("x".into()), &Disk::default(), now);
        assert!(matches!(missing, Err(ForkError::NoRecord(_))));
    }
}
