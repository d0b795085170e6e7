//! Starting a sub-agent: from the call to a conversation of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::agent::conversation::{Conversation, Start};
use crate::agent::journal::Journal;
use crate::agent::shared::{Lineage, Shared, Who, lock};
use crate::agent::sub::work::{self, Job};
use crate::agent::sub::{Base, DEEPEST, MOST, Running, models, told, worktree};
use crate::agent::turn::Limits;
use crate::extend::Agent;
use crate::protocol::{
    AgentId, AgentInfo, AgentReport, AgentState, AgentTask, AskError, CallId, Level, SessionId,
};
use crate::session::log::Log;
use crate::session::record::{Opening, Origin, new_id};
use crate::tools::table::Table;

/// Requests that one may make unless its description says otherwise.
const TURNS: u32 = 100;

/// Starts what the call of `parent` asks for and, unless it runs in the background, waits for it.
pub async fn begin(
    parent: &Arc<Shared>,
    call: &CallId,
    task: AgentTask,
    cancel: &tokio_util::sync::CancellationToken,
) -> Result<AgentReport, AskError> {
    let refuse = |why: String| AskError::Unavailable(why);
    let extensions = lock(&lock(&parent.session).extensions).clone();
    let kind = task.kind.as_deref().unwrap_or("general");
    let kind = match kind {
        // The names that Claude Code has for the same.
        "general-purpose" | "claude" => "general",
        other => other,
    };
    let Some(agent) = extensions.agent(kind) else {
        let kinds: Vec<&str> = extensions.agents.iter().map(|agent| agent.name.as_str()).collect();
        return Err(refuse(format!("there is no agent {kind:?}; there are {}", kinds.join(", "))));
    };
    let depth = parent.lineage.as_ref().map_or(0, |lineage| lineage.depth) + 1;
    if depth > DEEPEST {
        return Err(refuse(format!("agents are started at most {DEEPEST} deep; do it yourself")));
    }
    let id = {
        let mut state = lock(&parent.agents.state);
        if state.running.len() >= MOST {
            return Err(refuse(format!("{MOST} agents run already; wait for some of them")));
        }
        state.last += 1;
        AgentId(format!("a{}", state.last))
    };
    let background = task.background || agent.background;
    let cancel = match background {
        true => parent.agents.over.child_token(),
        false => cancel.child_token(),
    };
    let base = &parent.agents.base;
    let model = match models::named(parent, base, task.model.as_deref().or(agent.model.as_deref()))
    {
        Ok(model) => model,
        Err(own) => {
            let wanted = task.model.as_deref().or(agent.model.as_deref()).unwrap_or_default();
            let text = format!("{wanted} is no known model; the agent {kind} uses {own}.");
            parent.notice(Level::Warning, text).await;
            own
        }
    };
    let route = base.router.route(&model).await.map_err(|error| refuse(error.message))?;
    let worktree = match task.worktree || agent.worktree {
        true => Some(worktree::make(parent, &base.worktrees, &id).await.map_err(refuse)?),
        false => None,
    };
    let info = AgentInfo {
        id: id.clone(),
        kind: agent.name.clone(),
        task: task.task.clone(),
        model: route.name.clone(),
        state: AgentState::Running,
        call: call.clone(),
        background,
        parent: parent.agent.as_ref().map(|who| who.id.clone()),
        worktree: worktree.as_ref().map(|worktree| worktree.path.display().to_string()),
    };
    let shared = Arc::new(child(parent, agent, &info, depth, worktree.as_ref().map(|w| &w.path)));
    let session = SessionId(format!("{}-{}", parent.purse.session().0, id.0));
    let journal = journal(base, parent, &shared, &id, &session);
    let preamble = lock(&parent.agents.state).preamble.clone();
    let talk = Conversation::new(Start {
        session,
        route,
        router: base.router.clone(),
        fallback: base.fallback.clone(),
        effort: agent.effort.or(base.effort),
        compact: base.compact.clone(),
        limits: Limits { max_turns: Some(agent.max_turns.unwrap_or(TURNS)) },
        journal,
        system: agent.prompt.clone().into(),
        preamble,
        specs: shared.tools.specs().into(),
        place: base.place.clone(),
    });
    let running = Running { info: info.clone(), shared: shared.clone(), cancel: cancel.clone() };
    lock(&parent.agents.state).running.insert(id.clone(), running);
    told(parent, info.clone()).await;
    let job = Job { talk, shared, info, prompt: task.prompt, worktree, parent: parent.clone() };
    // A task of its own: a call that is given up does not leave it half done.
    let work = tokio::spawn(work::run(job, cancel));
    if background {
        let text = format!(
            "The agent {} has begun in the background. You will be told when it is done; go on with \
             something else, and do not wait for it.",
            id.0
        );
        let facts = "in the background".to_owned();
        return Ok(AgentReport { id, state: AgentState::Running, text, facts });
    }
    work.await
        .map_err(|_| AskError::Unavailable("the agent broke; this is a defect of tern".into()))
}

