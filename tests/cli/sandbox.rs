//! The sandbox of commands in the real program: what it holds, and the consent that lets one out to
//! the network.

#![cfg(target_os = "linux")]

use serde_json::json;
use tern::process::sandbox::{Kind, probe};

use crate::support::pty::Pty;
use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{calls, says};

fn missing(test: &str) -> bool {
    let found = probe();
    if found.kind == Kind::None || !found.network {
        println!("SKIPPED {test}: {}", found.why);
        return true;
    }
    false
}

fn sandboxed(tern: &Tern, base_url: &str) {
    tern.fake_provider(base_url);
    let path = tern.home().join("config/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}[sandbox]\nmode = \"auto\"\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_let_in_by_consent_for_one_command() {
    if missing("the_network_is_let_in_by_consent_for_one_command") {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reach = |step: usize, network: bool| {
        let command =
            format!(": step{step}; exec 3<>/dev/tcp/127.0.0.1/{port} && echo it > reached");
        let input = match network {
            true => json!({"command": command, "network": true}),
            false => json!({"command": command}),
        };
        Reply::sse(calls("Bash", &input))
    };
    let server = FakeServer::start(vec![
        reach(0, false),
        reach(1, false),
        reach(2, true),
        reach(3, false),
        Reply::sse(says("All four are done.")),
    ])
    .await;
    let tern = Tern::new();
    sandboxed(&tern, &server.base_url());
    aside(move || {
        let made = tern.project().join("reached");
        let mut pty = Pty::start(&tern, &["go"], (120, 40));
        // Allowed as any command, it has no network; with N, and where it asks for it, it has.
        for (n, (key, reaches)) in
            [("\r", false), ("N", true), ("\r", true), ("\r", false)].into_iter().enumerate()
        {
            pty.wait_for(&format!("$ : step{n}"));
            pty.wait_for("network off");
            pty.wait_for_same_colour("╭", "Run a command");
            pty.press(key);
            let next = format!("$ : step{}", n + 1);
            pty.wait_until("the next one", |screen| {
                screen.contains("All four") || screen.contains(&next)
            });
            assert_eq!(made.exists(), reaches, "command {n}: {}", pty.text());
            let _gone = std::fs::remove_file(&made);
        }
        pty.wait_for("All four are done.");
        pty.press("\x03\x03\x03");
        assert_eq!(pty.ends_as_found(), 0);
    })
    .await;
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_about_the_project_stays_as_it_is() {
    if missing("what_decides_about_the_project_stays_as_it_is") {
        return;
    }
    let attempts = "git init -q . 2>/dev/null; for file in .git/hooks/pre-commit .git/config \
                    .tern/config.toml .claude/settings.json \"$HOME/outside\" \
                    \"$TERN_HOME/config/config.toml\"; do \
                    mkdir -p \"$(dirname \"$file\")\" 2>/dev/null; \
                    echo evil 2>/dev/null >> \"$file\" && echo \"WROTE $file\"; done; \
                    echo inside > inside; env | grep -c canary";
    let server = FakeServer::start(vec![
        Reply::sse(calls("Bash", &json!({"command": attempts}))),
        Reply::sse(says("Done.")),
    ])
    .await;
    let tern = Tern::new();
    sandboxed(&tern, &server.base_url());
    let git = tern.project().join(".git");
    std::fs::create_dir_all(git.join("hooks")).unwrap();
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(git.join("config"), "[core]\n").unwrap();
    let (project, home) = (tern.project(), tern.dir.path().to_owned());
    let ran = aside(move || {
        let bypass = ["-p", "go", "--permission-mode", "bypassPermissions"];
        let mut command = tern.command(&bypass);
        command.env("ANTHROPIC_API_KEY", "sk-ant-canary-0123456789");
        let ran = crate::support::tern::ran(command.output().unwrap());
        (ran, tern)
    })
    .await;
    assert_eq!(ran.0.code, Some(0), "{:?}", ran.0);
    let told = server.requests()[1].body["messages"].to_string();
    assert!(project.join("inside").exists(), "{told}");
    assert_eq!(std::fs::read_to_string(git.join("config")).unwrap(), "[core]\n", "{told}");
    assert!(!git.join("hooks/pre-commit").exists(), "{told}");
    for absent in [".tern/config.toml", ".claude/settings.json"] {
        assert!(!project.join(absent).exists(), "{absent}: {told}");
    }
    let config = std::fs::read_to_string(home.join("home/config/config.toml")).unwrap();
    assert!(!config.contains("evil"), "{told}");
    assert!(!told.contains("WROTE .git") && !told.contains("WROTE .tern"), "{told}");
    assert!(!told.contains("canary-0123"), "{told}");
}
