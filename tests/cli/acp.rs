//! `tern acp`, as an editor sees it: raw lines in both directions, against the types of the
//! protocol's own crate.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use agent_client_protocol::v1::schema as acp;
use serde_json::{Value, json};

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{calls, says};

/// A client that says what the test tells it to.
struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    output: std::io::Lines<BufReader<ChildStdout>>,
    ids: u64,
    /// Every update so far.
    updates: Vec<Value>,
    /// What it answers to a permission question; `None`: nothing.
    answer: Option<Value>,
    asked: Vec<Value>,
}

impl Editor {
    fn start(tern: &Tern, args: &[&str]) -> Editor {
        let mut child = tern
            .command(&[&["acp"], args].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let (updates, asked) = (Vec::new(), Vec::new());
        Editor { child, input, output, ids: 0, updates, answer: None, asked }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Sends a request and gives its number.
    fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.ids += 1;
        let id = self.ids;
        self.line(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
        );
        id
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.line(&json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
    }

    /// Reads one line, keeps updates and answers questions.
    fn read(&mut self) -> Value {
        let line = self.output.next().expect("tern goes on").unwrap();
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        match message["method"].as_str() {
            Some("session/update") => {
                same::<acp::SessionNotification>(&message["params"]);
                self.updates.push(message["params"]["update"].clone());
            }
            Some("session/request_permission") => {
                same::<acp::RequestPermissionRequest>(&message["params"]);
                self.asked.push(message["params"].clone());
                if let Some(outcome) = self.answer.clone() {
                    let result = json!({"outcome": outcome});
                    let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
                    self.line(&answer.to_string());
                }
            }
            _ => {}
        }
        message
    }

    /// Reads until the answer to a request.
    fn wait(&mut self, id: u64) -> Result<Value, Value> {
        loop {
            let message = self.read();
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        let id = self.send(method, params);
        self.wait(id)
    }

    fn greet(&mut self) {
        let hello = self.ask("initialize", &json!({"protocolVersion": 1})).unwrap();
        same::<acp::InitializeResponse>(&hello);
        assert_eq!(hello["protocolVersion"], 1);
    }

    fn begin(&mut self, tern: &Tern) -> String {
        self.greet();
        let new = self.ask("session/new", &here(tern)).unwrap();
        same::<acp::NewSessionResponse>(&new);
        new["sessionId"].as_str().unwrap().to_owned()
    }

    fn prompt(&mut self, session: &str, text: &str) -> Result<Value, Value> {
        self.ask("session/prompt", &said(session, text))
    }

    /// Closes its end and waits for the other.
    fn leave(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }

    fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.updates.iter().filter(|update| update["sessionUpdate"] == kind).collect()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ended = self.child.kill();
    }
}

/// What the protocol's types make of it is all that it holds.
fn same<T: serde::Serialize + serde::de::DeserializeOwned>(value: &Value) {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), *value);
}

fn here(tern: &Tern) -> Value {
    json!({"cwd": tern.project(), "mcpServers": []})
}

fn said(session: &str, text: &str) -> Value {
    json!({"sessionId": session, "prompt": [{"type": "text", "text": text}]})
}

fn chosen(option: &str) -> Option<Value> {
    Some(json!({"outcome": "selected", "optionId": option}))
}

