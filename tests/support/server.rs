//! A server that plays scripted answers, byte for byte, over a real socket: status, headers, chunks
//! with pauses, stalls and resets. It records what it was asked.
//!
//! ```ignore
//! let server = FakeServer::start(vec![
//!     Reply::json(429, json!({"error": {"message": "slow down"}})).header("retry-after", "2"),
//!     Reply::sse(BODY).split(7),
//!     Reply::sse(BODY).cut(100),
//! ])
//! .await;
//! // ... ask server.base_url() ...
//! assert_eq!(server.requests()[0].body["model"], "m");
//! ```

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "test code")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on a free port of 127.0.0.1. Dropping it ends it and every open connection.
#[derive(Debug)]
pub struct FakeServer {
    address: std::net::SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

/// What the server was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Null where the body is not JSON.
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One scripted answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    chunks: Vec<Vec<u8>>,
    before_headers: Pause,
    between_chunks: Duration,
    end: Ending,
}

#[derive(Debug, Clone, Copy)]
enum Pause {
    For(Duration),
    Forever,
    Ended,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The body ends as HTTP says it does.
    Whole,
    /// The connection closes in the middle of the body.
    Closed,
    /// The connection is reset.
    Reset,
    /// Nothing more comes, and the connection stays open.
    Stalled,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            chunks: vec![body.into()],
            before_headers: Pause::For(Duration::ZERO),
            between_chunks: Duration::ZERO,
            end: Ending::Whole,
        }
    }

    /// A stream of events under status 200.
    pub fn sse(body: impl Into<Vec<u8>>) -> Reply {
        Reply::new(200, "text/event-stream", body)
    }

    pub fn json(status: u16, body: Value) -> Reply {
        Reply::new(status, "application/json", body.to_string())
    }

    pub fn html(status: u16, body: &str) -> Reply {
        Reply::new(status, "text/html", body)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body as these chunks, each sent by itself.
    #[must_use]
    pub fn chunks<C: Into<Vec<u8>>>(mut self, chunks: impl IntoIterator<Item = C>) -> Reply {
        self.chunks = chunks.into_iter().map(Into::into).collect();
        self
    }

    /// The body in chunks of `size` bytes.
    #[must_use]
    pub fn split(mut self, size: usize) -> Reply {
        self.chunks = self.chunks.concat().chunks(size.max(1)).map(<[u8]>::to_vec).collect();
        self
    }

    /// Waits before each chunk but the first.
    #[must_use]
    pub fn pause(mut self, between_chunks: Duration) -> Reply {
        self.between_chunks = between_chunks;
        self
    }

    /// Closes the connection after `bytes` of the body.
    #[must_use]
    pub fn cut(mut self, bytes: usize) -> Reply {
        let mut body = self.chunks.concat();
        body.truncate(bytes);
        self.chunks = vec![body];
        self.end = Ending::Closed;
        self
    }

    /// Resets the connection after the body.
    #[must_use]
    pub fn reset(mut self) -> Reply {
        self.end = Ending::Reset;
        self
    }

    /// Says nothing more after the body, and keeps the connection open.
    #[must_use]
    pub fn stall(mut self) -> Reply {
        self.end = Ending::Stalled;
        self
    }

    /// Waits before the headers.
    #[must_use]
    pub fn late(mut self, wait: Duration) -> Reply {
        self.before_headers = Pause::For(wait);
        self
    }

    /// Takes the request and closes the connection without a word.
    #[must_use]
    pub fn hang_up(mut self) -> Reply {
        self.before_headers = Pause::Ended;
        self
    }

    /// Takes the request and never sends headers.
    #[must_use]
    pub fn stall_headers(mut self) -> Reply {
        self.before_headers = Pause::Forever;
        self
    }
}

type Answers = Box<dyn FnMut(&Asked) -> Reply + Send>;

struct State {
    answers: Answers,
    requests: Vec<Asked>,
    connections: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("requests", &self.requests).finish_non_exhaustive()
    }
}

impl FakeServer {
    /// Answers the first request with the first reply, and so on. A request too many gets a 500
    /// that says so.
    pub async fn start(replies: Vec<Reply>) -> FakeServer {
        let mut replies = VecDeque::from(replies);
        FakeServer::answering(move |_| {
            replies.pop_front().unwrap_or_else(|| {
                Reply::json(500, serde_json::json!({"error": {"message": "the script has ended"}}))
            })
        })
        .await
    }

    /// Answers each request with what `answers` makes of it.
    pub async fn answering(answers: impl FnMut(&Asked) -> Reply + Send + 'static) -> FakeServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            answers: Box::new(answers),
            requests: Vec::new(),
            connections: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let connection = tokio::spawn(serve(socket, Arc::clone(&shared)));
                lock(&shared).connections.push(connection);
            }
        });
        FakeServer { address, state, accepting }
    }

    /// `http://127.0.0.1:PORT`
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was asked so far, in order.
    pub fn requests(&self) -> Vec<Asked> {
        lock(&self.state).requests.clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
        lock(&self.state).connections.iter().for_each(JoinHandle::abort);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request on one connection. The other side may go away at any time, which ends the answer.
async fn serve(mut socket: TcpStream, state: Arc<Mutex<State>>) {
    let Some(asked) = read_request(&mut socket).await else { return };
    let reply = {
        let mut state = lock(&state);
        state.requests.push(asked.clone());
        (state.answers)(&asked)
    };
    let _ = write_reply(&mut socket, &reply).await;
}

async fn read_request(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse::<usize>().ok())
        .unwrap_or(0);
    while bytes.len() < head_end + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = serde_json::from_slice(&bytes[head_end..]).unwrap_or_default();
    Some(Asked { method, path, headers, body })
}

async fn write_reply(socket: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    match reply.before_headers {
        Pause::For(wait) => tokio::time::sleep(wait).await,
        Pause::Forever => return std::future::pending().await,
        Pause::Ended => return socket.shutdown().await,
    }
    let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", reply.status);
    // A status without a body has neither chunks nor their announcement.
    let has_body = !matches!(reply.status, 204 | 304);
    if has_body {
        head.push_str("transfer-encoding: chunked\r\n");
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    socket.write_all(head.as_bytes()).await?;
    if !has_body {
        return Ok(());
    }
    for (at, chunk) in reply.chunks.iter().filter(|chunk| !chunk.is_empty()).enumerate() {
        if at > 0 && !reply.between_chunks.is_zero() {
            tokio::time::sleep(reply.between_chunks).await;
        }
        let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        socket.write_all(&framed).await?;
        socket.flush().await?;
    }
    match reply.end {
        Ending::Whole => socket.write_all(b"0\r\n\r\n").await,
        Ending::Closed => socket.shutdown().await,
        Ending::Reset => {
            // What is on its way should arrive before the reset does.
            tokio::time::sleep(Duration::from_millis(20)).await;
            socket.set_zero_linger()
        }
        Ending::Stalled => std::future::pending().await,
    }
}
