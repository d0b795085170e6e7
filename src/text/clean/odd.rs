//! Characters that are not what they look like: invisible ones, odd spaces, look-alikes.
//!
//! Ranges are from the Unicode Character Database (Default_Ignorable_Code_Point, White_Space,
//! Bidi_Control) with a few blank letters added.

use unicode_width::UnicodeWidthChar;

/// Whether the character draws nothing, or only room.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character has to be spelled out in text that someone decides on.
pub(super) fn is_odd(c: char) -> bool {
    c.is_control()
        || is_invisible(c)
        || (c.is_whitespace() && c != ' ')
        || is_private_or_none(c)
        || always_resembles(c)
}

/// Letters of other scripts, among which are twins of Latin ones.
pub(super) fn resembles_latin(c: char) -> bool {
    matches!(c,
        '\u{250}'..='\u{2af}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{58f}'
        | '\u{13a0}'..='\u{13ff}' | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{1dbf}'
        | '\u{1f00}'..='\u{1fff}' | '\u{2c80}'..='\u{2cff}' | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' | '\u{a4d0}'..='\u{a4ff}' | '\u{ab30}'..='\u{abbf}')
}

/// Whether the character adds to the one before it without a column of its own.
pub(super) fn is_combining(c: char) -> bool {
    !c.is_ascii() && c.width() == Some(0)
}

/// What prose shows of a character that is neither a control character nor plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Same,
    Nothing,
    LineFeed,
}

/// `before` is the character shown before it.
pub(super) fn in_prose(c: char, before: Option<char>) -> Shown {
    match c {
        '\u{2028}' | '\u{2029}' => Shown::LineFeed,
        // Braille art is made with it.
        '\u{2800}' => Shown::Same,
        // These two shape scripts and join emoji; between Latin letters they only hide.
        '\u{200c}' | '\u{200d}' if before.is_some_and(|before| !before.is_ascii()) => Shown::Same,
        // The choice between text and emoji, which keycaps (`1` and U+20E3) have too.
        '\u{fe0e}' | '\u{fe0f}'
            if before.is_some_and(|c| !c.is_ascii() || "0123456789#*".contains(c)) =>
        {
            Shown::Same
        }
        _ if is_invisible(c) || is_noncharacter(c) => Shown::Nothing,
        _ => Shown::Same,
    }
}

/// Forms of Latin letters and signs that are always meant to look like the plain ones.
fn always_resembles(c: char) -> bool {
    matches!(c,
        '\u{2024}' | '\u{2044}' | '\u{2100}'..='\u{214f}' | '\u{2160}'..='\u{217f}' | '\u{2215}'
        | '\u{2236}' | '\u{29f8}' | '\u{ff01}'..='\u{ff5e}' | '\u{ff61}'
        | '\u{1d400}'..='\u{1d7ff}')
}

fn is_private_or_none(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}') || is_noncharacter(c)
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || (c as u32 & 0xfffe) == 0xfffe
}
