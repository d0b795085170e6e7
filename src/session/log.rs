//! Appends to a session's log.
//!
//! A record is one `write(2)` on an `O_APPEND` descriptor and counts once that has returned. A
//! record that could not be written is kept in memory, in order, and tried again with the next
//! one; the caller is told each time. Nothing that was written is written again, with two
//! exceptions: an unfinished record at the end is copied aside and cut, and a file that another
//! program cut or replaced is put aside and begun anew.
//!
//! The file comes into being with the first record of a conversation: a session that was only
//! looked at leaves no trace.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::protocol::SessionId;
use crate::session::blobs::Blobs;
use crate::session::disk::Disk;
use crate::session::read::{self, Damage, Loaded};
use crate::session::record::{self, Body, MAX_LINE, Opening, Record, RecordId, VERSION, new_id};
use crate::session::redact::Secrets;
use crate::session::seal;
use crate::session::shelve::shelve;
use crate::session::writer::{self, Writer};

pub use crate::session::writer::{LogError, LogErrorKind};

/// What a log writes with.
#[derive(Debug, Clone)]
pub struct Tools {
    pub disk: Disk,
    pub blobs: Blobs,
    /// Never written.
    pub secrets: Secrets,
    /// Each line gets a checksum.
    pub checksums: bool,
}

impl Tools {
    /// `blobs`: the folder of the contents.
    pub fn new(disk: Disk, blobs: &Path, secrets: Secrets) -> Tools {
        Tools { blobs: Blobs::new(blobs, disk.clone()), disk, secrets, checksums: false }
    }
}

/// One session's log. There is one writer of a log on the machine: the file is locked.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    session: SessionId,
    tools: Tools,
    head: Option<RecordId>,
    next_seq: u64,
    writer: Option<Writer>,
    /// Lines that are not in the file yet, oldest first.
    held: VecDeque<Vec<u8>>,
    /// Whether the session deserves a file.
    begun: bool,
}

/// A record's name, and what went wrong. Without a problem it is in the file.
#[derive(Debug)]
#[must_use]
pub struct Appended {
    pub id: RecordId,
    pub problem: Option<LogError>,
}

/// An existing log that no one else can write to, and that has not been read.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    tools: Tools,
    writer: Writer,
}

