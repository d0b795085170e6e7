//! What is looked for: words and phrases, in any case, all of which must be there.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

/// Words that count; more only make a search slower.
const MOST: usize = 8;

/// Characters of one word that count.
const LONGEST: usize = 100;

#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub words: Vec<Word>,
}

#[derive(Debug, Clone)]
pub(crate) struct Word {
    pattern: Regex,
}

impl Query {
    /// Words are parted by white space; `"in quotes"` is one. `None` where there is no word.
    pub(crate) fn parse(text: &str) -> Option<Query> {
        let words: Vec<Word> =
            split(text).iter().take(MOST).filter_map(|word| Word::new(word)).collect();
        (!words.is_empty()).then_some(Query { words })
    }
}

impl Word {
    fn new(text: &str) -> Option<Word> {
        let text: String = text.chars().take(LONGEST).collect();
        // Without Unicode rules a word of plain letters is searched for a good deal faster.
        let pattern = RegexBuilder::new(&regex::escape(&text))
            .case_insensitive(true)
            .unicode(!text.is_ascii())
            .build()
            .ok()?;
        Some(Word { pattern })
    }

    pub(crate) fn find_iter(&self, text: &[u8]) -> impl Iterator<Item = Range<usize>> {
        self.pattern.find_iter(text).map(|found| found.range())
    }

    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.pattern.is_match(text)
    }
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, piece) in text.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(piece.trim().to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases() {
        for (text, wanted) in [
            ("a  b", vec!["a", "b"]),
            ("say \"hello there\" now", vec!["say", "hello there", "now"]),
            ("\"open end", vec!["open end"]),
            ("\"\" ", vec![]),
        ] {
            assert_eq!(split(text), wanted);
            assert_eq!(Query::parse(text).is_some(), !wanted.is_empty());
        }
        assert_eq!(Query::parse(&"x ".repeat(50)).unwrap().words.len(), MOST);
    }

    #[test]
    fn case_does_not_matter_and_nothing_is_a_pattern() {
        let find = |word: &str, text: &str| {
            let word = Word::new(word).unwrap();
            word.find_iter(text.as_bytes()).map(|range| range.start).collect::<Vec<_>>()
        };
        assert_eq!(find("Fix", "fix FIX"), [0, 4]);
        assert_eq!(find("Ü", "aü"), [1]);
        assert_eq!(find(".*", "a.*b"), [1]);
    }
}
