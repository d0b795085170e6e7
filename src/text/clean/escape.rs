//! Recognises escape sequences (ECMA-48) in a stream of characters.
//!
//! A sequence that is never finished must not swallow the text after it: it is given back as
//! text, without the characters that began it.

/// Longest string sequence (OSC, DCS ..) held back while its end is awaited, in bytes.
const LONGEST_STRING: usize = 64 * 1024;
/// Longest control sequence, in bytes; real ones have a few dozen.
const LONGEST_CONTROL: usize = 256;

/// What the stream holds besides sequences without a meaning for text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Char(char),
    /// A complete control sequence: its parameters and its final character (`m` for colours).
    Control(&'a str, char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After `ESC` and an intermediate byte, as in `ESC ( 0`.
    Intermediate,
    Control,
    /// In an operating system command, device control string or the like.
    Text,
    /// After an `ESC` in one of those, which may begin its end.
    TextEscape,
}

/// The state between characters.
#[derive(Debug, Clone, Default)]
pub(super) struct Escapes {
    state: State,
    held: String,
}

impl Escapes {
    /// Whether no sequence is open.
    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Ground
    }

    pub(super) fn step(&mut self, c: char, emit: &mut impl FnMut(Token<'_>)) {
        match self.state {
            State::Ground => match c {
                '\u{1b}' => self.state = State::Escape,
                '\u{9b}' => self.state = State::Control,
                '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => self.state = State::Text,
                _ => emit(Token::Char(c)),
            },
            State::Escape => match c {
                '[' => self.state = State::Control,
                ']' | 'P' | 'X' | '^' | '_' => self.state = State::Text,
                ' '..='/' => self.hold(c, State::Intermediate),
                '0'..='~' => self.state = State::Ground,
                _ => {
                    emit(Token::Char('\u{1b}'));
                    self.give_back(c, emit);
                }
            },
            State::Intermediate => match c {
                ' '..='/' if self.held.len() < LONGEST_CONTROL => self.held.push(c),
                '0'..='~' => self.end(),
                _ => self.give_back(c, emit),
            },
            State::Control => match c {
                ' '..='?' if self.held.len() < LONGEST_CONTROL => self.held.push(c),
                '@'..='~' => {
                    emit(Token::Control(&self.held, c));
                    self.end();
                }
                _ => self.give_back(c, emit),
            },
            State::Text => match c {
                '\u{7}' | '\u{9c}' => self.end(),
                '\u{1b}' => self.state = State::TextEscape,
                _ if c.is_control() || self.held.len() >= LONGEST_STRING => self.give_back(c, emit),
                _ => self.held.push(c),
            },
            State::TextEscape => match c {
                '\\' => self.end(),
                _ => {
                    self.release(emit);
                    self.state = State::Escape;
                    self.step(c, emit);
                }
            },
        }
    }

    /// The stream is over: what was held back is text.
    pub(super) fn finish(&mut self, emit: &mut impl FnMut(Token<'_>)) {
        if self.state == State::Escape {
            emit(Token::Char('\u{1b}'));
        }
        self.release(emit);
    }

    fn hold(&mut self, c: char, state: State) {
        self.held.push(c);
        self.state = state;
    }

    fn end(&mut self) {
        self.held.clear();
        self.state = State::Ground;
    }

    fn release(&mut self, emit: &mut impl FnMut(Token<'_>)) {
        self.held.chars().for_each(|c| emit(Token::Char(c)));
        self.end();
    }

    /// No sequence after all: what was held is text, and `c` begins anew.
    fn give_back(&mut self, c: char, emit: &mut impl FnMut(Token<'_>)) {
        self.release(emit);
        self.step(c, emit);
    }
}
