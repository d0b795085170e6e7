//! The screen without a terminal: messages in, a buffer out. For recorded event streams and for
//! tests; the same `update` and the same drawing as in the real thing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::keys::Key;
use crate::app::scroll::Seen;
use crate::app::{Effect, Millis, Model, Msg, update};
use crate::protocol::{Envelope, Event};
use crate::view::{self, State};

#[derive(Debug)]
pub struct Offscreen {
    pub model: Model,
    pub state: State,
    pub effects: Vec<Effect>,
    area: Rect,
}

impl Offscreen {
    pub fn new(model: Model, state: State, width: u16, height: u16) -> Offscreen {
        Offscreen { model, state, effects: Vec::new(), area: Rect::new(0, 0, width, height) }
    }

    pub fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.effects.extend(effects);
    }

    /// An event at its recorded time.
    pub fn event(&mut self, event: Envelope<Event>) {
        self.send(Msg::Tick(Millis(event.ms)));
        self.send(Msg::Agent(Box::new(event.event())));
    }

    /// Keys with enough time between them that none counts as typed ahead, each drawn.
    pub fn keys(&mut self, keys: &[Key]) {
        for key in keys {
            self.wait(1_000);
            self.frame();
            self.send(Msg::Key((*key).into()));
            self.frame();
        }
    }

    pub fn wait(&mut self, milliseconds: u64) {
        self.send(Msg::Tick(self.model.now.plus(milliseconds)));
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.area = Rect::new(0, 0, width, height);
        self.send(Msg::Resized { width, height });
    }

    /// Draws, with all code in its colours. The place is the cursor's.
    pub fn frame(&mut self) -> (Buffer, Option<Position>) {
        let mut drawn = self.draw();
        let wanted = self.state.colours().take_wanted();
        if !wanted.is_empty() {
            for wanted in wanted {
                self.state.colours().put(wanted.key, wanted.work());
            }
            drawn = self.draw();
        }
        drawn
    }

    /// Draws once, with the colours that are known.
    pub fn draw(&mut self) -> (Buffer, Option<Position>) {
        let mut buf = Buffer::empty(self.area);
        let (seen, cursor) = view::render(&self.model, &mut self.state, self.area, &mut buf);
        self.send(Msg::Drawn(seen));
        (buf, cursor)
    }

    pub fn seen(&self) -> &Seen {
        &self.model.seen
    }
}
