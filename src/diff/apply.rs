//! The text that some of the hunks make.

use crate::diff::hunks::lines;
use crate::protocol::{Hunk, LineKind};

/// The hunks are not of this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hunk {hunk} does not fit the text at line {line}")]
pub struct Mismatch {
    /// From 1, as people count.
    pub hunk: usize,
    pub line: usize,
}

/// What becomes of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    Drop,
    Keep,
    /// This text in the place of all its lines, context included.
    Become(&'a str),
}

/// `old` with the hunks whose numbers (from 0) are in `kept`; the others stay as they were.
/// Numbers that name no hunk count for nothing. Bytes outside the kept hunks are those of `old`.
pub fn apply(old: &str, hunks: &[Hunk], kept: &[usize]) -> Result<String, Mismatch> {
    let choice = |number| if kept.contains(&number) { Choice::Keep } else { Choice::Drop };
    let choices: Vec<Choice<'_>> = (0..hunks.len()).map(choice).collect();
    apply_choices(old, hunks, &choices)
}

/// The same with a choice for each hunk; those without one are dropped.
pub fn apply_choices(
    old: &str,
    hunks: &[Hunk],
    choices: &[Choice<'_>],
) -> Result<String, Mismatch> {
    let before = lines(old);
    let mut out = String::with_capacity(old.len());
    let mut next = 0;
    let chosen = hunks.iter().zip(choices).enumerate();
    for (number, (hunk, choice)) in chosen.filter(|(_, (_, choice))| **choice != Choice::Drop) {
        let mismatch = |line: usize| Mismatch { hunk: number + 1, line: line + 1 };
        let start = (hunk.old_start as usize).saturating_sub(1);
        let untouched = before.get(next..start).ok_or_else(|| mismatch(start))?;
        out.extend(untouched.iter().copied());
        next = start;
        for row in &hunk.lines {
            if row.kind != LineKind::Added {
                let line = before.get(next).copied().unwrap_or_default();
                if line.strip_suffix('\n').unwrap_or(line) != row.text
                    || line.ends_with('\n') == row.no_newline
                {
                    return Err(mismatch(next));
                }
                next += 1;
            }
            if row.kind != LineKind::Removed && *choice == Choice::Keep {
                out.push_str(&row.text);
                out.push_str(if row.no_newline { "" } else { "\n" });
            }
        }
        if let Choice::Become(text) = choice {
            out.push_str(text);
            // What follows begins on a line of its own.
            if next < before.len() && !text.is_empty() && !text.ends_with('\n') {
                out.push('\n');
            }
        }
    }
    out.extend(before.get(next..).unwrap_or_default().iter().copied());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::hunks;

    #[test]
    fn kept_hunks_are_applied_and_the_others_are_not() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let new = "1\nb\n3\n4\n5\n6\n7\nh\n9\n";
        let hunks = hunks(old, new, 1);
        for (kept, expected) in [
            (vec![], old),
            (vec![0], "1\nb\n3\n4\n5\n6\n7\n8\n9"),
            (vec![1], "1\n2\n3\n4\n5\n6\n7\nh\n9\n"),
            (vec![1, 0, 7], new),
        ] {
            assert_eq!(apply(old, &hunks, &kept).as_deref(), Ok(expected), "{kept:?}");
        }
    }

    #[test]
    fn a_hunk_may_become_something_else() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let new = "1\nb\n3\n4\n5\n6\n7\nh\n9\n";
        let hunks = hunks(old, new, 1);
        for (choices, expected) in [
            ([Choice::Become("x\ny\n3\n"), Choice::Drop], "x\ny\n3\n4\n5\n6\n7\n8\n9"),
            ([Choice::Become("x"), Choice::Keep], "x\n4\n5\n6\n7\nh\n9\n"),
            ([Choice::Drop, Choice::Become("7\nend")], "1\n2\n3\n4\n5\n6\n7\nend"),
            ([Choice::Become(""), Choice::Drop], "4\n5\n6\n7\n8\n9"),
        ] {
            let got = apply_choices(old, &hunks, &choices);
            assert_eq!(got.as_deref(), Ok(expected), "{choices:?}");
        }
        assert!(apply_choices("a\n", &hunks, &[Choice::Become("x\n")]).is_err());
    }

    #[test]
    fn hunks_of_another_text_are_refused() {
        let hunks = hunks("a\nb\n", "a\nc\n", 3);
        for other in ["", "a\n", "a\nx\n", "a\nb"] {
            assert!(apply(other, &hunks, &[0]).is_err(), "{other:?}");
        }
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof!["a", "b", "c d", "", "é\r"], 0..30).prop_flat_map(
            |lines| {
                any::<bool>().prop_map(move |end| lines.join("\n") + if end { "\n" } else { "" })
            },
        )
    }

    proptest! {
        #[test]
        fn all_hunks_make_the_new_text(old in text(), new in text(), context in 0usize..4) {
            let hunks = hunks(&old, &new, context);
            let all: Vec<usize> = (0..hunks.len()).collect();
            prop_assert_eq!(apply(&old, &hunks, &all), Ok(new));
            prop_assert_eq!(apply(&old, &hunks, &[]), Ok(old));
        }
    }
}
