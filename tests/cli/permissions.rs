//! The panel of permissions in the real program: what it shows, and what it changes in the files.

#![cfg(unix)]

use serde_json::json;

use crate::support::pty::Pty;
use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{calls, says};

fn config(tern: &Tern, more: &str) {
    let path = tern.home().join("config/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}\n{more}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_added_changed_and_deleted_where_they_stand() {
    let server = FakeServer::start(Vec::new()).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let users = "[permissions]\ndeny = [\n  # secrets\n  \"Read(./.env)\",\n]\nallow = [\"Write(docs/**)\"]\n";
    config(&tern, users);
    std::fs::create_dir(tern.project().join(".claude")).unwrap();
    let theirs = r#"{"permissions": {"ask": ["Bash(git push *)"]}}"#;
    std::fs::write(tern.project().join(".claude/settings.json"), theirs).unwrap();
    aside(move || {
        let user_file = tern.home().join("config/config.toml");
        let local = tern.project().join(".tern/config.local.toml");
        let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default();
        let mut pty = Pty::start(&tern, &[], (120, 40));
        pty.wait_for("? help");
        pty.press("/permissions\r");
        pty.wait_for("Read(./.env)");
        pty.wait_for("config.toml:12");
        pty.wait_for(".claude/settings.json:1");
        pty.wait_for("so this one has no effect");

        // A new rule goes to the project's own file, and is listed with its place.
        pty.press("a");
        pty.wait_for("kept in .tern/config.local.toml");
        pty.press("Bash(make *)\r");
        pty.wait_for("config.local.toml:2");
        assert_eq!(read(&local), "[permissions]\nallow = [\"Bash(make *)\"]\n");

        // One that can have no effect is not taken.
        pty.press("aWrite(x/**)");
        pty.wait_for("write Edit(x/**)");
        pty.press("\r");
        pty.wait_a_moment();
        pty.press("\x1b");
        pty.wait_until("no form", |screen| !screen.contains("write Edit(x/**)"));

        // A rule of the user's file is changed there, comments and all.
        pty.press("gje");
        pty.wait_for("change");
        pty.press("\x08l)\r");
        pty.wait_for("Read(./.envl)");
        let changed = users.replace("./.env", "./.envl");
        assert!(read(&user_file).ends_with(&changed), "{}", read(&user_file));

        // Deleting asks first.
        pty.press("d");
        pty.wait_for("delete it");
        pty.press("n");
        pty.wait_until("no question", |screen| !screen.contains("delete it"));
        assert!(read(&user_file).contains(".envl"));
        pty.press("dy");
        pty.wait_until("deleted", |screen| !screen.contains(".envl"));
        assert!(!read(&user_file).contains(".envl"));

        // The mode is changed on its own line.
        pty.press("g\r");
        pty.wait_for("mode acceptEdits");
        pty.press("\x1b");
        pty.wait_until("no panel", |screen| !screen.contains("Permissions"));
        pty.press("\x03\x03\x03");
        assert_eq!(pty.ends_as_found(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_is_asked_about_again_with_one_key() {
    let touch = || Reply::sse(calls("Bash", &json!({"command": "touch made"})));
    let server = FakeServer::start(vec![
        touch(),
        Reply::sse(calls("Bash", &json!({"command": "rm other"}))),
        Reply::sse(says("It was denied.")),
        touch(),
        Reply::sse(says("Now it is done.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    config(&tern, "[permissions]\ndeny = [\"Bash(rm *)\"]\n");
    aside(move || {
        let mut pty = Pty::start(&tern, &["--permission-mode", "dontAsk", "go"], (120, 40));
        pty.wait_for("It was denied.");
        pty.press("/permissions\r");
        pty.wait_for("Denied lately  2 in a row · 2 in all");
        // What a rule forbids is not asked about again.
        pty.press("jjr");
        pty.wait_for("it would be denied again");
        pty.press("Gr");
        pty.wait_for("Run a command");
        pty.wait_for_same_colour("╭", "Run a command");
        assert!(!tern.project().join("made").exists());
        pty.press("\r");
        pty.wait_for("Now it is done.");
        assert!(tern.project().join("made").exists());
        pty.press("\x03\x03\x03");
        assert_eq!(pty.ends_as_found(), 0);
    })
    .await;
}
