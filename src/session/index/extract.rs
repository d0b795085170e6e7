//! The searchable text of a log: prompts, replies, titles and names of files.
//!
//! An entry is `\x1e KIND ID \x1f TEXT`, the ID of its record included so that a hit leads to its
//! message; neither of the two marks stands in a text.

use std::io::{self, BufReader, Seek, SeekFrom};

use serde_json::Value;

use crate::protocol::Part;
use crate::session::blobs::Blobs;
use crate::session::disk::open_to_read;
use crate::session::index::files::LogFile;
use crate::session::index::summary::{Tally, text_of};
use crate::session::lines::{End, Lines};
use crate::session::record::{self, Body, MAX_LINE, Record};

pub(crate) const ENTRY: u8 = 0x1e;
pub(crate) const TEXT: u8 = 0x1f;

/// Bytes of one message that can be found.
const LONGEST: usize = 64 << 10;

/// Fields of a tool's input that name a file.
const FILES: [&str; 4] = ["file_path", "notebook_path", "path", "pattern"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Title,
    Prompt,
    File,
    Reply,
}

impl Kind {
    const ALL: [(Kind, u8); 4] =
        [(Kind::Title, b't'), (Kind::Prompt, b'p'), (Kind::File, b'f'), (Kind::Reply, b'r')];

    pub(crate) fn letter(self) -> u8 {
        Kind::ALL.into_iter().find(|(kind, _)| *kind == self).map_or(b'r', |(_, letter)| letter)
    }

    pub(crate) fn of(letter: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|(_, l)| *l == letter).map(|(kind, _)| kind)
    }
}

/// What was read of a log.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Extract {
    pub tally: Tally,
    pub text: Vec<u8>,
    /// Bytes of the log up to which it was read: the end of a line.
    pub covered: u64,
}

/// Reads a log from `from` on, counting on from `tally`.
pub(crate) fn extract(
    file: &LogFile,
    from: u64,
    tally: Tally,
    blobs: &Blobs,
) -> io::Result<Extract> {
    let mut open = open_to_read(&file.path)?;
    open.seek(SeekFrom::Start(from))?;
    let mut lines = Lines::new(BufReader::with_capacity(256 << 10, open), from, MAX_LINE);
    let mut extract = Extract { tally, text: Vec::new(), covered: from };
    while let Some(line) = lines.next()? {
        if line.end != End::Newline {
            break;
        }
        extract.covered = line.offset + line.len;
        // Results are most of a log and hold nothing that is looked for here.
        if is_result(line.bytes) {
            continue;
        }
        if let Some(record) = record::decode(line.bytes) {
            extract.tally.add(&record);
            entries(&record, blobs, &mut extract.text);
        }
    }
    Ok(extract)
}

/// Whether a line says near its beginning that it is a result, as every line that tern wrote does.
pub(crate) fn is_result(line: &[u8]) -> bool {
    const MARK: &[u8] = br#","type":"result","#;
    const HEAD: usize = 240;
    memchr::memmem::find(&line[..line.len().min(HEAD)], MARK).is_some()
}

fn entries(record: &Record, blobs: &Blobs, out: &mut Vec<u8>) {
    let mut add = |kind, text: &str| entry(kind, &record.id.0, text, out);
    match &record.body {
        Body::Title { title } => add(Kind::Title, title),
        Body::User { parts, shelved } => {
            parts.iter().filter_map(text_of).for_each(|text| add(Kind::Prompt, text));
            let texts = shelved
                .iter()
                .filter(|shelf| matches!(parts.get(shelf.part), Some(Part::Text { .. })));
            for shelf in texts {
                if let Ok(bytes) = blobs.get(&shelf.blob) {
                    add(Kind::Prompt, &String::from_utf8_lossy(&bytes));
                }
            }
        }
        Body::Assistant { parts, .. } => {
            parts.iter().filter_map(text_of).for_each(|text| add(Kind::Reply, text));
        }
        Body::Call { input, .. } => {
            let names = FILES.iter().filter_map(|field| input.get(field).and_then(Value::as_str));
            names.for_each(|name| add(Kind::File, name));
        }
        Body::Compaction(compaction) => add(Kind::Reply, &compaction.summary),
        _ => {}
    }
}

fn entry(kind: Kind, id: &str, text: &str, out: &mut Vec<u8>) {
    if text.is_empty() || id.bytes().any(|byte| byte == ENTRY || byte == TEXT) {
        return;
    }
    out.extend([ENTRY, kind.letter()]);
    out.extend_from_slice(id.as_bytes());
    out.push(TEXT);
    let end = text.floor_char_boundary(LONGEST.min(text.len()));
    let marks = |byte: &u8| *byte == ENTRY || *byte == TEXT;
    out.extend(text[..end].bytes().map(|byte| if marks(&byte) { b' ' } else { byte }));
}
