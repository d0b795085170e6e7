//! How a session begins: a new one, or one from the disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::agent::Setup;
use crate::agent::confinement;
use crate::agent::conversation::{Conversation, Start};
use crate::agent::gate::Gate;
use crate::agent::hooking::{self, Hooking};
use crate::agent::journal::Journal;
use crate::agent::purse::{Purse, Spent};
use crate::agent::recipes;
use crate::agent::request::{Ended, failed};
use crate::agent::retell;
use crate::agent::route::Route;
use crate::agent::rules::Standing;
use crate::agent::shared::{Shared, lock};
use crate::agent::side::Side;
use crate::agent::sub::Agents;
use crate::agent::undo::Changes;
use crate::agent::{recount, trust, undo};
use crate::context::{self, Context, GitState};
use crate::cost::ledger;
use crate::process::Jobs;
use crate::protocol::budget;
use crate::protocol::{
    ErrorKind, Event, Level, MessageId, Mode, Money, SessionId, Source, Sourced,
};
use crate::session::blobs::Blobs;
use crate::session::disk::Disk;
use crate::session::ending;
use crate::session::log::{Locked, Log, OpenError};
use crate::session::read::Loaded;
use crate::session::record::{Opening, new_session};
use crate::session::steps;
use crate::session::{fork, read, replay};
use crate::tools::SessionState;

/// Why there is no session.
#[derive(Debug)]
pub enum NotBegun {
    /// Another program has it open.
    Busy(SessionId),
    Ended(Ended),
}

impl From<Ended> for NotBegun {
    fn from(ended: Ended) -> NotBegun {
        NotBegun::Ended(ended)
    }
}

/// What a script is told that asks for a session which is open elsewhere.
pub fn busy() -> Ended {
    Ended::Failed {
        kind: ErrorKind::Config,
        message: "another tern has this session open".to_owned(),
        hints: vec![
            "Use --fork to go on in a copy, or --no-session to only read and write nothing down."
                .to_owned(),
        ],
    }
}

/// Builds the session that `setup` describes, and tells the front end of it.
async fn begin(
    setup: &mut Setup,
    events: mpsc::Sender<Event>,
) -> Result<(Shared, Conversation), NotBegun> {
    match setup.resume.take() {
        None => fresh(setup, events).await,
        Some(session) => resumed(setup, events, &session).await,
    }
}

/// The same, and tells the hooks. `source`: what it is that begins, where it is not resumed.
pub async fn begin_with_hooks(
    setup: &mut Setup,
    events: mpsc::Sender<Event>,
    source: &str,
) -> Result<(Shared, Conversation), NotBegun> {
    let source = if setup.resume.is_some() { "resume" } else { source };
    let (shared, mut talk) = begin(setup, events).await?;
    hooking::session_begun(&mut talk, &shared, source).await;
    Ok((shared, talk))
}

async fn fresh(
    setup: &Setup,
    events: mpsc::Sender<Event>,
) -> Result<(Shared, Conversation), NotBegun> {
    let route = setup.router.route(&setup.model).await.map_err(failed)?;
    let session = new_session(Timestamp::now());
    let spent = Spent { today: today(setup), ..Spent::default() };
    let purse = Purse::new(setup, session.clone(), spent);
    let log_path = setup.keep_log.then(|| setup.places.log(&setup.cwd, &session));
    let hooking = Hooking::new(setup, &session, log_path.clone());
    let shared = shared(setup, setup.mode, &route, purse, hooking, log_path.clone(), events).await;
    shared.emit(started(setup, &session, &route, setup.mode, false)).await;
    tell_sandbox(setup, &shared).await;
    trust::tell(&shared).await;
    tell_budgets(&shared).await;
    let mut context = assemble(setup, &shared).await;
    let extensions = lock(&lock(&shared.session).extensions).clone();
    context.preamble.push_str(&extensions.listing());
    shared.agents.set_preamble(&context.preamble);
    let opening = Opening {
        session: session.clone(),
        cwd: setup.cwd.display().to_string(),
        model: route.name.clone(),
        mode: setup.mode,
        branch: context.git.as_ref().map(|git| git.branch.clone()),
        tern: env!("CARGO_PKG_VERSION").to_owned(),
        origin: None,
    };
    let log = log_path.map(|path| Log::create(path, opening, setup.log.clone(), Timestamp::now()));
    let mut journal = Journal::new(log, setup.mode);
    let files = context.files.iter().map(|file| file.path.display().to_string()).collect();
    journal.context(&shared, context.preamble.clone(), files).await;
    let mut talk = Conversation::new(Start {
        journal,
        preamble: context.preamble,
        ..start(setup, session, route, style(setup, &shared).await)
    });
    talk.nested.begun_with(&context.files);
    talk.journal.keeps(&mut lock(&shared.queue));
    Ok((shared, talk))
}

