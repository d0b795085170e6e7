use super::*;

use clap::Parser;
use serde_json::Value;

use crate::config::dirs::Dirs;
use crate::protocol::{Mode, Part};
use crate::session::log::{Log, Tools};
use crate::session::record::{Body, Opening, new_session};
use crate::session::redact::Secrets;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: SessionsArgs,
}

struct Home {
    dir: tempfile::TempDir,
    env: Env,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let env = Env {
        dirs: Dirs::under(dir.path(), Path::new("/home/me")),
        cwd: "/home/me/p".into(),
        vars: [("MY_TOKEN".to_owned(), "hunter2hunter2".to_owned())].into(),
    };
    Home { dir, env }
}

impl Home {
    fn session(&self, cwd: &str, texts: &[&str]) -> SessionId {
        let now = Timestamp::now();
        let session = new_session(now);
        let places = places(&self.env);
        let path = places.log(Path::new(cwd), &session);
        let opening = Opening {
            session: session.clone(),
            cwd: cwd.into(),
            model: "demo/demo".into(),
            mode: Mode::Default,
            branch: None,
            tern: String::new(),
            origin: None,
        };
        let tools = Tools::new(Disk::default(), &places.blobs, Secrets::default());
        let mut log = Log::create(path, opening, tools, now);
        for text in texts {
            let part = Part::Text { text: (*text).to_owned() };
            assert_eq!(log.append(Body::user(vec![part]), now).problem, None);
        }
        session
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<(u8, String)> {
        let args = Cli::try_parse_from(["sessions"].iter().chain(words))?.args;
        let mut out = Vec::new();
        let code = run(&args, &self.env, &mut out)?;
        Ok((code, String::from_utf8(out)?))
    }

    fn text(&self, words: &[&str]) -> String {
        let (code, text) = self.run(words).unwrap();
        assert_eq!(code, 0, "{text}");
        text
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.text(words)).unwrap()
    }
}

#[test]
fn nothing_is_nothing() {
    let home = home();
    assert_eq!(home.text(&["list"]), "");
    assert_eq!(home.text(&["search", "x"]), "");
    assert_eq!(home.text(&["prune"]), "deleted 0 sessions and 0 stored contents, 0 bytes\n");
    let error = home.run(&["show", "x"]).unwrap_err().to_string();
    assert_eq!(error, "no session matches `x`; `tern sessions list` shows all of them");
}

#[test]
fn sessions_are_listed_shown_and_searched() {
    let home = home();
    let one = home.session("/home/me/p", &["fix\u{1b}[31m the parser", "second prompt"]);
    home.session("/srv/q", &["fix the lexer"]);
    let list = home.text(&["list"]);
    assert!(
        list.contains(&format!("{}  just now  $0.00  ~/p     fix the parser\n", short(&one))),
        "{list}"
    );
    assert_eq!(home.text(&["list", "--here"]).lines().count(), 1);
    assert_eq!(
        home.text(&["list", "--limit", "1"]).lines().last(),
        Some("there are more: --skip 1")
    );
    assert_eq!(home.json(&["list", "lexer", "--json"])["sessions"][0]["cwd"], "/srv/q");

    let found = home.text(&["search", "second prompt"]);
    assert!(found.ends_with("    prompt: second prompt\n"), "{found}");
    assert_eq!(home.json(&["search", "lexer", "--json"])["snippet"]["marks"][0]["start"], 8);

    assert!(home.text(&["show", &one.0]).contains("## You\n\nsecond prompt\n"));
    let shown = home.json(&["show", "second", "prompt", "--json"]);
    assert_eq!(shown["messages"][0]["parts"][1]["text"], "second prompt");
    let error = home.run(&["show", "fix", "the"]).unwrap_err().to_string();
    assert!(error.starts_with("several sessions match `fix the`; name one of\n  0"), "{error}");
    assert!(!error.contains('\u{1b}'));
}

#[test]
fn an_export_is_redacted_and_never_written_over() {
    let home = home();
    home.session("/home/me/p", &["use hunter2hunter2 in /home/me/p"]);
    let file = home.dir.path().join("out.html");
    let words = ["export", "use", "--format", "html", "--redact", "-o", file.to_str().unwrap()];
    assert_eq!(home.text(&words), "");
    let html = std::fs::read_to_string(&file).unwrap();
    assert!(html.contains("use [key hidden] in ~/p") && !html.contains("hunter2"), "{html}");
    assert!(home.run(&words).unwrap_err().to_string().starts_with("cannot write"));
    assert!(home.text(&["export", "use", "--format", "jsonl"]).contains("hunter2hunter2"));
}

#[test]
fn pruning_can_be_tried_first() {
    let home = home();
    home.session("/p", &["old"]);
    let tried = home.text(&["prune", "--max-size", "0", "--dry-run"]);
    assert!(tried.contains("would delete 1 sessions"), "{tried}");
    assert_eq!(home.text(&["list"]).lines().count(), 1);
    let done = home.json(&["prune", "--max-size", "0", "--json"]);
    assert_eq!(
        (done["dry_run"].as_bool(), done["sessions"].as_array().map(Vec::len)),
        (Some(false), Some(1))
    );
    assert_eq!(home.text(&["list"]), "");
    assert!(home.run(&["prune", "--before", "2199-01-01"]).is_err());
}

#[test]
fn ages_and_dates() {
    let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    for (then, wanted) in [
        ("2026-11-24T12:00:30Z", "just now"),
        ("2026-11-24T11:58:00Z", "2 min ago"),
        ("2026-11-24T07:00:00Z", "5 h ago"),
        ("2026-11-23T07:00:00Z", "1 day ago"),
        ("2026-11-20T07:00:00Z", "4 days ago"),
    ] {
        assert_eq!(age(then.parse().unwrap(), now), wanted);
    }
    assert_eq!(parse_since("1d", now).unwrap().to_string(), "2026-11-23T12:00:00Z");
    assert!(parse_since("2026-11-24", now).is_ok());
    for bad in ["-1d", "yesterday", "", "999999999d"] {
        assert!(parse_since(bad, now).is_err(), "{bad}");
    }
}
