//! Modal editing of the prompt, as in vim: for who chose that keymap.
//!
//! [`press`] takes a key before the keymap sees it. In insert mode only `esc` is vim's; in normal
//! and visual mode every letter is, and what concerns the whole screen comes back as an action.
//!
//! Not for moving through the transcript, panels and dialogs: their keys are in the keymap.

mod change;
pub mod motion;
mod object;

use std::ops::Range;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::app::keys::{Action, Edit, Key};
use crate::app::prompt::Prompt;
use crate::app::vim::change::{History, Register, normal_place};
use crate::app::vim::motion::{Find, Motion, Reach, Word, line_end, line_start};

#[derive(Debug, Clone, Default)]
pub struct Vim {
    pub mode: Mode,
    count: Option<usize>,
    operator: Option<(Operator, Option<usize>)>,
    wait: Option<Wait>,
    found: Option<Find>,
    /// Where visual mode began.
    anchor: usize,
    register: Register,
    history: History,
    /// The keys of the command that is being given, and those of the last one that changed
    /// anything.
    keys: Vec<Key>,
    last: Vec<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    Insert,
    Normal,
    Visual,
    VisualLines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Delete,
    Change,
    Yank,
}

/// What the next key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Go,
    Find { forward: bool, till: bool },
    Object { around: bool },
    Replace,
    Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// It is not vim's.
    Left,
    /// It moved, or waits for more.
    Moved,
    Changed,
    Action(Action),
}

/// Counts beyond this do nothing more.
const MOST: usize = 10_000;

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Insert => "insert",
            Mode::Normal => "normal",
            Mode::Visual => "visual",
            Mode::VisualLines => "visual line",
        }
    }
}

impl Vim {
    /// Characters of the prompt that are chosen.
    pub fn selection(&self, prompt: &Prompt) -> Option<Range<usize>> {
        let text = change::text(prompt);
        let at = change::cursor(prompt).min(text.len());
        let (from, to) = (self.anchor.min(at), self.anchor.max(at).min(text.len()));
        match self.mode {
            Mode::Insert | Mode::Normal => None,
            Mode::Visual => Some(from.min(to)..(to + 1).min(text.len())),
            Mode::VisualLines => Some(line_start(&text, from.min(to))..line_end(&text, to)),
        }
    }

    /// The prompt was emptied: the next one is begun by writing.
    pub fn begin(&mut self) {
        *self = Vim {
            register: std::mem::take(&mut self.register),
            last: std::mem::take(&mut self.last),
            found: self.found,
            ..Vim::default()
        };
    }
}

pub fn press(vim: &mut Vim, prompt: &mut Prompt, key: Key) -> Pressed {
    let esc = key == Key::plain(KeyCode::Esc)
        || key == Key::new(KeyCode::Char('['), KeyModifiers::CONTROL);
    if vim.mode == Mode::Insert {
        return insert(vim, prompt, key, esc);
    }
    if esc {
        return escape(vim, prompt);
    }
    if key.modifiers == KeyModifiers::CONTROL {
        return control(vim, prompt, key);
    }
    let Some(c) = key.typed() else {
        vim.reset();
        return Pressed::Left;
    };
    vim.keys.push(key);
    let pressed = letter(vim, prompt, c);
    if vim.is_done() {
        if pressed == Pressed::Changed && vim.mode != Mode::Insert {
            vim.last = std::mem::take(&mut vim.keys);
        }
        if vim.mode != Mode::Insert {
            vim.keys.clear();
        }
    }
    pressed
}

fn insert(vim: &mut Vim, prompt: &mut Prompt, key: Key, esc: bool) -> Pressed {
    if !esc {
        // Kept for `.`, which writes it again.
        if vim.keys.len() < MOST {
            vim.keys.push(key);
        }
        return Pressed::Left;
    }
    vim.keys.push(key);
    vim.last = std::mem::take(&mut vim.keys);
    vim.mode = Mode::Normal;
    let text = change::text(prompt);
    let at = change::cursor(prompt);
    let left = Motion::Left.go(&text, at, None).unwrap_or(at);
    change::move_to(prompt, normal_place(&text, left));
    Pressed::Moved
}

