//! Writing, sending, queueing, stopping.

use tern::app::keys::{Keymap, Written};
use tern::app::panels::Kind;
use tern::app::vim::Vim;
use tern::app::{Effect, Msg, Reply};
use tern::protocol::{Command, Event, Mode, Queued, TurnEnd, TurnId, TurnSummary};

use crate::support::screen::{Screen, screen};

fn sent(keys: &str) -> Vec<Command> {
    screen(80, 24).keys(keys).commands()
}

fn submit(text: &str) -> Command {
    Command::Submit { turn: TurnId(1), input: tern::protocol::Input::text(text) }
}

fn quits(screen: &Screen) -> bool {
    screen.off.effects.contains(&Effect::Quit)
}

#[test]
fn enter_sends_and_new_lines_are_written() {
    for (keys, text) in [
        ("hello<enter>", "hello"),
        ("a<shift+enter>b<enter>", "a\nb"),
        ("a<alt+enter>b<enter>", "a\nb"),
        ("a<ctrl+j>b<enter>", "a\nb"),
        ("a\\<enter>b<enter>", "a\nb"),
        ("one two<ctrl+w>three<enter>", "one three"),
        ("x?<enter>", "x?"),
        ("/usr/bin/env is missing<enter>", "/usr/bin/env is missing"),
    ] {
        assert_eq!(sent(keys), [submit(text)], "{keys}");
    }
    assert_eq!(sent("<enter>"), []);
    assert_eq!(sent("   <enter>"), []);
    assert_eq!(sent("!ls -l<enter>"), [Command::Shell { command: "ls -l".to_owned() }]);
}

#[test]
fn what_is_sent_is_on_the_screen_at_once() {
    let mut screen = screen(80, 24).keys("fix it<enter>");
    let text = screen.text();
    assert!(text.contains("▌ fix it") && text.contains("waiting for the model"), "{text}");
}

#[test]
fn slash_commands_act() {
    for (keys, commands) in [
        ("/clear<enter>", vec![Command::Clear]),
        (
            "/compact the tests<enter>",
            vec![Command::Compact { focus: Some("the tests".into()), preview: false }],
        ),
        ("/mode plan<enter>", vec![Command::SetMode { mode: Mode::Plan }]),
        ("<shift+tab>", vec![Command::SetMode { mode: Mode::AcceptEdits }]),
        ("/model ollama/qwen3<enter>", vec![Command::SetModel { model: "ollama/qwen3".into() }]),
        ("/mode bypassPermissions<enter>", vec![]),
        ("/hepl<enter>", vec![]),
    ] {
        assert_eq!(sent(keys), commands, "{keys}");
    }
    assert!(quits(&screen(80, 24).keys("/exit<enter>")));
    assert!(quits(&screen(80, 24).keys("/quit<enter>")));
}

#[test]
fn leaving_takes_two_keys() {
    assert!(!quits(&screen(80, 24).keys("<ctrl+c>")));
    assert!(quits(&screen(80, 24).keys("<ctrl+c><ctrl+c>")));
    assert!(quits(&screen(80, 24).keys("<ctrl+d><ctrl+d>")));
    assert!(!quits(&screen(80, 24).keys("<ctrl+c>").wait(5_000).keys("<ctrl+c>")));
    assert!(!quits(&screen(80, 24).keys("text<ctrl+c>")));
    let screen = screen(80, 24).keys("text<ctrl+c><up>");
    assert_eq!(screen.off.model.prompt.expanded(), "text", "what was cleared comes back");
}

#[test]
fn escape_goes_one_step_at_a_time() {
    let screen = screen(80, 24).events("streaming").keys("<f1><esc>");
    assert!(screen.off.model.panel.is_none() && screen.commands().is_empty());
    let screen = screen.keys("<esc>");
    assert!(matches!(screen.commands()[..], [Command::Interrupt { .. }]));
}

#[test]
fn while_a_turn_runs_prompts_are_queued_and_can_be_taken_back() {
    let screen = screen(80, 24).events("tasks").keys("more<enter>");
    assert!(
        matches!(&screen.commands()[..], [Command::Queue { input, .. }] if input.text == "more")
    );
    let screen = screen.keys("<up>");
    assert_eq!(screen.off.model.prompt.expanded(), "and update the changelog");
    assert_eq!(screen.commands().last(), Some(&Command::Unqueue { id: Some(0) }));
}

