//! `--inline`: the session in the terminal's own scrollback.

#![cfg(unix)]

use crate::support::pty::Pty;
use crate::support::tern::Tern;

const ALTERNATE: &str = "\x1b[?1049h";

/// Answers a question that has been shown for as long as it takes no key.
fn answer(pty: &mut Pty, question: &str, key: &str) {
    pty.wait_for(question);
    std::thread::sleep(std::time::Duration::from_secs(1));
    pty.press(key);
    pty.wait_until("it is answered", |screen| !screen.contains(question));
}

/// The demonstration up to its end. Tall enough that nothing has scrolled away.
fn followed(tern: &Tern) -> Pty {
    let mut pty = Pty::start(tern, &["--demo", "--inline"], (100, 200));
    pty.wait_for("This is a demonstration");
    pty.wait_for("A test of this project fails");
    pty.press("\r");
    answer(&mut pty, "Run a command", "s");
    answer(&mut pty, "─ Edit bin/tally ─", "\r");
    pty.wait_for("All five tests pass");
    pty.wait_for("1 file · +2 −2 · 2 commands");
    pty
}

#[test]
fn what_was_said_stays_in_the_terminal() {
    let tern = Tern::new();
    let mut pty = followed(&tern);
    assert!(!pty.bytes().contains(ALTERNATE), "{}", pty.text());
    let text = pty.text();
    assert_eq!(text.matches("All five tests pass").count(), 1, "{text}");
    assert_eq!(text.matches("A test of this project fails").count(), 1, "{text}");
    pty.press("/exit\r");
    pty.wait_until("the prompt is gone", |screen| !screen.contains("? help"));
    let text = pty.text();
    for said in ["A test of this project fails", "Ran sh tests/run.sh", "All five tests pass"] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert_eq!(pty.ends_as_found(), 0);
}

#[test]
fn panels_take_the_whole_screen_for_a_while() {
    let tern = Tern::new();
    let mut pty = followed(&tern);
    pty.press("\x18c");
    pty.wait_for("by  [turn]");
    assert!(pty.bytes().contains(ALTERNATE));
    assert!(!pty.text().contains("All five tests pass"), "{}", pty.text());
    pty.press("\x1b");
    pty.wait_for("All five tests pass");
    let text = pty.text();
    assert!(!text.contains("by  [turn]"), "{text}");
    assert_eq!(text.matches("All five tests pass").count(), 1, "{text}");
    // A panel may be open when the program is ended.
    pty.press("\x18c");
    pty.wait_for("by  [turn]");
    pty.signal("-TERM");
    pty.wait_for("All five tests pass");
    pty.wait_until("the prompt is gone", |screen| !screen.contains("? help"));
    pty.ends_as_found();
}

#[test]
fn another_size_writes_over_nothing() {
    let tern = Tern::new();
    let mut pty = followed(&tern);
    for (typed, columns, rows) in [("› x", 60, 200), ("› xx", 120, 100), ("› xxx", 100, 200)]
    {
        pty.resize(columns, rows);
        pty.wait_a_moment();
        pty.press("x");
        pty.wait_for(typed);
    }
    let text = pty.text();
    for said in ["Ran sh tests/run.sh", "All five tests pass"] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert_eq!(text.matches("xxx").count(), 1, "{text}");
}
