//! A screen without a terminal, driven by a script: `screen(80, 24).events("fixed").keys("hi")`.

#![allow(clippy::panic, reason = "a script that cannot be read must fail its test")]

use std::path::Path;

use tern::app::keys::Key;
use tern::app::{Effect, Model, Msg, SessionInfo};
use tern::protocol::{Command, Envelope, Event, Mode, SessionId};
use tern::terminal::offscreen::Offscreen;
use tern::view::theme::{ColorDepth, Library};
use tern::view::{State, Work};

pub struct Screen {
    pub off: Offscreen,
}

pub fn screen(width: u16, height: u16) -> Screen {
    let mut model = Model::default();
    model.session = SessionInfo { version: "0.1.0".to_owned(), ..SessionInfo::default() };
    model.look.themes = Library::default().names().into_iter().map(str::to_owned).collect();
    let state = State::new(Library::default(), ColorDepth::True);
    Screen { off: Offscreen::new(model, state, width, height) }
}

impl Screen {
    pub fn with(mut self, change: impl FnOnce(&mut Model)) -> Screen {
        change(&mut self.off.model);
        self
    }

    /// Plays `tests/screens/events/NAME.jsonl`.
    pub fn events(mut self, name: &str) -> Screen {
        for event in events(name) {
            self.off.event(event);
        }
        self.off.wait(1_000);
        self.off.frame();
        self
    }

    pub fn event(mut self, event: Event) -> Screen {
        self.off.send(Msg::Agent(Box::new(event)));
        self
    }

    pub fn send(mut self, msg: Msg) -> Screen {
        self.off.send(msg);
        self
    }

    pub fn wait(mut self, milliseconds: u64) -> Screen {
        self.off.wait(milliseconds);
        self
    }

    /// `hello<enter>`, one key a second, each drawn.
    pub fn keys(mut self, script: &str) -> Screen {
        let keys = Key::script(script).unwrap_or_else(|| panic!("no keys: {script}"));
        self.off.keys(&keys);
        self
    }

    /// The same without a pause, as keys come that were typed for something else.
    pub fn typed_ahead(mut self, script: &str) -> Screen {
        for key in Key::script(script).unwrap_or_else(|| panic!("no keys: {script}")) {
            self.off.wait(20);
            self.off.send(Msg::Key(key.into()));
        }
        self
    }

    pub fn resize(mut self, width: u16, height: u16) -> Screen {
        self.off.resize(width, height);
        self
    }

    /// The screen as text, rows without the blanks at their ends.
    pub fn text(&mut self) -> String {
        let (buffer, _) = self.off.frame();
        let area = buffer.area;
        let mut text = String::new();
        for y in area.top()..area.bottom() {
            let mut row = String::new();
            let mut x = area.left();
            while let Some(cell) = buffer.cell((x, y)) {
                row.push_str(cell.symbol());
                x += tern::text::width(cell.symbol()).max(1) as u16;
                if x >= area.right() {
                    break;
                }
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// What one frame has to do, with what is known already.
    pub fn work(&mut self) -> Work {
        self.off.draw();
        self.off.state.work
    }

    /// Commands to the agent so far.
    pub fn commands(&self) -> Vec<Command> {
        let sent = self.off.effects.iter().filter_map(|effect| match effect {
            Effect::Send(command) => Some(command.clone()),
            _ => None,
        });
        sent.collect()
    }
}

/// A session was taken up again.
pub fn resumed(session: &SessionId) -> Event {
    Event::Started {
        session: session.clone(),
        cwd: "/p".to_owned(),
        model: "demo/demo".to_owned(),
        mode: Mode::Default,
        window: None,
        scripted: true,
        resumed: true,
    }
}

pub fn events(name: &str) -> Vec<Envelope<Event>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/events/{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    text.lines().map(event).collect()
}
