//! Changes that vim makes to a prompt, and the way back over them.

use std::ops::Range;

use crate::app::edit::Place;
use crate::app::prompt::Prompt;
use crate::app::vim::Pressed;
use crate::app::vim::motion::{line_end, line_start};

/// Steps that can be taken back.
const STEPS: usize = 100;

/// What was deleted or copied last.
#[derive(Debug, Clone, Default)]
pub struct Register {
    pub text: String,
    /// Whole lines.
    pub lines: bool,
}

/// Texts before each change, and those that were left by undo.
#[derive(Debug, Clone)]
pub struct History {
    before: Vec<(String, usize)>,
    after: Vec<(String, usize)>,
}

pub fn text(prompt: &Prompt) -> Vec<char> {
    prompt.editor.text().chars().collect()
}

pub fn cursor(prompt: &Prompt) -> usize {
    let Place { line, column } = prompt.editor.cursor();
    let before = prompt.editor.lines().iter().take(line);
    before.map(|line| line.chars().count() + 1).sum::<usize>() + column
}

pub fn move_to(prompt: &mut Prompt, at: usize) {
    let mut column = at;
    let lines = prompt.editor.lines();
    let mut line = 0;
    while let Some(length) = lines.get(line).map(|line| line.chars().count()) {
        if column <= length || line + 1 == lines.len() {
            column = column.min(length);
            break;
        }
        column -= length + 1;
        line += 1;
    }
    prompt.jump(Place { line, column });
}

/// In normal mode the cursor stands on a character, where the line has one.
pub fn normal_place(text: &[char], at: usize) -> usize {
    let at = at.min(text.len());
    let end = line_end(text, at);
    if at == end && end > line_start(text, at) { end - 1 } else { at }
}

/// Puts `new` in the place of the range; the cursor stands behind it.
pub fn replace(prompt: &mut Prompt, range: Range<usize>, new: &str) {
    move_to(prompt, range.start);
    prompt.editor.delete(range.len());
    if !new.is_empty() {
        prompt.insert(new);
    }
}

/// A mark for a pasted text is one thing: touched, all of it goes.
pub fn whole_marks(prompt: &Prompt, range: Range<usize>) -> Range<usize> {
    let mut whole = range;
    let mut before = 0;
    for line in prompt.editor.lines() {
        for (start, end) in prompt.marks(line) {
            let (start, end) = (before + start, before + end);
            if start < whole.end && whole.start < end {
                whole = whole.start.min(start)..whole.end.max(end);
            }
        }
        before += line.chars().count() + 1;
    }
    whole
}

pub fn swap_case(prompt: &mut Prompt, times: usize) {
    let text = text(prompt);
    let at = cursor(prompt);
    let end = (at + times).min(line_end(&text, at));
    let swap = |c: &char| match c.is_uppercase() {
        true => c.to_lowercase().collect::<String>(),
        false => c.to_uppercase().collect(),
    };
    let swapped: String = text[at..end].iter().map(swap).collect();
    replace(prompt, at..end, &swapped);
    let after = self::text(prompt);
    move_to(prompt, normal_place(&after, cursor(prompt)));
}

/// Joins this line with the next ones, one blank between them.
pub fn join(prompt: &mut Prompt, times: usize) {
    for _ in 0..times.saturating_sub(1).max(1) {
        let text = text(prompt);
        let end = line_end(&text, cursor(prompt));
        if end == text.len() {
            return;
        }
        let blank = |at: &usize| text[*at].is_whitespace() && text[*at] != '\n';
        let next = (end + 1..text.len()).take_while(blank).last().map_or(end + 1, |at| at + 1);
        let lonely = end == line_start(&text, end) || next == text.len() || text[next] == '\n';
        replace(prompt, end..next, if lonely { "" } else { " " });
        move_to(prompt, end);
    }
}

impl Register {
    pub fn put(&self, prompt: &mut Prompt, before: bool, times: usize) -> Pressed {
        // A count that would fill the memory is a slip of the finger.
        let times = times.min(1 + 100_000 / self.text.len().max(1));
        if self.text.is_empty() && !self.lines {
            return Pressed::Moved;
        }
        let text = text(prompt);
        let at = cursor(prompt);
        let (start, end) = (line_start(&text, at), line_end(&text, at));
        if self.lines {
            let (place, new, to) = match before {
                true => (start, format!("{}\n", self.text).repeat(times), start),
                false => (end, format!("\n{}", self.text).repeat(times), end + 1),
            };
            replace(prompt, place..place, &new);
            move_to(prompt, to);
        } else {
            let place = if before { at } else { (at + 1).min(end) };
            let new = self.text.repeat(times);
            replace(prompt, place..place, &new);
            move_to(prompt, (place + new.chars().count()).saturating_sub(1));
        }
        Pressed::Changed
    }
}

impl Default for History {
    /// A prompt begins empty, and what is written first can be taken back too.
    fn default() -> History {
        History { before: vec![(String::new(), 0)], after: Vec::new() }
    }
}

impl History {
    /// The text as it is, before it is changed.
    pub fn keep(&mut self, prompt: &Prompt) {
        let now = (prompt.editor.text(), cursor(prompt));
        self.after.clear();
        if self.before.last().is_none_or(|(text, _)| *text != now.0) {
            self.before.push(now);
        }
        let surplus = self.before.len().saturating_sub(STEPS);
        self.before.drain(..surplus);
    }

    pub fn undo(&mut self, prompt: &mut Prompt) -> Pressed {
        let now = (prompt.editor.text(), cursor(prompt));
        while let Some(step) = self.before.pop() {
            // A step that changed nothing is none.
            if step.0 != now.0 {
                self.after.push(now);
                return restore(prompt, &step);
            }
        }
        Pressed::Moved
    }

    pub fn redo(&mut self, prompt: &mut Prompt) -> Pressed {
        let Some(step) = self.after.pop() else { return Pressed::Moved };
        self.before.push((prompt.editor.text(), cursor(prompt)));
        restore(prompt, &step)
    }
}

/// What undo and redo do is no change of its own that `.` would do again.
fn restore(prompt: &mut Prompt, (text, at): &(String, usize)) -> Pressed {
    prompt.editor.set(text);
    move_to(prompt, *at);
    Pressed::Moved
}
