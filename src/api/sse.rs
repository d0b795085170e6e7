//! Server-sent events from bytes, as the WHATWG standard has them, whatever the bytes are and
//! however they are cut.
//!
//! The parsing is `eventsource-stream`'s. It is fed one clean line at a time by [`Lines`], because
//! by itself it panics on a byte order mark, holds back everything after one invalid byte, reads
//! a long line again with every chunk and has no limit on a line's length.
//!
//! Not for the network: bytes go in, [`Item`]s come out, nothing waits.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use eventsource_stream::EventStream;
use futures_util::Stream;

/// Bytes of one event, line ends included. Larger ones end the stream with [`TooLarge`].
pub const MAX_EVENT: usize = 16 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `name` is `message` where the stream gives none.
    Event { name: String, data: String },
    /// A comment line carries nothing, but whoever sends it is alive.
    Comment,
}

/// An event is larger than [`MAX_EVENT`]. The stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {} MiB", MAX_EVENT >> 20)]
pub struct TooLarge;

/// Bytes in, events out.
pub struct Decoder {
    lines: Lines,
    slot: Slot,
    events: EventStream<Slot>,
}

impl Decoder {
    pub fn new() -> Decoder {
        let slot = Slot::default();
        let mut decoder =
            Decoder { lines: Lines::default(), events: EventStream::new(slot.clone()), slot };
        // The parser cuts a byte order mark off the first text it sees, at the wrong place. An
        // empty line first means nothing and leaves it none to see.
        decoder.feed("\n".to_owned(), &mut Vec::new());
        decoder
    }

    /// Appends the events that `bytes` complete. Those before an error are appended as well.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Item>) -> Result<(), TooLarge> {
        let mut lines = std::mem::take(&mut self.lines);
        let result = lines.push(bytes, &mut |line| self.line(line, out));
        self.lines = lines;
        result
    }

    /// The stream has ended. A last event without its empty line counts, as servers forget it.
    pub fn finish(&mut self, out: &mut Vec<Item>) -> Result<(), TooLarge> {
        let mut lines = std::mem::take(&mut self.lines);
        let result = lines.finish(&mut |line| self.line(line, out));
        self.lines = lines;
        result
    }

    /// How many bytes were looked at so far, counting each look. At most three for each byte.
    pub fn scanned(&self) -> u64 {
        self.lines.scanned
    }

    fn line(&mut self, line: Line<'_>, out: &mut Vec<Item>) {
        match line {
            Line::Comment => out.push(Item::Comment),
            Line::Field(text) => self.feed(format!("{text}\n"), out),
            Line::Empty => self.feed("\n".to_owned(), out),
        }
    }

    fn feed(&mut self, line: String, out: &mut Vec<Item>) {
        self.slot.put(line);
        // A line from the slot is always there at once, so nobody need be woken.
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(event))) = Pin::new(&mut self.events).poll_next(&mut cx) {
            out.push(Item::Event { name: event.event, data: event.data });
        }
    }
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new()
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("lines", &self.lines).finish_non_exhaustive()
    }
}

/// Where the parser finds its next line. It is empty whenever [`Decoder::feed`] returns.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Option<String>>>);

impl Slot {
    fn put(&self, line: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }
}

impl Stream for Slot {
    type Item = Result<String, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(line) => Poll::Ready(Some(Ok(line))),
            None => Poll::Pending,
        }
    }
}

/// A whole line that means something to an event stream.
enum Line<'a> {
    Comment,
    Field(Cow<'a, str>),
    Empty,
}