async fn resumed(
    setup: &mut Setup,
    events: mpsc::Sender<Event>,
    session: &SessionId,
) -> Result<(Shared, Conversation), NotBegun> {
    let found = find(setup, session)?;
    let told = if setup.end_first { opening(&found, session, &events).await } else { Vec::new() };
    // A large log takes a while; whoever waits for events meanwhile is not to be held up.
    let opened = tokio::task::spawn_blocking(move || found.read()).await;
    let (log, loaded, damage) =
        opened.unwrap_or_else(|error| Err(unreadable(&error.to_string())))?;
    let state = replay::state(&loaded);
    let blobs = setup.log.blobs.clone();
    let mode = resumed_mode(setup.mode, state.mode);
    let mode = match setup.rules.managed.mode(mode) {
        Ok(()) => mode,
        Err(_) => setup.mode,
    };
    let wanted = state.model.clone().unwrap_or_else(|| setup.model.clone());
    let mut gone = None;
    // The model of back then may be gone; the session is not.
    let route = match setup.router.route(&wanted).await {
        Ok(route) => route,
        Err(error) if wanted != setup.model => {
            gone =
                Some(format!("{wanted} cannot be used ({error}); going on with {}", setup.model));
            setup.router.route(&setup.model).await.map_err(failed)?
        }
        Err(error) => return Err(failed(error).into()),
    };
    let mut known = retell::history(&loaded, &blobs, route.window());
    let (unknown, mut problems) = (known.unknown, std::mem::take(&mut known.problems));
    problems.extend(gone);
    let spent =
        Spent { session: state.spent.cost, today: today(setup), unpriced: state.spent.unpriced };
    let session = loaded.session.clone();
    let purse = Purse::new(setup, session.clone(), spent);
    let log_path = setup.places.find(&session).filter(|_| setup.keep_log);
    let hooking = Hooking::new(setup, &session, log_path.clone());
    let shared = shared(setup, mode, &route, purse, hooking, log_path, events).await;
    shared.agents.set_preamble(&known.preamble);
    shared.emit(started(setup, &session, &route, mode, true)).await;
    tell_budgets(&shared).await;
    let steps = steps::read(&loaded);
    recount::screen(&shared, &loaded, &steps, state.title.as_deref(), &told).await;
    if let Some(place) = state.place.clone() {
        shared.emit(Event::PlaceRestored { place }).await;
    }
    if !damage.is_none() {
        problems.push(damage.to_string());
    }
    if unknown > 0 {
        problems.push(format!(
            "{unknown} calls have no result in the log: their outcome is unknown, and they are not run again"
        ));
    }
    for problem in problems {
        shared.notice(Level::Warning, problem).await;
    }
    retell::tools(&shared, &loaded, &state);
    if !state.todos.is_empty() {
        shared.emit(Event::TodosChanged { todos: state.todos }).await;
    }
    let mut journal = Journal::new(log, mode);
    journal.left_at(state.place);
    if state.title.is_some() {
        journal.titled();
    }
    let changed = steps.done.iter().flat_map(|turn| &turn.changes);
    journal.knows(changed.map(|(_, file)| file.into()));
    let preamble = known.preamble.clone();
    let style = style(setup, &shared).await;
    let mut talk =
        Conversation::new(Start { journal, preamble, ..start(setup, session, route, style) });
    talk.take_up(known);
    talk.nested.taken_up(&loaded);
    talk.notes = undo::untold(&loaded, &steps.taken, &setup.cwd);
    let context = state.context.unwrap_or_else(|| talk.estimated_tokens());
    shared.emit(shared.purse.refilled(context)).await;
    talk.journal.keeps(&mut lock(&shared.queue));
    for input in state.queued {
        shared.queue(input).await;
    }
    // The context stays as it was logged; only the screen wants to know where git stands now.
    let git = context::git::state(&setup.cwd).await.ok().flatten();
    git_event(&shared, git.as_ref()).await;
    tell_sandbox(setup, &shared).await;
    trust::tell(&shared).await;
    Ok((shared, talk))
}

async fn tell_budgets(shared: &Shared) {
    let limits = shared.purse.limits();
    if limits != budget::Limits::default() {
        shared.emit(Event::BudgetSet { limits }).await;
    }
}

