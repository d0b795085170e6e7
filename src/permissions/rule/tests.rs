use std::path::Path;

use super::*;
use crate::permissions::access::Use;
use crate::permissions::shell;
use crate::protocol::Source;

fn folders() -> Folders {
    Folders {
        cwd: "/p/sub".into(),
        root: "/p".into(),
        home: "/h".into(),
        additional: vec!["/more".into()],
    }
}

fn set(list: List, rule: &str) -> (RuleSet, Vec<String>) {
    let rules = vec![Sourced::new(rule.to_owned(), Source::User)];
    let texts = match list {
        List::Allow => RuleTexts { allow: rules, ..RuleTexts::default() },
        List::Ask => RuleTexts { ask: rules, ..RuleTexts::default() },
        List::Deny => RuleTexts { deny: rules, ..RuleTexts::default() },
    };
    let (set, problems) = RuleSet::new(&texts, &folders(), true);
    (set, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn command_patterns() {
    for (pattern, covered, not) in [
        (
            "npm test",
            &["npm test", " npm test ", "\"npm\" test"][..],
            &["npm testx", "npm test x", "npm"][..],
        ),
        (
            "npm run test:*",
            &["npm run test", "npm run test -- --watch"],
            &["npm run test:unit", "npm run testx"],
        ),
        (
            "safecmd *",
            &["safecmd", "safecmd x", "timeout 5 safecmd x", "\\safecmd", "CI=1 safecmd"],
            &[
                "safecmdx",
                "./safecmd",
                "/bin/safecmd",
                "env safecmd",
                "FOO=1 safecmd",
                "safecmd $(x)",
                "safecmd ${x}",
            ],
        ),
        ("ls*", &["ls", "lsof", "ls -la"], &["xls"]),
        (
            "git * main",
            &["git push origin main", "git merge main"],
            &["git main", "git push main x", "git push \"x main\""],
        ),
        ("git:* push", &["git:x push"], &["git push", "git x push"]),
        ("* --version", &["node --version"], &["node --versions"]),
        ("FOO=1 run *", &["FOO=1 run x"], &["FOO=2 run x", "FOO=1 BAR=2 run x"]),
        ("echo \\*", &[], &["echo x"]),
        ("find *", &["find . -name x"], &["find . -delete", "find . $x"]),
        ("find * -delete", &["find . -delete"], &["find . -exec x"]),
    ] {
        let (set, problems) = set(List::Allow, &format!("Bash({pattern})"));
        assert_eq!(problems, Vec::<String>::new());
        let allows = |command: &str| {
            let script = shell::read(command, Path::new("/p"));
            let Spec::Command(pattern) = &set.allow[0].spec else { panic!("a command rule") };
            let own = script.parts.first().is_some_and(|part| pattern.allows(part));
            own && script.doubt.is_none()
        };
        for command in covered {
            assert!(allows(command), "{pattern} should cover {command}");
        }
        for command in not {
            assert!(!allows(command), "{pattern} should not cover {command}");
        }
    }
}

#[test]
fn path_anchors() {
    use List::{Allow, Deny};
    for (list, rule, yes, no) in [
        (
            Allow,
            "Edit(src/**)",
            &["/p/sub/src/a", "/p/sub/src/a/b"][..],
            &["/p/sub/x/src/a", "/p/src/a", "/p/sub/srcs/a"][..],
        ),
        (Allow, "Edit(/src/**)", &["/p/src/a"], &["/p/sub/src/a"]),
        (Allow, "Edit(src/*)", &["/p/sub/src/a/b"], &["/p/sub/x/src/a"]),
        (Allow, "Edit(a/*.ts)", &["/p/sub/a/x.ts"], &["/p/sub/a/b/x.ts"]),
        (Allow, "Edit(**/src/**)", &["/p/sub/x/src/a"], &["/p/src/a"]),
        (Allow, "Edit(*.ts)", &["/p/sub/a/b.ts"], &["/p/a.ts", "/p/sub/a.TS"]),
        (Allow, "Edit(//abs/x)", &["/abs/x", "/abs/x/y"], &["/p/abs/x"]),
        (Allow, "Edit(~/notes/**)", &["/h/notes/a"], &["/p/notes/a"]),
        (Allow, "Edit(./**)", &["/p/sub/a"], &["/p/sub-evil/a", "/p/a"]),
        (Allow, "Edit(./x)", &["/p/sub/x"], &["/p/sub/a/x"]),
        (
            Deny,
            "Edit(src/**)",
            &["/p/sub/src/a", "/p/sub/x/src/a", "/more/src/a", "/p/sub/SRC/a"],
            &["/p/src/a"],
        ),
        (
            Deny,
            "Read(.env)",
            &["/p/sub/.env", "/p/sub/a/.env", "/p/sub/.ENV"],
            &["/p/.env", "/p/sub/.envx"],
        ),
        (Deny, "Read(./.env)", &["/p/sub/.env", "/p/sub/a/.env"], &["/p/sub/x.env"]),
        (Deny, "Read(/src/**)", &["/p/src/a"], &["/p/sub/src/a"]),
        (Deny, "Read(//**/.env)", &["/.env", "/x/y/.env"], &["/x/env"]),
        (Deny, "Write(docs/**)", &["/p/sub/docs/a"], &["/p/docs/a"]),
    ] {
        let (set, _) = set(list, rule);
        let covers = |path: &str| match list {
            Allow => set.permitting(Use::Writes, "Edit", Path::new(path), false).is_some(),
            List::Ask | Deny => set.stopping(Deny, Use::Writes, &[path.into()], false).is_some(),
        };
        for path in yes {
            assert!(covers(path), "{rule} should cover {path}");
        }
        for path in no {
            assert!(!covers(path), "{rule} should not cover {path}");
        }
    }
}

#[test]
fn a_rule_behind_a_stricter_one_is_reported() {
    let list = |rules: &[&str]| -> Vec<Sourced<String>> {
        rules.iter().map(|rule| Sourced::new((*rule).to_owned(), Source::User)).collect()
    };
    let texts = RuleTexts {
        deny: list(&["Bash(rm *)", "WebFetch", "mcp__a__*", "Read"]),
        ask: list(&["Bash(git push *)", "Bash(rm *)"]),
        allow: list(&[
            "Bash(git push *)",
            "Bash(git push origin x)",
            "WebFetch(domain:a.b)",
            "mcp__a__b",
            "mcp__c__b",
            "Read(src/**)",
        ]),
    };
    let (_, problems) = RuleSet::new(&texts, &Folders::default(), true);
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "Bash(git push *): it never allows, since the ask rule Bash(git push *) comes first",
            "WebFetch(domain:a.b): it never allows, since the deny rule WebFetch comes first",
            "mcp__a__b: it never allows, since the deny rule mcp__a__* comes first",
            "Bash(rm *): it never asks, since the deny rule Bash(rm *) comes first",
        ]
    );
}

