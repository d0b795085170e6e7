//! Sessions that are taken up: their end is shown first, and the screen stands where it stood.

use serde_json::json;
use tern::app::scroll::Scroll;
use tern::app::transcript::Entry;
use tern::protocol::{
    CallId, CallResult, CallStatus, Command, Detail, Event, MessageId, Place, Role, SessionId,
    Title, TurnEnd, TurnSummary,
};

use crate::support::screen::{Screen, resumed, screen};

fn started() -> Event {
    resumed(&SessionId("s1".to_owned()))
}

/// What is told of the n-th turn: a prompt, four looks, an answer.
fn turn(n: usize) -> Vec<Event> {
    let said = |role, text: String| {
        let message = MessageId(format!("{role:?}-{n}"));
        Event::Restored { message, role, text }
    };
    let mut events = vec![said(Role::User, format!("prompt {n}"))];
    for look in 0..4 {
        events.push(Event::CallRestored {
            call: CallId(format!("{n}-{look}")),
            tool: "Read".to_owned(),
            title: Title::new("Reading", "Read", format!("file-{n}-{look}.rs")),
            input: json!({}),
            result: Some(CallResult {
                status: CallStatus::Done,
                text: "text".to_owned(),
                facts: "1 line".to_owned(),
                detail: Detail::Text,
            }),
        });
    }
    events.push(said(Role::Assistant, format!("answer {n}, in a line of its own")));
    events.push(Event::TurnRestored { end: TurnEnd::Done, summary: TurnSummary::default() });
    events
}

fn play(screen: Screen, events: impl IntoIterator<Item = Event>) -> Screen {
    events.into_iter().fold(screen, Screen::event)
}

fn plain(width: u16) -> Screen {
    let screen = play(screen(width, 24), [started()]);
    play(screen, (0..9).flat_map(turn))
}

/// The last three turns, and then the session.
fn opened() -> Screen {
    let session = SessionId("s1".to_owned());
    let screen = play(screen(80, 24), [Event::Opening { session }]);
    play(play(screen, (6..9).flat_map(turn)), [started()])
}

fn with_beginning(screen: Screen) -> Screen {
    let screen = play(screen, [Event::EarlierBegun]);
    play(play(screen, (0..6).flat_map(turn)), [Event::EarlierEnded])
}

fn entries(screen: &Screen) -> Vec<Entry> {
    let entries = screen.off.model.transcript.entries().iter();
    entries.map(|entry| Entry { id: 0, revision: 0, ..entry.clone() }).collect()
}

#[test]
fn the_end_is_there_at_once_and_nothing_moves_when_the_beginning_comes() {
    let mut whole = plain(80);
    let mut opened = opened();
    assert!(opened.text().contains("answer 8"), "{}", opened.text());
    assert_eq!(entries(&opened).len(), 3 * 7);
    // Scrolled up to the very top of what is there.
    opened = opened.keys("<ctrl+home>");
    let before = opened.text();
    assert!(before.contains("prompt 6"), "{before}");
    let mut opened = with_beginning(opened);
    let rows = |text: &str| text.lines().take(18).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&opened.text()), rows(&before));
    assert_eq!(entries(&opened), entries(&whole));
    let mut ids: Vec<u64> =
        opened.off.model.transcript.entries().iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 9 * 7, "no name is used twice");
    // Up from there is the beginning.
    let mut opened = opened.keys("<pageup>");
    assert!(opened.text().contains("answer 5"), "{}", opened.text());
    opened = opened.keys("<ctrl+end>");
    assert_eq!(rows(&opened.text()), rows(&whole.text()));
}

#[test]
fn a_call_that_came_before_can_still_be_found_by_its_name() {
    let screen = with_beginning(opened());
    for n in [0, 5, 6, 8] {
        let call = screen.off.model.transcript.call(&CallId(format!("{n}-2")));
        assert_eq!(call.map(|call| call.title.object.as_str()), Some(&*format!("file-{n}-2.rs")));
    }
}

#[test]
fn a_hit_in_the_beginning_is_jumped_to_once_it_is_there() {
    let mut screen = opened().with(|model| {
        model.jump = Some((SessionId("s1".to_owned()), MessageId("User-2".to_owned())));
    });
    assert_eq!(screen.off.model.browse, None);
    screen = with_beginning(screen);
    assert_eq!(screen.off.model.browse, Some(2 * 7));
    assert!(screen.text().contains("prompt 2"), "{}", screen.text());
}

#[test]
fn a_session_that_is_left_and_taken_up_stands_where_it_stood() {
    let mut left = plain(80).keys("<pageup><pageup><shift+up>");
    let top = |screen: &mut Screen| screen.text().lines().next().unwrap_or_default().to_owned();
    let was = top(&mut left);
    let left = left.keys("/exit<enter>");
    let place: Place = match left.commands().pop() {
        Some(Command::Leave { place: Some(place) }) => place,
        other => panic!("{other:?}"),
    };
    for width in [80, 120] {
        let mut again = plain(width).event(Event::PlaceRestored { place: place.clone() });
        assert_eq!(top(&mut again).trim(), was.trim(), "at {width} columns");
        assert!(matches!(again.off.model.scroll, Scroll::At(_)));
    }
    // Of a place that is not there any more nothing comes.
    let lost = Place { message: Some(MessageId("gone".to_owned())), ..place };
    let again = plain(80).event(Event::PlaceRestored { place: lost });
    assert_eq!(again.off.model.scroll, Scroll::Follow);
}
