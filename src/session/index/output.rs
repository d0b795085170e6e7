//! Search in what tools returned: not in the index, so every log is read. Hits come as they are
//! found.

use std::io::{self, BufReader};
use std::ops::ControlFlow;

use crate::session::Places;
use crate::session::disk::open_to_read;
use crate::session::index::extract::is_result;
use crate::session::index::files::{LogFile, logs};
use crate::session::index::query::Query;
use crate::session::index::snippet::{Snippet, snippet};
use crate::session::index::summary::{Summary, quick};
use crate::session::lines::Lines;
use crate::session::record::{self, Body, MAX_LINE, RecordId};

/// A tool's result that has every word.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputHit {
    pub session: Summary,
    pub record: RecordId,
    pub snippet: Snippet,
}

/// Gives each hit to `found`, the newest sessions first, until it says stop.
pub fn search_output(
    places: &Places,
    words: &str,
    mut found: impl FnMut(OutputHit) -> ControlFlow<()>,
) -> io::Result<()> {
    let Some(query) = Query::parse(words) else { return Ok(()) };
    for file in logs(places, None)? {
        // A log that goes away or cannot be read must not end the search in the others.
        if let Ok(ControlFlow::Break(())) = search_log(&file, &query, &mut found) {
            break;
        }
    }
    Ok(())
}

fn search_log(
    file: &LogFile,
    query: &Query,
    found: &mut impl FnMut(OutputHit) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let open = open_to_read(&file.path)?;
    let mut lines = Lines::new(BufReader::with_capacity(256 << 10, open), 0, MAX_LINE);
    while let Some(line) = lines.next()? {
        // Escapes in the line can hide a word but hardly ever do; the text decides.
        if !is_result(line.bytes) || !query.words.iter().all(|word| word.is_in(line.bytes)) {
            continue;
        }
        let Some(record) = record::decode(line.bytes) else { continue };
        let Body::Result { result, .. } = record.body else { continue };
        if !query.words.iter().all(|word| word.is_in(result.text.as_bytes())) {
            continue;
        }
        let snippet = snippet(&result.text, query);
        let hit = OutputHit { session: quick(file)?, record: record.id, snippet };
        if found(hit).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
