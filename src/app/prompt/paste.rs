//! Large pasted texts, which stand in the prompt as a mark each.

/// A pasted text and the mark that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paste {
    pub mark: String,
    pub text: String,
}

const LINES: usize = 10;
const CHARACTERS: usize = 1_000;

pub fn is_large(text: &str) -> bool {
    text.lines().count() > LINES || text.chars().nth(CHARACTERS).is_some()
}

/// `[pasted 312 lines]`, with a number behind it where there is such a mark already.
pub fn mark(text: &str, others: &[Paste]) -> String {
    let size = match text.lines().count() {
        1 => format!("{} characters", text.chars().count()),
        lines => format!("{lines} lines"),
    };
    let taken = |mark: &String| others.iter().any(|paste| paste.mark == *mark);
    let first = format!("[pasted {size}]");
    if !taken(&first) {
        return first;
    }
    let numbered = |n: usize| format!("[pasted {size} ·{n}]");
    (2..).map(numbered).find(|mark| !taken(mark)).unwrap_or(first)
}

pub fn expand(text: &str, pastes: &[Paste]) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    // One pass, so that a mark within a pasted text stays what it is.
    while let Some((at, paste)) = pastes
        .iter()
        .filter_map(|paste| rest.find(&paste.mark).map(|at| (at, paste)))
        .min_by_key(|(at, _)| *at)
    {
        expanded.push_str(&rest[..at]);
        expanded.push_str(&paste.text);
        rest = &rest[at + paste.mark.len()..];
    }
    expanded.push_str(rest);
    expanded
}

/// Where marks stand in a line: first and behind last character.
pub fn find(line: &str, pastes: &[Paste]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for paste in pastes {
        for (at, _) in line.match_indices(&paste.mark) {
            let start = line[..at].chars().count();
            found.push((start, start + paste.mark.chars().count()));
        }
    }
    found.sort_unstable();
    found
}
