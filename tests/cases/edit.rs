//! The cases of `edit.jsonl` through the real tools: bytes on disk, status, and what is said.
//!
//! A case says in words what is wanted; [`wanted`] holds the same as a check, by the case's id. A
//! case without an entry fails, so that a new line in the file is not passed over.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]
#![allow(clippy::print_stdout, reason = "skipped cases are told")]

mod inexact;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tern::protocol::{CallStatus, Detail, Preview};
use tern::tools::{Approved, Outcome, SessionState, Tool, ToolCtx, table};
use tokio_util::sync::CancellationToken;

/// What must be true after the call.
enum Wanted {
    /// Done, and the file holds these bytes.
    Bytes(&'static [u8]),
    /// Not done, the file as it was, and the answer says so.
    Refused(&'static str),
    /// Done, and the answer holds this.
    Says(&'static str),
    /// What a plain call cannot show.
    Own(fn(&Case)),
    Skipped(&'static str),
}

fn wanted(id: &str) -> Option<Wanted> {
    use Wanted::*;
    Some(match id {
        "edit-0004" => Bytes(b"a\nB\r\nC\n"),
        "edit-0007" => Bytes(b"a\nB"),
        "edit-0009" => Bytes(b"a\nb\n"),
        "edit-0010" => Bytes("x\u{2028}Y\n".as_bytes()),
        "edit-0013" => Bytes(b"\xef\xbb\xbfA\nb\n"),
        "edit-0022" => Refused("<U+00A0>"),
        "edit-0023" => Bytes("😀b\n".as_bytes()),
        "edit-0025" => Bytes("\u{fffd}\u{fffd}\u{fffd}\n".as_bytes()),
        "edit-0026" => Refused("2 times"),
        "edit-0028" => Bytes(b"ba"),
        "edit-0032" => Bytes(b"b"),
        "edit-0036" => Bytes(b"$&\\1%s{}\\n\n"),
        "edit-0043" => Refused("a binary file, 10.0 GB"),
        "edit-0044" => Refused("at most 5.0 MB"),
        "edit-0048" => Refused("Read it first"),
        "edit-0050" => Own(changed_after_approval),
        "edit-0052" => Own(deleted_after_approval),
        "edit-0060" => Own(hard_link_is_parted),
        "edit-0062" => Refused("a named pipe"),
        "edit-0064" => Refused("a socket"),
        "edit-0069" => Says("a\n"),
        "edit-0072" => Refused("read-only"),
        "edit-0075" => Own(attributes_are_kept),
        "edit-0079" => Own(umask_counts),
        "edit-0085" => Own(the_new_file_is_made_beside_the_old),
        "edit-0086" => Own(an_open_file_is_replaced),
        "edit-0091" => Skipped("undo is not a tool: the session's checkpoints do it"),
        "edit-0094" => Own(parallel_edits_do_not_cross),
        "edit-0097" => Own(a_missing_line_end_shows),
        "edit-0098" => Own(blanks_show),
        _ => return None,
    })
}

#[test]
fn every_case() {
    let lines = include_str!("edit.jsonl").lines();
    let cases: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() >= 30);
    for data in cases {
        let id = data["id"].as_str().unwrap().to_owned();
        let case = Case::new(data);
        match wanted(&id).unwrap_or_else(|| panic!("{id}: no check for this case")) {
            Wanted::Skipped(why) => println!("SKIPPED {id}: {why}"),
            Wanted::Own(check) => check(&case),
            Wanted::Bytes(bytes) => {
                let outcome = case.call();
                assert_eq!(outcome.status, CallStatus::Done, "{id}: {}", outcome.text);
                assert_eq!(case.bytes(), bytes, "{id}");
                assert!(outcome.text.len() <= 90, "{id}: {}", outcome.text);
            }
            Wanted::Refused(says) => {
                let before = case.small_bytes();
                let outcome = case.call();
                assert_eq!(outcome.status, CallStatus::Failed, "{id}: {}", outcome.text);
                assert!(outcome.text.contains(says), "{id}: {}", outcome.text);
                assert_eq!(case.small_bytes(), before, "{id}");
            }
            Wanted::Says(says) => {
                let outcome = case.call();
                assert_eq!(outcome.status, CallStatus::Done, "{id}");
                assert!(outcome.text.contains(says), "{id}: {}", outcome.text);
            }
        }
        case.nothing_left_over();
    }
}

/// A case in a folder of its own, its file made and read.
struct Case {
    data: Value,
    dir: tempfile::TempDir,
    file: PathBuf,
    ctx: ToolCtx,
}

impl Case {
    fn new(data: Value) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let file = root.join(data["file"]["name"].as_str().unwrap_or("file.txt"));
        let (output, _) = tokio::sync::mpsc::channel(1);
        let ctx = ToolCtx {
            cwd: root.clone(),
            spill: root.join("spill"),
            cancel: CancellationToken::new(),
            output,
            session: Arc::new(SessionState::default()),
            approved: Approved::default(),
            barred: tern::permissions::Barred::default(),
            ask: Arc::new(tern::protocol::Nobody),
        };
        let case = Case { data, dir, file, ctx };
        case.make();
        let unread = case.data["file"]["never_read"] == true || case.data["op"]["tool"] == "Read";
        if !unread && case.file.is_file() {
            case.run("Read", json!({"file_path": case.path()}), Approved::default());
        }
        case
    }

    fn make(&self) {
        let file = &self.data["file"];
        let text = file["text"].as_str().map(|text| text.as_bytes().to_vec());
        let hex = file["bytes_hex"].as_str().map(unhex);
        if let Some(bytes) = text.or(hex) {
            std::fs::write(&self.file, bytes).unwrap();
        }
        if file["generate"] == "sparse file 10 GB" {
            File::create(&self.file).unwrap().set_len(10 << 30).unwrap();
        }
        #[cfg(unix)]
        {
            use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};
            use std::os::unix::fs::PermissionsExt;
            if file["fifo"] == true {
                mknodat(CWD, &self.file, FileType::Fifo, Mode::RUSR, 0).unwrap();
            }
            if file["socket"] == true {
                drop(std::os::unix::net::UnixListener::bind(&self.file).unwrap());
            }
            if file["hardlink_of"].is_string() {
                std::fs::hard_link(&self.file, self.other()).unwrap();
            }
            if let Some(mode) = file["mode"].as_str() {
                let mode = u32::from_str_radix(mode, 8).unwrap();
                std::fs::set_permissions(&self.file, PermissionsExt::from_mode(mode)).unwrap();
            }
            if let Some((name, value)) = file["xattr"].as_str().and_then(|x| x.split_once('=')) {
                // Not every file system has them; the case then says so.
                let _ = setxattr(&self.file, name, value.as_bytes(), XattrFlags::empty());
            }
        }
    }

    fn path(&self) -> String {
        self.file.display().to_string()
    }

    fn other(&self) -> PathBuf {
        self.dir.path().join("other.txt")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap()
    }

    /// The bytes of a plain file that is not huge.
    fn small_bytes(&self) -> Option<Vec<u8>> {
        let meta = self.file.symlink_metadata().ok()?;
        (meta.is_file() && meta.len() < 1 << 20).then(|| self.bytes())
    }

    /// The case's own call.
    fn input(&self) -> (String, Value) {
        let mut input = self.data["op"].as_object().unwrap().clone();
        let tool = input.remove("tool").unwrap().as_str().unwrap().to_owned();
        if let Some(Value::String(size)) = input.remove("content_generate") {
            assert_eq!(size, "100 MB");
            input.insert("content".into(), "x".repeat(100 << 20).into());
        }
        input.insert("file_path".into(), self.path().into());
        (tool, input.into())
    }

    fn call(&self) -> Outcome {
        let (tool, input) = self.input();
        self.run(&tool, input, Approved::default())
    }

    fn run(&self, tool: &str, input: Value, approved: Approved) -> Outcome {
        let ctx = ToolCtx { approved, ..self.ctx.clone() };
        wait(async { named(tool).run(input, &ctx).await })
    }

    /// The preview of the case's own call, and the approval of all of it.
    fn preview(&self) -> (Preview, Approved) {
        let (tool, input) = self.input();
        let shown = wait(async { named(&tool).preview(&input, &self.ctx).await }).unwrap();
        (shown.preview, Approved { base: Some(shown.base), ..Approved::default() })
    }

    /// No file beside those that the case is about.
    fn nothing_left_over(&self) {
        let names = std::fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name());
        let names: Vec<_> = names.filter(|name| name.to_string_lossy().contains("tern")).collect();
        assert!(names.is_empty(), "{}: {names:?}", self.data["id"]);
    }
}

