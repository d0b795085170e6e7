//! Untrusted text (model, tools, files, branches, servers) to text that is safe to show.
//!
//! Whatever comes out has no control character but the line feed, so it can neither move the
//! cursor nor talk to the terminal, and its width can be measured. The log and the model keep the
//! exact bytes: only what is shown passes here. Linear in the length of the text, whatever it is.
//!
//! Not for deciding whether a text is dangerous.

mod escape;
mod odd;
mod prose;
pub mod sgr;

use std::borrow::Cow;

use crate::text::wrap::Piece;
pub use prose::Feed;
pub use sgr::{Paint, Tint, coloured};

/// What the text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// To be read: escape sequences vanish, tabs become spaces (stops every 4 columns), other
    /// control characters become their pictures (`␇`), what is invisible or turns the direction
    /// of text is dropped.
    Prose,
    /// Output of a program: as `Prose`, with tab stops every 8 columns and of each line only what
    /// the last carriage return left. Colours are in [`coloured`].
    Output,
    /// To be decided on, several lines (a command): nothing vanishes; whatever is invisible,
    /// looks like something else or controls a terminal is spelled out, as in `\u{202e}`.
    Security,
    /// To be decided on, one line (a path, branch, host, tool name, title): as `Security`, and
    /// line ends are spelled out as well.
    Name,
}

/// `text` made safe to show; borrowed when it already is.
pub fn clean(text: &str, mode: Mode) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) || (byte == b'\n' && mode != Mode::Name))
    {
        return Cow::Borrowed(text);
    }
    match mode {
        Mode::Prose => {
            let mut out = String::with_capacity(text.len());
            let mut feed = Feed::default();
            feed.push(text, &mut out);
            feed.finish(&mut out);
            Cow::Owned(out)
        }
        Mode::Output => {
            let lines = coloured(text);
            let lines = lines.iter().map(|line| line.iter().map(|piece| piece.text.as_str()));
            let mut out = String::with_capacity(text.len());
            for (index, line) in lines.enumerate() {
                if index > 0 {
                    out.push('\n');
                }
                out.extend(line);
            }
            Cow::Owned(out)
        }
        Mode::Security | Mode::Name => {
            Cow::Owned(marked(text, mode).into_iter().map(|piece| piece.text).collect())
        }
    }
}

/// Whether a piece is in the text as it stands or spells out something odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mark {
    #[default]
    Plain,
    Odd,
}

/// The same as [`clean()`] in `Security` or `Name`, with what was spelled out kept apart, so that
/// it can be shown unlike a text that really contains `\u{202e}`. Other modes spell nothing out
/// and come as one piece.
pub fn marked(text: &str, mode: Mode) -> Vec<Piece<Mark>> {
    let mut pieces: Vec<Piece<Mark>> = Vec::new();
    let mut push = |text: &str, mark: Mark| match pieces.last_mut() {
        Some(last) if last.style == mark => last.text.push_str(text),
        _ => pieces.push(Piece::new(text, mark)),
    };
    if !matches!(mode, Mode::Security | Mode::Name) {
        push(&clean(text, mode), Mark::Plain);
        return pieces;
    }
    for (_, c, mark) in judged(text, mode) {
        match mark {
            Mark::Odd => push(&c.escape_unicode().to_string(), mark),
            Mark::Plain => push(c.encode_utf8(&mut [0; 4]), mark),
        }
    }
    pieces
}

