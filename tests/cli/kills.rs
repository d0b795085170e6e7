//! `kill -9` at a random moment of a real session: whatever was shown as done is in the log, and
//! the session can be taken up again. A few kills; 2,000 of them with `TERN_TEST_FULL`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use tern::protocol::{Part, Role};
use tern::session::disk::Disk;
use tern::session::log::{Log, Tools};
use tern::session::read::Loaded;
use tern::session::record::Body;
use tern::session::redact::Secrets;
use tern::session::{Places, replay};

use crate::support::logs::{Dice, full};
use crate::support::pty::Pty;
use crate::support::server::{Asked, FakeServer, Reply};
use crate::support::shown::Shown;
use crate::support::tern::Tern;
use crate::support::wire::{answer, says};

/// Milliseconds after its start within which a program is killed: it runs for longer than that.
const MOMENT: usize = 900;
/// One of so many killed sessions is taken up again by the program itself, the others by its parts.
const AGAIN: usize = 20;

/// Three calls and a word, over and over: each with a number of its own.
fn reply(asked: &Asked) -> Reply {
    let messages = asked.body["messages"].as_array().cloned().unwrap_or_default();
    let n = messages.iter().filter(|message| message["role"] == "assistant").count();
    let (tool, input) = match n % 4 {
        0 => {
            ("Write", json!({"file_path": format!("note-{n}.txt"), "content": "x\n".repeat(n + 1)}))
        }
        1 => ("Bash", json!({"command": format!("echo {n} >> sums.txt")})),
        2 => ("Read", json!({"file_path": format!("note-{}.txt", n - 2)})),
        _ => return streamed(says(&format!("Answer {n}, in a few words that come one by one."))),
    };
    let id = format!("toolu_{n}");
    let call = json!({"type": "tool_use", "id": id, "name": tool, "input": input});
    let usage = json!({"input_tokens": 100, "output_tokens": 20});
    streamed(answer(
        &[json!({"type": "text", "text": format!("Step {n}.")}), call],
        "tool_use",
        &usage,
    ))
}

fn streamed(body: String) -> Reply {
    Reply::sse(body).split(200).pause(Duration::from_millis(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_shown_survives_a_kill() {
    let kills = if full() { 2_000 } else { 12 };
    let server = FakeServer::answering(reply).await;
    let url = server.base_url();
    let (next, sums) = (Mutex::new(0), Mutex::new((0, 0, 0)));
    let work = || loop {
        let kill = {
            let mut next = next.lock().unwrap();
            *next += 1;
            *next - 1
        };
        if kill >= kills {
            return;
        }
        let (messages, calls, empty) = one(kill, &url);
        let mut sums = sums.lock().unwrap();
        sums.0 += messages;
        sums.1 += calls;
        sums.2 += usize::from(empty);
    };
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    });
    let (messages, calls, empty) = sums.into_inner().unwrap();
    println!(
        "{kills} kills: {messages} messages and {calls} calls had been shown as done, none is \
         lost; {empty} sessions were killed before their first record"
    );
    assert!(messages > kills, "the programs have come far enough to lose something");
}

/// One session, killed and looked at: the messages and calls it had shown as done, and whether it
/// left no log.
fn one(kill: usize, url: &str) -> (usize, usize, bool) {
    let mut dice = Dice(kill as u64 * 7_919 + 17);
    dice.roll(2);
    let tern = Tern::new();
    tern.fake_provider(url);
    let moment = Duration::from_millis(dice.roll(MOMENT) as u64);
    let (shown, done) = if kill.is_multiple_of(2) {
        (headless(&tern, moment), BTreeSet::new())
    } else {
        (Shown::default(), screen(&tern, moment))
    };
    let (said, called) = (shown.messages.len(), shown.calls.len() + done.len());
    let Some(path) = log(&tern) else {
        assert_eq!(said + called, 0, "kill {kill}: {shown:?}, {done:?} and no log");
        return (said, called, true);
    };
    let loaded = taken_up(&tern, &path, kill);
    let lost = shown.lost(Some(&loaded));
    assert!(lost.is_empty(), "kill {kill} after {moment:?}: {lost:?} are lost");
    let mut files = String::new();
    for record in loaded.records() {
        if let Body::Call { input, .. } = record.body {
            files.push_str(&input.to_string());
        }
    }
    let lost: Vec<&String> = done.iter().filter(|file| !files.contains(*file)).collect();
    assert!(lost.is_empty(), "kill {kill} after {moment:?}: calls for {lost:?} are lost");
    if kill % AGAIN < 2 {
        let ran = tern.run(&[
            "-p",
            "-c",
            "again",
            "--permission-mode",
            "bypassPermissions",
            "--max-turns",
            "1",
            "--output-format",
            "json",
        ]);
        assert!(ran.err.is_empty() || !ran.err.contains("lost"), "kill {kill}: {ran:?}");
        assert_eq!(ran.result()["session"], json!(loaded.session.0), "kill {kill}: {ran:?}");
    }
    (said, called, false)
}

/// A session over JSON lines, with three prompts waiting; what it had said when it died.
fn headless(tern: &Tern, moment: Duration) -> Shown {
    let lines = "stream-json";
    let mut command = tern.command(&[
        "-p",
        "--input-format",
        lines,
        "--output-format",
        lines,
        "--permission-mode",
        "bypassPermissions",
    ]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for turn in 1..4 {
        let submit =
            json!({"type": "submit", "turn": turn, "input": {"text": format!("prompt {turn}")}});
        writeln!(input, "{submit}").unwrap();
    }
    let output = child.stdout.take().unwrap();
    let said = std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).collect::<Vec<String>>()
    });
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(input);
    Shown::of_lines(said.join().unwrap().iter().map(String::as_str))
}

