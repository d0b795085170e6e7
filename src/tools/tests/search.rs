//! Grep and Glob.

use super::*;

fn desk() -> Desk {
    Desk::new(&[
        ("src/a.rs", "fn next() {}\nlet x = 1;\nfn next_two() {}\n"),
        ("src/b.py", "def next():\r\n    pass\r\n"),
        ("src/deep/c.rs", "// Next\n"),
        (".hidden/d.rs", "fn next\n"),
        (".git/e.rs", "fn next\n"),
        ("target/f.rs", "fn next\n"),
        (".gitignore", "target\n"),
    ])
}

#[tokio::test]
async fn grep_shows_what_was_asked_for() {
    let desk = desk();
    for (input, expected, facts) in [
        (json!({"pattern": "fn next"}), ".hidden/d.rs\nsrc/a.rs", "2 files"),
        (
            json!({"pattern": "fn next", "output_mode": "content"}),
            ".hidden/d.rs\n1:fn next\n\nsrc/a.rs\n1:fn next() {}\n3:fn next_two() {}",
            "3 hits in 2 files",
        ),
        (
            json!({"pattern": "next", "output_mode": "count", "path": "src"}),
            "src/a.rs:2\nsrc/b.py:1",
            "3 hits in 2 files",
        ),
        (
            json!({"pattern": "NEXT$", "-i": true, "glob": "*.rs"}),
            ".hidden/d.rs\nsrc/deep/c.rs",
            "2 files",
        ),
        (json!({"pattern": "next", "type": "py"}), "src/b.py", "1 file"),
        (
            json!({"pattern": "x = 1", "-C": 1, "-n": false}),
            "src/a.rs\nfn next() {}\nlet x = 1;\nfn next_two() {}",
            "1 hit in 1 file",
        ),
        (
            json!({"pattern": "x = 1", "-A": 1, "output_mode": "content"}),
            "src/a.rs\n2:let x = 1;\n3-fn next_two() {}",
            "1 hit in 1 file",
        ),
        (
            json!({"pattern": "\\):$", "path": "src/b.py", "output_mode": "content"}),
            "src/b.py\n1:def next():",
            "1 hit in 1 file",
        ),
        (
            json!({"pattern": "next.*?x", "multiline": true, "output_mode": "content"}),
            "src/a.rs\n1:fn next() {}\n2:let x = 1;",
            "1 hit in 1 file",
        ),
        (
            json!({"pattern": "next", "head_limit": 1, "output_mode": "content", "path": "src"}),
            "src/a.rs\n1:fn next() {}\n[1 of 3 lines shown; narrow the search, or raise head_limit or offset]",
            "3 hits in 2 files",
        ),
        (
            json!({"pattern": "next", "head_limit": 1, "output_mode": "content", "path": "src", "offset": 1}),
            "src/a.rs\n3:fn next_two() {}\n[2 to 2 of 3 lines shown; narrow the search, or raise head_limit or offset]",
            "3 hits in 2 files",
        ),
        (
            json!({"pattern": "next", "output_mode": "content", "path": "src", "offset": 2}),
            "src/b.py\n1:def next():\n[3 to 3 of 3 lines shown; narrow the search, or raise head_limit or offset]",
            "3 hits in 2 files",
        ),
        (
            json!({"pattern": "next", "path": "src", "offset": 1}),
            "src/b.py\n[2 to 2 of 2 files shown; narrow the search, or raise head_limit or offset]",
            "2 files",
        ),
        (
            json!({"pattern": "n[a-z]*|[(]", "-o": true, "path": "src/a.rs"}),
            "src/a.rs\n1:n\n1:next\n1:(\n3:n\n3:next\n3:(",
            "2 hits in 1 file",
        ),
        (
            json!({"pattern": "\\w+$", "-o": true, "path": "src/b.py", "-n": false}),
            "src/b.py\npass",
            "1 hit in 1 file",
        ),
        (json!({"pattern": "nowhere"}), "No matches.", "nothing found"),
        // What is named is searched, ignored or not.
        (json!({"pattern": "next", "path": "target/f.rs"}), "target/f.rs", "1 file"),
    ] {
        let outcome = desk.call("Grep", input.clone()).await;
        assert_eq!(text(&outcome), (DONE, expected, facts), "{input}");
    }
}

#[tokio::test]
async fn grep_says_what_is_wrong() {
    let desk = desk();
    for (input, part) in [
        (json!({"pattern": "fn("}), "not a regular expression"),
        (json!({"pattern": "a\\nb"}), "Set multiline"),
        (json!({"pattern": "a", "type": "rustt"}), "no file type \"rustt\""),
        (json!({"pattern": "a", "glob": "{a"}), "the glob is wrong"),
        (json!({"pattern": "a", "path": "no"}), "no: no such file"),
        (json!({"pattern": "a", "output_mode": "lines"}), "unknown variant"),
    ] {
        let outcome = desk.call("Grep", input.clone()).await;
        assert_eq!(outcome.status, FAILED, "{input}");
        assert!(outcome.text.contains(part), "{input}: {}", outcome.text);
    }
}

