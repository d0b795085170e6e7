//! Copying, through the terminal itself (OSC 52): that also works over SSH.

use std::io::{self, Write};

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;

/// Terminals drop longer texts, some of them all of it.
const MOST: usize = 100_000;

/// Copies at most [`MOST`] bytes; false where the text was longer.
pub fn copy(text: &str, terminal: &mut impl Write) -> io::Result<bool> {
    let end = (0..=text.len().min(MOST)).rev().find(|end| text.is_char_boundary(*end));
    let text = &text[..end.unwrap_or(0)];
    queue!(terminal, CopyToClipboard::to_clipboard_from(text))?;
    terminal.flush()?;
    Ok(text.len() < MOST)
}
