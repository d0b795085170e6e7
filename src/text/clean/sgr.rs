//! Output of programs: lines of pieces with the colours that SGR sequences gave them.
//!
//! Only colours and emphasis survive. Cursor movement is not followed, but for what progress
//! displays do: a carriage return starts its line over, a backspace takes a character back.

use unicode_width::UnicodeWidthChar;

use crate::text::clean::escape::{Escapes, Token};
use crate::text::clean::odd::{self, Shown};
use crate::text::clean::prose::{MOST_COMBINING, picture};
use crate::text::wrap::Piece;

const TAB: usize = 8;

/// How a program asked for its text to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Paint {
    pub text: Option<Tint>,
    pub background: Option<Tint>,
    pub bold: bool,
    pub faint: bool,
    pub italic: bool,
    pub underlined: bool,
    pub reversed: bool,
    pub struck: bool,
}

/// A colour by its number in the terminal's table of 256, or by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tint {
    Table(u8),
    Rgb(u8, u8, u8),
}

/// The lines of `text`, safe to show.
pub fn coloured(text: &str) -> Vec<Vec<Piece<Paint>>> {
    let mut escapes = Escapes::default();
    let mut screen = Screen::default();
    for c in text.chars() {
        escapes.step(c, &mut |token| screen.take(&token));
    }
    escapes.finish(&mut |token| screen.take(&token));
    screen.lines.push(screen.line);
    screen.lines
}

#[derive(Debug, Default)]
struct Screen {
    lines: Vec<Vec<Piece<Paint>>>,
    line: Vec<Piece<Paint>>,
    paint: Paint,
    column: usize,
    combining: usize,
    before: Option<char>,
    /// A carriage return came: what is shown next replaces the line.
    returned: bool,
}

impl Screen {
    fn take(&mut self, token: &Token<'_>) {
        match *token {
            Token::Control(parameters, 'm') => self.paint.apply(parameters),
            // Erasing the line, which progress displays do after a carriage return.
            Token::Control(_, 'K') if self.returned => self.clear(),
            Token::Control(..) => {}
            Token::Char('\n') => {
                self.lines.push(std::mem::take(&mut self.line));
                (self.column, self.combining) = (0, 0);
                (self.before, self.returned) = (None, false);
            }
            Token::Char('\r') => self.returned = true,
            Token::Char('\u{8}') => self.take_back(),
            Token::Char('\t') => {
                let column = if self.returned { 0 } else { self.column };
                (0..TAB - column % TAB).for_each(|_| self.show(' '));
            }
            Token::Char(c @ '\u{80}'..='\u{9f}') => c.escape_unicode().for_each(|c| self.show(c)),
            Token::Char(c) if c.is_control() => self.show(picture(c)),
            Token::Char(c) => match odd::in_prose(c, self.before.filter(|_| !self.returned)) {
                Shown::Same => self.show(c),
                Shown::LineFeed => self.take(&Token::Char('\n')),
                Shown::Nothing => {}
            },
        }
    }

    fn show(&mut self, c: char) {
        if self.returned {
            self.clear();
        }
        self.combining = if odd::is_combining(c) { self.combining + 1 } else { 0 };
        if self.combining > MOST_COMBINING {
            return;
        }
        self.column += c.width().unwrap_or(0);
        self.before = Some(c);
        match self.line.last_mut() {
            Some(last) if last.style == self.paint => last.text.push(c),
            _ => self.line.push(Piece::new(c, self.paint)),
        }
    }

    fn clear(&mut self) {
        self.line.clear();
        (self.column, self.combining) = (0, 0);
        (self.before, self.returned) = (None, false);
    }

    fn take_back(&mut self) {
        let Some(last) = self.line.last_mut() else { return };
        let columns = last.text.pop().and_then(|c| c.width()).unwrap_or(0);
        self.column = self.column.saturating_sub(columns);
        self.before = last.text.chars().next_back();
        if last.text.is_empty() {
            self.line.pop();
        }
    }
}

