//! What a command that cannot be parsed might run, found without a grammar.
//!
//! Only for deny and ask rules: it finds too much rather than too little.

use std::collections::BTreeSet;

use super::{Part, Word};

const SEPARATORS: [char; 9] = [';', '&', '|', '\n', '(', ')', '{', '}', '`'];
const KEYWORDS: [&str; 9] = ["if", "then", "elif", "else", "while", "until", "do", "!", "in"];
pub(super) fn parts(text: &str) -> Vec<Part> {
    let segments: BTreeSet<&str> = text.split(SEPARATORS).map(str::trim).collect();
    segments.into_iter().filter_map(part).collect()
}

fn part(segment: &str) -> Option<Part> {
    let mut words = segment
        .split_whitespace()
        .map(|word| word.replace(['\'', '"', '\\'], ""))
        .filter(|word| !word.is_empty())
        .skip_while(|word| KEYWORDS.contains(&word.as_str()) || is_assignment(word))
        .peekable();
    words.peek()?;
    Some(Part {
        text: segment.to_owned(),
        words: words.map(|word| Word::from_literal(&word)).collect(),
        ..Part::default()
    })
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
