//! One line of a session log.
//!
//! `{"v":1,"seq":n,"id":"<uuid v7>","parent":"<id>|null","t":"<RFC 3339>","type":"..",..}`

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::{
    CallId, CallResult, Input, Level, MessageId, Mode, Part, Place, SessionId, Spend, Title, TurnId,
};

pub use crate::protocol::{RewindScope, StepPart};

use crate::session::checkpoint::Checkpoint;
use crate::session::seal;
use crate::session::window;

/// Version of the line format; adding a field or a type is not a break.
pub const VERSION: u32 = 1;

/// Bytes of one line, its end included. The log writes nothing longer, the reader keeps nothing
/// longer in memory.
pub const MAX_LINE: usize = 16 << 20;

/// The name of a record. That of a user or assistant record is also its message's.
pub type RecordId = MessageId;

/// A fresh name, made at `now`.
pub fn new_id(now: Timestamp) -> RecordId {
    MessageId(uuid_v7(now))
}

/// A name for a new session; names sort by time of creation.
pub fn new_session(now: Timestamp) -> SessionId {
    SessionId(uuid_v7(now))
}

fn uuid_v7(now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
    uuid::Uuid::new_v7(stamp).to_string()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub v: u32,
    /// Counts up by one from 0 within a file, so that a gap shows.
    pub seq: u64,
    pub id: RecordId,
    /// The record that this one follows in the conversation; `None` for the first.
    pub parent: Option<RecordId>,
    pub t: Timestamp,
    #[serde(flatten)]
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Body {
    /// The first record of every log.
    Session(Opening),
    /// What the model was told about the project, assembled once.
    Context {
        text: String,
        /// Instruction files that are part of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<String>,
    },
    User {
        parts: Vec<Part>,
        /// Parts whose contents stand in the blob store.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shelved: Vec<Shelved>,
    },
    Assistant {
        parts: Vec<Part>,
        /// `PROVIDER/MODEL`
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// The answer was cut off by an interrupt or an error: the parts are what had come.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        cut: bool,
    },
    /// A call is about to run. Without a result of the same call its outcome is not known.
    Call {
        call: CallId,
        tool: String,
        input: Value,
        title: Title,
        turn: TurnId,
    },
    Result {
        call: CallId,
        result: CallResult,
    },
    /// Files as the model knows them now, after the result before.
    Seen {
        files: Vec<Look>,
    },
    Usage {
        spend: Spend,
    },
    Mode {
        mode: Mode,
    },
    /// `PROVIDER/MODEL`
    Model {
        model: String,
    },
    Title {
        title: String,
    },
    /// Everything queued and not yet sent, after a change of the queue.
    Queue {
        inputs: Vec<Input>,
    },
    /// Where the screen stood when the session was left; `None`: at the end.
    Place {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    Compaction(Compaction),
    /// Something of what the model sees was pinned, dropped, cut to a line, or brought back.
    Window(window::Edit),
    Rewind(Rewind),
    Checkpoint(Checkpoint),
    Notice {
        level: Level,
        text: String,
    },
    /// A type or a version that this program does not know. It holds its place in the tree; its
    /// contents stay in the file.
    #[serde(other)]
    Unknown,
}

/// How the model knows a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Real path.
    pub path: String,
    /// SHA-256 of its bytes then, hex.
    pub hash: String,
    pub extent: Extent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Its whole text stands in the conversation.
    Whole,
    /// A page of it does.
    Part,
    /// An edit made it what it is: the model knows it, but it stands nowhere in one piece.
    Edited,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub session: SessionId,
    /// The project's folder.
    pub cwd: String,
    /// `PROVIDER/MODEL`
    pub model: String,
    pub mode: Mode,
    /// Git branch at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Version of the program.
    #[serde(default)]
    pub tern: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Where a fork came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub session: SessionId,
    /// The last record that was taken over.
    pub record: RecordId,
    /// Records with a `seq` up to this one are copies: their money was spent by the origin.
    pub inherited: u64,
}

/// A part of a user record whose contents are a blob. The part itself is left empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelved {
    /// Which part, from 0.
    pub part: usize,
    /// SHA-256, hex.
    pub blob: String,
    pub bytes: u64,
    /// How a text begins, so that a list can name it without reading it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub head: String,
}

