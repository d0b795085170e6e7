//! `kill -9` at a random moment of a real session: whatever was shown as done is in the log, and
//! the session can be taken up again. A few kills; 2,000 of them with `TERN_TEST_FULL`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tern::protocol::{Event, Part, Role};
use tern::session::blobs::Blobs;
use tern::session::disk::Disk;
use tern::session::log::{Log, Tools};
use tern::session::read::Loaded;
use tern::session::record::Body;
use tern::session::redact::Secrets;
use tern::session::{Places, replay};

use crate::support::logs::{Dice, full};
use crate::support::pty::Pty;
use crate::support::server::{Asked, FakeServer, Reply};
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

/// What somebody has been shown as done.
#[derive(Debug, Default)]
struct Shown {
    messages: BTreeSet<String>,
    calls: BTreeSet<String>,
    /// Files that calls name which the screen shows as done.
    files: BTreeSet<String>,
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
        let (shown, empty) = one(kill, &url);
        let mut sums = sums.lock().unwrap();
        sums.0 += shown.messages.len();
        sums.1 += shown.calls.len() + shown.files.len();
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

/// One session, killed and looked at. True where it left no log.
fn one(kill: usize, url: &str) -> (Shown, bool) {
    let mut dice = Dice(kill as u64 * 7_919 + 17);
    dice.roll(2);
    let tern = Tern::new();
    tern.fake_provider(url);
    let moment = Duration::from_millis(dice.roll(MOMENT) as u64);
    let shown =
        if kill.is_multiple_of(2) { headless(&tern, moment) } else { screen(&tern, moment) };
    let Some(path) = log(&tern) else {
        let nothing = shown.messages.is_empty() && shown.calls.is_empty() && shown.files.is_empty();
        assert!(nothing, "kill {kill}: {shown:?} and no log");
        return (shown, true);
    };
    let loaded = taken_up(&tern, &path, kill);
    let (mut messages, mut calls, mut files) = (BTreeSet::new(), BTreeSet::new(), String::new());
    for record in loaded.records() {
        match record.body {
            Body::User { .. } | Body::Assistant { .. } => drop(messages.insert(record.id.0)),
            Body::Result { call, .. } => drop(calls.insert(call.0)),
            Body::Call { input, .. } => files.push_str(&input.to_string()),
            _ => {}
        }
    }
    let lost: Vec<&String> = shown.messages.difference(&messages).collect();
    assert!(lost.is_empty(), "kill {kill} after {moment:?}: messages {lost:?} are lost");
    let lost: Vec<&String> = shown.calls.difference(&calls).collect();
    assert!(lost.is_empty(), "kill {kill} after {moment:?}: results of {lost:?} are lost");
    let lost: Vec<&String> = shown.files.iter().filter(|file| !files.contains(*file)).collect();
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
    (shown, false)
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
    let mut shown = Shown::default();
    let mut spoken = BTreeSet::new();
    for line in said.join().unwrap() {
        // The last line may be torn.
        let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
        match serde_json::from_value::<Event>(value) {
            Ok(Event::TurnStarted { message, .. }) => drop(shown.messages.insert(message.0)),
            Ok(Event::TextAdded { message, .. }) => drop(spoken.insert(message.0)),
            Ok(Event::MessageEnded { message }) if spoken.contains(&message.0) => {
                shown.messages.insert(message.0);
            }
            Ok(Event::CallEnded { call, .. }) => drop(shown.calls.insert(call.0)),
            _ => {}
        }
    }
    shown
}

/// A session on a screen; what the screen showed when it died.
fn screen(tern: &Tern, moment: Duration) -> Shown {
    let args = ["--permission-mode", "bypassPermissions", "go on until you are stopped"];
    let mut pty = Pty::start(tern, &args, (100, 50));
    std::thread::sleep(moment);
    pty.signal("-KILL");
    let text = pty.last_screen();
    let done = text.lines().filter(|line| line.trim_start().starts_with('✓'));
    let names = done.flat_map(str::split_whitespace).filter(|word| word.starts_with("note-"));
    Shown { files: names.map(str::to_owned).collect(), ..Shown::default() }
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
    let (disk, secrets) = (Disk::default(), Secrets::default());
    let blobs = Blobs::new(&places.blobs, disk.clone());
    let tools = Tools { disk, blobs: blobs.clone(), secrets };
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
