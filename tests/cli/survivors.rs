//! Nothing that a session started outlives tern, not even where tern itself is killed.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::calls;

/// Processes whose command line holds this word.
fn running(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).split('\0').any(|arg| arg == word)).count()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills tern while a command of it runs. `TERN_RUNS=200` does it more often than the sample.
#[tokio::test(flavor = "multi_thread")]
async fn none_outlives_a_tern_that_is_killed() {
    let rounds: usize = std::env::var("TERN_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    for round in 0..rounds {
        let word = format!("7{}.{round:03}", std::process::id());
        let sleep = format!("sleep {word}");
        let commands = [
            format!("{sleep} & {sleep}"),
            format!("trap '' HUP INT TERM; setsid {sleep} & nohup {sleep}"),
        ];
        let background = round % 4 < 2;
        let input = json!({"command": commands[round % 2], "run_in_background": background});
        // In the background: the next request hangs, so that the turn goes on.
        let server = FakeServer::start(vec![
            Reply::sse(calls("Bash", &input)),
            Reply::sse(String::new()).stall(),
        ])
        .await;
        let tern = Tern::new();
        tern.fake_provider(&server.base_url());
        let mode = if round % 3 == 0 { "auto" } else { "off" };
        let path = tern.home().join("config/config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}[sandbox]\nmode = \"{mode}\"\n")).unwrap();
        aside(move || {
            let mut child = tern.command(&["-p", "go", "--allow", "Bash"]).spawn().unwrap();
            wait_until("the command runs", || running(&word) >= 2);
            child.kill().unwrap();
            child.wait().unwrap();
            let what = format!("round {round}: {} are left", running(&word));
            wait_until(&what, || running(&word) == 0);
        })
        .await;
    }
}
