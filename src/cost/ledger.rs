//! The ledger: one line of JSON for each request, in a file a month, only ever appended to.
//!
//! Lines of several running terns may mix; each is one `write(2)` on an append-only descriptor. A
//! line that was cut, by a full disk for instance, costs that line and no other.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::protocol::{Cause, Money, SessionId, TurnId, Usage};

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub v: u32,
    /// When the answer had come.
    pub t: Timestamp,
    pub session: SessionId,
    /// The project's folder, absolute.
    pub project: String,
    /// `PROVIDER/MODEL`
    pub model: String,
    pub usage: Usage,
    /// `None`: the price is not known.
    pub cost: Option<Money>,
    /// The day from which the price was valid, as `2026-06-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_from: Option<String>,
    pub cause: Cause,
    /// The sub-agent's name; `None`: the conversation itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub turn: TurnId,
    /// The tool whose result this request carried; of several the one with the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What the cache saved against plain input; negative where it was only filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Money>,
    /// Why a part of the prompt that was sent before was not read from the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miss: Option<Miss>,
    /// What that miss cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Money>,
}

/// The version of [`Entry`]'s line; adding a field is not a break.
pub const VERSION: u32 = 1;

/// Why the prompt cache did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Miss {
    /// Another model than the request before.
    Model,
    /// Other tools.
    Tools,
    /// Another system prompt.
    System,
    /// Other settings of thinking, which the messages' part of the cache depends on.
    Thinking,
    /// An earlier message was changed or left out: a compaction, a rewind.
    History,
    /// The cache had expired.
    Expired,
    /// The prefix was the same and fresh: the server has its own reasons.
    Server,
}

impl Miss {
    /// As the cost panel has it.
    pub fn words(self) -> &'static str {
        match self {
            Miss::Model => "model switched",
            Miss::Tools => "tools changed",
            Miss::System => "system prompt changed",
            Miss::Thinking => "thinking changed",
            Miss::History => "history edited",
            Miss::Expired => "cache expired",
            Miss::Server => "not kept by the server",
        }
    }
}

/// Adds one entry to the file of its month (UTC) in `folder`, which is made if it is missing:
/// folder 0700, file 0600, whatever the umask.
pub fn append(folder: &Path, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_string(entry).map_err(io::Error::other)?;
    line.push('\n');
    make_folder(folder)?;
    let path = folder.join(format!("{}.jsonl", entry.t.strftime("%Y-%m")));
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if cut_off(&mut file)? {
        line.insert(0, '\n');
    }
    // One write, so that lines of two programs never interleave.
    let written = file.write(line.as_bytes())?;
    if written == line.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// Whether the last line has no end: somebody's write was cut.
fn cut_off(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What was read, and how much of it could not be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    /// In the order of the files.
    pub entries: Vec<Entry>,
    /// Lines that are no entry.
    pub bad_lines: u64,
}

/// The entries at or after `since` (`None`: all). A folder that is not there is empty.
pub fn read(folder: &Path, since: Option<Timestamp>) -> io::Result<Ledger> {
    let first = since.map(|since| format!("{}.jsonl", since.strftime("%Y-%m")));
    let mut found = Ledger::default();
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if first.as_ref().is_none_or(|first| name >= *first) {
            read_file(&path, since, &mut found)?;
        }
    }
    Ok(found)
}

/// The start of the day that `now` is in.
pub fn start_of_day(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let now_there = now.to_zoned(zone.clone());
    now_there.start_of_day().map_or(now, |start| start.timestamp())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "jsonl") && path.is_file())
        .collect();
    paths.sort();
    Ok(paths)
}

/// A line longer than this is no entry and is skipped without being kept. Bytes.
const LONGEST: u64 = 64 * 1024;

fn read_file(path: &Path, since: Option<Timestamp>, found: &mut Ledger) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
            found.bad_lines += 1;
            reader.skip_until(b'\n')?;
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Entry>(&line) {
            Ok(entry) if since.is_none_or(|since| entry.t >= since) => found.entries.push(entry),
            Ok(_) => {}
            Err(_) => found.bad_lines += 1,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn entry(t: &str, model: &str, cost: Option<i64>) -> Entry {
        Entry {
            v: VERSION,
            t: t.parse().unwrap(),
            session: SessionId("s1".into()),
            project: "/p".into(),
            model: model.into(),
            usage: Usage { input: 10, output: 2, ..Usage::default() },
            cost: cost.map(Money),
            price_from: None,
            cause: Cause::Prompt,
            agent: None,
            turn: TurnId(1),
            tool: None,
            saved: None,
            miss: None,
            lost: None,
        }
    }

    #[test]
    fn what_is_appended_is_read_back_by_date() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data/ledger");
        assert_eq!(read(&folder, None).unwrap(), Ledger::default());
        let full = Entry {
            price_from: Some("2026-06-01".into()),
            cause: Cause::SubAgent,
            agent: Some("explore".into()),
            tool: Some("Read".into()),
            saved: Some(Money(-3)),
            miss: Some(Miss::Expired),
            lost: Some(Money(4)),
            ..entry("2026-02-28T23:59:59.5Z", "a/b", Some(5))
        };
        let plain = entry("2026-03-01T00:00:00Z", "a/b", None);
        append(&folder, &full).unwrap();
        append(&folder, &plain).unwrap();
        let names: Vec<_> =
            files(&folder).unwrap().iter().map(|p| p.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["2026-02.jsonl", "2026-03.jsonl"]);
        for (since, expected) in [
            (None, vec![full.clone(), plain.clone()]),
            (Some("2026-02-01T00:00:00Z"), vec![full, plain.clone()]),
            (Some("2026-03-01T00:00:00Z"), vec![plain]),
            (Some("2026-03-01T00:00:01Z"), vec![]),
        ] {
            let since = since.map(|since| since.parse().unwrap());
            assert_eq!(read(&folder, since).unwrap(), Ledger { entries: expected, bad_lines: 0 });
        }
    }

    #[test]
    fn bad_lines_are_counted_and_cost_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let one = entry("2026-03-01T00:00:00Z", "a/b", Some(1));
        let file = dir.path().join("2026-03.jsonl");
        let line = serde_json::to_string(&one).unwrap();
        let mut text = format!("{line}\nnot json\n\n{{\"v\":1}}\n").into_bytes();
        text.extend(b"\xff\xfe\n");
        text.extend(vec![b'x'; 3 * LONGEST as usize]);
        text.extend(format!("\n{line}\n{}", &line[..40]).into_bytes());
        std::fs::write(&file, text).unwrap();
        // The cut line at the end does not swallow the next one.
        append(dir.path(), &one).unwrap();
        let found = read(dir.path(), None).unwrap();
        assert_eq!((found.entries, found.bad_lines), (vec![one.clone(), one.clone(), one], 5));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it_even_under_an_open_umask() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data/ledger");
        let old = rustix::process::umask(rustix::fs::Mode::empty());
        let done = append(&folder, &entry("2026-03-01T00:00:00Z", "a/b", None));
        rustix::process::umask(old);
        done.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("2026-03.jsonl"))), (0o700, 0o600));
    }

    #[test]
    fn a_day_begins_at_the_persons_midnight() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now: Timestamp = "2026-03-01T23:30:00Z".parse().unwrap();
        assert_eq!(start_of_day(now, &zone), "2026-03-01T22:00:00Z".parse().unwrap());
    }
}
