//! Where words begin and end: a second opinion beside the grammar, and what each word stands for.
//!
//! The syntax tree says how a command is built; this scanner says what its words are. Both must see
//! the same words and operators (`tree::agree`), so that a slip of either one ends in a question and
//! not in a hidden command. What the scanner does not know it refuses: arithmetic with names,
//! `${..}` with more than plain text, `$"..."`, control characters.

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

    fn word(&mut self) -> Result<(Word, Vec<Inner>), Doubt> {
        let start = self.at;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut inner: Vec<Inner> = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '<' | '>' if self.peek_after(1) == Some('(') && self.at == start => {
                    self.at += 2;
                    self.substitution(start, false, &mut pieces, &mut inner)?;
                }
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => {
                    self.at += 1;
                    let length = self.rest().find('\'').ok_or("a quote is not closed")?;
                    let text = self.rest()[..length].to_owned();
                    check_controls(&text)?;
                    self.at += length + 1;
                    pieces.push(Piece::Text { text, quoted: true });
                }
                '"' => {
                    self.at += 1;
                    pieces.push(Piece::Text { text: String::new(), quoted: true });
                    loop {
                        match self.peek() {
                            None => return Err("a quote is not closed".to_owned()),
                            Some('"') => break,
                            Some(_) => self.inside_quotes(&mut pieces, &mut inner, true)?,
                        }
                    }
                    self.at += 1;
                }
                '$' if self.peek_after(1) == Some('\'') => {
                    self.at += 2;
                    let text = self.ansi_quoted()?;
                    pieces.push(Piece::Text { text, quoted: true });
                }
                '$' if self.peek_after(1) == Some('"') => {
                    return Err("it uses $\"..\" quoting".to_owned());
                }
                '$' => self.dollar(false, &mut pieces, &mut inner)?,
                '`' => self.backquotes(false, &mut pieces, &mut inner)?,
                '\\' => {
                    self.at += 1;
                    let escaped = self.peek().ok_or("it ends in a backslash")?;
                    if escaped == '\n' {
                        return Err("a line break is hidden inside a word".to_owned());
                    }
                    check_control(escaped)?;
                    self.at += escaped.len_utf8();
                    pieces.push(Piece::Text { text: escaped.to_string(), quoted: true });
                }
                '*' | '?' | '[' => {
                    self.at += 1;
                    pieces.push(Piece::Glob(c));
                }
                '~' if self.at == start => {
                    self.at += 1;
                    let end = self.rest().find(|c: char| " \t\n;&|<>()/'\"".contains(c));
                    let name = &self.rest()[..end.unwrap_or(self.rest().len())];
                    if name.is_empty() && !self.rest().starts_with(['\'', '"']) {
                        pieces.push(Piece::Home);
                    } else {
                        pieces.push(Piece::Computed { source: "~".to_owned() });
                    }
                }
                _ => {
                    check_control(c)?;
                    self.at += c.len_utf8();
                    match pieces.last_mut() {
                        Some(Piece::Text { text, quoted: false }) => text.push(c),
                        _ => pieces.push(Piece::Text { text: c.to_string(), quoted: false }),
                    }
                }
            }
        }
        settle_brackets(&mut pieces);
        if has_braces(&pieces) {
            let source = self.text[start..self.at].to_owned();
            pieces = vec![Piece::Computed { source }];
        }
        let source = self.text[start..self.at].to_owned();
        Ok((Word { start, end: self.at, source, pieces }, inner))
    }

    /// One step inside double quotes (`quotes`) or a here-document.
    fn inside_quotes(
        &mut self,
        pieces: &mut Vec<Piece>,
        inner: &mut Vec<Inner>,
        quotes: bool,
    ) -> Result<(), Doubt> {
        let Some(c) = self.peek() else { return Ok(()) };
        let mut literal = |c: char| match pieces.last_mut() {
            Some(Piece::Text { text, quoted: true }) => text.push(c),
            _ => pieces.push(Piece::Text { text: c.to_string(), quoted: true }),
        };
        match c {
            '$' => return self.dollar(true, pieces, inner),
            '`' => return self.backquotes(true, pieces, inner),
            '\\' => {
                self.at += 1;
                match self.peek() {
                    None => return Err("it ends in a backslash".to_owned()),
                    Some('\n') => self.at += 1,
                    Some(next) if matches!(next, '$' | '`' | '\\') || (quotes && next == '"') => {
                        self.at += 1;
                        literal(next);
                    }
                    Some(_) => literal('\\'),
                }
            }
            _ => {
                if c != '\n' {
                    check_control(c)?;
                }
                self.at += c.len_utf8();
                literal(c);
            }
        }
        Ok(())
    }

    /// At a `$` that starts no quote.
    fn dollar(
        &mut self,
        quoted: bool,
        pieces: &mut Vec<Piece>,
        inner: &mut Vec<Inner>,
    ) -> Result<(), Doubt> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some('(') if self.peek_after(1) == Some('(') => {
                let rest = &self.rest()[2..];
                let length = rest.find("))").ok_or("an arithmetic expression is not closed")?;
                if !plain_arithmetic(&rest[..length]) {
                    return Err("it computes an expression that may run commands".to_owned());
                }
                self.at += 2 + length + 2;
                pieces.push(Piece::Computed { source: self.text[start..self.at].to_owned() });
            }
            Some('(') => {
                self.at += 1;
                self.substitution(start, quoted, pieces, inner)?;
            }
            Some('[') => return Err("it computes an expression that may run commands".to_owned()),
            Some('{') => {
                let rest = &self.rest()[1..];
                let length = rest.find('}').ok_or("a ${..} is not closed")?;
                let name = plain_parameter(&rest[..length])
                    .ok_or("it has a ${..} that may do more than give a value")?
                    .to_owned();
                self.at += length + 2;
                let source = self.text[start..self.at].to_owned();
                pieces.push(Piece::Variable { name, quoted, plain: false, source });
            }
            Some(c) if c.is_ascii_alphanumeric() || "_?#$!@*-".contains(c) => {
                let length = if c.is_ascii_alphabetic() || c == '_' {
                    let rest = self.rest();
                    rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                        .unwrap_or(rest.len())
                } else {
                    1
                };
                let name = self.rest()[..length].to_owned();
                self.at += length;
                let source = self.text[start..self.at].to_owned();
                pieces.push(Piece::Variable { name, quoted, plain: true, source });
            }
            _ => pieces.push(Piece::Text { text: "$".to_owned(), quoted }),
        }
        Ok(())
    }

    /// After the `$(`, `<(` or `>(` that began at `start`.
    fn substitution(
        &mut self,
        start: usize,
        quoted: bool,
        pieces: &mut Vec<Piece>,
        inner: &mut Vec<Inner>,
    ) -> Result<(), Doubt> {
        let inner_start = self.at;
        self.depth += 1;
        let tokens = self.level(true)?;
        self.depth -= 1;
        if self.peek() != Some(')') {
            return Err("a substitution is not closed".to_owned());
        }
        let inner_end = self.at;
        self.at += 1;
        let source = self.text[start..self.at].to_owned();
        match fixed_output(&tokens) {
            Some(text) if quoted => pieces.push(Piece::Text { text, quoted: true }),
            _ => pieces.push(Piece::Output { quoted, source }),
        }
        inner.push(Inner { start: inner_start, end: inner_end, tokens });
        Ok(())
    }

    fn backquotes(
        &mut self,
        quoted: bool,
        pieces: &mut Vec<Piece>,
        inner: &mut Vec<Inner>,
    ) -> Result<(), Doubt> {
        let start = self.at;
        let length = self.rest()[1..].find('`').ok_or("a back-quote is not closed")?;
        let (from, to) = (start + 1, start + 1 + length);
        if self.text[from..to].contains('\\') {
            return Err("it has a backslash inside back-quotes".to_owned());
        }
        let mut lexer = Lexer { text: &self.text[..to], at: from, depth: self.depth + 1 };
        let tokens = lexer.level(false)?;
        if lexer.at < to {
            return Err("a bracket is closed that was not opened".to_owned());
        }
        self.at = to + 1;
        pieces.push(Piece::Output { quoted, source: self.text[start..self.at].to_owned() });
        inner.push(Inner { start: from, end: to, tokens });
        Ok(())
    }

    /// After `$'`; the escapes of bash's manual, section 3.1.2.4.
    fn ansi_quoted(&mut self) -> Result<String, Doubt> {
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or("a quote is not closed")?;
            self.at += c.len_utf8();
            match c {
                '\'' => return Ok(text),
                '\\' => {
                    let escape = self.peek().ok_or("a quote is not closed")?;
                    self.at += escape.len_utf8();
                    match escape {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        '\\' | '\'' | '"' | '?' => text.push(escape),
                        _ => return Err("it spells characters by number in $'..'".to_owned()),
                    }
                }
                _ => {
                    check_control(c)?;
                    text.push(c);
                }
            }
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

fn check_controls(text: &str) -> Result<(), Doubt> {
    text.chars().filter(|c| *c != '\n').try_for_each(check_control)
}

fn check_control(c: char) -> Result<(), Doubt> {
    if c != '\t' && (c.is_control() || is_unseen(c) || (c != ' ' && c.is_whitespace())) {
        Err(format!("it contains the unseen character U+{:04X}", c as u32))
    } else {
        Ok(())
    }
}

/// Format characters: bidirectional controls, zero-width ones, tags. Two that belong to emoji are let
/// through: they stand in ordinary messages, and the dialog marks them all the same.
fn is_unseen(c: char) -> bool {
    !matches!(c, '\u{fe0f}' | '\u{200d}') && crate::permissions::explain::is_format_character(c)
}

fn names_a_descriptor(source: &str) -> bool {
    source
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        && source.len() > 2
}

fn plain_arithmetic(text: &str) -> bool {
    let mut open = 0i32;
    for c in text.chars() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            '0'..='9' | ' ' | '+' | '-' | '*' | '/' | '%' => {}
            _ => return false,
        }
        if open < 0 {
            return false;
        }
    }
    open == 0
}

