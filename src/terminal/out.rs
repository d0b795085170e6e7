//! Bytes on their way to the terminal: a frame is one write.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

/// Collects what ratatui writes; [`Out::send`] gives it to the terminal.
#[derive(Debug, Clone, Default)]
pub struct Out(Rc<RefCell<Vec<u8>>>);

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

impl Out {
    /// Writes what was collected, as one synchronized update.
    pub fn send(&self, terminal: &mut impl Write) -> io::Result<()> {
        let mut collected = self.0.borrow_mut();
        if collected.is_empty() {
            return Ok(());
        }
        collected.splice(0..0, BEGIN.iter().copied());
        collected.extend_from_slice(END);
        let result = terminal.write_all(&collected).and_then(|()| terminal.flush());
        collected.clear();
        result
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Nothing goes out before the frame is complete.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_synchronized_write_and_nothing_is_no_write() {
        let mut out = Out::default();
        let mut terminal = Vec::new();
        out.send(&mut terminal).unwrap();
        assert_eq!(terminal, b"");
        out.write_all(b"one").unwrap();
        out.flush().unwrap();
        out.write_all(b"two").unwrap();
        out.send(&mut terminal).unwrap();
        assert_eq!(terminal, b"\x1b[?2026honetwo\x1b[?2026l");
        out.send(&mut terminal).unwrap();
        assert_eq!(terminal.len(), 22);
    }
}