fn queued(texts: &[&str]) -> Event {
    let queued = |(id, text): (u64, &&str)| Queued { id, text: (*text).to_owned() };
    Event::QueueChanged { queued: (0..).zip(texts).map(queued).collect() }
}

fn ended(end: TurnEnd) -> Event {
    Event::TurnEnded { turn: TurnId(1), end, summary: TurnSummary::default() }
}

#[test]
fn what_is_queued_is_listed_dropped_and_sent_at_once() {
    let four = ["one", "two\nlines", "three", "four"];
    let mut busy = screen(80, 24).keys("work<enter>").event(queued(&four));
    insta::assert_snapshot!("queue", busy.text());
    let busy = busy.keys("<ctrl+x><backspace><ctrl+x><enter>");
    let next = Command::SendQueued { turn: TurnId(1), next: TurnId(2) };
    assert_eq!(busy.commands()[1..], [Command::Unqueue { id: Some(3) }, next]);

    let panel = screen(80, 24).keys("work<enter>").event(queued(&four));
    let mut panel = panel.keys("<ctrl+x>qjd");
    assert_eq!(panel.commands()[1..], [Command::Unqueue { id: Some(1) }]);
    insta::assert_snapshot!("queue-panel", panel.text());
    let panel = panel.keys("<enter>");
    assert_eq!(panel.off.model.prompt.expanded(), "three");
}

#[test]
fn after_a_stop_what_was_queued_is_in_the_prompt_and_not_sent() {
    let screen = screen(80, 24).keys("work<enter>").event(queued(&["one", "two"])).keys("draft");
    let screen = screen.event(ended(TurnEnd::Interrupted));
    assert_eq!(screen.off.model.prompt.expanded(), "one\n\ntwo\n\ndraft");
    assert_eq!(screen.commands()[1..], [Command::Unqueue { id: None }]);
}

#[test]
fn what_still_waits_without_a_turn_is_sent_by_enter() {
    let screen = screen(80, 24).keys("work<enter>").event(queued(&["one"]));
    let screen = screen.event(ended(TurnEnd::TurnLimit)).keys("<enter>");
    let next = Command::SendQueued { turn: TurnId(0), next: TurnId(2) };
    assert_eq!(screen.commands()[1..], [next]);
}

#[test]
fn the_palette_finds_actions_and_commands() {
    let mut palette = screen(80, 24).keys("<ctrl+p>cost");
    insta::assert_snapshot!("palette", palette.text());
    let palette = palette.keys("<enter>");
    assert!(matches!(
        palette.off.model.panel.as_ref().map(|panel| &panel.kind),
        Some(Kind::Cost(_))
    ));

    assert_eq!(
        screen(80, 24).keys("<ctrl+p>compact<enter>").commands(),
        [Command::Compact { focus: None, preview: false }]
    );
    let closed = screen(80, 24).keys("<ctrl+p>x<esc>");
    assert!(closed.off.model.panel.is_none(), "one step leaves it");
    let nothing = screen(80, 24).keys("<ctrl+p>qqqq<enter>");
    assert!(nothing.commands().is_empty() && nothing.off.model.panel.is_some());
}

#[test]
fn a_large_paste_is_a_mark() {
    let mut screen =
        screen(80, 24).keys("see ").send(Msg::Paste("line\r\n".repeat(312))).keys(" please");
    assert!(screen.text().contains("› see [pasted 312 lines] please"));
    screen = screen.keys("<enter>");
    assert_eq!(screen.commands(), [submit(&format!("see {} please", "line\n".repeat(312)))]);
}

#[test]
fn the_prompt_grows_to_a_third_of_the_screen() {
    let keys = "one<ctrl+j>two<ctrl+j>three<ctrl+j>four and some words so that the line has to be wrapped at the edge";
    insta::assert_snapshot!(screen(60, 24).keys(keys).text());
    let mut tall = screen(60, 24).keys(&"x<ctrl+j>".repeat(30));
    let rows = tall.text().lines().filter(|line| line.trim_start().starts_with('x')).count();
    assert!(rows <= 8, "{rows}");
}

#[test]
fn commands_complete() {
    insta::assert_snapshot!("commands", screen(80, 24).keys("/co").text());
    insta::assert_snapshot!("modes", screen(80, 24).keys("/mode p").text());
    assert_eq!(
        sent("/comp<tab> tests<enter>"),
        [Command::Compact { focus: Some("tests".into()), preview: false }]
    );
    assert_eq!(sent("/cle<enter>"), [Command::Clear]);
}

