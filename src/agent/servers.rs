//! The session's MCP servers: their tools in the session's table, their state told to the front
//! end, what they ask put before the person.
//!
//! They belong to the agent and not to one conversation: another session in the same place goes on
//! with the connections there are.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::approvals::Answer;
use crate::agent::shared::{Shared, lock};
use crate::agent::side::Question;
use crate::api::Purpose;
use crate::mcp::{Elicited, FieldKind, Form, Host, Sampled, Sampling, Servers};
use crate::protocol::{CallId, Cause, Closed, Decision, Event, Level, Preview, Request, ServerAct};
use crate::tools::Outcome;
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
        let values = match filled(&form) {
            Ok(values) => values,
            Err(field) => {
                let text = format!(
                    "{server} asked \u{201c}{}\u{201d} and was told no: {field} has to be typed, and a form has no fields to type in yet.",
                    form.message
                );
                shared.notice(Level::Warning, text).await;
                return Elicited::Decline;
            }
        };
        let because = "a server asks, and may not know the answer unasked";
        if allowed(&shared, server, &question(server, &form, &values), because).await {
            Elicited::Accept(values)
        } else {
            Elicited::Decline
        }
    }

    async fn sample(&self, server: &str, ask: Sampling) -> Result<Sampled, String> {
        let shared = lock(&self.shared).upgrade().ok_or("the session is over")?;
        let model = shared.side.small().ok_or("there is no model for this")?;
        let text = shown(&ask);
        let asked = format!("{server} wants an answer of the model, at your cost, to:\n\n{text}");
        if !allowed(&shared, server, &asked, "a server may not ask the model unasked").await {
            return Err("the user said no".to_owned());
        }
        let question = Question {
            system: ask.system.as_deref().unwrap_or("Answer as briefly as the question allows."),
            text,
            max_tokens: ask.max_tokens,
            purpose: Purpose::Side,
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

/// What goes back when the person agrees: the defaults, and the first of what can be chosen. The
/// error names a field that has to be typed.
fn filled(form: &Form) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    for field in &form.fields {
        let value = match (&field.default, &field.kind) {
            (Some(default), _) => default.clone(),
            (None, _) if !field.required => continue,
            (None, FieldKind::Flag) => false.into(),
            (None, FieldKind::Many(_)) => Value::Array(Vec::new()),
            (None, FieldKind::One(options)) if !options.is_empty() => options[0].0.as_str().into(),
            (None, _) => return Err(field.title.clone()),
        };
        values.insert(field.name.clone(), value);
    }
    Ok(values)
}

/// The form as it would be sent, for the person to agree to or not.
fn question(server: &str, form: &Form, values: &Map<String, Value>) -> String {
    let mut text = format!("{server} asks: {}\n", form.message);
    if let Some(url) = &form.url {
        text += &format!("\nIt wants you to open {url} first.\n");
    }
    for field in &form.fields {
        let value = values.get(&field.name).map_or("(left out)".to_owned(), Value::to_string);
        text += &format!("\n  {}: {value}", field.title);
        if let FieldKind::One(options) | FieldKind::Many(options) = &field.kind {
            let names: Vec<&str> = options.iter().map(|(_, name)| name.as_str()).collect();
            text += &format!("   (of {})", names.join(", "));
        }
    }
    text
}

/// A prompt that begins with the command of a server's prompt, with that prompt in its place.
/// `None`: it is none. Arguments are given in order, the last one takes what is left.
pub async fn expanded(
    shared: &Shared,
    text: &str,
    cancel: &CancellationToken,
) -> Option<Result<String, String>> {
    let servers = shared.mcp.as_ref()?;
    let rest = text.strip_prefix('/')?;
    let (command, given) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let known = servers.prompts().into_iter().find(|prompt| prompt.command == command)?;
    let mut left = given.trim();
    let mut arguments = Map::new();
    for (at, argument) in known.arguments.iter().enumerate() {
        let last = at + 1 == known.arguments.len();
        let (value, after) = match left.split_once(char::is_whitespace) {
            Some((value, after)) if !last => (value, after.trim_start()),
            _ => (left, ""),
        };
        if value.is_empty() {
            if argument.required {
                return Some(Err(format!("/{command} needs {}", argument.name)));
            }
            break;
        }
        arguments.insert(argument.name.clone(), value.into());
        left = after;
    }
    let prompt = servers.prompt(command, arguments, cancel).await;
    Some(prompt.map_err(|error| format!("/{command}: {error}")))
}

/// Resources that a prompt mentions as `@SERVER:URI`, at most a few.
pub async fn mentioned(
    shared: &Shared,
    text: &str,
    cancel: &CancellationToken,
) -> Vec<(String, Outcome)> {
    const MOST: usize = 5;
    let Some(servers) = &shared.mcp else { return Vec::new() };
    let named: Vec<String> =
        servers.list().into_iter().filter(|info| info.resources).map(|info| info.name).collect();
    let mut found = Vec::new();
    for word in text.split_whitespace().filter_map(|word| word.strip_prefix('@')) {
        let Some((server, uri)) = word.split_once(':') else { continue };
        let mention = format!("@{word}");
        let again = found.iter().any(|(known, _)| *known == mention);
        if found.len() == MOST || again || !named.iter().any(|name| name == server) {
            continue;
        }
        let outcome = match servers.read(server, uri, cancel).await {
            Ok(answer) => Outcome::done(answer.text, answer.facts),
            Err(error) => Outcome::failed(format!("MCP server {server}: {error}."), "not read"),
        };
        found.push((mention, outcome));
    }
    found
}

/// Each time anew: what a server asks is never the same.
async fn allowed(shared: &Shared, server: &str, text: &str, because: &str) -> bool {
    let tool = format!("mcp__{server}");
    let (id, answer) = shared.gate.approvals.open(shared.who(), &tool, &serde_json::Value::Null);
    let request = Request {
        id,
        call: CallId(format!("mcp-{}", id.0)),
        tool,
        preview: Preview::Other { text: text.to_owned() },
        parts: Vec::new(),
        because: because.to_owned(),
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
