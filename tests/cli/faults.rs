//! The real program on a disk that fails at its k-th file call, for every k (a sample of them unless
//! `TERN_TEST_FULL` is set), and on one that is full. The faults are put between the program and the
//! C library, so that no root is needed and no call is left out.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use serde_json::json;
use tern::session::Places;
use tern::session::read::{self, Loaded};
use tern::session::record::Body;

use crate::support::logs::{Dice, full};
use crate::support::pty::Pty;
use crate::support::server::{Asked, FakeServer, Reply};
use crate::support::shown::Shown;
use crate::support::tern::{Ran, Tern, ran};
use crate::support::wire::{answer, says};

const ARGS: [&str; 6] =
    ["-p", "go", "--permission-mode", "bypassPermissions", "--output-format", "stream-json"];

/// A file is written, read and changed; then a last word.
fn reply(asked: &Asked) -> Reply {
    let messages = asked.body["messages"].as_array().cloned().unwrap_or_default();
    let n = messages.iter().filter(|message| message["role"] == "assistant").count();
    let (tool, input) = match n {
        0 => ("Write", json!({"file_path": "a.txt", "content": "one\n"})),
        1 => ("Read", json!({"file_path": "a.txt"})),
        2 => ("Edit", json!({"file_path": "a.txt", "old_string": "one", "new_string": "two"})),
        // Whoever runs on a full disk makes room.
        3 => ("Bash", json!({"command": "rm -f \"$TERN_HOME\"/filler"})),
        _ => return Reply::sse(says("All done.")),
    };
    let id = format!("toolu_{n}");
    let call = json!({"type": "tool_use", "id": id, "name": tool, "input": input});
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    Reply::sse(answer(
        &[json!({"type": "text", "text": format!("Step {n}.")}), call],
        "tool_use",
        &usage,
    ))
}

