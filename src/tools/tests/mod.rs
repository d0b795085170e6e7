//! The tools as the agent calls them: input in, outcome and disk out.

mod bash;
mod read;
mod search;
mod write;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::protocol::{CallStatus, Preview};
use crate::tools::{Approved, Outcome, Prepared, SessionState, Tool, ToolCtx, lock, table};

/// A session in a folder of its own.
struct Desk {
    dir: tempfile::TempDir,
    ctx: ToolCtx,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        std::fs::create_dir(&root).unwrap();
        let ctx = ToolCtx {
            spill: root.parent().unwrap().join("spill"),
            cwd: root,
            cancel: CancellationToken::new(),
            output: tokio::sync::mpsc::channel(1).0,
            session: Arc::new(SessionState::default()),
            approved: Approved::default(),
            barred: crate::permissions::Barred::default(),
            ask: Arc::new(crate::protocol::Nobody),
        };
        let desk = Desk { dir, ctx };
        files.iter().for_each(|(name, text)| desk.put(name, text));
        desk
    }

    fn root(&self) -> &Path {
        &self.ctx.cwd
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.root().join(name)).unwrap()
    }

    async fn call(&self, tool: &str, input: Value) -> Outcome {
        named(tool).run(input, &self.ctx).await
    }

    /// Reads a file and gives what the model got.
    async fn read(&self, name: &str) -> String {
        self.call("Read", json!({"file_path": name})).await.text
    }

    async fn preview(&self, tool: &str, input: &Value) -> Prepared {
        named(tool).preview(input, &self.ctx).await.unwrap()
    }

    /// A call whose preview was shown before, of which these hunks were kept.
    async fn approved(&self, tool: &str, input: Value, base: Prepared, hunks: &[usize]) -> Outcome {
        let approved =
            Approved { base: Some(base.base), hunks: Some(hunks.to_vec()), ..Approved::default() };
        let ctx = ToolCtx { approved, ..self.ctx.clone() };
        named(tool).run(input, &ctx).await
    }
}

fn named(tool: &str) -> Arc<dyn Tool> {
    table::all().into_iter().find(|t| t.name() == tool).unwrap()
}

fn text(outcome: &Outcome) -> (CallStatus, &str, &str) {
    (outcome.status, outcome.text.as_str(), outcome.facts.as_str())
}

const DONE: CallStatus = CallStatus::Done;
const FAILED: CallStatus = CallStatus::Failed;

#[tokio::test]
async fn titles_are_plain_words() {
    let desk = Desk::new(&[]);
    let inside = desk.root().join("src/a.rs").display().to_string();
    for (tool, input, expected) in [
        ("Read", json!({"file_path": inside}), "Reading/Read src/a.rs"),
        ("Write", json!({"file_path": "./x"}), "Writing/Wrote x"),
        ("Edit", json!({"file_path": "/etc/x"}), "Editing/Edited /etc/x"),
        ("MultiEdit", json!(7), "Editing/Edited a file"),
        ("Glob", json!({"pattern": "*.rs", "path": "src"}), "Finding/Found *.rs in src"),
        ("Grep", json!({"pattern": "fn next"}), "Searching/Searched \"fn next\""),
        ("LS", json!({}), "Listing/Listed ."),
        ("Bash", json!({"command": "cargo test\nls"}), "Running/Ran cargo test …"),
        ("Bash", json!({"command": 1}), "Running/Ran a command"),
        ("TodoWrite", json!(null), "Planning/Planned the next steps"),
    ] {
        let title = named(tool).title(&input, desk.root());
        let shown = format!("{}/{} {}", title.doing, title.done, title.object);
        assert_eq!(shown, expected, "{tool} {input}");
    }
}

#[tokio::test]
async fn wrong_input_is_a_failed_call_and_counts_as_mutating() {
    let desk = Desk::new(&[]);
    for tool in table::all() {
        for input in [json!(null), json!([1]), json!({"nonsense": {"deep": [1]}}), json!("x")] {
            assert_eq!(tool.class(&input), crate::tools::Class::Mutating, "{tool:?} {input}");
            assert!(tool.preview(&input, &desk.ctx).await.is_err(), "{tool:?} {input}");
            let outcome = tool.run(input.clone(), &desk.ctx).await;
            assert_eq!(outcome.status, FAILED, "{tool:?} {input}: {}", outcome.text);
            assert!(outcome.text.starts_with(tool.name()), "{}", outcome.text);
        }
    }
}

#[tokio::test]
async fn tidy_input_has_the_names_of_the_schema() {
    for (tool, input, expected) in [
        ("Read", json!({"path": "a", "limit": "3"}), json!({"file_path": "a", "limit": 3})),
        (
            "MultiEdit",
            json!({"file": "a", "edits": "[{\"old_str\": \"x\", \"new_str\": \"y\"}]"}),
            json!({"file_path": "a", "edits": [{"old_string": "x", "new_string": "y"}]}),
        ),
        ("Bash", json!({"cmd": "ls", "timeout": null}), json!({"command": "ls"})),
        // Which of two is meant is not plain: both stay, and the call fails.
        ("Read", json!({"path": "a", "file_path": "b"}), json!({"path": "a", "file_path": "b"})),
        ("Read", json!([1]), json!([1])),
    ] {
        assert_eq!(named(tool).tidy(input), expected, "{tool}");
    }
}

#[tokio::test]
async fn todos_are_stored_and_checked() {
    let desk = Desk::new(&[]);
    let item = |content: &str, status: &str| json!({"content": content, "status": status});
    for (todos, expected) in [
        (json!([item("a", "completed"), item("b", "in_progress")]), (DONE, "Stored: 1 of 2 done.")),
        (
            json!([item("a", "in_progress"), item("b", "in_progress")]),
            (FAILED, "TodoWrite: 2 items are in_progress; only one can be."),
        ),
        (json!([item(" ", "pending")]), (FAILED, "TodoWrite: the content of item 1 is empty.")),
    ] {
        let outcome = desk.call("TodoWrite", json!({"todos": todos})).await;
        assert_eq!((outcome.status, outcome.text.as_str()), expected);
    }
    assert_eq!(lock(&desk.ctx.session.todos).len(), 2);
    let outcome = desk.call("TodoWrite", json!({"todos": [item("a", "later")]})).await;
    assert_eq!(outcome.status, FAILED);
}

fn hunk_count(prepared: &Prepared) -> usize {
    match &prepared.preview {
        Preview::Edit { hunks, .. } => hunks.len(),
        other => panic!("not an edit: {other:?}"),
    }
}
