//! The request of a page, held to the addresses that were looked at.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use url::Url;

use crate::net;
use crate::permissions::url::{Class, Target, class_of, target};

/// What came.
#[derive(Debug)]
pub(super) struct Got {
    /// The media type, without its parameters; empty where the server names none.
    pub kind: String,
    pub charset: Option<String>,
    pub bytes: Vec<u8>,
    /// There was more.
    pub cut: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("it redirects to {0}")]
    Elsewhere(String),
    #[error("{0}")]
    Guarded(String),
    #[error("the server answers {0}{1}")]
    Status(u16, String),
    #[error("{0}")]
    Net(String),
}

/// Bytes of a page, unpacked.
const LARGEST: usize = 4 * 1024 * 1024;
const REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(10);

pub(super) async fn page(url: &str, first: Target) -> Result<Got, Trouble> {
    let mut url = Url::parse(url).map_err(|error| Trouble::Net(error.to_string()))?;
    for _ in 0..=REDIRECTS {
        let addresses = resolved(&url, &first).await?;
        let client = net::pinned(CONNECT, &first.host, &addresses)
            .map_err(|error| Trouble::Net(error.to_string()))?;
        let accept = "text/html, text/markdown, text/plain, application/json;q=0.9, */*;q=0.5";
        let answer = client
            .get(url.clone())
            .header("accept", accept)
            .send()
            .await
            .map_err(|error| Trouble::Net(net::reason(&error)))?;
        let status = answer.status();
        if status.is_redirection() {
            url = next(&url, &answer, &first)?;
            continue;
        }
        if !status.is_success() {
            let reason = status.canonical_reason().map(|text| format!(" {text}"));
            return Err(Trouble::Status(status.as_u16(), reason.unwrap_or_default()));
        }
        return body(answer).await;
    }
    Err(Trouble::Net("it redirects round and round".to_owned()))
}

/// Every address of the host, looked at. One that is not public is refused, unless the host was
/// allowed as what it is: on this machine or its network.
async fn resolved(url: &Url, first: &Target) -> Result<Vec<SocketAddr>, Trouble> {
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = first.host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port))
        .await
        .map_err(|error| Trouble::Net(format!("{bare} cannot be found: {error}")))?;
    let addresses: Vec<SocketAddr> = found.collect();
    for address in &addresses {
        let refused = match class_of(address.ip()) {
            Class::Public => None,
            Class::Metadata => Some("hands out the credentials of cloud machines"),
            Class::Private if first.class == Class::Private => None,
            Class::Private => Some("is on this machine or its network"),
        };
        if let Some(why) = refused {
            return Err(Trouble::Guarded(format!("{bare} leads to {}, which {why}", address.ip())));
        }
    }
    if addresses.is_empty() {
        return Err(Trouble::Net(format!("{bare} has no address")));
    }
    Ok(addresses)
}

/// Where it goes on, on the same host and not from https back to http.
fn next(from: &Url, answer: &reqwest::Response, first: &Target) -> Result<Url, Trouble> {
    let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
    let to = from.join(to).map_err(|error| Trouble::Net(format!("a bad redirect: {error}")))?;
    let place = target(to.as_str()).map_err(Trouble::Guarded)?;
    let weaker = from.scheme() == "https" && to.scheme() != "https";
    let elsewhere =
        place.host != first.host || to.port_or_known_default() != from.port_or_known_default();
    let upgraded = place.host == first.host && from.scheme() == "http" && to.scheme() == "https";
    if weaker || (elsewhere && !upgraded) {
        return Err(Trouble::Elsewhere(to.to_string()));
    }
    Ok(to)
}

async fn body(answer: reqwest::Response) -> Result<Got, Trouble> {
    let header = answer.headers().get("content-type").and_then(|it| it.to_str().ok());
    let header = header.unwrap_or_default().to_ascii_lowercase();
    let (kind, rest) = header.split_once(';').unwrap_or((&header, ""));
    let charset = rest.split(';').find_map(|part| part.trim().strip_prefix("charset="));
    let charset = charset.map(|name| name.trim_matches('"').to_owned());
    let kind = kind.trim().to_owned();
    let mut bytes = Vec::new();
    let mut cut = false;
    let mut stream = answer.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| Trouble::Net(net::reason(&error)))?;
        let room = LARGEST - bytes.len();
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            cut = true;
            break;
        }
    }
    Ok(Got { kind, charset, bytes, cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inward_is_refused_unless_it_was_allowed_as_that() {
        let url = Url::parse("http://localhost:1/").unwrap();
        let target = |class| Target { host: "localhost".to_owned(), class };
        let refused = resolved(&url, &target(Class::Public)).await.unwrap_err();
        assert!(refused.to_string().contains("is on this machine"), "{refused}");
        assert!(resolved(&url, &target(Class::Private)).await.is_ok());
        let metadata = Target { host: "169.254.169.254".to_owned(), class: Class::Private };
        let refused = resolved(&url, &metadata).await.unwrap_err();
        assert!(matches!(refused, Trouble::Guarded(_)), "{refused}");
    }
}
