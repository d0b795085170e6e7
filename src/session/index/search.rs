//! Ranked full-text search over prompts, replies, titles and names of files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZero;
use std::ops::Range;

use serde::Serialize;

use crate::protocol::MessageId;
use crate::session::Places;
use crate::session::disk::open_to_read;
use crate::session::index::catalog::Row;
use crate::session::index::extract::{ENTRY, Kind, TEXT};
use crate::session::index::files::{LogFile, logs};
use crate::session::index::query::Query;
use crate::session::index::refresh::{Refreshed, refresh_files};
use crate::session::index::snippet::{Snippet, snippet};
use crate::session::index::summary::Summary;
use crate::session::record::RecordId;

/// Occurrences of one word that are looked at in one session.
const COUNTED: usize = 64;

/// A session in which everything was found that was looked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    pub session: Summary,
    /// The message that fits best.
    pub record: RecordId,
    pub kind: &'static str,
    pub snippet: Snippet,
    /// Higher is better; means something only within one search.
    pub score: f64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Sessions that have everything, those beyond the limit too.
    pub matching: usize,
    pub refreshed: Refreshed,
}

/// The best `limit` sessions. Brings the index up to date first, which after the first time is
/// quick. No words find nothing.
pub fn search(
    places: &Places,
    words: &str,
    limit: usize,
    threads: NonZero<usize>,
) -> io::Result<Found> {
    let Some(query) = Query::parse(words) else { return Ok(Found::default()) };
    match search_once(places, &query, limit, threads) {
        // Another process began a new pack between our look at the catalog and at the pack.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            search_once(places, &query, limit, threads)
        }
        other => other,
    }
}

fn search_once(
    places: &Places,
    query: &Query,
    limit: usize,
    threads: NonZero<usize>,
) -> io::Result<Found> {
    let files = logs(places, None)?;
    // Nothing to search, so nothing to make an index for.
    if files.is_empty() {
        return Ok(Found::default());
    }
    let (catalog, refreshed) = refresh_files(places, &files, threads)?;
    let mut work: Vec<(&LogFile, &Row)> = files
        .iter()
        .filter_map(|file| Some((file, catalog.rows.get(&file.name)?)))
        .filter(|(_, row)| !row.texts.is_empty())
        .collect();
    // In the order of the pack, so that it is read from its beginning to its end.
    work.sort_by_key(|(_, row)| row.texts.first().copied());
    let pack = catalog.pack_path(places);
    let share = work.len().div_ceil(threads.get()).max(1);
    let parts: Vec<io::Result<Vec<Candidate<'_>>>> = std::thread::scope(|scope| {
        let running: Vec<_> = work
            .chunks(share)
            .map(|chunk| scope.spawn(|| scan(chunk, open_to_read(&pack)?, query)))
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| Err(io::Error::other("a search failed")))
            })
            .collect()
    });
    let mut candidates = Vec::new();
    for part in parts {
        candidates.extend(part?);
    }
    let mut ranked = rank(candidates, work.len(), query);
    let matching = ranked.len();
    ranked.truncate(limit);
    let hits = ranked.into_iter().map(|(score, found)| found.hit(score)).collect();
    Ok(Found { hits, matching, refreshed })
}

/// A session that has every word.
struct Candidate<'a> {
    file: &'a LogFile,
    row: &'a Row,
    /// Weighted occurrences, a number a word.
    weights: Vec<f64>,
    /// Share of the words that stand in the best message, 0 to 1.
    together: f64,
    best: Best,
}

struct Best {
    record: RecordId,
    kind: Kind,
    snippet: Snippet,
}

impl Candidate<'_> {
    fn hit(self, score: f64) -> Hit {
        let kind = match self.best.kind {
            Kind::Title => "title",
            Kind::Prompt => "prompt",
            Kind::File => "file",
            Kind::Reply => "reply",
        };
        let session = self.row.tally.summary(self.file, true);
        Hit { session, record: self.best.record, kind, snippet: self.best.snippet, score }
    }
}

fn scan<'a>(
    work: &[(&'a LogFile, &'a Row)],
    mut pack: File,
    query: &Query,
) -> io::Result<Vec<Candidate<'a>>> {
    let mut found = Vec::new();
    let mut text = Vec::new();
    for (file, row) in work {
        text.clear();
        for (offset, len) in &row.texts {
            pack.seek(SeekFrom::Start(*offset))?;
            (&pack).take(*len).read_to_end(&mut text)?;
        }
        found.extend(candidate(file, row, &text, query));
    }
    Ok(found)
}

