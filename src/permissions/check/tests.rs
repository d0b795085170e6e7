use std::path::Path;

use serde_json::json;

use super::*;
use crate::permissions::rule::{Folders, RuleSet, RuleTexts};
use crate::permissions::{access, facts};

struct Case<'a> {
    mode: Mode,
    allow: &'a [&'a str],
    ask: &'a [&'a str],
    deny: &'a [&'a str],
}

const PLAIN: Case<'_> = Case { mode: Mode::Default, allow: &[], ask: &[], deny: &[] };

impl Case<'_> {
    fn policy(&self, cwd: &Path) -> Policy {
        let list = |rules: &[&str]| {
            rules.iter().map(|rule| Sourced::new((*rule).to_owned(), Source::User)).collect()
        };
        let texts =
            RuleTexts { allow: list(self.allow), ask: list(self.ask), deny: list(self.deny) };
        let folders = Folders {
            cwd: cwd.into(),
            root: cwd.into(),
            home: "/home/nobody".into(),
            additional: Vec::new(),
        };
        let rules = RuleSet::new(&texts, &folders, true).0;
        Policy { mode: self.mode, rules, cwd: cwd.into(), home: folders.home, ..Policy::default() }
    }

    fn decide(&self, tool: &str, input: &serde_json::Value) -> Verdict {
        let dir = tempfile::tempdir().unwrap();
        let cwd = dir.path().canonicalize().unwrap().join("p");
        std::fs::create_dir_all(&cwd).unwrap();
        let policy = self.policy(&cwd);
        let access = access::of(tool, input, &cwd);
        check(&access, &policy, &facts::gather(&access, &policy))
    }

    fn run(&self, command: &str) -> (Ruling, String) {
        let verdict = self.decide("Bash", &json!({ "command": command }));
        (verdict.decision, verdict.because)
    }
}

#[test]
fn the_reason_names_the_part_and_the_rule() {
    let case = Case {
        allow: &["Bash(npm test)"],
        ask: &["Bash(git push *)"],
        deny: &["Bash(rm *)"],
        ..PLAIN
    };
    for (command, ruling, because) in [
        ("npm test", Ruling::Allow, "the rule Bash(npm test) allows `npm test`"),
        ("ls && rm x", Ruling::Deny, "the rule Bash(rm *) forbids `rm x`"),
        ("ls; git push", Ruling::Ask, "the rule Bash(git push *) asks about `git push`"),
        ("ls; foo x", Ruling::Ask, "no rule allows `foo x`, and foo is not known to only read"),
        (
            "cat /etc/passwd",
            Ruling::Ask,
            "no rule allows reading /etc/passwd, which is outside of the workspace",
        ),
        ("ls", Ruling::Allow, "it only reads"),
        ("FOO=1 ls", Ruling::Ask, "FOO may change what ls does"),
        ("PATH=x", Ruling::Ask, "PATH may change what later commands do"),
        (
            "echo 'x",
            Ruling::Ask,
            "tern cannot be sure what this command does: a quote is not closed",
        ),
        ("echo x > .git/y", Ruling::Ask, ".git/y is inside .git, which decides what later runs"),
        ("echo x > y", Ruling::Ask, "no rule allows writing y"),
        ("rm -rf ~", Ruling::Deny, "the rule Bash(rm *) forbids `rm -rf ~`"),
        ("find / -delete", Ruling::Ask, "it would remove the root of the file system"),
        ("", Ruling::Allow, "it runs nothing"),
    ] {
        assert_eq!(case.run(command), (ruling, because.to_owned()), "{command}");
    }
}

#[test]
fn modes() {
    let write = json!({"file_path": "x", "content": ""});
    let touch = json!({"command": "touch x"});
    let other = json!({"command": "foo"});
    let read = json!({"file_path": "x"});
    for (mode, expected) in [
        (Mode::Default, [Ruling::Ask, Ruling::Ask, Ruling::Ask, Ruling::Allow]),
        (Mode::AcceptEdits, [Ruling::Allow, Ruling::Allow, Ruling::Ask, Ruling::Allow]),
        (Mode::Plan, [Ruling::Deny, Ruling::Deny, Ruling::Ask, Ruling::Allow]),
        (Mode::DontAsk, [Ruling::Deny, Ruling::Deny, Ruling::Deny, Ruling::Allow]),
        (Mode::BypassPermissions, [Ruling::Allow; 4]),
    ] {
        let case = Case { mode, ..PLAIN };
        let found = [
            case.decide("Write", &write).decision,
            case.decide("Bash", &touch).decision,
            case.decide("Bash", &other).decision,
            case.decide("Read", &read).decision,
        ];
        assert_eq!(found, expected, "{mode:?}");
    }
}