/// A summary that stands for what came before it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compaction {
    pub summary: String,
    /// The first record that the model still sees as it is; `None`: none before this one.
    pub keep_from: Option<RecordId>,
    /// Tokens before and after, the latter estimated.
    pub before: u64,
    pub after: u64,
    pub automatic: bool,
    /// What the person had said, as far as the summary quotes it, oldest first: the next summary
    /// quotes it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// Records before `keep_from` that were pinned: they stand between the summary and the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<RecordId>,
    /// Takes the last compaction back instead: what it left out counts again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

/// A step back, or forth. With the conversation in its scope its parent is `to`, so that what is
/// appended next continues there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewind {
    /// The record that the conversation ends with after this.
    pub to: RecordId,
    /// The head before: going there takes this step back.
    pub from: RecordId,
    pub scope: RewindScope,
    /// The changes of one file, or some of them, went back, and no turn did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<StepPart>,
}

impl Body {
    pub fn user(parts: Vec<Part>) -> Body {
        Body::User { parts, shelved: Vec::new() }
    }

    pub fn assistant(parts: Vec<Part>, model: impl Into<String>) -> Body {
        Body::Assistant { parts, model: Some(model.into()), cut: false }
    }

    /// The `type` of the line.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Session(_) => "session",
            Body::Context { .. } => "context",
            Body::User { .. } => "user",
            Body::Assistant { .. } => "assistant",
            Body::Call { .. } => "call",
            Body::Result { .. } => "result",
            Body::Seen { .. } => "seen",
            Body::Usage { .. } => "usage",
            Body::Mode { .. } => "mode",
            Body::Model { .. } => "model",
            Body::Title { .. } => "title",
            Body::Queue { .. } => "queue",
            Body::Place { .. } => "place",
            Body::Compaction(_) => "compaction",
            Body::Window(_) => "window",
            Body::Rewind(_) => "rewind",
            Body::Checkpoint(_) => "checkpoint",
            Body::Notice { .. } => "notice",
            Body::Unknown => "unknown",
        }
    }

    /// Whether a session that holds this is worth a file. One that was opened and left is not.
    pub fn is_conversation(&self) -> bool {
        match self {
            Body::User { .. }
            | Body::Assistant { .. }
            | Body::Call { .. }
            | Body::Result { .. }
            | Body::Usage { .. }
            | Body::Compaction(_)
            | Body::Window(_)
            | Body::Rewind(_)
            | Body::Checkpoint(_) => true,
            Body::Session(_)
            | Body::Context { .. }
            | Body::Seen { .. }
            | Body::Mode { .. }
            | Body::Model { .. }
            | Body::Title { .. }
            | Body::Queue { .. }
            | Body::Place { .. }
            | Body::Notice { .. }
            | Body::Unknown => false,
        }
    }
}

/// The line of `record`, its end included.
pub(crate) fn encode(record: &Record) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads one line, with or without its end. One whose checksum is wrong is none. A record of a newer version is [`Body::Unknown`].
pub(crate) fn decode(line: &[u8]) -> Option<Record> {
    if !seal::holds(line) {
        return None;
    }
    match serde_json::from_slice::<Record>(line) {
        Ok(record) if record.v <= VERSION => Some(record),
        Ok(record) => Some(Record { body: Body::Unknown, ..record }),
        Err(_) => decode_newer(line),
    }
}

/// Of a newer version nothing is certain but the fields that make the tree.
fn decode_newer(line: &[u8]) -> Option<Record> {
    #[derive(Deserialize)]
    struct Head {
        v: u32,
        seq: u64,
        id: RecordId,
        parent: Option<RecordId>,
        t: Timestamp,
    }
    let head: Head = serde_json::from_slice(line).ok()?;
    (head.v > VERSION).then_some(Record {
        v: head.v,
        seq: head.seq,
        id: head.id,
        parent: head.parent,
        t: head.t,
        body: Body::Unknown,
    })
}

