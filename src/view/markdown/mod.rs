//! Markdown (CommonMark with tables, task lists, strike-through and footnotes) to rows.
//!
//! Everything is drawn unit by unit ([`split`]), each from its own text alone. Definitions of links
//! would reach across units, so they are text like any other ([`spelling`]). The text must have
//! passed [`crate::text::clean()`].
//!
//! Not for growing text: [`crate::view::stream`] keeps what it has drawn.

mod blocks;
pub(in crate::view) mod fence;
mod inline;
mod spelling;
pub(in crate::view) mod split;
mod table;

use pulldown_cmark::Options;
use ratatui::text::Line;

use crate::view::code::Colours;
use crate::view::markdown::split::{Kind, Unit};
use crate::view::stream::Stream;
use crate::view::theme::Theme;

/// Prose is not set wider than this, in columns; code and tables use the whole width.
pub const WIDEST: u16 = 100;

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_OLD_FOOTNOTES);

/// The rows of a whole text, each at most `width` columns. Code is in the colours that are known.
pub fn render(md: &str, width: u16, theme: &Theme, colours: &mut Colours) -> Vec<Line<'static>> {
    let mut stream = Stream::new(width);
    stream.finish(md, theme, colours);
    stream.colour(md, 0..usize::MAX, theme, colours);
    stream.into_rows()
}

/// How a unit is drawn.
#[derive(Debug)]
pub(in crate::view) struct Look<'a> {
    pub width: usize,
    pub theme: &'a Theme,
    pub colours: &'a mut Colours,
}

/// The rows of one unit, but for code blocks at the top level, whose lines the stream draws.
pub(in crate::view) fn unit_rows(
    text: &str,
    unit: &Unit,
    look: &mut Look<'_>,
) -> Vec<Line<'static>> {
    let source = &text[unit.range.clone()];
    match &unit.kind {
        Kind::Fence(fence) => fence.label(look.width, look.theme).into_iter().collect(),
        Kind::CodeLine(fence) => fence::code_line(fence.code(source), None, look.width, look.theme),
        Kind::FenceEnd => Vec::new(),
        Kind::Item(number) => blocks::rows(source, *number, look),
        _ => blocks::rows(source, None, look),
    }
}

/// Whether an empty row parts the unit that begins at `start` from the one before: where the text
/// has an empty line, and around whatever is not prose.
pub(in crate::view) fn is_parted(
    text: &str,
    start: usize,
    before: Option<&Kind>,
    kind: &Kind,
) -> bool {
    let Some(before) = before else { return false };
    let stands_apart = |kind: &Kind| {
        matches!(
            kind,
            Kind::Heading
                | Kind::Rule
                | Kind::Table
                | Kind::Quote
                | Kind::IndentedCode
                | Kind::Fence(_)
                | Kind::CodeLine(_)
                | Kind::FenceEnd
        )
    };
    if matches!((before, kind), (Kind::Fence(_) | Kind::CodeLine(_), Kind::CodeLine(_))) {
        return false;
    }
    let line_before = text[..start].strip_suffix('\n').unwrap_or("").rsplit('\n').next();
    stands_apart(before)
        || stands_apart(kind)
        || line_before.is_none_or(|line| line.trim().is_empty())
}

#[cfg(test)]
mod tests;
