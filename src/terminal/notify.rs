//! Telling a person who looks elsewhere: OSC 9 where the terminal knows it, and the bell.

use std::io::{self, Write};

/// `text` must be clean: it stands within an escape sequence.
pub fn notify(text: &str, terminal: &mut impl Write) -> io::Result<()> {
    write!(terminal, "\x1b]9;{text}\x07\x07")?;
    terminal.flush()
}
