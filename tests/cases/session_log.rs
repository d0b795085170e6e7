//! The cases of `session-log.jsonl`, each staged by its id; then logs broken in every place, and
//! disks that fail at every call.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a stage that cannot be set is a failed test"
)]

mod damage;
mod faults;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tern::protocol::{CallId, Part, SessionId};
use tern::session::Places;
use tern::session::blobs::Blobs;
use tern::session::disk::{Disk, Fault, Op, Plan};
use tern::session::index::{Filter, Page, list};
use tern::session::log::{LogErrorKind, Tools};
use tern::session::read::Damage;
use tern::session::record::{Body, Compaction};
use tern::session::replay;

use crate::support::logs::{Session, append, body, copy_of, full, id_of, ids, now, opening, user};

/// Ids that are staged where the part of tern stands that they are about.
const ELSEWHERE: [(&str, &str); 6] = [
    ("log-0088", "a signal to the whole program"),
    ("log-0090", "a signal to the whole program"),
    ("log-0091", "a panic of the whole program"),
    ("log-0100", "the diagnostic log, not the session's"),
    ("log-0101", "memory of the process, not the session's log"),
    ("log-0103", "HTTP, not the session's log"),
];

#[test]
fn every_case_is_as_expected() {
    let stages: BTreeMap<&str, fn()> = BTreeMap::from([
        ("log-0005", torn_tail as fn()),
        ("log-0007", half_a_record_then_a_whole_one),
        ("log-0008", one_bad_line),
        ("log-0009", ten_bad_lines),
        ("log-0015", last_block_zero),
        ("log-0020", raw_line_separator),
        ("log-0026", duplicate_keys),
        ("log-0027", numbers_beyond_u64),
        ("log-0028", not_a_number),
        ("log-0032", many_sessions),
        ("log-0033", large_paste),
        ("log-0041", parent_cycle),
        ("log-0043", another_session),
        ("log-0048", newer_type),
        ("log-0053", compaction_of_nothing),
        ("log-0054", torn_compaction),
        ("log-0059", four_writers),
        ("log-0061", cut_by_another_program),
        ("log-0063", folder_became_a_link),
        ("log-0070", failed_sync),
        ("log-0073", no_descriptors),
        ("log-0074", interrupted_calls),
        ("log-0077", full_store),
        ("log-0082", no_result),
        ("log-0084", killed_while_storing),
    ]);
    for line in include_str!("session-log.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        match (stages.get(id), ELSEWHERE.iter().find(|(name, _)| *name == id)) {
            (Some(stage), None) => {
                println!("{id}: {}", case["setup"]);
                stage();
            }
            (None, Some((_, why))) => println!("SKIPPED {id}: {why}"),
            _ => panic!("{id} has no stage"),
        }
    }
}

fn torn_tail() {
    let session = Session::with(8);
    let lines = session.lines();
    session.set(&[lines[..7].concat(), b"{".to_vec()]);
    let (loaded, damage) = session.resume();
    assert_eq!(ids(&loaded).len(), 7);
    let copy = copy_of(&session.path).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), b"{");
    assert_eq!(damage, Damage { torn: 1, tail: Some(copy), ..Damage::default() });
    assert!(session.bytes().starts_with(&lines[..7].concat()));
    let (again, damage) = session.load();
    assert_eq!((ids(&again).len(), damage), (8, Damage::default()));
}

fn half_a_record_then_a_whole_one() {
    let session = Session::with(8);
    let lines = session.lines();
    let half = &lines[6][..lines[6].len() / 2];
    let before = [lines[..6].concat(), half.to_vec(), lines[7].clone()].concat();
    session.set(std::slice::from_ref(&before));
    let (loaded, damage) = session.resume();
    let wanted: Vec<String> = [0, 1, 2, 3, 4, 5, 7].iter().map(|n| id_of(&lines[*n])).collect();
    assert_eq!(ids(&loaded), wanted);
    assert_eq!((damage.bad, damage.bad_lines), (1, vec![7]));
    assert!(session.bytes().starts_with(&before), "nothing is rewritten");
}

