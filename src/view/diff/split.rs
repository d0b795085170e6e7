//! Before at the left, after at the right.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::protocol::{Hunk, LineKind};
use crate::text::{self, Piece};
use crate::view::diff::content;
use crate::view::diff::{Mark, Numbered, Page, Sides, changes};
use crate::view::rows::line as row;

pub(super) fn hunk(
    hunk: &Hunk,
    sides: &Sides,
    mark: Option<Mark>,
    page: &Page<'_>,
    out: &mut Vec<Line<'static>>,
) {
    let lines: Vec<Numbered<'_>> = Numbered::of(hunk).collect();
    let first_change = lines.iter().position(|line| line.line.kind != LineKind::Context);
    let marks = if page.marks { 2 } else { 0 };
    let columns = page.width.saturating_sub(1 + marks);
    let (left, right) = (columns / 2, columns - columns / 2);
    for (before, after) in side_by_side(hunk) {
        let half = |index: Option<usize>, old: bool, columns: usize| {
            let line = index.and_then(|index| lines.get(index));
            half_rows(line, old, columns, sides, mark, page)
        };
        let (mut before_rows, mut after_rows) =
            (half(before, true, left), half(after, false, right));
        let height = before_rows.len().max(after_rows.len());
        before_rows.resize(height, vec![Piece::new(" ".repeat(left), Style::new())]);
        after_rows.resize(height, Vec::new());
        let is_first_change = first_change.is_some() && [before, after].contains(&first_change);
        for (index, (before, after)) in before_rows.into_iter().zip(after_rows).enumerate() {
            let mut all = Vec::with_capacity(before.len() + after.len() + 2);
            all.extend(page.mark(mark, index == 0 && is_first_change));
            all.extend(before);
            all.push(Piece::new("│", page.theme.border));
            all.extend(after);
            out.push(row(all));
        }
    }
}

/// Which lines of the hunk stand next to each other.
fn side_by_side(hunk: &Hunk) -> Vec<(Option<usize>, Option<usize>)> {
    let mut rows = Vec::new();
    let mut at = 0;
    let context = |from: usize, to: usize, rows: &mut Vec<_>| {
        rows.extend((from..to).map(|index| (Some(index), Some(index))));
    };
    for change in changes(hunk) {
        context(at, change.removed.start, &mut rows);
        at = change.added.end;
        let height = change.removed.len().max(change.added.len());
        rows.extend(
            (0..height)
                .map(|index| (change.removed.clone().nth(index), change.added.clone().nth(index))),
        );
    }
    context(at, hunk.lines.len(), &mut rows);
    rows
}

/// The rows of a line on one side, each exactly `columns` wide; none where there is no line.
fn half_rows(
    line: Option<&Numbered<'_>>,
    old: bool,
    columns: usize,
    sides: &Sides,
    mark: Option<Mark>,
    page: &Page<'_>,
) -> Vec<Vec<Piece<Style>>> {
    let Some(line) = line else { return Vec::new() };
    let kind = line.line.kind;
    let mut pieces = content::pieces(line.line, &sides.show(line, mark), page.theme);
    if line.line.no_newline {
        pieces.push(Piece::new(" (no line end)", page.theme.faint));
    }
    let room = columns.saturating_sub(page.digits + 3).max(1);
    let number = if old { line.old } else { line.new };
    let ground = page.ground(kind, mark);
    let rows = text::wrap(&pieces, room, 2).into_iter().enumerate();
    rows.map(|(index, text)| {
        let is_first = index == 0;
        let used: usize = text.iter().map(|piece| text::width(&piece.text)).sum();
        let mut all = vec![
            page.number(is_first.then_some(number)),
            if is_first { page.sign(kind) } else { page.sign(LineKind::Context) },
        ];
        all.extend(text);
        all.push(Piece::new(" ".repeat(room.saturating_sub(used)), Style::new()));
        all.retain(|piece| !piece.text.is_empty());
        all.iter_mut().for_each(|piece| piece.style = ground.patch(piece.style));
        all
    })
    .collect()
}
