//! Work is counted, not timed: it follows what changed, not what exists.

use tern::app::{Msg, SessionInfo};
use tern::protocol::{Event, MessageId, Role, TurnId};
use tern::view::Work;

use crate::support::screen::{Screen, screen};

fn long(entries: usize) -> Screen {
    let mut screen = screen(120, 40).with(|model| model.session = SessionInfo::default());
    for n in 0..entries {
        let role = if n % 5 == 0 { Role::User } else { Role::Assistant };
        let text = format!(
            "Entry {n} says something that is long enough to be wrapped at the right edge of the screen, in two rows.\n\n- and has a list\n- of two points"
        );
        let message = MessageId(n.to_string());
        screen.off.send(Msg::Agent(Box::new(Event::Restored { message, role, text })));
    }
    screen
}

#[test]
fn a_second_frame_of_a_long_transcript_wraps_nothing() {
    let mut screen = long(10_000);
    let first = screen.work();
    assert!(first.wrapped < 100, "only what is on the screen: {first:?}");
    assert_eq!(screen.work().wrapped, 0);
}

#[test]
fn one_streamed_piece_wraps_one_block() {
    let mut screen = long(1_000);
    let text = |text: &str| Event::TextAdded {
        message: MessageId("new".to_owned()),
        text: text.to_owned(),
    };
    screen = screen.event(Event::TurnStarted {
        turn: TurnId(1),
        message: MessageId("q".to_owned()),
        text: "go".to_owned(),
    });
    screen = screen.event(text(&"A paragraph that stays.\n\n".repeat(200)));
    screen = screen.event(text("The last one"));
    screen.work();
    for piece in [" goes", " on", " and", " on"] {
        screen = screen.event(text(piece));
        assert_eq!(screen.work().wrapped, 1, "{piece}");
    }
}

#[test]
fn a_frame_costs_the_same_at_any_length() {
    let work = |entries: usize| -> (Work, Work) {
        let mut screen = long(entries);
        screen.work();
        let still = screen.work();
        screen = screen.keys("<pageup><pageup>");
        (still, screen.work())
    };
    let (short, long) = (work(100), work(100_000));
    assert_eq!(short, long);
    assert!(short.0.drawn <= 40 && short.0.entries <= 60, "{short:?}");
}

#[test]
fn resizing_a_long_transcript_wraps_what_is_on_the_screen() {
    let mut screen = long(10_000);
    screen.work();
    screen = screen.resize(90, 40);
    let work = screen.work();
    assert!(work.wrapped < 100, "{work:?}");
}

#[test]
fn nothing_wakes_up_while_a_person_is_asked() {
    let asked = screen(120, 40).events("command-asked").wait(2_000);
    assert!(!asked.off.model.dialogs.is_empty());
    assert_eq!(asked.off.model.wake_at(), None);
    let streaming = screen(120, 40).events("streaming").wait(2_000);
    assert!(streaming.off.model.wake_at().is_some(), "the clock goes on");
}
