//! Logging in to a server over OAuth: the person agrees in a browser, which comes back to an
//! address of this machine that listens for that one answer; the token is kept in a file of its
//! own, readable by this user alone, and renewed by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationRequest, AuthorizationSession, CredentialStore,
    OAuthHttpClient, OAuthHttpClientFuture, OAuthHttpRequest, StoredCredentials,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::config::{dirs, write};
use crate::mcp::McpError;
use crate::mcp::connect::{http_client, root_cause};
use crate::mcp::define::hash;
use crate::mcp::schema::shorten;

/// A login that waits for the person.
pub struct Login {
    session: AuthorizationSession,
    listener: TcpListener,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// How long the person may take.
const PATIENCE: Duration = Duration::from_secs(300);
const LARGEST: usize = 1 << 20;

/// Finds out where to log in. [`Login::url`] is for the person to open.
pub async fn begin(url: &str, timeout: Duration, tokens: &Path) -> Result<Login, McpError> {
    let client = Web(http_client(url, timeout)?);
    let mut manager = AuthorizationManager::new_with_oauth_http_client(url, Arc::new(client))
        .await
        .map_err(|error| refused(&error))?;
    manager.set_credential_store(File::of(tokens, url));
    let resolved = manager.resolve_metadata().await.map_err(|error| refused(&error))?;
    manager.set_metadata(resolved.metadata);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| no_port(&error))?;
    let port = listener.local_addr().map_err(|error| no_port(&error))?.port();
    let request = AuthorizationRequest::new(format!("http://127.0.0.1:{port}/callback"))
        .with_client_name("tern")
        .with_initial_scope_selection();
    let session =
        AuthorizationSession::new(manager, request).await.map_err(|(_, error)| refused(&error))?;
    Ok(Login { session, listener })
}

impl Login {
    pub fn url(&self) -> &str {
        self.session.get_authorization_url()
    }

    /// Waits until the browser comes back, and keeps the token.
    pub async fn finish(self) -> Result<(), McpError> {
        let Login { session, listener } = self;
        let back = tokio::time::timeout(PATIENCE, answer(&listener)).await;
        let back = back.map_err(|_| McpError::Slow(PATIENCE.as_secs()))?;
        let port = listener.local_addr().map_err(|error| no_port(&error))?.port();
        let whole = format!("http://127.0.0.1:{port}{back}");
        session.handle_callback_url(&whole).await.map(drop).map_err(|error| refused(&error))
    }
}

/// Forgets a saved login. `false`: there was none.
pub fn forget(url: &str, tokens: &Path) -> std::io::Result<bool> {
    match std::fs::remove_file(file(tokens, url)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub fn is_saved(url: &str, tokens: &Path) -> bool {
    file(tokens, url).is_file()
}

/// The saved login for `url`, where there is one.
pub(super) async fn manager(
    url: &str,
    client: reqwest::Client,
    tokens: &Path,
) -> Result<Option<AuthorizationManager>, McpError> {
    if !is_saved(url, tokens) {
        return Ok(None);
    }
    let mut manager = AuthorizationManager::new_with_oauth_http_client(url, Arc::new(Web(client)))
        .await
        .map_err(|error| refused(&error))?;
    manager.set_credential_store(File::of(tokens, url));
    match manager.initialize_from_store().await {
        Ok(true) => Ok(Some(manager)),
        Ok(false) => Ok(None),
        Err(error) => Err(refused(&error)),
    }
}

fn refused(error: &AuthError) -> McpError {
    McpError::Refused(format!("the login failed: {}", shorten(&error.to_string(), 300)))
}

fn no_port(error: &std::io::Error) -> McpError {
    McpError::Refused(format!("the login failed: no port of this machine can be had: {error}"))
}

/// Path and query of the first request for the way back. Anything else that calls is sent away.
async fn answer(listener: &TcpListener) -> String {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let called = tokio::time::timeout(Duration::from_secs(5), hear(stream)).await;
        if let Ok(Some(target)) = called {
            return target;
        }
    }
}

async fn hear(mut stream: TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 16 * 1024 {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => head.extend_from_slice(&buffer[..read]),
            Ok(0) | Err(_) => break,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    let target = target.filter(|target| target.starts_with("/callback?")).map(str::to_owned);
    let (status, text) = match &target {
        Some(_) => ("200 OK", "You are back. This page can be closed; tern goes on."),
        None => ("404 Not Found", "Nothing is here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // A browser that has gone away has done its part.
    let _ = stream.write_all(answer.as_bytes()).await;
    target
}

/// tern's own HTTP client, as the protocol library wants it. It follows no redirects by itself.
struct Web(reqwest::Client);

impl OAuthHttpClient for Web {
    fn execute(&self, request: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async move {
            let limit = request.timeout.unwrap_or(Duration::from_secs(30));
            let request = reqwest::Request::try_from(request.request)?;
            let sent = async {
                let mut response = self.0.execute(request).await?;
                let mut body = Vec::new();
                while let Some(chunk) = response.chunk().await? {
                    body.extend_from_slice(&chunk);
                    if body.len() > LARGEST {
                        return Err("the answer is larger than 1 MiB".into());
                    }
                }
                let mut answer = http::Response::new(body);
                *answer.status_mut() = response.status();
                *answer.headers_mut() = std::mem::take(response.headers_mut());
                Ok(answer)
            };
            match tokio::time::timeout(limit, sent).await {
                Ok(answer) => answer,
                Err(_) => Err("no answer in time".into()),
            }
        })
    }
}

/// A token in a file of its own.
struct File {
    path: PathBuf,
}

impl File {
    fn of(folder: &Path, url: &str) -> File {
        File { path: file(folder, url) }
    }
}

fn file(folder: &Path, url: &str) -> PathBuf {
    folder.join(format!("{}.json", &hash([url])[..32]))
}

#[async_trait]
impl CredentialStore for File {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        match tokio::fs::read(&self.path).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| broken(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(broken(&error)),
        }
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let text = serde_json::to_string(&credentials).map_err(|error| broken(&error))?;
        if let Some(folder) = self.path.parent() {
            dirs::private_dir(folder).map_err(|error| broken(&error))?;
        }
        write::replace(&self.path, &text).map_err(|error| broken(&error))
    }

    async fn clear(&self) -> Result<(), AuthError> {
        match tokio::fs::remove_file(&self.path).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(&error)),
            _ => Ok(()),
        }
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> AuthError {
    AuthError::CredentialStoreError(root_cause(error))
}