#[tokio::test]
async fn grep_stays_small() {
    let long = format!("{}needle{}\n", "é".repeat(5_000), "x".repeat(5_000));
    let many = "needle in a line of its own\n".repeat(10_000);
    let desk = Desk::new(&[("long", &long), ("many", &many)]);
    std::fs::write(desk.root().join("bin"), b"needle\0needle").unwrap();
    let input = json!({"pattern": "needle", "output_mode": "content", "head_limit": 100_000});
    let outcome = desk.call("Grep", input).await;
    assert!(outcome.text.len() < 40_000, "{}", outcome.text.len());
    assert!(outcome.text.starts_with("long\n1:…é") && outcome.text.contains("éneedlex"));
    assert!(outcome.text.contains(" of 10001 lines shown"));
    assert_eq!(outcome.facts, "10001 hits in 2 files");
}

#[tokio::test]
async fn grep_shows_the_first_paths_however_many_match() {
    let many = "needle\n".repeat(6_000);
    let names: Vec<String> = (0..40).map(|n| format!("f{n:02}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), many.as_str())).collect();
    let desk = Desk::new(&files);
    let input = json!({"pattern": "needle", "output_mode": "content", "head_limit": 5_000});
    let outcome = desk.call("Grep", input).await;
    assert!(outcome.text.starts_with("f00\n1:needle\n2:needle\n"));
    assert_eq!(outcome.facts, "240000 hits in 40 files");
}

#[tokio::test]
async fn glob_finds_by_path() {
    let desk = desk();
    let absolute = desk.root().join("src/*.rs").display().to_string();
    for (pattern, expected) in [
        ("src/*.rs", "src/a.rs"),
        ("src/**/*.rs", "src/a.rs src/deep/c.rs"),
        ("**/*.{py,md}", "src/b.py"),
        (absolute.as_str(), "src/a.rs"),
        ("*.py", "[none at the top; these lie deeper] src/b.py"),
        // Named: searched. Not named: left out, unless there is nothing else.
        ("target/*.rs", "target/f.rs"),
        ("**/f.rs", "[only ignored files match] target/f.rs"),
        ("*.nothing", "No file matches *.nothing in ."),
        (".git/*.rs", ".git/e.rs"),
    ] {
        let outcome = desk.call("Glob", json!({"pattern": pattern})).await;
        let mut lines: Vec<&str> = outcome.text.trim_end_matches('.').lines().collect();
        lines.sort_unstable();
        let expected = expected.trim_end_matches('.');
        assert_eq!((outcome.status, lines.join(" ").as_str()), (DONE, expected), "{pattern}");
    }
    let outcome = desk.call("Glob", json!({"pattern": "a[", "path": "."})).await;
    assert!(outcome.status == FAILED && outcome.text.contains("the pattern is wrong"));
}

#[tokio::test]
async fn glob_puts_the_newest_first_and_has_a_limit() {
    let desk = Desk::new(&[]);
    for n in 0..150 {
        desk.put(&format!("f{n:03}"), "");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(n);
        let file = std::fs::File::open(desk.root().join(format!("f{n:03}"))).unwrap();
        file.set_modified(time).unwrap();
    }
    let outcome = desk.call("Glob", json!({"pattern": "f*"})).await;
    let lines: Vec<&str> = outcome.text.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[99]), (101, "f149", "f050"));
    assert_eq!(lines[100], "[100 of 150 shown, newest first; narrow the pattern]");
    assert_eq!(outcome.facts, "150 files");
}

#[tokio::test]
async fn what_rules_keep_from_being_read_is_left_out() {
    use crate::permissions::rule::{Folders, RuleTexts};
    use crate::permissions::{Barred, RuleSet};
    use crate::protocol::{Source, Sourced};
    let mut desk = Desk::new(&[
        ("a.txt", "next\n"),
        (".env", "next\n"),
        ("sub/.ENV", "next\n"),
        ("secrets/deep/key", "next\n"),
        ("asked/b.txt", "next\n"),
    ]);
    let list = |rules: &[&str]| -> Vec<Sourced<String>> {
        rules.iter().map(|rule| Sourced::new((*rule).to_owned(), Source::User)).collect()
    };
    let texts = RuleTexts {
        deny: list(&["Read(./.env)", "Read(secrets)"]),
        ask: list(&["Read(asked/**)"]),
        ..RuleTexts::default()
    };
    let folders = Folders { cwd: desk.root().to_owned(), ..Folders::default() };
    desk.ctx.barred = Barred::of(&RuleSet::new(&texts, &folders, true).0);
    let rules = "rules keep them from being read]";
    for (tool, input, expected) in [
        ("Grep", json!({"pattern": "next"}), format!("a.txt\n[4 paths left out: {rules}")),
        (
            "Glob",
            json!({"pattern": "**/*"}),
            format!("a.txt\nasked/b.txt\n[3 paths left out: {rules}"),
        ),
        ("LS", json!({}), format!("asked/\nsub/\na.txt  5 bytes\n[2 paths left out: {rules}")),
        (
            "LS",
            json!({"path": "sub"}),
            "[1 path left out: a rule keeps it from being read]".to_owned(),
        ),
        // The same folder by another name.
        ("Glob", json!({"pattern": "*", "path": "link"}), "No file matches".to_owned()),
    ] {
        let link = desk.root().join("link");
        if input["path"] == "link" {
            std::os::unix::fs::symlink(desk.root().join("sub"), link).unwrap();
        }
        let outcome = desk.call(tool, input.clone()).await;
        let mut lines: Vec<&str> = outcome.text.lines().collect();
        if tool == "Glob" {
            // Newest first, and all are new.
            lines.sort_unstable_by_key(|line| (line.starts_with('['), *line));
        }
        assert!(lines.join("\n").starts_with(&expected), "{tool} {input}: {}", outcome.text);
    }
}
