//! What things look like: a style for each thing that can be shown, by what it means.
//!
//! One accent for what can be acted on, green and red only for added and removed, done and failed,
//! yellow only for a question that waits; the rest is text in three strengths. Themes are TOML
//! files ([`parse`]); a terminal with fewer colours gets a theme reduced to them ([`reduce`]).
//!
//! Not for layout, and not for reading files: the text of a person's own themes is handed in.

mod parse;
mod reduce;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::style::{Color, Modifier, Style};

use crate::highlight::Class;
use crate::text::clean::{Paint, Tint};

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorDepth {
    /// 24 bits.
    True,
    Ansi256,
    Ansi16,
    /// `NO_COLOR`, or a terminal without colours.
    None,
}

/// A style for each thing that can be shown. Styles say only what differs from the text around.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub name: String,
    /// Whether it is meant for a dark terminal.
    pub dark: bool,
    /// What text is read on: painted by `page` or, where that paints nothing, assumed.
    pub background: Color,
    /// The whole screen, under everything else.
    pub page: Style,
    pub text: Style,
    pub strong: Style,
    pub faint: Style,
    /// What can be acted on now.
    pub accent: Style,
    pub added: Style,
    pub removed: Style,
    /// A question that waits.
    pub asked: Style,
    pub failed: Style,
    pub done: Style,
    /// The mark beside what the person wrote.
    pub person: Style,
    pub heading: Style,
    pub link: Style,
    pub inline_code: Style,
    pub code_background: Style,
    pub quote: Style,
    pub border: Style,
    pub border_focused: Style,
    pub selection: Style,
    /// Text found by a search.
    pub matched: Style,
    /// The match that the search stands on.
    pub matched_now: Style,
    pub added_line: Style,
    pub removed_line: Style,
    pub added_word: Style,
    pub removed_word: Style,
    pub cursor_line: Style,
    pub scrollbar: Style,
    tokens: [Style; Class::ALL.len()],
    depth: ColorDepth,
    id: u64,
}

impl Theme {
    /// The built-in theme of that name.
    pub fn named(name: &str) -> Option<Theme> {
        let library = Library::default();
        library.has(name).then(|| library.theme(name).0)
    }

    /// The built-in themes, in the order to offer them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A theme from the text of its file, which may inherit from built-in ones. Lines that cannot
    /// be read are left out and told.
    pub fn parse(name: &str, toml: &str) -> (Theme, Vec<Problem>) {
        let mut library = Library::default();
        library.add(name, toml);
        library.theme(name)
    }

    /// The same theme for a terminal with so many colours.
    pub fn reduced(&self, depth: ColorDepth) -> Theme {
        reduce::reduce(self, depth)
    }

    /// The style of a token.
    pub fn token(&self, class: Class) -> Style {
        self.tokens[class as usize]
    }

    /// The style that a program asked for, in the colours there are.
    pub fn paint(&self, paint: &Paint) -> Style {
        let colour = |tint: Tint| {
            let colour = match tint {
                Tint::Table(index) => reduce::ansi16(index).unwrap_or(Color::Indexed(index)),
                Tint::Rgb(r, g, b) => Color::Rgb(r, g, b),
            };
            reduce::colour(colour, self.depth)
        };
        let modifiers = [
            (paint.bold, Modifier::BOLD),
            (paint.faint, Modifier::DIM),
            (paint.italic, Modifier::ITALIC),
            (paint.underlined, Modifier::UNDERLINED),
            (paint.reversed, Modifier::REVERSED),
            (paint.struck, Modifier::CROSSED_OUT),
        ];
        let modifier = modifiers.into_iter().filter(|(on, _)| *on).map(|(_, modifier)| modifier);
        let mut style = Style::new().add_modifier(modifier.collect());
        style.fg = paint.text.and_then(colour);
        style.bg = paint.background.and_then(colour);
        style
    }

