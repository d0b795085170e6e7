//! What is known of each log, and where its searchable text stands: one appended line each time a
//! log was looked at, the last one counts.
//!
//! The first line names the pack of texts that the rows speak of; a rebuilt index has a new pack,
//! so that rows and texts of different ages never meet.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::session::Places;
use crate::session::disk::{Disk, open_to_read};
use crate::session::index::files::LogFile;
use crate::session::index::summary::Tally;

/// Format of rows and texts; another one is rebuilt.
const FORMAT: u32 = 1;

/// One log as it was when it was looked at. `name` stands first, see [`Catalog::load_some`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub name: String,
    pub size: u64,
    pub modified: u64,
    /// Bytes of the log that were read.
    pub covered: u64,
    pub tally: Tally,
    /// Offset and length in the pack.
    pub texts: Vec<(u64, u64)>,
}

impl Row {
    pub(crate) fn is_of(&self, file: &LogFile) -> bool {
        (self.size, self.modified) == (file.size, file.modified)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub pack: String,
    pub rows: HashMap<String, Row>,
    /// Lines in the file, replaced ones too.
    pub lines: usize,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    pack: String,
}

impl Catalog {
    /// Empty where there is none, or one of another format.
    pub(crate) fn load(places: &Places) -> Catalog {
        Catalog::load_some(places, |_| true)
    }

    /// Reads only the rows of these logs: a page of a list need not parse thousands of rows.
    pub(crate) fn load_some(places: &Places, wanted: impl Fn(&str) -> bool) -> Catalog {
        let mut bytes = Vec::new();
        let read = open_to_read(&path(places)).and_then(|mut file| file.read_to_end(&mut bytes));
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let head = lines.next().and_then(|line| serde_json::from_slice::<Head>(line).ok());
        let Some(head) = head.filter(|head| read.is_ok() && head.format == FORMAT) else {
            return Catalog::default();
        };
        let mut catalog = Catalog { pack: head.pack, ..Catalog::default() };
        for line in lines {
            catalog.lines += 1;
            if !name_of(line).is_some_and(&wanted) {
                continue;
            }
            if let Ok(row) = serde_json::from_slice::<Row>(line) {
                catalog.rows.insert(row.name.clone(), row);
            }
        }
        catalog
    }

    /// Where the texts of these rows stand.
    pub(crate) fn pack_path(&self, places: &Places) -> PathBuf {
        places.index.join(&self.pack)
    }

    /// Bytes of the pack that rows speak of.
    pub(crate) fn live(&self) -> u64 {
        self.rows.values().flat_map(|row| &row.texts).map(|(_, len)| len).sum()
    }

    /// Adds rows to the file.
    pub(crate) fn append(
        &mut self,
        places: &Places,
        disk: &Disk,
        rows: Vec<Row>,
    ) -> io::Result<()> {
        let file = disk.open(&path(places))?;
        disk.write_all(&file, &encode(&rows)?)?;
        self.lines += rows.len();
        self.rows.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
        Ok(())
    }

    /// Writes the file anew with the rows it has.
    pub(crate) fn rewrite(&mut self, places: &Places, disk: &Disk) -> io::Result<()> {
        let head = Head { format: FORMAT, pack: self.pack.clone() };
        let mut bytes = serde_json::to_vec(&head)?;
        bytes.push(b'\n');
        let rows: Vec<Row> = self.rows.values().cloned().collect();
        bytes.extend(encode(&rows)?);
        let new = places.index.join("catalog.new");
        std::fs::remove_file(&new).ok();
        let file = disk.create(&new)?;
        disk.write_all(&file, &bytes)?;
        disk.rename(&new, &path(places))?;
        self.lines = rows.len();
        Ok(())
    }
}

/// The one writer of the index; `None` while another process is.
pub(crate) fn lock(places: &Places, disk: &Disk) -> io::Result<Option<File>> {
    disk.make_dir(&places.index)?;
    let path = places.index.join("lock");
    let file = match disk.create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => disk.open(&path)?,
        other => other?,
    };
    Ok(file.try_lock().is_ok().then_some(file))
}

fn path(places: &Places) -> PathBuf {
    places.index.join("catalog.jsonl")
}

fn encode(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, row)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The name that a row begins with, unparsed. Names are made by tern and need no escapes; one
/// that does is not found and its log is looked at again.
fn name_of(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(br#"{"name":""#)?;
    let end = memchr::memchr(b'"', rest)?;
    std::str::from_utf8(&rest[..end]).ok()
}