#[test]
fn tools_and_their_rules() {
    let input = json!({"file_path": "x", "url": "https://a.example/", "model": "opus", "skill": "deploy", "args": "now", "questions": []});
    let agent = json!({"subagent_type": "Explore", "model": "opus"});
    let sorts = [
        (PLAIN, "TodoWrite", Ruling::Allow),
        (PLAIN, "Agent", Ruling::Allow),
        (PLAIN, "WebSearch", Ruling::Ask),
        (PLAIN, "WebFetch", Ruling::Ask),
        (PLAIN, "Skill", Ruling::Ask),
        (PLAIN, "mcp__a__b", Ruling::Ask),
        (PLAIN, "Unheard", Ruling::Ask),
        (PLAIN, "AskUserQuestion", Ruling::Allow),
        (Case { mode: Mode::DontAsk, ..PLAIN }, "AskUserQuestion", Ruling::Deny),
        (Case { mode: Mode::Plan, allow: &["mcp__a__*"], ..PLAIN }, "mcp__a__b", Ruling::Ask),
        (Case { mode: Mode::BypassPermissions, ..PLAIN }, "mcp__a__b", Ruling::Allow),
        (Case { allow: &["mcp__a"], ..PLAIN }, "mcp__a__b", Ruling::Allow),
        (Case { allow: &["mcp__a"], deny: &["mcp__*"], ..PLAIN }, "mcp__a__b", Ruling::Deny),
        (Case { allow: &["WebSearch"], ..PLAIN }, "WebSearch", Ruling::Allow),
        (Case { deny: &["Agent(model:opus)"], ..PLAIN }, "Agent", Ruling::Deny),
        (Case { deny: &["Agent(Plan)"], ..PLAIN }, "Agent", Ruling::Allow),
        (Case { deny: &["Task(Explore)"], ..PLAIN }, "Agent", Ruling::Deny),
        (Case { allow: &["Skill(deploy *)"], ..PLAIN }, "Skill", Ruling::Allow),
        (Case { allow: &["Skill(deploy)"], ..PLAIN }, "Skill", Ruling::Ask),
        (Case { allow: &["WebFetch(domain:*.example)"], ..PLAIN }, "WebFetch", Ruling::Allow),
        (
            Case { allow: &["WebFetch"], ask: &["WebFetch(domain:a.example)"], ..PLAIN },
            "WebFetch",
            Ruling::Ask,
        ),
        (Case { allow: &["Edit"], ..PLAIN }, "Write", Ruling::Allow),
        (Case { allow: &["Write"], ..PLAIN }, "Edit", Ruling::Ask),
        (Case { deny: &["Write"], ..PLAIN }, "Read", Ruling::Allow),
        (
            Case { deny: &["Read(x)"], mode: Mode::BypassPermissions, ..PLAIN },
            "Write",
            Ruling::Deny,
        ),
        (Case { deny: &["*"], mode: Mode::BypassPermissions, ..PLAIN }, "TodoWrite", Ruling::Deny),
    ];
    for (case, tool, expected) in sorts {
        let verdict = case.decide(tool, if tool == "Agent" { &agent } else { &input });
        assert_eq!(verdict.decision, expected, "{tool} {:?}: {}", case.allow, verdict.because);
    }
}

#[test]
fn local_hosts_need_a_rule_of_their_own() {
    let fetch = json!({"url": "http://localhost:3000/"});
    for (allow, expected) in [
        (&[][..], Ruling::Deny),
        (&["WebFetch"], Ruling::Deny),
        (&["WebFetch(domain:*)"], Ruling::Deny),
        (&["WebFetch(domain:localhost)"], Ruling::Allow),
    ] {
        assert_eq!(
            Case { allow, ..PLAIN }.decide("WebFetch", &fetch).decision,
            expected,
            "{allow:?}"
        );
    }
}

