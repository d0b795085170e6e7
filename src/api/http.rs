//! One request over HTTP: sends it, waits within the limits, and turns what comes back into a
//! stream of parts or an error that says what to do.

use std::collections::VecDeque;
use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use crate::api::answer::{Answer, End};
use crate::api::{ApiError, ApiErrorKind, PartStream, StreamPart, error, retry};
use crate::config::Network;

/// Bytes of an error's or a short answer's body that are read, and how long that may take.
const ERROR_BODY: usize = 64 << 10;
const ERROR_WAIT: Duration = Duration::from_secs(10);

/// A request as its wire wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Behind the base URL.
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

/// A server and how to reach it.
#[derive(Debug)]
pub struct Endpoint {
    pub client: reqwest::Client,
    /// Without a slash at its end.
    pub base_url: String,
    pub network: Network,
    /// A server on this machine may load its model for minutes before the first sign of life.
    pub local: bool,
    /// To be kept out of messages.
    pub secret: Option<SecretString>,
}

/// Sends a request and returns when the headers of a good answer are there.
pub async fn send(
    endpoint: &Endpoint,
    headers: HeaderMap,
    outgoing: &Outgoing,
    answer: Answer,
) -> Result<PartStream, ApiError> {
    Ok(parts(endpoint, post(endpoint, headers, outgoing).await?, answer))
}

/// Sends a request whose answer is one short JSON value.
pub async fn ask(
    endpoint: &Endpoint,
    headers: HeaderMap,
    outgoing: &Outgoing,
) -> Result<Value, ApiError> {
    let response = post(endpoint, headers, outgoing).await?;
    let body = timeout(ERROR_WAIT, head(response)).await.map_err(|_| idle_timeout(ERROR_WAIT))?;
    serde_json::from_slice(&body).map_err(|_| {
        let message = format!("{} did not answer with JSON.", place_of(endpoint));
        ApiError::new(ApiErrorKind::NotAnApi, message)
    })
}

async fn post(
    endpoint: &Endpoint,
    mut headers: HeaderMap,
    outgoing: &Outgoing,
) -> Result<Response, ApiError> {
    for (name, value) in &outgoing.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(HeaderName::from_static(name)).or_insert(value);
        }
    }
    // A proxy that compresses holds back what it has not filled a block with.
    headers.insert(reqwest::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let request = endpoint
        .client
        .post(format!("{}{}", endpoint.base_url, outgoing.path))
        .headers(headers)
        .json(&outgoing.body)
        .send();
    let limit = if endpoint.local { None } else { endpoint.network.header_timeout };
    let response = match limit {
        Some(limit) => {
            timeout(limit, request).await.map_err(|_| header_timeout(endpoint, limit))?
        }
        None => request.await,
    };
    let response = response.map_err(|failure| send_failed(endpoint, &failure))?;
    match response.status() {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Err(no_content(response.status())),
        status if status.is_success() => Ok(response),
        _ => Err(refused(endpoint, response).await),
    }
}

/// The parts of an answer while its bytes come. Dropping the stream closes the connection.
fn parts(endpoint: &Endpoint, response: Response, answer: Answer) -> PartStream {
    let incoming = Incoming {
        bytes: response.bytes_stream().boxed(),
        answer,
        ready: VecDeque::new(),
        idle: endpoint.network.idle_timeout,
        // Headers are not an answer yet: a local server sends them before it reads the prompt.
        patient: endpoint.local,
    };
    stream::unfold(incoming, |mut incoming| async move {
        incoming.next().await.map(|part| (part, incoming))
    })
    .boxed()
}

/// A body on its way.
struct Incoming {
    bytes: BoxStream<'static, Result<Bytes, reqwest::Error>>,
    answer: Answer,
    ready: VecDeque<Result<StreamPart, ApiError>>,
    idle: Duration,
    /// Nothing has come yet, and there is no limit on the wait for it.
    patient: bool,
}

impl Incoming {
    async fn next(&mut self) -> Option<Result<StreamPart, ApiError>> {
        loop {
            if let Some(part) = self.ready.pop_front() {
                return Some(part);
            }
            if self.answer.is_over() {
                return None;
            }
            let read = if self.patient {
                Ok(self.bytes.next().await)
            } else {
                timeout(self.idle, self.bytes.next()).await
            };
            self.patient = false;
            let mut parts = Vec::new();
            match read {
                Ok(Some(Ok(bytes))) => self.answer.push(&bytes, &mut parts),
                Ok(None) => self.answer.end(End::Closed, &mut parts),
                Ok(Some(Err(_))) => self.answer.end(End::Broken, &mut parts),
                Err(_) => {
                    self.answer.end(End::Broken, &mut parts);
                    // Says better what ended the answer than that it was cut.
                    if let Some(last @ Err(_)) = parts.last_mut() {
                        *last = Err(idle_timeout(self.idle));
                    }
                }
            }
            self.ready.extend(parts);
        }
    }
}

