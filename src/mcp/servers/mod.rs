//! All servers of a session: which may run, what each offers, and the connections to those that do.
//!
//! A server whose offer is known from an earlier session is not started before it is called; the
//! others start in the background, all at once. What is known at any time can be asked without
//! waiting; whoever wants to hear of changes watches [`Servers::changes`].

mod entry;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::mcp::approve::{self, Book, Record, Standing};
use crate::mcp::connect::Surroundings;
use crate::mcp::content::{self, Answer};
use crate::mcp::handler::Host;
use crate::mcp::servers::entry::{Entry, State};
use crate::mcp::sources::Sources;
use crate::mcp::{How, McpError, ToolOffer, auth, cache, define, naming};
use crate::protocol::{ServerInfo, ServerState, ServerTool, ToolUse};

pub use crate::protocol::ServerAct as Act;

/// Folders and facts that servers need.
#[derive(Debug)]
pub struct Places {
    /// The project, to which approvals of its servers belong.
    pub root: PathBuf,
    /// Folders that the session works in, told to servers that ask.
    pub roots: Vec<PathBuf>,
    /// `state/mcp.toml`
    pub book: PathBuf,
    /// Folder of offers.
    pub cache: PathBuf,
    /// Folder of long answers and pictures.
    pub spill: PathBuf,
    pub around: Surroundings,
}

/// Shared by the tools, the agent and the tasks of connections.
#[derive(Debug)]
pub struct Servers {
    entries: RwLock<Vec<Arc<Entry>>>,
    trusted: std::sync::atomic::AtomicBool,
    listed: Mutex<crate::mcp::sources::Listed>,
    book: Mutex<Book>,
    places: Places,
    host: RwLock<Option<Arc<dyn Host>>>,
    changes: watch::Sender<u64>,
}

/// A tool that can be called.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// `mcp__SERVER__TOOL`
    pub tool: String,
    /// The server as the person calls it.
    pub server: String,
    pub offer: ToolOffer,
}

/// A prompt as a slash command.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPrompt {
    /// `mcp__SERVER__PROMPT`
    pub command: String,
    pub about: String,
    pub arguments: Vec<crate::mcp::offer::PromptArgument>,
}

impl Servers {
    /// Starts nothing. The problem is that of a damaged book.
    pub fn new(sources: Sources, places: Places) -> (Arc<Servers>, Option<String>) {
        let (book, problem) = Book::load(&places.book);
        let servers = Servers {
            entries: RwLock::default(),
            trusted: sources.trusted.into(),
            listed: Mutex::default(),
            book: Mutex::new(book),
            places,
            host: RwLock::default(),
            changes: watch::Sender::new(0),
        };
        servers.define(sources);
        (Arc::new(servers), problem)
    }

    /// Takes up other definitions: of a folder that has been trusted, of a file that has changed.
    /// Servers that are defined as before go on.
    pub fn define(&self, sources: Sources) {
        self.trusted.store(sources.trusted, std::sync::atomic::Ordering::Relaxed);
        *lock(&self.listed) = sources.listed;
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let mut taken = BTreeSet::new();
        let old = std::mem::take(&mut *entries);
        for definition in sources.definitions {
            let part = naming::server(&definition.name, &taken);
            taken.insert(part.clone());
            let kept = old.iter().find(|e| e.definition == definition && e.part == part);
            entries.push(match kept {
                Some(entry) => Arc::clone(entry),
                None => {
                    let offer = cache::read(&self.places.cache, &definition);
                    Arc::new(Entry::new(definition, part, offer))
                }
            });
        }
        drop(entries);
        self.changed();
    }

    /// The folder's own servers may run from now on, or may not.
    pub fn set_trusted(self: &Arc<Self>, trusted: bool) {
        self.trusted.store(trusted, std::sync::atomic::Ordering::Relaxed);
        self.changed();
        self.start();
    }

    /// Lets in the project's servers that the person has just been shown: those whose entries are,
    /// to the letter, among `entries` (JSON, a line each).
    pub fn let_in(&self, entries: &[&str]) -> Result<(), McpError> {
        let seen: BTreeSet<String> = entries.iter().map(|entry| define::written(entry)).collect();
        for entry in self.all() {
            let definition = &entry.definition;
            if definition.of_project() && seen.contains(&definition.written) {
                let offer = entry.offer();
                let change = |record: &mut Record| {
                    if record.definition != definition.fingerprint() {
                        approve::let_in(record, definition, offer.as_ref());
                    }
                };
                let kept = lock(&self.book).change(definition, &self.places.root, change);
                kept.map_err(McpError::Refused)?;
            }
        }
        Ok(())
    }