/// The variable of a `${..}` that can only give a value: a name, its length, or a name with a default
/// or a trimmed end in plain text.
fn plain_parameter(text: &str) -> Option<&str> {
    let bare = text.strip_prefix('#').filter(|rest| !rest.is_empty());
    let text_after = bare.unwrap_or(text);
    let end = text_after
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text_after.len());
    let (name, operation) = text_after.split_at(end);
    if name.is_empty() {
        return None;
    }
    let operand = ["##", "#", "%%", "%", "//", "/", ":-", ":+", "-", "+"]
        .into_iter()
        .find_map(|operator| operation.strip_prefix(operator));
    let plain = |operand: &str| {
        operand.chars().all(|c| c.is_ascii_alphanumeric() || "_./:@%+, *?-".contains(c))
    };
    match operand {
        None if operation.is_empty() => Some(name),
        Some(operand) if bare.is_none() && plain(operand) => Some(name),
        _ => None,
    }
}

/// A `[` without a `]` after it in the same word is a plain bracket, as in `[ -d src ]`.
fn settle_brackets(pieces: &mut [Piece]) {
    let closes =
        |piece: &Piece| matches!(piece, Piece::Text { text, quoted: false } if text.contains(']'));
    let last = pieces.iter().rposition(closes);
    for (at, piece) in pieces.iter_mut().enumerate() {
        if *piece == Piece::Glob('[') && last.is_none_or(|last| last < at) {
            *piece = Piece::Text { text: "[".to_owned(), quoted: false };
        }
    }
}

/// Whether unquoted braces with a comma or a range make several words of this one.
fn has_braces(pieces: &[Piece]) -> bool {
    let mut open = false;
    let mut several = false;
    let mut dots = 0;
    for piece in pieces {
        let Piece::Text { text, quoted: false } = piece else {
            dots = 0;
            continue;
        };
        for c in text.chars() {
            dots = if c == '.' { dots + 1 } else { 0 };
            match c {
                '{' => open = true,
                ',' if open => several = true,
                '.' if open && dots == 2 => several = true,
                '}' if open && several => return true,
                _ => {}
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, Doubt> {
        Ok(tokens(text)?
            .into_iter()
            .filter_map(|token| match token.kind {
                Kind::Word(word) => Some(word.loose()),
                Kind::Operator => Some(format!("<{}>", &text[token.start..token.end])),
                Kind::Newline => Some("<nl>".to_owned()),
                Kind::Here(word) => Some(format!("<<{}", word.loose())),
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
