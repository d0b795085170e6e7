//! Fenced code blocks (CommonMark 0.31.2, section 4.5) and the rows of code.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::highlight::Runs;
use crate::text::clean::Mode;
use crate::text::{self, Piece};
use crate::view::code;
use crate::view::rows::line as row;
use crate::view::theme::Theme;

/// Columns that code is moved to the right.
const INDENT: usize = 2;

/// The line that opened a code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::view) struct Fence {
    mark: char,
    len: usize,
    indent: usize,
    /// The language, as written.
    pub lang: String,
}

impl Fence {
    pub fn opened_by(line: &str) -> Option<Fence> {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let len = text.chars().take_while(|c| *c == mark).count();
        let lang = text[len..].split_whitespace().next().unwrap_or("").to_string();
        (len >= 3 && indent <= 3).then_some(Fence { mark, len, indent, lang })
    }

    pub fn is_closed_by(&self, line: &str) -> bool {
        let text = line.trim_start_matches(' ');
        let marks = text.chars().take_while(|c| *c == self.mark).count();
        line.len() - text.len() <= 3 && marks >= self.len && text[marks..].trim().is_empty()
    }

    /// Whether the character is one that the block's fence is made of.
    pub fn is_mark(&self, c: char) -> bool {
        c == self.mark
    }

    /// What of a line of the block is code.
    pub fn code<'a>(&self, line: &'a str) -> &'a str {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let spaces = line.bytes().take(self.indent).take_while(|byte| *byte == b' ').count();
        &line[spaces..]
    }

    /// The row above the code that names the language.
    pub fn label(&self, width: usize, theme: &Theme) -> Option<Line<'static>> {
        let pieces = label(&self.lang, width, theme)?;
        Some(row(pieces).style(theme.code_background))
    }
}

pub(super) fn label(lang: &str, width: usize, theme: &Theme) -> Option<Vec<Piece<Style>>> {
    let word = lang.split([' ', ',', '{', '\t']).next().filter(|word| !word.is_empty())?;
    let word = text::clean(word, Mode::Name);
    let text = text::clip::end(&word, width.saturating_sub(INDENT));
    Some(vec![Piece::new(format!("{:INDENT$}{text}", ""), theme.faint)])
}

/// The rows of one line of code.
pub(in crate::view) fn code_line(
    line: &str,
    runs: Option<&Runs>,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let rows = code_pieces(line, runs, width, theme).into_iter().map(row);
    rows.map(|line| line.style(theme.code_background)).collect()
}

pub(super) fn code_pieces(
    line: &str,
    runs: Option<&Runs>,
    width: usize,
    theme: &Theme,
) -> Vec<Vec<Piece<Style>>> {
    let pieces = code::pieces(line, runs, theme, theme.text);
    let indent = if width > 4 * INDENT { INDENT } else { 0 };
    let mut rows = text::wrap(&pieces, width - indent, INDENT);
    for row in rows.iter_mut().filter(|row| indent > 0 && !row.is_empty()) {
        row.insert(0, Piece::new(" ".repeat(indent), Style::new()));
    }
    rows
}
