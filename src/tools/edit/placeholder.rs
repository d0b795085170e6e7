//! New text that stands for text left out ("... rest of the code unchanged"): written to the file
//! it would delete what it speaks of.

use std::collections::HashSet;

use crate::tools::Outcome;

/// Words one of which a placeholder holds beside its dots.
const WORDS: [&str; 10] = [
    "existing",
    "rest of",
    "remaining",
    "unchanged",
    "omitted",
    "same as",
    "as before",
    "keep the",
    "stays the same",
    "previous code",
];

/// The first line of `new` that stands for text left out and that none of `known` holds.
pub fn find(new: &str, known: &[&str]) -> Option<String> {
    let mut stand = new.lines().map(str::trim).filter(|line| is_placeholder(line)).peekable();
    stand.peek()?;
    let known: HashSet<&str> = known.iter().flat_map(|text| text.lines().map(str::trim)).collect();
    stand.find(|line| !known.contains(line)).map(str::to_owned)
}

/// A whole-line comment, or a line by itself, of dots and one of the words.
fn is_placeholder(line: &str) -> bool {
    if line.len() > 120 || !(line.contains("...") || line.contains('…')) {
        return false;
    }
    let opened = ["//", "#", "/*", "<!--", "--", ";", "%", "{/*", "\"\"\"", "(*", "*"]
        .iter()
        .find_map(|open| line.strip_prefix(open));
    let inner =
        opened.unwrap_or(line).trim_start_matches(['/', '*', '#', '-', '!', ' ', '[', '(', '<']);
    let dots_first = inner.starts_with("...") || inner.starts_with('…');
    let inner = inner.trim_end_matches(['/', '*', '-', '>', '}', ' ', ']', ')', '.', '…']);
    let closed = inner.len() < opened.unwrap_or(line).trim_end().len();
    let lower = line.to_ascii_lowercase();
    let word = WORDS.iter().any(|word| lower.contains(word));
    word && (dots_first
        || (opened.is_some() && closed && (line.contains("...") || line.contains('…'))))
}

pub fn refused(line: &str) -> Outcome {
    let line: String = line.chars().take(100).collect();
    Outcome::failed(
        format!(
            "The new text leaves something out (\"{line}\"). Write it in full, or edit a smaller piece."
        ),
        "text left out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_stand_for_others_are_found() {
        for (line, expected) in [
            ("// ... existing code ...", true),
            ("    # ... rest of the function unchanged", true),
            ("/* … remaining methods … */", true),
            ("<!-- ... rest of page ... -->", true),
            ("{/* ... existing props ... */}", true),
            ("... existing code ...", true),
            ("[... rest of file unchanged ...]", true),
            ("// rest of the code remains unchanged...", true),
            ("let rest = ...existing;", false),
            ("return { ...existing, ...rest };", false),
            ("{ ...rest of }", false),
            ("// existing code is slow", false),
            ("// Loading...", false),
            ("print(\"... existing code ...\")", false),
            ("fn f(existing: &[u8], ...) {", false),
        ] {
            assert_eq!(is_placeholder(line.trim()), expected, "{line}");
        }
        assert_eq!(
            find("a\n// ... existing code ...\n", &["x", "  // ... existing code ...\n"]),
            None
        );
    }
}