    /// The same number for themes that look the same, another for others.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn depth(&self) -> ColorDepth {
        self.depth
    }

    /// Every style by the name that it has in a file: THE table for reading, reducing and tests.
    fn styles(&mut self) -> Vec<(&'static str, &mut Style)> {
        let mut styles = vec![
            ("page", &mut self.page),
            ("text", &mut self.text),
            ("strong", &mut self.strong),
            ("faint", &mut self.faint),
            ("accent", &mut self.accent),
            ("added", &mut self.added),
            ("removed", &mut self.removed),
            ("asked", &mut self.asked),
            ("failed", &mut self.failed),
            ("done", &mut self.done),
            ("person", &mut self.person),
            ("heading", &mut self.heading),
            ("link", &mut self.link),
            ("inline-code", &mut self.inline_code),
            ("code-background", &mut self.code_background),
            ("quote", &mut self.quote),
            ("border", &mut self.border),
            ("border-focused", &mut self.border_focused),
            ("selection", &mut self.selection),
            ("matched", &mut self.matched),
            ("matched-now", &mut self.matched_now),
            ("added-line", &mut self.added_line),
            ("removed-line", &mut self.removed_line),
            ("added-word", &mut self.added_word),
            ("removed-word", &mut self.removed_word),
            ("cursor-line", &mut self.cursor_line),
            ("scrollbar", &mut self.scrollbar),
        ];
        styles.extend(TOKENS.into_iter().zip(self.tokens.iter_mut()));
        styles
    }

    /// A theme without any style.
    fn plain(name: &str) -> Theme {
        let style = Style::new();
        Theme {
            name: name.to_string(),
            dark: true,
            background: Color::Reset,
            page: style,
            text: style,
            strong: style,
            faint: style,
            accent: style,
            added: style,
            removed: style,
            asked: style,
            failed: style,
            done: style,
            person: style,
            heading: style,
            link: style,
            inline_code: style,
            code_background: style,
            quote: style,
            border: style,
            border_focused: style,
            selection: style,
            matched: style,
            matched_now: style,
            added_line: style,
            removed_line: style,
            added_word: style,
            removed_word: style,
            cursor_line: style,
            scrollbar: style,
            tokens: [style; Class::ALL.len()],
            depth: ColorDepth::True,
            id: 0,
        }
    }

    /// To be called after the last change of a style.
    fn finished(mut self) -> Theme {
        let mut hasher = DefaultHasher::new();
        self.styles().into_iter().for_each(|(_, style)| style.hash(&mut hasher));
        self.id = hasher.finish();
        self
    }
}

/// The built-in themes and a person's own.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Name and text of each of the person's own; one by the name of a built-in theme hides it.
    own: BTreeMap<String, String>,
}

impl Library {
    /// Adds a theme by the text of its file; `name` is the file's name without `.toml`.
    pub fn add(&mut self, name: &str, toml: &str) {
        self.own.insert(name.to_string(), toml.to_string());
    }

    /// Every theme there is, built-in ones first.
    pub fn names(&self) -> Vec<&str> {
        let own = self.own.keys().map(String::as_str).filter(|name| built_in(name).is_none());
        let mut names: Vec<&str> = Theme::names().collect();
        names.extend(own);
        names
    }

    pub fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// The theme of that name, as far as it can be read, and what cannot. An unknown name gives
    /// the dark theme and one problem.
    pub fn theme(&self, name: &str) -> (Theme, Vec<Problem>) {
        parse::theme(name, self)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str).or_else(|| built_in(name))
    }
}

/// A line of a theme that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("theme {theme}: {message}")]
pub struct Problem {
    pub theme: String,
    pub message: String,
}

fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(built_in, _)| *built_in == name).map(|(_, text)| *text)
}

const BUILT_IN: [(&str, &str); 10] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("terminal", include_str!("../../../themes/terminal.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
    ("solarized-dark", include_str!("../../../themes/solarized-dark.toml")),
    ("gruvbox-dark", include_str!("../../../themes/gruvbox-dark.toml")),
    ("nord", include_str!("../../../themes/nord.toml")),
    ("catppuccin-mocha", include_str!("../../../themes/catppuccin-mocha.toml")),
];

/// Names of the classes in a file, in the order of [`Class::ALL`].
const TOKENS: [&str; Class::ALL.len()] = [
    "token-plain",
    "token-keyword",
    "token-string",
    "token-number",
    "token-constant",
    "token-comment",
    "token-type",
    "token-function",
    "token-variable",
    "token-operator",
    "token-punctuation",
    "token-attribute",
    "token-heading",
    "token-inserted",
    "token-deleted",
];

#[cfg(test)]
mod tests;
