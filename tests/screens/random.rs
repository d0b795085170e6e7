//! Whatever is pressed, clicked, resized and received, in whatever order: nothing panics, what is
//! drawn with rows from earlier frames is what is drawn anew, and the screen stays usable.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use tern::app::Msg;
use tern::app::keys::{ACTIONS, Key};
use tern::terminal::offscreen::Offscreen;
use tern::view::State;
use tern::view::theme::{ColorDepth, Library};

use crate::support::screen::{events, screen};

#[derive(Debug, Clone)]
enum Step {
    /// The n-th key of the table of actions.
    Action(usize),
    Type(char),
    Paste(String),
    Mouse(u16, u16, bool),
    Resize(u16, u16),
    Event(usize, usize),
    Wait(u64),
    Background(bool),
    Line(String),
}

const STREAMS: [&str; 6] = ["fixed", "edit-asked", "command-asked", "tasks", "failed", "resumed"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..10_000usize).prop_map(Step::Action),
        3 => any::<char>().prop_map(Step::Type),
        1 => "\\PC{0,40}".prop_map(Step::Paste),
        1 => (0..200u16, 0..60u16, any::<bool>()).prop_map(|(x, y, down)| Step::Mouse(x, y, down)),
        1 => (1..200u16, 1..60u16).prop_map(|(width, height)| Step::Resize(width, height)),
        8 => (0..STREAMS.len(), 0..60usize).prop_map(|(stream, n)| Step::Event(stream, n)),
        1 => (0..3_000u64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Background),
        1 => "[0-9/a-z]{0,6}".prop_map(Step::Line),
    ]
}

fn take(screen: &mut Offscreen, step: Step) {
    match step {
        Step::Action(n) => {
            let row = &ACTIONS[n % ACTIONS.len()];
            let keys = Key::parse_all(row.keys[n / ACTIONS.len() % row.keys.len()]);
            for key in keys.unwrap_or_default() {
                screen.send(Msg::Key(key.into()));
            }
        }
        Step::Type(c) => {
            let key = Key::plain(crossterm::event::KeyCode::Char(c));
            screen.send(Msg::Key(key.into()));
        }
        Step::Paste(text) => screen.send(Msg::Paste(text)),
        Step::Mouse(column, row, down) => {
            let kind = match down {
                true if row % 3 == 0 => MouseEventKind::Up(MouseButton::Left),
                true if row % 3 == 1 => MouseEventKind::Drag(MouseButton::Left),
                true => MouseEventKind::Down(MouseButton::Left),
                false => MouseEventKind::ScrollUp,
            };
            let modifiers = KeyModifiers::NONE;
            screen.send(Msg::Mouse(MouseEvent { kind, column, row, modifiers }));
        }
        Step::Resize(width, height) => screen.resize(width, height),
        Step::Event(stream, n) => {
            let mut events = events(STREAMS[stream]);
            let at = n % events.len();
            screen.send(Msg::Agent(Box::new(events.swap_remove(at).body)));
        }
        Step::Wait(milliseconds) => screen.wait(milliseconds),
        Step::Background(light) => screen.send(Msg::Background { light }),
        Step::Line(text) => screen.send(Msg::Line(text)),
    }
}

/// Runs of the test; the README names more.
fn cases() -> u32 {
    std::env::var("TERN_SCREENS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_kept_rows_are_fresh_rows(steps in prop::collection::vec(step(), 1..120)) {
        let mut screen = screen(90, 28).with(|model| model.look.follows_terminal = true).off;
        for step in steps {
            take(&mut screen, step);
            screen.frame();
        }
        // Twice, as what is asked for (show this entry) settles in one frame.
        screen.frame();
        let (kept, cursor) = screen.frame();
        let fresh = State::new(Library::default(), ColorDepth::True);
        screen.state = fresh;
        screen.frame();
        prop_assert_eq!(screen.frame(), (kept, cursor));
    }
}