fn escape(vim: &mut Vim, prompt: &mut Prompt) -> Pressed {
    let idle = vim.mode == Mode::Normal && vim.is_done() && vim.count.is_none();
    vim.reset();
    vim.mode = Mode::Normal;
    let text = change::text(prompt);
    change::move_to(prompt, normal_place(&text, change::cursor(prompt)));
    if idle { Pressed::Left } else { Pressed::Moved }
}

fn control(vim: &mut Vim, prompt: &mut Prompt, key: Key) -> Pressed {
    let waits = !vim.is_done();
    vim.reset();
    match key.code {
        _ if waits => Pressed::Moved,
        KeyCode::Char('r') => vim.history.redo(prompt),
        KeyCode::Char('w') => {
            vim.wait = Some(Wait::Window);
            Pressed::Moved
        }
        KeyCode::Char('d') => Pressed::Action(Action::PageDown),
        KeyCode::Char('u') => Pressed::Action(Action::PageUp),
        _ => Pressed::Left,
    }
}

fn letter(vim: &mut Vim, prompt: &mut Prompt, c: char) -> Pressed {
    if let Some(wait) = vim.wait.take() {
        return waited(vim, prompt, wait, c);
    }
    if let Some(digit) = c.to_digit(10).filter(|digit| *digit > 0 || vim.count.is_some()) {
        let count = vim.count.unwrap_or(0) * 10 + digit as usize;
        vim.count = Some(count.min(MOST));
        return Pressed::Moved;
    }
    if let Some(motion) = motion(vim, c) {
        return moved(vim, prompt, motion, c);
    }
    match (c, vim.operator) {
        ('g', _) => vim.wait(Wait::Go),
        ('f' | 't' | 'F' | 'T', _) => {
            vim.wait(Wait::Find { forward: c.is_lowercase(), till: matches!(c, 't' | 'T') })
        }
        ('i' | 'a', Some(_)) => vim.wait(Wait::Object { around: c == 'a' }),
        ('i' | 'a', None) if vim.is_visual() => vim.wait(Wait::Object { around: c == 'a' }),
        ('d' | 'c' | 'y', Some((operator, _))) if operator.letter() == c => {
            lines_from_here(vim, prompt)
        }
        (_, Some(_)) => vim.give_up(),
        _ if vim.is_visual() => visual(vim, prompt, c),
        _ => command(vim, prompt, c),
    }
}

fn motion(vim: &Vim, c: char) -> Option<Motion> {
    Some(match c {
        'h' => Motion::Left,
        'l' | ' ' => Motion::Right,
        'j' => Motion::Down,
        'k' => Motion::Up,
        'w' => Motion::Next(Word::Small),
        'W' => Motion::Next(Word::Big),
        'b' => Motion::Back(Word::Small),
        'B' => Motion::Back(Word::Big),
        'e' => Motion::End(Word::Small),
        'E' => Motion::End(Word::Big),
        '0' => Motion::LineStart,
        '^' => Motion::FirstLetter,
        '$' => Motion::LineEnd,
        'G' => Motion::LastLine,
        ';' => Motion::Find(vim.found?),
        ',' => Motion::Find(vim.found?.reversed()),
        _ => return None,
    })
}

