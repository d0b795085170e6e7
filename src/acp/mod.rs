//! tern as an agent of the Agent Client Protocol, version 1: editors hold sessions over standard
//! input and output. <https://agentclientprotocol.com>
//!
//! `session` is one task for each session, `tell` what happens as updates, `ask` a question and its
//! answer, `prompt` what the person said, `offer` the choices that a session has. Only this module
//! names the crate of the protocol.
//!
//! *Invariant:* standard output carries nothing but the protocol's lines. What cannot be asked, or
//! is not answered, counts as no.

mod ask;
mod offer;
mod prompt;
mod session;
mod tell;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::schema as acp;
use agent_client_protocol::v1::{ConnectionTo, Responder};
use agent_client_protocol::{
    Agent, Client, ConnectTo, Error, JsonRpcResponse, Lines, on_receive_notification,
    on_receive_request,
};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};
use tokio_util::task::TaskTracker;

use crate::acp::session::{Begun, Order};
use crate::agent;
use crate::protocol::{ErrorKind, Mode, SessionId};
use crate::tools::lock;

/// What the driver needs from this machine.
pub trait Host: Send + Sync {
    /// Starts an agent. Errors are for the person.
    fn open(&self, open: &Open) -> Result<Opened, Refused>;

    /// Sessions of the past, newest first, beginning with the one numbered `skip`.
    fn list(&self, cwd: Option<&Path>, skip: usize) -> Result<Page, Refused>;

    /// The answer to a slash command that only tells something; `None`: it is for the agent.
    fn answer(&self, cwd: &Path, text: &str) -> Option<Result<String, Refused>>;
}

/// The session that a client asks for.
#[derive(Debug, Clone, Default)]
pub struct Open {
    pub cwd: PathBuf,
    pub also: Vec<PathBuf>,
    /// One that was held before.
    pub session: Option<SessionId>,
    /// Servers of the Model Context Protocol that the client brings, as in `.mcp.json`.
    pub servers: serde_json::Value,
}

