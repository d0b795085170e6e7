//! Many paths in little room, and the best of them for what was typed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Paths relative to one folder. Those of folders end with a slash.
#[derive(Debug, Default)]
pub struct Paths {
    text: String,
    /// Where each ends in `text`.
    ends: Vec<u32>,
    /// Which characters each has, so that most need no closer look.
    letters: Vec<u64>,
}

/// Score, length and index of a path that matches; the greater the better.
type Rank = (u32, Reverse<usize>, Reverse<usize>);

impl Paths {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Does nothing once the paths take 4 GB.
    pub fn push(&mut self, path: &str, folder: bool) {
        let before = self.text.len();
        self.text.push_str(path);
        if folder {
            self.text.push('/');
        }
        match u32::try_from(self.text.len()) {
            Ok(end) => {
                self.ends.push(end);
                self.letters.push(letters(&self.text[before..]));
            }
            Err(_) => self.text.truncate(before),
        }
    }

    /// The best `most`, best first. For an empty query what lies at the top, folders first.
    pub fn search(&self, query: &str, most: usize) -> Vec<String> {
        if query.is_empty() {
            return self.top(most);
        }
        let pattern =
            Pattern::new(query, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
        let mut buffer = Vec::new();
        let needed = needed(query);
        let mut best: BinaryHeap<Reverse<Rank>> = BinaryHeap::with_capacity(most + 1);
        for index in 0..self.len() {
            if self.letters[index] & needed != needed {
                continue;
            }
            let path = self.get(index);
            let Some(score) = pattern.score(Utf32Str::new(path, &mut buffer), &mut matcher) else {
                continue;
            };
            // The worst is on top of the heap: the lowest score, of equals the longest path.
            let full = best.len() == most;
            if full && best.peek().is_some_and(|Reverse((worst, ..))| score < *worst) {
                continue;
            }
            best.push(Reverse((score, Reverse(path.len()), Reverse(index))));
            if best.len() > most {
                best.pop();
            }
        }
        let sorted = best.into_sorted_vec();
        sorted
            .into_iter()
            .map(|Reverse((_, _, Reverse(index)))| self.get(index).to_owned())
            .collect()
    }

    fn top(&self, most: usize) -> Vec<String> {
        let lies_at_top = |path: &&str| !path.trim_end_matches('/').contains('/');
        let mut paths: Vec<&str> =
            (0..self.len()).map(|index| self.get(index)).filter(lies_at_top).collect();
        paths.sort_unstable_by_key(|path| (!path.ends_with('/'), *path));
        paths.into_iter().take(most).map(str::to_owned).collect()
    }

    fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[index] as usize]
    }
}

/// One bit for each letter, digit and usual sign. A path with others might match anything.
fn letters(path: &str) -> u64 {
    if !path.is_ascii() {
        return u64::MAX;
    }
    path.bytes().fold(0, |all, byte| all | bit(byte))
}

/// The bits that a path must have to match.
fn needed(query: &str) -> u64 {
    query.bytes().filter(u8::is_ascii).fold(0, |all, byte| all | bit(byte))
}

fn bit(byte: u8) -> u64 {
    match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => 1 << (letter - b'a'),
        digit @ b'0'..=b'9' => 1 << (digit - b'0' + 26),
        b'/' => 1 << 36,
        b'.' => 1 << 37,
        b'_' => 1 << 38,
        b'-' => 1 << 39,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &[&str]) -> Paths {
        let mut paths = Paths::default();
        for path in list {
            paths.push(path.trim_end_matches('/'), path.ends_with('/'));
        }
        paths
    }

    #[test]
    fn the_best_come_first() {
        let paths = paths(&[
            "docs/parser-notes/old.md",
            "src/parser.rs",
            "src/parser/",
            "src/parse_error.rs",
            "tests/prs.rs",
            "README.md",
            "Über/straße.rs",
        ]);
        for (query, found) in [
            ("parser", &["src/parser/", "src/parser.rs", "docs/parser-notes/old.md"][..]),
            ("sprs", &["src/parser.rs"]),
            ("README", &["README.md"]),
            ("readme", &["README.md"]),
            ("Readme", &[]),
            ("uber", &["Über/straße.rs"]),
            ("xyz", &[]),
        ] {
            let answer = paths.search(query, 3);
            assert!(
                answer.iter().map(String::as_str).take(found.len()).eq(found.iter().copied()),
                "{query}: {answer:?}"
            );
        }
        assert_eq!(paths.search("r", 2).len(), 2);
    }

    /// The quick look may only leave out what the closer one would leave out too.
    #[test]
    fn leaving_out_by_letters_loses_nothing() {
        let list = ["src/app_1.rs", "a-b/C.D", "日本/x.rs", "Makefile", "é.rs", "a b+c"];
        let mut all = paths(&list);
        let some = paths(&list);
        all.letters.fill(u64::MAX);
        for query in ["a", "A", "1.r", "_", "-b", "日", "e", "MK", "b+c", "a b", "/x", "é"] {
            assert_eq!(some.search(query, 9), all.search(query, 9), "{query}");
        }
    }
}
