//! The blocks of one unit, and of the lists and quotes in it.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::text::clean::Mode;
use crate::text::{self, Piece};
use crate::view::code::Colours;
use crate::view::markdown::inline::Inline;
use crate::view::markdown::table::Table;
use crate::view::markdown::{Look, OPTIONS, WIDEST, fence, spelling};
use crate::view::rows::line as row;
use crate::view::theme::Theme;

/// The rows of `source`; `number` is that of its first item, where it is part of a longer list.
pub(super) fn rows(source: &str, number: Option<u64>, look: &mut Look<'_>) -> Vec<Line<'static>> {
    let source = &*spelling::without_definitions(source);
    let mut writer = Writer {
        source,
        width: look.width,
        theme: look.theme,
        colours: look.colours,
        rows: Vec::new(),
        containers: Vec::new(),
        lists: Vec::new(),
        number,
        inline: Inline::new(look.theme),
        code: None,
        table: None,
    };
    for (event, range) in Parser::new_ext(source, OPTIONS).into_offset_iter() {
        writer.event(&event, range);
    }
    writer.flush();
    writer.rows
}

#[derive(Debug)]
struct Writer<'a> {
    source: &'a str,
    width: usize,
    theme: &'a Theme,
    colours: &'a mut Colours,
    rows: Vec<Line<'static>>,
    /// What the current block is inside of, outermost first.
    containers: Vec<Container>,
    /// The next number of each open list.
    lists: Vec<Option<u64>>,
    number: Option<u64>,
    inline: Inline<'a>,
    /// A code block being gathered: its language and text.
    code: Option<(String, String)>,
    table: Option<Table>,
}

/// What stands before the rows of a block that is inside another.
#[derive(Debug)]
struct Container {
    first: String,
    rest: String,
    style: Style,
    columns: usize,
    /// The first row has been written.
    begun: bool,
}

