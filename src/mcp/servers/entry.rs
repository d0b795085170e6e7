//! One server of a session: what is known of it, and its connection while there is one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::mcp::client::Client;
use crate::mcp::connect::Era;
use crate::mcp::handler::{Shared, Told};
use crate::mcp::offer::{Offer, ToolOffer};
use crate::mcp::servers::{KnownPrompt, Servers, lock};
use crate::mcp::{Definition, McpError, approve, cache, naming};

#[derive(Debug)]
pub struct Entry {
    pub definition: Definition,
    /// Its part in the names of tools.
    pub part: String,
    status: Mutex<Status>,
    /// Held while it is being connected, so that everybody waits for the one connection.
    client: tokio::sync::Mutex<Option<Arc<Client>>>,
}

#[derive(Debug)]
struct Status {
    state: State,
    offer: Option<Offer>,
    /// Whole names of its tools, in the order of the offer.
    names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Idle,
    Starting,
    Ready,
    Failed(McpError),
}

/// How long a server is waited for to stop changing its lists after it has started, and how long
/// its lists must have been quiet before they are read again.
const SETTLE: Duration = Duration::from_millis(300);
/// A server that never stops changing its lists is taken as it is.
const MOST_SETTLING: usize = 5;
/// Its lists are read again no more often than this.
const AGAIN: Duration = Duration::from_secs(2);

impl Entry {
    pub fn new(definition: Definition, part: String, offer: Option<Offer>) -> Entry {
        let entry = Entry {
            definition,
            part,
            status: Mutex::new(Status { state: State::Idle, offer: None, names: Vec::new() }),
            client: tokio::sync::Mutex::default(),
        };
        if let Some(offer) = offer {
            entry.learn(offer);
        }
        entry
    }

    /// Takes up an offer, in order of names so that requests stay the same bytes.
    fn learn(&self, mut offer: Offer) {
        offer.tools.sort_by(|a, b| a.name.cmp(&b.name));
        offer.tools.dedup_by(|a, b| a.name == b.name);
        let mut taken = BTreeSet::new();
        let name = |tool: &ToolOffer| {
            let name = naming::tool(&self.part, &tool.name, &taken);
            taken.insert(name.clone());
            name
        };
        let names = offer.tools.iter().map(name).collect();
        let mut status = self.status();
        status.names = names;
        status.offer = Some(offer);
    }

    fn status(&self) -> std::sync::MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> State {
        self.status().state.clone()
    }

    pub fn set(&self, state: State) {
        self.status().state = state;
    }

    /// Whether an offer of it is still to come.
    pub fn is_starting(&self, may_run: bool) -> bool {
        let status = self.status();
        match status.state {
            State::Starting => status.offer.is_none(),
            State::Idle => may_run && status.offer.is_none(),
            State::Ready | State::Failed(_) => false,
        }
    }

    pub fn offer(&self) -> Option<Offer> {
        self.status().offer.clone()
    }

    pub fn has_resources(&self) -> bool {
        self.status().offer.as_ref().is_some_and(|offer| offer.resources)
    }

    /// Whole names and what is offered under them.
    pub fn tools(&self) -> Vec<(String, ToolOffer)> {
        let status = self.status();
        let tools = status.offer.iter().flat_map(|offer| &offer.tools);
        status.names.iter().cloned().zip(tools.cloned()).collect()
    }

    pub fn prompts(&self) -> Vec<KnownPrompt> {
        let status = self.status();
        let mut taken = BTreeSet::new();
        let prompts = status.offer.iter().flat_map(|offer| &offer.prompts);
        prompts
            .map(|prompt| {
                let command = naming::tool(&self.part, &prompt.name, &taken);
                taken.insert(command.clone());
                let arguments = prompt.arguments.clone();
                KnownPrompt { command, about: prompt.description.clone(), arguments }
            })
            .collect()
    }

    /// The server's own name of a prompt.
    pub fn prompt_name(&self, command: &str) -> Option<String> {
        let at = self.prompts().iter().position(|prompt| prompt.command == command)?;
        Some(self.status().offer.as_ref()?.prompts.get(at)?.name.clone())
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.definition.name == name || self.part == name
    }
}

