//! MCP servers in a session: real programs, reached over their standard input and output, good and
//! bad ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tern::agent::Setup;
use tern::agent::servers::Mcp;
use tern::mcp::connect::Surroundings;
use tern::mcp::define::{Found, Unit};
use tern::mcp::sources::Sources;
use tern::mcp::{Definition, Places, Servers};
use tern::permissions::rule::RuleTexts;
use tern::process::Mark;
use tern::protocol::{
    CallStatus, Command, Decision, Event, Mode, Preview, ServerAct, ServerInfo, ServerState,
    Source, Sourced, ToolUse, TurnEnd,
};
use tern::tools::mcp_tool;
use tern::tools::table::{self, Table};

use crate::support::script::{Answer, Script, call, text};
use crate::support::session::{Options, Session, setup};

/// Servers by name and manner, from `source`.
struct Stage {
    dir: tempfile::TempDir,
    source: Source,
    trusted: bool,
    direct: u64,
    options: Options,
}

impl Stage {
    fn new() -> Stage {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("project")).unwrap();
        std::fs::create_dir(dir.path().join("server")).unwrap();
        Stage { dir, source: Source::User, trusted: false, direct: 0, options: Options::default() }
    }

    /// What a file says of a server that behaves in this manner.
    fn entry(&self, manner: &str) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/mcp_server.sh");
        json!({
            "command": "sh",
            "args": [script, manner, self.dir.path().join("server")],
            "env": {"OWN": "mine"},
            "timeout": 20_000,
            "startup-timeout": if manner == "mute" { 300 } else { 20_000 },
        })
    }

    fn servers(&self, servers: &[(&str, &str)]) -> Arc<Servers> {
        let root = self.dir.path();
        let found = Found { source: self.source, file: None, unit: Unit::Milliseconds };
        let define = |(name, manner): &(&str, &str)| {
            Definition::read(name, &self.entry(manner), &found, &BTreeMap::new()).unwrap()
        };
        let definitions = servers.iter().map(define).collect();
        let sources = Sources { definitions, trusted: self.trusted, ..Sources::default() };
        let env = [("PATH", std::env::var("PATH").unwrap()), ("ANTHROPIC_API_KEY", "sk".into())];
        let env = env.map(|(name, value)| (name.into(), value.into()));
        let places = Places {
            root: root.join("project"),
            roots: vec![root.join("project")],
            book: root.join("state/mcp.toml"),
            cache: root.join("cache/mcp"),
            spill: root.join("cache/outputs"),
            around: Surroundings {
                cwd: root.join("project"),
                env: tern::process::child_env(env, &[]),
                mark: Mark::default(),
                connect_timeout: Duration::from_secs(5),
                tokens: root.join("data/mcp-logins"),
            },
        };
        let (servers, problem) = Servers::new(sources, places);
        assert_eq!(problem, None);
        servers
    }

    /// A session with these servers, once those that start have started.
    async fn begin(self, servers: &[(&str, &str)], answers: Vec<Answer>) -> Session {
        let servers = self.servers(servers);
        let script = Script::new(answers);
        let mut setup: Setup = setup(self.dir.path(), &script, self.options);
        setup.rules.trust_file = self.dir.path().join("state/trust.toml");
        let (sent, deferred) = mcp_tool::split(&servers, self.direct);
        setup.tools = Table::new([table::sent(), sent].concat(), deferred);
        setup.mcp = Some(Mcp { servers, wait: Duration::from_secs(20) });
        let mut session = Session::of(self.dir, script, setup);
        session.list().await;
        session
    }
}

impl Session {
    /// The next word of how the servers stand.
    async fn list(&mut self) -> Vec<ServerInfo> {
        self.until(|event| match event {
            Event::ServersChanged { servers } => Some(servers.clone()),
            _ => None,
        })
        .await
    }

    async fn until_server(&mut self, wanted: impl Fn(&ServerInfo) -> bool) -> ServerInfo {
        loop {
            let servers = self.list().await;
            if let Some(found) = servers.into_iter().find(|info| wanted(info)) {
                return found;
            }
        }
    }
}

