//! The panel of the model's window, and the summary that is shown before it is used.

use tern::app::{Effect, Msg, Reply};
use tern::protocol::{
    CallId, Command, Event, Filler, Item, ItemId, MessageId, RequestId, Window, WindowAct,
};

use crate::support::screen::{Screen, screen};

fn item(source: Filler, name: &str, tokens: u64) -> Item {
    Item { id: None, source, name: name.to_owned(), tokens, pinned: false, dropped: false }
}

fn window() -> Window {
    let message = |id: &str| Some(ItemId::Message(MessageId(id.into())));
    let result = |id: &str| Some(ItemId::Result(CallId(id.into())));
    let server = Filler::Server { name: "github".to_owned() };
    let items = vec![
        item(Filler::System, "instructions of tern", 1_100),
        item(Filler::Tools, "Read", 240),
        item(Filler::Tools, "Bash", 410),
        item(Filler::Project, "where the session began", 190),
        item(Filler::Memory, "/home/me/project/AGENTS.md", 860),
        Item {
            id: message("m1"),
            pinned: true,
            ..item(Filler::Said, "The parser panics on an empty file. Find out why and fix it.", 20)
        },
        Item { id: result("c1"), ..item(Filler::Files, "Read src/parser.rs", 31_200) },
        Item { id: result("c2"), dropped: true, ..item(Filler::Files, "Read src/lexer.rs", 40) },
        Item { id: result("c3"), ..item(server, "mcp__github__search", 2_300) },
        Item {
            id: message("m2"),
            ..item(Filler::Answers, "`next()` reads \u{1b}[31mbefore checking", 6_040)
        },
    ];
    Window { size: Some(200_000), compacts_at: Some(160_000), tokens: 42_400, exact: false, items }
}

fn told(screen: Screen) -> Screen {
    screen.event(Event::WindowShown { window: Box::new(window()) })
}

fn last(screen: &Screen) -> Option<Command> {
    screen.commands().pop()
}

#[test]
fn what_fills_the_window() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut panel = told(screen(width, height).events("fixed").keys("/context<enter>"));
        assert_eq!(last(&panel), Some(Command::ShowWindow { exact: false }));
        insta::assert_snapshot!(format!("context-{width}x{height}"), panel.text());
        let mut open = panel.keys("<enter>");
        insta::assert_snapshot!(format!("context-open-{width}x{height}"), open.text());
    }
}

#[test]
fn things_are_pinned_dropped_and_brought_back() {
    let panel = || told(screen(80, 24).events("fixed").keys("<ctrl+x>w"));
    let files = "<enter>j";
    let of = |id: &str| ItemId::Result(CallId(id.into()));
    for (keys, item, act) in [
        ("d", of("c1"), WindowAct::Drop),
        ("p", of("c1"), WindowAct::Pin),
        ("jd", of("c2"), WindowAct::Restore),
    ] {
        let sent = last(&panel().keys(files).keys(keys));
        assert_eq!(sent, Some(Command::EditWindow { item, act }), "{keys}");
    }
    // The pinned one is found by its name, and stays until it is unpinned.
    let pinned = ItemId::Message(MessageId("m1".into()));
    let mut found = panel().keys("/panics<enter>jd");
    assert!(found.text().contains("p unpins it"), "{}", found.text());
    let sent = last(&found.keys("p"));
    assert_eq!(sent, Some(Command::EditWindow { item: pinned, act: WindowAct::Unpin }));
    let mut fixed = panel().keys("/instructions<enter>jd");
    assert!(fixed.text().contains("every request begins with"), "{}", fixed.text());
}

#[test]
fn a_thing_is_read_whole_and_esc_leads_back() {
    let shown = told(screen(80, 24).events("fixed").keys("<ctrl+x>w")).keys("<enter>j<enter>");
    let item = ItemId::Result(CallId("c1".into()));
    assert_eq!(last(&shown), Some(Command::ShowWindowItem { item: item.clone() }));
    let text = "fn next()\u{1b}[2J {}\n".repeat(60);
    let mut shown = shown.event(Event::WindowItemShown { item, text }).keys("jj");
    let seen = shown.text();
    assert!(seen.contains("fn next()") && !seen.contains('\u{1b}'), "{seen}");
    let mut back = shown.keys("<esc>");
    assert!(back.text().contains("Context"), "{}", back.text());
    assert!(!back.keys("<esc>").text().contains("room is made"));
}

fn drafted() -> Screen {
    let screen = screen(80, 24).events("fixed").keys("/compact --preview<enter>");
    let summary = "## Goal\nFix the *parser*.\n\n## Open\n- a test".to_owned();
    screen
        .event(Event::CompactionStarted { automatic: false })
        .event(Event::SummaryDrafted {
            request: RequestId(7),
            before: 42_400,
            after: 6_100,
            summary,
        })
        .event(Event::CompactionEnded)
}

#[test]
fn a_summary_is_read_changed_and_used() {
    let mut draft = drafted();
    insta::assert_snapshot!("summary", draft.text());
    let edits = draft.keys("e");
    let opened =
        edits.off.effects.iter().any(
            |effect| matches!(effect, Effect::OpenEditor(text) if text.starts_with("## Goal")),
        );
    assert!(opened);
    let mut edited = edits.send(Msg::Done(Reply::Edited(Ok("## Goal\nMine.".into()))));
    assert!(edited.text().contains("changed by you") && edited.text().contains("Mine."));
    let summary = Some("## Goal\nMine.".to_owned());
    let sent = last(&edited.keys("<enter>"));
    assert_eq!(sent, Some(Command::UseSummary { request: RequestId(7), summary }));
}

#[test]
fn a_summary_is_discarded_with_esc() {
    let mut draft = drafted().keys("<esc>");
    let sent = last(&draft);
    assert_eq!(sent, Some(Command::UseSummary { request: RequestId(7), summary: None }));
    assert!(draft.text().contains("discarded"), "{}", draft.text());
}

#[test]
fn a_compaction_that_was_asked_for_is_seen_and_can_be_stopped() {
    let running = screen(80, 24).events("fixed").keys("/compact<enter>");
    let mut running = running.event(Event::CompactionStarted { automatic: false });
    assert!(running.text().contains("summing up"), "{}", running.text());
    let stopped = running.keys("<esc>");
    assert!(matches!(last(&stopped), Some(Command::Interrupt { .. })));
    let ended = stopped.event(Event::CompactionEnded);
    assert!(!ended.off.model.is_working());
}
