//! Reads a log: bytes, line by line, whatever state they are in. Never writes.
//!
//! Bodies are read twice, so that a log of any size fits: the first pass keeps the tree and what
//! is small, [`Loaded::record`] fetches a body when it is asked for.
//!
//! *Invariant:* a parent stands before its child in [`Loaded::entries`], so no walk can go round.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use crate::session::damage::Damage;

use crate::protocol::{Detail, SessionId};
use crate::session::disk::open_to_read;
use crate::session::lines::{End, Line, Lines};
use crate::session::record::{self, Body, MAX_LINE, Opening, Record, RecordId};

/// Bytes asked of the file at once.
const CHUNK: usize = 256 << 10;

/// A log as it was when it was read.
#[derive(Debug)]
pub struct Loaded {
    pub path: PathBuf,
    /// From the first record; the file's name where that is lost.
    pub session: SessionId,
    pub opening: Option<Opening>,
    /// Every record, in the order of the file.
    pub entries: Vec<Entry>,
    /// The conversation as it stands, oldest first: indexes into `entries`.
    pub branch: Vec<usize>,
    pub(crate) end: Ending,
    file: File,
}

/// A record's place in the tree and in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: RecordId,
    /// Index of the record it follows; always smaller than its own.
    pub parent: Option<usize>,
    pub seq: u64,
    pub t: Timestamp,
    /// The line's `type`.
    pub kind: &'static str,
    /// The body, where it is small and says something about the session's state.
    pub(crate) state: Option<Box<Body>>,
    offset: u64,
    len: u64,
}

/// How the file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Bytes up to which everything is kept.
    pub good: u64,
    /// Bytes after that: an unfinished record.
    pub torn: u64,
    /// The last record is whole but for its line end.
    pub open: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the session log {path} could not be read: {source}", path = path.display())]
pub struct ReadError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Reads the log at `path`. Damage inside is no error.
pub fn load(path: &Path) -> Result<(Loaded, Damage), ReadError> {
    let error = |source| ReadError { path: path.to_owned(), source };
    let file = open_to_read(path).map_err(error)?;
    if !file.metadata().map_err(error)?.is_file() {
        return Err(error(io::Error::other("it is not a file")));
    }
    let mut pass = Pass::default();
    let mut lines = Lines::new(BufReader::with_capacity(CHUNK, &file), 0, MAX_LINE);
    let mut end = Ending { good: 0, torn: 0, open: false };
    while let Some(line) = lines.next().map_err(error)? {
        end = pass.line(&line, end);
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let session =
        pass.opening.as_ref().map_or_else(|| SessionId(name.into()), |o| o.session.clone());
    let Pass { opening, entries, mut damage, .. } = pass;
    damage.jumps = damage.jumps.saturating_sub(damage.bad);
    damage.torn = end.torn;
    let branch = branch_to(&entries, entries.len().checked_sub(1));
    Ok((Loaded { path: path.to_owned(), session, opening, entries, branch, end, file }, damage))
}

/// The last records of a log, oldest first, from its last `bytes`: a first answer while the whole
/// is read. They may belong to different branches.
pub fn tail(path: &Path, bytes: u64) -> Result<Vec<Record>, ReadError> {
    let error = |source| ReadError { path: path.to_owned(), source };
    let mut file = open_to_read(path).map_err(error)?;
    let size = file.metadata().map_err(error)?.len();
    let from = size.saturating_sub(bytes);
    file.seek(SeekFrom::Start(from)).map_err(error)?;
    let mut lines = Lines::new(BufReader::new(file), from, MAX_LINE);
    let mut records = Vec::new();
    let mut whole = from == 0;
    while let Some(line) = lines.next().map_err(error)? {
        // The first line is most likely the end of one.
        if whole {
            records.extend(record::decode(line.bytes));
        }
        whole = true;
    }
    Ok(records)
}

impl Entry {
    /// The body, where it is small and says something about the session's state.
    pub fn state(&self) -> Option<&Body> {
        self.state.as_deref()
    }
}

impl Loaded {
    /// The record at an index into `entries`, from the file. `None` where the file has changed.
    pub fn record(&self, index: usize) -> Option<Record> {
        let entry = self.entries.get(index)?;
        record::decode(&self.line(index)?).filter(|record| record.id == entry.id)
    }

    /// The records of the branch, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record> + '_ {
        self.branch.iter().filter_map(|index| self.record(*index))
    }

    /// The line of a record as it stands in the file, without its end.
    pub(crate) fn line(&self, index: usize) -> Option<Vec<u8>> {
        let entry = self.entries.get(index)?;
        let mut bytes = vec![0; usize::try_from(entry.len).ok()?];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(entry.offset)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Where in the branch its last so many bytes begin.
    pub fn last_within(&self, bytes: u64) -> usize {
        let mut left = bytes;
        let fits = |index: &&usize| {
            let len = self.entries[**index].len;
            let fits = len <= left;
            left = left.saturating_sub(len);
            fits
        };
        self.branch.len() - self.branch.iter().rev().take_while(fits).count()
    }

    /// Index into `entries`.
    pub fn index_of(&self, id: &RecordId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.id == *id)
    }

    /// What the next record follows.
    pub fn head(&self) -> Option<&RecordId> {
        self.entries.last().map(|entry| &entry.id)
    }

    /// The conversation up to an index into `entries`, oldest first.
    pub fn branch_to(&self, index: usize) -> Vec<usize> {
        branch_to(&self.entries, (index < self.entries.len()).then_some(index))
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.entries.iter().map(|entry| entry.seq).max().map_or(0, |seq| seq.saturating_add(1))
    }
}

