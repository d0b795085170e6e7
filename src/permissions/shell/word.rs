//! A shell word taken apart: what of it is fixed text, and what the shell would still fill in.

/// One word of a command, as the shell reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// Bytes in the whole command.
    pub start: usize,
    pub end: usize,
    /// The word as written, quotes and all.
    pub source: String,
    pub pieces: Vec<Piece>,
    /// Where it is the variable of a loop and nothing else: the words of the loop.
    pub among: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text after quote removal.
    Text { text: String, quoted: bool },
    /// An unquoted `*`, `?` or `[`: it may become names of files.
    Glob(char),
    /// An unquoted `~` that stands for the home directory.
    Home,
    /// `$NAME` or `${NAME..}`; `plain` for the first form.
    Variable { name: String, quoted: bool, plain: bool, source: String },
    /// The output of a command, or the name of a pipe to one.
    Output { quoted: bool, source: String },
    /// Anything else that the shell computes: arithmetic, braces, `~user`.
    Computed { source: String },
}

/// What a word will be when the command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Exactly this text. With `home`, the home directory stands before it.
    Plain { text: String, home: bool },
    /// The names that match, or the pattern itself. A backslash makes the next character literal.
    Pattern { text: String, home: bool },
    /// Not known before it runs.
    Dynamic,
}

impl Word {
    pub fn shape(&self) -> Shape {
        let mut text = String::new();
        let mut pattern = String::new();
        let (mut home, mut globs) = (false, false);
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text { text: piece, .. } => {
                    text.push_str(piece);
                    for c in piece.chars() {
                        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                            pattern.push('\\');
                        }
                        pattern.push(c);
                    }
                }
                Piece::Glob(c) => {
                    globs = true;
                    pattern.push(*c);
                }
                Piece::Home if at == 0 => home = true,
                Piece::Home
                | Piece::Variable { .. }
                | Piece::Output { .. }
                | Piece::Computed { .. } => return Shape::Dynamic,
            }
        }
        if globs { Shape::Pattern { text: pattern, home } } else { Shape::Plain { text, home } }
    }

    /// The text after quote removal, where nothing is left for the shell to fill in.
    pub fn literal(&self) -> Option<String> {
        match self.shape() {
            Shape::Plain { text, home: false } => Some(text),
            Shape::Plain { .. } | Shape::Pattern { .. } | Shape::Dynamic => None,
        }
    }

    /// The word with its quotes removed and what the shell fills in left as written: what a rule is
    /// compared with.
    pub fn loose(&self) -> String {
        self.pieces.iter().fold(String::new(), |mut all, piece| {
            match piece {
                Piece::Text { text, .. } => all.push_str(text),
                Piece::Glob(c) => all.push(*c),
                Piece::Home => all.push('~'),
                Piece::Variable { source, .. }
                | Piece::Output { source, .. }
                | Piece::Computed { source } => all.push_str(source),
            }
            all
        })
    }

    /// [`Self::loose`], in quotes where a reader could otherwise take it for several words.
    pub fn strict(&self) -> String {
        let text = self.loose();
        let quoted = text.is_empty()
            || self.pieces.iter().any(|piece| match piece {
                Piece::Text { text, .. } => text.chars().any(|c| {
                    c.is_whitespace() || matches!(c, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '#')
                }),
                Piece::Glob(_)
                | Piece::Home
                | Piece::Variable { .. }
                | Piece::Output { .. }
                | Piece::Computed { .. } => false,
            });
        if quoted { format!("'{text}'") } else { text }
    }

    /// Whether something in it is known only when it runs, besides a plain `$NAME`.
    pub fn computed(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Output { .. } | Piece::Computed { .. } => true,
            Piece::Variable { plain, .. } => !plain,
            Piece::Text { .. } | Piece::Glob(_) | Piece::Home => false,
        })
    }

    /// Whether every piece is text in quotes, so that it is no reserved word, alias or glob.
    pub fn is_quoted(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Text { quoted: true, .. }))
    }

    /// The name, where the word is one variable and nothing else.
    pub fn lone_variable(&self) -> Option<&str> {
        let mut pieces = self.pieces.iter().filter(
            |piece| !matches!(piece, Piece::Text { text, quoted: true } if text.is_empty()),
        );
        match (pieces.next(), pieces.next()) {
            (Some(Piece::Variable { name, source, .. }), None) => {
                let alone =
                    source.len() == name.len() + if source.starts_with("${") { 3 } else { 1 };
                alone.then_some(name)
            }
            _ => None,
        }
    }

    pub fn from_literal(text: &str) -> Word {
        Word {
            start: 0,
            end: 0,
            source: text.to_owned(),
            pieces: vec![Piece::Text { text: text.to_owned(), quoted: true }],
            among: Vec::new(),
        }
    }
}
