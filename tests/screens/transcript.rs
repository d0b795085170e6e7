//! Scrolling, opening, searching, moving by entries.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use tern::app::scroll::Scroll;
use tern::app::transcript::{Body, Entry};
use tern::app::{Effect, Msg};
use tern::protocol::{CallId, CallResult, CallStatus, Detail, Event, MessageId, Title};

use crate::support::screen::{Screen, screen};

fn top(screen: &mut Screen) -> String {
    screen.text().lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

fn more(screen: Screen, text: &str) -> Screen {
    screen.event(Event::TextAdded { message: MessageId("m9".to_owned()), text: text.to_owned() })
}

#[test]
fn scrolling_during_a_stream_never_jumps() {
    let mut screen = screen(80, 16).events("fixed").keys("<pageup>");
    let before = top(&mut screen);
    let all = screen.text();
    for _ in 0..20 {
        screen = more(screen, "Another paragraph of the reply.\n\n");
        assert_eq!(top(&mut screen), before);
    }
    assert!(screen.text().contains("below"), "{}", screen.text());
    assert!(!all.contains("Another"));
    screen = screen.keys("<ctrl+end>");
    assert_eq!(screen.off.model.scroll, Scroll::Follow);
    assert!(screen.text().contains("Another"));
}

#[test]
fn up_and_down_again_is_where_it_was() {
    for keys in
        ["<shift+up><shift+down>", "<pageup><pagedown>", "<pageup><pageup><pagedown><pagedown>"]
    {
        let mut screen = screen(80, 16).events("fixed");
        let before = screen.text();
        screen = screen.keys(keys);
        assert_eq!(screen.text(), before, "{keys}");
        assert_eq!(screen.off.model.scroll, Scroll::Follow, "the end is followed again");
    }
}

#[test]
fn every_row_can_be_scrolled_to() {
    // From the top, line by line: each step moves the text by one row.
    let mut screen = screen(80, 12).events("fixed").keys("<ctrl+home>");
    let mut before = screen.text();
    let mut steps = 0;
    loop {
        screen = screen.keys("<shift+down>");
        let now = screen.text();
        if screen.off.model.scroll == Scroll::Follow {
            break;
        }
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
        assert_eq!(old[1..9], new[..8], "step {steps}");
        before = now;
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
}

#[test]
fn resizing_keeps_the_line_that_is_read() {
    let mut screen = screen(120, 20).events("fixed").keys("<ctrl+home><pagedown>");
    let before = top(&mut screen);
    screen = screen.resize(70, 20);
    screen.text();
    screen = screen.resize(120, 20);
    assert_eq!(top(&mut screen), before);
}

#[test]
fn calls_open_to_what_went_in_and_came_out() {
    insta::assert_snapshot!("all-open", screen(100, 60).events("fixed").keys("<ctrl+o>").text());
    insta::assert_snapshot!("live-output", screen(80, 24).events("tasks").keys("<ctrl+o>").text());
}

#[test]
fn entries_are_chosen_and_opened_one_by_one() {
    let screen = screen(100, 50).events("fixed").keys("<ctrl+up>kkk<enter>");
    let open: Vec<usize> = screen
        .off
        .model
        .transcript
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.body.is_open() == Some(true))
        .map(|(index, _)| index)
        .collect();
    assert_eq!(open, [screen.off.model.browse.unwrap()]);
}

#[test]
fn search_finds_opens_and_goes_round() {
    let mut screen = screen(90, 24).events("fixed").keys("<ctrl+f>FAILED");
    let text = screen.text();
    assert!(text.contains("test result: FAILED"), "what is folded is opened:\n{text}");
    let count = screen.off.model.search.as_ref().unwrap().hits.len();
    let at = |screen: &Screen| screen.off.model.search.as_ref().unwrap().at;
    let first = at(&screen);
    for _ in 0..count {
        screen = screen.keys("<down>");
    }
    assert_eq!(at(&screen), first);
    insta::assert_snapshot!(screen.text());
    screen = screen.keys("<esc>");
    assert!(screen.off.model.search.is_none());
}

#[test]
fn a_click_opens_a_call() {
    let mut screen = screen(100, 50).events("fixed");
    let row = screen.text().lines().position(|line| line.contains("Edited src/parser.rs")).unwrap();
    for kind in [MouseEventKind::Down(MouseButton::Left), MouseEventKind::Up(MouseButton::Left)] {
        screen = screen.send(mouse(kind, 10, row as u16));
    }
    assert!(screen.text().contains("27 unchanged lines"));
}

#[test]
fn a_long_run_of_reads_is_one_line_that_opens() {
    let mut screen = screen(90, 24).with(|model| model.session.window = Some(1));
    for n in 0..6 {
        let call = CallId(n.to_string());
        let title = Title::new("Reading", "Read", format!("src/part{n}.rs"));
        let input = serde_json::Value::Null;
        let tool = "Read".to_owned();
        screen = screen.event(Event::CallQueued { call: call.clone(), tool, title, input });
        screen = screen.event(Event::CallStarted { call });
    }
    assert!(screen.text().contains("Reading src/part5.rs"), "{}", screen.text());
    for n in 0..6 {
        let status = if n == 4 { CallStatus::Failed } else { CallStatus::Done };
        let (facts, text) = (format!("{n} lines"), String::new());
        let result = CallResult { status, text, facts, detail: Detail::Text };
        screen = screen.event(Event::CallEnded { call: CallId(n.to_string()), result });
    }
    let text = screen.text();
    assert!(text.contains("Read 4 more files") && text.contains("1 failed, part2.rs"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("Read ")).count(), 3, "{text}");
    let text = screen.keys("<ctrl+up><enter>").text();
    assert_eq!(text.lines().filter(|line| line.contains("Read ")).count(), 6, "{text}");
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Msg {
    Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn selected(screen: &mut Screen) -> String {
    let Screen { off } = screen;
    tern::view::selection::text(&off.model, &mut off.state)
}

#[test]
fn what_is_chosen_is_copied_in_lines_as_they_were_written() {
    let long = "one two three four five six seven eight nine ten eleven twelve thirteen";
    let prose = format!("{long}\n\n- item\n\n```rust\nlet a = 1;\nlet b = 2;\n```\n");
    let message = MessageId("m".to_owned());
    let told = Event::TextAdded { message: message.clone(), text: prose };
    let shown = screen(40, 24).event(told).event(Event::MessageEnded { message });
    let shown =
        shown.keys("<ctrl+up>V<down><down><down><down><down><down><down><down><down><down>");
    let mut shown = shown.keys("y");
    assert!(shown.off.effects.contains(&Effect::CopySelection));
    let text = selected(&mut shown);
    assert!(text.starts_with(long) && text.contains("let a = 1;\n"), "{text}");

    // By mouse: pressed, dragged, released.
    let down = MouseEventKind::Down(MouseButton::Left);
    let drag = MouseEventKind::Drag(MouseButton::Left);
    let up = MouseEventKind::Up(MouseButton::Left);
    let shown = shown.keys("<esc><esc>");
    let first = shown.off.seen().entries[0].0;
    let mut shown =
        shown.send(mouse(down, 8, first)).send(mouse(drag, 10, first)).send(mouse(up, 10, first));
    assert_eq!(selected(&mut shown), "two");
    insta::assert_snapshot!("selected", shown.text());
    let shown = shown.keys("x");
    assert!(shown.off.model.selection.is_none(), "the next key ends it");
}

#[test]
fn a_call_opens_its_file_and_a_command_can_be_given_again() {
    let shown = screen(80, 24).events("fixed").keys("<ctrl+up>");
    let at = |screen: &Screen, tool: &str| {
        let entries = screen.off.model.transcript.entries();
        let is = |entry: &&Entry| matches!(&entry.body, Body::Call(call) if call.tool == tool);
        let found = entries.iter().find(is).unwrap();
        entries.iter().position(|entry| entry.id == found.id)
    };
    let edit = at(&shown, "Edit");
    let shown = shown.with(|model| model.browse = edit).keys("e");
    let opened = shown.off.effects.iter().any(|effect| {
        matches!(effect, Effect::OpenFile { path, line } if path.ends_with("parser.rs") && *line > 1)
    });
    assert!(opened, "{:?}", shown.off.effects);
    let bash = at(&shown, "Bash");
    let before = shown.commands().len();
    let shown = shown.with(|model| model.browse = bash).keys("a");
    assert!(shown.off.model.prompt.expanded().starts_with("!cargo"));
    assert_eq!(shown.commands().len(), before, "nothing runs before enter");
}

#[test]
fn an_image_is_drawn_where_the_terminal_can() {
    use tern::app::pictures::Picture;
    use tern::app::{Effect, Msg, Reply};
    use tern::protocol::{CallId, CallResult, CallStatus, Detail, Event, Title};

    let call = CallId("c1".to_owned());
    let read = |drawn: bool| {
        let input = serde_json::json!({ "file_path": "shots/a.PNG" });
        let title = Title::new("Reading", "Read", "shots/a.PNG");
        let result = CallResult {
            status: CallStatus::Done,
            text: "an image of 640 by 480 pixels; it follows.".to_owned(),
            facts: "640 × 480".to_owned(),
            detail: Detail::Text,
        };
        screen(80, 24)
            .with(|model| model.pictures.drawn = drawn)
            .event(Event::CallQueued { call: call.clone(), tool: "Read".into(), title, input })
            .event(Event::CallEnded { call: call.clone(), result })
    };
    assert_eq!(read(false).off.effects, []);
    let screen = read(true);
    let wanted = Effect::ShowPicture { call: call.clone(), path: "shots/a.PNG".to_owned() };
    assert_eq!(screen.off.effects, [wanted]);
    let picture = Picture { number: 7, columns: 20, rows: 6 };
    let mut shown = screen.send(Msg::Done(Reply::Picture { call, picture }));
    assert!(!shown.text().contains('\u{10EEEE}'), "a call is one line until it is opened");
    let mut open = shown.keys("<ctrl+o>");
    let text = open.text();
    let rows = text.lines().filter(|row| row.contains('\u{10EEEE}'));
    let cells: Vec<usize> = rows.map(|row| row.matches('\u{10EEEE}').count()).collect();
    assert_eq!(cells, [20; 6], "{text}");
    assert!(text.contains("640 by 480"));
}