/// Whole records of a line that is not one, with their places in it: a torn record with another
/// one after it, or a record with rubbish after it. Only what begins the line or ends it counts,
/// so that text inside a record cannot pose as one.
pub(crate) fn salvage(line: &[u8]) -> Vec<(Range<usize>, Record)> {
    const START: &[u8] = br#"{"v":"#;
    const TRIES: usize = 4;
    let mut found = Vec::new();
    let mut stream = serde_json::Deserializer::from_slice(line).into_iter::<Record>();
    if let Some(Ok(record)) = stream.next()
        && seal::holds(&line[..stream.byte_offset()])
    {
        found.push((0..stream.byte_offset(), record));
    }
    let taken = found.first().map_or(0, |(range, _)| range.end);
    let last = memchr::memmem::rfind_iter(&line[taken..], START).take(TRIES).find_map(|at| {
        let at = taken + at;
        decode(&line[at..]).map(|record| (at..line.len(), record))
    });
    found.extend(last);
    found.retain(|(_, record)| record.v <= VERSION);
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn record(seq: u64, parent: Option<&str>, body: Body) -> Record {
        Record {
            v: VERSION,
            seq,
            id: MessageId(format!("r{seq}")),
            parent: parent.map(|id| MessageId(id.to_owned())),
            t: Timestamp::from_second(1_800_000_000 + seq as i64).unwrap(),
            body,
        }
    }

    pub(crate) fn user(text: &str) -> Body {
        Body::user(vec![Part::Text { text: text.to_owned() }])
    }

    #[test]
    fn a_line_reads_as_documented() {
        let line = encode(&record(3, Some("r2"), user("hi"))).unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            concat!(
                r#"{"v":1,"seq":3,"id":"r3","parent":"r2","t":"2027-01-15T08:00:03Z","type":"user","#,
                r#""parts":[{"kind":"text","text":"hi"}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn other_versions_keep_their_place_in_the_tree() {
        let head = r#""seq":1,"id":"b","parent":"a","t":"2027-01-15T08:00:03Z""#;
        for (line, wanted) in [
            (format!(r#"{{"v":1,{head},"type":"hologram","x":[1]}}"#), Some(1)),
            (format!(r#"{{"v":2,{head},"type":"user","parts":7}}"#), Some(2)),
            (format!(r#"{{"v":2,{head},"type":"user","parts":[]}}"#), Some(2)),
            (format!(r#"{{"v":1,{head},"type":"user","parts":7}}"#), None),
            (format!(r#"{{"v":1,{head}}}"#), None),
        ] {
            let read = decode(line.as_bytes());
            assert_eq!(read.as_ref().map(|r| r.v), wanted, "{line}");
            assert!(read.is_none_or(|r| r.body == Body::Unknown), "{line}");
        }
    }

    #[test]
    fn an_unknown_field_of_a_known_type_is_ignored() {
        let line = br#"{"v":1,"seq":0,"id":"a","parent":null,"t":"2027-01-15T08:00:00Z","type":"title","title":"x","new":1}"#;
        assert_eq!(decode(line).map(|r| r.body), Some(Body::Title { title: "x".into() }));
    }

    #[test]
    fn salvage_takes_what_begins_or_ends_a_bad_line() {
        let first = encode(&record(1, None, user("one"))).unwrap();
        let second = encode(&record(2, Some("r1"), user("two"))).unwrap();
        let whole = |line: &[u8]| line[..line.len() - 1].to_vec();
        let ids = |line: &[u8]| salvage(line).into_iter().map(|(_, r)| r.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&[&first[..40], &whole(&second)].concat()), ["r2"]);
        assert_eq!(ids(&[whole(&first), whole(&second)].concat()), ["r1", "r2"]);
        assert_eq!(ids(&[&whole(&first), &second[..50]].concat()), ["r1"]);
        assert_eq!(ids(b"{\"v\":{\"v\":{\"v\":"), [""; 0]);
    }

    #[test]
    fn a_record_inside_a_tool_input_is_not_salvaged() {
        let forged: Value = serde_json::to_value(record(9, None, user("forged"))).unwrap();
        let body = Body::Call {
            call: CallId("c".into()),
            tool: "Bash".into(),
            input: forged,
            title: Title::default(),
            turn: TurnId(1),
        };
        let mut line = encode(&record(1, None, body)).unwrap();
        line.pop();
        line.truncate(line.len() - 1);
        assert_eq!(salvage(&line), []);
    }

    #[test]
    fn ids_sort_by_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(new_session(at(1_800_000_000)) < new_session(at(1_800_000_001)));
        assert_ne!(new_id(at(1)), new_id(at(1)));
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>(), seq in any::<u64>()) {
            let wanted = Record { seq, ..record(0, Some("p"), user(&text)) };
            let line = encode(&wanted).unwrap();
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(decode(&line), Some(wanted));
        }

        #[test]
        fn no_bytes_hurt(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            decode(&bytes);
            salvage(&bytes);
        }
    }
}