fn starts(dir: &Path) -> usize {
    std::fs::read_to_string(dir.join("server/starts")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_server_is_called_like_any_tool() {
    let answers = vec![
        call("a", "mcp__my_one__add", json!({"a": 5})),
        call("b", "mcp__my_one__second", json!({})),
        call("c", "mcp__my_one__env", json!({})),
        call("d", "mcp__my_one__refuse", json!({})),
        call("e", "mcp__my_one__big", json!({})),
        call("f", "mcp__my_one__slow", json!({})),
        text("done"),
    ];
    let mut session = Stage::new().begin(&[("my one", "good")], answers).await;
    session.ask("add").await;
    let results = session.results();
    assert_eq!(results[0].text, "sum 5");
    // On the second page of the list, so it is known; the script has no call of it.
    assert!(results[1].text.contains("no such method"), "{}", results[1].text);
    assert_eq!(results[2].text, "key: own:mine", "a provider's key reaches no server");
    assert_eq!(
        (results[3].status, results[3].text.as_str()),
        (CallStatus::Failed, "not like that")
    );
    assert!(
        results[4].text.len() < 30_000 && results[4].text.contains("left out; all of it is in")
    );
    assert_eq!(results[5].text, "slowly done");
    let progress = session.events.iter().any(
        |event| matches!(event, Event::CallOutput { text, .. } if text == "1 of 2: half way\n"),
    );
    assert!(progress, "progress reaches the screen");
    session.send(Command::Stop).await;
    session.until(|event| matches!(event, Event::Stopped).then_some(())).await;
}

#[tokio::test]
async fn what_is_known_from_before_starts_only_when_it_is_called() {
    let stage = Stage::new();
    let first = stage.servers(&[("s", "good")]);
    first.act("s", ServerAct::Reconnect).await.unwrap();
    first.close_all().await;
    assert_eq!(starts(stage.dir.path()), 1);

    let stage = Stage { direct: 2_000, ..stage };
    let answers = vec![text("hi"), call("a", "mcp__s__add", json!({"a": 7})), text("done")];
    let mut session = stage.begin(&[("s", "good")], answers).await;
    session.ask("hello").await;
    assert_eq!(starts(session.dir.path()), 1, "nothing was called");
    session.ask("add").await;
    assert_eq!(session.results()[0].text, "sum 7");
    assert_eq!(starts(session.dir.path()), 2);
    let requests = session.script.requests();
    let names =
        |at: usize| requests[at].tools.iter().map(|tool| tool.name.clone()).collect::<Vec<_>>();
    assert!(names(0).contains(&"mcp__s__add".to_owned()), "small enough to be sent");
    assert_eq!(names(0), names(2));
}

#[tokio::test]
async fn rules_speak_of_servers_and_their_tools() {
    let mut options = Options { mode: Mode::Default, ..Options::default() };
    let rule = |text: &str| Sourced::new(text.to_owned(), Source::User);
    options.rules.texts = RuleTexts {
        allow: vec![rule("mcp__s")],
        ask: vec![rule("mcp__s__second")],
        deny: vec![rule("mcp__s__env")],
    };
    let stage = Stage { options, ..Stage::new() };
    let answers = vec![
        call("a", "mcp__s__add", json!({"a": 1})),
        call("b", "mcp__s__env", json!({})),
        call("c", "mcp__other__add", json!({"a": 2})),
        call("d", "UseTool", json!({"name": "mcp__s__second", "input": {}})),
        text("done"),
    ];
    let mut session = stage.begin(&[("s", "good"), ("other", "good")], answers).await;
    session.submit("go").await;
    let question = session.question().await;
    assert_eq!(question.tool, "mcp__other__add");
    session.answer(&question, Decision::Deny { message: None }).await;
    let question = session.question().await;
    assert_eq!(question.tool, "mcp__s__second");
    session.answer(&question, Decision::Deny { message: None }).await;
    session.end().await;
    let statuses: Vec<_> = session.results().iter().map(|result| result.status).collect();
    use CallStatus::{Denied, Done};
    assert_eq!(statuses, [Done, Denied, Denied, Denied]);
}

#[tokio::test]
async fn bad_servers_are_told_of_and_the_session_goes_on() {
    let answers = vec![
        call("a", "mcp__noise__add", json!({"a": 1})),
        call("b", "mcp__noise__die", json!({})),
        call("c", "mcp__noise__add", json!({"a": 2})),
        text("done"),
    ];
    let all = [("crash", "crash"), ("mute", "mute"), ("noise", "noise")];
    let began = Instant::now();
    let mut session = Stage::new().begin(&all, answers).await;
    assert!(began.elapsed() < Duration::from_secs(15));
    session.ask("go").await;
    let results = session.results();
    assert_eq!(results[0].text, "sum 1");
    assert_eq!(
        results[1].text,
        "MCP server noise: the connection to it ended; its last words: out of memory."
    );
    assert_eq!(results[2].text, "sum 2", "it was started again");
    let states: BTreeMap<String, ServerState> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::ServersChanged { servers } => Some(servers),
            _ => None,
        })
        .flatten()
        .map(|info| (info.name.clone(), info.state.clone()))
        .collect();
    let failed = |why: &str| ServerState::Failed { why: why.to_owned() };
    assert_eq!(states["mute"], failed("it did not answer within 0 s"));
    assert_eq!(states["crash"], failed("the connection to it ended; its last words: no database"));
}

