//! The text inside a block: emphasis, code, links.

use pulldown_cmark::{Event, Tag, TagEnd};
use ratatui::style::{Modifier, Style};

use crate::text::clean::Mode;
use crate::text::{Piece, clean};
use crate::view::links;
use crate::view::markdown::spelling;
use crate::view::theme::Theme;

/// Styled text being gathered.
#[derive(Debug)]
pub(super) struct Inline<'a> {
    theme: &'a Theme,
    styles: Vec<Style>,
    links: Vec<Link>,
    /// What makes the text of the next link one that can be opened.
    pub target: Style,
    pub pieces: Vec<Piece<Style>>,
}

#[derive(Debug)]
struct Link {
    url: String,
    /// The first of its pieces.
    from: usize,
}

impl<'a> Inline<'a> {
    pub fn new(theme: &'a Theme) -> Inline<'a> {
        Inline {
            theme,
            styles: Vec::new(),
            links: Vec::new(),
            target: Style::new(),
            pieces: Vec::new(),
        }
    }

    /// Style of what comes next.
    pub fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or(self.theme.text)
    }

    pub fn push_style(&mut self, style: Style) {
        self.styles.push(self.style().patch(style));
    }

    pub fn pop_style(&mut self) {
        self.styles.pop();
    }

    pub fn text(&mut self, text: &str, style: Style) {
        // The source is clean, but entities (`&#27;`) can spell any character.
        let text = spelling::restored(text);
        let text = &*clean(&text, Mode::Prose);
        match self.pieces.last_mut() {
            Some(last) if last.style == style => last.text.push_str(text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece::new(text, style)),
        }
    }

    pub fn take(&mut self) -> Vec<Piece<Style>> {
        self.links.clear();
        std::mem::take(&mut self.pieces)
    }

    /// Handles what belongs inside a block; false for anything else.
    pub fn event(&mut self, event: &Event<'_>) -> bool {
        let style = self.style();
        match event {
            Event::Text(text) => self.text(text, style),
            Event::Code(text) => self.text(text, style.patch(self.theme.inline_code)),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(text, style),
            Event::InlineHtml(html) if is_line_break(html) => self.text("\n", style),
            Event::InlineHtml(html) => self.text(html, style),
            Event::SoftBreak => self.text(" ", style),
            Event::HardBreak => self.text("\n", style),
            Event::FootnoteReference(label) => {
                self.text(&format!("[{label}]"), style.patch(self.theme.faint));
            }
            Event::Start(Tag::Emphasis) => {
                self.push_style(Style::new().add_modifier(Modifier::ITALIC));
            }
            Event::Start(Tag::Strong) => self.push_style(self.theme.strong),
            Event::Start(Tag::Strikethrough) => {
                self.push_style(Style::new().add_modifier(Modifier::CROSSED_OUT));
            }
            Event::Start(Tag::Link { dest_url, .. }) => self.start_link(dest_url, ""),
            Event::Start(Tag::Image { dest_url, .. }) => self.start_link(dest_url, "image: "),
            Event::Start(Tag::Superscript | Tag::Subscript) => self.push_style(Style::new()),
            Event::End(TagEnd::Link | TagEnd::Image) => self.end_link(),
            Event::End(
                TagEnd::Emphasis
                | TagEnd::Strong
                | TagEnd::Strikethrough
                | TagEnd::Superscript
                | TagEnd::Subscript,
            ) => self.pop_style(),
            _ => return false,
        }
        true
    }

    fn start_link(&mut self, url: &str, before: &str) {
        let style = self.style();
        self.text(before, style.patch(self.theme.faint));
        // Pieces of one style are joined, and the link has to begin with its own.
        self.links
            .push(Link { url: spelling::restored(url).into_owned(), from: self.pieces.len() });
        self.push_style(self.theme.link.patch(self.target));
    }

    fn end_link(&mut self) {
        self.pop_style();
        let Some(link) = self.links.pop() else { return };
        let shown: String = self.pieces.iter().skip(link.from).map(|p| p.text.as_str()).collect();
        let bare = links::shown(link.url.strip_prefix("mailto:").unwrap_or(&link.url));
        if bare.is_empty() || shown == bare {
            return;
        }
        let style = self.style().patch(self.theme.faint);
        let text = if shown.is_empty() { bare.to_string() } else { format!(" ({bare})") };
        self.text(&text, style);
    }
}

fn is_line_break(html: &str) -> bool {
    let name = html.trim_matches(['<', '>', '/', ' ']);
    name.eq_ignore_ascii_case("br")
}