#[test]
fn earlier_prompts_are_found() {
    let mut screen = screen(80, 24)
        .keys("fix the parser<ctrl+c>")
        .wait(5_000)
        .keys("add tests<ctrl+c>")
        .wait(5_000)
        .keys("<ctrl+r>pars");
    insta::assert_snapshot!(screen.text());
    screen = screen.keys("<enter>");
    assert_eq!(screen.off.model.prompt.expanded(), "fix the parser");
}

#[test]
fn after_a_prefix_the_screen_says_how_it_goes_on() {
    insta::assert_snapshot!(screen(100, 24).keys("<ctrl+x>").text());
}

/// The last question for files, answered.
fn find(screen: Screen, paths: &[&str], looking: bool) -> Screen {
    let asked = screen.off.effects.iter().rev().find_map(|effect| match effect {
        Effect::FindFiles { seq, .. } => Some(*seq),
        _ => None,
    });
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    screen.send(Msg::Done(Reply::Files { seq: asked.unwrap(), paths, looking }))
}

fn queries(screen: &Screen) -> Vec<&str> {
    let query = screen.off.effects.iter().filter_map(|effect| match effect {
        Effect::FindFiles { query, .. } => Some(query.as_str()),
        _ => None,
    });
    query.collect()
}

#[test]
fn a_mention_is_completed_from_the_files_that_are_found() {
    let screen = screen(80, 24).keys("see @pa");
    assert_eq!(queries(&screen), ["", "p", "pa"]);
    let mut screen = find(screen, &["src/", "src/parser.rs", "a b.txt"], true);
    insta::assert_snapshot!("mention", screen.text());

    let screen = screen.keys("<tab>");
    assert_eq!(screen.off.model.prompt.expanded(), "see @src/");
    assert_eq!(queries(&screen).last(), Some(&"src/"), "within the folder one goes on");
    let screen = find(screen, &["src/parser.rs", "src/a b.txt"], false);
    let screen = screen.keys("<down><enter>now");
    assert_eq!(screen.off.model.prompt.expanded(), "see @\"src/a b.txt\" now");
    assert!(screen.off.model.complete.is_none() && screen.commands().is_empty());

    // Late answers to older questions fall on the floor.
    let screen =
        screen.send(Msg::Done(Reply::Files { seq: 1, paths: vec!["x".into()], looking: false }));
    assert!(screen.off.model.complete.is_none());
}

#[test]
fn a_mention_that_is_left_is_not_completed() {
    for keys in ["@pa<esc>", "@pa<home>", "@pa ", "@pa<backspace><backspace><backspace>"] {
        let screen = find(screen(80, 24).keys("x @pa"), &["src/parser.rs"], true);
        let screen = screen.keys(keys.strip_prefix("@pa").unwrap());
        assert!(screen.off.model.complete.is_none(), "{keys}");
    }
    assert_eq!(queries(&screen(80, 24).keys("mail me@example.org")), Vec::<&str>::new());
}

#[test]
fn the_prompt_is_edited_as_in_vim_where_that_keymap_is_chosen() {
    let vim = || {
        screen(80, 24).with(|model| {
            model.vim = Some(Vim::default());
            model.keymap = Keymap::new(tern::config::Keymap::Vim, &Written::new()).0;
        })
    };
    assert_eq!(
        vim().keys("fix teh parser<esc>bbcwthe<esc><enter>").commands(),
        [submit("fix the parser")]
    );
    // The next prompt begins with writing, and is nothing that undo could bring back.
    let next = vim().keys("one<esc><enter>two<esc>u");
    assert_eq!(next.off.model.prompt.expanded(), "");
    let mut shown = vim().keys("one two three<esc>bve");
    insta::assert_snapshot!("vim-visual", shown.text());
    let asked = vim().keys("x<esc>:");
    assert!(matches!(asked.off.model.panel.as_ref().map(|panel| &panel.kind), Some(Kind::Palette)));
    // Esc in normal mode is what it is everywhere.
    let stopped = vim().keys("work<enter>").keys("x<esc><esc>");
    assert!(matches!(stopped.commands()[..], [Command::Submit { .. }, Command::Interrupt { .. }]));
}