fn moved(vim: &mut Vim, prompt: &mut Prompt, motion: Motion, c: char) -> Pressed {
    let text = change::text(prompt);
    let at = change::cursor(prompt);
    let count = vim.whole_count();
    let Some((operator, _)) = vim.operator else {
        vim.count = None;
        let Some(to) = motion.go(&text, at, count) else {
            // Beyond the first and the last line are the earlier prompts.
            return match c {
                'k' if !vim.is_visual() => Pressed::Action(Action::Up),
                'j' if !vim.is_visual() => Pressed::Action(Action::Down),
                _ => Pressed::Moved,
            };
        };
        change::move_to(prompt, normal_place(&text, to));
        return Pressed::Moved;
    };
    // `cw` leaves the blanks behind the word.
    let on_word = text.get(at).is_some_and(|c| !c.is_whitespace());
    let motion = match (operator, motion) {
        (Operator::Change, Motion::Next(word)) if on_word => Motion::End(word),
        (_, motion) => motion,
    };
    let Some(to) = motion.go(&text, at, count) else { return vim.give_up() };
    let (from, mut end) = (at.min(to), at.max(to));
    match motion.reach() {
        Reach::Lines => return vim.operate_on_lines(prompt, from, end),
        Reach::Inclusive => end = (end + 1).min(text.len()),
        Reach::Exclusive => {}
    }
    // The last word of a line does not take the line feed with it.
    if matches!(motion, Motion::Next(_)) {
        let line = line_end(&text, from);
        let only_blanks = end > line && text[line..end].iter().all(|c| c.is_whitespace());
        if only_blanks {
            end = line;
        }
    }
    vim.operate(prompt, from..end)
}

fn waited(vim: &mut Vim, prompt: &mut Prompt, wait: Wait, c: char) -> Pressed {
    match wait {
        Wait::Go if c == 'g' => moved(vim, prompt, Motion::FirstLine, c),
        Wait::Go => vim.give_up(),
        Wait::Find { forward, till } => {
            let find = Find { letter: c, forward, till };
            vim.found = Some(find);
            moved(vim, prompt, Motion::Find(find), c)
        }
        Wait::Object { around } => {
            let text = change::text(prompt);
            let at = change::cursor(prompt);
            let Some(range) = object::find(&text, at, c, around) else { return vim.give_up() };
            if vim.operator.is_some() {
                return vim.operate(prompt, range);
            }
            if !range.is_empty() {
                vim.anchor = range.start;
                change::move_to(prompt, range.end - 1);
            }
            Pressed::Moved
        }
        Wait::Replace => {
            let times = vim.whole_count().unwrap_or(1);
            vim.reset_counts();
            let text = change::text(prompt);
            let at = change::cursor(prompt);
            let end = at + times;
            if end > line_end(&text, at) {
                return Pressed::Moved;
            }
            vim.history.keep(prompt);
            change::replace(prompt, at..end, &c.to_string().repeat(times));
            change::move_to(prompt, end - 1);
            Pressed::Changed
        }
        Wait::Window => {
            vim.reset();
            match c {
                'k' | 'w' => Pressed::Action(Action::BrowseUp),
                _ => Pressed::Moved,
            }
        }
    }
}

/// `dd`, `cc`, `yy`.
fn lines_from_here(vim: &mut Vim, prompt: &mut Prompt) -> Pressed {
    let text = change::text(prompt);
    let at = change::cursor(prompt);
    let more = vim.whole_count().unwrap_or(1).saturating_sub(1);
    let end = (0..more).try_fold(at, |at, _| Motion::Down.go(&text, at, None));
    vim.operate_on_lines(prompt, at, end.unwrap_or(text.len()))
}

fn visual(vim: &mut Vim, prompt: &mut Prompt, c: char) -> Pressed {
    let operator = match c {
        'd' | 'x' => Operator::Delete,
        'c' | 's' => Operator::Change,
        'y' => Operator::Yank,
        'v' | 'V' => {
            let mode = if c == 'v' { Mode::Visual } else { Mode::VisualLines };
            vim.mode = if vim.mode == mode { Mode::Normal } else { mode };
            return Pressed::Moved;
        }
        'o' => {
            let at = change::cursor(prompt);
            change::move_to(prompt, std::mem::replace(&mut vim.anchor, at));
            return Pressed::Moved;
        }
        _ => return vim.give_up(),
    };
    let Some(range) = vim.selection(prompt) else { return vim.give_up() };
    let lines = vim.mode == Mode::VisualLines;
    vim.mode = Mode::Normal;
    vim.operator = Some((operator, None));
    // What was chosen by eye cannot be done again elsewhere by keys alone.
    vim.keys.clear();
    if lines {
        vim.operate_on_lines(prompt, range.start, range.end)
    } else {
        vim.operate(prompt, range)
    }
}

