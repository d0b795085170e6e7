//! The dialog of undo and redo: what it shows, what its keys answer, and what is shown afterwards.

use tern::protocol::{
    CallId, Command, Event, FileEffect, FileStep, Hunk, HunkLine, LineKind, RequestId, Rewind,
    Skipped, Step, StepConflict,
};

use crate::support::screen::{Screen, screen};

fn line(kind: LineKind, text: &str) -> HunkLine {
    HunkLine { kind, text: text.to_owned(), changed: Vec::new(), no_newline: false }
}

fn file(path: &str, effect: FileEffect, lines: &[(LineKind, &str)]) -> FileStep {
    let count = |wanted| lines.iter().filter(|(kind, _)| *kind == wanted).count() as u32;
    let hunk = Hunk {
        old_start: 41,
        new_start: 41,
        lines: lines.iter().map(|(kind, text)| line(*kind, text)).collect(),
    };
    FileStep {
        path: path.to_owned(),
        effect,
        added: count(LineKind::Added),
        removed: count(LineKind::Removed),
        hunks: if lines.is_empty() { Vec::new() } else { vec![hunk] },
        note: String::new(),
        conflict: None,
    }
}

fn asked() -> Event {
    use LineKind::{Added, Context, Removed};
    let parser = file(
        "src/parser.rs",
        FileEffect::Changed,
        &[
            (Context, "pub fn next(&mut self) -> Option<Token> {"),
            (Removed, "    let byte = *self.bytes.get(self.pos)?;"),
            (Added, "    let byte = self.bytes[self.pos];"),
            (Context, "    self.pos += 1;"),
        ],
    );
    let notes = file("notes.md", FileEffect::Removed, &[(Removed, "# Findings")]);
    let theirs = FileStep {
        conflict: Some(StepConflict::ChangedSince),
        ..file("src/lib.rs", FileEffect::Changed, &[(Removed, "mod new;"), (Added, "mod old;")])
    };
    let lost = FileStep {
        note: "not text".to_owned(),
        conflict: Some(StepConflict::Impossible {
            why: "its earlier content is no longer kept".to_owned(),
        }),
        ..file("logo.png", FileEffect::Changed, &[])
    };
    let rewind = Rewind {
        request: RequestId(7),
        step: Step::Undo,
        prompt: "The parser panics on an empty file.".to_owned(),
        files: vec![parser, notes, theirs, lost],
    };
    Event::RewindAsked { rewind: Box::new(rewind) }
}

fn dialog(width: u16, height: u16) -> Screen {
    screen(width, height).events("fixed").event(asked()).wait(1_000)
}

#[test]
fn every_file_is_shown_before_anything_is_done() {
    insta::assert_snapshot!("undo-100x40", dialog(100, 40).text());
    insta::assert_snapshot!("undo-chosen-80x24", dialog(80, 24).keys("]]<space>").text());
}

#[test]
fn keys_answer() {
    let yes =
        |also: &[usize]| Command::ConfirmRewind { request: RequestId(7), also: also.to_vec() };
    for (keys, wanted) in [
        ("<enter>", vec![yes(&[])]),
        ("y", vec![yes(&[])]),
        ("]]<space><enter>", vec![yes(&[2])]),
        ("]]<space><space><enter>", vec![yes(&[])]),
        // Files of the step itself belong to it; one that cannot be put back stays.
        ("<space>y", vec![yes(&[])]),
        ("]]]<space>y", vec![yes(&[])]),
        ("<esc><enter>", vec![]),
        ("n<enter>", vec![]),
        ("x<down><pagedown>", vec![]),
    ] {
        assert_eq!(dialog(100, 40).keys(keys).commands(), wanted, "{keys}");
    }
}

#[test]
fn keys_typed_for_something_else_do_not_answer() {
    let screen = screen(100, 40).events("fixed").event(asked()).typed_ahead("y<enter>");
    let wrong = |command: &Command| matches!(command, Command::ConfirmRewind { .. });
    assert!(!screen.commands().iter().any(wrong));
}

#[test]
fn slash_commands_ask() {
    for (keys, command) in [
        ("/undo<enter>", Command::Undo),
        ("/rewind<enter>", Command::Undo),
        ("/und<enter>", Command::Undo),
        ("/redo<enter>", Command::Redo),
    ] {
        assert_eq!(screen(100, 40).events("fixed").keys(keys).commands(), [command], "{keys}");
    }
    let working = screen(100, 40).events("streaming").keys("/undo<enter>");
    assert_eq!(working.commands(), []);
}

fn rewound(step: Step, calls: &[&str]) -> Event {
    Event::Rewound {
        step,
        files: vec!["src/parser.rs".to_owned()],
        skipped: vec![Skipped {
            path: "src/lib.rs".to_owned(),
            why: "it was changed by someone else".to_owned(),
        }],
        calls: calls.iter().map(|call| CallId((*call).to_owned())).collect(),
    }
}

#[test]
fn changes_that_were_undone_are_no_longer_listed() {
    let listed = |screen: &Screen| -> Vec<(String, u32)> {
        let changes = tern::app::changes::of(&screen.off.model.transcript);
        changes.iter().map(|change| (change.path.to_owned(), change.added)).collect()
    };
    let mut screen = screen(100, 40).events("fixed");
    let before = listed(&screen);
    assert!(!before.is_empty());
    let edits: Vec<String> = screen
        .off
        .model
        .transcript
        .calls()
        .filter(|call| call.tool == "Edit")
        .map(|call| call.id.0.clone())
        .collect();
    let edits: Vec<&str> = edits.iter().map(String::as_str).collect();
    screen = screen.event(asked()).event(rewound(Step::Undo, &edits));
    assert_eq!(listed(&screen), []);
    assert!(screen.off.model.confirm.is_none(), "the question is over");
    let text = screen.text();
    for part in ["undone · +", "Undone: src/parser.rs", "left as it is: src/lib.rs", "/redo"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    screen = screen.event(rewound(Step::Redo, &edits));
    assert_eq!(listed(&screen), before);
    assert!(!screen.text().contains("undone · +"));
}
