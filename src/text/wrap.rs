//! Wrapping of styled text at words, on grapheme clusters.
//!
//! Where the rows break depends on the text alone: cutting it into other pieces or giving them
//! other styles never moves a break, so colours can come later without a row jumping.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use crate::text::width as columns;
use crate::text::width::{graphemes, is_plain};

/// A run of text in one style.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Piece<S> {
    pub text: String,
    pub style: S,
}

impl<S> Piece<S> {
    pub fn new(text: impl Into<String>, style: S) -> Piece<S> {
        Piece { text: text.into(), style }
    }
}

/// Breaks `pieces` into rows of at most `width` columns. A line feed ends a row; rows that go on
/// with the same line are indented by `hang` columns.
///
/// Words stay whole when they fit into a row, except behind an indent that leaves them no room;
/// spaces at a break go with the row before and are
/// dropped. A single grapheme wider than `width` gets a row to itself. No pieces give one empty
/// row.
pub fn wrap<S: Clone + PartialEq + Default>(
    pieces: &[Piece<S>],
    width: usize,
    hang: usize,
) -> Vec<Vec<Piece<S>>> {
    let joined: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let hang = effective_hang(width, hang);
    let mut cutter = Cutter::new(&joined, pieces);
    rows(&joined, width, hang)
        .into_iter()
        .map(|row| {
            let indent = if row.continues { hang } else { 0 };
            // A single cluster may be wider than what the indent leaves; then the indent gives way.
            let room = width.saturating_sub(columns(&joined[row.range.clone()]));
            cutter.cut(row.range, indent.min(room))
        })
        .collect()
}

/// One row of a wrapped text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Bytes of the text; neither the line feed nor the spaces dropped at a break are in it.
    pub range: Range<usize>,
    /// Whether the row goes on with the line of the row before.
    pub continues: bool,
}

/// The rows of `text` as byte ranges; see [`wrap`].
pub fn rows(text: &str, width: usize, hang: usize) -> Vec<Row> {
    let width = width.max(1);
    let hang = effective_hang(width, hang);
    let mut rows = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        wrap_line(line, start, width, hang, &mut rows);
        start += line.len() + 1;
    }
    rows
}

/// An indent that leaves at least half of the row, and room for a wide character.
fn effective_hang(width: usize, hang: usize) -> usize {
    hang.min(width / 2).min(width.saturating_sub(2))
}

fn wrap_line(line: &str, offset: usize, width: usize, hang: usize, rows: &mut Vec<Row>) {
    let mut at = 0;
    let mut continues = false;
    loop {
        let limit = if continues { width - hang } else { width };
        let (end, next) = match row_end(&line[at..], limit) {
            Some((end, next)) => (at + end, Some(at + next)),
            None => (line.len(), None),
        };
        rows.push(Row { range: offset + at..offset + end, continues });
        match next {
            Some(next) => (at, continues) = (next, true),
            None => return,
        }
    }
}

/// Where the first row of `text` ends and where the next one starts; `None` when all of it fits.
fn row_end(text: &str, limit: usize) -> Option<(usize, usize)> {
    if text.len() <= limit && is_plain(text) {
        return None;
    }
    let mut at = 0; // byte of the cluster
    let mut used = 0; // columns before it
    let mut word = 0; // where the word that it belongs to starts
    let mut blank = true; // only spaces so far
    let mut before = (" ", 1); // the cluster before
    for (cluster, columns) in graphemes(text) {
        let is_space = cluster == " ";
        if starts_word(before, (cluster, columns)) {
            word = at;
        }
        // Spaces that do not fit hang over the edge, to be dropped; but not those of an indent.
        if used + columns > limit && at > 0 && (!is_space || blank) {
            let kept = text[..word].trim_end_matches(' ').len();
            return Some(if kept > 0 { (kept, word) } else { (at, at) });
        }
        blank &= is_space;
        before = (cluster, columns);
        used += columns;
        at += cluster.len();
    }
    let kept = text.trim_end_matches(' ').len();
    (used > limit && kept > 0 && kept < text.len()).then_some((kept, text.len()))
}

/// A word begins after a space, and at either side of a wide character (which is how Chinese and
/// Japanese break) unless punctuation would be parted from what it closes.
fn starts_word(before: (&str, usize), (cluster, columns): (&str, usize)) -> bool {
    const CLOSING: &str = ",.!?:;)]}'\"%，．。、！？：；）］｝」』】〉》”’…";
    const OPENING: &str = "([{（［｛「『【〈《“‘";
    if cluster == " " {
        return false;
    }
    before.0 == " "
        || ((columns > 1 || before.1 > 1)
            && !CLOSING.contains(cluster)
            && !OPENING.contains(before.0))
}

/// Cuts the joined text of pieces into rows of pieces, along ascending ranges.
struct Cutter<'a, S> {
    text: &'a str,
    /// Where each piece ends, moved to the end of a cluster that two pieces share: half a cluster
    /// has no width of its own and would be drawn wrong or not at all.
    ends: Vec<(usize, &'a S)>,
    piece: usize,
}