/// A session on a screen; the files of the calls that it showed as done when it died.
fn screen(tern: &Tern, moment: Duration) -> BTreeSet<String> {
    let args = ["--permission-mode", "bypassPermissions", "go on until you are stopped"];
    let mut pty = Pty::start(tern, &args, (100, 50));
    std::thread::sleep(moment);
    pty.signal("-KILL");
    let text = pty.last_screen();
    let done = text.lines().filter(|line| line.trim_start().starts_with('✓'));
    let names = done.flat_map(str::split_whitespace).filter(|word| word.starts_with("note-"));
    names.map(str::to_owned).collect()
}

fn log(tern: &Tern) -> Option<PathBuf> {
    let traces = tern.traces();
    let logs: Vec<&String> = traces.iter().filter(|file| file.ends_with(".jsonl")).collect();
    let logs: Vec<&&String> = logs.iter().filter(|file| file.contains("sessions/")).collect();
    assert!(logs.len() < 2, "{logs:?}");
    logs.first().map(|file| tern.home().join(file))
}

/// Opens the log as the program does, and asks for what the next request would carry.
fn taken_up(tern: &Tern, path: &Path, kill: usize) -> Loaded {
    let places = Places::new(&tern.home().join("data"), &tern.home().join("cache"));
    let tools = Tools::new(Disk::default(), &places.blobs, Secrets::default());
    let blobs = tools.blobs.clone();
    let (log, loaded, damage) = Log::open(path, tools).unwrap_or_else(|e| panic!("{kill}: {e}"));
    drop(log);
    assert_eq!(damage.bad, 0, "kill {kill}: {damage}");
    let talk = replay::messages(&loaded, &blobs);
    for (at, message) in talk.messages.iter().enumerate() {
        let role = if at % 2 == 0 { Role::User } else { Role::Assistant };
        assert_eq!(message.role, role, "kill {kill}");
        let answers =
            talk.messages.get(at + 1).map(|next| next.parts.as_slice()).unwrap_or_default();
        for (call, _, _) in message.calls() {
            let is_answer =
                |part: &Part| matches!(part, Part::Result { call: of, .. } if of == call);
            assert!(answers.iter().any(is_answer), "kill {kill}: {call:?} has no answer");
        }
    }
    loaded
}