impl Locked {
    pub fn take(path: &Path, tools: Tools) -> Result<Locked, OpenError> {
        let writer = Writer::open(path, &tools.disk)?.ok_or(OpenError::Locked)?;
        Ok(Locked { path: path.to_owned(), tools, writer })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it, and mends its end so that the next record begins a line.
    pub fn read(self) -> Result<(Log, Loaded, Damage), OpenError> {
        let Locked { path, tools, mut writer } = self;
        let (loaded, mut damage) = read::load(&path)?;
        damage.tail = writer.mend(loaded.end)?;
        let log = Log {
            path,
            session: loaded.session.clone(),
            tools,
            head: loaded.head().cloned(),
            next_seq: loaded.next_seq(),
            writer: Some(writer),
            held: VecDeque::new(),
            begun: true,
        };
        Ok((log, loaded, damage))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another tern has this session open")]
    Locked,
    #[error(transparent)]
    Read(#[from] read::ReadError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Log {
    /// A log for a new session. Touches no file.
    pub fn create(path: PathBuf, opening: Opening, tools: Tools, now: Timestamp) -> Log {
        let mut log = Log {
            path,
            session: opening.session.clone(),
            tools,
            head: None,
            next_seq: 0,
            writer: None,
            held: VecDeque::new(),
            begun: false,
        };
        // Nothing is written before the first message, so nothing can fail here.
        let _ = log.append(Body::Session(opening), now);
        log
    }

    /// Takes up an existing log.
    pub fn open(path: &Path, tools: Tools) -> Result<(Log, Loaded, Damage), OpenError> {
        Locked::take(path, tools)?.read()
    }

    pub fn append(&mut self, body: Body, now: Timestamp) -> Appended {
        self.append_as(new_id(now), body, now)
    }

    /// Appends a record under a name that was given out before.
    pub fn append_as(&mut self, id: RecordId, body: Body, now: Timestamp) -> Appended {
        let parent = match &body {
            Body::Rewind(rewind) if rewind.scope.conversation() => Some(rewind.to.clone()),
            _ => self.head.clone(),
        };
        self.begun |= body.is_conversation();
        let body = shelve(self.cleaned(body), &self.tools.blobs);
        let record =
            Record { v: VERSION, seq: self.next_seq, id: id.clone(), parent, t: now, body };
        let line = match self.line(&record) {
            Ok(line) => line,
            Err(problem) => return Appended { id, problem: Some(problem) },
        };
        self.next_seq += 1;
        self.head = Some(id.clone());
        self.held.push_back(line);
        Appended { id, problem: self.flush().err() }
    }

    /// Waits until everything appended so far would survive a power cut.
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.flush()?;
        match &mut self.writer {
            Some(writer) => writer.sync(),
            None => Ok(()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The record that the next one follows.
    pub fn head(&self) -> Option<&RecordId> {
        self.head.as_ref()
    }

    /// Records in memory that the disk has not taken. Those of a session without a message do not
    /// count: they are not meant to be written.
    pub fn unwritten(&self) -> usize {
        if self.begun { self.held.len() } else { 0 }
    }

    pub fn blobs(&self) -> &Blobs {
        &self.tools.blobs
    }

    /// Keys go before a part can move to the blob store.
    fn cleaned(&self, body: Body) -> Body {
        let Body::User { mut parts, shelved } = body else { return body };
        for part in &mut parts {
            if let crate::protocol::Part::Text { text } = part {
                *text = self.tools.secrets.clean(text).into_owned();
            }
        }
        Body::User { parts, shelved }
    }

    fn line(&self, record: &Record) -> Result<Vec<u8>, LogError> {
        let mut line =
            record::encode(record).map_err(|error| writer::unwritable(&error.to_string()))?;
        if self.tools.secrets.touches(&line) {
            let mut value = serde_json::to_value(&record.body)
                .map_err(|error| writer::unwritable(&error.to_string()))?;
            self.tools.secrets.clean_value(&mut value);
            // A key that is also a word of the format would make the line unreadable.
            let body = serde_json::from_value(value)
                .map_err(|_| writer::unwritable("a key in it cannot be taken out"))?;
            line = record::encode(&Record { body, ..record.clone() })
                .map_err(|error| writer::unwritable(&error.to_string()))?;
        }
        if self.tools.checksums {
            seal::seal(&mut line);
        }
        if line.len() > MAX_LINE {
            return Err(writer::unwritable(&format!("it is longer than {MAX_LINE} bytes")));
        }
        Ok(line)
    }

    fn flush(&mut self) -> Result<(), LogError> {
        if !self.begun {
            return Ok(());
        }
        while let Some(line) = self.held.front() {
            let writer = match &mut self.writer {
                Some(writer) => writer,
                none => none.insert(
                    Writer::create(&self.path, &self.tools.disk)
                        .map_err(|error| error.holding(self.held.len()))?,
                ),
            };
            writer.append(line).map_err(|error| error.holding(self.held.len()))?;
            self.held.pop_front();
        }
        match &mut self.writer {
            Some(writer) => writer.take_notice().map_or(Ok(()), Err),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Mode, Part};
    use crate::session::disk::{Fault, Op, Plan};
    use crate::session::record::new_session;
    use rustix::io::Errno;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn opening() -> Opening {
        Opening {
            session: new_session(now()),
            cwd: "/p".into(),
            model: "demo/demo".into(),
            mode: Mode::Default,
            branch: None,
            tern: "0".into(),
            origin: None,
        }
    }

    fn user(text: &str) -> Body {
        Body::user(vec![Part::Text { text: text.into() }])
    }

    struct Fixture {
        dir: tempfile::TempDir,
        log: Log,
    }

    fn fixture(disk: Disk, secrets: Secrets) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(dir.path().join("blobs"), Disk::default());
        let path = dir.path().join("sessions/p/s.jsonl");
        let tools = Tools { disk, blobs, secrets, checksums: false };
        let log = Log::create(path, opening(), tools, now());
        Fixture { dir, log }
    }

    fn tools(fixture: &Fixture) -> Tools {
        fixture.log.tools.clone()
    }

    /// The texts of user records and the kinds of the others, as the file has them.
    fn read(path: &Path) -> (Vec<String>, Damage) {
        let (loaded, damage) = read::load(path).unwrap();
        let texts = loaded
            .records()
            .map(|record| match record.body {
                Body::User { parts, .. } => match &parts[..] {
                    [Part::Text { text }] => text.clone(),
                    other => format!("{other:?}"),
                },
                body => body.kind().to_owned(),
            })
            .collect();
        (texts, damage)
    }

    fn error(errno: Errno) -> Fault {
        Fault::Error(errno.raw_os_error())
    }

    #[test]
    fn nothing_is_written_before_the_first_message() {
        let Fixture { dir, mut log } = fixture(Disk::default(), Secrets::default());
        assert!(log.append(Body::Mode { mode: Mode::Plan }, now()).problem.is_none());
        log.sync().unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(log.unwritten(), 0);
        assert!(log.append(user("hi"), now()).problem.is_none());
        assert_eq!(
            read(log.path()),
            (vec!["session".into(), "mode".into(), "hi".into()], Damage::default())
        );
    }

    #[test]
    fn a_second_writer_is_turned_away_and_a_later_one_goes_on() {
        let mut first = fixture(Disk::default(), Secrets::default());
        assert!(first.log.append(user("one"), now()).problem.is_none());
        let path = first.log.path().to_owned();
        let tools = tools(&first);
        assert!(matches!(Log::open(&path, tools.clone()), Err(OpenError::Locked)));
        let Fixture { dir: _dir, log } = first;
        drop(log);
        let (mut second, loaded, damage) = Log::open(&path, tools).unwrap();
        assert!(damage.is_none());
        assert_eq!(loaded.branch.len(), 2);
        assert!(second.append(user("two"), now()).problem.is_none());
        assert_eq!(
            read(&path),
            (vec!["session".into(), "one".into(), "two".into()], Damage::default())
        );
    }

    #[test]
    fn what_the_disk_does_not_take_is_kept_and_told_and_written_later() {
        for (op, fault) in [
            (Op::Write, error(Errno::NOSPC)),
            (Op::Write, Fault::Short(20)),
            (Op::Write, Fault::Short(0)),
            (Op::Write, error(Errno::IO)),
            (Op::Open, error(Errno::MFILE)),
            (Op::MakeDir, error(Errno::ROFS)),
            (Op::Stat, error(Errno::IO)),
        ] {
            let plan = Plan { op: Some(op), from: 0, count: 3, fault };
            let Fixture { dir: _dir, mut log } = fixture(Disk::faulty(plan), Secrets::default());
            for n in 1..=3 {
                let problem = log.append(user(&format!("m{n}")), now()).problem.unwrap();
                assert_eq!(problem.kind, LogErrorKind::Held, "{op:?} {fault:?}");
                assert_eq!(log.unwritten(), n + 1);
            }
            assert_eq!(log.append(user("m4"), now()).problem, None);
            assert_eq!(log.unwritten(), 0);
            let wanted = ["session", "m1", "m2", "m3", "m4"].map(String::from).to_vec();
            assert_eq!(read(log.path()), (wanted, Damage::default()), "{op:?} {fault:?}");
        }
    }

    #[test]
    fn a_part_that_cannot_be_cut_becomes_one_bad_line() {
        let mut made = fixture(Disk::default(), Secrets::default());
        assert!(made.log.append(user("one"), now()).problem.is_none());
        let (path, mut tools) = (made.log.path().to_owned(), tools(&made));
        drop(made.log);
        // Opening asks for the file and its size, appending for the size, the write and the cut.
        tools.disk = Disk::faulty(Plan { op: None, from: 3, count: 2, fault: Fault::Torn(9) });
        let (mut log, ..) = Log::open(&path, tools).unwrap();
        assert!(log.append(user("two"), now()).problem.is_some());
        assert_ne!(std::fs::read(&path).unwrap().last(), Some(&b'\n'));
        assert!(log.append(user("three"), now()).problem.is_none());
        let wanted = ["session", "one", "two", "three"].map(String::from).to_vec();
        let damage = Damage { bad: 1, bad_lines: vec![3], ..Damage::default() };
        assert_eq!(read(&path), (wanted, damage));
    }

    #[test]
    fn a_failed_sync_is_never_taken_back() {
        let plan = Plan { op: Some(Op::Sync), from: 1, count: 1, fault: error(Errno::IO) };
        let Fixture { dir: _dir, mut log } = fixture(Disk::faulty(plan), Secrets::default());
        assert!(log.append(user("one"), now()).problem.is_none());
        for _ in 0..2 {
            assert_eq!(log.sync().unwrap_err().kind, LogErrorKind::NotDurable);
        }
        assert!(log.append(user("two"), now()).problem.is_none());
    }

    #[test]
    fn a_file_that_was_cut_deleted_or_replaced_is_written_anew() {
        type Harm = fn(&Path);
        let cut: Harm = |path| {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        };
        let delete: Harm = |path| std::fs::remove_file(path).unwrap();
        let replace: Harm = |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::write(path, "something else").unwrap();
        };
        for (harm, aside) in [(cut, true), (delete, false), (replace, true)] {
            let Fixture { dir, mut log } = fixture(Disk::default(), Secrets::default());
            for text in ["one", "two", "three"] {
                assert!(log.append(user(text), now()).problem.is_none());
            }
            harm(log.path());
            let problem = log.append(user("four"), now()).problem.unwrap();
            assert_eq!(problem.kind, LogErrorKind::Replaced);
            let wanted = ["session", "one", "two", "three", "four"].map(String::from).to_vec();
            assert_eq!(read(log.path()), (wanted, Damage::default()));
            assert_eq!(dir.path().join("sessions/p/s.jsonl.old-1").exists(), aside);
            assert!(log.append(user("five"), now()).problem.is_none());
        }
    }

    #[test]
    fn an_unfinished_record_is_copied_aside_and_cut() {
        let mut made = fixture(Disk::default(), Secrets::default());
        assert!(made.log.append(user("one"), now()).problem.is_none());
        let (path, tools) = (made.log.path().to_owned(), tools(&made));
        drop(made.log);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"v\":1,\"se"].concat()).unwrap();
        let (mut log, _, damage) = Log::open(&path, tools).unwrap();
        let copy = damage.tail.clone().unwrap();
        assert_eq!(damage, Damage { torn: 10, tail: Some(copy.clone()), ..Damage::default() });
        assert_eq!(std::fs::read(copy).unwrap(), b"{\"v\":1,\"se");
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert!(log.append(user("two"), now()).problem.is_none());
        assert_eq!(read(&path).1, Damage::default());
    }

    #[test]
    fn a_whole_record_without_its_line_end_is_kept() {
        let mut made = fixture(Disk::default(), Secrets::default());
        assert!(made.log.append(user("one"), now()).problem.is_none());
        let (path, tools) = (made.log.path().to_owned(), tools(&made));
        drop(made.log);
        let mut whole = std::fs::read(&path).unwrap();
        whole.pop();
        std::fs::write(&path, &whole).unwrap();
        let (mut log, _, damage) = Log::open(&path, tools).unwrap();
        assert_eq!(damage, Damage::default());
        assert!(log.append(user("two"), now()).problem.is_none());
        let wanted = ["session", "one", "two"].map(String::from).to_vec();
        assert_eq!(read(&path), (wanted, Damage::default()));
    }

    #[test]
    fn no_key_reaches_the_disk() {
        let key = "sk-very-secret";
        let Fixture { dir, mut log } =
            fixture(Disk::default(), Secrets::new([key.to_owned(), "quo\"ted\\key".to_owned()]));
        let paste = format!("{}{key}{}", "x".repeat(3000), "y".repeat(3000));
        for body in [
            user(&format!("use {key} please")),
            user(&paste),
            Body::Call {
                call: crate::protocol::CallId("c".into()),
                tool: "Bash".into(),
                input: serde_json::json!({"command": format!("curl -H {key}"), key: "quo\"ted\\key"}),
                title: crate::protocol::Title::new("Running", "Ran", key),
                turn: crate::protocol::TurnId(1),
            },
        ] {
            assert_eq!(log.append(body, now()).problem, None);
        }
        let mut files = 0;
        for folder in ["sessions/p", "blobs"] {
            for entry in std::fs::read_dir(dir.path().join(folder)).unwrap() {
                let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
                assert!(!text.contains(key) && !text.contains("ted\\\\key"), "{text}");
                files += 1;
            }
        }
        assert_eq!(files, 2);
        assert_eq!(read(log.path()).1, Damage::default());
    }

    #[test]
    fn a_rewind_continues_at_its_target() {
        use crate::session::record::{Rewind, RewindScope};
        let Fixture { dir: _dir, mut log } = fixture(Disk::default(), Secrets::default());
        let one = log.append(user("one"), now()).id;
        let two = log.append(user("two"), now()).id;
        let back = Rewind { to: one, from: two.clone(), scope: RewindScope::Both, part: None };
        let back = log.append(Body::Rewind(back), now()).id;
        assert!(log.append(user("other two"), now()).problem.is_none());
        let texts = |log: &Log| read(log.path()).0;
        assert_eq!(texts(&log), ["session", "one", "rewind", "other two"]);
        let forth = Rewind { to: two, from: back, scope: RewindScope::Conversation, part: None };
        assert!(log.append(Body::Rewind(forth), now()).problem.is_none());
        assert_eq!(texts(&log), ["session", "one", "two", "rewind"]);
    }

    #[test]
    fn a_record_that_no_reader_would_keep_is_refused() {
        let Fixture { dir: _dir, mut log } = fixture(Disk::default(), Secrets::default());
        assert!(log.append(user("one"), now()).problem.is_none());
        let huge = Body::assistant(vec![Part::Text { text: "x".repeat(MAX_LINE) }], "demo/demo");
        let problem = log.append(huge, now()).problem.unwrap();
        assert_eq!(problem.kind, LogErrorKind::Unwritable);
        assert_eq!(log.append(user("two"), now()).problem, None);
        let wanted = ["session", "one", "two"].map(String::from).to_vec();
        assert_eq!(read(log.path()), (wanted, Damage::default()));
    }
}
