//! Any text as a shell command: an answer, never a panic, and a deny rule that an allow rule cannot soften.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tern::permissions::rule::{Folders, RuleSet, RuleTexts};
use tern::permissions::{Policy, access, check, explain, facts};
use tern::protocol::{Ruling, Source, Sourced};

fn decide(command: &str, allow: &[&str]) -> Ruling {
    let rule = |text: &&str| Sourced::new((*text).to_owned(), Source::User);
    let texts = RuleTexts {
        allow: allow.iter().map(rule).collect(),
        deny: vec![rule(&"Bash(rm *)"), rule(&"Read(.env)")],
        ..RuleTexts::default()
    };
    let cwd = Path::new("/nowhere/project");
    let folders = Folders { cwd: cwd.into(), root: cwd.into(), home: "/nowhere".into(), ..Folders::default() };
    let (rules, _problems) = RuleSet::new(&texts, &folders, true);
    let policy = Policy { rules, cwd: cwd.into(), home: "/nowhere".into(), ..Policy::default() };
    let access = access::of("Bash", &serde_json::json!({ "command": command }), cwd);
    let _shown = explain::prompt(&access);
    check::check(&access, &policy, &facts::gather(&access, &policy)).decision
}

fuzz_target!(|text: &str| {
    let before = decide(text, &[]);
    let after = decide(text, &["Bash", "Read", "Edit"]);
    assert!(before != Ruling::Deny || after == Ruling::Deny);
});
