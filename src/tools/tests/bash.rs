//! Bash.

use std::time::{Duration, Instant};

use super::*;
use crate::protocol::Detail;

async fn bash(desk: &Desk, command: &str) -> Outcome {
    desk.call("Bash", json!({"command": command})).await
}

#[cfg(unix)]
#[tokio::test]
async fn outputs_and_ends_are_told() {
    let desk = Desk::new(&[("f", "x\n")]);
    for (command, status, expected) in [
        ("echo hi", DONE, "hi\n"),
        ("true", DONE, "(no output)"),
        ("echo no >&2; exit 3", FAILED, "no\n[exit 3]"),
        ("printf x; exit 1", FAILED, "x\n[exit 1]"),
        ("grep nothing f", DONE, "[exit 1]"),
        ("diff f /dev/null", DONE, "1d0\n< x\n[exit 1]"),
        ("grep nothing f || exit 1", FAILED, "[exit 1]"),
        ("grep x no-such-file 2>/dev/null", FAILED, "[exit 2]"),
        ("kill -KILL $$", FAILED, "[ended by signal 9]"),
        ("read line; echo \"got:$line\"", DONE, "got:\n"),
    ] {
        let outcome = bash(&desk, command).await;
        assert_eq!((outcome.status, outcome.text.as_str()), (status, expected), "{command}");
        let Detail::Command { spilled: None, .. } = outcome.detail else { panic!("{command}") };
    }
    let facts = bash(&desk, "exit 3").await.facts;
    assert!(facts.starts_with("exit 3 · 0.") && facts.ends_with(" s"), "{facts}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_directory_carries_over_inside_the_workspace() {
    let desk = Desk::new(&[("sub dir/x", "")]);
    let root = desk.root().display().to_string();
    for (command, expected) in [
        ("cd 'sub dir'", format!("[now in {root}/sub dir]")),
        ("pwd", format!("{root}/sub dir\n")),
        ("cd ..; pwd", format!("{root}\n[now in {root}]")),
        ("cd /; pwd", format!("/\n[/ is outside the workspace: back in {root}]")),
        ("pwd", format!("{root}\n")),
        ("cd 'sub dir'", format!("[now in {root}/sub dir]")),
        ("rm -r ../'sub dir'", "(no output)".to_owned()),
        ("pwd", format!("{root}\n[{root}/sub dir is gone: ran in {root}.]")),
    ] {
        assert_eq!(bash(&desk, command).await.text, expected, "{command}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn long_output_is_cut_in_the_middle_and_kept_whole() {
    let desk = Desk::new(&[]);
    let outcome = bash(&desk, "seq 1 20000; exit 2").await;
    assert_eq!(outcome.status, FAILED);
    let Detail::Command { code: Some(2), spilled: Some(path), .. } = &outcome.detail else {
        panic!("{:?}", outcome.detail)
    };
    assert!(outcome.text.starts_with("1\n2\n3\n"));
    assert!(outcome.text.ends_with("\n19999\n20000\n[exit 2]"), "the true end");
    let gap = format!(" of 108894 bytes left out; all of it: {path} …]\n");
    assert!(outcome.text.contains(&gap), "{}", outcome.text);
    assert!(outcome.text.len() < 9_000);
    let page = desk.call("Read", json!({"file_path": path, "offset": 10_000, "limit": 1})).await;
    assert!(page.text.starts_with("10000\n"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_timeout_and_an_interrupt_keep_the_output_and_leave_nothing() {
    let desk = Desk::new(&[]);
    let slow = "echo early; sleep 77 & sleep 77";
    let outcome = desk.call("Bash", json!({"command": slow, "timeout": 300})).await;
    let expected = (FAILED, "early\n[timed out after 0.3 s]");
    assert_eq!((outcome.status, outcome.text.as_str()), expected);

    let cancel = desk.ctx.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    });
    let started = Instant::now();
    let outcome = bash(&desk, slow).await;
    let expected = (CallStatus::Interrupted, "early\n[interrupted]");
    assert_eq!((outcome.status, outcome.text.as_str()), expected);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(sleepers(desk.root()), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_late_goes_on_in_the_background() {
    let desk = Desk::new(&[]);
    let late =
        json!({"command": "echo early; while ! test -e go; do :; done; echo late", "timeout": 300});
    let outcome = desk.call("Bash", late).await;
    assert_eq!(outcome.status, DONE);
    let told = "early\n[not done after 0.3 s and moved to the background for 30 min at most, where it goes on as task 1.";
    assert!(outcome.text.starts_with(told), "{}", outcome.text);
    desk.put("go", "");
    let job = desk.ctx.session.jobs.all().pop().unwrap();
    while job.is_running() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = desk.call("TaskOutput", json!({"task_id": "1"})).await;
    assert!(output.text.contains("late"), "{}", output.text);
    // What only waits, holds git's locks or cannot be read is ended at its time.
    for command in ["sleep 76", "cd . && git log; sleep 76", "$(echo sleep) 76"] {
        let outcome = desk.call("Bash", json!({"command": command, "timeout": 200})).await;
        assert!(outcome.text.contains("timed out after 0.2 s"), "{command}: {}", outcome.text);
    }
    assert_eq!(sleepers(desk.root()), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_left_in_the_background_is_told_and_ends_with_the_session() {
    let desk = Desk::new(&[]);
    let started = Instant::now();
    let outcome = bash(&desk, "sleep 78 &").await;
    assert_eq!(outcome.status, DONE);
    assert_eq!(outcome.text, "[1 process goes on in the background until the session ends]");
    assert!(started.elapsed() < Duration::from_secs(3));
    let root = desk.root().to_owned();
    assert_eq!(sleepers(&root), 1);
    let Desk { dir, ctx } = desk;
    drop(ctx);
    assert_eq!(sleepers(&root), 0);
    drop(dir);
}

/// Commands that do not want to end, ended in three ways. `TERN_RUNS=200` runs more than the
/// sample.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_survives() {
    let rounds = std::env::var("TERN_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let commands = [
        "sleep 79",
        "sleep 79 & sleep 79 | sleep 79",
        "trap '' INT TERM HUP; sleep 79; sleep 79; sleep 79",
        "setsid sh -c 'trap \"\" TERM; sleep 79; sleep 79' & sleep 79",
        "nohup sleep 79 >/dev/null 2>&1 & (sleep 79 &) ; sleep 79",
        "while :; do sleep 0.01 & done",
    ];
    for round in 0..rounds {
        let desk = Desk::new(&[]);
        let root = desk.root().to_owned();
        let command = commands[round % commands.len()];
        let way = (round + round / commands.len()) % 3;
        let cancel = desk.ctx.cancel.clone();
        let input = json!({"command": command, "timeout": if way == 0 { 150 } else { 60_000 }});
        match way {
            0 => drop(desk.call("Bash", input).await),
            1 => {
                let stop = async {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    cancel.cancel();
                };
                tokio::join!(desk.call("Bash", input), stop);
            }
            _ => {
                let call = desk.call("Bash", input);
                let _ = tokio::time::timeout(Duration::from_millis(150), call).await;
            }
        }
        assert_eq!(sleepers(&root), 0, "round {round}: {command}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_look_by_a_command_counts_as_read() {
    let desk = Desk::new(&[("a", "1\n"), ("b", "1\n")]);
    bash(&desk, "cat a").await;
    bash(&desk, "cat b | head").await;
    for (name, status) in [("a", DONE), ("b", FAILED)] {
        let input = json!({"file_path": name, "old_string": "1", "new_string": "2"});
        assert_eq!(desk.call("Edit", input).await.status, status, "{name}");
    }
}

/// Processes that run in this folder.
#[cfg(unix)]
fn sleepers(root: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let alive = |path: &Path| {
        std::fs::read_to_string(path.join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("cwd").read_link().is_ok_and(|cwd| cwd == root) && alive(path))
        .count()
}

#[cfg(unix)]
#[tokio::test]
async fn no_key_reaches_a_command() {
    let desk = Desk::new(&[]);
    // The test's own environment cannot be changed safely; that the filter is used shows in what
    // it adds.
    let outcome = bash(&desk, "echo $GIT_PAGER $TERM; env | grep -c '^TERN_RUN='").await;
    assert_eq!(outcome.text, "cat dumb\n1\n");
}

#[tokio::test]
async fn what_cannot_run_is_refused() {
    let desk = Desk::new(&[]);
    for (input, part) in [
        (json!({"command": "  "}), "the command is empty"),
        (json!({"command": "a\0b"}), "NUL"),
        (json!({"command": "x".repeat(3 << 20)}), "too long for this system"),
    ] {
        let outcome = desk.call("Bash", input).await;
        assert!(outcome.status == FAILED && outcome.text.contains(part), "{}", outcome.text);
    }
    let input = json!({"command": "true", "run_in_background": false});
    assert_eq!(desk.call("Bash", input).await.status, DONE);
}
