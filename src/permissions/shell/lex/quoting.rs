//! The inside of a word: quotes, escapes, variables, substitutions (bash manual, sections 3.1.2 and 3.5).

use super::super::word::{Piece, Word};
use super::plain::{
    check_control, check_controls, has_braces, plain_arithmetic, plain_parameter, settle_brackets,
};
use super::{Doubt, Inner, Lexer, fixed_output};

impl Lexer<'_> {
    pub(super) fn word(&mut self) -> Result<(Word, Vec<Inner>), Doubt> {
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
                // bash fills in the home directory here too, as in an assignment.
                '~' if self.text[..self.at].ends_with(['=', ':']) => {
                    self.at += 1;
                    pieces.push(Piece::Computed { source: "~".to_owned() });
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
        Ok((Word { start, end: self.at, source, pieces, among: Vec::new() }, inner))
    }

    /// One step inside double quotes (`quotes`) or a here-document.
    pub(super) fn inside_quotes(
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
