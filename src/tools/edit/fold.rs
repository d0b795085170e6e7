//! A text in which look-alikes are equal and blanks at line ends are gone, with the way back to
//! the bytes it was made from.

use std::ops::Range;

pub(super) struct Folded {
    pub text: String,
    /// For each byte of `text`, where the character it belongs to began ...
    from: Vec<u32>,
    /// ... and ended.
    to: Vec<u32>,
}

/// What stood at the end of a needle and is not looked for.
pub(super) struct NeedleEnd {
    /// Bytes of blanks after its last line's last character, where no line end follows them.
    pub trailing_blanks: usize,
}

impl Folded {
    pub fn of(text: &str) -> Folded {
        let mut out = Folded { text: String::with_capacity(text.len()), from: vec![], to: vec![] };
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let kept = line.trim_end_matches(['\n', '\r', ' ', '\t']);
            for (at, c) in kept.char_indices() {
                out.push(fold(c), start + at, c.len_utf8());
            }
            if line.ends_with('\n') {
                let end = if line.ends_with("\r\n") { 2 } else { 1 };
                out.push('\n', start + line.len() - end, end);
            }
            start += line.len();
        }
        out
    }

    fn push(&mut self, c: char, at: usize, len: usize) {
        self.text.push(c);
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        for _ in 0..c.len_utf8() {
            self.from.push(place(at));
            self.to.push(place(at + len));
        }
    }

    /// The old text folded in the same way.
    pub fn needle(old: &str) -> (String, NeedleEnd) {
        let last = old.rsplit('\n').next().unwrap_or_default();
        let trailing_blanks = last.len() - last.trim_end_matches([' ', '\t', '\r']).len();
        (Folded::of(old).text, NeedleEnd { trailing_blanks })
    }

    /// The bytes of the original that a range of `text` came from. Not empty, in bounds.
    pub fn back(&self, range: Range<usize>) -> Range<usize> {
        let start = self.from.get(range.start).copied().unwrap_or_default() as usize;
        let end = self.to.get(range.end.saturating_sub(1)).copied().unwrap_or_default() as usize;
        start..end.max(start)
    }
}

/// The plain form of a typographic quote or dash. Blanks are not folded: a no-break space is
/// something else than a space, and a file that holds one holds it for a reason.
pub(super) fn fold(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{02bc}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c => c,
    }
}
