//! `--linear`: the whole demonstration as lines that are only ever added.

#![cfg(unix)]

use crate::support::pty::Pty;
use crate::support::tern::Tern;

/// Waits until a choice can be made, and makes it.
fn choose(pty: &mut Pty, question: &str, choice: &str) {
    pty.wait_until(question, |screen| {
        let after = screen.rsplit(question).next().unwrap_or_default();
        screen.contains(question) && after.contains("choice>")
    });
    pty.press(&format!("{choice}\n"));
}

#[test]
fn the_demo_can_be_followed_line_by_line() {
    let tern = Tern::new();
    // Tall enough to hold it all: nothing scrolls away.
    let mut pty = Pty::with(&tern, &["--demo"], &[("TERM", "dumb")], (100, 300));
    pty.wait_for("scripted replies");
    pty.wait_for("Enter alone sends: A test of this project fails");
    pty.press("\n");
    choose(&mut pty, "$ sh tests/run.sh", "2");
    choose(&mut pty, "Edit bin/tally", "1");
    pty.wait_for("All five tests pass");
    pty.wait_for("1 file - +2 -2");
    pty.press("/cost\n");
    choose(&mut pty, "scripted: nothing is spent", "");
    pty.press("/nonsense\n");
    pty.wait_for("there is no /nonsense");
    let text = pty.text();
    assert!(!pty.bytes().contains('\x1b'), "no cursor is moved:\n{text}");
    assert_eq!(text.matches("Ran sh tests/run.sh").count(), 2, "{text}");
    pty.press("/exit\n");
    assert_eq!(pty.ends_as_found(), 0);
}

#[test]
fn lines_may_come_from_a_pipe() {
    let tern = Tern::new();
    let mut command = tern.command(&["--demo", "--linear"]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
