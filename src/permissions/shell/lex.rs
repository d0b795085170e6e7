//! Where words begin and end: a second opinion beside the grammar, and what each word stands for.
//!
//! The syntax tree says how a command is built; this scanner says what its words are. Both must see
//! the same words and operators (`tree::agree`), so that a slip of either one ends in a question and
//! not in a hidden command. What the scanner does not know it refuses: arithmetic with names,
//! `${..}` with more than plain text, `$"..."`, control characters.

mod plain;
mod quoting;

use super::word::{Piece, Word};

/// Why a command is not understood well enough to run unasked; a part of a sentence.
pub(super) type Doubt = String;

const DEEPEST: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    /// The commands inside the word's substitutions, outermost only.
    pub inner: Vec<Inner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Word(Word),
    Operator,
    Newline,
    /// The text of a here-document up to and with its delimiter line.
    Here(Word),
}

/// The tokens of one `$(..)`, `` `..` `` or `<(..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inner {
    pub start: usize,
    pub end: usize,
    pub tokens: Vec<Token>,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Doubt> {
    let mut lexer = Lexer { text, at: 0, depth: 0 };
    let tokens = lexer.level(false)?;
    if lexer.at < text.len() {
        return Err("it has a closing bracket too many".to_owned());
    }
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

struct PendingHere {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
}

/// Longest first.
const OPERATORS: [&str; 21] = [
    ";;&", "&>>", "<<<", "<<-", "&&", "||", ";;", ";&", "|&", "&>", ">>", ">&", ">|", "<<", "<&",
    "<>", "&", "|", ";", "<", ">",
];

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn peek_after(&self, bytes: usize) -> Option<char> {
        self.text.get(self.at + bytes..).and_then(|rest| rest.chars().next())
    }

    /// Everything up to the end, or with `in_brackets` to the `)` that closes this level, which is
    /// left for the caller.
    fn level(&mut self, in_brackets: bool) -> Result<Vec<Token>, Doubt> {
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        let mut out: Vec<Token> = Vec::new();
        let mut pending: Vec<PendingHere> = Vec::new();
        let mut open = 0usize;
        let mut here_next: Option<bool> = None;
        while let Some(c) = self.peek() {
            let start = self.at;
            match c {
                ' ' | '\t' => self.at += 1,
                '\\' if self.peek_after(1) == Some('\n') => {
                    if !self.text[..start].ends_with([' ', '\t', '\n']) && start > 0 {
                        return Err("a line break is hidden inside a word".to_owned());
                    }
                    self.at += 2;
                }
                '\n' => {
                    self.at += 1;
                    out.push(token(start, self.at, Kind::Newline));
                    for here in pending.drain(..) {
                        out.push(self.here_document(&here)?);
                    }
                }
                '#' => {
                    // A comment: the character before is a blank or an operator, or there is none.
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                '(' => {
                    open += 1;
                    self.at += 1;
                    out.push(token(start, self.at, Kind::Operator));
                }
                ')' if open == 0 && in_brackets => break,
                ')' => {
                    if open == 0 {
                        return Ok(out);
                    }
                    open -= 1;
                    self.at += 1;
                    out.push(token(start, self.at, Kind::Operator));
                }
                '<' | '>' if self.peek_after(1) == Some('(') => {
                    let (word, inner) = self.word()?;
                    out.push(Token { start, end: self.at, kind: Kind::Word(word), inner });
                }
                ';' | '&' | '|' | '<' | '>' => {
                    let mut length = OPERATORS
                        .iter()
                        .find(|operator| self.rest().starts_with(**operator))
                        .map_or(1, |operator| operator.len());
                    let operator = &self.rest()[..length];
                    match operator {
                        "<<" | "<<-" => here_next = Some(operator == "<<-"),
                        ">&" | "<&" if self.peek_after(2) == Some('-') => length += 1,
                        _ => {}
                    }
                    self.at += length;
                    out.push(token(start, self.at, Kind::Operator));
                }
                _ => {
                    let (word, inner) = self.word()?;
                    if let Some(strip_tabs) = here_next.take() {
                        let quoted = word.source.contains(['\'', '"', '\\']);
                        let delimiter = word
                            .literal()
                            .filter(|text| !text.is_empty() && !text.contains('\n'))
                            .ok_or("the end mark of a here-document is not plain text")?;
                        pending.push(PendingHere { delimiter, quoted, strip_tabs });
                    }
                    if matches!(self.peek(), Some('<' | '>')) && names_a_descriptor(&word.source) {
                        return Err("it opens a file under a variable's name".to_owned());
                    }
                    out.push(Token { start, end: self.at, kind: Kind::Word(word), inner });
                }
            }
        }
        if !pending.is_empty() || here_next.is_some() {
            return Err("a here-document has no end".to_owned());
        }
        if open > 0 {
            return Err("a bracket is not closed".to_owned());
        }
        Ok(out)
    }

    fn here_document(&mut self, here: &PendingHere) -> Result<Token, Doubt> {
        let start = self.at;
        let mut line_start = start;
        loop {
            let rest = &self.text[line_start..];
            let line = rest.split('\n').next().unwrap_or_default();
            let bare = if here.strip_tabs { line.trim_start_matches('\t') } else { line };
            if bare == here.delimiter {
                let end = line_start + line.len();
                let mut word = Word {
                    start,
                    end: line_start,
                    source: self.text[start..line_start].to_owned(),
                    pieces: Vec::new(),
                    among: Vec::new(),
                };
                let mut inner = Vec::new();
                if here.quoted {
                    word.pieces.push(Piece::Text { text: word.source.clone(), quoted: true });
                } else {
                    let mut body =
                        Lexer { text: &self.text[..line_start], at: start, depth: self.depth };
                    while body.at < line_start {
                        body.inside_quotes(&mut word.pieces, &mut inner, false)?;
                    }
                }
                self.at = end;
                return Ok(Token { start, end, kind: Kind::Here(word), inner });
            }
            if line.len() == rest.len() {
                return Err("a here-document has no end".to_owned());
            }
            line_start += line.len() + 1;
        }
    }
}

fn token(start: usize, end: usize, kind: Kind) -> Token {
    Token { start, end, kind, inner: Vec::new() }
}

/// `cat <<'END' .. END` prints what stands there: the usual way to pass a long message.
fn fixed_output(tokens: &[Token]) -> Option<String> {
    let words: Vec<&Token> = tokens.iter().filter(|token| token.kind != Kind::Newline).collect();
    let [program, arrow, _, body] = words.as_slice() else { return None };
    let (Kind::Word(program), Kind::Operator, Kind::Here(body)) =
        (&program.kind, &arrow.kind, &body.kind)
    else {
        return None;
    };
    let whole = Word { pieces: body.pieces.clone(), ..Word::default() };
    if program.source == "cat" && arrow.end - arrow.start == 2 {
        whole.literal().map(|text| text.trim_end_matches('\n').to_owned())
    } else {
        None
    }
}

fn names_a_descriptor(source: &str) -> bool {
    source
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        && source.len() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, Doubt> {
        Ok(tokens(text)?
            .into_iter()
            .map(|token| match token.kind {
                Kind::Word(word) => word.loose(),
                Kind::Operator => format!("<{}>", &text[token.start..token.end]),
                Kind::Newline => "<nl>".to_owned(),
                Kind::Here(word) => format!("<<{}", word.loose()),
            })
            .collect())
    }

    #[test]
    fn words_and_operators() {
        let cases: &[(&str, &[&str])] = &[
            ("ls -la", &["ls", "-la"]),
            ("r''m \"a b\" 'c'd", &["rm", "a b", "cd"]),
            (
                "a&&b||c;d|e|&f&",
                &["a", "<&&>", "b", "<||>", "c", "<;>", "d", "<|>", "e", "<|&>", "f", "<&>"],
            ),
            ("a>b 2>&1 >&- <c", &["a", "<>>", "b", "2", "<>&>", "1", "<>&->", "<<>", "c"]),
            ("a # b\nc#d", &["a", "<nl>", "c#d"]),
            ("echo \\; \\$x", &["echo", ";", "$x"]),
            ("a \\\n b", &["a", "b"]),
            ("cat <<'E'\n$(x)\nE\nls", &["cat", "<<<>", "E", "<nl>", "<<$(x)\n", "<nl>", "ls"]),
            ("echo $(a; b) `c`", &["echo", "$(a; b)", "`c`"]),
            ("echo \"$(cat <<'E'\nhi\nE\n)\"", &["echo", "hi"]),
            ("diff <(a) x", &["diff", "<(a)", "x"]),
            ("x$'a\\'b'", &["xa'b"]),
        ];
        for (text, expected) in cases {
            let found = words(text).unwrap();
            assert_eq!(
                found,
                expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in [
            "echo 'x",
            "echo \"x",
            "echo $(x",
            "echo `x",
            "cat <<E\nx",
            "a\\\nb",
            "echo ${x@P}",
            "echo ${!x}",
            "echo ${x:=y}",
            "echo ${x[1]}",
            "echo $((x))",
            "echo $[1]",
            "ls\r",
            "ls \u{202e}",
            "echo $\"x\"",
            "echo $'\\x41'",
            "ls)",
            "(ls",
            "{fd}>x",
            "echo ${x:-`y`}",
            "echo ${x:-$(y)}",
        ] {
            assert!(tokens(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn braces_make_a_word_dynamic() {
        for (text, expected) in [
            ("{a,b}", true),
            ("{}", false),
            ("{1..3}", true),
            ("a{b}c", false),
            ("'{a,b}'", false),
            ("x@{u}", false),
        ] {
            let tokens = tokens(text).unwrap();
            let Kind::Word(word) = &tokens[0].kind else { panic!("a word") };
            assert_eq!(word.literal().is_none(), expected, "{text}");
        }
    }
}
