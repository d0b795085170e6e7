//! `--linear`: the session as lines that are only ever added, for screen readers and for terminals
//! whose cursor cannot be moved. Input comes a line at a time, as the terminal itself edits it.
//!
//! Everything that the screen has is there: entries of the transcript as they end, questions and
//! panels as text with their keys as numbered choices.

use std::collections::VecDeque;
use std::io::{self, Write};

use crossterm::event::{KeyCode, KeyModifiers};

use crate::app::keys::Key;
use crate::app::model::{Activity, Phase};
use crate::app::transcript::Body;
use crate::app::{Focus, Model, Msg};
use crate::view::State;
use crate::view::front::{self, Front};

/// Columns that panels and long lines are laid out for.
const COLUMNS: u16 = 80;

#[derive(Debug, Default)]
pub struct Lines {
    greeted: bool,
    /// Entries that are told to their end.
    told: usize,
    /// Bytes of the entry after those that are told: prose is told line by line.
    part: usize,
    /// That entry is a call whose beginning is told.
    begun: bool,
    front: Option<Front>,
    choices: Vec<(Vec<Key>, String)>,
    toast: String,
    retry: String,
    queued: usize,
    /// What the person has entered, and so has on the screen already.
    entered: VecDeque<String>,
    /// The last line is a prompt that waits.
    prompting: bool,
}

impl Lines {
    /// Writes what is new.
    pub fn tell(
        &mut self,
        model: &Model,
        state: &mut State,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if model.session.id.is_some() && !self.greeted {
            self.greeted = true;
            let session = &model.session;
            let scripted = if session.scripted { ", scripted replies" } else { "" };
            let hello =
                format!("tern {}, {}{scripted}, {}", session.version, session.model, session.cwd);
            self.say(&hello, out)?;
            self.say("/help lists the commands. Ctrl+C stops, Ctrl+D ends.", out)?;
        }
        self.transcript(model, state, out)?;
        self.remarks(model, out)?;
        let front = front::front(model, state, COLUMNS);
        if front != self.front {
            self.choices.clear();
            if let Some(front) = &front {
                self.question(model, front, out)?;
            }
            self.front = front;
        }
        if let Some(prompt) = prompt(model).filter(|_| !self.prompting) {
            let draft = model.prompt.expanded();
            if prompt == "> " && !draft.is_empty() {
                self.say(&format!("Enter alone sends: {draft}"), out)?;
            }
            write!(out, "{prompt}")?;
            self.prompting = true;
        }
        out.flush()
    }

    /// What a line that the person has entered means.
    pub fn heard(&mut self, model: &Model, line: &str) -> Vec<Msg> {
        self.prompting = false;
        let line = line.trim_end_matches(['\n', '\r']);
        let press = |keys: &[Key]| keys.iter().map(|key| Msg::Key((*key).into())).collect();
        match model.focus() {
            Focus::Dialog | Focus::Confirm | Focus::Trust | Focus::Panel | Focus::Start => {
                // It is told again, whatever comes of it.
                self.front = None;
                let number = line.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                match (number.and_then(|n| self.choices.get(n)), line.trim()) {
                    (Some((keys, _)), _) => press(keys),
                    (None, "") if model.focus() == Focus::Panel => {
                        press(&[Key::plain(KeyCode::Esc)])
                    }
                    (None, text) => {
                        // A panel takes `/words` as its filter.
                        if let Some(words) = text.strip_prefix('/') {
                            let filter = Msg::Key(Key::plain(KeyCode::Char('/')).into());
                            return vec![filter, Msg::Line(words.to_owned())];
                        }
                        Key::parse(text).map_or_else(Vec::new, |key| press(&[key]))
                    }
                }
            }
            Focus::Budget if line.trim() == "esc" => press(&[Key::plain(KeyCode::Esc)]),
            Focus::Prompt => {
                self.entered.push_back(line.to_owned());
                vec![Msg::Line(line.to_owned())]
            }
            _ => vec![Msg::Line(line.to_owned())],
        }
    }

    fn transcript(
        &mut self,
        model: &Model,
        state: &mut State,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let entries = model.transcript.entries();
        if self.told > entries.len() {
            (self.told, self.part, self.begun) = (0, 0, false);
        }
        while let Some(entry) = entries.get(self.told) {
            match &entry.body {
                Body::Prose { text, live } => {
                    let rest = text.get(self.part..).unwrap_or_default();
                    let whole = rest.rfind('\n').map_or(0, |end| end + 1);
                    let ready = if *live { &rest[..whole] } else { rest };
                    for line in ready.lines() {
                        self.say(line, out)?;
                    }
                    if *live {
                        self.part += whole;
                        return Ok(());
                    }
                }
                Body::Thought { live: true, .. } => return Ok(()),
                Body::Call(call) if call.is_running() => {
                    if !self.begun && model.dialogs.is_empty() {
                        let object = call.title.object.replace('\n', " ");
                        self.say(&format!("{} {object}", call.verb()), out)?;
                        self.begun = true;
                    }
                    return Ok(());
                }
                Body::Person { text, .. } if self.has_entered(text) => {}
                _ => {
                    for line in front::entry_lines(model, state, self.told, COLUMNS) {
                        self.say(&line, out)?;
                    }
                }
            }
            self.told += 1;
            (self.part, self.begun) = (0, false);
        }
        Ok(())
    }

