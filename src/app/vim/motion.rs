//! Where the motions of vim lead. A text is its characters, line feeds included; a place is an
//! index into them.

/// What is between blanks (`W`), or what is between signs of another kind (`w`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Small,
    Big,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Left,
    Right,
    Up,
    Down,
    Next(Word),
    Back(Word),
    End(Word),
    LineStart,
    FirstLetter,
    LineEnd,
    /// The n-th line, from 1; without a count the first or the last one.
    FirstLine,
    LastLine,
    Find(Find),
}

/// `f`, `t`, `F` and `T`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Find {
    pub letter: char,
    pub forward: bool,
    /// Stops one before it.
    pub till: bool,
}

/// What an operator takes together with a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Exclusive,
    Inclusive,
    Lines,
}

impl Motion {
    pub fn reach(self) -> Reach {
        match self {
            Motion::Up | Motion::Down | Motion::FirstLine | Motion::LastLine => Reach::Lines,
            Motion::End(_) | Motion::Find(Find { forward: true, .. }) => Reach::Inclusive,
            _ => Reach::Exclusive,
        }
    }

    /// Where it leads from `at`, `count` times over. `None`: nowhere.
    pub fn go(self, text: &[char], at: usize, count: Option<usize>) -> Option<usize> {
        let times = count.unwrap_or(1).min(text.len() + 1);
        let line = || line_start(text, at)..line_end(text, at);
        match self {
            Motion::Left => Some(at.saturating_sub(times).max(line().start)),
            Motion::Right => Some((at + times).min(line().end)),
            Motion::LineStart => Some(line().start),
            Motion::FirstLetter => Some(first_letter(text, line().start)),
            Motion::LineEnd => {
                let end = repeat(at, times - 1, |at| next_line(text, at))?;
                Some(line_end(text, end))
            }
            Motion::Up => vertical(text, at, times, |at| previous_line(text, at)),
            Motion::Down => vertical(text, at, times, |at| next_line(text, at)),
            Motion::FirstLine | Motion::LastLine => {
                let last = text.iter().filter(|c| **c == '\n').count();
                let line = match (count, self) {
                    (Some(line), _) => line.saturating_sub(1).min(last),
                    (None, Motion::FirstLine) => 0,
                    (None, _) => last,
                };
                repeat(0, line, |at| next_line(text, at)).map(|at| first_letter(text, at))
            }
            Motion::Next(word) => Some((0..times).fold(at, |at, _| next_word(text, at, word))),
            Motion::Back(word) => Some((0..times).fold(at, |at, _| word_back(text, at, word))),
            Motion::End(word) => Some((0..times).fold(at, |at, _| word_end(text, at, word))),
            Motion::Find(find) => find.go(text, at, times),
        }
    }
}

impl Find {
    fn go(self, text: &[char], at: usize, times: usize) -> Option<usize> {
        let found = if self.forward {
            let after = at + 1..line_end(text, at);
            after.filter(|at| text[*at] == self.letter).nth(times - 1)?
        } else {
            let before = line_start(text, at)..at;
            before.rev().filter(|at| text[*at] == self.letter).nth(times - 1)?
        };
        Some(match (self.till, self.forward) {
            (false, _) => found,
            (true, true) => found - 1,
            (true, false) => found + 1,
        })
    }

    #[must_use]
    pub fn reversed(self) -> Find {
        Find { forward: !self.forward, ..self }
    }
}

fn repeat(at: usize, times: usize, step: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    (0..times).try_fold(at, |at, _| step(at))
}

/// To the same column of another line, or the end of a shorter one.
fn vertical(
    text: &[char],
    at: usize,
    times: usize,
    step: impl Fn(usize) -> Option<usize>,
) -> Option<usize> {
    let column = at - line_start(text, at);
    let start = repeat(line_start(text, at), times, step)?;
    Some((start + column).min(line_end(text, start)))
}

pub fn line_start(text: &[char], at: usize) -> usize {
    text[..at].iter().rposition(|c| *c == '\n').map_or(0, |feed| feed + 1)
}

/// The line feed at the end of the line, or the end of the text.
pub fn line_end(text: &[char], at: usize) -> usize {
    text[at..].iter().position(|c| *c == '\n').map_or(text.len(), |feed| at + feed)
}

fn next_line(text: &[char], at: usize) -> Option<usize> {
    Some(line_end(text, at) + 1).filter(|start| *start <= text.len())
}

fn previous_line(text: &[char], at: usize) -> Option<usize> {
    line_start(text, at).checked_sub(1).map(|feed| line_start(text, feed))
}

pub fn first_letter(text: &[char], start: usize) -> usize {
    let end = line_end(text, start);
    (start..end).find(|at| !text[*at].is_whitespace()).unwrap_or(start)
}

/// 0 for blanks, else a number for each kind of sign that makes up words.
pub fn kind(c: char, word: Word) -> u8 {
    match (c, word) {
        (c, _) if c.is_whitespace() => 0,
        (_, Word::Big) => 1,
        (c, Word::Small) if c.is_alphanumeric() || c == '_' => 1,
        _ => 2,
    }
}

fn next_word(text: &[char], at: usize, word: Word) -> usize {
    let Some(here) = text.get(at).map(|c| kind(*c, word)) else { return at };
    let rest = |from: usize, wanted: &dyn Fn(char) -> bool| {
        (from..text.len()).find(|at| wanted(text[*at])).unwrap_or(text.len())
    };
    let behind = if here == 0 { at } else { rest(at, &|c| kind(c, word) != here) };
    rest(behind, &|c| kind(c, word) != 0)
}

fn word_back(text: &[char], at: usize, word: Word) -> usize {
    let Some(last) = (0..at).rev().find(|at| kind(text[*at], word) != 0) else { return 0 };
    let here = kind(text[last], word);
    (0..last).rev().find(|at| kind(text[*at], word) != here).map_or(0, |before| before + 1)
}

fn word_end(text: &[char], at: usize, word: Word) -> usize {
    let Some(first) = (at + 1..text.len()).find(|at| kind(text[*at], word) != 0) else {
        return at;
    };
    let here = kind(text[first], word);
    (first..text.len()).find(|at| kind(text[*at], word) != here).unwrap_or(text.len()) - 1
}
