//! A call as the person must see it: exactly what runs, with nothing that hides.

use super::access::{Access, Use, Wants};

/// The text of the dialog. Line ends stay line ends; every other control, unseen or look-alike character
/// is spelled out, so that the text shown is the text run.
pub fn prompt(access: &Access) -> String {
    match &access.wants {
        Wants::Shell(shell) => visible(&shell.script.text),
        Wants::Url(url) => format!("{} {}", access.tool, visible(url)),
        Wants::Paths(paths) => {
            let paths: Vec<String> = paths
                .paths
                .iter()
                .take(if paths.use_ == Use::Reads { 1 } else { usize::MAX })
                .map(|path| visible(&path.to_string_lossy()))
                .collect();
            format!("{} {}", access.tool, paths.join(" "))
        }
        Wants::Nothing | Wants::Person | Wants::Other | Wants::Unclear(_) => {
            format!("{} {}", visible(&access.tool), visible(&access.input.to_string()))
        }
    }
}

/// `text` with what a reader could not see, or would take for something else, spelled out:
/// `\u{1b}` for controls, `<U+202E>` for the rest.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0usize;
    let mut before = ' ';
    let mixed = mixed_words(text);
    for (at, c) in text.char_indices() {
        if is_combining(c) {
            marks += 1;
            // One mark on a letter is how some names are written.
            if marks > 1 || !before.is_alphabetic() {
                out.push_str(&code(c));
            } else {
                out.push(c);
            }
            continue;
        }
        marks = 0;
        match c {
            '\n' => out.push('\n'),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c if is_format_character(c) || (c != ' ' && c.is_whitespace()) => {
                out.push_str(&code(c));
            }
            c if mixed.iter().any(|range| range.contains(&at))
                && script(c) == Script::LookAlike =>
            {
                out.push(c);
                out.push_str(&code(c));
            }
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// Whether marks pile up on a letter so that what is below cannot be read.
pub fn piles_up(text: &str) -> bool {
    let mut marks = 0usize;
    text.chars().any(|c| {
        marks = if is_combining(c) { marks + 1 } else { 0 };
        marks > 3
    })
}

fn code(c: char) -> String {
    format!("<U+{:04X}>", c as u32)
}

/// Characters without a shape of their own: bidirectional controls, zero-width ones, fillers, tags.
pub fn is_format_character(c: char) -> bool {
    matches!(c as u32,
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
        | 0x2028..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
        | 0xfff9..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

fn is_combining(c: char) -> bool {
    matches!(c as u32,
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
        && c != '\u{34f}'
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    /// Letters of which some look like Latin ones.
    LookAlike,
    Other,
}

fn script(c: char) -> Script {
    match c as u32 {
        0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f => Script::Latin,
        0x370..=0x3ff
        | 0x400..=0x52f
        | 0x530..=0x58f
        | 0x13a0..=0x13ff
        | 0xff01..=0xff5e
        | 0x1d400..=0x1d7ff
        | 0x2100..=0x214f => Script::LookAlike,
        _ => Script::Other,
    }
}

/// Byte ranges of words that mix Latin letters with look-alikes.
fn mixed_words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0usize;
    let (mut latin, mut alike) = (false, false);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
            latin |= script(c) == Script::Latin;
            alike |= script(c) == Script::LookAlike;
        } else {
            if latin && alike {
                ranges.push(start..at);
            }
            (latin, alike) = (false, false);
            start = at + c.len_utf8();
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_hides() {
        for (text, expected) in [
            ("ls -la", "ls -la"),
            ("a\nb", "a\nb"),
            ("rm\tx", "rm\\u{9}x"),
            ("a\u{1b}[2Kb", "a\\u{1b}[2Kb"),
            ("safe\rEVIL", "safe\\u{d}EVIL"),
            ("a\u{202e}b", "a<U+202E>b"),
            ("ls\u{200b}", "ls<U+200B>"),
            ("x\u{a0}y", "x<U+00A0>y"),
            ("\u{e0074}", "<U+E0074>"),
            ("e\u{301}", "e\u{301}"),
            ("e\u{301}\u{301}", "e\u{301}<U+0301>"),
            (" \u{301}", " <U+0301>"),
            ("g\u{456}t", "g\u{456}<U+0456>t"),
            ("привет", "привет"),
            ("日本", "日本"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
    }
}
