//! Asking the terminal for its background, and keeping the answer out of the prompt.
//!
//! The question (OSC 11) goes out after the first frame and nothing waits for it. The answer comes
//! in among the keys, where crossterm takes it for keys: `Alt+]`, then each of its characters, then
//! `Alt+\` or `Ctrl+G`. [`Replies`] picks it out again.

use std::path::Path;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What asks for the background colour.
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// How long a key that may begin an answer is kept back. A whole answer comes at once, but over a
/// slow line it may come in pieces.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// No answer is longer.
const LONGEST: usize = 64;

/// Something that came from the terminal.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Event(Event),
    /// The answer: whether the background is light.
    Background {
        light: bool,
    },
    /// A line, where the terminal edits it.
    Line(String),
    /// There will be no more of them.
    End,
}

/// Separates answers from what a person does.
#[derive(Debug, Default)]
pub struct Replies {
    held: Vec<Event>,
    text: String,
}

impl Replies {
    /// What is to be passed on now that `event` has come. Empty: it may belong to an answer.
    pub fn take(&mut self, event: Event) -> Vec<Heard> {
        let Some(key) = pressed(&event) else {
            let mut heard = self.let_go();
            heard.push(Heard::Event(event));
            return heard;
        };
        if self.held.is_empty() {
            if *key == KeyEvent::new(KeyCode::Char(']'), KeyModifiers::ALT) {
                self.held.push(event);
                return Vec::new();
            }
            return vec![Heard::Event(event)];
        }
        if is_end(key) && self.is_answer() {
            let light = is_light(&self.text);
            self.forget();
            return light.map(|light| Heard::Background { light }).into_iter().collect();
        }
        match key.code {
            KeyCode::Char(c)
                if (key.modifiers - KeyModifiers::SHIFT).is_empty() && self.goes_on(c) =>
            {
                self.text.push(c);
                self.held.push(event);
                Vec::new()
            }
            _ => {
                let mut heard = self.let_go();
                heard.extend(self.take(event));
                heard
            }
        }
    }

    /// Something is kept back.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Nothing more has come. What is an answer without its end is no typing of a person's.
    pub fn let_go(&mut self) -> Vec<Heard> {
        let held = std::mem::take(&mut self.held);
        let answer = self.is_answer();
        self.forget();
        if answer { Vec::new() } else { held.into_iter().map(Heard::Event).collect() }
    }

    fn forget(&mut self) {
        self.held.clear();
        self.text.clear();
    }

    fn is_answer(&self) -> bool {
        self.text.starts_with("11;")
    }

    fn goes_on(&self, c: char) -> bool {
        match "11;".chars().nth(self.text.len()) {
            Some(expected) => c == expected,
            None => {
                self.text.len() < LONGEST && (c.is_ascii_alphanumeric() || ":/#.,;?".contains(c))
            }
        }
    }
}

/// What the terminal said last, for the first frame of the next start.
pub fn last(file: &Path) -> Option<bool> {
    match std::fs::read_to_string(file).ok()?.trim() {
        "light" => Some(true),
        "dark" => Some(false),
        _ => None,
    }
}

/// Keeps it. Errors: the folder cannot be written.
pub fn keep(file: &Path, light: bool) -> std::io::Result<()> {
    if last(file) == Some(light) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, if light { "light\n" } else { "dark\n" })
}

fn pressed(event: &Event) -> Option<&KeyEvent> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(key),
        _ => None,
    }
}

/// ST or BEL, as crossterm reads them.
fn is_end(key: &KeyEvent) -> bool {
    matches!(
        (key.code, key.modifiers),
        (KeyCode::Char('\\'), KeyModifiers::ALT) | (KeyCode::Char('g'), KeyModifiers::CONTROL)
    )
}

/// `11;rgb:ffff/ffff/ffff` (XParseColor), also `rgba:` and `#ffffff`.
fn is_light(answer: &str) -> Option<bool> {
    let colour = answer.strip_prefix("11;")?;
    let parts: Vec<&str> = match colour.strip_prefix('#') {
        Some(digits) if digits.len() == 6 => vec![&digits[..2], &digits[2..4], &digits[4..]],
        Some(_) => return None,
        None => colour.split_once(':')?.1.split('/').take(3).collect(),
    };
    let [red, green, blue] = parts[..] else { return None };
    let share = |digits: &str| {
        let value = u32::from_str_radix(digits, 16).ok()?;
        let most = 16_u32.checked_pow(u32::try_from(digits.len()).ok()?)?.checked_sub(1)?;
        (most > 0).then(|| f64::from(value) / f64::from(most))
    };
    let light = 0.299 * share(red)? + 0.587 * share(green)? + 0.114 * share(blue)?;
    Some(light > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers))
    }

    /// Keys as crossterm reads these bytes: `\x1b` stands for Alt, `\x07` for Ctrl+G.
    fn keys(text: &str) -> Vec<Event> {
        let mut alt = false;
        let mut events = Vec::new();
        for c in text.chars() {
            match c {
                '\x1b' => alt = true,
                '\x07' => events.push(key('g', KeyModifiers::CONTROL)),
                c => {
                    let modifiers = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
                    events.push(key(c, modifiers));
                    alt = false;
                }
            }
        }
        events
    }

    fn heard(text: &str) -> (String, Option<bool>) {
        let mut replies = Replies::default();
        let mut all: Vec<Heard> = keys(text).into_iter().flat_map(|e| replies.take(e)).collect();
        all.extend(replies.let_go());
        let mut typed = String::new();
        let mut light = None;
        for heard in all {
            match heard {
                Heard::Background { light: is } => light = Some(is),
                Heard::Line(_) | Heard::End => {}
                Heard::Event(event) => {
                    let Some(KeyEvent { code: KeyCode::Char(c), .. }) = pressed(&event) else {
                        continue;
                    };
                    typed.push(*c);
                }
            }
        }
        (typed, light)
    }

    #[test]
    fn an_answer_is_never_typed_and_no_key_is_eaten() {
        let told = |text: &str, light| (text.to_owned(), light);
        for (bytes, wanted) in [
            ("ab\x1b]11;rgb:ffff/ffff/ffff\x1b\\cd", told("abcd", Some(true))),
            ("a\x1b]11;rgb:1e1e/1e1e/2e2e\x07b", told("ab", Some(false))),
            ("\x1b]11;rgba:00/00/00/ff\x1b\\", told("", Some(false))),
            ("\x1b]11;#fafafa\x1b\\", told("", Some(true))),
            ("\x1b]11;what\x1b\\x", told("x", None)),
            ("x\x1b]11;rgb:ffff/ff", told("x", None)),
            // A person's own keys, however alike.
            ("\x1b]", told("]", None)),
            ("\x1b]1x", told("]1x", None)),
            ("\x1b]\x1b]11;#000000\x07", told("]", Some(false))),
            ("plain\x07", told("plaing", None)),
        ] {
            assert_eq!(heard(bytes), wanted, "{bytes:?}");
        }
    }
}
