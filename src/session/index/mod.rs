//! The list of sessions and the search in them.
//!
//! Both work on an index of plain files that can be deleted at any time: a catalog (one row a log,
//! keyed by name, size and time of change) and a pack (the searchable text of all logs). Logs only
//! grow, so bringing it up to date reads what is new.

mod catalog;
mod extract;
pub(super) mod files;
mod output;
mod query;
mod refresh;
mod search;
mod snippet;
mod summary;

use std::collections::HashSet;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use output::{OutputHit, search_output};
pub use refresh::{Refreshed, refresh};
pub use search::{Found, Hit, search};
pub use snippet::Snippet;
pub use summary::Summary;

use crate::session::Places;
use crate::session::disk::open_to_read;
use crate::session::index::catalog::{Catalog, Row};
use crate::session::index::files::{LogFile, logs};
use crate::session::lines::Lines;
use crate::session::record::{self, MAX_LINE};

/// Bytes that a log may have gained since it was indexed for its summary to be counted on.
const GAINED: u64 = 4 << 20;

/// Shortest beginning of a session's name that counts as one.
const SHORTEST_ID: usize = 4;

/// Which sessions a list shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// Of the project with this folder.
    pub project: Option<PathBuf>,
    pub branch: Option<String>,
    /// Changed since.
    pub since: Option<Timestamp>,
    /// All of these words are in the title.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Sessions before this one are left out.
    pub from: usize,
    pub count: usize,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The last changed first.
    pub sessions: Vec<Summary>,
    /// There are others behind this page.
    pub more: bool,
    /// Logs that could not be read, with the reason.
    pub problems: Vec<String>,
}

/// One page of the sessions. Opens no more logs than it has to; those that the index does not know
/// are read in part. A filter that looks into sessions is quick only after a [`refresh`].
pub fn list(places: &Places, filter: &Filter, page: Page) -> io::Result<Listing> {
    let files = logs(places, filter.project.as_deref())?;
    let mut listing = Listing::default();
    let mut skip = page.from;
    let (files, catalog) = if filter.looks_inside() {
        (&files[..], Catalog::load(places))
    } else {
        let files = &files[skip.min(files.len())..];
        skip = 0;
        let shown: HashSet<&str> =
            files.iter().take(page.count).map(|file| file.name.as_str()).collect();
        (files, Catalog::load_some(places, |name| shown.contains(name)))
    };
    for file in files {
        if listing.sessions.len() == page.count && !filter.looks_inside() {
            listing.more = true;
            break;
        }
        match summary_of(file, catalog.rows.get(&file.name)) {
            Err(error) => listing.problems.push(format!("{}: {error}", file.path.display())),
            Ok(summary) if !filter.takes(&summary) => {}
            Ok(_) if skip > 0 => skip -= 1,
            Ok(summary) if listing.sessions.len() < page.count => listing.sessions.push(summary),
            Ok(_) => {
                listing.more = true;
                break;
            }
        }
    }
    Ok(listing)
}

/// The session of this project that was changed last.
pub fn newest(places: &Places, project: &Path) -> io::Result<Option<Summary>> {
    let filter = Filter { project: Some(project.to_owned()), ..Filter::default() };
    Ok(list(places, &filter, Page { from: 0, count: 1 })?.sessions.pop())
}

#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error("no session matches `{0}`")]
    None(String),
    #[error("{} sessions match `{text}`", .sessions.len())]
    Several { text: String, sessions: Vec<Summary> },
    #[error("the sessions could not be listed: {0}")]
    Io(#[from] io::Error),
}

/// The one session that is meant by the beginning of its name, by words of its title, or by words
/// of its text.
pub fn find(places: &Places, text: &str, threads: NonZero<usize>) -> Result<Summary, FindError> {
    let text = text.trim();
    let mut found = by_id(places, text)?;
    if found.is_empty() && !text.is_empty() {
        // Titles of all sessions are wanted: with the index they are known, without it every log
        // would be opened.
        refresh(places, threads)?;
        let filter = Filter { words: text.to_owned(), ..Filter::default() };
        found = list(places, &filter, Page { from: 0, count: 20 })?.sessions;
    }
    if found.is_empty() {
        found =
            search(places, text, 20, threads)?.hits.into_iter().map(|hit| hit.session).collect();
    }
    match found.len() {
        0 => Err(FindError::None(text.to_owned())),
        1 => Ok(found.remove(0)),
        _ => Err(FindError::Several { text: text.to_owned(), sessions: found }),
    }
}

fn by_id(places: &Places, text: &str) -> io::Result<Vec<Summary>> {
    if text.len() < SHORTEST_ID {
        return Ok(Vec::new());
    }
    let text = text.to_ascii_lowercase();
    logs(places, None)?
        .iter()
        .filter(|file| file.name.split('/').next_back().is_some_and(|name| name.starts_with(&text)))
        .map(|file| {
            summary_of(file, Catalog::load_some(places, |n| n == file.name).rows.get(&file.name))
        })
        .collect()
}

impl Filter {
    /// Whether it needs more than a log's name.
    pub fn looks_inside(&self) -> bool {
        self.branch.is_some() || self.since.is_some() || !self.words.trim().is_empty()
    }

    fn takes(&self, summary: &Summary) -> bool {
        let title = summary.title.to_lowercase();
        self.branch.as_ref().is_none_or(|branch| summary.branch.as_ref() == Some(branch))
            && self.since.is_none_or(|since| summary.updated >= since)
            && self.words.to_lowercase().split_whitespace().all(|word| title.contains(word))
    }
}

/// From the index where it is up to date or nearly so, otherwise from the log itself.
fn summary_of(file: &LogFile, row: Option<&Row>) -> io::Result<Summary> {
    match row {
        Some(row) if row.is_of(file) => Ok(row.tally.summary(file, true)),
        Some(row) if file.size >= row.covered && file.size - row.covered <= GAINED => {
            let mut tally = row.tally.clone();
            let mut open = open_to_read(&file.path)?;
            open.seek(SeekFrom::Start(row.covered))?;
            let mut lines = Lines::new(BufReader::new(open), row.covered, MAX_LINE);
            while let Some(line) = lines.next()? {
                if let Some(record) = record::decode(line.bytes) {
                    tally.add(&record);
                }
            }
            Ok(tally.summary(file, true))
        }
        _ => summary::quick(file),
    }
}

#[cfg(test)]
mod tests;