#[test]
fn rules_without_effect_are_reported() {
    use List::{Allow, Deny};
    for (list, rule, problem) in [
        (
            Allow,
            "Write(docs/**)",
            "Write(docs/**): path rules are written for Edit and Read, so this one has no effect; write Edit(docs/**)",
        ),
        (Allow, "*", "*: an allow rule must name a tool, so this one has no effect"),
        (Allow, "mcp__*", "mcp__*: an allow rule must name a tool, so this one has no effect"),
        (Allow, "Bsh(ls)", "Bsh(ls): no tool has this name; did you mean Bash?"),
        (Allow, "Bash(ls", "Bash(ls: the closing bracket is missing"),
        (
            Allow,
            "WebFetch(docs.rs)",
            "WebFetch(docs.rs): a rule for WebFetch names a domain; write WebFetch(domain:docs.rs)",
        ),
        (
            Allow,
            "WebSearch(x)",
            "WebSearch(x): this tool takes no specifier, so the rule has no effect; write WebSearch",
        ),
        (Allow, "Read(!x)", "Read(!x): a path rule cannot begin with !"),
        (Deny, "Glob(x/**)", "Glob(x/**): it is taken as Read(x/**); write Read(x/**)"),
        (Deny, "", ": a rule is Tool or Tool(specifier)"),
    ] {
        assert_eq!(set(list, rule).1, [problem], "{rule}");
    }
    for (list, rule) in [
        (Deny, "*"),
        (Deny, "mcp__*"),
        (Allow, "mcp__a__*"),
        (Allow, "Bash(*)"),
        (Allow, "Task(x)"),
        (Deny, "Agent(model:opus)"),
    ] {
        assert_eq!(set(list, rule).1, Vec::<String>::new(), "{rule}");
    }
}

#[test]
fn tool_names() {
    for (rule, tool, expected) in [
        ("mcp__a", "mcp__a__x", true),
        ("mcp__a", "mcp__ab__x", false),
        ("mcp__a__*", "mcp__a__x", true),
        ("mcp__a__get_*", "mcp__a__set_x", false),
        ("Task", "Agent", true),
        ("KillShell", "TaskStop", true),
        ("Edit", "NotebookEdit", true),
        ("Edit", "Read", false),
        ("Read", "Grep", true),
    ] {
        let (set, _) = set(List::Allow, rule);
        assert_eq!(set.allow[0].names(tool), expected, "{rule} {tool}");
    }
}

#[test]
fn a_rule_shows_what_it_would_have_covered() {
    let (set, _) = set(List::Allow, "Bash(cargo *)");
    let rule = &set.allow[0];
    for (command, expected) in [
        ("cargo test", true),
        ("cargo test && cargo build", true),
        ("cargo test; rm x", false),
        ("", false),
    ] {
        assert_eq!(rule.covers_command(command), expected, "{command}");
    }
}

#[test]
fn project_rules_wait_for_trust() {
    let texts = RuleTexts {
        allow: vec![
            Sourced::new("Bash(x)".to_owned(), Source::Project),
            Sourced::new("Bash(y)".to_owned(), Source::User),
        ],
        deny: vec![Sourced::new("Bash(z)".to_owned(), Source::Project)],
        ..RuleTexts::default()
    };
    for (trusted, counts) in [(false, (1, 1, 1)), (true, (2, 0, 1))] {
        let (set, _) = RuleSet::new(&texts, &folders(), trusted);
        assert_eq!((set.allow.len(), set.untrusted.len(), set.deny.len()), counts);
    }
}
