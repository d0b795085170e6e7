//! Files that a text names with an at sign: `@src/a.rs`, `@src/a.rs:10-20`, `@src/`,
//! `@"with a blank.txt"`.
//!
//! Not for deciding whether there is such a file: an at sign may just as well begin a nickname.

use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Bytes of the text, with the at sign.
    pub range: Range<usize>,
    pub path: String,
    /// First and last line, from 1.
    pub lines: Option<(usize, usize)>,
}

/// A mention that is being written: where its at sign stands, and the path as far as it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Byte of the text.
    pub start: usize,
    pub query: String,
}

/// Signs that end a sentence or a bracket around a mention and are no part of it.
const CLOSING: &[char] = &['.', ',', ';', ':', '!', '?', ')', ']', '}', '>', '\'', '"', '`'];

/// Every mention, in order.
pub fn find(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('@').map(|at| from + at) {
        from = at + 1;
        if !may_begin(text, at) {
            continue;
        }
        let rest = &text[at + 1..];
        let (path, end) = match quoted(rest) {
            Some(path) => (path, at + 1 + path.len() + 2),
            None => {
                let word = rest.split(char::is_whitespace).next().unwrap_or_default();
                let word = word.trim_end_matches(CLOSING);
                (word, at + 1 + word.len())
            }
        };
        let (path, lines, end) = if text[..end].ends_with('"') {
            let (lines, used) = lines_behind(&text[end..]);
            (path, lines, end + used)
        } else {
            let (path, lines) = lines_of(path);
            (path, lines, end)
        };
        if !path.is_empty() {
            found.push(Mention { range: at..end, path: path.to_owned(), lines });
            from = end;
        }
    }
    found
}

/// The mention that ends at the end of `text`, which is a line up to the cursor.
pub fn begun(text: &str) -> Option<Begun> {
    let mut at = text.rfind('@')?;
    loop {
        if may_begin(text, at) {
            let rest = &text[at + 1..];
            let query = match rest.strip_prefix('"') {
                Some(open) if !open.contains('"') => Some(open),
                Some(_) => None,
                None => (!rest.contains(char::is_whitespace)).then_some(rest),
            };
            return query.map(|query| Begun { start: at, query: query.to_owned() });
        }
        at = text[..at].rfind('@')?;
    }
}

/// A path as [`find`] reads it back.
pub fn spell(path: &str) -> String {
    let plain = !path.contains(char::is_whitespace)
        && !path.ends_with(CLOSING)
        && !path.starts_with('"')
        && lines_of(path).1.is_none();
    if plain { format!("@{path}") } else { format!("@\"{path}\"") }
}

/// Within a word an at sign is part of an address.
fn may_begin(text: &str, at: usize) -> bool {
    text[..at]
        .chars()
        .next_back()
        .is_none_or(|before| before.is_whitespace() || "([{<'\"`,;:".contains(before))
}

fn quoted(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix('"')?;
    let inner = &inner[..inner.find('\n').unwrap_or(inner.len())];
    Some(&inner[..inner.find('"')?])
}

/// `src/a.rs:10-20` and `src/a.rs#L10-L20`, cut into the path and its lines.
fn lines_of(word: &str) -> (&str, Option<(usize, usize)>) {
    for sign in ["#L", ":"] {
        if let Some((path, tail)) = word.rsplit_once(sign)
            && !path.is_empty()
            && let Some(lines) = range(tail)
        {
            return (path, Some(lines));
        }
    }
    (word, None)
}

/// The lines that follow a closing quotation mark, and the bytes they take.
fn lines_behind(text: &str) -> (Option<(usize, usize)>, usize) {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_end_matches(CLOSING);
    let tail = word.strip_prefix("#L").or_else(|| word.strip_prefix(':'));
    match tail.and_then(range) {
        Some(lines) => (Some(lines), word.len()),
        None => (None, 0),
    }
}

fn range(text: &str) -> Option<(usize, usize)> {
    let number = |text: &str| text.trim_start_matches('L').parse::<usize>().ok().filter(|n| *n > 0);
    match text.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        }
        None => number(text).map(|line| (line, line)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mentions_are_told_from_addresses_and_sentences() {
        for (text, paths) in [
            ("see @src/a.rs.", &[("src/a.rs", None)][..]),
            ("(@a.rs:10-20, @b.rs:7)", &[("a.rs", Some((10, 20))), ("b.rs", Some((7, 7)))]),
            ("@src/a.rs#L3-L9 and @docs/", &[("src/a.rs", Some((3, 9))), ("docs/", None)]),
            ("@\"a b.txt\":2-3 x", &[("a b.txt", Some((2, 3)))]),
            ("@\"a b.txt\"", &[("a b.txt", None)]),
            ("me@example.org, @ alone, @", &[]),
            ("@a:0 @b:9-3", &[("a:0", None), ("b:9-3", None)]),
            ("@\"open", &[("\"open", None)]),
            ("@ü/日本.rs!", &[("ü/日本.rs", None)]),
        ] {
            let found: Vec<_> =
                find(text).into_iter().map(|mention| (mention.path, mention.lines)).collect();
            let wanted: Vec<_> =
                paths.iter().map(|(path, lines)| ((*path).to_owned(), *lines)).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn a_mention_is_being_written_up_to_a_blank() {
        for (text, query) in [
            ("see @src/a", Some("src/a")),
            ("@", Some("")),
            ("@\"a b", Some("a b")),
            ("@\"a b\"", None),
            ("@a ", None),
            ("me@ex", None),
            ("", None),
        ] {
            assert_eq!(begun(text).map(|it| it.query).as_deref(), query, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_spelled_is_found_again(path in "[a-zA-Z0-9 ./_:#@()é日L-]{1,20}") {
            let found = find(&format!("x {} y", spell(&path)));
            prop_assert_eq!(found.len(), 1, "{}", spell(&path));
            prop_assert_eq!(&found[0].path, &path);
            prop_assert_eq!(found[0].lines, None);
        }

        #[test]
        fn ranges_lie_within_any_text(text in "\\PC{0,60}") {
            let mut end = 0;
            for mention in find(&text) {
                prop_assert!(mention.range.start >= end && text.get(mention.range.clone()).is_some());
                end = mention.range.end;
            }
            begun(&text);
        }
    }
}
