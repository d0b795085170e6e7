//! Foreign text on every surface: no control character and nothing invisible reaches a cell.

use proptest::prelude::*;
use tern::app::panels::history::SessionRow;
use tern::app::{Msg, Reply};
use tern::protocol::{
    CallId, CallResult, CallStatus, Detail, Event, Hunk, HunkLine, Level, LineKind, MessageId,
    Mode, Preview, Queued, Request, RequestId, SessionId, Suggestion, Title,
};

use crate::support::screen::{Screen, screen};

/// Every place where foreign text is shown.
fn everywhere(text: &str, width: u16, height: u16) -> Vec<Screen> {
    let own = |text: &str| text.to_owned();
    let line = |kind| HunkLine { kind, text: own(text), changed: vec![(0, 1)], no_newline: false };
    let hunk = Hunk {
        old_start: 1,
        new_start: 1,
        lines: vec![line(LineKind::Context), line(LineKind::Removed), line(LineKind::Added)],
    };
    let edit = Preview::Edit {
        path: own(text),
        hunks: vec![hunk.clone()],
        added: 1,
        removed: 1,
        new_file: false,
    };
    let request = |preview: Preview| Event::PermissionAsked {
        request: Box::new(Request {
            id: RequestId(1),
            call: CallId("c".into()),
            tool: own(text),
            preview,
            parts: vec![],
            because: own(text),
            rule: None,
            suggestions: vec![Suggestion { rule: own(text) }],
            reason: Some(own(text)),
            sandbox: Some(own(text)),
            offers_network: false,
        }),
    };
    let base = || {
        let call = CallId("c".into());
        let message = MessageId("m".into());
        let detail = Detail::Diff {
            path: own(text),
            hunks: vec![hunk.clone()],
            added: 1,
            removed: 1,
            new_file: true,
        };
        let result = |detail| CallResult {
            status: CallStatus::Done,
            text: own(text),
            facts: own(text),
            detail,
        };
        let other = CallId("d".into());
        let title = Title { doing: own(text), done: own(text), object: own(text) };
        screen(width, height)
            .event(Event::Started {
                session: SessionId(own(text)),
                cwd: own(text),
                model: own(text),
                mode: Mode::Default,
                window: None,
                scripted: false,
                resumed: false,
            })
            .event(Event::GitChanged { branch: own(text), dirty: 1 })
            .event(Event::TurnStarted {
                turn: tern::protocol::TurnId(1),
                message: message.clone(),
                text: own(text),
            })
            .event(Event::ThoughtAdded { message: message.clone(), text: own(text) })
            .event(Event::TextAdded { message, text: own(text) })
            .event(Event::CallQueued {
                call: call.clone(),
                tool: own(text),
                title: title.clone(),
                input: serde_json::json!({ text: text }),
            })
            .event(Event::CallStarted { call: call.clone() })
            .event(Event::CallOutput { call, text: own(text) })
            .event(Event::CallQueued {
                call: other.clone(),
                tool: own(text),
                title,
                input: serde_json::json!({}),
            })
            .event(Event::CallEnded { call: other, result: result(detail) })
            .event(Event::Noticed { level: Level::Warning, text: own(text) })
            .event(Event::ShellEnded { command: own(text), output: own(text), code: Some(1) })
            .event(Event::Titled { title: own(text) })
            .event(Event::QueueChanged { queued: vec![Queued { id: 0, text: own(text) }] })
    };
    let command = Preview::Command { command: own(text), cwd: own(text) };
    let row = SessionRow {
        id: SessionId(own(text)),
        title: own(text),
        age: own(text),
        project: own(text),
        branch: own(text),
        days: 0,
        found: None,
        cost: None,
        prompts: 1,
        here: false,
        snippet: Some(own(text)),
    };
    vec![
        base().keys("<ctrl+o>"),
        base().keys("<ctrl+o><ctrl+home>"),
        base().event(request(command)).keys("w"),
        base().event(request(edit)).keys("A"),
        base().event(request(Preview::Other { text: own(text) })),
        base().keys("/diff<enter>"),
        base().keys("/status<enter>"),
        base().keys("<ctrl+x>h").send(Msg::Done(Reply::Sessions { seq: 1, rows: Ok(vec![row]) })),
        base().send(Msg::Paste(own(text))),
    ]
}

fn check(text: &str, width: u16, height: u16) {
    for mut screen in everywhere(text, width, height) {
        let (buffer, _) = screen.off.frame();
        for cell in buffer.content() {
            let bad = cell
                .symbol()
                .chars()
                .find(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c));
            assert_eq!(bad, None, "{:?} from {text:?}", cell.symbol());
        }
    }
}

#[test]
fn no_foreign_control_character_reaches_a_cell() {
    for text in [
        "\x1b]0;root@prod: ~\x07",
        "\x1b[2J\x1b[H\x1b[31mred",
        "a\rb\x08\x08c\x00d",
        "\u{9b}31m\u{90}q\u{9c}",
        "rm -rf \u{202e}txt.exe",
        "tab\there\nnext",
        "\x1b_Gi=31;AAAA\x1b\\",
        "",
    ] {
        check(text, 100, 40);
    }
}

#[test]
fn a_command_that_hides_something_shows_it() {
    let mut shown = everywhere("ls \u{202e}cod.exe \x1b[8mrm -rf ~\x1b[0m", 100, 40);
    let text = shown[2].text();
    for part in ["\\u{202e}", "\\u{1b}[8m", "rm -rf ~"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_drawn_and_safe(text in "\\PC{0,60}|[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{202e}a-z \n]{0,60}", width in 30u16..120, height in 8u16..40) {
        check(&text, width, height);
    }
}