async fn with_answers(replies: Vec<Reply>) -> (FakeServer, Tern) {
    let server = FakeServer::start(replies).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    std::fs::write(tern.project().join("a.txt"), "one\ntwo\n").unwrap();
    (server, tern)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_holds_a_session_and_answers_a_question() {
    let (server, tern) = with_answers(vec![
        Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
        Reply::sse(says("Made.")),
        Reply::sse(calls("Read", &json!({"file_path": "a.txt"}))),
        Reply::sse(calls(
            "Edit",
            &json!({"file_path": "a.txt", "old_string": "two", "new_string": "three"}),
        )),
        Reply::sse(says("Changed.")),
    ])
    .await;
    aside(move || {
        let mut editor = Editor::start(&tern, &[]);
        let session = editor.begin(&tern);
        editor.answer = chosen("once");
        let end = editor.prompt(&session, "make it").unwrap();
        assert_eq!(end, json!({"stopReason": "end_turn"}));
        assert!(tern.project().join("made").exists());
        assert_eq!(editor.asked.len(), 1);
        assert_eq!(editor.asked[0]["toolCall"]["title"], "Run touch made");
        let told = serde_json::to_string(&editor.asked[0]["toolCall"]["content"]).unwrap();
        assert!(told.contains("touch made"), "{told}");
        let call = &editor.of_kind("tool_call")[0];
        assert_eq!((&call["kind"], &call["name"]), (&json!("execute"), &json!("Bash")));
        let states: Vec<&Value> =
            editor.of_kind("tool_call_update").iter().map(|update| &update["status"]).collect();
        assert_eq!(states.last(), Some(&&json!("completed")));
        assert_eq!(editor.of_kind("agent_message_chunk")[0]["content"]["text"], "Made.");

        editor.updates.clear();
        editor.prompt(&session, "change it").unwrap();
        let updates = editor.of_kind("tool_call_update");
        let diff = updates
            .iter()
            .filter_map(|update| update["content"].as_array())
            .flatten()
            .find(|content| content["type"] == "diff")
            .expect("a diff");
        assert_eq!(diff["path"], json!(tern.project().canonicalize().unwrap().join("a.txt")));
        assert_eq!(
            (&diff["oldText"], &diff["newText"]),
            (&json!("one\ntwo\n"), &json!("one\nthree\n"))
        );
        assert_eq!(std::fs::read_to_string(tern.project().join("a.txt")).unwrap(), "one\nthree\n");

        // The session is on the list, and another client takes it up as it was.
        let list = editor.ask("session/list", &json!({"cwd": tern.project()})).unwrap();
        assert_eq!(list["sessions"][0]["sessionId"], session.as_str());
        let mut other = Editor::start(&tern, &[]);
        other.greet();
        let load = json!({"sessionId": session, "cwd": tern.project(), "mcpServers": []});
        let busy = other.ask("session/load", &load).unwrap_err();
        assert!(busy["message"].as_str().unwrap().contains("open"), "{busy}");
        editor.leave();
        other.ask("session/load", &load).unwrap();
        let people: Vec<&Value> =
            other.of_kind("user_message_chunk").iter().map(|u| &u["content"]["text"]).collect();
        assert_eq!(people, ["make it", "change it"]);
        assert_eq!(other.of_kind("tool_call").len(), 3);
        other.leave();
    })
    .await;
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_yes_is_a_no() {
    for answer in
        [chosen("no"), chosen("surely"), Some(json!({"outcome": "cancelled"})), chosen("session ")]
    {
        let (_server, tern) = with_answers(vec![
            Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
            Reply::sse(says("Then not.")),
        ])
        .await;
        aside(move || {
            let mut editor = Editor::start(&tern, &[]);
            let session = editor.begin(&tern);
            editor.answer = answer;
            editor.prompt(&session, "make it").unwrap();
            assert_eq!(editor.asked.len(), 1);
            assert!(!tern.project().join("made").exists());
            let last = editor.of_kind("tool_call_update").pop().unwrap().clone();
            assert_eq!(last["status"], "failed");
            editor.leave();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_a_turn_that_streams_and_one_that_asks() {
    let (server, tern) = with_answers(vec![
        Reply::sse(says("Long")).cut(0).stall(),
        Reply::sse(calls("Bash", &json!({"command": "touch made"}))),
        Reply::sse(says("Still here.")),
    ])
    .await;
    aside(move || {
        let mut editor = Editor::start(&tern, &[]);
        let session = editor.begin(&tern);
        let cancel = json!({"sessionId": session});
        let prompt = editor.send("session/prompt", &said(&session, "go"));
        let second = editor.prompt(&session, "and again").unwrap_err();
        assert!(second["message"].as_str().unwrap().contains("being worked on"), "{second}");
        // A turn that has asked nothing yet would leave the answer to the next one.
        while server.requests().is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        editor.tell("session/cancel", &cancel);
        assert_eq!(editor.wait(prompt).unwrap()["stopReason"], "cancelled");

        let prompt = editor.send("session/prompt", &said(&session, "make it"));
        while editor.asked.is_empty() {
            editor.read();
        }
        editor.tell("session/cancel", &cancel);
        assert_eq!(editor.wait(prompt).unwrap()["stopReason"], "cancelled");
        assert!(!tern.project().join("made").exists());
        assert_eq!(editor.prompt(&session, "there?").unwrap()["stopReason"], "end_turn");
        editor.leave();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_models_and_commands_are_offered_and_bad_lines_are_answered() {
    let (server, tern) = with_answers(vec![Reply::sse(says("Hello."))]).await;
    aside(move || {
        let mut editor = Editor::start(&tern, &[]);
        editor.line("{\"jsonrpc\": nonsense");
        assert_eq!(editor.read()["error"]["code"], -32700);
        let session = editor.begin(&tern);
        let unknown = editor.ask("session/dance", &json!({})).unwrap_err();
        assert_eq!(unknown["code"], -32601);
        let relative = editor.ask("session/new", &json!({"cwd": "here", "mcpServers": []}));
        assert!(relative.unwrap_err()["message"].as_str().unwrap().contains("absolute"));
        let nowhere = editor.prompt("no-such-session", "hi").unwrap_err();
        assert!(nowhere["message"].as_str().unwrap().contains("no open session"));

        let mode = |mode: &str| json!({"sessionId": session, "modeId": mode});
        editor.ask("session/set_mode", &mode("plan")).unwrap();
        // Nothing that the person did not ask for at the start.
        assert!(editor.ask("session/set_mode", &mode("bypassPermissions")).is_err());
        assert!(editor.ask("session/set_mode", &mode("yolo")).is_err());
        let model = json!({"sessionId": session, "configId": "model", "value": "fake/other"});
        let options = editor.ask("session/set_config_option", &model).unwrap();
        assert_eq!(options["configOptions"][0]["currentValue"], "fake/other");

        assert_eq!(editor.prompt(&session, "/status").unwrap()["stopReason"], "end_turn");
        let told = editor.of_kind("agent_message_chunk").pop().unwrap()["content"]["text"].clone();
        assert!(told.as_str().unwrap().contains("settings"), "{told}");
        let missing = editor.prompt(&session, "/frobnicate").unwrap_err();
        assert!(missing["message"].as_str().unwrap().contains("no /frobnicate"), "{missing}");
        editor.prompt(&session, "hi").unwrap();
        assert_eq!(editor.of_kind("current_mode_update")[0]["currentModeId"], "plan");
        let commands = &editor.of_kind("available_commands_update")[0]["availableCommands"];
        assert!(commands.as_array().unwrap().iter().any(|command| command["name"] == "compact"));

        let id = json!({"sessionId": session});
        editor.ask("session/close", &id).unwrap();
        assert!(editor.prompt(&session, "hi").is_err());
        editor.leave();
    })
    .await;
    assert_eq!(server.requests().last().unwrap().body["model"], "other");
}
