//! One line under the other.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::protocol::{Hunk, LineKind};
use crate::text::{self, Piece};
use crate::view::diff::content;
use crate::view::diff::{Mark, Numbered, Page, Sides};
use crate::view::rows::line as row;

pub(super) fn hunk(
    hunk: &Hunk,
    sides: &Sides,
    mark: Option<Mark>,
    page: &Page<'_>,
    out: &mut Vec<Line<'static>>,
) {
    let first_change = hunk.lines.iter().position(|line| line.kind != LineKind::Context);
    let gutter = page.digits + 3 + if page.marks { 2 } else { 0 };
    let columns = page.width.saturating_sub(gutter).max(1);
    for line in Numbered::of(hunk) {
        let kind = line.line.kind;
        let pieces = content::pieces(line.line, &sides.show(&line, mark), page.theme);
        let ground = page.ground(kind, mark);
        for (index, text) in text::wrap(&pieces, columns, 2).into_iter().enumerate() {
            let mut all: Vec<Piece<Style>> = Vec::with_capacity(text.len() + 3);
            let is_first = index == 0;
            all.extend(page.mark(mark, is_first && first_change == Some(line.index)));
            all.push(page.number(is_first.then(|| line.number())));
            all.push(if is_first { page.sign(kind) } else { page.sign(LineKind::Context) });
            all.extend(text);
            out.push(row(all).style(ground));
        }
        if line.line.no_newline {
            let note = format!("{:gutter$}no line end at the end of the file", "");
            let note = text::clip::end(&note, page.width).into_owned();
            out.push(row(vec![Piece::new(note, page.theme.faint)]));
        }
    }
}