impl Paint {
    /// Applies the parameters of one SGR sequence (ECMA-48 8.3.117; ITU T.416 for 38 and 48).
    fn apply(&mut self, parameters: &str) {
        if parameters.contains(|c: char| !matches!(c, '0'..='9' | ';' | ':')) {
            return;
        }
        let mut items = parameters.split(';');
        while let Some(item) = items.next() {
            let mut parts = item.split(':');
            let code = parts.next().unwrap_or("");
            match code.parse::<u16>().unwrap_or(0) {
                0 => *self = Paint::default(),
                1 => self.bold = true,
                2 => self.faint = true,
                3 => self.italic = true,
                4 => self.underlined = parts.next() != Some("0"),
                7 => self.reversed = true,
                9 => self.struck = true,
                21 | 22 => (self.bold, self.faint) = (false, false),
                23 => self.italic = false,
                24 => self.underlined = false,
                27 => self.reversed = false,
                29 => self.struck = false,
                code @ 30..=37 => self.text = Some(Tint::Table((code - 30) as u8)),
                code @ 40..=47 => self.background = Some(Tint::Table((code - 40) as u8)),
                code @ 90..=97 => self.text = Some(Tint::Table((code - 82) as u8)),
                code @ 100..=107 => self.background = Some(Tint::Table((code - 92) as u8)),
                39 => self.text = None,
                49 => self.background = None,
                code @ (38 | 48) => {
                    let tint = if item.contains(':') {
                        tint_of_parts(&parts.collect::<Vec<_>>())
                    } else {
                        tint_of_items(&mut items)
                    };
                    match code {
                        38 => self.text = tint.or(self.text),
                        _ => self.background = tint.or(self.background),
                    }
                }
                _ => {}
            }
        }
        // Text in the colour of its own background is a way to hide it.
        if self.text.is_some() && self.text == self.background {
            self.background = None;
        }
    }
}

/// `2::r:g:b`, `2:r:g:b` or `5:n`.
fn tint_of_parts(parts: &[&str]) -> Option<Tint> {
    let number = |part: &&str| part.parse::<u8>().ok();
    match parts {
        ["5", table] => number(table).map(Tint::Table),
        ["2", r, g, b] | ["2", _, r, g, b, ..] => {
            Some(Tint::Rgb(number(r)?, number(g)?, number(b)?))
        }
        _ => None,
    }
}

/// The items after 38 or 48: `2;r;g;b` or `5;n`.
fn tint_of_items<'a>(items: &mut impl Iterator<Item = &'a str>) -> Option<Tint> {
    let number = |items: &mut dyn Iterator<Item = &'a str>| items.next()?.parse::<u8>().ok();
    match items.next()? {
        "5" => number(items).map(Tint::Table),
        "2" => {
            let (r, g, b) = (number(items), number(items), number(items));
            Some(Tint::Rgb(r?, g?, b?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red() -> Paint {
        Paint { text: Some(Tint::Table(1)), ..Paint::default() }
    }

    #[test]
    fn lines_of_output() {
        let plain = Paint::default();
        for (text, lines) in [
            ("", vec![vec![]]),
            ("a\nb", vec![vec![Piece::new("a", plain)], vec![Piece::new("b", plain)]]),
            (
                "a \u{1b}[31mred\u{1b}[0m b",
                vec![vec![
                    Piece::new("a ", plain),
                    Piece::new("red", red()),
                    Piece::new(" b", plain),
                ]],
            ),
            (
                "a\r\nb\r\n",
                vec![vec![Piece::new("a", plain)], vec![Piece::new("b", plain)], vec![]],
            ),
            ("1 %\r2 %\r\u{1b}[Kdone\r", vec![vec![Piece::new("done", plain)]]),
            ("ab\u{8}c", vec![vec![Piece::new("ac", plain)]]),
            ("\u{1b}[2J\u{1b}[10Ax", vec![vec![Piece::new("x", plain)]]),
        ] {
            assert_eq!(coloured(text), lines, "{text:?}");
        }
    }

    #[test]
    fn colours() {
        let paint = |parameters: &str| {
            let mut paint = Paint::default();
            paint.apply(parameters);
            paint
        };
        let text = |tint| Paint { text: Some(tint), ..Paint::default() };
        for (parameters, expected) in [
            ("31", red()),
            ("91", text(Tint::Table(9))),
            ("38;5;200", text(Tint::Table(200))),
            ("38;2;1;2;3", text(Tint::Rgb(1, 2, 3))),
            ("38:2::1:2:3", text(Tint::Rgb(1, 2, 3))),
            ("38:2:1:2:3", text(Tint::Rgb(1, 2, 3))),
            ("38;2;1;2", Paint::default()),
            ("38;2;1;2;300", Paint::default()),
            ("31;41", red()),
            ("1;31;0", Paint::default()),
            ("?25", Paint::default()),
            ("99999999999", Paint::default()),
            ("1;4;9", Paint { bold: true, underlined: true, struck: true, ..Paint::default() }),
        ] {
            assert_eq!(paint(parameters), expected, "{parameters}");
        }
    }
}
