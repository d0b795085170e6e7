//! The session's MCP servers: their tools in the session's table, their state told to the front
//! end, what they ask put before the person.
//!
//! They belong to the agent and not to one conversation: another session in the same place goes on
//! with the connections there are.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::Answer;
use crate::agent::shared::{Shared, lock};
use crate::agent::side::Question;
use crate::mcp::{Elicited, Form, Host, Sampled, Sampling, Servers};
use crate::protocol::{CallId, Cause, Closed, Decision, Event, Level, Preview, Request, ServerAct};
use crate::tools::mcp_tool;
use crate::tools::table::Table;

/// What the command line sets up.
#[derive(Debug, Clone)]
pub struct Mcp {
    pub servers: Arc<Servers>,
    /// How long the first prompt waits for servers that were never met.
    pub wait: Duration,
}

/// The servers while the agent runs.
#[derive(Debug)]
pub struct Connected {
    servers: Arc<Servers>,
    person: Arc<Person>,
    follows: JoinHandle<()>,
}

/// Changes that come together are told once.
const TOGETHER: Duration = Duration::from_millis(50);

impl Connected {
    pub async fn begin(mcp: &Mcp, shared: &Arc<Shared>, events: &mpsc::Sender<Event>) -> Connected {
        let servers = Arc::clone(&mcp.servers);
        let person = Arc::new(Person::default());
        person.is(shared);
        if shared.gate.can_ask() {
            servers.set_host(Arc::clone(&person) as Arc<dyn Host>);
        }
        servers.start();
        if !mcp.wait.is_zero() {
            servers.settled(mcp.wait).await;
        }
        told(&servers, &shared.tools, events).await;
        let follows =
            tokio::spawn(follow(Arc::clone(&servers), Arc::clone(&shared.tools), events.clone()));
        Connected { servers, person, follows }
    }

    /// Another session has taken the place of the one before.
    pub async fn continues(&self, shared: &Arc<Shared>) {
        self.person.is(shared);
        shared.emit(Event::ServersChanged { servers: self.servers.list() }).await;
    }

    pub async fn end(self) {
        self.follows.abort();
        self.servers.close_all().await;
    }
}

/// Does what the person wants, beside whatever runs.
pub async fn act(shared: &Shared, server: String, act: ServerAct) {
    let Some(servers) = shared.mcp.clone() else {
        return shared.notice(Level::Error, "There are no MCP servers in this session.").await;
    };
    let events = shared.events.clone();
    tokio::spawn(async move {
        let (level, text) = match servers.act(&server, act).await {
            Ok(None) => return,
            Ok(Some(said)) => (Level::Info, said),
            Err(error) => (Level::Error, format!("MCP server {server}: {error}.")),
        };
        let _gone = events.send(Event::Noticed { level, text }).await;
    });
}

/// Until the agent ends: what the servers offer goes into the table, how they stand to the front
/// end.
async fn follow(servers: Arc<Servers>, tools: Arc<Table>, events: mpsc::Sender<Event>) {
    let mut changes = servers.changes();
    while changes.changed().await.is_ok() {
        tokio::time::sleep(TOGETHER).await;
        changes.borrow_and_update();
        told(&servers, &tools, &events).await;
    }
}

async fn told(servers: &Arc<Servers>, tools: &Table, events: &mpsc::Sender<Event>) {
    let all = mcp_tool::all(servers);
    tools.remove(|name| mcp_tool::is_one(name) && !all.iter().any(|tool| tool.name() == name));
    // Those that every request carries anyway are refused, as they must not change.
    tools.add(all);
    let _gone = events.send(Event::ServersChanged { servers: servers.list() }).await;
}

/// Puts what a server asks before the person of the session that runs now.
#[derive(Debug, Default)]
struct Person {
    shared: Mutex<Weak<Shared>>,
}

impl Person {
    fn is(&self, shared: &Arc<Shared>) {
        *lock(&self.shared) = Arc::downgrade(shared);
    }
}

/// Time for the model's answer to a server.
const SAMPLING: Duration = Duration::from_secs(120);

#[async_trait]
impl Host for Person {
    async fn elicit(&self, server: &str, form: Form) -> Elicited {
        let Some(shared) = lock(&self.shared).upgrade() else { return Elicited::Cancel };
        let text = match &form.url {
            Some(url) => format!("{server} wants you to open {url}: {}", form.message),
            None => format!("{server} asks: {}", form.message),
        };
        shared
            .notice(Level::Warning, format!("{text} It was told no: forms are not shown yet."))
            .await;
        Elicited::Decline
    }

    async fn sample(&self, server: &str, ask: Sampling) -> Result<Sampled, String> {
        let shared = lock(&self.shared).upgrade().ok_or("the session is over")?;
        let model = shared.side.small().ok_or("there is no model for this")?;
        let text = shown(&ask);
        if !allowed(&shared, server, &text).await {
            return Err("the user said no".to_owned());
        }
        let question = Question {
            system: ask.system.as_deref().unwrap_or("Answer as briefly as the question allows."),
            text,
            max_tokens: ask.max_tokens,
            cause: Cause::Page,
            limit: SAMPLING,
        };
        let answer = shared.side.ask(&question, &CancellationToken::new()).await;
        answer.map(|text| Sampled { model, text }).map_err(|error| error.to_string())
    }
}

fn shown(ask: &Sampling) -> String {
    match ask.messages.as_slice() {
        [(_, text)] => text.clone(),
        messages => {
            let lines = messages.iter().map(|(role, text)| format!("{role}: {text}"));
            lines.collect::<Vec<_>>().join("\n\n")
        }
    }
}

/// Each time anew: what a server wants the model to say is never the same.
async fn allowed(shared: &Shared, server: &str, text: &str) -> bool {
    let tool = format!("mcp__{server}");
    let (id, answer) = shared.gate.approvals.open(shared.who(), &tool, &serde_json::Value::Null);
    let request = Request {
        id,
        call: CallId(format!("mcp-{}", id.0)),
        tool,
        preview: Preview::Other {
            text: format!("{server} wants an answer of the model, at your cost, to:\n\n{text}"),
        },
        parts: Vec::new(),
        because: "a server may not ask the model unasked".to_owned(),
        rule: None,
        suggestions: Vec::new(),
        reason: None,
        sandbox: None,
        offers_network: false,
    };
    shared.emit(Event::PermissionAsked { request: Box::new(request) }).await;
    let decision = match answer.await {
        Ok(Answer::Person(decision)) => decision,
        Ok(Answer::Rule(_)) | Err(_) => Decision::Deny { message: None },
    };
    let yes = matches!(decision, Decision::Once);
    let by = Closed::Answer { decision };
    shared.emit(Event::PermissionClosed { request: id, by }).await;
    yes
}
