//! Changes of a file as rows: numbered lines, one under the other or side by side, with the words
//! that changed, the colours of the language and whatever is invisible made visible.
//!
//! Takes the text of hunks as it is in the file: it is cleaned here, where byte ranges can follow.
//! Backgrounds are styles of whole rows, so rows have to be drawn as widgets, not set as text.

mod content;
mod split;
mod unified;

use std::ops::Range;
use std::sync::Arc;

use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::highlight::{Runs, Tokens};
use crate::protocol::{Hunk, HunkLine, LineKind};
use crate::text::Piece;
use crate::view::code::Colours;
use crate::view::diff::content::Show;
use crate::view::rows::line as row;
use crate::view::theme::Theme;

/// Side by side needs at least this many columns.
pub const NARROWEST_SPLIT: u16 = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DiffStyle {
    /// One line under the other.
    #[default]
    Unified,
    /// Before at the left, after at the right; unified where it is too narrow for that.
    Split,
}

/// Which hunks are to be applied, for a dialog that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks<'a> {
    /// One for each hunk; those left out are kept.
    pub keep: &'a [bool],
    /// The hunk that the keys act on.
    pub current: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How<'a> {
    /// Columns.
    pub width: u16,
    pub style: DiffStyle,
    pub marks: Option<Marks<'a>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub rows: Vec<Line<'static>>,
    /// The first row of each hunk.
    pub starts: Vec<usize>,
}

/// The rows of `hunks`, which are changes of the file at `path` (whose name tells the language).
pub fn rows(
    path: &str,
    hunks: &[Hunk],
    width: u16,
    style: DiffStyle,
    theme: &Theme,
    colours: &mut Colours,
) -> Vec<Line<'static>> {
    draw(path, hunks, &How { width, style, marks: None }, theme, colours).rows
}

/// The same with marks for choosing among hunks, and where each hunk is.
pub fn draw(
    path: &str,
    hunks: &[Hunk],
    how: &How<'_>,
    theme: &Theme,
    colours: &mut Colours,
) -> Drawn {
    let highest = hunks.iter().flat_map(Numbered::of).map(|line| line.old.max(line.new)).max();
    let page = Page {
        width: usize::from(how.width),
        digits: highest.unwrap_or(0).max(1).ilog10() as usize + 1,
        marks: how.marks.is_some(),
        theme,
    };
    let mut drawn = Drawn { rows: Vec::new(), starts: Vec::new() };
    let mut unchanged_from = 1;
    for (index, hunk) in hunks.iter().enumerate() {
        let between = hunk.old_start.saturating_sub(unchanged_from);
        if index > 0 {
            drawn.rows.push(page.gap(between));
        }
        let old_lines = hunk.lines.iter().filter(|line| line.kind != LineKind::Added).count();
        unchanged_from = hunk.old_start.saturating_add(old_lines as u32);
        drawn.starts.push(drawn.rows.len());
        let mark = how.marks.map(|marks| Mark {
            keep: marks.keep.get(index).copied().unwrap_or(true),
            is_current: marks.current == index,
        });
        let side = Sides::of(path, hunk, colours);
        match how.style {
            DiffStyle::Split if how.width >= NARROWEST_SPLIT => {
                split::hunk(hunk, &side, mark, &page, &mut drawn.rows);
            }
            _ => unified::hunk(hunk, &side, mark, &page, &mut drawn.rows),
        }
    }
    drawn
}

/// What all rows share.
#[derive(Debug)]
struct Page<'a> {
    width: usize,
    /// Columns of the highest line number.
    digits: usize,
    /// Whether there is a column for marks.
    marks: bool,
    theme: &'a Theme,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    keep: bool,
    is_current: bool,
}

impl Page<'_> {
    fn gap(&self, lines: u32) -> Line<'static> {
        let text = match lines {
            0 => "⋯".to_string(),
            1 => "⋯ 1 unchanged line".to_string(),
            lines => format!("⋯ {lines} unchanged lines"),
        };
        let text = crate::text::clip::end(&text, self.width).into_owned();
        row(vec![Piece::new(text, self.theme.faint)])
    }

    /// Style of the whole row of a line.
    fn ground(&self, kind: LineKind, mark: Option<Mark>) -> Style {
        match kind {
            _ if mark.is_some_and(|mark| !mark.keep) => self.theme.faint,
            LineKind::Context => Style::new(),
            LineKind::Added => self.theme.added_line,
            LineKind::Removed => self.theme.removed_line,
        }
    }

    /// The two columns before a line's number; `here` on the first changed line of a hunk.
    fn mark(&self, mark: Option<Mark>, here: bool) -> Option<Piece<Style>> {
        let mark = mark.filter(|_| self.marks)?;
        let style = if mark.is_current { self.theme.accent } else { self.theme.faint };
        let text = match (here, mark.keep) {
            (true, true) => "■ ",
            (true, false) => "□ ",
            (false, _) => "  ",
        };
        Some(Piece::new(text, style))
    }

    fn number(&self, number: Option<u32>) -> Piece<Style> {
        let width = self.digits;
        let text = number.map_or(" ".repeat(width + 1), |number| format!("{number:>width$} "));
        Piece::new(text, self.theme.faint)
    }

    fn sign(&self, kind: LineKind) -> Piece<Style> {
        match kind {
            LineKind::Context => Piece::new("  ", Style::new()),
            LineKind::Added => Piece::new("+ ", self.theme.added),
            LineKind::Removed => Piece::new("- ", self.theme.removed),
        }
    }
}

