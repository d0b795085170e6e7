//! Hunks of two texts.

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use crate::diff::words::{BUDGET, mark_words};
use crate::protocol::{Hunk, HunkLine, LineKind};

/// The whole difference of two texts, each run of changes with up to `context` lines around it.
/// Equal texts give no hunks.
pub fn hunks(old: &str, new: &str, context: usize) -> Vec<Hunk> {
    let (before, after) = (lines(old), lines(new));
    let ops = changes(&before, &after);
    let mut words = BUDGET;
    let groups = group_diff_ops(ops, context);
    groups.iter().map(|group| hunk(group, &before, &after, &mut words)).collect()
}

/// Lines added and removed, in this order.
pub fn counts(hunks: &[Hunk]) -> (u32, u32) {
    let of = |kind| hunks.iter().flat_map(|hunk| &hunk.lines).filter(|l| l.kind == kind).count();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(of(LineKind::Added)), number(of(LineKind::Removed)))
}

/// Lines with their ends.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Above this many changed lines on the two sides together, the middle is shown as one
/// replacement: nobody reads such a diff line by line, and the search for a small one gets long.
const MOST_LINES: usize = 60_000;

fn changes(before: &[&str], after: &[&str]) -> Vec<DiffOp> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (rest_before, rest_after) = (&before[head..], &after[head..]);
    let tail =
        rest_before.iter().rev().zip(rest_after.iter().rev()).take_while(|(a, b)| a == b).count();
    let old_len = rest_before.len() - tail;
    let new_len = rest_after.len() - tail;
    if old_len + new_len <= MOST_LINES {
        return capture_diff_slices(Algorithm::Myers, before, after);
    }
    [
        DiffOp::Equal { old_index: 0, new_index: 0, len: head },
        DiffOp::Replace { old_index: head, old_len, new_index: head, new_len },
        DiffOp::Equal { old_index: head + old_len, new_index: head + new_len, len: tail },
    ]
    .into_iter()
    .filter(|op| !op.old_range().is_empty() || !op.new_range().is_empty())
    .collect()
}

fn hunk(ops: &[DiffOp], before: &[&str], after: &[&str], words: &mut usize) -> Hunk {
    let mut rows = Vec::new();
    for op in ops {
        let (tag, old, new) = op.as_tag_tuple();
        let (removed, added) = (&before[old], &after[new]);
        if tag == DiffTag::Equal {
            rows.extend(removed.iter().map(|text| row(LineKind::Context, text)));
            continue;
        }
        let start = rows.len();
        rows.extend(removed.iter().map(|text| row(LineKind::Removed, text)));
        rows.extend(added.iter().map(|text| row(LineKind::Added, text)));
        if tag == DiffTag::Replace {
            mark_words(&mut rows[start..], removed.len(), words);
        }
    }
    Hunk {
        old_start: start(ops.first().map(|op| op.old_range()), before.len()),
        new_start: start(ops.first().map(|op| op.new_range()), after.len()),
        lines: rows,
    }
}

fn start(range: Option<std::ops::Range<usize>>, len: usize) -> u32 {
    if len == 0 {
        return 0;
    }
    range.map_or(0, |range| u32::try_from(range.start + 1).unwrap_or(u32::MAX))
}

fn row(kind: LineKind, line: &str) -> HunkLine {
    let (text, no_newline) = match line.strip_suffix('\n') {
        Some(text) => (text, false),
        None => (line, true),
    };
    HunkLine { kind, text: text.to_owned(), changed: Vec::new(), no_newline }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hunks as a person reads them: `@old,new`, then one line a row; `[` `]` around word marks,
    /// `$` after a line without an end.
    fn show(hunks: &[Hunk]) -> String {
        let mut out = String::new();
        for hunk in hunks {
            out += &format!("@{},{}", hunk.old_start, hunk.new_start);
            for line in &hunk.lines {
                let mut text = line.text.clone();
                for &(from, to) in line.changed.iter().rev() {
                    text.insert(to as usize, ']');
                    text.insert(from as usize, '[');
                }
                let mark = match line.kind {
                    LineKind::Context => ' ',
                    LineKind::Removed => '-',
                    LineKind::Added => '+',
                };
                out += &format!("|{mark}{text}{}", if line.no_newline { "$" } else { "" });
            }
            out += "\n";
        }
        out
    }

    #[test]
    fn hunks_read_as_expected() {
        for (old, new, expected) in [
            ("", "", ""),
            ("a\n", "a\n", ""),
            ("", "a\n", "@0,1|+a\n"),
            ("a\n", "", "@1,0|-a\n"),
            ("a", "a\n", "@1,1|-a$|+a\n"),
            ("a\r\n", "a\n", "@1,1|-a[\r]|+a\n"),
            ("a \n", "a\n", "@1,1|-a[ ]|+a\n"),
            (
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                "1\n2\nx\n4\n5\n6\n7\n8\ny\n",
                "@2,2| 2|-3|+x| 4\n@8,8| 8|-9|+y\n",
            ),
            (
                "let byte = self.bytes[self.pos];\n",
                "let byte = *self.bytes.get(self.pos)?;\n",
                "@1,1|-let byte = self.bytes[[]self.pos[]];|+let byte = [*]self.bytes[.get(]self.pos[)?];\n",
            ),
        ] {
            assert_eq!(show(&hunks(old, new, 1)), expected, "{old:?} to {new:?}");
        }
    }

    #[test]
    fn counts_are_of_lines() {
        assert_eq!(counts(&hunks("a\nb\nc\n", "a\nx\ny\nc\n", 3)), (2, 1));
    }

    #[test]
    fn a_huge_rewrite_is_one_replacement() {
        let old: String = (0..40_000).map(|n| format!("old {n}\n")).collect();
        let new: String = (0..40_000).map(|n| format!("new {n}\n")).collect();
        let text = |middle: &str| format!("head\n{middle}tail\n");
        let hunks = hunks(&text(&old), &text(&new), 3);
        assert_eq!((hunks.len(), counts(&hunks)), (1, (40_000, 40_000)));
    }
}
