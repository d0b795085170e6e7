//! The history at the size of a few years: 2,000 sessions of 250 kB. Search should answer within
//! 150 ms, a page of the list at once, a session of 100 MB within a moment.
//! Run with `cargo bench --bench search`; needs 700 MB in the temporary folder.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_debug_implementations,
    reason = "a bench may stop at what it cannot do, and says what it measured"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tern::protocol::{
    CallId, CallResult, CallStatus, Detail, MessageId, Mode, Part, SessionId, Title, TurnId,
};
use tern::session::Places;
use tern::session::blobs::Blobs;
use tern::session::disk::Disk;
use tern::session::index::{Filter, Page, list, refresh, search};
use tern::session::record::{Body, Opening, Record, VERSION};
use tern::session::{read, replay};

const SESSIONS: u64 = 2000;

/// Numbers that look random and are the same every time (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    /// Words of which few are common and most are rare, as in a language.
    fn words(&mut self, count: u64) -> String {
        let mut text = String::new();
        for _ in 0..count {
            let bound = 1 + self.roll(20_000);
            let word = self.roll(bound);
            let _ = write!(text, "w{word}ord ");
        }
        text
    }
}

/// A log of `turns` exchanges with `calls` calls each; most of it is output of tools.
fn write_log(path: &Path, session: &str, turns: u64, output: u64, dice: &mut Dice) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut seq = 0;
    let mut add = |body: Body| {
        let id = |seq: u64| MessageId(format!("0199aaaa-bbbb-7ccc-8ddd-{seq:012}"));
        let parent = (seq > 0).then(|| id(seq - 1));
        let t =
            Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_secs(seq as i64);
        let record = Record { v: VERSION, seq, id: id(seq), parent, t, body };
        serde_json::to_writer(&mut out, &record).unwrap();
        out.write_all(b"\n").unwrap();
        seq += 1;
    };
    add(Body::Session(Opening {
        session: SessionId(session.to_owned()),
        cwd: "/home/me/project".into(),
        model: "demo/demo".into(),
        mode: Mode::Default,
        branch: Some("main".into()),
        tern: "0".into(),
        origin: None,
    }));
    for turn in 0..turns {
        add(Body::user(vec![Part::Text { text: dice.words(30) }]));
        for n in 0..3 {
            let call = CallId(format!("call-{turn}-{n}"));
            let input =
                json!({ "file_path": format!("/home/me/project/src/w{}ord.rs", dice.roll(5000)) });
            let part = Part::Call { id: call.clone(), tool: "Read".into(), input: input.clone() };
            add(Body::assistant(vec![Part::Text { text: dice.words(50) }, part], "demo/demo"));
            let title = Title::new("Reading", "Read", "src");
            add(Body::Call {
                call: call.clone(),
                tool: "Read".into(),
                input,
                title,
                turn: TurnId(turn),
            });
            let result = CallResult {
                status: CallStatus::Done,
                text: dice.words(output).replace(' ', "\n"),
                facts: "1–120".into(),
                detail: Detail::Text,
            };
            add(Body::Result { call, result });
        }
    }
    out.flush().unwrap();
}

fn history(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::new(&dir.path().join("data"), &dir.path().join("cache"));
    let folder = places.project(Path::new("/home/me/project"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut dice = Dice(7);
    for n in 0..SESSIONS {
        let session = format!("0199{n:04x}-0000-7000-8000-000000000000");
        write_log(&folder.join(format!("{session}.jsonl")), &session, 25, 240, &mut dice);
    }
    let bytes: u64 = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let page = Page { from: 0, count: 50 };

    let start = Instant::now();
    assert_eq!(list(&places, &Filter::default(), page).unwrap().sessions.len(), 50);
    println!("first page without an index: {:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(refresh(&places, threads).unwrap().read as u64, SESSIONS);
    let pack = std::fs::metadata(places.index.join("texts-1")).unwrap().len();
    println!(
        "index of {} MB built in {:?}, {} MB of text",
        bytes >> 20,
        start.elapsed(),
        pack >> 20
    );

    let mut group = criterion.benchmark_group("2,000 sessions");
    group.sample_size(15).measurement_time(Duration::from_secs(6));
    for (name, words) in [
        ("a common word", "w3ord"),
        ("two common words", "w3ord w5ord"),
        ("a rare word", "w19871ord"),
        ("a phrase", "\"w1ord w0ord\""),
        ("nothing", "nowhere"),
    ] {
        let found = search(&places, words, 20, threads).unwrap();
        println!("{name}: {} sessions", found.matching);
        group.bench_function(name, |bencher| {
            bencher.iter(|| search(&places, words, 20, threads).unwrap().matching);
        });
    }
    group.bench_function("a page of the list", |bencher| {
        bencher.iter(|| list(&places, &Filter::default(), page).unwrap().sessions.len());
    });
    group.finish();
}

fn resume(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.jsonl");
    write_log(&path, "s", 1500, 3000, &mut Dice(9));
    println!("a log of {} MB", path.metadata().unwrap().len() >> 20);
    let before = memory();
    let (loaded, _) = read::load(&path).unwrap();
    println!(
        "kept in memory: {} MB for {} records",
        (memory() - before) >> 10,
        loaded.entries.len()
    );
    let blobs = Blobs::new(dir.path().join("blobs"), Disk::default());
    let mut group = criterion.benchmark_group("a large session");
    group.sample_size(10);
    group.bench_function("its tail", |b| b.iter(|| read::tail(&path, 256 << 10).unwrap().len()));
    group.bench_function("all of it", |b| b.iter(|| read::load(&path).unwrap().0.entries.len()));
    group.bench_function("its messages", |b| {
        b.iter(|| replay::messages(&loaded, &blobs).messages.len());
    });
    group.finish();
}

/// Resident memory of this process in kB, where the system tells.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// 100,000 paths, as of a large repository: an answer should be there within 30 ms.
fn paths(c: &mut Criterion) {
    let mut paths = tern::terminal::paths::Paths::default();
    let mut dice = Dice(7);
    for n in 0..100_000 {
        let folder = dice.roll(400);
        let part = dice.roll(30);
        let name = dice.words(1 + n % 3).replace(' ', "_");
        paths.push(&format!("crates/part-{part}/src/module{folder}/{name}{n}.rs"), false);
    }
    let mut group = c.benchmark_group("a mention among 100,000 files");
    for query in ["", "s", "mod12rs", "part-7/word", "crates/part-21/src/module300/w"] {
        group.bench_function(if query.is_empty() { "nothing typed" } else { query }, |b| {
            b.iter(|| paths.search(query, 50).len());
        });
    }
    group.finish();
}

criterion_group!(benches, paths, resume, history);
criterion_main!(benches);