/// Replaces lines and expects exactly these to be missing, and the model to be told.
fn bad_middle(replaced: &[(usize, &[u8])]) {
    let session = Session::with(40);
    let mut lines = session.lines();
    let all: Vec<String> = lines.iter().map(|line| id_of(line)).collect();
    for (at, bytes) in replaced {
        lines[*at] = [bytes, &b"\n"[..]].concat();
    }
    session.set(&lines);
    let before = session.bytes();
    let (loaded, damage) = session.resume();
    let kept = |at: usize| !replaced.iter().any(|(bad, _)| *bad == at);
    let wanted: Vec<String> =
        all.iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, id)| id.clone()).collect();
    assert_eq!(ids(&loaded), wanted);
    let numbers: Vec<u64> = replaced.iter().map(|(at, _)| *at as u64 + 1).collect();
    assert_eq!((damage.bad, &damage.bad_lines), (numbers.len() as u64, &numbers));
    for number in numbers {
        assert!(damage.to_string().contains(&number.to_string()), "{damage}");
    }
    assert!(session.bytes().starts_with(&before), "nothing is rewritten");
    every_call_is_answered(&session);
}

/// The next request would be valid; returns the calls whose outcome is not known.
fn every_call_is_answered(session: &Session) -> Vec<CallId> {
    let (loaded, _) = session.load();
    let conversation = replay::messages(&loaded, &session.blobs());
    for pair in conversation.messages.windows(2) {
        assert_ne!(pair[0].role, pair[1].role);
    }
    for (at, message) in conversation.messages.iter().enumerate() {
        for (call, ..) in message.calls() {
            let answers = &conversation.messages[at + 1].parts;
            let answered = |part: &Part| matches!(part, Part::Result { call: c, .. } if c == call);
            assert_eq!(answers.iter().filter(|part| answered(part)).count(), 1, "{call:?}");
        }
    }
    conversation.unknown
}

fn one_bad_line() {
    bad_middle(&[(20, b"{\"v\":1,\"seq\":")]);
}

fn ten_bad_lines() {
    let places = [3, 4, 8, 9, 12, 20, 21, 22, 30, 38];
    let lines: Vec<(usize, &[u8])> =
        places.iter().map(|at| (*at, &b"\x00\xffrubbish"[..])).collect();
    bad_middle(&lines);
}

fn last_block_zero() {
    let session = Session::with(200);
    let mut bytes = session.bytes();
    let start = (bytes.len() - 1) / 4096 * 4096;
    bytes[start..].fill(0);
    let whole = bytes[..start].iter().filter(|byte| **byte == b'\n').count();
    session.set(&[bytes]);
    let (loaded, damage) = session.resume();
    assert_eq!(ids(&loaded).len(), whole);
    assert!(damage.torn > 0 && damage.tail.is_some());
    every_call_is_answered(&session);
}

fn raw_line_separator() {
    let session = Session::with(2);
    let line = String::from_utf8(session.lines()[1].clone()).unwrap();
    assert!(line.contains('\u{2028}'), "serde writes it raw");
    let (loaded, damage) = session.load();
    assert_eq!((ids(&loaded).len(), damage), (2, Damage::default()));
}

fn duplicate_keys() {
    bad_middle(&[(
        20,
        br#"{"v":1,"seq":20,"id":"x","id":"y","parent":null,"t":"2027-01-15T08:00:00Z","type":"mode","mode":"plan"}"#,
    )]);
}

fn numbers_beyond_u64() {
    bad_middle(&[(
        20,
        br#"{"v":1,"seq":99999999999999999999,"id":"x","parent":null,"t":"2027-01-15T08:00:00Z","type":"mode","mode":"plan"}"#,
    )]);
}

fn not_a_number() {
    bad_middle(&[(
        20,
        br#"{"v":1,"seq":NaN,"id":"x","parent":null,"t":"2027-01-15T08:00:00Z","type":"mode","mode":"plan"}"#,
    )]);
}

fn many_sessions() {
    let count = if full() { 50_000 } else { 5_000 };
    let session = Session::with(4);
    let dir = session.path.parent().unwrap();
    for n in 0..count {
        std::fs::copy(&session.path, dir.join(format!("copy-{n}.jsonl"))).unwrap();
    }
    let places = Places::new(session.dir.path(), session.dir.path());
    let page = |from| list(&places, &Filter::default(), Page { from, count: 20 }).unwrap();
    assert_eq!((page(0).sessions.len(), page(0).more), (20, true));
    assert_eq!((page(count - 4).sessions.len(), page(count - 4).more), (5, false));
}

