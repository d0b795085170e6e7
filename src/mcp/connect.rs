//! From a definition to a connection: starts the program or reaches the address, and agrees on a
//! revision of the protocol.
//!
//! A server is asked first whether it speaks the revision without a handshake; one that does not
//! know the question gets the handshake, on the same connection where it still stands and on a
//! new one where not. What a server was found to speak is remembered with its offer.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::RoleClient;
use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::auth::AuthClient;
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, InsufficientScopeError, StreamableHttpClientTransportConfig,
};

use crate::mcp::handler::{Handler, Shared};
use crate::mcp::schema::shorten;
use crate::mcp::{Definition, How, McpError, auth};
use crate::net;
use crate::process::{self, Mark, Service};

/// What connecting needs besides the definition.
#[derive(Debug)]
pub struct Surroundings {
    /// Where programs start.
    pub cwd: PathBuf,
    /// The environment of programs: without keys.
    pub env: Vec<(OsString, OsString)>,
    /// Marks every program, so that none outlives the session.
    pub mark: Mark,
    pub connect_timeout: Duration,
    /// Folder of saved logins.
    pub tokens: PathBuf,
}

/// Which handshake to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Ask.
    Unknown,
    /// It needs the handshake: it did the last time.
    Handshake,
}

impl Era {
    /// From the revision that was agreed on before.
    pub fn of(protocol: &str) -> Era {
        let needs = !protocol.is_empty() && protocol < ProtocolVersion::NO_INITIALIZE.as_str();
        if needs { Era::Handshake } else { Era::Unknown }
    }
}

/// A connection, and the program at its other end where it is one.
#[derive(Debug)]
pub struct Link {
    pub running: RunningService<RoleClient, Handler>,
    pub service: Option<Service>,
}

/// Bytes of one message of a server.
const LARGEST: usize = 16 << 20;

pub async fn connect(
    definition: &Definition,
    era: Era,
    around: &Surroundings,
    shared: &Arc<Shared>,
) -> Result<Link, McpError> {
    let whole = async {
        if era == Era::Unknown {
            match once(definition, auto(), around, shared).await {
                // A program that cannot be started, or a server that wants a login, will not do
                // better the second time.
                Err(error @ (McpError::Start(_) | McpError::Login)) => return Err(error),
                Err(error) => {
                    tracing::debug!("{}: {error}; trying the handshake", definition.name);
                }
                linked => return linked,
            }
        }
        once(definition, ClientLifecycleMode::Initialize, around, shared).await
    };
    let limit = definition.start_timeout;
    tokio::time::timeout(limit, whole).await.unwrap_or(Err(McpError::Slow(limit.as_secs())))
}

fn auto() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    }
}

async fn once(
    definition: &Definition,
    mode: ClientLifecycleMode,
    around: &Surroundings,
    shared: &Arc<Shared>,
) -> Result<Link, McpError> {
    match &definition.how {
        How::Stdio { command, args, env } => {
            program((command, args, env), mode, around, shared).await
        }
        How::Http { url, headers } => {
            let handler = Handler(Arc::clone(shared));
            let running = address(url, headers, handler, mode, around).await?;
            Ok(Link { running, service: None })
        }
    }
}

async fn program(
    (command, args, env): (&str, &[String], &BTreeMap<String, String>),
    mode: ClientLifecycleMode,
    around: &Surroundings,
    shared: &Arc<Shared>,
) -> Result<Link, McpError> {
    let argv: Vec<OsString> =
        std::iter::once(command).chain(args.iter().map(String::as_str)).map(Into::into).collect();
    let mut all = around.env.clone();
    all.retain(|(name, _)| !env.keys().any(|own| name == own.as_str()));
    all.extend(env.iter().map(|(name, value)| (name.into(), value.into())));
    let (service, pipes) = process::serve(&argv, &around.cwd, &all, &around.mark.next_run())
        .map_err(|error| McpError::Start(error.to_string()))?;
    let transport =
        AsyncRwTransport::new_client(pipes.stdout, pipes.stdin).with_max_line_length(LARGEST);
    match Handler(Arc::clone(shared)).serve_with_lifecycle(transport, mode).await {
        Ok(running) => Ok(Link { running, service: Some(service) }),
        Err(error) => {
            let words = last_line(&service.stop().await);
            Err(match (&error, failed(&error)) {
                // It was gone before it was spoken to.
                (ClientInitializeError::TransportError { .. }, _) | (_, McpError::Gone(_)) => {
                    McpError::Gone(words)
                }
                (_, other) => other,
            })
        }
    }
}

async fn address(
    url: &str,
    headers: &BTreeMap<String, String>,
    handler: Handler,
    mode: ClientLifecycleMode,
    around: &Surroundings,
) -> Result<RunningService<RoleClient, Handler>, McpError> {
    let client = http_client(url, around.connect_timeout)?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(url).max_sse_event_size(LARGEST);
    let mut own = HashMap::new();
    for (name, value) in headers {
        let wrong = |_| McpError::Start(format!("{name} is no header that can be sent"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(()))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong(()))?;
        value.set_sensitive(true);
        own.insert(header, value);
    }
    config = config.custom_headers(own);
    let running = match auth::manager(url, client.clone(), &around.tokens).await? {
        Some(manager) => {
            let client = AuthClient::new(client, manager);
            let transport = StreamableHttpClientTransport::with_client(client, config);
            handler.serve_with_lifecycle(transport, mode).await
        }
        None => {
            let transport = StreamableHttpClientTransport::with_client(client, config);
            handler.serve_with_lifecycle(transport, mode).await
        }
    };
    running.map_err(|error| failed(&error))
}

/// Through the proxies of the environment, but for addresses of this machine.
pub(super) fn http_client(url: &str, timeout: Duration) -> Result<reqwest::Client, McpError> {
    let parsed = url::Url::parse(url).map_err(|error| McpError::Start(error.to_string()))?;
    let client = match parsed.host_str() {
        Some(host) if net::is_loopback(host) => net::direct(timeout),
        _ => net::client(timeout),
    };
    client.map_err(|error| McpError::Start(error.to_string()))
}

fn failed(error: &ClientInitializeError) -> McpError {
    // Not every server says so in the header that the standard names.
    let text = error.to_string();
    if error.is_authorization_required() || text.contains("401 Unauthorized") {
        return McpError::Login;
    }
    match error {
        ClientInitializeError::ConnectionClosed(_) => McpError::Gone(String::new()),
        ClientInitializeError::Cancelled => McpError::Interrupted,
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => failed(fallback),
        ClientInitializeError::TransportError { error, .. } => {
            McpError::Protocol(format!("it cannot be reached: {}", root_cause(&*error.error)))
        }
        ClientInitializeError::JsonRpcError(error) => {
            McpError::Protocol(format!("it refused: {}", shorten(&error.message, 300)))
        }
        ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
            McpError::Protocol("it speaks no revision of the protocol that tern knows".to_owned())
        }
        _ => McpError::Protocol(format!("it does not speak the protocol: {}", shorten(&text, 300))),
    }
}

/// The innermost reason, which says most in the fewest words.
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shorten(&cause.to_string(), 300)
}

/// Whether somewhere below an error a server asked for a login.
pub(super) fn wants_login(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<AuthRequiredError>() || error.is::<InsufficientScopeError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(super) fn last_line(words: &str) -> String {
    let line = words.lines().rev().find(|line| !line.trim().is_empty());
    shorten(line.unwrap_or_default().trim(), 300)
}
