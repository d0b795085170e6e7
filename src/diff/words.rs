//! Which words of a changed line differ from the line it replaced.

use similar::{Algorithm, DiffTag, TextDiff};

use crate::protocol::HunkLine;

/// Longer lines are marked as a whole by their colour alone.
const LONGEST: usize = 2_000;
/// Bytes of a whole diff that are compared word by word: what a person looks at.
pub(super) const BUDGET: usize = 400_000;
/// Below this likeness (0 to 1) marks would cover nearly everything and say nothing.
const LEAST_RATIO: f32 = 0.4;

/// Marks the words that differ. `rows` holds `removed` lines taken out, then those put in; the
/// first of each are a pair, and so on.
/// Takes from `budget` what it costs, and ends when that is used up.
pub(super) fn mark_words(rows: &mut [HunkLine], removed: usize, budget: &mut usize) {
    let (old, new) = rows.split_at_mut(removed);
    for (old, new) in old.iter_mut().zip(new) {
        let Some(left) = budget.checked_sub(old.text.len() + new.text.len()) else { return };
        *budget = left;
        if old.text.len().max(new.text.len()) > LONGEST {
            continue;
        }
        let (before, after) = (tokens(&old.text), tokens(&new.text));
        let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&before, &after);
        let same = old.text.trim_end() == new.text.trim_end();
        if diff.ratio() < LEAST_RATIO && !same {
            continue;
        }
        let mut spans = (Spans::default(), Spans::default());
        for op in diff.ops() {
            let (tag, left, right) = op.as_tag_tuple();
            let changed = tag != DiffTag::Equal;
            left.for_each(|i| spans.0.push(before[i], changed));
            right.for_each(|i| spans.1.push(after[i], changed));
        }
        old.changed = spans.0.ranges;
        new.changed = spans.1.ranges;
    }
}

/// Runs of letters, digits and `_`, runs of blanks, and each other character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        ' ' | '\t' => 2,
        _ => 0,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let class = class(c);
        if at > start && (class == 0 || last != Some(class)) {
            out.push(&text[start..at]);
            start = at;
        }
        last = Some(class);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// Byte ranges of the changed tokens, neighbours joined.
#[derive(Default)]
struct Spans {
    ranges: Vec<(u32, u32)>,
    at: u32,
}

impl Spans {
    fn push(&mut self, token: &str, changed: bool) {
        let from = self.at;
        self.at += u32::try_from(token.len()).unwrap_or(0);
        if !changed {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if last.1 == from => last.1 = self.at,
            _ => self.ranges.push((from, self.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_words_blanks_and_signs() {
        for (text, expected) in [
            ("", vec![]),
            ("a_1  = [b]", vec!["a_1", "  ", "=", " ", "[", "b", "]"]),
            ("é😀é", vec!["é", "😀", "é"]),
            ("((", vec!["(", "("]),
        ] {
            assert_eq!(tokens(text), expected, "{text:?}");
        }
    }
}