fn large_paste() {
    let session = Session::new();
    let paste = "0123456789".repeat(10 << 20);
    let mut log = session.create(Disk::default());
    append(&mut log, user(&paste));
    assert!(session.bytes().len() < 2000);
    let (loaded, _) = session.load();
    let Some(Body::User { parts, shelved }) = loaded.record(1).map(|record| record.body) else {
        panic!("no user record");
    };
    assert_eq!(parts, [Part::Text { text: String::new() }], "loading reads no content");
    assert_eq!(shelved[0].bytes, paste.len() as u64);
    assert_eq!(replay::messages(&loaded, &session.blobs()).messages[0].text().len(), paste.len());
}

/// Changes one record after the fact.
fn changed(line: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(line).unwrap();
    change(&mut value);
    [serde_json::to_vec(&value).unwrap(), b"\n".to_vec()].concat()
}

fn parent_cycle() {
    let session = Session::with(8);
    let mut lines = session.lines();
    let wanted: Vec<String> = lines.iter().map(|line| id_of(line)).collect();
    let (third, fifth) = (wanted[3].clone(), wanted[5].clone());
    lines[3] = changed(&lines[3], |record| record["parent"] = json!(fifth));
    lines[6] = changed(&lines[6], |record| record["parent"] = record["id"].clone());
    session.set(&lines);
    let (loaded, damage) = session.load();
    assert_eq!(ids(&loaded), wanted, "{third}");
    assert_eq!(damage, Damage { loops: 2, ..Damage::default() });
}

fn another_session() {
    let session = Session::with(6);
    let other = Session::new();
    let mut log = tern::session::log::Log::create(
        other.path.clone(),
        opening("another"),
        other.tools(Disk::default()),
        now(),
    );
    append(&mut log, user("foreign"));
    let lines = session.lines();
    session.set(&[lines[..3].concat(), other.bytes(), lines[3..].concat()]);
    let (loaded, damage) = session.load();
    assert_eq!(loaded.session, SessionId("s".into()));
    assert_eq!(ids(&loaded), lines.iter().map(|line| id_of(line)).collect::<Vec<_>>());
    assert_eq!(damage, Damage { foreign: 2, ..Damage::default() });
    assert!(damage.to_string().contains("another session"));
}

fn newer_type() {
    let session = Session::with(6);
    let mut lines = session.lines();
    lines[2] = changed(&lines[2], |record| {
        record["type"] = json!("hologram");
        record["shape"] = json!([1, 2]);
    });
    session.set(&lines);
    let (loaded, damage) = session.resume();
    assert_eq!(ids(&loaded).len(), 6);
    assert_eq!(damage, Damage { unknown: 1, ..Damage::default() });
    assert_eq!(damage.to_string(), "");
    assert!(session.bytes().starts_with(&lines.concat()), "kept as it was");
}

/// A log that ends with a compaction that keeps from the record `keep_from`.
fn compacted(keep_from: Option<&str>) -> Session {
    let session = Session::with(4);
    let (mut log, ..) =
        tern::session::log::Log::open(&session.path, session.tools(Disk::default())).unwrap();
    let compaction = Compaction {
        summary: "all of it".into(),
        keep_from: keep_from.map(|id| tern::protocol::MessageId(id.into())),
        before: 100,
        after: 10,
        automatic: true,
        ..Compaction::default()
    };
    append(&mut log, Body::Compaction(compaction));
    drop(log);
    session
}

fn history(session: &Session) -> (usize, usize) {
    let (loaded, _) = session.load();
    let conversation = replay::messages(&loaded, &session.blobs());
    (conversation.messages.len(), conversation.problems.len())
}

fn compaction_of_nothing() {
    assert_eq!(history(&compacted(None)), (1, 0));
    assert_eq!(history(&compacted(Some("nowhere"))), (history(&Session::with(4)).0, 1));
}

fn torn_compaction() {
    let session = compacted(None);
    let bytes = session.bytes();
    session.set(&[&bytes[..bytes.len() - 5]]);
    assert_eq!(history(&session), history(&Session::with(4)));
}

fn four_writers() {
    let session = Session::with(2);
    let line = session.lines()[1].clone();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (path, line) = (&session.path, &line);
            scope.spawn(move || {
                let disk = Disk::default();
                let file = disk.open(path).unwrap();
                for n in 0..100 {
                    let record = changed(line, |record| {
                        record["id"] = json!(format!("{writer}-{n}"));
                        record["parts"][0]["text"] = json!("x".repeat(writer * 20_000 + n));
                    });
                    assert_eq!(disk.write(&file, &record).unwrap(), record.len());
                }
            });
        }
    });
    let (loaded, damage) = session.load();
    assert_eq!((loaded.entries.len(), damage.bad, damage.torn), (402, 0, 0));
}

