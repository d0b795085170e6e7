//! Cuts a growing Markdown text into units that can be drawn on their own.
//!
//! Blocks of CommonMark are opened and closed line by line: once a complete line has begun another
//! block at the top level, nothing that follows can change the ones before. A unit is such a block,
//! an item of a list at the top level, or a line of a code block at the top level. Where units
//! begin and end depends on the text alone, never on the pieces in which it came.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::view::markdown::fence::Fence;
use crate::view::markdown::{OPTIONS, spelling};

/// Longer units are cut, so that drawing an open one again and again stays cheap. In bytes.
const LONGEST: usize = 16 * 1024;
/// The same for tables, which are drawn only once.
const LONGEST_TABLE: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::view) struct Unit {
    /// Bytes of the text, from the start of a line to the start of the next unit.
    pub range: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::view) enum Kind {
    Paragraph,
    Heading,
    Quote,
    Rule,
    Html,
    Table,
    /// An item of a list, with its number if it has one.
    Item(Option<u64>),
    IndentedCode,
    Footnote,
    /// The line that opens a code block.
    Fence(Fence),
    CodeLine(Fence),
    /// The line that closes a code block.
    FenceEnd,
}

impl Kind {
    /// Whether nothing after an empty line can belong to the block.
    fn ends_at_blank_line(&self) -> bool {
        matches!(self, Kind::Paragraph | Kind::Heading | Kind::Quote | Kind::Rule | Kind::Table)
    }
}

/// Where the splitting stands.
#[derive(Debug, Clone, Default)]
pub(in crate::view) struct Splitter {
    /// Where the open unit starts; all before has been handed out.
    pub at: usize,
    /// The code block that the open unit is in.
    pub fence: Option<Fence>,
    /// Number of the open unit, where it is an item that continues a list.
    number: Option<u64>,
    /// Complete lines up to here have been looked at.
    seen: usize,
    open_table: bool,
    /// Bytes parsed so far, for tests of the cost.
    pub parsed: usize,
}

impl Splitter {
    /// The units that are closed now. `ended` says that no more text will come.
    pub fn advance(&mut self, text: &str, ended: bool) -> Vec<Unit> {
        let end = match (ended, text[self.at..].rfind('\n')) {
            (true, _) => text.len(),
            (false, Some(index)) => self.at + index + 1,
            (false, None) => self.at,
        };
        let mut units = Vec::new();
        if end == self.seen && !ended && text.len() - self.at <= LONGEST {
            return units;
        }
        if self.open_table && !ended && self.only_table_rows(text, end) {
            self.seen = end;
            return units;
        }
        self.open_table = false;
        loop {
            self.code_lines(text, end, &mut units);
            if self.fence.is_some() || !self.skip_blank_lines(text, end) {
                break;
            }
            if let Some(cut) = cut_of_long_line(text, self.at) {
                self.close(cut, Kind::Paragraph, &mut units);
                continue;
            }
            if self.at >= end || !self.blocks(text, end, ended, &mut units) {
                break;
            }
        }
        self.seen = end;
        units
    }

    /// The units of what is still open, if it ended here. `text` begins where the open unit does.
    pub fn rest(&self, text: &str) -> Vec<Unit> {
        let fence = self.fence.clone();
        Splitter { fence, number: self.number, ..Splitter::default() }.advance(text, true)
    }

    fn close(&mut self, end: usize, kind: Kind, units: &mut Vec<Unit>) {
        units.push(Unit { range: self.at..end, kind });
        self.at = end;
        self.number = None;
    }

    /// Takes lines while a code block is open.
    fn code_lines(&mut self, text: &str, end: usize, units: &mut Vec<Unit>) {
        while let Some(fence) = self.fence.clone().filter(|_| self.at < end) {
            let line_end = line_end(text, self.at, end);
            if fence.is_closed_by(&text[self.at..line_end]) {
                self.fence = None;
                self.close(line_end, Kind::FenceEnd, units);
            } else {
                self.close(line_end, Kind::CodeLine(fence), units);
            }
        }
    }

    /// Moves over blank lines; false when there is nothing else up to `end` and no long line after.
    fn skip_blank_lines(&mut self, text: &str, end: usize) -> bool {
        while self.at < end {
            let line_end = line_end(text, self.at, end);
            if !text[self.at..line_end].trim().is_empty() {
                return true;
            }
            self.at = line_end;
        }
        text.len() - self.at > LONGEST
    }