fn command(vim: &mut Vim, prompt: &mut Prompt, c: char) -> Pressed {
    let text = change::text(prompt);
    let at = change::cursor(prompt);
    let (start, end) = (line_start(&text, at), line_end(&text, at));
    let count = vim.count;
    let times = count.unwrap_or(1);
    match c {
        'd' | 'c' | 'y' => {
            let operator = Operator::of(c);
            vim.operator = Some((operator, vim.count.take()));
            return Pressed::Moved;
        }
        'i' => return vim.write(prompt, at),
        'a' => return vim.write(prompt, (at + 1).min(end)),
        'I' => return vim.write(prompt, motion::first_letter(&text, start)),
        'A' => return vim.write(prompt, end),
        'o' => return vim.open_line(prompt, end, Side::Below),
        'O' => return vim.open_line(prompt, start, Side::Above),
        'v' | 'V' => {
            vim.mode = if c == 'v' { Mode::Visual } else { Mode::VisualLines };
            vim.anchor = at;
            vim.count = None;
            return Pressed::Moved;
        }
        'r' => {
            vim.wait = Some(Wait::Replace);
            return Pressed::Moved;
        }
        'x' => return vim.with(Operator::Delete, prompt, at..(at + times).min(end)),
        'X' => return vim.with(Operator::Delete, prompt, at.saturating_sub(times).max(start)..at),
        's' => return vim.with(Operator::Change, prompt, at..(at + times).min(end)),
        'D' => return vim.with(Operator::Delete, prompt, at..end),
        'C' => return vim.with(Operator::Change, prompt, at..end),
        'S' | 'Y' => {
            let operator = if c == 'S' { Operator::Change } else { Operator::Yank };
            vim.operator = Some((operator, vim.count.take()));
            return lines_from_here(vim, prompt);
        }
        'p' | 'P' => {
            vim.history.keep(prompt);
            let pressed = vim.register.put(prompt, c == 'P', times);
            vim.reset_counts();
            return pressed;
        }
        '~' | 'J' => {
            vim.history.keep(prompt);
            let change = if c == '~' { change::swap_case } else { change::join };
            change(prompt, times);
            vim.reset_counts();
            return Pressed::Changed;
        }
        _ => {}
    }
    vim.reset();
    match c {
        'u' => vim.history.undo(prompt),
        '.' => again(vim, prompt),
        '/' => Pressed::Action(Action::SearchOpen),
        ':' => Pressed::Action(Action::Palette),
        '?' => Pressed::Action(Action::Help),
        _ => Pressed::Moved,
    }
}

/// The last change once more.
fn again(vim: &mut Vim, prompt: &mut Prompt) -> Pressed {
    let keys = std::mem::take(&mut vim.last);
    vim.keys.clear();
    for key in &keys {
        let pressed = press(vim, prompt, *key);
        if vim.mode == Mode::Insert && pressed == Pressed::Left {
            match (key.typed(), key.code) {
                (Some(c), _) => prompt.insert(c.encode_utf8(&mut [0; 4])),
                (None, KeyCode::Backspace) => {
                    prompt.edit(Edit::DeleteBack);
                }
                (None, KeyCode::Enter) => prompt.insert("\n"),
                _ => {}
            }
        }
    }
    vim.keys.clear();
    vim.last = keys;
    // It is kept already.
    Pressed::Moved
}

impl Operator {
    fn of(c: char) -> Operator {
        match c {
            'd' => Operator::Delete,
            'c' => Operator::Change,
            _ => Operator::Yank,
        }
    }