/// What it shares with whoever starts it, and what it has for itself.
fn child(
    parent: &Shared,
    agent: &Agent,
    info: &AgentInfo,
    depth: usize,
    worktree: Option<&PathBuf>,
) -> Shared {
    let deepest = depth == DEEPEST;
    let may = |name: &str| agent.may_use(name) && !(deepest && name == "Agent");
    let tools = parent.tools.only(&may);
    let session = lock(&parent.session).for_agent(tools.clone());
    Shared {
        events: parent.events.clone(),
        tools,
        gate: parent.gate.clone(),
        purse: parent.purse.clone(),
        side: parent.side.clone(),
        hooking: parent.hooking.clone(),
        agents: parent.agents.clone(),
        halt: Mutex::default(),
        agent: Some(Who { id: info.id.clone(), kind: info.kind.clone() }),
        lineage: Some(Lineage {
            depth,
            most: parent
                .lineage
                .as_ref()
                .and_then(|lineage| lineage.most)
                .into_iter()
                .chain(agent.mode)
                .reduce(crate::agent::shared::narrower),
            apart: worktree.is_some(),
        }),
        settings: parent.settings.clone(),
        mcp: parent.mcp.clone(),
        questions: parent.questions.clone(),
        spill: parent.spill.clone(),
        session: Mutex::new(Arc::new(session)),
        cwd: Mutex::new(worktree.cloned().unwrap_or_else(|| parent.cwd())),
        changes: parent.changes.clone(),
        queue: Mutex::default(),
    }
}

/// Its own log, beside the session's.
fn journal(
    base: &Base,
    parent: &Shared,
    shared: &Shared,
    id: &AgentId,
    session: &SessionId,
) -> Journal {
    let log = base.log.as_ref().map(|log| {
        let mut name = log.file_name().unwrap_or_default().to_owned();
        name.push(format!(".agent-{}", id.0));
        let now = Timestamp::now();
        let opening = Opening {
            session: session.clone(),
            cwd: shared.cwd().display().to_string(),
            model: lock(&shared.side.main).clone(),
            mode: shared.mode(),
            branch: None,
            tern: env!("CARGO_PKG_VERSION").to_owned(),
            origin: Some(Origin {
                session: parent.purse.session().clone(),
                record: new_id(now),
                inherited: 0,
            }),
        };
        Log::create(log.with_file_name(name), opening, base.log_tools.clone(), now)
    });
    let mut journal = Journal::new(log, shared.mode());
    // No title is worth a request here.
    journal.titled();
    journal
}

impl Table {
    /// The same tools as far as `may` allows them.
    fn only(&self, may: &impl Fn(&str) -> bool) -> Arc<Table> {
        let kept = |tools: Vec<Arc<dyn crate::tools::Tool>>| {
            tools.into_iter().filter(|tool| may(tool.name())).collect::<Vec<_>>()
        };
        Table::new(kept(self.always()), kept(self.deferred()))
    }
}