#[test]
fn suggestions() {
    for (command, expected) in [
        ("cargo test --lib", &["Bash(cargo test *)"][..]),
        ("cd x && timeout 5 cargo build && foo a", &["Bash(cargo build *)", "Bash(foo *)"]),
        ("npm run lint -- --fix", &["Bash(npm run lint *)"]),
        ("python3 x.py", &["Bash(python3 x.py)"]),
        ("git push origin main", &["Bash(git push origin main)"]),
        ("git commit -m x", &["Bash(git commit *)"]),
        ("make test", &["Bash(make test)"]),
        ("rm x", &[]),
        ("sudo foo", &[]),
        ("foo; rm x", &[]),
        ("$x", &[]),
        ("echo 'x", &[]),
        ("python3 \"$x\"", &[]),
        ("echo x > .git/y", &[]),
        ("./run.sh a", &["Bash(./run.sh *)"]),
        ("curl https://a.example", &["Bash(curl https://a.example)"]),
    ] {
        let verdict = PLAIN.decide("Bash", &json!({ "command": command }));
        let found: Vec<&str> = verdict.suggestions.iter().map(|it| it.rule.as_str()).collect();
        assert_eq!(found, expected, "{command}");
        if !expected.is_empty() {
            let decided = Case { allow: expected, ..PLAIN }.run(command);
            assert_eq!(decided.0, Ruling::Allow, "{command} with its suggestion: {}", decided.1);
        }
    }
    for (tool, input, expected) in [
        ("Write", json!({"file_path": "src/a.rs", "content": ""}), "Edit(/src/**)"),
        ("Edit", json!({"file_path": "a.rs"}), "Edit(/a.rs)"),
        ("Read", json!({"file_path": "/home/nobody/notes/a"}), "Read(~/notes/**)"),
        ("Read", json!({"file_path": "/data/a"}), "Read(//data/a)"),
        ("WebFetch", json!({"url": "https://Docs.rs/x"}), "WebFetch(domain:docs.rs)"),
        ("mcp__a__b", json!({}), "mcp__a__b"),
    ] {
        let verdict = PLAIN.decide(tool, &input);
        let found: Vec<&str> = verdict.suggestions.iter().map(|it| it.rule.as_str()).collect();
        assert_eq!(found, [expected], "{tool} {input}");
        let after = Case { allow: &[expected], ..PLAIN }.decide(tool, &input);
        assert_eq!(after.decision, Ruling::Allow, "{tool} {input}: {}", after.because);
    }
}

#[test]
fn hooks_tighten_but_never_beat_a_rule() {
    let decide = |case: &Case<'_>, command: &str, hook: HookRuling| {
        let cwd = Path::new("/nowhere");
        let policy = case.policy(cwd);
        let access = access::of("Bash", &json!({ "command": command }), cwd);
        let mut facts = facts::gather(&access, &policy);
        facts.hook = Some(hook);
        check(&access, &policy, &facts).decision
    };
    let deny = HookRuling::Deny { because: "no".into() };
    let ask = HookRuling::Ask { because: "hm".into() };
    let rules = Case { ask: &["Bash(foo)"], deny: &["Bash(bar)"], ..PLAIN };
    for (command, hook, expected) in [
        ("true", deny, Ruling::Deny),
        ("true", ask, Ruling::Ask),
        ("baz", HookRuling::Allow, Ruling::Allow),
        ("foo", HookRuling::Allow, Ruling::Ask),
        ("bar", HookRuling::Allow, Ruling::Deny),
        ("rm -rf /", HookRuling::Allow, Ruling::Ask),
        ("echo x > .git/y", HookRuling::Allow, Ruling::Ask),
    ] {
        assert_eq!(decide(&rules, command, hook), expected, "{command}");
    }
}

#[test]
fn a_sandbox_lets_more_run_but_nothing_firm() {
    let cwd = Path::new("/nowhere");
    let policy = Policy { sandboxed_commands: true, ..PLAIN.policy(cwd) };
    for (command, expected) in [
        ("make", Ruling::Allow),
        ("make 'x", Ruling::Ask),
        ("rm -rf /", Ruling::Ask),
        ("tee .git/x", Ruling::Ask),
    ] {
        let access = access::of("Bash", &json!({ "command": command }), cwd);
        let found = check(&access, &policy, &facts::gather(&access, &policy)).decision;
        assert_eq!(found, expected, "{command}");
    }
}

#[test]
fn searches_that_would_meet_a_forbidden_file() {
    let dir = tempfile::tempdir().unwrap();
    let cwd = dir.path().canonicalize().unwrap();
    for (name, text) in
        [(".env", "x"), ("src/a", "x"), ("open/.env", "x"), (".gitignore", "/.env\n")]
    {
        std::fs::create_dir_all(cwd.join(name).parent().unwrap()).unwrap();
        std::fs::write(cwd.join(name), text).unwrap();
    }
    let case = Case { deny: &["Read(.env)"], ..PLAIN };
    let policy = case.policy(&cwd);
    for (tool, input, expected) in [
        ("Bash", json!({"command": "grep -r x src"}), Ruling::Allow),
        ("Bash", json!({"command": "grep -r x ."}), Ruling::Ask),
        ("Bash", json!({"command": "rg x"}), Ruling::Ask),
        ("Bash", json!({"command": "ls -R"}), Ruling::Allow),
        ("Grep", json!({"pattern": "x", "path": "src"}), Ruling::Allow),
        // The search tool leaves out what is forbidden.
        ("Grep", json!({"pattern": "x"}), Ruling::Allow),
    ] {
        let access = access::of(tool, &input, &cwd);
        let verdict = check(&access, &policy, &facts::gather(&access, &policy));
        assert_eq!((verdict.decision, verdict.suggestions.len()), (expected, 0), "{tool} {input}");
    }
    let access = access::of("Grep", &json!({"pattern": "x", "path": "open/.env"}), &cwd);
    assert_eq!(check(&access, &policy, &facts::gather(&access, &policy)).decision, Ruling::Deny);
}