fn branch_to(entries: &[Entry], last: Option<usize>) -> Vec<usize> {
    let mut branch: Vec<usize> =
        std::iter::successors(last, |index| entries.get(*index)?.parent).collect();
    branch.reverse();
    branch
}

/// The first pass over a file.
#[derive(Default)]
struct Pass {
    opening: Option<Opening>,
    entries: Vec<Entry>,
    damage: Damage,
    index: HashMap<RecordId, usize>,
    /// Records of another session's log that got in here, and whatever follows them.
    foreign: HashSet<RecordId>,
    /// Records whose parent was not yet seen, to tell a loop from a loss.
    waiting: HashMap<RecordId, u64>,
}

impl Pass {
    fn line(&mut self, line: &Line<'_>, before: Ending) -> Ending {
        let good = line.offset + line.len;
        let whole = Ending { good, torn: 0, open: false };
        let blank = line.bytes.iter().all(u8::is_ascii_whitespace);
        let found = if blank { None } else { record::decode(line.bytes) };
        match (found, line.end) {
            (Some(record), End::Newline) => {
                self.record(record, line.offset, line.bytes.len());
                whole
            }
            (Some(record), End::Open) => {
                self.record(record, line.offset, line.bytes.len());
                Ending { open: true, ..whole }
            }
            (None, End::Newline) if blank => whole,
            (None, End::Newline) => {
                self.salvage(line);
                self.damage.bad_line(line.number);
                whole
            }
            (None, End::Open) => {
                if !self.salvage(line) {
                    return Ending { torn: line.len, ..before };
                }
                // A record that was saved out of the line must not be cut off with it.
                self.damage.bad_line(line.number);
                Ending { open: true, ..whole }
            }
            (_, End::TooLong { terminated }) => {
                self.damage.bad_line(line.number);
                Ending { open: !terminated, ..whole }
            }
        }
    }

    fn salvage(&mut self, line: &Line<'_>) -> bool {
        let salvaged = record::salvage(line.bytes);
        let any = !salvaged.is_empty();
        for (range, record) in salvaged {
            self.record(record, line.offset + range.start as u64, range.len());
        }
        any
    }