#[tokio::test]
async fn an_interrupt_ends_a_call_that_hangs_and_a_late_answer_is_nobodys() {
    let answers = vec![
        call("a", "mcp__s__hang", json!({})),
        call("b", "mcp__s__late", json!({})),
        text("done"),
    ];
    let mut session = Stage::new().begin(&[("s", "good")], answers).await;
    let turn = session.submit("hang").await;
    session.until(|event| matches!(event, Event::CallStarted { .. }).then_some(())).await;
    let began = Instant::now();
    session.send(Command::Interrupt { turn }).await;
    session.end().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(session.results()[0].status, CallStatus::Interrupted);
    session.ask("late").await;
    assert_eq!(session.results()[1].text, "in time");
}

#[tokio::test]
async fn a_tool_that_changes_is_held_back_until_the_person_has_seen_it() {
    let answers = vec![
        call("a", "mcp__s__change", json!({})),
        text("changed"),
        call("b", "mcp__s__add", json!({"a": 1})),
        call("c", "mcp__s__slow", json!({})),
        text("held"),
        call("d", "mcp__s__add", json!({"a": 1})),
        text("done"),
    ];
    let mut session = Stage::new().begin(&[("s", "good")], answers).await;
    session.ask("change").await;
    let add =
        |info: &ServerInfo| info.tools.iter().find(|tool| tool.name == "add").map(|tool| tool.use_);
    session.until_server(|info| add(info) == Some(ToolUse::Waits)).await;
    session.ask("add").await;
    let results = session.results();
    assert_eq!(results[1].status, CallStatus::Failed, "{}", results[1].text);
    assert_eq!(results[2].text, "slowly done", "the others go on");
    session.send(Command::Server { server: "s".into(), act: ServerAct::Approve }).await;
    session.until_server(|info| add(info) == Some(ToolUse::On)).await;
    session.ask("add").await;
    assert_eq!(session.results()[3].text, "sum 1");
}

#[tokio::test]
async fn a_projects_server_runs_only_when_its_folder_is_trusted_and_it_is_let_in() {
    let stage = Stage { source: Source::Project, ..Stage::new() };
    let untrusted = stage.servers(&[("s", "good")]);
    untrusted.start();
    let waits = |servers: &Servers| match &servers.list()[0].state {
        ServerState::Waits { why } => why.clone(),
        state => panic!("{state:?}"),
    };
    assert_eq!(waits(&untrusted), "its folder is not trusted");
    assert!(untrusted.act("s", ServerAct::Approve).await.is_err());

    let trusted = Stage { trusted: true, ..stage };
    let servers = trusted.servers(&[("s", "good")]);
    assert_eq!(waits(&servers), "it came with the project and was not let in yet");
    servers.start();
    servers.settled(Duration::from_secs(5)).await;
    assert_eq!(starts(trusted.dir.path()), 0, "nothing ran");
    servers.act("s", ServerAct::Approve).await.unwrap();
    servers.act("s", ServerAct::Reconnect).await.unwrap();
    assert_eq!(servers.list()[0].state, ServerState::Ready);
    servers.close_all().await;
    // Another command under the same name is asked about anew.
    let other = trusted.servers(&[("s", "noise")]);
    assert_eq!(waits(&other), "what it runs is not what was let in");
}

