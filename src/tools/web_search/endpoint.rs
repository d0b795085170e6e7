//! The search endpoint of the person's configuration: a GET that answers with JSON.
//!
//! What the common engines answer is understood: a list named `results` (SearXNG), `web.results`
//! (Brave), `items` (Google), `organic` or `organic_results`, `data`, or the bare list; its entries
//! have a `title`, a `url` or `link`, and a `content`, `description` or `snippet`.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;

use crate::config::WebSearchConfig;
use crate::net;
use crate::protocol::SearchHit;

/// For everything from the first byte to the last.
const LIMIT: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an answer, unpacked.
const LARGEST: usize = 2 << 20;

/// The error is part of a sentence, without the address: that may hold a key.
pub(super) async fn search(
    endpoint: &WebSearchConfig,
    query: &str,
) -> Result<Vec<SearchHit>, String> {
    match tokio::time::timeout(LIMIT, ask(endpoint, query)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("{} did not answer within {} s", endpoint.host(), LIMIT.as_secs())),
    }
}

async fn ask(endpoint: &WebSearchConfig, query: &str) -> Result<Vec<SearchHit>, String> {
    let host = endpoint.host();
    let failed = |error: &dyn std::fmt::Display| format!("{host}: {error}");
    let client = match net::is_loopback(&host) {
        true => net::direct(CONNECT),
        false => net::client(CONNECT),
    };
    let client = client.map_err(|error| failed(&error))?;
    let mut request = client.get(endpoint.address(query)).header("accept", "application/json");
    for (name, value) in &endpoint.headers {
        request = request.header(name, value);
    }
    let answer =
        request.send().await.map_err(|error| failed(&net::reason(&error.without_url())))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("{host} answers {status}"));
    }
    let mut bytes = Vec::new();
    let mut stream = answer.bytes_stream();
    while let Some(piece) = stream.next().await {
        bytes
            .extend_from_slice(&piece.map_err(|error| failed(&net::reason(&error.without_url())))?);
        if bytes.len() > LARGEST {
            return Err(format!("{host} answers with more than {} MB", LARGEST >> 20));
        }
    }
    let answer: Value = serde_json::from_slice(&bytes)
        .map_err(|_| format!("{host} does not answer with JSON; does its address ask for that?"))?;
    hits(&answer).ok_or_else(|| format!("{host} answers with JSON that holds no list of results"))
}

fn hits(answer: &Value) -> Option<Vec<SearchHit>> {
    const LISTS: [&str; 6] =
        ["/results", "/web/results", "/items", "/organic", "/organic_results", "/data"];
    let list = LISTS.iter().find_map(|place| answer.pointer(place)?.as_array());
    let list = list.or_else(|| answer.as_array())?;
    let first = |entry: &Value, names: &[&str]| {
        let text = names.iter().find_map(|name| entry.get(*name)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    let hit = |entry: &Value| SearchHit {
        title: first(entry, &["title", "name"]),
        url: first(entry, &["url", "link", "href"]),
        about: first(entry, &["content", "description", "snippet", "body"]),
    };
    Some(list.iter().map(hit).filter(|hit| !hit.url.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_common_answers_are_understood() {
        let hit = vec![SearchHit {
            title: "T".to_owned(),
            url: "https://a.b/".to_owned(),
            about: "S".to_owned(),
        }];
        for answer in [
            json!({"results": [{"title": "T", "url": "https://a.b/", "content": "S"}, {"title": 7}]}),
            json!({"web": {"results": [{"title": "T", "url": "https://a.b/", "description": "S"}]}}),
            json!({"items": [{"title": "T", "link": "https://a.b/", "snippet": "S"}]}),
            json!([{"name": "T", "href": "https://a.b/", "body": "S"}]),
        ] {
            assert_eq!(hits(&answer).as_ref(), Some(&hit), "{answer}");
        }
        assert_eq!(hits(&json!({"results": []})), Some(Vec::new()));
        assert_eq!(hits(&json!({"error": "no"})), None);
    }
}