    fn record(&mut self, record: Record, offset: u64, len: usize) {
        if self.index.contains_key(&record.id) {
            self.damage.duplicates += 1;
            return;
        }
        if self.is_foreign(&record) {
            self.damage.foreign += 1;
            self.foreign.insert(record.id);
            return;
        }
        let parent = self.parent_of(&record);
        if let Some(orphans) = self.waiting.remove(&record.id) {
            self.damage.orphans -= orphans;
            self.damage.loops += orphans;
        }
        let last = self.entries.last().map(|entry| entry.seq);
        if last.is_some_and(|seq| record.seq > seq.saturating_add(1)) {
            self.damage.jumps += 1;
        }
        if record.body == Body::Unknown {
            self.damage.unknown += 1;
        }
        if let (None, Body::Session(opening)) = (&self.opening, &record.body) {
            self.opening = Some(opening.clone());
        }
        self.index.insert(record.id.clone(), self.entries.len());
        self.entries.push(Entry {
            id: record.id,
            parent,
            seq: record.seq,
            t: record.t,
            kind: record.body.kind(),
            state: is_state(&record.body).then(|| Box::new(record.body)),
            offset,
            len: len as u64,
        });
    }

    fn is_foreign(&self, record: &Record) -> bool {
        let other = match (&record.body, &self.opening) {
            (Body::Session(opening), Some(own)) => opening.session != own.session,
            _ => false,
        };
        other || record.parent.as_ref().is_some_and(|parent| self.foreign.contains(parent))
    }

    /// Where the named parent is not there, the record before is the best guess: but for rewinds
    /// a conversation is one line.
    fn parent_of(&mut self, record: &Record) -> Option<usize> {
        let before = self.entries.len().checked_sub(1);
        let Some(parent) = &record.parent else { return before };
        let found = self.index.get(parent).copied();
        if found.is_none() && *parent == record.id {
            self.damage.loops += 1;
        } else if found.is_none() {
            self.damage.orphans += 1;
            *self.waiting.entry(parent.clone()).or_default() += 1;
        }
        found.or(before)
    }
}

