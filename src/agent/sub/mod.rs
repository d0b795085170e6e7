//! Sub-agents: conversations of their own that work for this one.
//!
//! `begin` starts one, `work` is its life, `worktree` gives it a copy of the repository. What all of
//! a session share stands in [`Agents`]: who runs, who wrote which file, what is still to be told.
//!
//! *Invariants:* a sub-agent passes the same gate as the session and its mode is never wider; its
//! money is the session's; it ends when the session does.

mod begin;
mod models;
mod work;
mod worktree;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use begin::begin;

use crate::agent::Setup;
use crate::agent::route::Router;
use crate::agent::shared::{Shared, lock};
use crate::config::{Compact, Effort};
use crate::context::Place;
use crate::extend;
use crate::protocol::{AgentId, AgentInfo, Event, Input, Level};
use crate::session::checkpoint::Checkpoint;
use crate::session::log;

/// Sub-agents of a session that run at the same time.
const MOST: usize = 12;
/// How deep an agent may be below the session.
const DEEPEST: usize = 3;
/// How long the end of a session waits for its agents.
const TIDY_UP: Duration = Duration::from_secs(3);
/// Files of which it is remembered who wrote them.
const FILES: usize = 10_000;

/// All sub-agents of a session.
#[derive(Debug)]
pub struct Agents {
    base: Base,
    /// Where commands, skills and agents are looked for.
    pub extend: extend::Places,
    /// Ends those in the background.
    over: CancellationToken,
    state: Mutex<State>,
}

/// What each is made of besides its own description.
#[derive(Debug)]
struct Base {
    router: Arc<dyn Router>,
    fallback: Option<String>,
    effort: Option<Effort>,
    compact: Compact,
    log_tools: log::Tools,
    place: Place,
    /// Where copies of the repository are made.
    worktrees: PathBuf,
    /// The session's log, beside which theirs stand.
    log: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    running: BTreeMap<AgentId, Running>,
    /// What the model was told of the project when the session began.
    preamble: String,
    writers: HashMap<PathBuf, Option<AgentId>>,
    /// For each that runs, and for the session itself: what it hears with its next request.
    news: HashMap<Option<AgentId>, Vec<String>>,
    /// Changes of files that the session's log has not noted yet.
    checkpoints: Vec<Checkpoint>,
}

#[derive(Debug, Clone)]
struct Running {
    info: AgentInfo,
    shared: Arc<Shared>,
    cancel: CancellationToken,
}

impl Agents {
    pub fn new(setup: &Setup, log: Option<PathBuf>) -> Agents {
        let worktrees = setup.spill.parent().unwrap_or(&setup.spill).join("worktrees");
        Agents {
            base: Base {
                router: setup.router.clone(),
                fallback: setup.fallback.clone(),
                effort: setup.effort,
                compact: setup.compact.clone(),
                log_tools: setup.log.clone(),
                place: setup.place.clone(),
                worktrees,
                log,
            },
            extend: extend_places(setup),
            over: CancellationToken::new(),
            state: Mutex::default(),
        }
    }

    pub fn set_preamble(&self, preamble: &str) {
        preamble.clone_into(&mut lock(&self.state).preamble);
    }

    /// Says something to one that runs.
    pub async fn steer(&self, shared: &Shared, id: &AgentId, text: String) {
        let running = lock(&self.state).running.get(id).map(|running| running.shared.clone());
        match running {
            Some(agent) => agent.queue(Input::text(text)).await,
            None => {
                let text = format!("The agent {} is not running any more.", id.0);
                shared.notice(Level::Info, text).await;
            }
        }
    }

    /// Stops one; a second time, and for one that is over, nothing happens.
    pub fn stop(&self, id: &AgentId) {
        if let Some(running) = lock(&self.state).running.get(id) {
            running.cancel.cancel();
        }
    }

    /// Stops all and waits for a little while until they have ended.
    pub async fn stop_all(&self) {
        self.over.cancel();
        lock(&self.state).running.values().for_each(|running| running.cancel.cancel());
        let gone = async {
            while !lock(&self.state).running.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _late = tokio::time::timeout(TIDY_UP, gone).await;
    }

    /// The agent that a question is asked for, to judge it by.
    pub fn find(&self, id: &AgentId) -> Option<Arc<Shared>> {
        lock(&self.state).running.get(id).map(|running| running.shared.clone())
    }

    /// `who` has written a file. The name of another who has written it before, and is told.
    pub fn wrote(&self, who: Option<&AgentId>, file: &Path) -> Option<String> {
        let mut state = lock(&self.state);
        if state.writers.len() >= FILES {
            state.writers.clear();
        }
        let before = state.writers.insert(file.to_owned(), who.cloned())?;
        if before.as_ref() == who {
            return None;
        }
        let runs = before.as_ref().is_none_or(|id| state.running.contains_key(id));
        if runs {
            let text = format!(
                "(tern: {} has changed {}, which you had changed before. Read it again before you \
                 change it.)",
                name(&state, who),
                file.display()
            );
            state.news.entry(before.clone()).or_default().push(text);
        }
        Some(name(&state, before.as_ref()))
    }

    /// What `who` has to be told.
    pub fn take_news(&self, who: Option<&AgentId>) -> Vec<String> {
        lock(&self.state).news.remove(&who.cloned()).unwrap_or_default()
    }

    pub fn tell(&self, who: Option<&AgentId>, text: String) {
        lock(&self.state).news.entry(who.cloned()).or_default().push(text);
    }

    /// What an agent has kept or noted of a file, for the session's own log.
    pub fn hand_over(&self, checkpoint: Checkpoint) {
        lock(&self.state).checkpoints.push(checkpoint);
    }

    pub fn take_checkpoints(&self) -> Vec<Checkpoint> {
        std::mem::take(&mut lock(&self.state).checkpoints)
    }
}

fn extend_places(setup: &Setup) -> extend::Places {
    extend::Places {
        cwd: setup.cwd.clone(),
        root: setup.place.root.clone(),
        home: setup.place.home.clone(),
        config: setup.place.config.clone(),
        plugins: setup.places.plugins(),
        trusted: setup.rules.trusted,
    }
}

fn name(state: &State, who: Option<&AgentId>) -> String {
    match who {
        None => "the main conversation".to_owned(),
        Some(id) => match state.running.get(id) {
            Some(running) => format!("the agent {} ({})", id.0, running.info.task),
            None => format!("the agent {}", id.0),
        },
    }
}

/// One that has begun or ended is told of as the session's own news.
async fn told(parent: &Shared, info: AgentInfo) {
    let _gone = parent.events.send(Event::AgentChanged { info }).await;
}
