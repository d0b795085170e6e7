#![allow(clippy::needless_pass_by_value, reason = "json! gives values")]

use super::*;
use crate::protocol::Role;
use crate::session::blobs::Blobs;
use crate::session::{read, replay};
use proptest::prelude::*;
use serde_json::json;

struct Home {
    dir: tempfile::TempDir,
    places: Places,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::new(&dir.path().join("data"), &dir.path().join("cache"));
    Home { dir, places }
}

impl Home {
    fn import(&self, name: &str, lines: &[Value]) -> Result<Imported, ImportError> {
        let path = self.dir.path().join(name);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        import(&path, &self.places, Timestamp::from_second(1_800_000_000).unwrap())
    }

    /// Role and text of each message, as the next request would carry them.
    fn messages(&self, imported: &Imported) -> Vec<(Role, String)> {
        let (loaded, damage) = read::load(&imported.path).unwrap();
        assert!(damage.is_none(), "{damage}");
        let talk = replay::messages(&loaded, &Blobs::new(&self.places.blobs, Disk::default()));
        assert_eq!(talk.unknown, [], "every call has its result");
        let text = |part: &Part| match part {
            Part::Text { text } => text.clone(),
            Part::Call { tool, input, .. } => format!("{tool} {input}"),
            Part::Result { text, is_error, .. } => format!("{is_error}: {text}"),
            other => format!("{other:?}"),
        };
        let message = |message: &crate::protocol::Message| {
            (message.role, message.parts.iter().map(text).collect::<Vec<_>>().join(" | "))
        };
        talk.messages.iter().map(message).collect()
    }
}

fn claude(uuid: &str, parent: Option<&str>, kind: &str, content: Value) -> Value {
    json!({
        "uuid": uuid, "parentUuid": parent, "type": kind, "sessionId": "abc", "cwd": "/p",
        "gitBranch": "main", "timestamp": "2026-01-02T03:04:05Z", "isSidechain": false,
        "message": {"role": kind, "content": content, "model": "claude-x"},
    })
}

#[test]
fn claude_code_becomes_a_session() {
    let home = home();
    let mut aside = claude("s", Some("b"), "assistant", json!("aside"));
    aside["isSidechain"] = json!(true);
    let lines = [
        json!({"type": "summary", "summary": "A talk", "leafUuid": "x"}),
        json!({"type": "file-history-snapshot", "snapshot": {}}),
        claude("a", None, "user", json!("look at x")),
        claude(
            "b",
            Some("a"),
            "assistant",
            json!([
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I'll read it."},
            ]),
        ),
        claude(
            "c",
            Some("b"),
            "assistant",
            json!([
                {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/p/x"}},
            ]),
        ),
        aside,
        claude("left", Some("c"), "user", json!("another way")),
        claude(
            "d",
            Some("c"),
            "user",
            json!([
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "one"}], "is_error": true},
            ]),
        ),
        claude("e", Some("d"), "assistant", json!([{"type": "text", "text": "It fails."}])),
    ];
    let imported = home.import("c.jsonl", &lines).unwrap();
    assert_eq!((imported.from, imported.prompts, imported.calls), (Maker::Claude, 1, 1));
    let dropped: Vec<(&str, usize)> = imported.dropped.iter().map(|(k, v)| (*k, *v)).collect();
    assert_eq!(
        dropped,
        [
            ("lines that are no messages", 1),
            ("messages of branches that were left", 1),
            ("messages of sub-agents", 1),
            ("thoughts", 1),
        ]
    );
    let call = r#"I'll read it. | Read {"file_path":"/p/x"}"#;
    assert_eq!(
        home.messages(&imported),
        [
            (Role::User, "look at x".to_owned()),
            (Role::Assistant, call.to_owned()),
            (Role::User, "true: one".to_owned()),
            (Role::Assistant, "It fails.".to_owned()),
        ]
    );
    let (loaded, _) = read::load(&imported.path).unwrap();
    let state = replay::state(&loaded);
    assert_eq!(state.title.as_deref(), Some("A talk"));
    let opening = loaded.opening.unwrap();
    assert_eq!((opening.cwd.as_str(), opening.branch.as_deref()), ("/p", Some("main")));
    let again = home.import("copy.jsonl", &lines).unwrap_err();
    assert!(matches!(again, ImportError::Already { session, .. } if session == imported.session));
}

fn codex(kind: &str, payload: Value) -> Value {
    json!({"timestamp": "2026-01-02T03:04:05.678Z", "type": kind, "payload": payload})
}

#[test]
fn codex_becomes_a_session() {
    let home = home();
    let said = |role: &str, text: &str| {
        let kind = if role == "assistant" { "output_text" } else { "input_text" };
        let content = json!([{"type": kind, "text": text}]);
        codex("response_item", json!({"type": "message", "role": role, "content": content}))
    };
    let lines = [
        codex("session_meta", json!({"id": "r1", "cwd": "/q", "git": {"branch": "dev"}})),
        said("developer", "be brief"),
        said("user", "<environment_context>\n/q</environment_context>"),
        said("user", "list it"),
        codex("event_msg", json!({"type": "user_message", "message": "list it"})),
        codex("turn_context", json!({"model": "gpt-x"})),
        codex("response_item", json!({"type": "reasoning", "encrypted_content": "x"})),
        codex(
            "response_item",
            json!({"type": "function_call", "name": "shell", "call_id": "c1",
            "arguments": "{\"command\":[\"ls\",\"-l\"]}"}),
        ),
        codex(
            "response_item",
            json!({"type": "function_call_output", "call_id": "c1",
            "output": "{\"output\":\"a\\nb\",\"metadata\":{\"exit_code\":1}}"}),
        ),
        said("assistant", "Two files."),
    ];
    let imported = home.import("r.jsonl", &lines).unwrap();
    assert_eq!((imported.from, imported.prompts, imported.calls), (Maker::Codex, 1, 1));
    assert_eq!(
        home.messages(&imported),
        [
            (Role::User, "list it".to_owned()),
            (Role::Assistant, r#"shell {"command":["ls","-l"]}"#.to_owned()),
            (Role::User, "true: a\nb".to_owned()),
            (Role::Assistant, "Two files.".to_owned()),
        ]
    );
    let dropped: Vec<(&str, usize)> = imported.dropped.iter().map(|(k, v)| (*k, *v)).collect();
    assert_eq!(dropped, [("reminders", 2), ("thoughts", 1)]);
}

#[test]
fn what_is_no_transcript_is_refused() {
    let home = home();
    let unknown = |error| matches!(error, ImportError::Unknown { .. });
    assert!(unknown(home.import("a.jsonl", &[json!({"type": "user"}), json!(7)]).unwrap_err()));
    assert!(unknown(home.import("b.jsonl", &[]).unwrap_err()));
    let empty = home.import("c.jsonl", &[codex("session_meta", json!({"id": "x"}))]);
    assert!(matches!(empty, Err(ImportError::Empty { .. })));
    // A circle of parents ends, and so does one message.
    let circle = [
        claude("a", Some("b"), "user", json!("one")),
        claude("b", Some("a"), "user", json!("two")),
    ];
    assert_eq!(home.import("d.jsonl", &circle).unwrap().prompts, 2);
    let missing = import(Path::new("/nowhere/x"), &home.places, Timestamp::UNIX_EPOCH);
    assert!(matches!(missing, Err(ImportError::Unreadable { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_line_hurts(lines in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        claude::read(&lines);
        codex::read(&lines);
    }
}
