//! What a session costs: about thirty turns over three prompts on a generated repository, billed by
//! a server that applies the published caching rules. What is judged is everything around the
//! conversation: tools, system prompt, context, broken prefixes, side requests.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tern::config::Config;
use tern::protocol::{Command, Event, Input, Mode, SessionId, TurnId};

use crate::support::bill::{self, Bill, Cache, Kind, PRICES};
use crate::support::online::Online;
use crate::support::script::Script;
use crate::support::server::{Asked, FakeServer, Reply};
use crate::support::session::{Options, setup};
use crate::support::wire::{answer, says};

/// USD around the conversation: the bar.
const BAR: f64 = 0.04;
/// Says more than a title does, so that the small model is asked for one.
const FIRST: &str = "Do part one: every value that is computed has to be checked as well.\n\
                     Read all of the parts first, run the checks after each change, and leave the \
                     rest as it is.";
/// Between two requests, and before a new prompt (seconds).
const TURN: u64 = 15;
const PAUSE: u64 = 60;

#[derive(Debug)]
struct Billing {
    script: Vec<Value>,
    at: usize,
    now: u64,
    cache: Cache,
    bills: Vec<(Bill, f64)>,
    bodies: Vec<Value>,
    /// USD of the requests beside the conversation, by the same prices.
    side: Vec<f64>,
}

impl Billing {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let body = &asked.body;
        if body["model"] != "claude-sonnet-4-5" {
            assert_eq!(body["model"], "claude-haiku-4-5");
            let input = bill::blocks(body).iter().map(|block| block.tokens).sum();
            self.side.push(Bill { input, ..Bill::default() }.usd(10.0));
            return Reply::sse(says("Three parts of a repository"));
        }
        // A new prompt comes a little later than the next result.
        let last = body["messages"].as_array().unwrap().last().unwrap();
        let prompt = !last["content"].to_string().contains("tool_result");
        self.now += if prompt { PAUSE } else { TURN };
        let bill = self.cache.bill(body, self.now);
        let step = self.script[self.at].clone();
        self.at += 1;
        let blocks = step.as_array().unwrap();
        let output: f64 = blocks
            .iter()
            .map(|block| match block["type"].as_str().unwrap() {
                "tool_use" => bill::tokens(&format!("{}{}", block["name"], block["input"])),
                _ => bill::tokens(block["text"].as_str().unwrap()),
            })
            .sum();
        self.bills.push((bill, output));
        self.bodies.push(body.clone());
        let stop =
            if blocks.iter().any(|b| b["type"] == "tool_use") { "tool_use" } else { "end_turn" };
        let usage = json!({
            "input_tokens": bill.input as u64,
            "cache_read_input_tokens": bill.read as u64,
            "cache_creation_input_tokens": (bill.write_5m + bill.write_1h) as u64,
            "output_tokens": output as u64,
        });
        Reply::sse(answer(blocks, stop, &usage))
    }
}

async fn talk(
    root: &Path,
    base_url: &str,
    resume: Option<SessionId>,
    prompts: &[&str],
) -> SessionId {
    let options = Options { mode: Mode::BypassPermissions, titles: true, ..Options::default() };
    let mut setup = setup(root, &Script::new([]), options);
    let network = Config::default().network;
    let small = Some("anthropic/claude-haiku-4-5".to_owned());
    setup.router = Arc::new(Online { network, small, ..Online::at(base_url) });
    setup.model = "anthropic/claude-sonnet-4-5".into();
    setup.resume = resume;
    let mut agent = tern::agent::spawn(setup);
    let mut session = SessionId::default();
    for (turn, prompt) in (1..).zip(prompts) {
        let input = Input::text(*prompt);
        agent.commands.send(Command::Submit { turn: TurnId(turn), input }).await.unwrap();
        loop {
            match agent.events.recv().await.unwrap() {
                Event::Started { session: id, .. } => session = id,
                Event::TurnEnded { end, .. } => {
                    assert_eq!(end, tern::protocol::TurnEnd::Done);
                    break;
                }
                _ => {}
            }
        }
    }
    agent.commands.send(Command::Stop).await.unwrap();
    while agent.events.recv().await.is_some() {}
    session
}

fn lines(count: usize, seed: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "    let value_{n} = compute({seed}, {});", n * 7 % 101);
        text
    })
}

