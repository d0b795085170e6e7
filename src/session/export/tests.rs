use super::*;

use crate::protocol::{CallStatus, Detail, Hunk, HunkLine, LineKind, MessageId, Mode, TurnId};
use crate::session::disk::Disk;
use crate::session::record::tests::record;
use crate::session::record::{Opening, encode};
use crate::session::redact::Secrets;
use crate::session::{read, shelve};

const HOSTILE: &str = "<script>alert(1)</script>\n\n[x](javascript:alert(1)) [y]( JavaScript:z) \
    ![i](http://h/t.png) <img src=x onerror=y>";

const UNKNOWN: &str = r#"{"v":1,"seq":5,"id":"r5","parent":"r4","t":"2027-01-15T08:00:05Z","type":"hologram","x":"/home/ann"}
"#;

fn session() -> (tempfile::TempDir, Loaded, Blobs) {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::new(dir.path().join("blobs"), Disk::default());
    let line = |kind, text: &str, changed| HunkLine {
        kind,
        text: text.into(),
        changed,
        no_newline: false,
    };
    let hunk = Hunk {
        old_start: 3,
        new_start: 3,
        lines: vec![
            line(LineKind::Removed, "let a = <1>;", vec![(9, 10), (90, 99)]),
            line(LineKind::Added, "let a = <2>;", vec![(9, 10)]),
        ],
    };
    let detail = Detail::Diff {
        path: "/p/a.rs".into(),
        hunks: vec![hunk],
        added: 1,
        removed: 1,
        new_file: false,
    };
    let result = CallResult {
        status: CallStatus::Done,
        text: "edited".into(),
        facts: "+1 −1".into(),
        detail,
    };
    let call = |id: &str| CallId(id.into());
    let input = serde_json::json!({"command": "cat ```x"});
    let text = |text: &str| Part::Text { text: text.into() };
    let bodies = [
        Body::Session(Opening {
            session: SessionId("s".into()),
            cwd: "/home/ann/p".into(),
            model: "demo/demo".into(),
            mode: Mode::Default,
            branch: Some("main".into()),
            tern: String::new(),
            origin: None,
        }),
        shelve::shelve(Body::user(vec![text(&"long paste ".repeat(500))]), &blobs),
        Body::assistant(
            vec![
                text(HOSTILE),
                Part::Call { id: call("a"), tool: "Edit".into(), input: serde_json::json!({}) },
                Part::Call { id: call("b"), tool: "Bash".into(), input },
            ],
            "demo/demo",
        ),
        Body::Call {
            call: call("a"),
            tool: "Edit".into(),
            input: serde_json::json!({}),
            title: Title::new("Editing", "Edited", "a.rs"),
            turn: TurnId(1),
        },
        Body::Result { call: call("a"), result },
    ];
    let lines: Vec<Vec<u8>> = bodies
        .into_iter()
        .enumerate()
        .map(|(n, body)| {
            let parent = n.checked_sub(1).map(|n| format!("r{n}"));
            encode(&record(n as u64, parent.as_deref(), body)).unwrap()
        })
        .collect();
    let path = dir.path().join("s.jsonl");
    std::fs::write(&path, [lines.concat(), UNKNOWN.into()].concat()).unwrap();
    let (loaded, damage) = read::load(&path).unwrap();
    assert!(damage.is_none(), "{damage}");
    (dir, loaded, blobs)
}

#[test]
fn html_is_complete_and_harmless() {
    let (_dir, loaded, blobs) = session();
    let html = export(&loaded, &blobs, Format::Html, None);
    for foreign in ["<script", "<img", "javascript:", "JavaScript:", "<img src"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    for wanted in [
        "<summary><b>✓</b> Edited a.rs <i>+1 −1</i></summary>",
        "<span class=\"gone\">    3 - let a = &lt;<mark>1</mark>&gt;;</span>",
        "<span class=\"new\">    3 + let a = &lt;<mark>2</mark>&gt;;</span>",
        "<a href=\"#\">x</a>",
        "<i>outcome unknown</i>",
        "long paste long paste",
        "<dd>/home/ann/p</dd>",
    ] {
        assert!(html.contains(wanted), "{wanted}\n{html}");
    }
}

#[test]
fn markdown_fences_hold() {
    let (_dir, loaded, blobs) = session();
    let page = export(&loaded, &blobs, Format::Markdown, None);
    for wanted in [
        "# long paste long paste",
        "- branch: `main`\n",
        "## You\n\nlong paste",
        "**Edit** `Edited a.rs` (+1 −1)\n",
        "```diff\n@@ -3 +3 @@\n-let a = <1>;\n+let a = <2>;\n```\n",
        "````\ncat ```x\n````\n",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
}

#[test]
fn json_lines_are_records_with_their_text_in_place() {
    let (_dir, loaded, blobs) = session();
    let lines = export(&loaded, &blobs, Format::Jsonl, None);
    let records: Vec<Record> =
        lines.lines().map(|line| record::decode(line.as_bytes()).unwrap()).collect();
    assert_eq!(records.len(), 6);
    assert!(lines.ends_with(UNKNOWN), "{lines}");
    assert_eq!(records[1].id, MessageId("r1".into()));
    assert_eq!(records[1].body, Body::user(vec![Part::Text { text: "long paste ".repeat(500) }]));
}

#[test]
fn a_redaction_reaches_every_text() {
    let (_dir, loaded, blobs) = session();
    for format in [Format::Markdown, Format::Html, Format::Jsonl] {
        let mut redaction = Redaction::new(Secrets::new(["long paste".into()]), None).unwrap();
        let text = export(&loaded, &blobs, format, Some(&mut redaction));
        assert!(!text.contains("long paste") && !text.contains("/home/ann"), "{text}");
        assert!(redaction.replaced().iter().any(|replaced| replaced.text == "/home/ann"));
    }
}
