//! Taking in the hits of one file.

use std::path::PathBuf;

use grep_matcher::Matcher;
use grep_regex::RegexMatcher;
use grep_searcher::{Searcher, Sink, SinkContext, SinkMatch};

use crate::tools::walk::Limit;

/// What one file gave.
#[derive(Debug, Default)]
pub(super) struct FileHits {
    pub path: PathBuf,
    /// Up to the limit.
    pub lines: Vec<Line>,
    /// All of them, context too.
    pub lines_found: usize,
    /// Matching lines; with a search over several lines, matches.
    pub matches: u64,
}

#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub number: u64,
    pub is_match: bool,
    /// Without its end, cut to the match where it is long.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// That there is a match.
    First,
    Count,
    /// So many lines.
    Lines(usize),
}

/// Characters of a line that are shown.
const LONGEST: usize = 300;

pub(super) struct Collect<'a> {
    pub hits: FileHits,
    /// Keep only what matches, and not the line around it.
    pub only: bool,
    matcher: &'a RegexMatcher,
    keep: Keep,
    limit: &'a Limit,
}

impl<'a> Collect<'a> {
    pub fn new(matcher: &'a RegexMatcher, keep: Keep, limit: &'a Limit) -> Collect<'a> {
        Collect { hits: FileHits::default(), only: false, matcher, keep, limit }
    }

    fn add(&mut self, number: Option<u64>, bytes: &[u8], is_match: bool) {
        let Keep::Lines(most) = self.keep else { return };
        if self.only {
            return self.add_matches(number.unwrap_or(0), bytes, most);
        }
        for (n, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            self.hits.lines_found += 1;
            if self.hits.lines.len() < most {
                let number = number.unwrap_or(0) + n as u64;
                let text = self.text(line, is_match);
                self.hits.lines.push(Line { number, is_match, text });
            }
        }
    }

    fn add_matches(&mut self, number: u64, bytes: &[u8], most: usize) {
        let FileHits { lines, lines_found, .. } = &mut self.hits;
        // The bytes end with the line's own end, which `$` must be able to see.
        let _never = self.matcher.find_iter(bytes, |found| {
            *lines_found += 1;
            if lines.len() < most {
                let before = bytes[..found.start()].iter().filter(|byte| **byte == b'\n').count();
                let text = String::from_utf8_lossy(&bytes[found]);
                let text = text.trim_end_matches(['\r', '\n']);
                let text = text.chars().take(LONGEST).collect();
                lines.push(Line { number: number + before as u64, is_match: true, text });
            }
            true
        });
    }

    fn text(&self, line: &[u8], is_match: bool) -> String {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() <= LONGEST {
            return String::from_utf8_lossy(line).into_owned();
        }
        let at = if is_match {
            self.matcher.find(line).ok().flatten().map_or(0, |m| m.start())
        } else {
            0
        };
        let start = if at < LONGEST * 2 / 3 { 0 } else { at - LONGEST / 3 };
        let end = (start + LONGEST).min(line.len());
        let middle = String::from_utf8_lossy(&line[start..end]);
        // Where the cut went through a character its rest is no use to anyone.
        let middle = middle.trim_matches('\u{fffd}');
        let dots = |cut: bool| if cut { "…" } else { "" };
        format!("{}{middle}{}", dots(start > 0), dots(end < line.len()))
    }
}

impl Sink for Collect<'_> {
    type Error = std::io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, Self::Error> {
        self.hits.matches += 1;
        self.add(found.line_number(), found.bytes(), true);
        let stop = self.keep == Keep::First
            || (self.hits.matches.is_multiple_of(256) && self.limit.reached());
        Ok(!stop)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> Result<bool, Self::Error> {
        self.add(context.line_number(), context.bytes(), false);
        Ok(true)
    }
}