    pub fn set_host(&self, host: Arc<dyn Host>) {
        *self.host.write().unwrap_or_else(PoisonError::into_inner) = Some(host);
    }

    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Counts up whenever anything that can be asked here has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Starts, in the background and all at once, the servers whose offer is not known.
    pub fn start(self: &Arc<Self>) {
        for entry in self.all() {
            if self.may_run(&entry).is_ok() && entry.offer().is_none() {
                let servers = Arc::clone(self);
                tokio::spawn(async move {
                    // Why it failed stands in its state.
                    let _ = servers.client(&entry).await;
                });
            }
        }
    }

    /// Waits until nothing starts any more, at most `limit`.
    pub async fn settled(&self, limit: Duration) {
        let mut changes = self.changes();
        let settled = async {
            while self.all().iter().any(|entry| entry.is_starting(self.may_run(entry).is_ok())) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // What is late comes in later.
        let _ = tokio::time::timeout(limit, settled).await;
    }

    /// Every tool that may be offered to the model, in order of servers and names.
    pub fn tools(&self) -> Vec<Known> {
        let mut found = Vec::new();
        for entry in self.all() {
            let record = self.record(&entry);
            if self.may_run(&entry).is_err() {
                continue;
            }
            for (tool, offer) in entry.tools() {
                if use_of(&record, &offer) == ToolUse::On {
                    found.push(Known { tool, server: entry.definition.name.clone(), offer });
                }
            }
        }
        found
    }

    pub fn prompts(&self) -> Vec<KnownPrompt> {
        let running = |entry: &Arc<Entry>| self.may_run(entry).is_ok();
        self.all().iter().filter(|entry| running(entry)).flat_map(|entry| entry.prompts()).collect()
    }

    /// Whether any server that may run has resources.
    pub fn have_resources(&self) -> bool {
        self.all().iter().any(|entry| entry.has_resources() && self.may_run(entry).is_ok())
    }

    /// Servers as they stand, in the order of their definition.
    pub fn list(&self) -> Vec<ServerInfo> {
        self.all().iter().map(|entry| self.info(entry)).collect()
    }

    fn info(&self, entry: &Entry) -> ServerInfo {
        let record = self.record(entry);
        let offer = entry.offer();
        let tools = entry.tools().into_iter().map(|(tool, offer)| ServerTool {
            use_: use_of(&record, &offer),
            tokens: offer.tokens(),
            about: offer.description.lines().next().unwrap_or_default().chars().take(120).collect(),
            name: offer.name,
            tool,
        });
        let about = offer.as_ref().map(|offer| match offer.server.as_str() {
            "" => offer.protocol.clone(),
            server => format!("{server} · {}", offer.protocol),
        });
        ServerInfo {
            name: entry.definition.name.clone(),
            source: entry.definition.source,
            place: entry.definition.shown(),
            state: self.state(entry, &record),
            about: about.unwrap_or_default(),
            tools: tools.collect(),
            prompts: entry.prompts().into_iter().map(|p| (p.command, p.about)).collect(),
            resources: entry.has_resources(),
        }
    }

    fn state(&self, entry: &Entry, record: &Record) -> ServerState {
        if record.disabled || !entry.definition.enabled {
            return ServerState::Off;
        }
        let standing = self.standing(entry, record);
        if standing != Standing::Approved {
            return ServerState::Waits { why: standing.why().to_owned() };
        }
        match entry.state() {
            State::Idle if entry.offer().is_some() => ServerState::Idle,
            State::Idle | State::Starting => ServerState::Starting,
            State::Ready => ServerState::Ready,
            State::Failed(McpError::Login) => ServerState::Login,
            State::Failed(error) => ServerState::Failed { why: error.to_string() },
        }
    }

    /// Calls a tool by its whole name. Pieces of progress go to `pieces`.
    pub async fn call(
        self: &Arc<Self>,
        tool: &str,
        arguments: Map<String, Value>,
        pieces: &mpsc::Sender<String>,
        cancel: &CancellationToken,
    ) -> Result<Answer, McpError> {
        let (entry, offer) = self.find_tool(tool)?;
        let client = self.connected(&entry, cancel).await?;
        // The server may have come up with other tools than those that were known.
        self.find_tool(tool)?;
        let result = client.call(&offer.name, arguments, pieces, cancel).await;
        self.note(&entry, &result);
        Ok(content::of_call(result?, &self.places.spill))
    }

    fn find_tool(&self, tool: &str) -> Result<(Arc<Entry>, ToolOffer), McpError> {
        let gone = || McpError::Refused(format!("no server offers {tool} any more"));
        let (part, _) = naming::split(tool).ok_or_else(gone)?;
        let entry = self.all().into_iter().find(|e| e.part == part).ok_or_else(gone)?;
        self.may_run(&entry)?;
        let (_, offer) =
            entry.tools().into_iter().find(|(name, _)| name == tool).ok_or_else(gone)?;
        match use_of(&self.record(&entry), &offer) {
            ToolUse::On => Ok((entry, offer)),
            ToolUse::Off => Err(McpError::Refused(format!("{tool} is switched off (/mcp)"))),
            ToolUse::Waits => Err(McpError::Refused(format!(
                "{tool} is not what it was when {} was let in; the user has to look at it (/mcp)",
                entry.definition.name
            ))),
        }
    }

    /// Addresses and names of the resources of one server, or of all that have any.
    pub async fn resources(
        self: &Arc<Self>,
        server: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<String, McpError> {
        let mut lines = Vec::new();
        for entry in self.all() {
            let meant = server.is_none_or(|name| entry.is_called(name));
            if !meant || (server.is_none() && !entry.has_resources()) {
                continue;
            }
            if server.is_none() && self.may_run(&entry).is_err() {
                continue;
            }
            let listed = async { self.connected(&entry, cancel).await?.resources().await };
            match listed.await {
                Ok(resources) => lines.extend(resources.into_iter().map(|resource| {
                    let kind = resource.mime_type.unwrap_or_default();
                    format!(
                        "{}\t{}\t{}\t{kind}",
                        entry.definition.name, resource.uri, resource.name
                    )
                })),
                Err(error) if server.is_some() => return Err(error),
                Err(error) => lines.push(format!("{}\t({error})", entry.definition.name)),
            }
        }
        if lines.is_empty() {
            return Err(McpError::Refused(match server {
                Some(name) => format!("{name} has no resources"),
                None => "no server has resources".to_owned(),
            }));
        }
        Ok(format!("server\turi\tname\tkind\n{}", lines.join("\n")))
    }

    pub async fn read(
        self: &Arc<Self>,
        server: &str,
        uri: &str,
        cancel: &CancellationToken,
    ) -> Result<Answer, McpError> {
        let entry = self.named(server)?;
        let result = self.connected(&entry, cancel).await?.read(uri, cancel).await;
        self.note(&entry, &result);
        Ok(content::of_resource(result?.contents, &self.places.spill))
    }

    /// The text of a prompt, by the name of its slash command.
    pub async fn prompt(
        self: &Arc<Self>,
        command: &str,
        arguments: Map<String, Value>,
        cancel: &CancellationToken,
    ) -> Result<String, McpError> {
        let gone = || McpError::Refused(format!("no server offers /{command}"));
        let (part, _) = naming::split(command).ok_or_else(gone)?;
        let entry = self.all().into_iter().find(|e| e.part == part).ok_or_else(gone)?;
        let name = entry.prompt_name(command).ok_or_else(gone)?;
        let result = self.connected(&entry, cancel).await?.prompt(&name, arguments, cancel).await;
        self.note(&entry, &result);
        let blocks = result?.messages.into_iter().map(|message| message.content);
        let texts = blocks.map(|block| content::of_block(block, &self.places.spill).text);
        Ok(texts.collect::<Vec<_>>().join("\n\n"))
    }

    /// Does what the person wants; the answer is a sentence to show, where there is one to say.
    pub async fn act(self: &Arc<Self>, server: &str, act: Act) -> Result<Option<String>, McpError> {
        let entry = self.named(server)?;
        let change = |change: &dyn Fn(&mut Record)| {
            let kept = lock(&self.book).change(&entry.definition, &self.places.root, change);
            self.changed();
            kept.map_err(McpError::Refused)
        };
        match act {
            Act::Approve => {
                if self.standing(&entry, &self.record(&entry)) == Standing::Untrusted {
                    return Err(McpError::Refused("trust the folder first: /trust".to_owned()));
                }
                let offer = entry.offer();
                change(&|record| {
                    approve::let_in(record, &entry.definition, offer.as_ref());
                    record.disabled = false;
                })?;
                self.wake(&entry);
            }
            Act::On => {
                change(&|record| record.disabled = false)?;
                self.wake(&entry);
            }
            Act::Off => {
                change(&|record| record.disabled = true)?;
                self.close(&entry).await;
            }
            Act::Reconnect => {
                self.close(&entry).await;
                self.client(&entry).await?;
            }
            Act::Login => return self.login(&entry).await.map(Some),
            Act::Logout => {
                let How::Http { url, .. } = &entry.definition.how else {
                    return Err(McpError::Refused(format!("{server} needs no login")));
                };
                let gone = auth::forget(url, &self.places.around.tokens)
                    .map_err(|error| McpError::Refused(error.to_string()))?;
                self.close(&entry).await;
                let said = if gone { "is forgotten" } else { "was not there" };
                return Ok(Some(format!("The login of {server} {said}.")));
            }
            Act::ToolOn { tool } => change(&|record| {
                record.off.remove(&tool);
            })?,
            Act::ToolOff { tool } => change(&|record| {
                record.off.insert(tool.clone());
            })?,
        }
        Ok(None)
    }

    /// Begins a login and gives the address to open; the rest happens when the browser comes back.
    async fn login(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<String, McpError> {
        let How::Http { url, .. } = &entry.definition.how else {
            return Err(McpError::Refused(format!("{} needs no login", entry.definition.name)));
        };
        let around = &self.places.around;
        let login = auth::begin(url, around.connect_timeout, &around.tokens).await?;
        let said =
            format!("Open this address to log in to {}: {}", entry.definition.name, login.url());
        let (servers, entry) = (Arc::clone(self), Arc::clone(entry));
        tokio::spawn(async move {
            match login.finish().await {
                Ok(()) => {
                    servers.close(&entry).await;
                    let _ = servers.client(&entry).await;
                }
                Err(error) => {
                    entry.set(State::Failed(error));
                    servers.changed();
                }
            }
        });
        Ok(said)
    }

    /// Connects in the background.
    fn wake(self: &Arc<Self>, entry: &Arc<Entry>) {
        let (servers, entry) = (Arc::clone(self), Arc::clone(entry));
        tokio::spawn(async move {
            let _ = servers.client(&entry).await;
        });
    }

    /// Ends every connection and every program.
    pub async fn close_all(&self) {
        let entries = self.all();
        futures_util::future::join_all(entries.iter().map(|entry| self.close(entry))).await;
        self.places.around.mark.kill_all();
    }

    fn named(&self, name: &str) -> Result<Arc<Entry>, McpError> {
        let entries = self.all();
        let names: Vec<&str> = entries.iter().map(|e| e.definition.name.as_str()).collect();
        let found = entries.iter().find(|entry| entry.is_called(name)).cloned();
        found.ok_or_else(|| {
            McpError::Refused(match names.as_slice() {
                [] => "there are no servers".to_owned(),
                names => format!("there is no server {name}; there are {}", names.join(", ")),
            })
        })
    }

    fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, entry: &Entry) -> Record {
        lock(&self.book).record(&entry.definition, &self.places.root)
    }

    fn standing(&self, entry: &Entry, record: &Record) -> Standing {
        let trusted = self.trusted.load(std::sync::atomic::Ordering::Relaxed);
        let listed = lock(&self.listed).lets_in(&entry.definition.name);
        approve::standing(&entry.definition, record, trusted, listed)
    }

    /// Errors: why it may not.
    fn may_run(&self, entry: &Entry) -> Result<(), McpError> {
        let record = self.record(entry);
        let name = &entry.definition.name;
        if record.disabled || !entry.definition.enabled {
            return Err(McpError::Refused(format!("{name} is switched off (/mcp)")));
        }
        match self.standing(entry, &record) {
            Standing::Approved => Ok(()),
            other => Err(McpError::Refused(format!("{name} may not be used: {}", other.why()))),
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

fn use_of(record: &Record, offer: &ToolOffer) -> ToolUse {
    if record.off.contains(&offer.name) {
        ToolUse::Off
    } else if approve::knows(record, offer) {
        ToolUse::On
    } else {
        ToolUse::Waits
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
