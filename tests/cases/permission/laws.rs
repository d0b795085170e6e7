//! What must hold for every command and every set of rules.

use proptest::prelude::*;
use tern::permissions::{access, check, explain, facts};
use tern::protocol::{Mode, Ruling};

use crate::support::gate::{Rules, Stage};

/// Pieces from which hostile and harmless commands are put together.
const PIECES: [&str; 52] = [
    "ls",
    "cat README.md",
    "rm x",
    "echo",
    "touch y",
    "git status",
    "npm test",
    "cd src",
    "cd ..",
    ";",
    "&&",
    "||",
    "|",
    "&",
    "\n",
    " ",
    "'",
    "\"",
    "`",
    "$(",
    ")",
    "(",
    "{",
    "}",
    ">",
    ">>",
    "<",
    "<<E",
    "\nE\n",
    "$x",
    "${x}",
    "\\",
    "#",
    "*",
    "?",
    "[",
    "]",
    "~",
    "=",
    "FOO=1",
    "env",
    "sudo",
    "bash -c",
    "if true; then",
    "fi",
    "for i in a; do",
    "done",
    "!",
    "-rf",
    "/",
    "\u{202e}",
    "\t",
];

fn command() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14)
        .prop_map(|pieces| pieces.join(" "))
}

fn tight_command() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14)
        .prop_map(|pieces| pieces.concat())
}

const RULES: [&str; 14] = [
    "Bash",
    "Bash(*)",
    "Bash(rm *)",
    "Bash(ls)",
    "Bash(echo *)",
    "Bash(npm test)",
    "Bash(* x)",
    "Bash(git *)",
    "Edit",
    "Edit(**)",
    "Read(~/**)",
    "Read(//**)",
    "Edit(src/**)",
    "Bash(touch:*)",
];

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(Mode::ALL.to_vec())
}

thread_local! {
    static STAGE: Stage = Stage::new();
}

fn decide(mode: Mode, rules: &Rules<'_>, command: &str) -> Ruling {
    STAGE.with(|stage| stage.command(mode, rules, command).decision)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_allow_rule_never_softens_a_deny(
        command in prop_oneof![command(), tight_command()],
        rule in prop::sample::select(RULES.to_vec()),
        mode in mode(),
    ) {
        let deny = ["Bash(rm *)", "Read(.env)", "Edit(src/**)"];
        let before = decide(mode, &Rules { deny: &deny, ..Rules::default() }, &command);
        let after = decide(mode, &Rules { deny: &deny, allow: &[rule], ..Rules::default() }, &command);
        prop_assert!(before != Ruling::Deny || after == Ruling::Deny || mode == Mode::DontAsk, "{command:?} {before:?} {after:?}");
        // In dontAsk a question is refused too; there the deny rule itself must not soften.
        if mode == Mode::DontAsk {
            let plain = decide(Mode::Default, &Rules { deny: &deny, ..Rules::default() }, &command);
            prop_assert!(plain != Ruling::Deny || after == Ruling::Deny, "{command:?}");
        }
    }

    #[test]
    fn a_deny_or_ask_rule_never_softens_anything(
        command in prop_oneof![command(), tight_command()],
        rule in prop::sample::select(RULES.to_vec()),
        mode in mode(),
    ) {
        let allow = ["Bash(echo *)", "Bash(npm test)"];
        let before = decide(mode, &Rules { allow: &allow, ..Rules::default() }, &command);
        let denied = decide(mode, &Rules { allow: &allow, deny: &[rule], ..Rules::default() }, &command);
        let asked = decide(mode, &Rules { allow: &allow, ask: &[rule], ..Rules::default() }, &command);
        prop_assert!(denied >= before, "{command:?} {before:?} {denied:?}");
        prop_assert!(asked >= before.min(Ruling::Ask), "{command:?} {before:?} {asked:?}");
    }

    #[test]
    fn a_part_that_is_not_allowed_makes_the_whole_not_allowed(
        before in command(),
        after in command(),
        join in prop::sample::select(vec![";", "&&", "||", "|", "\n", "&"]),
    ) {
        for text in [format!("{before} {join} touch /zzz"), format!("touch /zzz {join} {after}"), format!("{before} {join} touch /zzz {join} {after}")] {
            // Where the piece before opens a quote, a comment or a here-document the command is text.
            if before.contains(['\'', '"', '#', '`', '<', '\\', '\u{202e}']) && text != format!("touch /zzz {join} {after}") {
                continue;
            }
            let found = decide(Mode::Default, &Rules { allow: &["Bash(echo *)", "Bash(npm test)"], ..Rules::default() }, &text);
            prop_assert!(found != Ruling::Allow, "{text:?}");
        }
    }

    #[test]
    fn any_text_gets_an_answer(text in "\\PC*|[\\x00-\\xff]{0,200}", tool in "Bash|Read|Write|WebFetch|Grep|mcp__a__b|Glob") {
        for field in ["command", "file_path", "url", "pattern", "path"] {
            let input = serde_json::json!({ field: text.clone(), "pattern": text.clone() });
            STAGE.with(|stage| {
                let policy = stage.policy(Mode::Default, &Rules { deny: &["Bash(rm *)"], ..Rules::default() }.texts(), true);
                let access = access::of(&tool, &input, &policy.cwd);
                let verdict = check::check(&access, &policy, &facts::gather(&access, &policy));
                assert!(!verdict.because.is_empty());
                let shown = explain::prompt(&access);
                assert!(!shown.chars().any(|c| c != '\n' && (c.is_control() || explain::is_format_character(c))));
            });
        }
    }

    #[test]
    fn any_rule_text_is_read_or_reported(text in "\\PC{0,60}|(Bash|Read|Edit)\\(\\PC{0,40}\\)") {
        STAGE.with(|stage| {
            let rules = [text.as_str()];
            let _policy = stage.policy(Mode::Default, &Rules { allow: &rules, ask: &rules, deny: &rules }.texts(), true);
        });
    }
}

#[test]
fn deep_and_long_commands_end_in_a_question() {
    for text in [
        "(".repeat(9_000),
        "$(".repeat(4_000),
        "a && ".repeat(1_999) + "a",
        "ls; ".repeat(2_000),
        "{ ".repeat(4_000),
        "`".repeat(9_999),
        "\"$(".repeat(3_000),
        "if true; then ".repeat(600),
        "<<a ".repeat(2_000),
        "[[ ".repeat(3_000),
        "x=(".repeat(2_000),
        "ls ".repeat(40_000),
        "env ".repeat(2_400) + "ls",
        "bash -c 'bash -c \"bash -c '".repeat(200),
        "case x in ".repeat(900),
        "${x:-".repeat(1_900),
    ] {
        let started = std::time::Instant::now();
        let found = decide(
            Mode::Default,
            &Rules { deny: &["Bash(rm *)", "Read(.env)"], ..Rules::default() },
            &text,
        );
        assert!(found != Ruling::Allow, "{}", &text[..40]);
        assert!(started.elapsed().as_secs() < 20, "{} took {:?}", &text[..40], started.elapsed());
        let denied = decide(
            Mode::BypassPermissions,
            &Rules { deny: &["Bash(rm *)"], ..Rules::default() },
            &format!("{text}\nrm x"),
        );
        assert!(denied != Ruling::Allow || text.contains("bash -c"), "{}", &text[..40]);
    }
}
