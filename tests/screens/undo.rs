//! The dialog of undo and redo: what it shows, what its keys answer, and what is shown afterwards.

use tern::protocol::{
    CallId, Command, Event, FileEffect, FileStep, Hunk, HunkLine, LineKind, MessageId, RequestId,
    Rewind, RewindScope, Skipped, Step, StepConflict, TurnEnd, TurnId, TurnSummary,
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
        from: None,
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
        scope: RewindScope::Files,
        to: None,
        messages: 0,
        commands: 0,
        prompt: "The parser panics on an empty file.".to_owned(),
        part: None,
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
        scope: RewindScope::Files,
        input: None,
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
        let changes = tern::app::panels::changes::edits(&screen.off.model.transcript);
        changes.into_iter().map(|file| (file.path, file.added)).collect()
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

fn said(turn: u64, text: &str) -> [Event; 2] {
    let (turn, message) = (TurnId(turn), MessageId(format!("m{turn}")));
    let end = TurnEnd::Done;
    [
        Event::TurnStarted { turn, message, text: text.to_owned() },
        Event::TurnEnded { turn, end, summary: TurnSummary::default() },
    ]
}

fn talked(width: u16, height: u16) -> Screen {
    let events = [said(1, "Write a parser."), said(2, "Test it.\nAll of it.")].concat();
    let mut screen = screen(width, height).events("fixed");
    for event in events {
        screen = screen.event(event);
    }
    screen.wait(5_000)
}

fn to(message: &str, scope: RewindScope) -> Command {
    Command::Rewind { to: MessageId(message.to_owned()), scope }
}

fn going_back(scope: RewindScope) -> Event {
    let Event::RewindAsked { rewind } = asked() else { panic!("it is that event") };
    let files = if scope.files() { rewind.files } else { Vec::new() };
    let to = Some(MessageId("m1".to_owned()));
    let prompt = "Write a parser.".to_owned();
    let rewind = Rewind { scope, to, messages: 2, commands: 1, prompt, files, ..*rewind };
    Event::RewindAsked { rewind: Box::new(rewind) }
}

#[test]
fn a_message_to_go_back_to_is_chosen_from_a_list() {
    insta::assert_snapshot!("rewind-list-80x24", talked(80, 24).keys("<esc><esc>").text());
    for (keys, wanted) in [
        ("<esc><esc><enter>", "m2"),
        ("<esc><esc><up><enter>", "m1"),
        ("/rewind<enter>k<enter>", "m1"),
        ("<ctrl+x>r<enter>", "m2"),
        ("<esc><esc>/write<enter><enter>", "m1"),
        // From the block that is chosen in the transcript, or the message above it.
        ("<ctrl+up>r", "m2"),
    ] {
        let sent = talked(100, 40).keys(keys).commands();
        assert_eq!(sent, [to(wanted, RewindScope::Both)], "{keys}");
    }
    let working = talked(100, 40).keys("go<enter>").keys("<ctrl+x>r<enter>");
    assert!(!working.commands().iter().any(|sent| matches!(sent, Command::Rewind { .. })));
}

#[test]
fn what_going_back_takes_is_shown_and_can_be_narrowed() {
    let dialog = |scope| talked(100, 40).event(going_back(scope)).wait(1_000);
    insta::assert_snapshot!("rewind-100x40", dialog(RewindScope::Both).text());
    let alone = talked(80, 24).event(going_back(RewindScope::Conversation)).wait(1_000).text();
    insta::assert_snapshot!("rewind-conversation-80x24", alone);
    for (scope, next) in [
        (RewindScope::Both, RewindScope::Conversation),
        (RewindScope::Conversation, RewindScope::Files),
        (RewindScope::Files, RewindScope::Both),
    ] {
        assert_eq!(dialog(scope).keys("<tab>").commands(), [to("m1", next)]);
    }
    let yes = Command::ConfirmRewind { request: RequestId(7), also: Vec::new() };
    assert_eq!(dialog(RewindScope::Conversation).keys("<enter>").commands(), [yes]);
}

#[test]
fn the_message_comes_back_into_the_prompt() {
    let back = Event::Rewound {
        step: Step::Undo,
        scope: RewindScope::Both,
        input: Some("Write a parser.".to_owned()),
        files: Vec::new(),
        skipped: Vec::new(),
        calls: Vec::new(),
    };
    let mut screen = talked(100, 40).keys("a draft").event(back);
    assert_eq!(screen.off.model.prompt.editor.text(), "Write a parser.");
    assert!(screen.text().contains("Went back to here; no file was changed"));
    screen = screen.keys("<up>");
    assert_eq!(screen.off.model.prompt.editor.text(), "a draft");
}