fn repository(root: &Path) {
    let write = |name: &str, text: String| {
        let path = root.join("project").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (n, count) in [20, 40, 60, 90, 120, 200, 400, 700, 1_000].into_iter().enumerate() {
        write(&format!("src/part_{n}.rs"), format!("// part {n}\n{}", lines(count, n)));
    }
    write(
        "AGENTS.md",
        format!("# Rules\n\n{}", "- Keep it plain and test what you change.\n".repeat(18)),
    );
}

/// One answer: words, then calls.
fn step(n: usize, say: &str, calls: &[(&str, Value)]) -> Value {
    let mut blocks = vec![json!({"type": "text", "text": say})];
    blocks.extend(calls.iter().enumerate().map(|(index, (tool, input))| {
        json!({"type": "tool_use", "id": format!("toolu_{n}_{index}"), "name": tool, "input": input})
    }));
    json!(blocks)
}

fn script() -> Vec<Value> {
    let read = |n: usize| ("Read", json!({"file_path": format!("src/part_{n}.rs")}));
    let bash = |command: &str| ("Bash", json!({"command": command}));
    let grep = |pattern: &str| {
        ("Grep", json!({"pattern": pattern, "path": "src", "output_mode": "content"}))
    };
    let edit = |n: usize, line: usize| {
        let old = format!("let value_{line} = compute({n}, {});", line * 7 % 101);
        let new = format!("let value_{line} = compute_checked({n}, {});", line * 7 % 101);
        let path = format!("src/part_{n}.rs");
        ("Edit", json!({"file_path": path, "old_string": old, "new_string": new}))
    };
    let kb = |n: usize| bash_of(n);
    let turns: Vec<(&str, Vec<(&str, Value)>)> = vec![
        ("I'll look around first.", vec![("LS", json!({"path": "."}))]),
        ("Reading the parts.", vec![read(0), read(1), read(2)]),
        ("", vec![grep("value_7 ")]),
        ("", vec![read(3)]),
        ("Running the checks.", vec![bash(&kb(1))]),
        ("", vec![read(5)]),
        ("", vec![edit(0, 3)]),
        ("", vec![bash(&kb(4))]),
        ("", vec![edit(1, 5)]),
        ("", vec![bash(&kb(12))]),
        (&*Box::leak("The first part is done. ".repeat(250).into_boxed_str()), vec![]),
        ("Next.", vec![read(6)]),
        ("", vec![grep("compute_checked")]),
        ("", vec![bash(&kb(2))]),
        ("", vec![read(8)]),
        ("", vec![edit(6, 9)]),
        ("", vec![bash(&kb(40))]),
        ("", vec![read(3)]),
        ("", vec![edit(3, 11)]),
        ("", vec![bash(&kb(6))]),
        ("", vec![bash("git status || true")]),
        (&*Box::leak("The second part is done. ".repeat(80).into_boxed_str()), vec![]),
        ("Last.", vec![read(4)]),
        ("", vec![edit(4, 2)]),
        ("", vec![("Write", json!({"file_path": "NOTES.md", "content": lines(30, 3)}))]),
        ("", vec![bash(&kb(3))]),
        ("", vec![edit(5, 17)]),
        ("", vec![bash(&kb(1))]),
        ("", vec![bash("echo done")]),
        (&*Box::leak("All parts are done. ".repeat(50).into_boxed_str()), vec![]),
    ];
    turns.iter().enumerate().map(|(n, (say, calls))| step(n, say, calls)).collect()
}

/// A command with this much output (KB).
fn bash_of(kb: usize) -> String {
    format!("yes 'test part::checks::value ... ok (0.01 s)' | head -c {}", kb * 1024)
}

/// The cost of prompts, calls, words and results alone, as they were sent, with perfect caching.
fn conversation_alone(bodies: &[Value], bills: &[(Bill, f64)]) -> f64 {
    let mut usd = 0.0;
    let mut before = 0.0;
    for (body, (_, output)) in bodies.iter().zip(bills) {
        let now: f64 = bill::blocks(body)
            .iter()
            .filter(|block| match block.kind {
                Kind::Tools | Kind::System => false,
                Kind::Text { context } => !context,
                Kind::Call | Kind::Result => true,
            })
            .map(|block| block.tokens)
            .sum();
        usd += (before * PRICES.read + (now - before) * PRICES.write_5m + output * PRICES.output)
            / 1e6;
        before = now;
    }
    usd
}

/// Each request must begin with the one before it, byte for byte, but for the marks of the cache.
fn unbroken(bodies: &[Value]) {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .filter(|(key, _)| *key != "cache_control")
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
            Value::Array(items) => items.iter().map(plain).collect(),
            other => other.clone(),
        }
    }
    for (n, pair) in bodies.windows(2).enumerate() {
        let (before, after) = (plain(&pair[0]), plain(&pair[1]));
        for part in ["model", "tools", "system", "thinking", "tool_choice"] {
            assert_eq!(before[part], after[part], "{part} after request {n}");
        }
        let before = before["messages"].as_array().unwrap();
        let after = after["messages"].as_array().unwrap();
        assert_eq!(before[..], after[..before.len()], "messages after request {n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_session_costs_little_around_its_conversation() {
    let dir = tempfile::tempdir().unwrap();
    repository(dir.path());
    let script = script();
    let requests = script.len();
    let billing = Arc::new(Mutex::new(Billing {
        script,
        at: 0,
        now: 0,
        cache: Cache::default(),
        bills: Vec::new(),
        bodies: Vec::new(),
        side: Vec::new(),
    }));
    let shared = billing.clone();
    let server = FakeServer::answering(move |asked| shared.lock().unwrap().answer(asked)).await;
    // Two prompts in one process, the third in another that takes the session up again.
    let session = talk(dir.path(), &server.base_url(), None, &[FIRST, "Now part two."]).await;
    talk(dir.path(), &server.base_url(), Some(session), &["And part three."]).await;

    let billing = billing.lock().unwrap();
    assert_eq!(billing.bills.len(), requests, "no side request on the main model");
    unbroken(&billing.bodies);
    let total: f64 = billing.bills.iter().map(|(bill, output)| bill.usd(*output)).sum();
    let alone = conversation_alone(&billing.bodies, &billing.bills);
    let side: f64 = billing.side.iter().sum();
    assert_eq!(billing.side.len(), 1, "one title, from the small model");
    let first: usize = billing.bodies[0].to_string().len();
    println!(
        "economy: {requests} requests and a title, total {:.3} USD, conversation {alone:.3}, around \
         it {:.4} with the title's {side:.4} (bar {BAR}); first request {first} bytes",
        total + side,
        total + side - alone
    );
    let around = total + side - alone;
    assert!(around <= BAR, "{around:.4} USD around the conversation");
}