    fn letter(self) -> char {
        match self {
            Operator::Delete => 'd',
            Operator::Change => 'c',
            Operator::Yank => 'y',
        }
    }
}

impl Vim {
    fn is_visual(&self) -> bool {
        matches!(self.mode, Mode::Visual | Mode::VisualLines)
    }

    /// No key is awaited.
    fn is_done(&self) -> bool {
        self.operator.is_none() && self.wait.is_none() && self.count.is_none()
    }

    fn wait(&mut self, wait: Wait) -> Pressed {
        self.wait = Some(wait);
        Pressed::Moved
    }

    fn give_up(&mut self) -> Pressed {
        self.reset();
        Pressed::Moved
    }

    fn reset(&mut self) {
        self.reset_counts();
        self.keys.clear();
    }

    fn reset_counts(&mut self) {
        self.count = None;
        self.operator = None;
        self.wait = None;
    }

    /// `2d3w` is six words.
    fn whole_count(&self) -> Option<usize> {
        match (self.operator.and_then(|(_, count)| count), self.count) {
            (None, None) => None,
            (a, b) => Some((a.unwrap_or(1) * b.unwrap_or(1)).min(MOST)),
        }
    }

    fn with(&mut self, operator: Operator, prompt: &mut Prompt, range: Range<usize>) -> Pressed {
        self.operator = Some((operator, None));
        self.operate(prompt, range)
    }

    fn operate(&mut self, prompt: &mut Prompt, range: Range<usize>) -> Pressed {
        let Some((operator, _)) = self.operator else { return self.give_up() };
        self.reset_counts();
        if range.is_empty() && operator != Operator::Change {
            return Pressed::Moved;
        }
        let range = change::whole_marks(prompt, range);
        let text = change::text(prompt);
        self.register = Register { text: text[range.clone()].iter().collect(), lines: false };
        if operator == Operator::Yank {
            change::move_to(prompt, range.start);
            return Pressed::Moved;
        }
        self.history.keep(prompt);
        let start = range.start;
        change::replace(prompt, range, "");
        if operator == Operator::Change {
            self.mode = Mode::Insert;
        } else {
            change::move_to(prompt, normal_place(&change::text(prompt), start));
        }
        Pressed::Changed
    }

    fn operate_on_lines(&mut self, prompt: &mut Prompt, from: usize, to: usize) -> Pressed {
        let Some((operator, _)) = self.operator else { return self.give_up() };
        self.reset_counts();
        let text = change::text(prompt);
        let (start, end) = (line_start(&text, from), line_end(&text, to));
        self.register = Register { text: text[start..end].iter().collect(), lines: true };
        match operator {
            Operator::Yank => {
                change::move_to(prompt, from.min(to));
                return Pressed::Moved;
            }
            Operator::Change => {
                self.history.keep(prompt);
                change::replace(prompt, start..end, "");
                self.mode = Mode::Insert;
            }
            Operator::Delete => {
                self.history.keep(prompt);
                // With the line feed behind, or at the end the one before.
                let range = match end < text.len() {
                    true => start..end + 1,
                    false => start.saturating_sub(1)..end,
                };
                change::replace(prompt, range, "");
                let text = change::text(prompt);
                let line = line_start(&text, start.min(text.len()));
                change::move_to(prompt, motion::first_letter(&text, line));
            }
        }
        Pressed::Changed
    }

    fn write(&mut self, prompt: &mut Prompt, at: usize) -> Pressed {
        self.history.keep(prompt);
        self.reset_counts();
        change::move_to(prompt, at);
        self.mode = Mode::Insert;
        Pressed::Moved
    }

    fn open_line(&mut self, prompt: &mut Prompt, at: usize, side: Side) -> Pressed {
        self.write(prompt, at);
        prompt.insert("\n");
        if side == Side::Above {
            change::move_to(prompt, at);
        }
        Pressed::Changed
    }
}

#[cfg(test)]
mod tests;
