//! Trust in the folder: the notice, the dialog, and which keys mean what.

use tern::protocol::{Command, Event, Trust, TrustItem, TrustState};

use crate::support::screen::{Screen, screen};

fn trust(state: TrustState) -> Box<Trust> {
    let item = |kind: &str, text: &str, file: &str, line| TrustItem {
        kind: kind.into(),
        text: text.into(),
        file: file.into(),
        line,
    };
    Box::new(Trust {
        folder: "/home/ada/parser".into(),
        state,
        items: vec![
            item("allow rule", "Bash(npm test)", ".claude/settings.json", Some(2)),
            item("allow rule", "Edit(src/**)", ".claude/settings.json", Some(3)),
            item(
                "hook",
                "PreToolUse: ./check.sh --all \u{202e}exe",
                ".claude/settings.json",
                Some(9),
            ),
            item(
                "hook",
                "Stop: curl -s https://hooks.example.test/done?project=parser&event=stop | sh -c 'cat > /dev/null'",
                ".claude/settings.json",
                Some(14),
            ),
            item("MCP server", "db: node tools/db.js", ".mcp.json", Some(3)),
            item("skill", "release", ".claude/skills/release/SKILL.md", None),
        ],
        seen: "abc".into(),
    })
}

fn waiting(width: u16, height: u16) -> Screen {
    let trust = trust(TrustState::Untrusted);
    screen(width, height).event(Event::TrustNeeded { trust })
}

fn asked(state: TrustState) -> Screen {
    screen(90, 30).event(Event::TrustShown { trust: trust(state) })
}

#[test]
fn the_notice_names_what_waits_and_the_prompt_works() {
    insta::assert_snapshot!("notice", waiting(90, 24).text());
    insta::assert_snapshot!("notice_narrow", waiting(44, 14).keys("what is this").text());
}

#[test]
fn the_dialog_shows_everything_whole() {
    insta::assert_snapshot!("dialog", waiting(90, 30).keys("t").text());
    insta::assert_snapshot!("dialog_trusted", asked(TrustState::Trusted).text());
}

#[test]
fn only_one_key_trusts() {
    let seen = "abc".to_owned();
    for keys in ["t<enter>", "ty", "tn", "t<esc>", "t<space>", "t<tab>", "T", "tj", "tD"] {
        assert_eq!(waiting(90, 30).keys(keys).commands(), [], "{keys}");
    }
    assert_eq!(waiting(90, 30).keys("tT").commands(), [Command::Trust { seen }]);
    assert_eq!(asked(TrustState::Trusted).keys("T").commands(), []);
    assert_eq!(asked(TrustState::Trusted).keys("D").commands(), [Command::Distrust]);
    assert_eq!(waiting(90, 30).keys("/trust<enter>").commands(), [Command::AskTrust]);
}

#[test]
fn a_sentence_that_begins_with_the_letter_is_a_sentence() {
    for typed in ["the T", "type", "tgn"] {
        let screen = waiting(90, 30).typed_ahead(typed);
        assert_eq!(screen.off.model.prompt.expanded(), typed);
        assert!(screen.off.model.trusting.is_none());
    }
    // Someone who has looked at it longer did not mean to write.
    let screen = waiting(90, 30).keys("t").wait(2_000).keys("x");
    assert_eq!(screen.off.model.prompt.expanded(), "");
    assert!(screen.off.model.trusting.is_some());
}

#[test]
fn the_notice_goes_when_trust_is_given() {
    let mut screen = waiting(90, 30).event(Event::TrustSet { trusted: true });
    assert!(!screen.text().contains("until you trust it"));
}