fn candidate<'a>(
    file: &'a LogFile,
    row: &'a Row,
    text: &[u8],
    query: &Query,
) -> Option<Candidate<'a>> {
    if !query.words.iter().all(|word| word.is_in(text)) {
        return None;
    }
    let mut weights = Vec::new();
    let mut entries: HashMap<usize, (u32, f64)> = HashMap::new();
    for (number, word) in query.words.iter().enumerate() {
        let mut weight = 0.0;
        let mut counted = 0;
        for at in word.find_iter(text) {
            let Some(entry) = Entry::around(text, &at) else { continue };
            let worth = kind_weight(entry.kind) * if is_whole_word(text, &at) { 2.0 } else { 1.0 };
            weight += worth;
            let sum = entries.entry(entry.start).or_default();
            sum.0 |= 1 << number;
            sum.1 += worth;
            counted += 1;
            if counted == COUNTED {
                break;
            }
        }
        // A word that stands only in the names of records is not there.
        if counted == 0 {
            return None;
        }
        weights.push(weight);
    }
    let (start, (seen, _)) = entries.into_iter().max_by(|a, b| {
        let key = |(start, (seen, sum)): &(usize, (u32, f64))| (seen.count_ones(), *sum, *start);
        key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)
    })?;
    let entry = Entry::at(text, start)?;
    let best = Best {
        record: MessageId(String::from_utf8_lossy(entry.id).into_owned()),
        kind: entry.kind,
        snippet: snippet(&String::from_utf8_lossy(entry.text), query),
    };
    let together = f64::from(seen.count_ones()) / query.words.len() as f64;
    Some(Candidate { file, row, weights, together, best })
}

/// Rare words count for more than common ones, many occurrences for little more than some, words
/// in one message for more than words far apart; of equals the newer one is first.
fn rank<'a>(
    candidates: Vec<Candidate<'a>>,
    sessions: usize,
    query: &Query,
) -> Vec<(f64, Candidate<'a>)> {
    let found = candidates.len().max(1) as f64;
    let rarity = (1.0 + sessions as f64 / found).ln();
    let mut ranked: Vec<(f64, Candidate<'a>)> = candidates
        .into_iter()
        .map(|candidate| {
            let words: f64 = candidate.weights.iter().map(|w| w / (w + 4.0)).sum();
            let share = words / query.words.len() as f64;
            (rarity * share * (0.5 + candidate.together), candidate)
        })
        .collect();
    ranked.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then_with(|| other.file.modified.cmp(&one.file.modified))
    });
    ranked
}

fn kind_weight(kind: Kind) -> f64 {
    match kind {
        Kind::Title => 6.0,
        Kind::Prompt => 3.0,
        Kind::File => 2.0,
        Kind::Reply => 1.0,
    }
}

fn is_whole_word(text: &[u8], at: &Range<usize>) -> bool {
    let letter = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let before = at.start.checked_sub(1).and_then(|before| text.get(before));
    !letter(before) && !letter(text.get(at.end))
}

/// One message of an extract.
struct Entry<'a> {
    start: usize,
    kind: Kind,
    id: &'a [u8],
    text: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The one that begins at `start`.
    fn at(text: &'a [u8], start: usize) -> Option<Entry<'a>> {
        let inside = text.get(start + 1..)?;
        let inside = &inside[..memchr::memchr(ENTRY, inside).unwrap_or(inside.len())];
        let mark = memchr::memchr(TEXT, inside)?;
        let kind = Kind::of(*inside.first()?)?;
        Some(Entry { start, kind, id: inside.get(1..mark)?, text: &inside[mark + 1..] })
    }

    /// The one whose text holds this range; `None` where the range touches its name.
    fn around(text: &'a [u8], at: &Range<usize>) -> Option<Entry<'a>> {
        let start = memchr::memrchr(ENTRY, &text[..at.start])?;
        let mark = start + memchr::memchr(TEXT, &text[start..])?;
        if at.start <= mark {
            return None;
        }
        let kind = Kind::of(*text.get(start + 1)?)?;
        Some(Entry { start, kind, id: &[], text: &[] })
    }
}