fn cut_by_another_program() {
    let session = Session::new();
    let mut log = session.create(Disk::default());
    (1..6).for_each(|n| drop(append(&mut log, body(n))));
    let wanted = session.bytes();
    std::fs::OpenOptions::new().write(true).open(&session.path).unwrap().set_len(100).unwrap();
    let problem = log.append(body(6), now()).problem.unwrap();
    assert_eq!(problem.kind, LogErrorKind::Replaced);
    assert!(session.bytes().starts_with(&wanted));
    let (loaded, damage) = session.load();
    assert_eq!((ids(&loaded).len(), damage), (7, Damage::default()));
}

#[cfg(unix)]
fn folder_became_a_link() {
    let session = Session::new();
    let elsewhere = session.dir.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::create_dir_all(session.path.parent().unwrap().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, session.path.parent().unwrap()).unwrap();
    let mut log = session.create(Disk::default());
    let problem = log.append(user("hello"), now()).problem.unwrap();
    assert!(problem.message.contains("its folder is a symbolic link"), "{problem}");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert_eq!(log.unwritten(), 2, "kept in memory");
}

#[cfg(not(unix))]
fn folder_became_a_link() {
    println!("SKIPPED log-0063: no symbolic links");
}

fn errno(name: rustix::io::Errno) -> Fault {
    Fault::Error(name.raw_os_error())
}

fn failed_sync() {
    let session = Session::new();
    // The first sync is of the folder, when the file is made.
    let plan = Plan { op: Some(Op::Sync), from: 1, count: 1, fault: errno(rustix::io::Errno::IO) };
    let mut log = session.create(Disk::faulty(plan));
    append(&mut log, user("hello"));
    for _ in 0..3 {
        let problem = log.sync().unwrap_err();
        assert_eq!(problem.kind, LogErrorKind::NotDurable, "never taken back");
    }
}

fn no_descriptors() {
    let session = Session::new();
    let fault = errno(rustix::io::Errno::MFILE);
    let mut log =
        session.create(Disk::faulty(Plan { op: Some(Op::Open), from: 0, count: 2, fault }));
    for _ in 0..2 {
        let problem = log.append(user("hello"), now()).problem.unwrap();
        assert_eq!(problem.kind, LogErrorKind::Held);
    }
    append(&mut log, user("hello"));
    assert_eq!(ids(&session.load().0).len(), 4);
}

fn interrupted_calls() {
    let session = Session::new();
    let fault = errno(rustix::io::Errno::INTR);
    let mut log =
        session.create(Disk::faulty(Plan { op: Some(Op::Write), from: 0, count: 5, fault }));
    append(&mut log, user("hello"));
    assert_eq!(ids(&session.load().0).len(), 2);
}

fn full_store() {
    let session = Session::new();
    let fault = errno(rustix::io::Errno::NOSPC);
    let full = Disk::faulty(Plan { op: None, from: 0, count: u64::MAX, fault });
    let blobs = Blobs::new(session.dir.path().join("blobs"), full);
    let tools = Tools { blobs, ..session.tools(Disk::default()) };
    let mut log = tern::session::log::Log::create(session.path.clone(), opening("s"), tools, now());
    append(&mut log, user(&"paste ".repeat(2000)));
    let conversation = replay::messages(&session.load().0, &session.blobs());
    assert_eq!(conversation.messages[0].text(), "paste ".repeat(2000));
}

fn no_result() {
    let session = Session::with(4);
    assert_eq!(every_call_is_answered(&session), [CallId("call-1".into())]);
}

fn killed_while_storing() {
    let paste = "paste ".repeat(2000);
    for from in 0..20 {
        let session = Session::new();
        let plan = Plan { op: None, from, count: u64::MAX, fault: Fault::Torn(100) };
        let mut log = session.create(Disk::faulty(plan));
        // From the planned call on nothing works any more: the process might as well be dead.
        let _ = log.append(user(&paste), now());
        let _ = log.append(user(&paste), now());
        drop(log);
        let Ok((loaded, _)) = tern::session::read::load(&session.path) else { continue };
        let conversation = replay::messages(&loaded, &session.blobs());
        assert_eq!(conversation.problems, [""; 0], "call {from}");
    }
}