fn named(tool: &str) -> Arc<dyn Tool> {
    table::all().into_iter().find(|t| t.name() == tool).unwrap()
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_secs(30);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(limit, work).await }).expect("it hangs")
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn changed_after_approval(case: &Case) {
    let (_, approved) = case.preview();
    std::fs::write(&case.file, "a\nmore\n").unwrap();
    let (tool, input) = case.input();
    let outcome = case.run(&tool, input, approved);
    assert_eq!(outcome.status, CallStatus::Failed);
    assert!(outcome.text.contains("approved"), "{}", outcome.text);
    assert_eq!(case.bytes(), b"a\nmore\n");
}

fn deleted_after_approval(case: &Case) {
    let (_, approved) = case.preview();
    std::fs::remove_file(&case.file).unwrap();
    let (tool, input) = case.input();
    let outcome = case.run(&tool, input, approved);
    assert_eq!(outcome.status, CallStatus::Failed, "{}", outcome.text);
    assert!(!case.file.exists());
}

/// Documented: the name that is edited gets the new text, other names keep the old one.
fn hard_link_is_parted(case: &Case) {
    let outcome = case.call();
    assert_eq!(outcome.status, CallStatus::Done);
    assert!(outcome.text.contains("hard links"), "{}", outcome.text);
    assert_eq!(case.bytes(), b"b\n");
    assert_eq!(std::fs::read(case.other()).unwrap(), b"a\n");
}

