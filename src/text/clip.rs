//! Shortening: to a width with an ellipsis, or to the ends of a long list with a counted gap.

use std::borrow::Cow;
use std::ops::Range;

use crate::text::width::{graphemes, width};
use crate::text::wrap::Piece;

const ELLIPSIS: &str = "…";

/// Paths of more folders are cut like any text: choosing among them would take quadratic time.
const MOST_FOLDERS: usize = 64;

/// `text` in at most `columns`, its end replaced by `…` where it is longer.
pub fn end(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    match columns {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{}{ELLIPSIS}", &text[..head_len(text, columns - 1)])),
    }
}

/// `text` in at most `columns`, its beginning replaced by `…` where it is longer.
pub fn start(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    match columns {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{ELLIPSIS}{}", &text[tail_start(text, columns - 1)..])),
    }
}

/// A path in at most `columns`: its middle folders become `…`, then its beginning is cut, so
/// that the file name is what stays longest.
pub fn path(path: &str, columns: usize) -> Cow<'_, str> {
    if width(path) <= columns {
        return Cow::Borrowed(path);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let Some((name, folders)) = parts.split_last() else { return Cow::Borrowed(path) };
    if folders.len() > MOST_FOLDERS {
        return start(path, columns);
    }
    // Folders are taken back from both ends in turn, the first one first.
    let (mut head, mut tail) = (0, folders.len());
    let mut best = None;
    while head < tail {
        let shown = |head: usize, tail: usize| {
            let ends = [&folders[..head], &[ELLIPSIS], &folders[tail..], &[*name]];
            ends.concat().join("/")
        };
        let candidates = [(head + 1, tail), (head, tail - 1)];
        let first = usize::from(head > folders.len() - tail);
        let fits = [first, 1 - first]
            .into_iter()
            .map(|index| candidates[index])
            .filter(|(head, tail)| head < tail)
            .find(|(head, tail)| width(&shown(*head, *tail)) <= columns);
        match fits {
            Some((h, t)) => {
                (head, tail) = (h, t);
                best = Some(shown(head, tail));
            }
            None => break,
        }
    }
    let short = best.unwrap_or_else(|| format!("{ELLIPSIS}/{name}"));
    if width(&short) <= columns { Cow::Owned(short) } else { start(path, columns) }
}

/// Styled text in at most `columns`, with `…` in the style of the piece that was cut.
pub fn pieces<S: Clone>(pieces: &[Piece<S>], columns: usize) -> Vec<Piece<S>> {
    let total: usize = pieces.iter().map(|piece| width(&piece.text)).sum();
    if total <= columns {
        return pieces.to_vec();
    }
    let mut left = columns.saturating_sub(1);
    let mut kept = Vec::new();
    for piece in pieces {
        let columns_of_piece = width(&piece.text);
        if columns_of_piece <= left {
            left -= columns_of_piece;
            kept.push(piece.clone());
            continue;
        }
        if columns > 0 {
            let text = format!("{}{ELLIPSIS}", &piece.text[..head_len(&piece.text, left)]);
            kept.push(Piece { text, style: piece.style.clone() });
        }
        break;
    }
    kept
}

/// The two ends of a long list and the number of items between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    pub head: Range<usize>,
    pub hidden: usize,
    pub tail: Range<usize>,
}

/// Which of `count` items to show when `head` and `tail` of them may be; `None` when all may. A
/// gap of one is never made, since the line that tells of it takes the same room.
pub fn ends(count: usize, head: usize, tail: usize) -> Option<Ends> {
    let hidden = count.saturating_sub(head.saturating_add(tail));
    (hidden > 1).then(|| Ends { head: 0..head, hidden, tail: count - tail..count })
}

/// Bytes of the longest beginning of `text` in `columns`.
pub fn head_len(text: &str, columns: usize) -> usize {
    let mut used = 0;
    graphemes(text)
        .take_while(|(_, width)| {
            used += width;
            used <= columns
        })
        .map(|(cluster, _)| cluster.len())
        .sum()
}

/// Byte where the longest end of `text` in `columns` starts.
fn tail_start(text: &str, columns: usize) -> usize {
    let mut over = width(text).saturating_sub(columns);
    let mut at = 0;
    for (cluster, width) in graphemes(text) {
        if over == 0 {
            break;
        }
        over = over.saturating_sub(width);
        at += cluster.len();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts() {
        for (text, columns, at_end, at_start) in [
            ("short", 5, "short", "short"),
            ("longer", 5, "long…", "…nger"),
            ("漢字漢字", 4, "漢…", "…字"),
            ("x", 0, "", ""),
            ("xy", 1, "…", "…"),
        ] {
            assert_eq!(end(text, columns), at_end);
            assert_eq!(start(text, columns), at_start);
        }
    }

    #[test]
    fn paths_lose_their_middle_first() {
        for (text, columns, short) in [
            ("src/main.rs", 20, "src/main.rs"),
            ("src/view/markdown/table.rs", 25, "src/…/markdown/table.rs"),
            ("src/view/markdown/table.rs", 22, "src/view/…/table.rs"),
            ("src/view/markdown/table.rs", 18, "src/…/table.rs"),
            ("src/view/markdown/table.rs", 12, "…/table.rs"),
            ("src/view/markdown/table.rs", 6, "…le.rs"),
            ("/home/someone/project/file", 16, "/…/project/file"),
        ] {
            assert_eq!(path(text, columns), short, "{columns}");
        }
    }

    #[test]
    fn pieces_are_cut_in_their_style() {
        let row = [Piece::new("ab", 1), Piece::new("cdef", 2), Piece::new("gh", 1)];
        assert_eq!(pieces(&row, 8), row);
        assert_eq!(pieces(&row, 5), [Piece::new("ab", 1), Piece::new("cd…", 2)]);
        assert_eq!(pieces(&row, 3), [Piece::new("ab", 1), Piece::new("…", 2)]);
    }

    #[test]
    fn a_gap_counts_what_it_hides() {
        assert_eq!(ends(10, 3, 4), Some(Ends { head: 0..3, hidden: 3, tail: 6..10 }));
        assert_eq!(ends(8, 3, 4), None);
        assert_eq!(ends(7, 3, 4), None);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in "[a-z/漢]{0,30}", columns in 0usize..20) {
            prop_assert!(width(&end(&text, columns)) <= columns);
            prop_assert!(width(&start(&text, columns)) <= columns);
            prop_assert!(width(&path(&text, columns)) <= columns);
            let row = [Piece::new(text, ())];
            let cut: usize = pieces(&row, columns).iter().map(|piece| width(&piece.text)).sum();
            prop_assert!(cut <= columns);
        }
    }
}