/// The byte guard: cuts bytes into whole lines at LF, CR or CRLF, takes a byte order mark off the
/// first, replaces invalid UTF-8 line by line, and hands on what can matter.
#[derive(Debug, Default)]
struct Lines {
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    /// The first line is over, and with it the place for a byte order mark.
    started: bool,
    /// Bytes of the event so far, `partial` not counted; 0 right after an empty line.
    event: usize,
    scanned: u64,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], on: &mut impl FnMut(Line<'_>)) -> Result<(), TooLarge> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.scanned += end as u64 + 1;
            if self.partial.is_empty() {
                self.line(&rest[..end], on)?;
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(&rest[..end]);
                self.line(&line, on)?;
                line.clear();
                self.partial = line;
            }
            let cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if cr {
                self.after_cr = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.scanned += rest.len() as u64;
        self.partial.extend_from_slice(rest);
        self.fits(self.partial.len())
    }

    fn finish(&mut self, on: &mut impl FnMut(Line<'_>)) -> Result<(), TooLarge> {
        let last = std::mem::take(&mut self.partial);
        if !last.is_empty() {
            self.line(&last, on)?;
        }
        self.line(b"", on)
    }

    fn line(&mut self, line: &[u8], on: &mut impl FnMut(Line<'_>)) -> Result<(), TooLarge> {
        self.fits(line.len())?;
        let line = match (self.started, line.strip_prefix(b"\xef\xbb\xbf")) {
            (false, Some(rest)) => rest,
            _ => line,
        };
        self.started = true;
        match line.first() {
            None if self.event > 0 => {
                self.event = 0;
                on(Line::Empty);
            }
            // Further empty lines end nothing.
            None => {}
            Some(b':') => on(Line::Comment),
            // `id` and `retry` are for reconnecting, which an answer never does; any other field
            // is ignored by the standard. Leaving them out here keeps their text out of memory.
            Some(_) if is_field(line, b"data") || is_field(line, b"event") => {
                self.event += line.len() + 1;
                self.scanned += line.len() as u64;
                on(Line::Field(String::from_utf8_lossy(line)));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn fits(&self, more: usize) -> Result<(), TooLarge> {
        if self.event + more > MAX_EVENT { Err(TooLarge) } else { Ok(()) }
    }
}

fn is_field(line: &[u8], name: &[u8]) -> bool {
    line.strip_prefix(name).is_some_and(|rest| matches!(rest.first(), None | Some(b':')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<Item> {
        let mut decoder = Decoder::new();
        let mut items = Vec::new();
        for chunk in chunks {
            decoder.push(chunk, &mut items).unwrap();
        }
        decoder.finish(&mut items).unwrap();
        items
    }

    fn event(name: &str, data: &str) -> Item {
        Item::Event { name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn streams_read_as_the_standard_has_them() {
        let bom = "\u{feff}".as_bytes();
        for (bytes, items) in [
            (&b"data: a\n\n"[..], vec![event("message", "a")]),
            (b"event: x\ndata: a\n\n", vec![event("x", "a")]),
            (b"data: a\r\ndata: b\r\n\r\n", vec![event("message", "a\nb")]),
            (
                b"data: a\rdata: b\r\rdata:c\r\r",
                vec![event("message", "a\nb"), event("message", "c")],
            ),
            (b"data: a\n\n\n\r\n\rdata: b\n\n", vec![event("message", "a"), event("message", "b")]),
            (b"data\n\n", vec![event("message", "")]),
            (b"data:  two spaces\n\n", vec![event("message", " two spaces")]),
            (b"event: x\n\ndata: a\n\n", vec![event("message", "a")]),
            (
                b"id: 7\nretry: 99999999999999999999\nfoo: bar\nbar\ndata: a\n\n",
                vec![event("message", "a")],
            ),
            (b"datax: a\ndata: b\n\n", vec![event("message", "b")]),
            (
                b":\n\n: ping\n\ndata: a\n\n",
                vec![Item::Comment, Item::Comment, event("message", "a")],
            ),
            (b"data: a\n: ping\ndata: b\n\n", vec![Item::Comment, event("message", "a\nb")]),
            // The last empty line is missing, or the last line end too.
            (b"data: a\n", vec![event("message", "a")]),
            (b"data: a", vec![event("message", "a")]),
            (
                b"data: \xff\xfe!\n\ndata: b\n\n",
                vec![event("message", "\u{fffd}\u{fffd}!"), event("message", "b")],
            ),
            (b"data: \xe9t\xe9\n\n", vec![event("message", "\u{fffd}t\u{fffd}")]),
            (
                "data: a\u{2028}b\u{85}c\u{feff}\n\n".as_bytes(),
                vec![event("message", "a\u{2028}b\u{85}c\u{feff}")],
            ),
            (&[bom, b"data: a\n\n"].concat(), vec![event("message", "a")]),
            // Only one mark is a mark; the second makes an unknown field.
            (&[bom, bom, b"data: a\ndata: b\n\n"].concat(), vec![event("message", "b")]),
            (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", vec![event("message", "a")]),
            (b"\0data: a\n\ndata: \0\n\n", vec![event("message", "\0")]),
            (b"", vec![]),
            (b"\n\r\n\r", vec![]),
        ] {
            assert_eq!(decode(&[bytes]), items, "{:?}", String::from_utf8_lossy(bytes));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(decode(&single), items, "bytewise {:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn events_come_as_soon_as_their_empty_line_is_there() {
        let mut decoder = Decoder::new();
        let mut items = Vec::new();
        decoder.push(b"data: \xff\r\n\r", &mut items).unwrap();
        assert_eq!(items, vec![event("message", "\u{fffd}")]);
        decoder.push(b"\ndata: b\n\n", &mut items).unwrap();
        assert_eq!(items, vec![event("message", "\u{fffd}"), event("message", "b")]);
    }

    #[test]
    fn an_event_without_end_ends_the_stream_instead_of_the_memory() {
        let chunk = vec![b'x'; 1 << 20];
        for begin in [&b"data: "[..], b": ", b"unknown "] {
            let mut decoder = Decoder::new();
            let mut items = Vec::new();
            decoder.push(b"data: before\n\n", &mut items).unwrap();
            decoder.push(begin, &mut items).unwrap();
            let first = (0..64).position(|_| decoder.push(&chunk, &mut items).is_err());
            assert_eq!((first, items.len()), (Some(15), 1), "{begin:?}");
        }
        // The same by many lines of one event.
        let mut line = b"data: ".to_vec();
        line.extend_from_slice(&chunk[..1000]);
        line.push(b'\n');
        let mut decoder = Decoder::new();
        let pushed = (0..20_000).position(|_| decoder.push(&line, &mut Vec::new()).is_err());
        assert_eq!(pushed, Some(MAX_EVENT / line.len()));
    }

    #[test]
    fn each_byte_is_looked_at_a_bounded_number_of_times() {
        let mut long = b"data: ".to_vec();
        long.resize(4 << 20, b'x');
        long.extend_from_slice(b"\n\n");
        let small = b"event: e\ndata: {\"type\":\"ping\"}\n\n".repeat(10_000);
        let short = b"data\n".repeat(50_000);
        let empty = b"\n".repeat(200_000);
        for (bytes, size) in [
            (&long, 8192),
            (&long, 7),
            (&small, 1 << 20),
            (&small, 1),
            (&short, 4096),
            (&empty, 4096),
        ] {
            let mut decoder = Decoder::new();
            let mut items = Vec::new();
            for chunk in bytes.chunks(size) {
                decoder.push(chunk, &mut items).unwrap();
            }
            assert!(
                decoder.scanned() <= 3 * bytes.len() as u64,
                "{} of {}",
                decoder.scanned(),
                bytes.len()
            );
        }
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_events(
            pieces in prop::collection::vec(prop::sample::select(vec![
                &b"data: a"[..], b"data:", b"event: x", b":", b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf",
                b"\xe4\xbd", b"\xa0", b"\xff", b"id: 1", b"other: 1", b" ", "é".as_bytes(), b"\0",
            ]), 0..40),
            cuts in prop::collection::vec(0usize..400, 0..12),
        ) {
            let bytes = pieces.concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.insert(0, 0);
            cuts.push(bytes.len());
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&chunks), decode(&[&bytes]));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000), size in 1usize..64) {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(decode(&chunks), decode(&[&bytes]));
        }
    }
}
