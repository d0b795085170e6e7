//! What to show of a block that is still being written, so that it does not jump.

use std::borrow::Cow;

use crate::view::markdown::split::Splitter;

/// The part of the open block that is shown.
#[derive(Debug)]
pub(super) struct Tail<'a> {
    pub text: Cow<'a, str>,
    /// Lines of a table that is held back until it is whole, since each row can change the width
    /// of every column.
    pub table_lines: Option<usize>,
}

impl<'a> Tail<'a> {
    /// `text` begins where the splitter's open unit does.
    pub fn of(text: &'a str, splitter: &Splitter) -> Tail<'a> {
        let (lines, partial) = text.split_at(text.rfind('\n').map_or(0, |index| index + 1));
        if let Some(fence) = &splitter.fence {
            // It may become the line that closes the block.
            let is_closing = partial.trim_start_matches(' ').chars().all(|c| fence.is_mark(c));
            let text = if is_closing { lines } else { text };
            return Tail { text: Cow::Borrowed(text), table_lines: None };
        }
        if let Some(start) = table_start(text) {
            let table_lines = Some(text[start..].lines().count());
            return Tail { text: close_marks(&text[..start]), table_lines };
        }
        // A line that so far has only marks may become anything: a rule, a heading, an item.
        let only_marks = |c: char| c.is_ascii_punctuation() || c.is_ascii_digit() || c == ' ';
        let text = if partial.chars().all(only_marks) { lines } else { text };
        Tail { text: close_marks(text), table_lines: None }
    }
}

/// Where a line begins as rows of tables do.
fn table_start(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('|') {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Closes code and strong emphasis that are still open in the last paragraph, so that their marks
/// do not show and vanish again.
fn close_marks(text: &str) -> Cow<'_, str> {
    let paragraph = text.rfind("\n\n").map_or(0, |index| index + 2);
    let (mut code, mut strong) = (false, false);
    let mut chars = text[paragraph..].chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        match c {
            '\\' if !code => drop(chars.next()),
            '`' if chars.peek() == Some(&'`') => return Cow::Borrowed(text),
            '`' => code = !code,
            '*' if !code && chars.peek() == Some(&'*') => {
                chars.next();
                // Emphasis opens before a word and closes after one.
                let opens = chars.peek().is_some_and(|next| !next.is_whitespace());
                strong = if strong { before.is_whitespace() } else { opens };
            }
            _ => {}
        }
        before = c;
    }
    let closing = match (code, strong) {
        (false, false) => return Cow::Borrowed(text),
        (true, false) => "`",
        (false, true) => "**",
        (true, true) => "`**",
    };
    let kept = text.trim_end_matches([' ', '*', '\n']);
    if kept.ends_with('`') && code {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{kept}{closing}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_of_an_open_block() {
        for (text, shown, table_lines) in [
            ("some text", "some text", None),
            ("some text\n-", "some text\n", None),
            ("some text\n- a", "some text\n- a", None),
            ("1.", "", None),
            ("a **bol", "a **bol**", None),
            ("a **bold** and", "a **bold** and", None),
            ("a **bold*", "a **bold**", None),
            ("x ** 3", "x ** 3", None),
            ("call `f(", "call `f(`", None),
            ("call `", "call `", None),
            ("**see `f", "**see `f`**", None),
            ("**first\n\nsecond", "**first\n\nsecond", None),
            (r"a \`b", r"a \`b", None),
            ("| a | b", "", Some(1)),
            ("text\n| a | b |\n|---|---|\n| 1", "text\n", Some(3)),
        ] {
            let tail = Tail::of(text, &Splitter::default());
            assert_eq!((tail.text.as_ref(), tail.table_lines), (shown, table_lines), "{text:?}");
        }
    }
}