impl Writer<'_> {
    fn event(&mut self, event: &Event<'_>, range: Range<usize>) {
        if let Some((_, code)) = &mut self.code {
            match event {
                Event::Text(text) | Event::Html(text) => return code.push_str(text),
                _ => {}
            }
        }
        match event {
            Event::Start(Tag::TableCell) => return,
            Event::End(TagEnd::TableCell) => {
                let cell = self.inline.take();
                return self.table.iter_mut().for_each(|table| table.cell(cell.clone()));
            }
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                return self.table.iter_mut().for_each(Table::end_row);
            }
            _ => {}
        }
        if *event == Event::SoftBreak && spelling::is_definition(&self.source[range.end..]) {
            self.inline.event(&Event::HardBreak);
            return;
        }
        if let Event::TaskListMarker(done) = event {
            return self.task_mark(*done);
        }
        if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
            self.inline.target = self.colours.links.style(&spelling::restored(dest_url));
        }
        if self.inline.event(event) {
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Rule => {
                self.begin_block(range.start);
                let columns = self.columns(true);
                self.write(vec![Piece::new("─".repeat(columns), self.theme.border)]);
            }
            Event::Html(html) => self.inline.text(html, self.theme.faint),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        if matches!(tag, Tag::TableHead | Tag::TableRow) {
            return;
        }
        self.flush();
        if !matches!(tag, Tag::List(_)) {
            self.begin_block(range.start);
        }
        match tag {
            Tag::Heading { level, .. } => {
                let style = match level {
                    HeadingLevel::H1 => self.theme.heading.add_modifier(Modifier::UNDERLINED),
                    HeadingLevel::H2 => self.theme.heading,
                    _ => self.theme.heading.add_modifier(Modifier::ITALIC),
                };
                self.inline.push_style(style);
            }
            Tag::BlockQuote(_) => {
                self.contain("▎ ", "▎ ", self.theme.quote);
                self.inline.push_style(self.theme.quote);
            }
            Tag::List(start) => {
                let first = self.lists.is_empty();
                self.lists.push(if first { self.number.take().or(*start) } else { *start });
            }
            Tag::Item => {
                let number = self.lists.last_mut().and_then(|number| {
                    let current = *number;
                    *number = number.map(|number| number.saturating_add(1));
                    current
                });
                let marker = match number {
                    Some(number) => format!("{number}. "),
                    None if self.lists.len() % 2 == 1 => "• ".to_string(),
                    None => "◦ ".to_string(),
                };
                self.contain(&marker, &" ".repeat(text::width(&marker)), self.theme.faint);
            }
            Tag::FootnoteDefinition(label) => {
                let marker = format!("[{}] ", text::clean(label, Mode::Name));
                self.contain(&marker, "  ", self.theme.faint);
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                self.code = Some((info.to_string(), String::new()));
            }
            Tag::CodeBlock(CodeBlockKind::Indented) | Tag::HtmlBlock => {
                self.code = Some((String::new(), String::new()));
            }
            Tag::Table(alignments) => self.table = Some(Table::new(alignments)),
            _ => {}
        }
    }

    fn end(&mut self, tag: &TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.flush();
                self.inline.pop_style();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.leave();
                self.inline.pop_style();
            }
            TagEnd::Item | TagEnd::FootnoteDefinition => {
                self.flush();
                self.leave();
            }
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                let (_, html) = self.code.take().unwrap_or_default();
                self.inline.text(html.trim_end(), self.theme.faint);
                self.flush();
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    let columns = self.columns(false);
                    table.rows(columns, self.theme).into_iter().for_each(|row| self.write(row));
                }
            }
            _ => self.flush(),
        }
    }

    fn end_code(&mut self) {
        let Some((lang, code)) = self.code.take() else { return };
        let columns = self.columns(false);
        fence::label(&lang, columns, self.theme).into_iter().for_each(|row| self.write(row));
        let code = spelling::restored(code.strip_suffix('\n').unwrap_or(&code));
        let tokens = self.colours.get(&lang, &code);
        for (index, line) in code.split('\n').enumerate() {
            let runs = tokens.as_ref().and_then(|tokens| tokens.lines.get(index));
            for row in fence::code_pieces(line, runs, columns, self.theme) {
                self.write(row);
            }
        }
    }

    /// Writes the text that was gathered.
    fn flush(&mut self) {
        let pieces = self.inline.take();
        if pieces.iter().all(|piece| piece.text.trim().is_empty()) {
            return;
        }
        for row in text::wrap(&pieces, self.columns(true), 0) {
            self.write(row);
        }
    }

    /// An empty row, where the text has an empty line before the block.
    fn begin_block(&mut self, at: usize) {
        let before = self.source[..at].trim_end_matches([' ', '\t', '>', '\n']).len();
        let lines = self.source[before..at].matches('\n').count();
        let begun = self.containers.iter().all(|container| container.begun);
        if lines > 1 && !self.rows.is_empty() && begun {
            self.write(Vec::new());
        }
    }

    fn contain(&mut self, first: &str, rest: &str, style: Style) {
        let inside: usize = self.containers.iter().map(|container| container.columns).sum();
        let columns = text::width(rest).max(text::width(first).min(4));
        // Deep nesting in a narrow place keeps half of it for the text.
        let room = inside + columns <= self.width.min(WIDEST.into()) / 2;
        let keep = |text: &str| if room { text.to_string() } else { String::new() };
        self.containers.push(Container {
            first: keep(first),
            rest: keep(rest),
            style,
            columns: if room { columns } else { 0 },
            begun: false,
        });
    }

    /// Puts a box in the place of the item's mark.
    fn task_mark(&mut self, done: bool) {
        let (mark, style) = match done {
            true => ("☑ ", self.theme.done),
            false => ("☐ ", self.theme.faint),
        };
        if let Some(item) = self.containers.last_mut().filter(|item| !item.first.is_empty()) {
            (item.first, item.style) = (mark.to_string(), style);
            item.rest = " ".repeat(text::width(mark));
            item.columns = text::width(mark);
        } else {
            self.inline.text(mark, style);
        }
    }

    fn leave(&mut self) {
        if self.containers.last().is_some_and(|container| !container.begun) {
            self.write(Vec::new());
        }
        self.containers.pop();
    }

    /// Columns for the text of the current block.
    fn columns(&self, prose: bool) -> usize {
        let widest = if prose { self.width.min(WIDEST.into()) } else { self.width };
        let inside: usize = self.containers.iter().map(|container| container.columns).sum();
        widest.saturating_sub(inside).max(1)
    }

    fn write(&mut self, pieces: Vec<Piece<Style>>) {
        let mut all: Vec<Piece<Style>> = Vec::with_capacity(pieces.len() + self.containers.len());
        for container in &mut self.containers {
            let text = if container.begun { &container.rest } else { &container.first };
            container.begun = true;
            if !text.is_empty() {
                all.push(Piece::new(text.as_str(), container.style));
            }
        }
        all.extend(pieces);
        self.rows.push(row(all));
    }
}
