//! Session logs to break.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use tern::protocol::{
    CallId, CallResult, CallStatus, Detail, Mode, Part, SessionId, Title, TurnId,
};
use tern::session::blobs::Blobs;
use tern::session::disk::Disk;
use tern::session::log::{Log, Tools};
use tern::session::read::{self, Damage, Loaded};
use tern::session::record::{Body, Opening};
use tern::session::redact::Secrets;

/// A folder with one session in it.
pub struct Session {
    pub dir: tempfile::TempDir,
    pub path: PathBuf,
}

impl Session {
    /// A folder without anything yet.
    pub fn new() -> Session {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions/p/s.jsonl");
        Session { dir, path }
    }

    /// A session of `records` records, the first one its opening: prompts, answers with calls,
    /// intents and results, in turn.
    pub fn with(records: usize) -> Session {
        let session = Session::new();
        let mut log = session.create(Disk::default());
        for n in 1..records {
            append(&mut log, body(n));
        }
        drop(log);
        session
    }

    /// The same with a checksum in each line.
    pub fn sealed(&self, records: usize) -> Log {
        let tools = Tools { checksums: true, ..self.tools(Disk::default()) };
        let mut log = Log::create(self.path.clone(), opening("s"), tools, now());
        (1..records).for_each(|n| drop(append(&mut log, body(n))));
        log
    }

    pub fn blobs(&self) -> Blobs {
        Blobs::new(self.dir.path().join("blobs"), Disk::default())
    }

    pub fn tools(&self, disk: Disk) -> Tools {
        Tools::new(disk, &self.dir.path().join("blobs"), Secrets::default())
    }

    pub fn create(&self, disk: Disk) -> Log {
        Log::create(self.path.clone(), opening("s"), self.tools(disk), now())
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    /// Lines with their ends.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        self.bytes().split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    pub fn set(&self, pieces: &[impl AsRef<[u8]>]) {
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_ref().to_vec()).collect();
        std::fs::write(&self.path, bytes).unwrap();
    }

    pub fn load(&self) -> (Loaded, Damage) {
        read::load(&self.path).unwrap()
    }

    /// Opens the log for writing, as resuming does, and adds one record.
    pub fn resume(&self) -> (Loaded, Damage) {
        let (mut log, loaded, damage) = Log::open(&self.path, self.tools(Disk::default())).unwrap();
        append(&mut log, body(1));
        (loaded, damage)
    }
}

pub fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub fn opening(session: &str) -> Opening {
    Opening {
        session: SessionId(session.into()),
        cwd: "/p".into(),
        model: "demo/demo".into(),
        mode: Mode::Default,
        branch: None,
        tern: String::new(),
        origin: None,
    }
}

pub fn user(text: &str) -> Body {
    Body::user(vec![Part::Text { text: text.into() }])
}

/// The body of the n-th record after the opening.
pub fn body(n: usize) -> Body {
    let call = CallId(format!("call-{}", n / 4));
    let input = json!({ "command": format!("echo {n}") });
    match n % 4 {
        1 => user(&format!("prompt {n} \u{2028} é\"\\")),
        2 => {
            let call = CallId(format!("call-{}", n.div_ceil(4)));
            let call = Part::Call { id: call, tool: "Bash".into(), input };
            Body::assistant(vec![Part::Text { text: format!("answer {n}") }, call], "demo/demo")
        }
        3 => Body::Call {
            call: CallId(format!("call-{}", n.div_ceil(4))),
            tool: "Bash".into(),
            input,
            title: Title::new("Running", "Ran", format!("echo {n}")),
            turn: TurnId(n as u64),
        },
        _ => Body::Result {
            call,
            result: CallResult {
                status: CallStatus::Done,
                text: "output\n".repeat(n % 40),
                facts: "exit 0".into(),
                detail: Detail::Text,
            },
        },
    }
}

/// Appends what must go well.
pub fn append(log: &mut Log, body: Body) -> tern::session::record::RecordId {
    let appended = log.append(body, now());
    assert_eq!(appended.problem, None);
    appended.id
}

pub fn ids(loaded: &Loaded) -> Vec<String> {
    loaded.branch.iter().map(|index| loaded.entries[*index].id.0.clone()).collect()
}

pub fn id_of(line: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap();
    value["id"].as_str().unwrap().to_owned()
}

/// Whether long suites run whole: `TERN_TEST_FULL=1 cargo test ...`.
pub fn full() -> bool {
    std::env::var_os("TERN_TEST_FULL").is_some()
}

/// Numbers that look random and are the same every time.
pub struct Dice(pub u64);

impl Dice {
    /// From 0 to below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*, Vigna 2016
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }
}

pub fn copy_of(path: &Path) -> Option<PathBuf> {
    let name = format!("{}.tail-1", path.file_name()?.to_str()?);
    Some(path.with_file_name(name)).filter(|path| path.exists())
}