/// The faults as a library, or why there is none.
fn library(dir: &Path) -> Result<PathBuf, String> {
    let to = dir.join("failing_disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/failing_disk.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&to)
        .args([source, "-ldl"])
        .output()
        .map_err(|error| format!("no C compiler: {error}"))?;
    if made.status.success() { Ok(to) } else { Err(String::from_utf8_lossy(&made.stderr).into()) }
}

/// Calls from `from` on, `count` of them, fail with `error`; 0: a write takes one byte.
#[derive(Debug, Clone, Copy)]
struct Plan {
    from: u64,
    count: u64,
    error: i32,
}

/// A home on the disk that fails.
struct Stage {
    tern: Tern,
    counter: PathBuf,
    vars: Vec<(&'static str, String)>,
}

impl Stage {
    fn new(library: &Path, url: &str, plan: Plan) -> Stage {
        let tern = Tern::new();
        tern.fake_provider(url);
        let counter = tern.dir.path().join("counter");
        std::fs::write(&counter, [0; 8]).unwrap();
        let vars = vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAIL_UNDER", tern.home().display().to_string()),
            ("FAIL_COUNTER", counter.display().to_string()),
            ("FAIL_FROM", plan.from.to_string()),
            ("FAIL_COUNT", plan.count.to_string()),
            ("FAIL_ERROR", plan.error.to_string()),
        ];
        Stage { tern, counter, vars }
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(self.tern.command(args).envs(self.vars.iter().cloned()).output().unwrap())
    }

    /// File calls so far.
    fn calls(&self) -> u64 {
        u64::from_ne_bytes(std::fs::read(&self.counter).unwrap().try_into().unwrap())
    }
}

fn log(home: &Path, session: &str) -> Option<Loaded> {
    let places = Places::new(&home.join("data"), &home.join("cache"));
    let path = places.find(&tern::protocol::SessionId(session.to_owned()))?;
    Some(read::load(&path).unwrap().0)
}

/// Nothing crashed; whatever was shown as done is in the log at `home`, or was told to be missing.
fn judge(ran: &Ran, home: &Path, may_lose: bool, what: &str) {
    assert!(!ran.err.contains("panicked"), "{what}: {ran:?}");
    assert!(matches!(ran.code, Some(0..=8)), "{what}: {ran:?}");
    let result = ran.result();
    if ran.code != Some(0) {
        assert!(result["error"]["message"].is_string(), "{what}: {ran:?}");
    }
    let shown = Shown::of_lines(ran.out.lines());
    let loaded = log(home, result["session"].as_str().unwrap_or_default());
    let lost = shown.lost(loaded.as_ref());
    if !lost.is_empty() {
        assert!(may_lose, "{what}: {lost:?} are lost\n{}", notices(ran));
        let told =
            ran.out.contains("tries again") && ran.out.contains("end of this session is lost");
        assert!(told, "{what}: {lost:?} are lost, and nobody is told\n{}", notices(ran));
    }
}

fn notices(ran: &Ran) -> String {
    let lines = ran.out.lines().filter(|line| line.contains("\"type\":\"noticed\""));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_call_that_fails_loses_what_was_shown() {
    let dir = tempfile::tempdir().unwrap();
    let library = match library(dir.path()) {
        Ok(library) => library,
        Err(why) => return println!("SKIPPED no_file_call_that_fails: {why}"),
    };
    let server = FakeServer::answering(reply).await;
    let url = server.base_url();
    tokio::task::block_in_place(|| {
        let never = Plan { from: u64::MAX, count: 0, error: 0 };
        let stage = Stage::new(&library, &url, never);
        let clean = stage.run(&ARGS);
        judge(&clean, &stage.tern.home(), false, "no fault");
        assert_eq!(Shown::of_lines(clean.out.lines()).len(), 10, "{clean:?}");
        let calls = stage.calls();
        assert!(calls > 60, "{calls}");
        let mut plans = Vec::new();
        let mut dice = Dice(23);
        for error in [Errno::IO.raw_os_error(), Errno::NOSPC.raw_os_error(), 0] {
            for count in [1, 2, u64::MAX] {
                let sample = (0..calls).filter(|_| full() || dice.roll(40) == 0);
                plans.extend(sample.map(|from| Plan { from, count, error }));
            }
        }
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                let stage = Stage::new(&library, &url, *plan);
                let ran = stage.run(&ARGS);
                // One or two calls that fail are made good by the next ones.
                judge(&ran, &stage.tern.home(), plan.count > 2, &format!("{plan:?}"));
            }
        };
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
        println!("{} sessions on a disk that fails, of {calls} file calls each", plans.len());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_goes_on_and_the_terminal_is_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let library = match library(dir.path()) {
        Ok(library) => library,
        Err(why) => return println!("SKIPPED the_screen_goes_on: {why}"),
    };
    let server = FakeServer::answering(reply).await;
    let url = server.base_url();
    tokio::task::block_in_place(|| {
        let mut dice = Dice(31);
        let error = Errno::NOSPC.raw_os_error();
        // The first calls read the settings, without which there is no model to ask.
        for _ in 0..if full() { 100 } else { 3 } {
            let plan = Plan { from: 25 + dice.roll(80) as u64, count: u64::MAX, error };
            let stage = Stage::new(&library, &url, plan);
            let vars: Vec<(&str, &str)> =
                stage.vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let args = ["--permission-mode", "bypassPermissions", "go"];
            let mut pty = Pty::with(&stage.tern, &args, &vars, (100, 40));
            pty.wait_for("All done.");
            pty.press("/exit\r");
            pty.wait_for_bytes("\x1b[?1049l");
            let left = pty.after_the_screen();
            let told = left.contains("end of this session is lost");
            assert_eq!(pty.ends_as_found(), 0, "{plan:?}");
            let session = left.rsplit(' ').next().unwrap_or_default().trim();
            let whole = log(&stage.tern.home(), session)
                .is_some_and(|loaded| loaded.records().any(|record| said(&record.body)));
            assert!(told || whole, "{plan:?}: {left}");
        }
    });
}

/// The last word of the model.
fn said(body: &Body) -> bool {
    matches!(body, Body::Assistant { parts, .. } if format!("{parts:?}").contains("All done."))
}

/// Runs tern with its home on a file system of so many bytes, all but `room` of them taken.
fn on_a_small_disk(tern: &Tern, room: usize, keep: bool) -> Result<Ran, String> {
    const SIZE: usize = 256 << 10;
    let saved = tern.dir.path().join("saved");
    let script = format!(
        "set -e; cp -r \"$TERN_HOME\" {saved}; mount -t tmpfs -o size={SIZE} none \"$TERN_HOME\"; \
         cp -r {saved}/. \"$TERN_HOME\"; head -c {} /dev/zero > \"$TERN_HOME\"/{}; rm -r {saved}; \
         set +e; \"$@\"; code=$?; cp -r \"$TERN_HOME\" {saved}; exit $code",
        SIZE - room,
        if keep { "other" } else { "filler" },
        saved = saved.display(),
    );
    let probe = Command::new("unshare")
        .args(["-rm", "sh", "-c", "mount -t tmpfs none /mnt"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        return Err("no file system can be mounted here".to_owned());
    }
    let inner = tern.command(&ARGS);
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", &script, "sh"])
        .arg(inner.get_program())
        .args(inner.get_args());
    command.current_dir(tern.project()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = ran(command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?);
    std::fs::remove_dir_all(tern.home()).unwrap();
    std::fs::rename(saved, tern.home()).unwrap();
    Ok(ran)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_what_is_kept_is_written_once_there_is_room() {
    let server = FakeServer::answering(reply).await;
    let url = server.base_url();
    tokio::task::block_in_place(|| {
        for room in [12 << 10, 16 << 10, 20 << 10, 24 << 10] {
            for keep in [true, false] {
                let tern = Tern::new();
                tern.fake_provider(&url);
                let ran = match on_a_small_disk(&tern, room, keep) {
                    Ok(ran) => ran,
                    Err(why) => return println!("SKIPPED a_full_disk_is_told: {why}"),
                };
                let what =
                    format!("{room} bytes left, {}", if keep { "for good" } else { "then room" });
                judge(&ran, &tern.home(), keep, &what);
                let text = std::fs::read_to_string(tern.project().join("a.txt")).unwrap();
                assert_eq!(text, "two\n", "{what}: the work goes on");
                let lost = ran.out.contains("end of this session is lost");
                assert!(keep || !lost, "{what}: {ran:?}");
            }
        }
    });
}