/// A session on the disk that has not been read.
enum Found {
    /// To go on with.
    Log(Locked),
    /// To be looked at.
    View(PathBuf),
}

impl Found {
    fn path(&self) -> &Path {
        match self {
            Found::Log(locked) => locked.path(),
            Found::View(path) => path,
        }
    }

    fn read(self) -> Result<(Option<Log>, Loaded, read::Damage), NotBegun> {
        match self {
            Found::Log(locked) => {
                let (log, loaded, damage) =
                    locked.read().map_err(|why| unreadable(&why.to_string()))?;
                Ok((Some(log), loaded, damage))
            }
            Found::View(path) => {
                let (loaded, damage) =
                    read::load(&path).map_err(|why| unreadable(&why.to_string()))?;
                Ok((None, loaded, damage))
            }
        }
    }
}

fn unreadable(why: &str) -> NotBegun {
    refused(why.to_owned(), "Check the rights of the session's folder.")
}

fn refused(message: String, hint: &str) -> NotBegun {
    let hints = vec![hint.to_owned()];
    NotBegun::Ended(Ended::Failed { kind: ErrorKind::Config, message, hints })
}

/// Finds the log for going on with it, or makes a copy of it.
fn find(setup: &mut Setup, session: &SessionId) -> Result<Found, NotBegun> {
    let view = std::mem::take(&mut setup.view);
    let Some(mut path) = setup.places.find(session) else {
        let message = format!("there is no session {}", session.0);
        return Err(refused(message, "`tern sessions list` shows them."));
    };
    if std::mem::take(&mut setup.fork) {
        path = forked(setup, &path).map_err(|why| refused(why, "Resume it without --fork."))?;
    }
    if !setup.keep_log || view {
        return Ok(Found::View(path));
    }
    match Locked::take(&path, setup.log.clone()) {
        Ok(locked) => Ok(Found::Log(locked)),
        Err(OpenError::Locked) => Err(NotBegun::Busy(session.clone())),
        Err(why) => Err(unreadable(&why.to_string())),
    }
}

/// Tells the end of a large session before the whole is read. Returns what was told.
async fn opening(
    found: &Found,
    session: &SessionId,
    events: &mpsc::Sender<Event>,
) -> Vec<MessageId> {
    let path = found.path().to_owned();
    let read = tokio::task::spawn_blocking(move || ending::of(&path));
    let records = read.await.ok().and_then(Result::ok).unwrap_or_default();
    if records.is_empty() {
        return Vec::new();
    }
    let _gone = events.send(Event::Opening { session: session.clone() }).await;
    recount::ending(events, records).await
}

fn forked(setup: &Setup, path: &Path) -> Result<std::path::PathBuf, String> {
    let (loaded, _) = read::load(path).map_err(|error| error.to_string())?;
    let head = loaded.head().cloned().ok_or("the session is empty")?;
    let now = Timestamp::now();
    let session = new_session(now);
    let to = setup.places.log(&setup.cwd, &session);
    fork::fork(&loaded, &head, &to, session, &setup.log.disk, now)
        .map_err(|error| error.to_string())?;
    Ok(to)
}

/// Resuming must not loosen what the person set for this start: bypass holds only if this tern was
/// started with it.
fn resumed_mode(started_with: Mode, logged: Option<Mode>) -> Mode {
    match logged {
        Some(Mode::BypassPermissions) | None => started_with,
        Some(mode) if started_with == Mode::Default => mode,
        Some(_) => started_with,
    }
}

async fn tell_sandbox(setup: &Setup, shared: &Shared) {
    let (words, held) = {
        let session = crate::agent::shared::lock(&shared.session);
        let confinement = &session.confinement;
        (confinement::badge(confinement), confinement::held(setup, confinement))
    };
    shared.emit(Event::SandboxSet { words, held }).await;
}

async fn assemble(setup: &Setup, shared: &Shared) -> Context {
    let context = context::gather(&setup.place).await;
    for notice in &context.notices {
        shared.notice(Level::Warning, notice.clone()).await;
    }
    git_event(shared, context.git.as_ref()).await;
    context
}

async fn git_event(shared: &Shared, state: Option<&GitState>) {
    if let Some(state) = state {
        let (branch, dirty) = (state.branch.clone(), state.dirty);
        shared.emit(Event::GitChanged { branch, dirty }).await;
    }
}