/// The error of an answer whose status is not a good one.
async fn refused(endpoint: &Endpoint, response: Response) -> ApiError {
    let status = response.status();
    let headers = response.headers().clone();
    let body = timeout(ERROR_WAIT, head(response)).await.unwrap_or_default();
    let mut error = error::from_text(Some(status.as_u16()), &String::from_utf8_lossy(&body));
    error.message = scrubbed(endpoint, &error.message);
    error.retry_after = retry::asked(&headers, Timestamp::now());
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    error.request_id = header("request-id")
        .or_else(|| header("x-request-id"))
        .map(str::to_owned)
        .or(error.request_id);
    if status.is_redirection()
        && let Some(place) = header("location")
    {
        let place = scrubbed(endpoint, &place.chars().take(200).collect::<String>());
        error.message =
            format!("The server at {} points to {place} ({status}).", place_of(endpoint));
    }
    error
}

async fn head(response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let mut bytes = response.bytes_stream();
    while let Some(Ok(piece)) = bytes.next().await {
        body.extend_from_slice(&piece);
        if body.len() >= ERROR_BODY {
            body.truncate(ERROR_BODY);
            break;
        }
    }
    body
}

fn scrubbed(endpoint: &Endpoint, text: &str) -> String {
    error::scrub(text, endpoint.secret.as_ref().map(ExposeSecret::expose_secret))
}

fn no_content(status: StatusCode) -> ApiError {
    let message = format!("The server answered with nothing ({}).", status.as_u16());
    let mut error = ApiError::new(ApiErrorKind::NotAnApi, message)
        .hint("Check `base-url`: something else than a model's server may answer there.");
    error.status = Some(status.as_u16());
    error
}

fn header_timeout(endpoint: &Endpoint, limit: Duration) -> ApiError {
    let place = place_of(endpoint);
    ApiError::new(
        ApiErrorKind::HeaderTimeout,
        format!("{place} took the request and has not answered within {} s.", limit.as_secs_f64()),
    )
}

fn idle_timeout(limit: Duration) -> ApiError {
    ApiError::new(
        ApiErrorKind::IdleTimeout,
        format!("The server's answer stood still for {} s.", limit.as_secs_f64()),
    )
}

/// The address itself stays out of it, as it may hold a password.
pub fn not_an_address() -> ApiError {
    let message = "The `base-url` of this provider is not a web address.";
    ApiError::new(ApiErrorKind::NotAnApi, message).hint("It looks like https://host:port/path.")
}

/// What kept a request from being answered.
fn send_failed(endpoint: &Endpoint, failure: &reqwest::Error) -> ApiError {
    let place = place_of(endpoint);
    let causes = causes(failure);
    let says = |any: &[&str]| any.iter().any(|words| causes.contains(words));
    if failure.is_builder() {
        return not_an_address();
    }
    if says(&["proxy auth", "407"]) {
        return ApiError::new(ApiErrorKind::Forbidden, "The proxy asks for a login (407).")
            .hint("HTTPS_PROXY may name one: http://user:password@proxy:port.");
    }
    if !failure.is_connect() {
        let message = format!("The connection to {place} broke before an answer came.");
        return ApiError::new(ApiErrorKind::Cut, message);
    }
    let connect = |message: String| ApiError::new(ApiErrorKind::Connect, message);
    if failure.is_timeout() {
        let limit = endpoint.network.connect_timeout.as_secs_f64();
        return connect(format!("There is no connection to {place} within {limit} s."))
            .hint("Check the network and the proxy settings.");
    }
    if failure.is_dns() || says(&["dns error", "lookup address"]) {
        return connect(format!("The name in {place} cannot be found."))
            .hint("Check the network, and `base-url` for a typing mistake.");
    }
    if says(&["connection refused"]) {
        let hint = if endpoint.local {
            "Start the server, or choose another model with /model."
        } else {
            "Check `base-url` and its port."
        };
        return connect(format!("Nothing answers at {place} (connection refused).")).hint(hint);
    }
    if says(&["certificate", "unknownissuer"]) {
        return connect(format!("The certificate of {place} cannot be trusted: {causes}")).hint(
            "Add your company's authority to the system's certificates, or set SSL_CERT_FILE.",
        );
    }
    if says(&["corrupt message", "wrong version"]) {
        return connect(format!("{place} does not speak TLS."))
            .hint("A server without TLS needs http:// in `base-url`.");
    }
    connect(format!("There is no connection to {place}: {}", scrubbed(endpoint, &causes)))
}

/// The innermost cause, in lower case; the outer ones repeat the address, which may hold a password.
fn causes(failure: &reqwest::Error) -> String {
    let mut cause = failure.source();
    let mut last = String::new();
    while let Some(inner) = cause {
        last = inner.to_string();
        cause = inner.source();
    }
    last.to_lowercase()
}

/// Host and port, for messages: the rest of an address may hold a password.
fn place_of(endpoint: &Endpoint) -> String {
    let Ok(url) = url::Url::parse(&endpoint.base_url) else { return "the server".to_owned() };
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the server".to_owned(),
    }
}
