//! One page of a file, read in a single pass that keeps no more than the page in memory, counts
//! the lines and hashes the bytes.

use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

/// Bytes of a page; a file up to this size is given whole.
const PAGE: usize = 50 * 1024;
/// Bytes after which a file is no longer counted to its end.
const COUNTED: u64 = 64 * 1024 * 1024;

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    /// From 1.
    pub first: usize,
    /// `None`: as many as a page holds.
    pub lines: Option<usize>,
}

impl Want {
    pub fn is_all(self) -> bool {
        self.first == 1 && self.lines.is_none()
    }

    fn has(self, line: usize) -> bool {
        line >= self.first && self.lines.is_none_or(|n| line - self.first < n)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Without a byte order mark, with `\n` for every line end.
    pub text: String,
    pub first: usize,
    /// The last line in `text`.
    pub last: usize,
    /// Lines of the file, as far as it was read.
    pub total: usize,
    /// The file was read to its end.
    pub counted: bool,
    pub end: End,
    pub crlf: bool,
    pub lossy: bool,
    pub ends_with_newline: bool,
    /// SHA-256 of the whole file, where it was read whole.
    pub hash: Option<String>,
}

/// Why the page ends where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    OfFile,
    /// The lines asked for are all there.
    Asked,
    /// The next line does not fit.
    Full,
    /// Its only line does not fit; the length in bytes.
    LongLine(u64),
}

pub(super) fn read(
    file: &mut impl Read,
    want: Want,
    cancel: &CancellationToken,
) -> io::Result<Page> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut state = State::new(want);
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if chunk.is_empty() {
            return Ok(state.finish(true));
        }
        let len = chunk.len();
        state.take(chunk);
        reader.consume(len);
        let enough = state.read > COUNTED && state.line > want.first && state.full.is_some();
        if enough || cancel.is_cancelled() {
            return Ok(state.finish(false));
        }
    }
}

struct State {
    want: Want,
    bytes: Vec<u8>,
    /// Where the last whole line in `bytes` ends, and its number.
    whole: (usize, usize),
    /// The line being read, from 1, and its length so far.
    line: usize,
    line_len: u64,
    /// The first line that did not fit or was not wanted any more.
    full: Option<End>,
    /// Bytes read of the file.
    read: u64,
    last_byte: u8,
    hash: Sha256,
}