    /// Takes the blocks of the next stretch of text; false when the first of them is still open.
    fn blocks(&mut self, text: &str, end: usize, ended: bool, units: &mut Vec<Unit>) -> bool {
        let mut window = 2 * LONGEST;
        let (blocks, window_end) = loop {
            let window_end = match text[self.at..end].get(..window.min(end - self.at)) {
                Some(stretch) if stretch.len() < end - self.at => {
                    stretch.rfind('\n').map_or(end, |index| self.at + index + 1)
                }
                Some(_) => end,
                // Not on a character border.
                None => {
                    window -= 1;
                    continue;
                }
            };
            self.parsed += window_end - self.at;
            let blocks = blocks_of(&text[self.at..window_end], self.at, self.number);
            let one_table = matches!(&blocks[..], [(_, Kind::Table)]);
            if one_table && window_end < end && window <= LONGEST_TABLE {
                window = 2 * LONGEST_TABLE;
                continue;
            }
            break (blocks, window_end);
        };
        let mut blocks = blocks.into_iter().peekable();
        while let Some((start, kind)) = blocks.next() {
            self.at = start;
            let next = blocks.peek().map(|(start, _)| *start);
            let is_closed = (ended && window_end == end)
                || (kind.ends_at_blank_line() && text[start..window_end].ends_with("\n\n"));
            let block_end = next.unwrap_or(window_end);
            if let Kind::Fence(fence) = &kind {
                self.fence = Some(fence.clone());
                let opened = line_end(text, self.at, end);
                self.close(opened, kind, units);
                self.code_lines(text, end, units);
                match next {
                    Some(next) if self.fence.is_none() && next >= self.at => continue,
                    // The block ends elsewhere than the parser thought; ask it again from there.
                    _ => return true,
                }
            }
            let used = start + text[start..block_end].trim_end().len();
            if let Some(cut) = cut(text, start, used, &kind, next.is_none() && !is_closed) {
                self.close(cut, Kind::clone(&kind), units);
                return true;
            }
            if next.is_none() && !is_closed {
                self.open_table = kind == Kind::Table;
                self.number = if let Kind::Item(number) = kind { number } else { None };
                return window_end < end;
            }
            self.close(block_end, kind, units);
        }
        true
    }

    /// Whether what came since the last time only adds rows to the open table.
    fn only_table_rows(&self, text: &str, end: usize) -> bool {
        let added = &text[self.seen.max(self.at)..end];
        end - self.at <= LONGEST_TABLE && added.lines().all(|line| line.starts_with('|'))
    }
}

/// The blocks of `text` at the top level, items of lists each on its own; `offset` is added to
/// where they start. `number` is the number of the first item.
fn blocks_of(text: &str, offset: usize, number: Option<u64>) -> Vec<(usize, Kind)> {
    let mut blocks: Vec<(usize, Kind)> = Vec::new();
    let mut depth = 0;
    let mut list: Option<u64> = None;
    for (event, range) in
        Parser::new_ext(&spelling::without_definitions(text), OPTIONS).into_offset_iter()
    {
        let kind = match (&event, depth) {
            (Event::Start(Tag::List(start)), 0) => {
                let continues = blocks.is_empty() && start.is_some();
                list = if continues { number.or(*start) } else { *start };
                None
            }
            (Event::Start(Tag::Item), 1) => {
                let item = Kind::Item(list);
                list = list.map(|number| number.saturating_add(1));
                Some(item)
            }
            (Event::End(TagEnd::List(_)), 1) => {
                list = None;
                None
            }
            (Event::Start(tag), 0) => Some(kind_of(tag, &text[line_start(text, range.start)..])),
            (Event::Rule, 0) => Some(Kind::Rule),
            (Event::Html(_), 0) => Some(Kind::Html),
            (Event::Start(_) | Event::End(_), _) => None,
            (_, 0) => Some(Kind::Paragraph),
            _ => None,
        };
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if let Some(kind) = kind {
            blocks.push((offset + line_start(text, range.start), kind));
        }
    }
    blocks
}

fn kind_of(tag: &Tag<'_>, text: &str) -> Kind {
    match tag {
        Tag::Heading { .. } => Kind::Heading,
        Tag::BlockQuote(_) => Kind::Quote,
        Tag::CodeBlock(CodeBlockKind::Indented) => Kind::IndentedCode,
        Tag::CodeBlock(CodeBlockKind::Fenced(_)) => {
            Fence::opened_by(text.lines().next().unwrap_or("")).map_or(Kind::Paragraph, Kind::Fence)
        }
        Tag::HtmlBlock => Kind::Html,
        Tag::Table(_) => Kind::Table,
        Tag::FootnoteDefinition(_) => Kind::Footnote,
        _ => Kind::Paragraph,
    }
}

/// Where a block that is too long is cut: at a line if it has several.
fn cut(text: &str, start: usize, used: usize, kind: &Kind, is_open: bool) -> Option<usize> {
    let is_table = *kind == Kind::Table && {
        let delimiters = line_end(text, line_end(text, start, used), used);
        delimiters - start <= LONGEST
    };
    let longest = if is_table { LONGEST_TABLE } else { LONGEST };
    let too_long = used - start > longest || (is_open && !is_table && text.len() - start > longest);
    if !too_long {
        return None;
    }
    let limit = floor_char(text, (start + longest).min(text.len()));
    text[start..limit].rfind('\n').map(|index| start + index + 1)
}

/// Where to cut a line that is too long for a unit.
fn cut_of_long_line(text: &str, start: usize) -> Option<usize> {
    if text.len() - start <= LONGEST {
        return None;
    }
    let limit = floor_char(text, start + LONGEST);
    let line = &text[start..limit];
    if line.contains('\n') {
        return None;
    }
    let space = line.rfind(' ').filter(|index| *index > LONGEST / 2);
    Some(space.map_or(limit, |index| start + index + 1))
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |index| index + 1)
}

/// Where the line that starts at `at` ends, with its line feed.
fn line_end(text: &str, at: usize, end: usize) -> usize {
    text[at..end].find('\n').map_or(end, |index| at + index + 1)
}