impl Servers {
    /// The connection, made where there is none; given up when `cancel` fires.
    pub(super) async fn connected(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        cancel: &CancellationToken,
    ) -> Result<Arc<Client>, McpError> {
        // In a task of its own: others may wait for it, too.
        let (servers, entry) = (Arc::clone(self), Arc::clone(entry));
        let connecting = tokio::spawn(async move { servers.client(&entry).await });
        tokio::select! {
            client = connecting => client.unwrap_or_else(|error| {
                Err(McpError::Start(format!("connecting broke: {error}")))
            }),
            () = cancel.cancelled() => Err(McpError::Interrupted),
        }
    }

    pub(super) async fn client(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
    ) -> Result<Arc<Client>, McpError> {
        let mut held = entry.client.lock().await;
        if let Some(client) = held.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        if let Some(gone) = held.take() {
            gone.close().await;
        }
        self.may_run(entry)?;
        entry.set(State::Starting);
        self.changed();
        let opened = self.open(entry).await;
        match &opened {
            Ok(client) => {
                *held = Some(Arc::clone(client));
                entry.set(State::Ready);
            }
            Err(error) => entry.set(State::Failed(error.clone())),
        }
        self.changed();
        opened
    }

    async fn open(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<Arc<Client>, McpError> {
        let host = self.host.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (told, mut news) = mpsc::channel(1);
        let name = &entry.definition.name;
        let shared = Arc::new(Shared::new(name, self.places.roots.clone(), host, told));
        let era = entry.offer().map_or(Era::Unknown, |offer| Era::of(&offer.protocol));
        let client = Client::open(&entry.definition, era, &self.places.around, shared).await?;
        let client = Arc::new(client);
        let mut offer = client.offer().await?;
        // Some servers make up their lists only after they were greeted.
        for _ in 0..MOST_SETTLING {
            let news = tokio::time::timeout(SETTLE, news.recv()).await;
            if !news.is_ok_and(|told| told.is_some()) {
                break;
            }
            offer = client.offer().await?;
        }
        self.keep(entry, offer);
        tokio::spawn(follow(
            Arc::downgrade(self),
            Arc::clone(entry),
            Arc::downgrade(&client),
            news,
        ));
        Ok(client)
    }

    /// Takes up what a server offers, here, in the book and for the next session.
    fn keep(&self, entry: &Entry, offer: Offer) {
        let definition = &entry.definition;
        cache::save(&self.places.cache, definition, &offer);
        let record = self.record(entry);
        if record.definition.is_empty() || record.tools.is_empty() {
            let known = lock(&self.book).change(definition, &self.places.root, |record| {
                approve::let_in(record, definition, Some(&offer));
            });
            if let Err(why) = known {
                tracing::warn!("what {} offers was not noted: {why}", definition.name);
            }
        }
        entry.learn(offer);
        self.changed();
    }

    /// Notes a connection that ended or wants a login under a call.
    pub(super) fn note<T>(&self, entry: &Entry, result: &Result<T, McpError>) {
        if let Err(error @ (McpError::Gone(_) | McpError::Login)) = result {
            entry.set(State::Failed(error.clone()));
            self.changed();
        }
    }

    pub(super) async fn close(&self, entry: &Entry) {
        let client = entry.client.lock().await.take();
        if let Some(client) = client {
            client.close().await;
        }
        entry.set(State::Idle);
        self.changed();
    }
}

/// Reads the lists again when the server says that they changed, until it is gone. What is new is
/// held back by the book.
async fn follow(
    servers: Weak<Servers>,
    entry: Arc<Entry>,
    client: Weak<Client>,
    mut news: mpsc::Receiver<Told>,
) {
    while let Some(Told::ListsChanged) = news.recv().await {
        tokio::time::sleep(SETTLE).await;
        // What came meanwhile is the same news.
        while news.try_recv().is_ok() {}
        let (Some(servers), Some(client)) = (servers.upgrade(), client.upgrade()) else { return };
        match client.offer().await {
            Ok(offer) => servers.keep(&entry, offer),
            Err(error) => {
                tracing::warn!("{}: its lists cannot be read: {error}", entry.definition.name);
            }
        }
        drop((servers, client));
        tokio::time::sleep(AGAIN).await;
    }
}
