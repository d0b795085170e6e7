//! Thinking that a server leaves in the text, between `<think>` and `</think>` at its beginning.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Parts text that comes in pieces.
#[derive(Debug)]
pub enum Splitter {
    /// So far nothing but what may become the opening tag.
    Undecided(String),
    /// Inside; what may become the closing tag is held back.
    Thinking(String),
    /// The rest is text, however it looks. `trim`: white space after the tag is not part of it.
    Text { trim: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Thinking(String),
    Text(String),
}

impl Default for Splitter {
    fn default() -> Splitter {
        Splitter::Undecided(String::new())
    }
}

impl Splitter {
    /// What is sure after this piece of text.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = text.to_owned();
        loop {
            match self {
                Splitter::Undecided(held) => {
                    held.push_str(&rest);
                    let begun = held.trim_start();
                    if let Some(inside) = begun.strip_prefix(OPEN) {
                        rest = inside.to_owned();
                        *self = Splitter::Thinking(String::new());
                    } else if OPEN.starts_with(begun) && held.len() < 64 {
                        return pieces;
                    } else {
                        rest = std::mem::take(held);
                        *self = Splitter::Text { trim: false };
                    }
                }
                Splitter::Thinking(held) => {
                    held.push_str(&rest);
                    if let Some(at) = held.find(CLOSE) {
                        rest = held[at + CLOSE.len()..].to_owned();
                        held.truncate(at);
                        push(&mut pieces, Piece::Thinking(std::mem::take(held)));
                        *self = Splitter::Text { trim: true };
                    } else {
                        let sure = held.len() - begun_tag(held);
                        let kept = held.split_off(sure);
                        push(&mut pieces, Piece::Thinking(std::mem::replace(held, kept)));
                        return pieces;
                    }
                }
                Splitter::Text { trim } => {
                    let text = if *trim { rest.trim_start() } else { &rest };
                    if !text.is_empty() {
                        pieces.push(Piece::Text(text.to_owned()));
                        *trim = false;
                    }
                    return pieces;
                }
            }
        }
    }

    /// What was held back, when no more text comes.
    pub fn finish(&mut self) -> Option<Piece> {
        let piece = match std::mem::replace(self, Splitter::Text { trim: false }) {
            Splitter::Undecided(held) => Piece::Text(held),
            Splitter::Thinking(held) => Piece::Thinking(held),
            Splitter::Text { .. } => return None,
        };
        (piece != Piece::Text(String::new()) && piece != Piece::Thinking(String::new()))
            .then_some(piece)
    }
}

fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if piece != Piece::Thinking(String::new()) {
        pieces.push(piece);
    }
}

/// Bytes at the end of `text` that may be the beginning of the closing tag.
fn begun_tag(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|&len| text.ends_with(&CLOSE[..len])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let mut splitter = Splitter::default();
        let mut found: Vec<Piece> = pieces.iter().flat_map(|piece| splitter.push(piece)).collect();
        found.extend(splitter.finish());
        let (mut thinking, mut text) = (String::new(), String::new());
        for piece in found {
            match piece {
                Piece::Thinking(piece) => thinking.push_str(&piece),
                Piece::Text(piece) => text.push_str(&piece),
            }
        }
        (thinking, text)
    }

    #[test]
    fn thinking_is_parted_from_text_only_at_the_beginning() {
        for (text, thinking, rest) in [
            ("", "", ""),
            ("plain", "", "plain"),
            ("<think>hm</think>\n\nanswer", "hm", "answer"),
            ("\n<think>\nhm\n</think>answer", "\nhm\n", "answer"),
            ("<think></think>answer", "", "answer"),
            ("<think>never closed", "never closed", ""),
            ("<think>a </thin b</think>c", "a </thin b", "c"),
            ("say <think>x</think>", "", "say <think>x</think>"),
            ("<think>a</think>b <think>c</think>", "a", "b <think>c</think>"),
            ("<thin", "", "<thin"),
            ("<b>bold</b>", "", "<b>bold</b>"),
        ] {
            assert_eq!(split(&[text]), (thinking.to_owned(), rest.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_chunking_parts_alike(text in "[ \n]{0,3}(<think>)?([a-zé<>/ ]|</think>|<think>){0,12}", cut in 0usize..60) {
            let single: Vec<String> = text.chars().map(String::from).collect();
            let single: Vec<&str> = single.iter().map(String::as_str).collect();
            prop_assert_eq!(split(&single), split(&[&text]));
            let cut = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(text.len());
            prop_assert_eq!(split(&[&text[..cut], &text[cut..]]), split(&[&text]));
        }
    }
}