/// Small enough to keep, and wanted for the session's state.
fn is_state(body: &Body) -> bool {
    match body {
        Body::Session(_)
        | Body::Seen { .. }
        | Body::Usage { .. }
        | Body::Mode { .. }
        | Body::Model { .. }
        | Body::Title { .. }
        | Body::Queue { .. }
        | Body::Place { .. }
        | Body::Compaction(_)
        | Body::Window(_)
        | Body::Rewind(_)
        | Body::Checkpoint(_) => true,
        Body::Result { result, .. } => matches!(result.detail, Detail::Todos { .. }),
        Body::Context { .. }
        | Body::User { .. }
        | Body::Assistant { .. }
        | Body::Call { .. }
        | Body::Notice { .. }
        | Body::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{MessageId, Mode};
    use crate::session::record::encode;
    use crate::session::record::tests::{record, user};

    fn opening(session: &str) -> Body {
        Body::Session(Opening {
            session: SessionId(session.into()),
            cwd: "/p".into(),
            model: "demo/demo".into(),
            mode: Mode::Default,
            branch: None,
            tern: String::new(),
            origin: None,
        })
    }

    /// The branch as ids, and the damage, of a file of these pieces.
    fn check(pieces: &[&[u8]]) -> (Vec<String>, Damage) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        std::fs::write(&path, pieces.concat()).unwrap();
        let (loaded, damage) = load(&path).unwrap();
        let read: Vec<RecordId> = loaded.records().map(|record| record.id).collect();
        let branch: Vec<RecordId> =
            loaded.branch.iter().map(|index| loaded.entries[*index].id.clone()).collect();
        assert_eq!(read, branch);
        (branch.into_iter().map(|id| id.0).collect(), damage)
    }

    fn line(seq: u64, parent: Option<&str>) -> Vec<u8> {
        encode(&record(seq, parent, user(&format!("text {seq}")))).unwrap()
    }

    #[test]
    fn a_clean_log_reads_whole() {
        let (ids, damage) = check(&[&line(0, None), &line(1, Some("r0")), &line(2, Some("r1"))]);
        assert_eq!(ids, ["r0", "r1", "r2"]);
        assert_eq!(damage, Damage::default());
    }

    #[test]
    fn an_empty_file_is_an_empty_session() {
        assert_eq!(check(&[]), (vec![], Damage::default()));
        assert_eq!(
            check(&[b"

 
"]),
            (vec![], Damage::default())
        );
    }

    #[test]
    fn a_bad_line_loses_only_itself() {
        for bad in [&b"{\"v\":1,\n"[..], b"\0\0\0\0\n", b"NaN\n", b"\xff\xfe\n", b"[]\n", b"{}\n"] {
            let (ids, damage) = check(&[&line(0, None), bad, &line(2, Some("r1"))]);
            assert_eq!(ids, ["r0", "r2"]);
            let wanted = Damage { bad: 1, bad_lines: vec![2], orphans: 1, ..Damage::default() };
            assert_eq!(damage, wanted, "{bad:?}");
        }
    }

    #[test]
    fn a_rewind_moves_the_branch_and_keeps_the_rest() {
        let (ids, damage) = check(&[
            &line(0, None),
            &line(1, Some("r0")),
            &line(2, Some("r1")),
            &line(3, Some("r0")),
            &line(4, Some("r3")),
        ]);
        assert_eq!(ids, ["r0", "r3", "r4"]);
        assert!(damage.is_none());
    }

    #[test]
    fn wrong_links_are_mended() {
        let loops = check(&[&line(0, Some("r2")), &line(1, Some("r1")), &line(2, Some("r1"))]);
        assert_eq!(loops.0, ["r0", "r1", "r2"]);
        assert_eq!(loops.1, Damage { loops: 2, ..Damage::default() });
        let twice = check(&[&line(0, None), &line(1, Some("r0")), &line(0, None)]);
        assert_eq!(twice.0, ["r0", "r1"]);
        assert_eq!(twice.1, Damage { duplicates: 1, ..Damage::default() });
    }

    #[test]
    fn another_session_is_never_merged() {
        let own = encode(&record(0, None, opening("s"))).unwrap();
        let other = encode(&record(5, None, opening("other"))).unwrap();
        let (ids, damage) = check(&[
            &own,
            &line(1, Some("r0")),
            &other,
            &line(6, Some("r5")),
            &line(7, Some("r6")),
            &line(2, Some("r1")),
        ]);
        assert_eq!(ids, ["r0", "r1", "r2"]);
        assert_eq!(damage, Damage { foreign: 3, ..Damage::default() });
    }

    #[test]
    fn the_end_tells_a_whole_record_from_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let (one, two) = (line(0, None), line(1, Some("r0")));
        let len = one.len() as u64;
        for (cut, wanted) in [
            (two.len(), Ending { good: len + two.len() as u64, torn: 0, open: false }),
            (two.len() - 1, Ending { good: len + two.len() as u64 - 1, torn: 0, open: true }),
            (two.len() - 2, Ending { good: len, torn: two.len() as u64 - 2, open: false }),
            (1, Ending { good: len, torn: 1, open: false }),
            (0, Ending { good: len, torn: 0, open: false }),
        ] {
            std::fs::write(&path, [&one, &two[..cut]].concat()).unwrap();
            assert_eq!(load(&path).unwrap().0.end, wanted, "{cut}");
        }
    }

    #[test]
    fn the_tail_comes_without_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let lines: Vec<Vec<u8>> = (0..50).map(|seq| line(seq, None)).collect();
        std::fs::write(&path, lines.concat()).unwrap();
        let last = tail(&path, 300).unwrap();
        assert!((1..4).contains(&last.len()), "{}", last.len());
        assert_eq!(last.last().map(|record| record.id.clone()), Some(MessageId("r49".into())));
        assert_eq!(tail(&path, 1 << 20).unwrap().len(), 50);
    }
}
