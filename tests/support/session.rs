//! An agent in a folder of its own, driven by the test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tern::agent::{self, Handle, Limits, Prompt, Rules, Setup};
use tern::config::{Compact, Config};
use tern::protocol::{
    CallResult, Command, Decision, Event, Input, Mode, Request, SessionId, TurnEnd, TurnId,
};
use tern::session::Places;
use tern::session::disk::Disk;
use tern::session::log::Tools;
use tern::session::redact::Secrets;
use tern::tools::table::Table;

use crate::support::script::{Answer, Fixed, Script};

/// Longer than anything takes; reached only when something hangs.
const GENEROUS: Duration = Duration::from_secs(30);

pub struct Session {
    pub dir: tempfile::TempDir,
    pub script: Arc<Script>,
    pub tools: Arc<Table>,
    pub events: Vec<Event>,
    handle: Handle,
    turn: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("events", &self.events).finish_non_exhaustive()
    }
}

pub struct Options {
    pub mode: Mode,
    pub window: u64,
    pub can_ask: bool,
    pub max_turns: Option<u32>,
    pub fallback: Option<String>,
    pub sandbox: tern::config::Sandbox,
    pub titles: bool,
    /// A small model beside the main one.
    pub small: Option<Arc<Script>>,
    pub budget: tern::config::Budget,
    /// `[compact] keep-tokens`, where not the default.
    pub keep_tokens: Option<u64>,
    pub rules: Rules,
    pub hooks: Vec<tern::protocol::Sourced<tern::config::Hook>>,
    /// What the session is written to.
    pub disk: Disk,
    pub checks: Vec<tern::protocol::Sourced<tern::config::Check>>,
}

impl Default for Options {
    fn default() -> Options {
        let mode = Mode::BypassPermissions;
        Options {
            mode,
            window: 200_000,
            can_ask: true,
            max_turns: None,
            fallback: None,
            sandbox: tern::config::Sandbox::default(),
            titles: false,
            small: None,
            budget: Config::default().budget,
            keep_tokens: None,
            rules: Rules::default(),
            hooks: Vec::new(),
            disk: Disk::default(),
            checks: Vec::new(),
        }
    }
}

impl Session {
    pub fn start(answers: impl IntoIterator<Item = Answer>) -> Session {
        Session::with(Options::default(), answers)
    }

    pub fn with(options: Options, answers: impl IntoIterator<Item = Answer>) -> Session {
        Session::staged(options, answers, |_, _| {})
    }

