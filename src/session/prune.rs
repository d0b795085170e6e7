//! Deletes old sessions and contents that no log names: first a plan, then exactly that plan.
//!
//! *Invariant:* a blob goes only when every log could be read and none of those that stay names
//! it, or when it is a file's earlier content over the size cap. Money is not touched: the ledger
//! stands elsewhere.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use regex::bytes::Regex;

use crate::session::Places;
use crate::session::blobs::is_name;
use crate::session::disk::open_to_read;
use crate::session::index::files::{LogFile, logs};
use crate::session::lines::{End, Lines};
use crate::session::record::MAX_LINE;

/// Younger than this, a blob may be about to be named.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// What is to go. Without a bound nothing but unnamed blobs goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rule {
    /// Sessions not changed since.
    pub before: Option<Timestamp>,
    /// The oldest sessions, until the logs have at most this many bytes.
    pub most: Option<u64>,
    /// The least recently used earlier contents of files, until these have at most this many
    /// bytes.
    pub checkpoints: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Oldest first.
    pub sessions: Vec<Doomed>,
    pub blobs: Vec<Doomed>,
    /// Sessions that are old enough but open.
    pub open: Vec<PathBuf>,
    /// Why no blob goes, where that is so.
    pub blobs_stay: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    pub path: PathBuf,
    /// With the copies put aside beside a log.
    pub bytes: u64,
    pub modified: Timestamp,
}

/// What was deleted, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    pub sessions: usize,
    pub blobs: usize,
    pub bytes: u64,
    pub problems: Vec<String>,
}

impl Plan {
    pub fn bytes(&self) -> u64 {
        self.sessions.iter().chain(&self.blobs).map(|doomed| doomed.bytes).sum()
    }
}

/// Keeps the earlier contents of files within `most` bytes: the least recently used go. Cheap while
/// the whole store is within them; otherwise every log is read.
pub fn keep_within(places: &Places, most: u64, now: Timestamp) -> io::Result<Pruned> {
    let entries = match std::fs::read_dir(&places.blobs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Pruned::default()),
        Err(error) => return Err(error),
    };
    let sizes = entries.flatten().filter_map(|entry| entry.metadata().ok());
    if sizes.map(|meta| meta.len()).sum::<u64>() <= most {
        return Ok(Pruned::default());
    }
    let rule = Rule { checkpoints: Some(most), ..Rule::default() };
    Ok(run(&plan(places, &rule, now)?))
}

/// One log, as it is now.
pub fn doomed(path: &Path) -> io::Result<Doomed> {
    let meta = path.symlink_metadata()?;
    let modified = Timestamp::try_from(meta.modified()?).unwrap_or(Timestamp::MAX);
    Ok(Doomed { path: path.to_owned(), bytes: meta.len(), modified })
}

/// Finds what the rule takes. Changes nothing.
pub fn plan(places: &Places, rule: &Rule, now: Timestamp) -> io::Result<Plan> {
    let mut plan = Plan::default();
    let mut files = logs(places, None)?;
    files.reverse();
    let mut total: u64 = files.iter().map(size_with_copies).sum();
    let mut stay = Vec::new();
    for file in files {
        let modified = time(file.modified);
        let old = rule.before.is_some_and(|before| modified < before);
        let over = rule.most.is_some_and(|most| total > most);
        if !old && !over {
            stay.push(file);
        } else if is_open(&file.path) {
            plan.open.push(file.path.clone());
            stay.push(file);
        } else {
            let bytes = size_with_copies(&file);
            total -= bytes;
            plan.sessions.push(Doomed { path: file.path, bytes, modified });
        }
    }
    match named(&stay) {
        Ok(named) => plan.blobs = unnamed(places, &named, rule, now)?,
        Err(error) => plan.blobs_stay = Some(error),
    }
    Ok(plan)
}

