//! Columns: how many cells of a terminal a text takes.
//!
//! The sum over grapheme clusters, since that is how a text is laid into cells; the width of a
//! whole string by `unicode-width` can differ from it.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes on one row. Control characters must not reach it ([`super::clean()`]);
/// they count as nothing here.
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { graphemes(text).map(|(_, columns)| columns).sum() }
}

/// The grapheme clusters of `text`, each with its columns.
pub fn graphemes(text: &str) -> Graphemes<'_> {
    Graphemes { rest: text }
}

/// Whether every byte is one printable ASCII character and so one column.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// See [`graphemes`].
#[derive(Debug, Clone)]
pub struct Graphemes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Graphemes<'a> {
    type Item = (&'a str, usize);

    fn next(&mut self) -> Option<(&'a str, usize)> {
        let first = self.rest.chars().next()?;
        let next = self.rest[first.len_utf8()..].chars().next();
        // Most text needs no segmentation rules: nothing joins onto one of these characters when
        // another one of them follows.
        if let Some(columns) = stands_alone(first)
            && next.is_none_or(|next| stands_alone(next).is_some())
        {
            let (cluster, rest) = self.rest.split_at(first.len_utf8());
            self.rest = rest;
            return Some((cluster, columns));
        }
        let cluster = self.rest.graphemes(true).next()?;
        self.rest = &self.rest[cluster.len()..];
        Some((cluster, cluster_width(cluster)))
    }
}

/// Columns of a character that neither joins the one before nor takes part in any cluster with
/// another character of this kind.
fn stands_alone(c: char) -> Option<usize> {
    match c {
        ' '..='~' => Some(1),
        // Kana without their combining marks, and unified ideographs.
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' => Some(2),
        _ => None,
    }
}

fn cluster_width(cluster: &str) -> usize {
    if cluster.chars().any(char::is_control) {
        return 0;
    }
    // Terminals give a halfwidth voiced mark a cell of its own, though it joins the cluster.
    let marks = cluster.chars().filter(|c| matches!(c, '\u{ff9e}' | '\u{ff9f}')).count();
    cluster.width() + marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::buffer::CellWidth;

    #[test]
    fn columns_of_texts() {
        for (text, columns) in [
            ("", 0),
            ("plain", 5),
            ("漢字", 4),
            ("かな", 4),
            ("e\u{301}", 1),
            ("👩‍👩‍👧", 2),
            ("🇩🇪🇫🇷", 4),
            ("❤\u{fe0f}", 2),
            ("a漢b", 4),
            ("\u{200d}", 0),
        ] {
            assert_eq!(width(text), columns, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_cells_of_the_drawing_library(text in "\\PC{0,40}|[ｶﾞﾊﾟa漢]{0,9}") {
            let clusters: Vec<(&str, usize)> = text
                .graphemes(true)
                .map(|c| (c, usize::from(c.cell_width())))
                .collect();
            prop_assert_eq!(graphemes(&text).collect::<Vec<_>>(), clusters);
        }
    }
}