/// A session that has been started, and what the person may choose in it.
#[derive(Debug)]
pub struct Opened {
    pub agent: agent::Handle,
    pub modes: Vec<Mode>,
    /// `PROVIDER/MODEL`
    pub models: Vec<String>,
    /// What is wrong with the settings, one sentence each.
    pub problems: Vec<String>,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub kind: ErrorKind,
    pub message: String,
    pub hints: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Page {
    pub sessions: Vec<Past>,
    pub more: bool,
}

#[derive(Debug, Clone)]
pub struct Past {
    pub session: SessionId,
    pub cwd: PathBuf,
    pub title: String,
    /// RFC 3339
    pub updated: String,
}

/// The other end.
type Peer = ConnectionTo<Client>;

/// Bytes of a line: a prompt with pictures fits.
const LONGEST_LINE: usize = 64 << 20;
/// Orders that may wait for a session.
const ORDERS: usize = 16;
/// Sessions that are open at once.
const MOST_SESSIONS: usize = 64;
/// How long sessions may take to end after the client has gone.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves one client until it closes `input`.
pub async fn serve<R, W>(host: Arc<dyn Host>, input: R, output: W) -> Result<(), String>
where
    R: AsyncRead + Send + 'static,
    W: AsyncWrite + Send + 'static,
{
    let incoming = FramedRead::new(input, codec()).map(|line| line.map_err(broken));
    let outgoing = SinkExt::<String>::sink_map_err(FramedWrite::new(output, codec()), broken);
    let desk = Arc::new(Desk {
        host,
        can: Mutex::default(),
        open: Mutex::default(),
        tasks: TaskTracker::new(),
    });
    let lines = Lines::new(Box::pin(outgoing), Box::pin(incoming));
    let served = answer(Arc::clone(&desk), lines).await.map_err(|error| error.to_string());
    desk.close_all().await;
    served
}

fn codec() -> LinesCodec {
    LinesCodec::new_with_max_length(LONGEST_LINE)
}

fn broken(error: LinesCodecError) -> io::Error {
    match error {
        LinesCodecError::Io(error) => error,
        LinesCodecError::MaxLineLengthExceeded => {
            io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 64 MiB")
        }
    }
}

/// What all handlers share.
struct Desk {
    host: Arc<dyn Host>,
    /// What the client can do, as it said at the beginning.
    can: Mutex<acp::ClientCapabilities>,
    open: Mutex<HashMap<acp::SessionId, mpsc::Sender<Order>>>,
    /// One for each session that is open or being opened.
    tasks: TaskTracker,
}

/// What a client asks to have opened; `session` is one that was held before.
fn open(
    cwd: PathBuf,
    also: Vec<PathBuf>,
    session: Option<&acp::SessionId>,
    servers: &[acp::McpServer],
) -> Open {
    let session = session.map(|id| SessionId(id.0.to_string()));
    Open { cwd, also, session, servers: offer::servers(servers) }
}

/// One handler for each method. They run in the loop that reads the client's lines, so none of them
/// waits: what takes time goes to a task.
async fn answer(desk: Arc<Desk>, lines: impl ConnectTo<Agent> + 'static) -> Result<(), Error> {
    let at = move || Arc::clone(&desk);
    let (new, load, resume, prompt) = (at(), at(), at(), at());
    let (mode, option, cancel, close, list, first) = (at(), at(), at(), at(), at(), at());
    Agent
        .v1()
        .name("tern")
        .on_receive_request(
            async move |request: acp::InitializeRequest, responder: Responder<_>, _peer: Peer| {
                *lock(&first.can) = request.client_capabilities;
                responder.respond(offer::initialized(ProtocolVersion::V1))
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::NewSessionRequest, responder, peer: Peer| {
                let open = open(asked.cwd, asked.additional_directories, None, &asked.mcp_servers);
                new.begin(open, peer, responder, |begun: &Begun| {
                    acp::NewSessionResponse::new(begun.session.0.clone())
                        .modes(begun.modes())
                        .config_options(begun.options())
                });
                Ok(())
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::LoadSessionRequest, responder, peer: Peer| {
                let (also, id) = (asked.additional_directories, Some(&asked.session_id));
                let open = open(asked.cwd, also, id, &asked.mcp_servers);
                load.begin(open, peer, responder, |begun: &Begun| {
                    acp::LoadSessionResponse::new()
                        .modes(begun.modes())
                        .config_options(begun.options())
                });
                Ok(())
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::ResumeSessionRequest, responder, peer: Peer| {
                let (also, id) = (asked.additional_directories, Some(&asked.session_id));
                let open = open(asked.cwd, also, id, &asked.mcp_servers);
                resume.begin_quietly(open, peer, responder, |begun: &Begun| {
                    acp::ResumeSessionResponse::new()
                        .modes(begun.modes())
                        .config_options(begun.options())
                });
                Ok(())
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::PromptRequest, responder, _peer: Peer| {
                let blocks = asked.prompt;
                prompt.order(&asked.session_id, Order::Prompt { blocks, responder })
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::SetSessionModeRequest, responder, _peer: Peer| {
                let id = asked.mode_id;
                mode.order(&asked.session_id, Order::Mode { id, responder })
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::SetSessionConfigOptionRequest, responder, _peer: Peer| {
                let (id, value) = (asked.config_id, asked.value);
                option.order(&asked.session_id, Order::Choose { id, value, responder })
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::CloseSessionRequest, responder: Responder<_>, _peer: Peer| {
                // With its sender gone, the session ends by itself.
                match lock(&close.open).remove(&asked.session_id) {
                    Some(_) => responder.respond(acp::CloseSessionResponse::new()),
                    None => responder.respond_with_error(no_session(&asked.session_id)),
                }
            },
            on_receive_request!(),
        )
        .on_receive_request(
            async move |asked: acp::ListSessionsRequest, responder: Responder<_>, _peer: Peer| {
                let desk = Arc::clone(&list);
                tokio::task::spawn_blocking(move || {
                    responder.respond_with_result(desk.list(&asked))
                });
                Ok(())
            },
            on_receive_request!(),
        )
        .on_receive_notification(
            async move |asked: acp::CancelNotification, _peer: Peer| {
                let sender = lock(&cancel.open).get(&asked.session_id).cloned();
                if let Some(sender) = sender {
                    // A full queue means that a cancel is on its way already.
                    let _full = sender.try_send(Order::Cancel);
                }
                Ok(())
            },
            on_receive_notification!(),
        )
        .connect_to(lines)
        .await
}

impl Desk {
    /// Opens a session in a task of its own; the answer is given once it stands and, where it is an
    /// old one, once all of it has been told.
    fn begin<T: JsonRpcResponse>(
        self: &Arc<Self>,
        open: Open,
        peer: Peer,
        responder: Responder<T>,
        answer: impl Fn(&Begun) -> T + Send + 'static,
    ) {
        let desk = Arc::clone(self);
        self.tasks.spawn(async move { desk.opened(open, true, peer, responder, answer).await });
    }

    /// The same, and what was said before is not told.
    fn begin_quietly<T: JsonRpcResponse>(
        self: &Arc<Self>,
        open: Open,
        peer: Peer,
        responder: Responder<T>,
        answer: impl Fn(&Begun) -> T + Send + 'static,
    ) {
        let desk = Arc::clone(self);
        self.tasks.spawn(async move { desk.opened(open, false, peer, responder, answer).await });
    }

    async fn opened<T: JsonRpcResponse>(
        self: Arc<Self>,
        open: Open,
        tells: bool,
        peer: Peer,
        responder: Responder<T>,
        answer: impl Fn(&Begun) -> T,
    ) {
        let begun = match self.start(open, tells, peer).await {
            Ok(begun) => begun,
            Err(error) => return drop(responder.respond_with_error(error)),
        };
        let id = acp::SessionId::new(begun.session.0.clone());
        let (sender, orders) = mpsc::channel(ORDERS);
        lock(&self.open).insert(id, sender);
        let reply = answer(&begun);
        // The client must know of the session before it hears of it.
        if responder.respond(reply).is_ok() {
            begun.run(orders).await;
        }
    }

    async fn start(&self, open: Open, tells: bool, peer: Peer) -> Result<Begun, Error> {
        if !open.cwd.is_absolute() {
            return Err(wrong("cwd must be an absolute path".to_owned()));
        }
        if lock(&self.open).len() >= MOST_SESSIONS {
            return Err(wrong(format!("{MOST_SESSIONS} sessions are open already")));
        }
        let can = lock(&self.can).clone();
        let host = Arc::clone(&self.host);
        let (done, opened) = oneshot::channel();
        // The agent's tasks belong to the runtime, which a blocking thread is a part of as well.
        tokio::task::spawn_blocking({
            let host = Arc::clone(&host);
            move || done.send(host.open(&open))
        });
        let opened = opened.await.map_err(|_| Error::internal_error())?.map_err(refused)?;
        session::begin(opened, tells, peer, can, host).await
    }

    fn order(&self, id: &acp::SessionId, order: Order) -> Result<(), Error> {
        let Some(sender) = lock(&self.open).get(id).cloned() else {
            return order.refuse(no_session(id));
        };
        match sender.try_send(order) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(order)) => {
                order.refuse(wrong("the session has too much to do".to_owned()))
            }
            Err(mpsc::error::TrySendError::Closed(order)) => {
                lock(&self.open).remove(id);
                order.refuse(wrong("the session has ended".to_owned()))
            }
        }
    }

    fn list(&self, asked: &acp::ListSessionsRequest) -> Result<acp::ListSessionsResponse, Error> {
        let skip = match asked.cursor.as_deref().map(str::parse) {
            None => 0,
            Some(Ok(skip)) => skip,
            Some(Err(_)) => return Err(wrong("the cursor is not one of tern's".to_owned())),
        };
        let page = self.host.list(asked.cwd.as_deref(), skip).map_err(refused)?;
        let next = page.more.then(|| (skip + page.sessions.len()).to_string());
        let sessions = page.sessions.into_iter().map(|past| {
            acp::SessionInfo::new(past.session.0, past.cwd)
                .title(past.title)
                .updated_at(past.updated)
        });
        Ok(acp::ListSessionsResponse::new(sessions.collect()).next_cursor(next))
    }

    /// Ends every session, which writes down what it has to.
    async fn close_all(&self) {
        lock(&self.open).clear();
        self.tasks.close();
        let _slow = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
    }
}

fn no_session(id: &acp::SessionId) -> Error {
    wrong(format!("there is no open session {}", id.0))
}

fn wrong(message: String) -> Error {
    Error::new(acp::ErrorCode::InvalidParams, message)
}

/// What a person must mend, as the protocol has it.
fn refused(refused: Refused) -> Error {
    let code = match refused.kind {
        ErrorKind::Auth => acp::ErrorCode::AuthRequired,
        ErrorKind::Config => acp::ErrorCode::InvalidParams,
        _ => acp::ErrorCode::InternalError,
    };
    // Clients show the message and seldom more.
    let mut message = refused.message;
    for hint in &refused.hints {
        message.push_str(". ");
        message.push_str(hint.trim_end_matches('.'));
    }
    let kind = serde_json::json!({"kind": refused.kind, "hints": refused.hints});
    Error::new(code, message).data(kind)
}