    /// The person has it on the screen already, as they entered it.
    fn has_entered(&mut self, text: &str) -> bool {
        let at = self.entered.iter().position(|line| line == text);
        // Lines before it were commands, and come back in another form.
        at.is_some_and(|at| self.entered.drain(..=at).count() > 0)
    }

    /// What the screen says above its prompt.
    fn remarks(&mut self, model: &Model, out: &mut impl Write) -> io::Result<()> {
        let toast = model.toast.as_ref().map_or("", |toast| toast.text.as_str());
        if toast != self.toast {
            toast.clone_into(&mut self.toast);
            if !toast.is_empty() {
                self.say(toast, out)?;
            }
        }
        if model.queue.len() != self.queued {
            self.queued = model.queue.len();
            self.say(&format!("{} queued", self.queued), out)?;
        }
        let retry = match &model.activity {
            Activity::Working { phase: Phase::Retrying { attempt, of, why, .. }, .. } => {
                format!("{why}; trying again ({attempt} of {of})")
            }
            Activity::Working { .. } | Activity::Idle => String::new(),
        };
        if retry != self.retry {
            self.retry.clone_from(&retry);
            if !retry.is_empty() {
                self.say(&retry, out)?;
            }
        }
        Ok(())
    }

    fn question(&mut self, model: &Model, front: &Front, out: &mut impl Write) -> io::Result<()> {
        self.say("", out)?;
        for line in &front.lines {
            self.say(line, out)?;
        }
        // A number is an amount here.
        if model.budget.is_some() && model.dialogs.is_empty() {
            return self.say("Enter an amount, nothing for the one offered, or esc.", out);
        }
        self.choices = front.keys.iter().flat_map(|(key, label)| choices(key, label)).collect();
        let told: Vec<String> = self.choices.iter().map(|(_, label)| label.clone()).collect();
        for (n, label) in told.iter().enumerate() {
            self.say(&format!("  {}  {label}", n + 1), out)?;
        }
        Ok(())
    }

    fn say(&mut self, line: &str, out: &mut impl Write) -> io::Result<()> {
        // Something comes while the prompt waits: it begins on a line of its own.
        if std::mem::take(&mut self.prompting) {
            writeln!(out)?;
        }
        writeln!(out, "{line}")
    }
}

/// What asks for a line; `None`: nothing waits for one.
fn prompt(model: &Model) -> Option<&'static str> {
    match model.focus() {
        Focus::Dialog | Focus::Confirm | Focus::Trust | Focus::Panel | Focus::Start => {
            Some("choice> ")
        }
        Focus::DialogField | Focus::Budget | Focus::Filter | Focus::Search | Focus::StartKey => {
            Some("text> ")
        }
        // A question that takes no answer yet.
        _ if !model.dialogs.is_empty() || model.confirm.is_some() => None,
        _ => (model.session.id.is_some() && !model.is_working()).then_some("> "),
    }
}

/// Ctrl+C, which comes as a signal here.
pub fn interrupt() -> Msg {
    Msg::Key(Key::new(KeyCode::Char('c'), KeyModifiers::CONTROL).into())
}

/// A key as it stands in a border, as one choice or two.
fn choices(key: &str, label: &str) -> Vec<(Vec<Key>, String)> {
    let one = |key: &str, label: String| Key::parse_all(key).map(|keys| (keys, label));
    let two = match key {
        "↑↓" => Some(("down", "up")),
        key => key.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty()),
    };
    let found = match two {
        Some((next, back)) => {
            vec![one(next, format!("{label}: next")), one(back, format!("{label}: previous"))]
        }
        None => vec![one(key, label.to_owned())],
    };
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Event, MessageId, Role};
    use crate::view::theme::{ColorDepth, Library};

    fn told(lines: &mut Lines, model: &Model) -> String {
        let mut out = Vec::new();
        let mut state = State::new(Library::default(), ColorDepth::None);
        lines.tell(model, &mut state, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn prose_comes_line_by_line_and_nothing_twice() {
        let (mut model, mut lines) = (Model::default(), Lines::default());
        model.look.ascii = true;
        let mut add = |model: &mut Model, text: &str| {
            let event =
                Event::TextAdded { message: MessageId("a".to_owned()), text: text.to_owned() };
            crate::app::update(model, Msg::Agent(Box::new(event)));
            told(&mut lines, model)
        };
        assert_eq!(add(&mut model, "one\ntw"), "one\n");
        assert_eq!(add(&mut model, "o"), "");
        assert_eq!(add(&mut model, "\nthree"), "two\n");
        let (message, role) = (MessageId("b".to_owned()), Role::User);
        let event = Event::Restored { message, role, text: "mine".to_owned() };
        crate::app::update(&mut model, Msg::Agent(Box::new(event)));
        assert_eq!(told(&mut lines, &model), "three\n| mine\n");
    }

    #[test]
    fn keys_of_a_border_become_choices() {
        let labels = |key, label| -> Vec<String> {
            choices(key, label).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels("enter", "once"), ["once"]);
        assert_eq!(labels("]/[", "hunk"), ["hunk: next", "hunk: previous"]);
        assert_eq!(labels("↑↓", "move"), ["move: next", "move: previous"]);
        assert_eq!(labels("/", "filter"), ["filter"]);
    }
}
