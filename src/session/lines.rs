//! Lines of a file as bytes, with their places, in bounded memory.

use std::io::{self, BufRead, Read};

/// Buffers larger than this are given back after the line that needed them.
const KEEP: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: R,
    longest: usize,
    offset: u64,
    number: u64,
    buffer: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Without the line end; the first bytes of a line that is too long.
    pub bytes: &'a [u8],
    /// Where it begins in the file.
    pub offset: u64,
    /// Bytes in the file, line end included.
    pub len: u64,
    /// 1-based.
    pub number: u64,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Newline,
    /// The file ends here without one.
    Open,
    /// Longer than the limit; `terminated` where a line end came at last.
    TooLong {
        terminated: bool,
    },
}

impl<R: BufRead> Lines<R> {
    /// `offset` is the place of `from` in the file. Lines of more than `longest` bytes are cut.
    pub(crate) fn new(from: R, offset: u64, longest: usize) -> Lines<R> {
        Lines { from, longest, offset, number: 0, buffer: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        if self.buffer.capacity() > KEEP {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        let limit = self.longest as u64 + 1;
        let mut len = (&mut self.from).take(limit).read_until(b'\n', &mut self.buffer)? as u64;
        if len == 0 {
            return Ok(None);
        }
        let end = if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
            End::Newline
        } else if len < limit {
            End::Open
        } else {
            let (skipped, terminated) = skip_line(&mut self.from)?;
            len += skipped;
            End::TooLong { terminated }
        };
        let offset = self.offset;
        self.offset += len;
        self.number += 1;
        Ok(Some(Line { bytes: &self.buffer, offset, len, number: self.number, end }))
    }
}

/// Reads past the next line end, keeping nothing.
fn skip_line(from: &mut impl BufRead) -> io::Result<(u64, bool)> {
    let mut skipped = 0;
    loop {
        let chunk = match from.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok((skipped, false));
        }
        let (take, found) = match memchr::memchr(b'\n', chunk) {
            Some(at) => (at + 1, true),
            None => (chunk.len(), false),
        };
        from.consume(take);
        skipped += take as u64;
        if found {
            return Ok((skipped, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, longest: usize) -> Vec<(String, u64, u64, End)> {
        let mut lines = Lines::new(io::BufReader::with_capacity(3, text.as_bytes()), 100, longest);
        let mut out = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let bytes = String::from_utf8(line.bytes.to_vec()).unwrap();
            out.push((bytes, line.offset, line.len, line.end));
        }
        out
    }

    #[test]
    fn lines_know_their_places() {
        let long = |terminated| End::TooLong { terminated };
        assert_eq!(all("", 9), []);
        assert_eq!(
            all("ab\n\nabc\nx", 2),
            [
                ("ab".into(), 100, 3, End::Newline),
                (String::new(), 103, 1, End::Newline),
                ("abc".into(), 104, 4, long(true)),
                ("x".into(), 108, 1, End::Open)
            ]
        );
        assert_eq!(all("abcdefgh", 2), [("abc".into(), 100, 8, long(false))]);
    }
}