/// Deletes what the plan lists, but for what has changed since.
pub fn run(plan: &Plan) -> Pruned {
    let mut pruned = Pruned::default();
    for doomed in &plan.sessions {
        let copies = copies(&doomed.path);
        match is_same(doomed).and_then(|()| remove_log(&doomed.path)) {
            Ok(()) => {
                pruned.sessions += 1;
                pruned.bytes += doomed.bytes;
                for copy in copies {
                    if let Err(error) = std::fs::remove_file(&copy) {
                        pruned.problems.push(format!("{}: {error}", copy.display()));
                    }
                }
            }
            Err(error) => pruned.problems.push(format!("{}: {error}", doomed.path.display())),
        }
    }
    for doomed in &plan.blobs {
        match is_same(doomed).and_then(|()| std::fs::remove_file(&doomed.path)) {
            Ok(()) => {
                pruned.blobs += 1;
                pruned.bytes += doomed.bytes;
            }
            Err(error) => pruned.problems.push(format!("{}: {error}", doomed.path.display())),
        }
    }
    pruned
}

/// The blobs that logs name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    /// Pastes, images: without them a conversation has a hole.
    needed: HashSet<String>,
    /// Earlier contents of files.
    checkpoints: HashSet<String>,
}

/// Reads every log that stays, the copies put aside too.
fn named(stay: &[LogFile]) -> Result<Named, String> {
    let name = Regex::new("\"([0-9a-f]{64})\"").map_err(|error| error.to_string())?;
    let mut named = Named::default();
    for path in
        stay.iter().flat_map(|file| copies(&file.path).into_iter().chain([file.path.clone()]))
    {
        names_in(&path, &name, &mut named)
            .map_err(|error| format!("{} could not be read: {error}", path.display()))?;
    }
    Ok(named)
}

fn names_in(path: &Path, name: &Regex, named: &mut Named) -> io::Result<()> {
    let mut lines =
        Lines::new(BufReader::with_capacity(256 << 10, open_to_read(path)?), 0, MAX_LINE);
    while let Some(line) = lines.next()? {
        if matches!(line.end, End::TooLong { .. }) {
            return Err(io::Error::other(format!("line {} is too long", line.number)));
        }
        let checkpoint = memchr::memmem::find(line.bytes, br#","type":"checkpoint","#).is_some();
        let set = if checkpoint { &mut named.checkpoints } else { &mut named.needed };
        for found in name.captures_iter(line.bytes) {
            set.insert(String::from_utf8_lossy(&found[1]).into_owned());
        }
    }
    Ok(())
}

fn unnamed(places: &Places, named: &Named, rule: &Rule, now: Timestamp) -> io::Result<Vec<Doomed>> {
    let entries = match std::fs::read_dir(&places.blobs) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut going = Vec::new();
    let mut evictable = Vec::new();
    for entry in entries {
        let meta = entry.metadata()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let modified = Timestamp::try_from(meta.modified()?).unwrap_or(now);
        let doomed = Doomed { path: entry.path(), bytes: meta.len(), modified };
        // Names that begin with a dot are contents that were never finished.
        let ours = is_name(&name) || name.starts_with('.');
        if !ours || !meta.is_file() || named.needed.contains(&name) {
            continue;
        }
        if named.checkpoints.contains(&name) {
            evictable.push(doomed);
        } else if modified < now - FRESH {
            going.push(doomed);
        }
    }
    if let Some(most) = rule.checkpoints {
        evictable.sort_by_key(|doomed| doomed.modified);
        let mut total: u64 = evictable.iter().map(|doomed| doomed.bytes).sum();
        for doomed in evictable {
            if total > most {
                total -= doomed.bytes;
                going.push(doomed);
            }
        }
    }
    going.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(going)
}

/// Takes the lock, so that a session that was opened meanwhile stays.
fn remove_log(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.try_lock().map_err(|_| io::Error::other("the session is open"))?;
    std::fs::remove_file(path)
}

fn is_open(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let open = matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock));
    // Closing would not do while a process is being started, which holds a copy.
    file.unlock().ok();
    open
}

fn is_same(doomed: &Doomed) -> io::Result<()> {
    let modified = Timestamp::try_from(doomed.path.symlink_metadata()?.modified()?);
    match modified {
        Ok(modified) if millis(modified) == millis(doomed.modified) => Ok(()),
        _ => Err(io::Error::other("it changed after the plan")),
    }
}

fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// What was put aside beside a log: torn tails, replaced files.
fn copies(log: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else { return Vec::new() };
    let start = format!("{}.", name.to_string_lossy());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let rest = name.to_string_lossy().strip_prefix(&start).map(str::to_owned);
            rest.is_some_and(|rest| {
                ["tail-", "old-", "agent-"].iter().any(|kind| rest.starts_with(kind))
            })
        })
        .map(|entry| entry.path())
        .collect();
    copies.sort();
    copies
}

fn size_with_copies(file: &LogFile) -> u64 {
    let copies: u64 =
        copies(&file.path).iter().filter_map(|c| c.symlink_metadata().ok()).map(|m| m.len()).sum();
    file.size + copies
}

fn time(nanos: u64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MessageId;
    use crate::session::blobs::Blobs;
    use crate::session::checkpoint::{Checkpoint, FileState, Kept, When};
    use crate::session::disk::Disk;
    use crate::session::record::tests::{record, user};
    use crate::session::record::{Body, Record, Shelved, encode};

    struct Home {
        _dir: tempfile::TempDir,
        places: Places,
        blobs: Blobs,
        now: Timestamp,
    }

    fn home() -> Home {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new(&dir.path().join("data"), &dir.path().join("cache"));
        let blobs = Blobs::new(&places.blobs, Disk::default());
        Home { _dir: dir, places, blobs, now: Timestamp::from_second(1_800_000_000).unwrap() }
    }

    impl Home {
        fn log(&self, name: &str, days: i64, records: &[Record]) -> PathBuf {
            let path = self.places.sessions.join("p").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let lines: Vec<Vec<u8>> = records.iter().map(|r| encode(r).unwrap()).collect();
            std::fs::write(&path, lines.concat()).unwrap();
            self.age(&path, days);
            path
        }

        fn blob(&self, text: &str, days: i64) -> String {
            let name = self.blobs.put(text.as_bytes()).unwrap();
            self.age(&self.blobs.path(&name).unwrap(), days);
            name
        }

        fn age(&self, path: &Path, days: i64) {
            let time = self.now - SignedDuration::from_hours(24 * days);
            File::open(path).unwrap().set_modified(time.into()).unwrap();
        }

        fn plan(&self, rule: Rule) -> Plan {
            plan(&self.places, &rule, self.now).unwrap()
        }

        fn days(&self, days: i64) -> Option<Timestamp> {
            Some(self.now - SignedDuration::from_hours(24 * days))
        }
    }

    fn paste(blob: &str) -> Record {
        let shelf = Shelved { part: 0, blob: blob.into(), bytes: 3, head: String::new() };
        record(0, None, Body::User { parts: vec![], shelved: vec![shelf] })
    }

    fn checkpoint(blob: &str) -> Record {
        let state = FileState::File { blob: blob.into(), bytes: 3, mode: None };
        let files = vec![Kept { path: "/p/a".into(), state }];
        let body =
            Body::Checkpoint(Checkpoint { when: When::Before, call: None, turn: None, files });
        Record { id: MessageId("c".into()), ..record(1, Some("r0"), body) }
    }

    fn names(doomed: &[Doomed]) -> Vec<String> {
        let name = |d: &Doomed| d.path.file_name().unwrap().to_string_lossy().into_owned();
        doomed.iter().map(name).collect()
    }

    #[test]
    fn sessions_go_by_age_and_by_size_oldest_first() {
        let home = home();
        let text = user(&"x".repeat(1000));
        for (name, days) in [("a.jsonl", 30), ("b.jsonl", 20), ("c.jsonl", 1)] {
            home.log(name, days, &[record(0, None, text.clone())]);
        }
        assert_eq!(home.plan(Rule::default()), Plan::default());
        let by_age = home.plan(Rule { before: home.days(25), ..Rule::default() });
        assert_eq!(names(&by_age.sessions), ["a.jsonl"]);
        let by_size = home.plan(Rule { most: Some(2000), ..Rule::default() });
        assert_eq!(names(&by_size.sessions), ["a.jsonl", "b.jsonl"]);
        let bytes = by_size.bytes();
        let pruned = run(&by_size);
        assert_eq!(pruned, Pruned { sessions: 2, blobs: 0, bytes, problems: vec![] });
        assert_eq!(logs(&home.places, None).unwrap().len(), 1);
    }

    #[test]
    fn open_and_changed_sessions_stay() {
        let home = home();
        let open = home.log("open.jsonl", 30, &[record(0, None, user("x"))]);
        let changed = home.log("changed.jsonl", 30, &[record(0, None, user("x"))]);
        let lock = File::open(&open).unwrap();
        lock.try_lock().unwrap();
        let plan = home.plan(Rule { before: home.days(10), ..Rule::default() });
        assert_eq!(
            (names(&plan.sessions), plan.open.clone()),
            (vec!["changed.jsonl".into()], vec![open])
        );
        home.age(&changed, 0);
        let pruned = run(&plan);
        assert_eq!((pruned.sessions, pruned.problems.len()), (0, 1));
        assert!(changed.exists());
    }

    #[test]
    fn a_blob_goes_when_no_log_that_stays_names_it() {
        let home = home();
        let [old, shared, fresh, file] =
            [("old", 30), ("shared", 30), ("fresh", 0), ("file", 30)].map(|(t, d)| home.blob(t, d));
        home.log("old.jsonl", 30, &[paste(&old), paste(&shared)]);
        let log = home.log("new.jsonl", 1, &[paste(&shared), checkpoint(&file)]);
        let nothing = home.plan(Rule::default());
        assert_eq!(nothing, Plan::default(), "{fresh} may be about to be named");
        let plan = home.plan(Rule { before: home.days(10), ..Rule::default() });
        assert_eq!(names(&plan.blobs), std::slice::from_ref(&old));
        assert_eq!(run(&plan).blobs, 1);
        for (name, there) in [(&old, false), (&shared, true), (&fresh, true), (&file, true)] {
            assert_eq!(home.blobs.get(name).is_ok(), there);
        }
        let evicted = home.plan(Rule { checkpoints: Some(0), ..Rule::default() });
        assert_eq!(names(&evicted.blobs), [file]);
        std::fs::write(log, vec![b'x'; MAX_LINE + 10]).unwrap();
        let unsure = home.plan(Rule::default());
        assert!(unsure.blobs.is_empty() && unsure.blobs_stay.is_some());
    }

    #[test]
    fn the_oldest_file_contents_go_when_there_are_too_many() {
        let home = home();
        let [old, new, paste_] =
            [("old", 9), ("new", 2), ("pasted", 30)].map(|(t, d)| home.blob(t, d));
        let point = |seq: u64, blob: &str| {
            let id = MessageId(format!("c{seq}"));
            Record { id, seq, ..checkpoint(blob) }
        };
        home.log("a.jsonl", 1, &[paste(&paste_), point(1, &old), point(2, &new)]);
        assert_eq!(keep_within(&home.places, 100, home.now).unwrap(), Pruned::default());
        let pruned = keep_within(&home.places, 3, home.now).unwrap();
        assert_eq!((pruned.sessions, pruned.blobs), (0, 1));
        for (name, there) in [(&old, false), (&new, true), (&paste_, true)] {
            assert_eq!(home.blobs.get(name).is_ok(), there, "{name}");
        }
    }

    #[test]
    fn what_was_put_aside_goes_with_its_log_and_names_blobs_while_it_stays() {
        let home = home();
        let old = home.blob("old", 30);
        let log = home.log("a.jsonl", 20, &[record(0, None, user("x"))]);
        let tail = home.log("a.jsonl.tail-1", 20, &[paste(&old)]);
        assert!(home.plan(Rule::default()).blobs.is_empty());
        let plan = home.plan(Rule { before: home.days(10), ..Rule::default() });
        assert_eq!(names(&plan.blobs), [old]);
        run(&plan);
        assert!(!log.exists() && !tail.exists());
    }
}