impl<'a, S: Clone + PartialEq + Default> Cutter<'a, S> {
    fn new(text: &'a str, pieces: &'a [Piece<S>]) -> Cutter<'a, S> {
        let mut at = 0;
        let ends = pieces.iter().map(|piece| {
            at += piece.text.len();
            (cluster_end(text, at), &piece.style)
        });
        Cutter { text, ends: ends.collect(), piece: 0 }
    }

    fn cut(&mut self, range: Range<usize>, indent: usize) -> Vec<Piece<S>> {
        let mut row: Vec<Piece<S>> = Vec::new();
        if indent > 0 {
            row.push(Piece::new(" ".repeat(indent), S::default()));
        }
        let mut at = range.start;
        while at < range.end {
            let Some((end, style)) = self.ends.get(self.piece).copied() else { break };
            if end <= at {
                self.piece += 1;
                continue;
            }
            let stop = end.min(range.end);
            match row.last_mut() {
                Some(last) if last.style == *style && at > range.start => {
                    last.text.push_str(&self.text[at..stop]);
                }
                _ => row.push(Piece::new(&self.text[at..stop], style.clone())),
            }
            at = stop;
        }
        row
    }
}

/// The first border of grapheme clusters at or after `at`.
fn cluster_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let is_ascii = |index: usize| bytes.get(index).is_none_or(u8::is_ascii);
    if at == 0 || at >= text.len() || (is_ascii(at - 1) && is_ascii(at)) {
        return at;
    }
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) | Err(_) => at,
        Ok(false) => cursor.next_boundary(text, 0).ok().flatten().unwrap_or(text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;
    use proptest::prelude::*;

    fn plain(text: &str, columns: usize, hang: usize) -> Vec<String> {
        wrap(&[Piece::new(text, ())], columns, hang)
            .into_iter()
            .map(|row| row.into_iter().map(|piece| piece.text).collect())
            .collect()
    }

    #[test]
    fn rows_of_texts() {
        for (text, columns, hang, rows) in [
            ("", 10, 0, vec![""]),
            ("one two three", 7, 0, vec!["one two", "three"]),
            ("one two three", 8, 2, vec!["one two", "  three"]),
            ("one  two", 4, 0, vec!["one", "two"]),
            ("a\n\nb", 4, 2, vec!["a", "", "b"]),
            ("abcdefgh", 3, 0, vec!["abc", "def", "gh"]),
            ("an abcdefgh", 4, 1, vec!["an", " abc", " def", " gh"]),
            ("    indented words", 12, 4, vec!["    indented", "    words"]),
            ("漢字漢字", 5, 0, vec!["漢字", "漢字"]),
            ("漢字漢字。", 8, 0, vec!["漢字漢", "字。"]),
            ("ab漢字", 3, 0, vec!["ab", "漢", "字"]),
            ("漢", 1, 0, vec!["漢"]),
            ("word   ", 4, 0, vec!["word", ""]),
        ] {
            assert_eq!(plain(text, columns, hang), rows, "{text:?} in {columns}");
        }
    }

    #[test]
    fn styles_stay_with_their_text() {
        let pieces = [Piece::new("one t", 1), Piece::new("wo thr", 2), Piece::new("ee", 1)];
        let rows = wrap(&pieces, 7, 0);
        assert_eq!(
            rows,
            [
                vec![Piece::new("one t", 1), Piece::new("wo", 2)],
                vec![Piece::new("thr", 2), Piece::new("ee", 1)],
            ]
        );
    }

    #[test]
    fn a_cluster_shared_by_two_pieces_goes_to_the_first() {
        let rows = wrap(&[Piece::new("e", 1), Piece::new("\u{301}x", 2)], 9, 0);
        assert_eq!(rows, [vec![Piece::new("e\u{301}", 1), Piece::new("x", 2)]]);
    }

    /// Text of the kinds that break differently, without control characters.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z ]{0,60}",
            "[a-z漢字、。 \n]{0,40}",
            "\\PC{0,40}",
            "( {0,30}[a-z]{0,30}){0,4}",
        ]
    }

    proptest! {
        #[test]
        fn rows_fit_and_lose_nothing_but_spaces(text in text(), columns in 2usize..30, hang in 0usize..9) {
            let rows = plain(&text, columns, hang);
            for row in &rows {
                let widest = graphemes(row).map(|(_, columns)| columns).max().unwrap_or(0);
                prop_assert!(width(row) <= columns.max(widest), "{row:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| *c != ' ' && *c != '\n').collect::<String>();
            prop_assert_eq!(letters(&rows.concat()), letters(&text));
        }

        #[test]
        fn words_that_fit_stay_whole(text in "([a-z][a-z ]{0,60})?", columns in 8usize..30) {
            let rows = plain(&text, columns, 2);
            let words = rows.iter().flat_map(|row| row.split_whitespace());
            if text.split_whitespace().all(|word| word.len() <= columns - 2) {
                prop_assert!(words.eq(text.split_whitespace()));
            }
        }

        #[test]
        fn cutting_into_pieces_moves_no_break(text in text(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6), columns in 2usize..20) {
            let mut at: Vec<usize> = cuts.iter()
                .map(|cut| cut.index(text.len() + 1))
                .filter(|at| text.is_char_boundary(*at))
                .collect();
            at.push(text.len());
            at.sort_unstable();
            let mut start = 0;
            let pieces: Vec<Piece<usize>> = at.iter().enumerate().map(|(style, end)| {
                let piece = Piece::new(&text[start..*end], style);
                start = *end;
                piece
            }).collect();
            let rows: Vec<String> = wrap(&pieces, columns, 3).into_iter()
                .map(|row| row.into_iter().map(|piece| piece.text).collect())
                .collect();
            prop_assert_eq!(rows, plain(&text, columns, 3));
        }
    }
}
