//! Text to be read, cleaned as it arrives.

use unicode_width::UnicodeWidthChar;

use crate::text::clean::escape::{Escapes, Token};
use crate::text::clean::odd::{self, Shown};

/// Combining characters kept in a row; more than any script needs, so that one cell cannot be
/// given a megabyte.
pub(super) const MOST_COMBINING: usize = 10;

const TAB: usize = 4;

/// Cleans a stream of text in any chunks to the same result as all of it at once.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    escapes: Escapes,
    line: Line,
}

/// What the current line needs to know of itself.
#[derive(Debug, Clone, Default)]
struct Line {
    column: usize,
    before: Option<char>,
    /// A carriage return came; a line feed after it makes it an ordinary line end.
    returned: bool,
    combining: usize,
}

impl Feed {
    /// Adds what can be shown of the stream so far to `out`.
    pub fn push(&mut self, text: &str, out: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.escapes.is_idle() && !self.line.returned {
                let plain = rest.bytes().take_while(|byte| (0x20..0x7f).contains(byte)).count();
                if plain > 0 {
                    out.push_str(&rest[..plain]);
                    self.line.column += plain;
                    self.line.before = rest[..plain].chars().next_back();
                    self.line.combining = 0;
                    rest = &rest[plain..];
                }
            }
            let Some(c) = rest.chars().next() else { break };
            rest = &rest[c.len_utf8()..];
            let Feed { escapes, line } = self;
            escapes.step(c, &mut |token| line.take(&token, out));
        }
    }

    /// The stream is over; adds what was held back.
    pub fn finish(&mut self, out: &mut String) {
        let Feed { escapes, line } = self;
        escapes.finish(&mut |token| line.take(&token, out));
        if std::mem::take(&mut line.returned) {
            line.show(picture('\r'), out);
        }
    }
}

impl Line {
    fn take(&mut self, token: &Token<'_>, out: &mut String) {
        let Token::Char(c) = *token else { return };
        if std::mem::take(&mut self.returned) && c != '\n' {
            self.show(picture('\r'), out);
        }
        match c {
            '\n' => self.end(out),
            '\r' => self.returned = true,
            '\t' => (0..TAB - self.column % TAB).for_each(|_| self.show(' ', out)),
            '\u{80}'..='\u{9f}' => {
                c.escape_unicode().for_each(|c| self.show(c, out));
            }
            _ if c.is_control() => self.show(picture(c), out),
            _ => match odd::in_prose(c, self.before) {
                Shown::Same => self.show(c, out),
                Shown::LineFeed => self.end(out),
                Shown::Nothing => {}
            },
        }
    }

    fn end(&mut self, out: &mut String) {
        out.push('\n');
        *self = Line::default();
    }

    fn show(&mut self, c: char, out: &mut String) {
        if odd::is_combining(c) {
            self.combining += 1;
            if self.combining > MOST_COMBINING {
                return;
            }
        } else {
            self.combining = 0;
        }
        self.column += c.width().unwrap_or(0);
        self.before = Some(c);
        out.push(c);
    }
}

/// The picture of a control character below U+0020, or of U+007F.
pub(super) fn picture(c: char) -> char {
    let picture = if c == '\u{7f}' { 0x2421 } else { 0x2400 + u32::from(c) };
    char::from_u32(picture).unwrap_or('\u{fffd}')
}
