//! What is plain enough to be understood: characters, expressions and parameters without surprises.

use super::super::word::Piece;
use super::Doubt;

pub(super) fn check_controls(text: &str) -> Result<(), Doubt> {
    text.chars().filter(|c| *c != '\n').try_for_each(check_control)
}

pub(super) fn check_control(c: char) -> Result<(), Doubt> {
    if c != '\t' && (c.is_control() || is_unseen(c) || (c != ' ' && c.is_whitespace())) {
        Err(format!("it contains the unseen character U+{:04X}", c as u32))
    } else {
        Ok(())
    }
}

/// Format characters: bidirectional controls, zero-width ones, tags. Two that belong to emoji are let
/// through: they stand in ordinary messages, and the dialog marks them all the same.
fn is_unseen(c: char) -> bool {
    !matches!(c, '\u{fe0f}' | '\u{200d}') && crate::permissions::explain::is_format_character(c)
}

pub(super) fn plain_arithmetic(text: &str) -> bool {
    let mut open = 0i32;
    for c in text.chars() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            '0'..='9' | ' ' | '+' | '-' | '*' | '/' | '%' => {}
            _ => return false,
        }
        if open < 0 {
            return false;
        }
    }
    open == 0
}

/// The variable of a `${..}` that can only give a value: a name, its length, or a name with a default
/// or a trimmed end in plain text.
pub(super) fn plain_parameter(text: &str) -> Option<&str> {
    let bare = text.strip_prefix('#').filter(|rest| !rest.is_empty());
    let text_after = bare.unwrap_or(text);
    let end = text_after
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text_after.len());
    let (name, operation) = text_after.split_at(end);
    if name.is_empty() {
        return None;
    }
    let operand = ["##", "#", "%%", "%", "//", "/", ":-", ":+", "-", "+"]
        .into_iter()
        .find_map(|operator| operation.strip_prefix(operator));
    let plain = |operand: &str| {
        operand.chars().all(|c| c.is_ascii_alphanumeric() || "_./:@%+, *?-".contains(c))
    };
    match operand {
        None if operation.is_empty() => Some(name),
        Some(operand) if bare.is_none() && plain(operand) => Some(name),
        _ => None,
    }
}

/// A `[` without a `]` after it in the same word is a plain bracket, as in `[ -d src ]`.
pub(super) fn settle_brackets(pieces: &mut [Piece]) {
    let closes =
        |piece: &Piece| matches!(piece, Piece::Text { text, quoted: false } if text.contains(']'));
    let last = pieces.iter().rposition(closes);
    for (at, piece) in pieces.iter_mut().enumerate() {
        if *piece == Piece::Glob('[') && last.is_none_or(|last| last < at) {
            *piece = Piece::Text { text: "[".to_owned(), quoted: false };
        }
    }
}

/// Whether unquoted braces with a comma or a range make several words of this one.
pub(super) fn has_braces(pieces: &[Piece]) -> bool {
    let mut open = false;
    let mut several = false;
    let mut dots = 0;
    for piece in pieces {
        let Piece::Text { text, quoted: false } = piece else {
            dots = 0;
            continue;
        };
        for c in text.chars() {
            dots = if c == '.' { dots + 1 } else { 0 };
            match c {
                '{' => open = true,
                ',' if open => several = true,
                '.' if open && dots == 2 => several = true,
                '}' if open && several => return true,
                _ => {}
            }
        }
    }
    false
}
