//! A session in one line of a list.

use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::protocol::{Money, Part, SessionId};
use crate::session::disk::open_to_read;
use crate::session::index::files::LogFile;
use crate::session::lines::{End, Lines};
use crate::session::record::{self, Body, MAX_LINE, Record};
use crate::text::clean::{Mode, clean};

/// Characters of a title.
const TITLE: usize = 120;

/// Logs up to this many bytes are read whole for a first answer; of larger ones only this much of
/// the beginning and of the end.
const QUICK: u64 = 128 << 10;

/// What a list shows of a session. Text is one line that is safe to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub session: SessionId,
    pub path: PathBuf,
    /// As given, or the beginning of the first prompt.
    pub title: String,
    /// The project's folder.
    pub cwd: String,
    pub branch: Option<String>,
    /// `PROVIDER/MODEL` at the start.
    pub model: String,
    pub created: Option<Timestamp>,
    pub updated: Timestamp,
    pub prompts: u64,
    /// Of the requests with a known price.
    pub cost: Money,
    /// Requests without one.
    pub unpriced: u64,
    /// Of the log.
    pub bytes: u64,
    /// False where only the ends of a large log were read: `prompts`, `cost` and `unpriced` are
    /// then too small.
    pub whole: bool,
}

/// The same while it is counted up, record by record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tally {
    pub session: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub prompt: String,
    pub cwd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    pub model: String,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub prompts: u64,
    pub cost: Money,
    pub unpriced: u64,
    pub inherited: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, record: &Record) {
        self.created.get_or_insert(record.t);
        self.updated = self.updated.max(Some(record.t));
        match &record.body {
            Body::Session(opening) if self.session.is_none() => {
                self.session = Some(opening.session.clone());
                self.cwd = one_line(&opening.cwd, usize::MAX);
                self.branch = opening.branch.as_deref().map(|branch| one_line(branch, TITLE));
                self.model = one_line(&opening.model, TITLE);
                self.inherited = opening.origin.as_ref().map_or(0, |origin| origin.inherited);
            }
            Body::Title { title } => self.title = Some(one_line(title, TITLE)),
            Body::User { parts, shelved } => {
                self.prompts += 1;
                if self.prompt.is_empty() {
                    let texts = parts.iter().filter_map(text_of);
                    let heads = shelved.iter().map(|shelf| shelf.head.as_str());
                    let lines = texts.chain(heads).map(|text| one_line(text, TITLE));
                    self.prompt =
                        lines.into_iter().find(|line| !line.is_empty()).unwrap_or_default();
                }
            }
            Body::Usage { spend } if self.inherited == 0 || record.seq > self.inherited => {
                match spend.cost {
                    Some(cost) => self.cost += cost,
                    None => self.unpriced += 1,
                }
            }
            _ => {}
        }
    }

    pub(crate) fn summary(&self, file: &LogFile, whole: bool) -> Summary {
        let stem = || file.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let modified = i64::try_from(file.modified / 1_000_000).unwrap_or(i64::MAX);
        let modified = Timestamp::from_millisecond(modified).unwrap_or_default();
        Summary {
            session: self.session.clone().unwrap_or_else(|| SessionId(stem())),
            path: file.path.clone(),
            title: self.title.clone().unwrap_or_else(|| self.prompt.clone()),
            cwd: self.cwd.clone(),
            branch: self.branch.clone(),
            model: self.model.clone(),
            created: self.created,
            updated: self.updated.unwrap_or(modified),
            prompts: self.prompts,
            cost: self.cost,
            unpriced: self.unpriced,
            bytes: file.size,
            whole,
        }
    }
}

/// A summary from the file itself: exact for a small log, from its ends for a large one.
pub(crate) fn quick(file: &LogFile) -> io::Result<Summary> {
    let mut tally = Tally::default();
    if file.size <= 2 * QUICK {
        add_lines(file, 0, file.size, &mut tally)?;
        return Ok(tally.summary(file, true));
    }
    add_lines(file, 0, QUICK, &mut tally)?;
    add_lines(file, file.size - QUICK, file.size, &mut tally)?;
    Ok(tally.summary(file, false))
}

/// Adds the records that begin within a range of the file. Lines that are not whole there are
/// left out.
fn add_lines(file: &LogFile, from: u64, to: u64, tally: &mut Tally) -> io::Result<()> {
    let mut open = open_to_read(&file.path)?;
    open.seek(SeekFrom::Start(from))?;
    let from_file = BufReader::new(io::Read::take(open, to - from));
    let mut lines = Lines::new(from_file, from, MAX_LINE);
    while let Some(line) = lines.next()? {
        let torn = line.end == End::Open && to < file.size;
        if let (false, Some(record)) = (torn, record::decode(line.bytes)) {
            tally.add(&record);
        }
    }
    Ok(())
}

pub(crate) fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text } => Some(text),
        _ => None,
    }
}

/// Text as one line that is safe to show: white space of any kind is one blank.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let text = clean(text, Mode::Prose);
    let mut length = 0;
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = !line.is_empty();
            continue;
        }
        if length >= longest {
            line.push('…');
            break;
        }
        if blank {
            line.push(' ');
            length += 1;
            blank = false;
        }
        line.push(c);
        length += 1;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_one_clean_line() {
        for (text, longest, wanted) in [
            ("  a\n\tb  ", 10, "a b"),
            ("\u{1b}[31mred\u{7}", 10, "red␇"),
            ("abc def", 3, "abc…"),
            ("abc", 3, "abc"),
            ("\u{202e}txt.exe", 10, "txt.exe"),
            ("", 3, ""),
        ] {
            assert_eq!(one_line(text, longest), wanted, "{text:?}");
        }
    }
}
