//! Tables, fitted to the width: columns share what there is, cells wrap. Where columns would become
//! too narrow to read, each row becomes a list of its cells by name.

use pulldown_cmark::Alignment;
use ratatui::style::Style;

use crate::text::{self, Piece};
use crate::view::theme::Theme;

/// Columns that part two cells.
const BETWEEN: &str = " │ ";
/// A column narrower than this is not worth having, unless its cells are.
const NARROWEST: usize = 6;

type Cell = Vec<Piece<Style>>;

/// A table being gathered; its first row is the heading.
#[derive(Debug)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<Cell>>,
    row: Vec<Cell>,
}

impl Table {
    pub fn new(alignments: &[Alignment]) -> Table {
        Table { alignments: alignments.to_vec(), rows: Vec::new(), row: Vec::new() }
    }

    pub fn cell(&mut self, cell: Cell) {
        self.row.push(cell);
    }

    pub fn end_row(&mut self) {
        self.rows.push(std::mem::take(&mut self.row));
    }

    /// The rows of the screen, at most `width` columns.
    pub fn rows(mut self, width: usize, theme: &Theme) -> Vec<Cell> {
        for cell in self.rows.iter_mut().take(1).flatten() {
            cell.iter_mut().for_each(|piece| piece.style = piece.style.patch(theme.strong));
        }
        match self.widths(width) {
            Some(widths) => self.grid(&widths, theme),
            None => self.records(width, theme),
        }
    }

    /// How wide each column is; `None` when they do not fit side by side.
    fn widths(&self, width: usize) -> Option<Vec<usize>> {
        let count = self.alignments.len();
        let room = width.checked_sub(count.saturating_sub(1) * text::width(BETWEEN))?;
        let mut natural = vec![1; count];
        for row in &self.rows {
            for (column, cell) in natural.iter_mut().zip(row) {
                *column = (*column).max(cell_width(cell));
            }
        }
        let smallest: usize = natural.iter().map(|column| NARROWEST.min(*column)).sum();
        if smallest > room {
            return None;
        }
        // The widest columns give until all fit: the largest common limit that does.
        let fits = |limit: usize| natural.iter().map(|c| limit.min(*c)).sum::<usize>() <= room;
        let (mut low, mut high) = (NARROWEST, room.max(NARROWEST));
        while low < high {
            let middle = (low + high).div_ceil(2);
            match fits(middle) {
                true => low = middle,
                false => high = middle - 1,
            }
        }
        let mut left = room - natural.iter().map(|column| low.min(*column)).sum::<usize>();
        let widths = natural.iter().map(|column| {
            let more = usize::from(*column > low && left > 0);
            left -= more;
            low.min(*column) + more
        });
        Some(widths.collect())
    }

    fn grid(&self, widths: &[usize], theme: &Theme) -> Vec<Cell> {
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let rule = vec![Piece::new(rule.join("─┼─"), theme.border)];
        let empty = Vec::new();
        let wrapped: Vec<Vec<Vec<Cell>>> = self
            .rows
            .iter()
            .map(|row| {
                let cells = widths.iter().enumerate();
                cells
                    .map(|(column, width)| text::wrap(row.get(column).unwrap_or(&empty), *width, 0))
                    .collect()
            })
            .collect();
        // Rows of several lines need a line between them to be told apart.
        let ruled = wrapped.iter().flatten().any(|cell| cell.len() > 1);
        let mut out = Vec::new();
        for (index, cells) in wrapped.iter().enumerate() {
            if index == 1 || (ruled && index > 0) {
                out.push(rule.clone());
            }
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            out.extend((0..height).map(|line| self.grid_line(cells, line, widths, theme)));
        }
        out
    }

    fn grid_line(&self, cells: &[Vec<Cell>], line: usize, widths: &[usize], theme: &Theme) -> Cell {
        let mut row = Vec::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if column > 0 {
                row.push(Piece::new(BETWEEN, theme.border));
            }
            let pieces = cell.get(line).map_or(&[][..], Vec::as_slice);
            let spare = width.saturating_sub(cell_width(pieces));
            let before = match self.alignments.get(column) {
                Some(Alignment::Right) => spare,
                Some(Alignment::Center) => spare / 2,
                _ => 0,
            };
            let mut pad = |columns: usize| {
                if columns > 0 {
                    row.push(Piece::new(" ".repeat(columns), Style::new()));
                }
            };
            pad(before);
            row.extend(pieces.iter().cloned());
            if column + 1 < widths.len() {
                row.push(Piece::new(" ".repeat(spare - before), Style::new()));
            }
        }
        row.retain(|piece| !piece.text.is_empty());
        row
    }

    fn records(&self, width: usize, theme: &Theme) -> Vec<Cell> {
        let mut out = Vec::new();
        let Some((head, body)) = self.rows.split_first() else { return out };
        if body.is_empty() {
            let cells = head.iter().filter(|cell| !cell.is_empty());
            out.extend(cells.flat_map(|cell| text::wrap(cell, width, 2)));
        }
        for (index, row) in body.iter().enumerate() {
            if index > 0 {
                out.push(vec![Piece::new("─".repeat(width.min(NARROWEST)), theme.border)]);
            }
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let mut pieces = head.get(column).cloned().unwrap_or_default();
                if !pieces.is_empty() {
                    pieces.push(Piece::new(": ", theme.faint));
                }
                pieces.extend(cell.iter().cloned());
                out.extend(text::wrap(&pieces, width, 2));
            }
        }
        out
    }
}

fn cell_width(cell: &[Piece<Style>]) -> usize {
    cell.iter().map(|piece| text::width(&piece.text)).sum()
}