#[cfg(unix)]
fn attributes_are_kept(case: &Case) {
    let mut value = [0; 8];
    let Ok(1) = rustix::fs::getxattr(&case.file, "user.x", &mut value[..]) else {
        println!("SKIPPED edit-0075: this file system has no extended attributes");
        return;
    };
    assert_eq!(case.call().status, CallStatus::Done);
    assert_eq!(case.bytes(), b"b\n");
    assert_eq!(rustix::fs::getxattr(&case.file, "user.x", &mut value[..]), Ok(1));
    assert_eq!(&value[..1], b"1");
}

#[cfg(not(unix))]
fn attributes_are_kept(_: &Case) {
    println!("SKIPPED edit-0075: only Unix has extended attributes");
}

/// The umask belongs to the whole process, so a process of its own has it set.
fn umask_counts(case: &Case) {
    let umask = case.data["file"]["umask"].as_str().unwrap();
    let child = std::process::Command::new("sh")
        .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "edit::write_a_new_file"])
        .env("NEW_FILE", &case.file)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(case.bytes(), b"x");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(case.file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }
}

#[test]
#[ignore = "a part of edit-0079, run by it in a process of its own"]
fn write_a_new_file() {
    let path = std::env::var("NEW_FILE").unwrap();
    let mut case = Case::new(json!({"file": {"absent": true}}));
    case.file = path.into();
    let input = json!({"file_path": case.path(), "content": "x"});
    assert_eq!(case.run("Write", input, Approved::default()).status, CallStatus::Done);
}

/// A file that is replaced from another file system would need two steps. The new file is made in
/// the same folder: a folder that takes no new file shows it, for then it is written in place.
fn the_new_file_is_made_beside_the_old(case: &Case) {
    #[cfg(unix)]
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    #[cfg(unix)]
    let (before, device) = {
        use std::os::unix::fs::MetadataExt;
        (inode(&case.file), case.file.metadata().unwrap().dev())
    };
    assert_eq!(case.call().status, CallStatus::Done);
    assert_eq!(case.bytes(), b"b\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_ne!(inode(&case.file), before, "replaced in one step");
        assert_eq!(case.file.metadata().unwrap().dev(), device);
    }
}

fn an_open_file_is_replaced(case: &Case) {
    let open = File::open(&case.file).unwrap();
    assert_eq!(case.call().status, CallStatus::Done);
    assert_eq!(case.bytes(), b"b\n");
    assert_eq!(std::io::read_to_string(open).unwrap(), "a\n", "a reader keeps what it opened");
}

fn parallel_edits_do_not_cross(case: &Case) {
    let text: String = (0..40).map(|n| format!("line {n} end\n")).collect();
    std::fs::write(&case.file, &text).unwrap();
    case.run("Read", json!({"file_path": case.path()}), Approved::default());
    let edit = named("Edit");
    let outcomes = wait(async {
        let calls = (0..40).map(|n| {
            let (edit, ctx, path) = (edit.clone(), case.ctx.clone(), case.path());
            tokio::spawn(async move {
                let (old, new) = (format!("line {n} end"), format!("LINE {n} END"));
                let input = json!({"file_path": path, "old_string": old, "new_string": new});
                edit.run(input, &ctx).await
            })
        });
        let mut outcomes = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            outcomes.push(call.await.unwrap());
        }
        outcomes
    });
    assert!(outcomes.iter().all(|outcome| outcome.status == CallStatus::Done));
    assert_eq!(String::from_utf8(case.bytes()).unwrap(), text.to_uppercase());
}

fn rows(preview: &Preview) -> Vec<(String, bool, usize)> {
    let Preview::Edit { hunks, .. } = preview else { panic!("not an edit: {preview:?}") };
    let rows = hunks.iter().flat_map(|hunk| &hunk.lines);
    rows.map(|row| (row.text.clone(), row.no_newline, row.changed.len())).collect()
}

fn a_missing_line_end_shows(case: &Case) {
    let (preview, _) = case.preview();
    assert_eq!(rows(&preview), [("a".into(), true, 0), ("a".into(), false, 0)]);
}

fn blanks_show(case: &Case) {
    let (preview, approved) = case.preview();
    assert_eq!(rows(&preview), [("a ".into(), false, 1), ("a".into(), false, 0)]);
    let (tool, input) = case.input();
    let outcome = case.run(&tool, input, approved);
    assert!(matches!(outcome.detail, Detail::Diff { added: 1, removed: 1, .. }));
    assert_eq!(case.bytes(), b"a\n");
}