impl State {
    fn new(want: Want) -> State {
        State {
            want,
            bytes: Vec::new(),
            whole: (0, 0),
            line: 1,
            line_len: 0,
            full: None,
            read: 0,
            last_byte: b'\n',
            hash: Sha256::new(),
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.hash.update(chunk);
        self.read += chunk.len() as u64;
        self.last_byte = chunk.last().copied().unwrap_or(self.last_byte);
        for piece in chunk.split_inclusive(|b| *b == b'\n') {
            self.piece(piece);
        }
    }

    /// A part of one line, with its end where it has one.
    fn piece(&mut self, piece: &[u8]) {
        self.line_len += piece.len() as u64;
        if self.want.has(self.line) && self.full.is_none() {
            let room = PAGE - self.bytes.len();
            self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() > room {
                self.full = Some(if self.whole.1 == 0 { End::LongLine(0) } else { End::Full });
            }
        } else if self.line > self.want.first && self.full.is_none() {
            self.full = Some(End::Asked);
        }
        if piece.ends_with(b"\n") {
            if let Some(End::LongLine(length)) = &mut self.full
                && self.line == self.want.first
            {
                *length = self.line_len;
            }
            if self.full.is_none() && self.want.has(self.line) {
                self.whole = (self.bytes.len(), self.line);
            }
            self.line += 1;
            self.line_len = 0;
        }
    }

    fn finish(mut self, counted: bool) -> Page {
        let total = if self.line_len > 0 { self.line } else { self.line - 1 };
        let in_last = self.line_len > 0 && self.want.has(self.line) && self.full.is_none();
        if in_last {
            self.whole = (self.bytes.len(), self.line);
        }
        let end = match self.full {
            None if counted => End::OfFile,
            None => End::Full,
            Some(End::LongLine(0)) => End::LongLine(self.line_len),
            Some(end) => end,
        };
        let (length, last) = match end {
            End::LongLine(_) => (self.bytes.len(), self.want.first),
            _ => self.whole,
        };
        self.bytes.truncate(length);
        let (text, lossy) = match String::from_utf8(self.bytes) {
            Ok(text) => (text, false),
            // The cut through a long line may go through a character.
            Err(e) if matches!(end, End::LongLine(_)) && e.utf8_error().error_len().is_none() => {
                let valid = e.utf8_error().valid_up_to();
                let mut bytes = e.into_bytes();
                bytes.truncate(valid);
                (String::from_utf8(bytes).unwrap_or_default(), false)
            }
            Err(e) => (String::from_utf8_lossy(e.as_bytes()).into_owned(), true),
        };
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) if self.want.first == 1 => rest.to_owned(),
            _ => text,
        };
        let crlf = text.contains("\r\n");
        Page {
            text: if crlf { text.replace("\r\n", "\n") } else { text },
            first: self.want.first,
            last,
            total,
            counted,
            end,
            crlf,
            lossy,
            ends_with_newline: self.last_byte == b'\n',
            hash: counted.then(|| {
                let digest = self.hash.finalize();
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of one size.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(self.0.len()).min(buffer.len());
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn page(bytes: &[u8], first: usize, lines: Option<usize>) -> Page {
        let pages: Vec<Page> = [1, 3, 1 << 20]
            .into_iter()
            .map(|size| {
                let cancel = CancellationToken::new();
                read(&mut Drip(bytes, size), Want { first, lines }, &cancel).unwrap()
            })
            .collect();
        assert!(pages.windows(2).all(|two| two[0] == two[1]), "depends on the pieces");
        pages.into_iter().next().unwrap()
    }

    #[test]
    fn pages_hold_the_lines_asked_for() {
        for (bytes, first, lines, text, last, total, end) in [
            ("", 1, None, "", 0, 0, End::OfFile),
            ("a", 1, None, "a", 1, 1, End::OfFile),
            ("a\nb\n", 1, None, "a\nb\n", 2, 2, End::OfFile),
            ("a\nb\nc", 2, None, "b\nc", 3, 3, End::OfFile),
            ("a\nb\nc", 2, Some(1), "b\n", 2, 3, End::Asked),
            ("a\nb\nc", 3, Some(9), "c", 3, 3, End::OfFile),
            ("a\nb\n", 3, None, "", 0, 2, End::OfFile),
            ("\u{feff}a\r\nb\r\n", 1, None, "a\nb\n", 2, 2, End::OfFile),
        ] {
            let page = page(bytes.as_bytes(), first, lines);
            assert_eq!(
                (page.text.as_str(), page.last, page.total, page.end),
                (text, last, total, end),
                "{bytes:?} {first} {lines:?}"
            );
        }
    }

    #[test]
    fn pages_end_at_a_line_and_join_to_the_whole() {
        let text: String = (0..20_000).map(|n| format!("line {n} é\n")).collect();
        let mut joined = String::new();
        let mut first = 1;
        loop {
            let page = page(text.as_bytes(), first, None);
            assert!(page.text.len() <= PAGE);
            joined += &page.text;
            first = page.last + 1;
            if page.end == End::OfFile {
                break;
            }
            assert_eq!(page.end, End::Full);
        }
        assert!(joined == text);
    }

    #[test]
    fn a_long_line_is_cut_and_measured() {
        let bytes = format!("{}\nb\n", "é".repeat(PAGE));
        let page = page(bytes.as_bytes(), 1, None);
        assert_eq!(page.end, End::LongLine(2 * PAGE as u64 + 1));
        assert_eq!((page.last, page.total, page.lossy), (1, 2, false));
        assert!(page.text.chars().all(|c| c == 'é') && page.text.len() > PAGE - 4);
    }

    #[test]
    fn invalid_utf8_is_shown_and_said() {
        let page = page(b"a\xffb\n", 1, None);
        assert_eq!((page.text.as_str(), page.lossy), ("a\u{fffd}b\n", true));
    }
}