/// A line with its numbers before and after.
#[derive(Debug, Clone, Copy)]
struct Numbered<'a> {
    line: &'a HunkLine,
    /// Place in the hunk.
    index: usize,
    old: u32,
    new: u32,
}

impl<'a> Numbered<'a> {
    fn of(hunk: &'a Hunk) -> impl Iterator<Item = Numbered<'a>> {
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        hunk.lines.iter().enumerate().map(move |(index, line)| {
            let numbered = Numbered { line, index, old, new };
            old = old.saturating_add(u32::from(line.kind != LineKind::Added));
            new = new.saturating_add(u32::from(line.kind != LineKind::Removed));
            numbered
        })
    }

    /// The number on the side that the line is on; after where it is on both.
    fn number(&self) -> u32 {
        if self.line.kind == LineKind::Removed { self.old } else { self.new }
    }
}

/// What is known of the two texts of a hunk besides their lines.
#[derive(Debug)]
struct Sides {
    old: Option<Arc<Tokens>>,
    new: Option<Arc<Tokens>>,
    /// For each line of the hunk, its place in the text of each side.
    places: Vec<(usize, usize)>,
    /// For each line that differs from its partner in nothing but white space: where it does.
    blank_change: Vec<Option<Range<usize>>>,
    /// Whether every line ends in a carriage return, which then is no news.
    returns: bool,
}

impl Sides {
    fn of(path: &str, hunk: &Hunk, colours: &mut Colours) -> Sides {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let lang = name.rsplit_once('.').map_or(name, |(_, extension)| extension);
        let text = |without: LineKind| {
            let lines = hunk.lines.iter().filter(|line| line.kind != without);
            lines.map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
        };
        let (mut old, mut new) = (0, 0);
        let places = hunk.lines.iter().map(|line| {
            let place = (old, new);
            old += usize::from(line.kind != LineKind::Added);
            new += usize::from(line.kind != LineKind::Removed);
            place
        });
        let places = places.collect();
        let mut blank_change = vec![None; hunk.lines.len()];
        for (removed, added) in changes(hunk).flat_map(|change| change.pairs()) {
            let (before, after) = (&hunk.lines[removed].text, &hunk.lines[added].text);
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            if before != after && letters(before) == letters(after) {
                let (start, end) = shared_ends(before, after);
                blank_change[removed] = Some(start..before.len() - end);
                blank_change[added] = Some(start..after.len() - end);
            }
        }
        let old = colours.get(lang, &text(LineKind::Added));
        let new = colours.get(lang, &text(LineKind::Removed));
        let returns = hunk.lines.iter().all(|line| line.text.ends_with('\r'));
        Sides { old, new, places, blank_change, returns }
    }

    /// What to show of a line besides its text.
    fn show(&self, line: &Numbered<'_>, mark: Option<Mark>) -> Show<'_> {
        Show {
            runs: self.runs(line),
            blanks: self.blank_change.get(line.index).cloned().flatten().unwrap_or_default(),
            returns: !self.returns && line.line.kind != LineKind::Context,
            dropped: mark.is_some_and(|mark| !mark.keep),
        }
    }

    fn runs(&self, line: &Numbered<'_>) -> Option<&Runs> {
        let (old, new) = *self.places.get(line.index)?;
        match line.line.kind {
            LineKind::Removed => self.old.as_ref()?.lines.get(old),
            _ => self.new.as_ref()?.lines.get(new),
        }
    }
}

/// Removed lines and the added ones in their place, by their places in the hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    removed: Range<usize>,
    added: Range<usize>,
}

impl Change {
    fn pairs(self) -> impl Iterator<Item = (usize, usize)> {
        self.removed.zip(self.added)
    }
}

fn changes(hunk: &Hunk) -> impl Iterator<Item = Change> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = |from: usize, kind: LineKind| {
            let lines = hunk.lines.get(from..).unwrap_or(&[]);
            from..from + lines.iter().take_while(|line| line.kind == kind).count()
        };
        at = run(at, LineKind::Context).end;
        let removed = run(at, LineKind::Removed);
        let added = run(removed.end, LineKind::Added);
        at = added.end;
        (removed.start < added.end).then_some(Change { removed, added })
    })
}

/// Bytes that two texts share at their beginning and, besides, at their end.
fn shared_ends(a: &str, b: &str) -> (usize, usize) {
    let shared = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| {
        a.zip(b).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum::<usize>()
    };
    let start = shared(&mut a.chars(), &mut b.chars());
    let end = shared(&mut a[start..].chars().rev(), &mut b[start..].chars().rev());
    (start, end)
}

/// The style of everything in a hunk that is not to be applied.
fn dropped(theme: &Theme) -> Style {
    theme.faint.add_modifier(Modifier::CROSSED_OUT)
}

#[cfg(test)]
mod tests;
