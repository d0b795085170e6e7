//! The changes panel: what it shows, and what its keys do.

use tern::app::Effect;
use tern::diff::{counts, hunks};
use tern::protocol::{Command, Event, FileEffect, FileStep, RequestId, StepConflict};

use crate::support::screen::{Screen, screen};

fn file(path: &str, effect: FileEffect, old: &str, new: &str) -> FileStep {
    let hunks = hunks(old, new, 3);
    let (added, removed) = counts(&hunks);
    FileStep {
        path: path.to_owned(),
        from: None,
        effect,
        hunks,
        added,
        removed,
        note: String::new(),
        conflict: None,
    }
}

/// A source file with two changes far from each other.
fn parser() -> FileStep {
    let old: String = (1..=40).map(|n| format!("    let byte{n} = self.bytes[{n}];\n")).collect();
    let new = old.replace("self.bytes[3]", "*self.bytes.get(3)?").replace("byte30 =", "last =");
    file("src/parse/parser.rs", FileEffect::Changed, &old, &new)
}

fn all() -> Vec<FileStep> {
    use FileEffect::{Changed, Created, Removed};
    vec![
        file("README.md", Changed, "# parser\n", "# Parser\n"),
        FileStep { note: "not text".to_owned(), ..file("assets/logo.png", Changed, "", "") },
        FileStep { note: "mode 644 to 755".to_owned(), ..file("run.sh", Changed, "", "") },
        FileStep {
            from: Some("src/parse/old_name.rs".to_owned()),
            ..file("src/parse/new_name.rs", Changed, "", "")
        },
        parser(),
        file("src/parse/tabs.rs", Changed, "\tlet a = 1;\n\tend\n", "    let a = 1;\n\tend \n"),
        file("src/tests/empty.rs", Created, "", "#[test]\nfn empty() {\n    assert!(true);\n}\n"),
        file("src/tests/gone.rs", Removed, "fn old() {}\n", ""),
        FileStep {
            conflict: Some(StepConflict::ChangedSince),
            ..file("src/theirs.rs", Changed, "a\n", "b\n")
        },
    ]
}

fn listed(width: u16, height: u16) -> Screen {
    let event = Event::ChangesShown { request: RequestId(9), files: all() };
    screen(width, height).events("fixed").keys("<ctrl+x>d").event(event)
}

#[test]
fn files_stand_as_a_tree_beside_the_diff_of_one() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut screen = listed(width, height).keys("jjjjj");
        insta::assert_snapshot!(format!("changes-{width}x{height}"), screen.text());
    }
    insta::assert_snapshot!("changes-renamed", listed(120, 20).keys("jjjj").text());
    insta::assert_snapshot!("changes-blanks", listed(120, 20).keys("jjjjjj").text());
    insta::assert_snapshot!("changes-alone", listed(120, 30).keys("jjjjj<enter>").text());
    insta::assert_snapshot!("changes-theirs", listed(60, 20).keys("jjj").text());
}

#[test]
fn until_the_agent_has_answered_the_transcript_tells() {
    let mut screen = screen(120, 40).events("fixed").keys("/diff<enter>");
    assert_eq!(screen.commands().last(), Some(&Command::AskChanges { context: 3 }));
    insta::assert_snapshot!("changes-comparing", screen.text());
    let mut early = screen.keys("u");
    assert!(early.text().contains("the files are still being compared"), "{}", early.text());
    assert!(!early.commands().iter().any(|command| matches!(command, Command::Revert { .. })));
}

#[test]
fn keys_mean_what_is_chosen() {
    let revert = |file, hunk| Command::Revert { request: RequestId(9), file, hunk };
    for (keys, wanted) in [
        ("u", revert(0, Some(0))),
        ("jU", revert(2, None)),
        ("jjjjju", revert(4, Some(0))),
        ("jjjjj]u", revert(4, Some(1))),
        // Behind the last change of a file comes the next file, and back.
        ("jjjjj]]u", revert(5, Some(0))),
        ("jjjjj]][u", revert(4, Some(1))),
        ("/theirs<enter>U", revert(8, None)),
        ("c", Command::AskChanges { context: 12 }),
    ] {
        assert_eq!(listed(120, 40).keys(keys).commands().last(), Some(&wanted), "{keys}");
    }
    let opened = listed(120, 40).keys("jjjjj]o").off.effects.pop();
    let wanted = Effect::OpenFile { path: "src/parse/parser.rs".to_owned(), line: 30 };
    assert_eq!(opened, Some(wanted));
    let mut binary = listed(120, 40).keys("jju");
    assert!(binary.text().contains("there is no hunk to take back"));
}

#[test]
fn what_changes_meanwhile_is_asked_for_again() {
    let asks = |screen: &Screen| {
        let asked = |command: &&Command| matches!(command, Command::AskChanges { .. });
        screen.commands().iter().filter(asked).count()
    };
    let rewound = Event::Rewound {
        step: tern::protocol::Step::Undo,
        scope: tern::protocol::RewindScope::Files,
        input: None,
        files: vec!["README.md".to_owned()],
        skipped: Vec::new(),
        calls: Vec::new(),
    };
    let screen = listed(120, 40).keys("jjjjj").event(rewound.clone()).event(rewound);
    assert_eq!(asks(&screen), 2, "the second waits for the answer");
    let answer = |files| Event::ChangesShown { request: RequestId(10), files };
    let screen = screen.event(answer(all().split_off(1)));
    assert_eq!(asks(&screen), 3);
    let mut screen = screen.event(answer(all().split_off(1))).keys("u");
    let wanted = Command::Revert { request: RequestId(10), file: 3, hunk: Some(0) };
    assert_eq!(screen.commands().last(), Some(&wanted), "the chosen file stays chosen");
    assert!(screen.text().contains("parser.rs"));
    let closed = screen.keys("q").event(answer(all()));
    assert_eq!(asks(&closed), 3);
}

#[test]
fn a_second_frame_makes_no_rows() {
    let mut screen = listed(120, 40).keys("jjjjj");
    screen.work();
    assert_eq!(screen.work().wrapped, 0);
    let mut scrolled = screen.keys("<space>");
    scrolled.work();
    assert_eq!(scrolled.work().wrapped, 0);
}
