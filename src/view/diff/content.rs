//! The text of one line: token colours under word marks, invisible characters made visible.

use std::ops::Range;

use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthChar;

use crate::highlight::{Class, Runs};
use crate::protocol::{HunkLine, LineKind};
use crate::text::Piece;
use crate::text::clean::{Mark, Mode, judged};
use crate::view::theme::Theme;

const TAB: usize = 4;

/// What to show of a line besides its text.
#[derive(Debug, Clone)]
pub(super) struct Show<'a> {
    pub runs: Option<&'a Runs>,
    /// The part in which it differs from its partner, where that is nothing but white space.
    pub blanks: Range<usize>,
    /// A carriage return at its end is worth showing.
    pub returns: bool,
    /// It is not to be applied.
    pub dropped: bool,
}

pub(super) fn pieces(line: &HunkLine, show: &Show<'_>, theme: &Theme) -> Vec<Piece<Style>> {
    let styles = Styles::of(line.kind, show.dropped, theme);
    let text = line.text.as_str();
    let blank_from = text.trim_end().len();
    let mut changed = Cursor::new(line.changed.iter().map(|(start, end)| (*start..*end, ())));
    let runs = show.runs.filter(|_| styles.tokens).into_iter().flatten();
    let mut runs = Cursor::new(runs.map(|(range, class)| (range.clone(), *class)));
    let mut out = Out::default();
    for (at, c, mark) in judged(text, Mode::Name) {
        let class = runs.at(at).map_or(Class::Plain, |(_, class)| class);
        let word = changed.at(at);
        let mut style = styles.line;
        if styles.tokens {
            style = style.patch(theme.token(class));
        }
        if word.is_some() {
            style = style.patch(styles.word);
        }
        // Blanks are shown where they are what changed, and at the end of a new line.
        let blank_word = || {
            let range = word.as_ref().map(|(range, ())| range.start as usize..range.end as usize);
            range.and_then(|range| text.get(range)).is_some_and(|text| text.trim().is_empty())
        };
        let is_end = at >= blank_from;
        let visible = c.is_whitespace()
            && (show.blanks.contains(&at)
                || (is_end && line.kind == LineKind::Added)
                || blank_word());
        match c {
            '\t' => out.tab(visible, style),
            ' ' if visible => out.push('·', style),
            '\r' if at + 1 == text.len() => {
                if show.returns {
                    out.push('␍', style);
                }
            }
            _ if mark == Mark::Odd => {
                let style = style.add_modifier(Modifier::UNDERLINED);
                c.escape_unicode().for_each(|c| out.push(c, style));
            }
            _ => out.push(c, style),
        }
    }
    out.pieces
}

#[derive(Debug)]
struct Styles {
    line: Style,
    word: Style,
    tokens: bool,
}

impl Styles {
    fn of(kind: LineKind, dropped: bool, theme: &Theme) -> Styles {
        let (line, word) = match kind {
            LineKind::Context => (Style::new(), Style::new()),
            LineKind::Added => (theme.added_line, theme.added_word),
            LineKind::Removed => (theme.removed_line, theme.removed_word),
        };
        if dropped {
            let line = if kind == LineKind::Context { theme.faint } else { super::dropped(theme) };
            return Styles { line, word: Style::new(), tokens: false };
        }
        // Where a line has a colour instead of a background, tokens would hide what it means.
        Styles { line: theme.text.patch(line), word, tokens: line.fg.is_none() }
    }
}

/// Ascending ranges, asked for one byte after the other.
struct Cursor<T, I: Iterator<Item = (Range<u32>, T)>> {
    rest: I,
    current: Option<(Range<u32>, T)>,
}

impl<T: Copy, I: Iterator<Item = (Range<u32>, T)>> Cursor<T, I> {
    fn new(mut rest: I) -> Self {
        let current = rest.next();
        Cursor { rest, current }
    }

    fn at(&mut self, at: usize) -> Option<(Range<u32>, T)> {
        while self.current.as_ref().is_some_and(|(range, _)| range.end as usize <= at) {
            self.current = self.rest.next();
        }
        self.current.clone().filter(|(range, _)| range.start as usize <= at)
    }
}

#[derive(Debug, Default)]
struct Out {
    pieces: Vec<Piece<Style>>,
    column: usize,
}

impl Out {
    fn push(&mut self, c: char, style: Style) {
        self.column += c.width().unwrap_or(0);
        match self.pieces.last_mut() {
            Some(last) if last.style == style => last.text.push(c),
            _ => self.pieces.push(Piece::new(c, style)),
        }
    }

    fn tab(&mut self, visible: bool, style: Style) {
        let columns = TAB - self.column % TAB;
        self.push(if visible { '→' } else { ' ' }, style);
        (1..columns).for_each(|_| self.push(' ', style));
    }
}
