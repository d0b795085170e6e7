//! The few words around what was found.

use std::ops::Range;

use serde::Serialize;

use crate::session::index::query::Query;
use crate::session::index::summary::one_line;

/// Characters around the first word found.
const BEFORE: usize = 40;
const AFTER: usize = 120;

/// One line of text, and where in it the words stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Snippet {
    pub text: String,
    /// Byte ranges, in order, not touching each other.
    pub marks: Vec<Range<usize>>,
}

pub(crate) fn snippet(text: &str, query: &Query) -> Snippet {
    let first = query
        .words
        .iter()
        .filter_map(|w| w.find_iter(text.as_bytes()).next())
        .min_by_key(|r| r.start);
    let at = text.floor_char_boundary(first.map_or(0, |range| range.start));
    let start = text[..at].char_indices().rev().take(BEFORE).last().map_or(at, |(start, _)| start);
    let end = text[at..].char_indices().nth(AFTER).map_or(text.len(), |(end, _)| at + end);
    let middle = one_line(&text[start..end], usize::MAX);
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    let line = format!("{before}{middle}{after}");
    let marks = marks(&line, query);
    Snippet { text: line, marks }
}

fn marks(line: &str, query: &Query) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> =
        query.words.iter().flat_map(|word| word.find_iter(line.as_bytes())).collect();
    all.sort_by_key(|range| (range.start, range.end));
    let mut marks: Vec<Range<usize>> = Vec::new();
    for range in all {
        match marks.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => marks.push(range),
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: &str) -> String {
        let Snippet { text, marks } = snippet(text, &Query::parse(words).unwrap());
        let mut out = String::new();
        let mut at = 0;
        for mark in marks {
            out += &text[at..mark.start];
            out += &format!("[{}]", &text[mark.clone()]);
            at = mark.end;
        }
        out + &text[at..]
    }

    #[test]
    fn words_are_marked_in_one_line() {
        assert_eq!(check("fix\n the\tparser", "PARSER fix"), "[fix] the [parser]");
        assert_eq!(check("aaa", "aa a"), "[aaa]");
        let long = format!("{}needle{}", "ä ".repeat(100), " ö".repeat(100));
        let short = check(&long, "needle");
        assert!(
            short.starts_with("…ä") && short.contains("[needle] ö") && short.ends_with("ö…"),
            "{short}"
        );
        assert!(short.chars().count() < BEFORE + AFTER + 6, "{short}");
    }
}