#[tokio::test]
async fn trust_lets_in_the_servers_that_its_list_shows_and_no_other() {
    let mut stage = Stage { source: Source::Project, ..Stage::new() };
    stage.options.mode = tern::protocol::Mode::Default;
    // The file has another server under the second name than the one that was defined from it.
    let file = json!({"mcpServers": {"s": stage.entry("good"), "t": stage.entry("good")}});
    std::fs::write(stage.dir.path().join("project/.mcp.json"), file.to_string()).unwrap();
    let mut session = stage.begin(&[("s", "good"), ("t", "noise")], vec![text("done")]).await;
    session.send(Command::AskTrust).await;
    let trust = session
        .until(|event| match event {
            Event::TrustShown { trust } => Some(trust.clone()),
            _ => None,
        })
        .await;
    assert!(trust.items[0].text.starts_with("s: OWN=mine sh "), "{:?}", trust.items);
    session.send(Command::Trust { seen: trust.seen }).await;
    let servers = loop {
        let servers = session.list().await;
        if servers[0].state == ServerState::Ready {
            break servers;
        }
    };
    let why = "it came with the project and was not let in yet".to_owned();
    assert_eq!(servers[1].state, ServerState::Waits { why });
}

#[tokio::test]
async fn resources_are_listed_and_read() {
    let answers = vec![
        call("a", "ListMcpResourcesTool", json!({})),
        call("b", "ReadMcpResourceTool", json!({"server": "s", "uri": "note://1"})),
        call("c", "ReadMcpResourceTool", json!({"server": "nobody", "uri": "note://1"})),
        text("done"),
    ];
    let mut session = Stage::new().begin(&[("s", "good")], answers).await;
    session.ask("read").await;
    let results = session.results();
    assert_eq!(results[0].text, "server\turi\tname\tkind\ns\tnote://1\tfirst note\ttext/plain");
    assert_eq!(results[1].text, "[resource note://1]\nremember the milk");
    assert!(results[2].text.contains("there is no server nobody; there are s"));
}

#[tokio::test]
async fn a_tool_can_be_switched_off() {
    let answers = vec![call("a", "mcp__s__add", json!({"a": 1})), text("done")];
    let mut session = Stage::new().begin(&[("s", "good")], answers).await;
    let act = ServerAct::ToolOff { tool: "add".into() };
    session.send(Command::Server { server: "s".into(), act }).await;
    let off =
        session.until_server(|info| info.tools.iter().any(|tool| tool.use_ == ToolUse::Off)).await;
    assert_eq!(off.tools.iter().filter(|tool| tool.use_ == ToolUse::Off).count(), 1);
    session.ask("add").await;
    let result: Value = json!(session.results()[0].status);
    assert_eq!(result, json!("failed"));
}

#[tokio::test]
async fn a_form_is_put_before_the_person_and_their_yes_sends_it() {
    let answers = vec![
        call("a", "mcp__s__ask", json!({})),
        call("b", "mcp__s__ask", json!({})),
        text("done"),
    ];
    let mut session = Stage::new().begin(&[("s", "good")], answers).await;
    session.submit("ask").await;
    for decision in [Decision::Once, Decision::Deny { message: None }] {
        let question = session.question().await;
        let Preview::Other { text } = &question.preview else { panic!("{question:?}") };
        assert!(text.contains("s asks: Which colour?"), "{text}");
        assert!(text.contains("colour: \"red\"   (of red, blue)"), "{text}");
        session.answer(&question, decision).await;
    }
    session.end().await;
    let results = session.results();
    assert!(results[0].text.contains("\"action\":\"accept\""), "{}", results[0].text);
    assert!(results[0].text.contains("\"count\":3"), "{}", results[0].text);
    assert!(results[1].text.contains("\"action\":\"decline\""), "{}", results[1].text);
}

#[tokio::test]
async fn prompts_are_commands_and_resources_are_mentioned() {
    let answers = vec![text("hello Ann"), text("milk")];
    let mut session = Stage::new().begin(&[("s", "good")], answers).await;
    session.ask("/mcp__s__greet Ann Other").await;
    session.ask("what does @s:note://1 say?").await;
    let end = session.ask("/mcp__s__greet").await;
    let TurnEnd::Failed { message, .. } = end else { panic!("{end:?}") };
    assert_eq!(message, "/mcp__s__greet needs who");
    let requests = session.script.requests();
    let said = |at: usize| requests[at].messages.last().unwrap().text();
    assert!(said(0).ends_with("Greet Ann Other warmly."), "{}", said(0));
    assert!(said(1).contains("remember the milk"), "{}", said(1));
}