async fn shared(
    setup: &Setup,
    mode: Mode,
    route: &Route,
    purse: Purse,
    hooking: Hooking,
    log: Option<PathBuf>,
    events: mpsc::Sender<Event>,
) -> Shared {
    let purse = Arc::new(purse);
    let (confinement, problem) = confinement::of(setup).await;
    let fewer = setup.sandbox.fewer_questions && confinement::holds(&confinement);
    let blobs = Blobs::new(setup.places.blobs.clone(), Disk::default());
    let record = log.clone().map(|log| (log, blobs));
    let shared = Shared {
        side: Side {
            router: setup.router.clone(),
            purse: purse.clone(),
            events: events.clone(),
            main: Arc::new(Mutex::new(route.name.clone())),
        },
        purse,
        hooking: Arc::new(hooking),
        agents: Arc::new(Agents::new(setup, log)),
        halt: Mutex::default(),
        agent: None,
        lineage: None,
        events: events.clone(),
        questions: Arc::default(),
        tools: setup.tools.clone(),
        gate: Arc::new(Gate::new(
            Standing::new(rules(setup), mode, &setup.cwd, &setup.place.home),
            setup.can_ask,
        )),
        settings: setup.settings.clone(),
        spill: setup.spill.clone(),
        mcp: setup.mcp.as_ref().map(|mcp| Arc::clone(&mcp.servers)),
        session: Mutex::new(Arc::new(SessionState {
            tools: setup.tools.clone(),
            roots: Mutex::new(setup.rules.additional.clone()),
            secret_env: setup.secret_env.clone(),
            confinement,
            jobs: Arc::new(Jobs::new(events)),
            ..SessionState::default()
        })),
        cwd: Mutex::new(setup.cwd.clone()),
        changes: Arc::new(Changes::new(record)),
        queue: Mutex::default(),
    };
    let session = lock(&shared.session).clone();
    recipes::load_all(&shared, &session, shared.agents.extend.clone()).await;
    shared.gate.rules.set_sandboxed(fewer);
    if let Some(problem) = problem {
        shared.notice(Level::Warning, problem).await;
    }
    shared
}

/// The person's rules, and that long outputs which were put aside may be read back.
fn rules(setup: &Setup) -> crate::agent::Rules {
    let mut rules = setup.rules.clone();
    let spill = format!("Read(/{}/**)", setup.spill.display());
    rules.texts.allow.push(Sourced::new(spill, Source::BuiltIn));
    rules
}

/// The words of the output style that the settings name.
async fn style(setup: &Setup, shared: &Shared) -> Option<String> {
    let name = setup.style.as_ref()?;
    let extensions = lock(&lock(&shared.session).extensions).clone();
    let found = extensions.style(name).map(|style| style.text.clone());
    if found.is_none() {
        let text = format!("There is no output style {name}; /output-style lists them.");
        shared.notice(Level::Warning, text).await;
    }
    found
}

fn start(setup: &Setup, session: SessionId, route: Route, style: Option<String>) -> Start {
    let system = match &setup.prompt.system {
        Some(own) => own.clone(),
        None => context::SYSTEM.to_owned(),
    };
    let system = match style {
        Some(style) => format!("{system}\n\n<output-style>\n{style}\n</output-style>"),
        None => system,
    };
    let system = match &setup.prompt.append {
        Some(more) => format!("{system}\n\n{more}"),
        None => system,
    };
    let specs = setup.tools.specs();
    Start {
        session,
        route,
        router: setup.router.clone(),
        fallback: setup.fallback.clone(),
        effort: setup.effort,
        compact: setup.compact.clone(),
        limits: setup.limits,
        place: setup.place.clone(),
        journal: Journal::new(None, setup.mode),
        system: system.into(),
        preamble: String::new(),
        specs: specs.into(),
    }
}

fn started(setup: &Setup, session: &SessionId, route: &Route, mode: Mode, resumed: bool) -> Event {
    Event::Started {
        session: session.clone(),
        cwd: setup.cwd.display().to_string(),
        model: route.name.clone(),
        mode,
        window: route.window(),
        scripted: route.scripted,
        resumed,
    }
}

/// What all sessions of today cost so far. An unreadable ledger counts as empty; the next booking
/// tells of it.
fn today(setup: &Setup) -> Money {
    let now = Timestamp::now();
    let since = ledger::start_of_day(now, &jiff::tz::TimeZone::system());
    ledger::read(&setup.ledger, Some(since))
        .map(|ledger| ledger.entries.iter().filter_map(|entry| entry.cost).sum())
        .unwrap_or_default()
}