/// Every character with its byte in `text`, and whether `Security` or `Name` spells it out.
pub fn judged(text: &str, mode: Mode) -> impl Iterator<Item = (usize, char, Mark)> {
    let mut word_end = 0;
    let mut is_mixed = false;
    let mut joined = 0; // combining characters in a row
    text.char_indices().map(move |(at, c)| {
        // Look-alikes are judged by the word that they stand in.
        if at >= word_end {
            let rest = &text[at..];
            let len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            word_end = at + len.max(c.len_utf8());
            is_mixed = text[at..word_end].contains(|c: char| c.is_ascii_alphabetic());
        }
        joined = if odd::is_combining(c) { joined + 1 } else { 0 };
        let is_odd = match c {
            '\n' => mode == Mode::Name,
            _ => odd::is_odd(c) || (is_mixed && odd::resembles_latin(c)) || joined > 2,
        };
        (at, c, if is_odd { Mark::Odd } else { Mark::Plain })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_in_every_mode() {
        for (text, prose, security) in [
            ("plain\ntext", "plain\ntext", "plain\ntext"),
            ("a\tb", "a   b", r"a\u{9}b"),
            ("one\r\ntwo", "one\ntwo", "one\\u{d}\ntwo"),
            ("safe\rEVIL", "safe␍EVIL", r"safe\u{d}EVIL"),
            ("safe\u{7}", "safe␇", r"safe\u{7}"),
            ("\u{7f}\u{85}", r"␡\u{85}", r"\u{7f}\u{85}"),
            ("a\u{1b}[31mred\u{1b}[0m", "ared", r"a\u{1b}[31mred\u{1b}[0m"),
            ("a\u{9b}31mred", "ared", r"a\u{9b}31mred"),
            ("x\u{1b}]0;title\u{7}y", "xy", r"x\u{1b}]0;title\u{7}y"),
            ("x\u{1b}]8;;http://a\u{1b}\\y", "xy", r"x\u{1b}]8;;http://a\u{1b}\y"),
            ("x\u{1b}]0;not ended", "x0;not ended", r"x\u{1b}]0;not ended"),
            ("x\u{1b}]0;line\nrest", "x0;line\nrest", "x\\u{1b}]0;line\nrest"),
            ("x\u{1b}(0y", "xy", r"x\u{1b}(0y"),
            ("end\u{1b}", "end␛", r"end\u{1b}"),
            ("run\u{202e}me", "runme", r"run\u{202e}me"),
            ("run\u{2028}me", "run\nme", r"run\u{2028}me"),
            ("❤\u{fe0f} 👩\u{200d}👧", "❤\u{fe0f} 👩\u{200d}👧", r"❤\u{fe0f} 👩\u{200d}👧"),
            ("a\u{200d}b", "ab", r"a\u{200d}b"),
            ("аpple Москва", "аpple Москва", r"\u{430}pple Москва"),
            ("é ß 漢字", "é ß 漢字", "é ß 漢字"),
        ] {
            assert_eq!(clean(text, Mode::Prose), prose, "{text:?}");
            assert_eq!(clean(text, Mode::Security), security, "{text:?}");
        }
        assert_eq!(clean("a\nb", Mode::Name), r"a\u{a}b");
        assert_eq!(clean("10 %\r20 %\rdone\na\tb", Mode::Output), "done\na       b");
    }

    #[test]
    fn what_was_spelled_out_is_told_apart() {
        assert_eq!(
            marked("a\\u{7}\u{7}b", Mode::Security),
            [
                Piece::new("a\\u{7}", Mark::Plain),
                Piece::new("\\u{7}", Mark::Odd),
                Piece::new("b", Mark::Plain)
            ]
        );
    }

    #[test]
    fn heaps_of_combining_marks_are_cut() {
        let heap = format!("a{}", "\u{301}".repeat(1_000));
        assert!(clean(&heap, Mode::Prose).len() < 50);
        assert_eq!(clean(&heap, Mode::Name).matches(r"\u{301}").count(), 998);
    }

    /// Text with many of the characters that matter here.
    fn text() -> impl Strategy<Value = String> {
        let odd = prop_oneof![
            any::<char>(),
            "[\\[\\]P;mKx0-9 ]".prop_map(|text| text.chars().next().unwrap_or(' ')),
            prop::sample::select(vec![
                '\u{1b}', '\u{7}', '\r', '\n', '\t', '\u{8}', '\\', '\u{9b}', '\u{9d}', '\u{9c}',
                '\u{200d}', '\u{202e}', '\u{301}', 'a', '漢',
            ]),
        ];
        prop::collection::vec(odd, 0..60).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(text in text()) {
            for mode in [Mode::Prose, Mode::Output, Mode::Security, Mode::Name] {
                let shown = clean(&text, mode);
                prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{:?}", shown);
                // Cleaning is done where text enters; doing it twice must not change it.
                prop_assert_eq!(&clean(&shown, mode), &shown);
            }
        }

        #[test]
        fn any_cutting_of_a_stream_cleans_alike(text in text(), size in 1usize..5) {
            let (mut out, mut feed) = (String::new(), Feed::default());
            let chars: Vec<char> = text.chars().collect();
            for chunk in chars.chunks(size) {
                feed.push(&chunk.iter().collect::<String>(), &mut out);
            }
            feed.finish(&mut out);
            prop_assert_eq!(out, clean(&text, Mode::Prose).into_owned());
        }
    }
}