    /// `stage` makes files and changes the setup before the agent starts.
    pub fn staged(
        options: Options,
        answers: impl IntoIterator<Item = Answer>,
        stage: impl FnOnce(&mut Setup, &Path),
    ) -> Session {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("project")).unwrap();
        let script = Script::new(answers);
        let mut setup = setup(dir.path(), &script, options);
        stage(&mut setup, dir.path());
        Session::of(dir, script, setup)
    }

    /// With whatever the test has changed in `setup`.
    pub fn of(dir: tempfile::TempDir, script: Arc<Script>, setup: Setup) -> Session {
        let tools = setup.tools.clone();
        let handle = agent::spawn(setup);
        Session { dir, script, tools, events: Vec::new(), handle, turn: 0 }
    }

    /// Stops this agent and starts another one that takes its session up again.
    pub async fn again(mut self, answers: impl IntoIterator<Item = Answer>) -> Session {
        self.send(Command::Stop).await;
        self.until(|event| matches!(event, Event::Stopped).then_some(())).await;
        let session = self.id();
        self.again_as(session, false, answers)
    }

    /// The same without waiting for an orderly end, as after a crash of the program.
    pub fn again_as(
        self,
        session: SessionId,
        fork: bool,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Session {
        let script = Script::new(answers);
        let mut setup = setup(self.dir.path(), &script, Options::default());
        setup.resume = Some(session);
        setup.fork = fork;
        let turn = self.turn;
        Session { turn, ..Session::of(self.dir, script, setup) }
    }

    /// The same after an orderly end, with whatever the test changes in the setup.
    pub async fn again_with(
        mut self,
        answers: impl IntoIterator<Item = Answer>,
        stage: impl FnOnce(&mut Setup),
    ) -> Session {
        self.send(Command::Stop).await;
        self.until(|event| matches!(event, Event::Stopped).then_some(())).await;
        let script = Script::new(answers);
        let mut setup = setup(self.dir.path(), &script, Options::default());
        setup.resume = Some(self.id());
        stage(&mut setup);
        let turn = self.turn;
        Session { turn, ..Session::of(self.dir, script, setup) }
    }

    /// A second program in the same folders.
    pub fn beside(
        &self,
        resume: Option<SessionId>,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Session {
        let script = Script::new(answers);
        let mut setup = setup(self.dir.path(), &script, Options::default());
        setup.resume = resume;
        let handle = agent::spawn(setup);
        // Its own folder only so that there is one to delete.
        let dir = tempfile::tempdir().unwrap();
        Session { dir, script, events: Vec::new(), tools: self.tools.clone(), handle, turn: 0 }
    }

    pub fn id(&self) -> SessionId {
        let started = self.events.iter().rev().find_map(|event| match event {
            Event::Started { session, .. } => Some(session.clone()),
            _ => None,
        });
        started.expect("the session has started")
    }

    /// The log of the session, line by line.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let places = Places::new(&self.dir.path().join("data"), &self.dir.path().join("cache"));
        let path = places.find(&self.id()).expect("the session has a log");
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the ledger holds, oldest first.
    pub fn ledger(&self) -> Vec<tern::cost::ledger::Entry> {
        tern::cost::ledger::read(&self.dir.path().join("data/ledger"), None).unwrap().entries
    }

    pub fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.dir.path().join("project").join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub async fn send(&self, command: Command) {
        self.handle.commands.send(command).await.unwrap();
    }

    pub async fn submit(&mut self, text: &str) -> TurnId {
        self.turn += 1;
        let turn = TurnId(self.turn);
        self.send(Command::Submit { turn, input: Input::text(text) }).await;
        turn
    }

    pub async fn next(&mut self) -> Event {
        let next = tokio::time::timeout(GENEROUS, self.handle.events.recv()).await;
        let event = next.expect("an event in time").expect("the agent runs");
        self.events.push(event.clone());
        event
    }

    /// Reads events up to the first that `wanted` gives something for.
    pub async fn until<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let event = self.next().await;
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    }

    pub async fn end(&mut self) -> TurnEnd {
        self.until(|event| match event {
            Event::TurnEnded { end, .. } => Some(end.clone()),
            _ => None,
        })
        .await
    }

    /// One prompt, to the end of its turn.
    pub async fn ask(&mut self, text: &str) -> TurnEnd {
        self.submit(text).await;
        self.end().await
    }

    pub async fn question(&mut self) -> Box<Request> {
        self.until(|event| match event {
            Event::PermissionAsked { request } => Some(request.clone()),
            _ => None,
        })
        .await
    }

    pub async fn answer(&self, request: &Request, decision: Decision) {
        self.send(Command::Answer { request: request.id, decision }).await;
    }

    pub fn results(&self) -> Vec<CallResult> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::CallEnded { result, .. } => Some(result.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn notices(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Noticed { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect()
    }
}

pub fn setup(root: &Path, script: &Arc<Script>, options: Options) -> Setup {
    let config = Config::default();
    let places = Places::new(&root.join("data"), &root.join("cache"));
    Setup {
        cwd: root.join("project"),
        model: "script/model".into(),
        fallback: options.fallback,
        effort: None,
        mode: options.mode,
        compact: Compact {
            keep_tokens: options.keep_tokens.unwrap_or(config.compact.keep_tokens),
            ..config.compact
        },
        budget: options.budget,
        limits: Limits { max_turns: options.max_turns },
        router: Arc::new(Fixed {
            provider: script.clone(),
            window: options.window,
            small: options.small,
        }),
        tools: Table::built_in(),
        settings: Arc::new(agent::Fixed(options.rules.clone())),
        rules: options.rules,
        hooks: tern::hooks::Hooks::new(options.hooks),
        checks: options.checks,
        can_ask: options.can_ask,
        prompt: Prompt::default(),
        style: None,
        place: place(root),
        log: Tools::new(options.disk, &places.blobs, Secrets::new([])),
        places,
        checkpoints: config.session.checkpoint_max_mb << 20,
        ledger: root.join("data/ledger"),
        book_scripted: false,
        spill: root.join("cache/outputs"),
        sandbox: options.sandbox,
        secret_env: Vec::new(),
        keep_log: true,
        mcp: None,
        titles: options.titles,
        resume: None,
        fork: false,
        view: false,
        end_first: false,
    }
}

fn place(root: &Path) -> tern::context::Place {
    tern::context::Place {
        cwd: root.join("project"),
        root: root.join("project"),
        home: root.join("home"),
        config: root.join("config"),
        date: "2026-11-24".into(),
        platform: "linux".into(),
        shell: None,
        trusted: false,
    }
}
