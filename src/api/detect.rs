//! Asks the usual ports of this machine for model servers. In the background: it takes up to
//! [`LIMIT`], and never belongs before the first frame.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use crate::net::{self, NetError};

/// How long one server may take to answer.
const LIMIT: Duration = Duration::from_millis(300);

/// Bytes of a list of models that are read, and models that are kept of it.
const MOST_BYTES: usize = 1 << 20;
const MOST_MODELS: usize = 200;

/// A place where a provider of this machine usually listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The provider's name in the configuration.
    pub provider: String,
    /// With `/v1`.
    pub base_url: String,
}

/// A server that answered like a model's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub provider: String,
    pub base_url: String,
    /// Names of its models, as it lists them.
    pub models: Vec<String>,
}

/// The ports that the servers themselves choose.
pub fn usual_places() -> Vec<Place> {
    [("ollama", 11434), ("lmstudio", 1234), ("llamacpp", 8080), ("vllm", 8000)]
        .into_iter()
        .map(|(provider, port)| Place {
            provider: provider.to_owned(),
            base_url: format!("http://127.0.0.1:{port}/v1"),
        })
        .collect()
}

/// Those of `places` that answer, in the same order. All are asked at once.
pub async fn servers(places: &[Place]) -> Result<Vec<Found>, NetError> {
    let client = net::direct(LIMIT)?;
    let found = join_all(places.iter().map(|place| async {
        // Whatever is wrong with a server that nobody asked for, it is not offered.
        tokio::time::timeout(LIMIT, models(&client, place)).await.ok().flatten()
    }))
    .await;
    Ok(found.into_iter().flatten().collect())
}

async fn models(client: &reqwest::Client, place: &Place) -> Option<Found> {
    let mut response = client.get(format!("{}/models", place.base_url)).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        body.extend_from_slice(&piece);
        if body.len() > MOST_BYTES {
            return None;
        }
    }
    let body: Value = serde_json::from_slice(&body).ok()?;
    let models = body["data"]
        .as_array()?
        .iter()
        .filter_map(|model| model["id"].as_str())
        .take(MOST_MODELS)
        .map(|id| id.chars().filter(|c| !c.is_control()).take(200).collect())
        .collect();
    Some(Found { provider: place.provider.clone(), base_url: place.base_url.clone(), models })
}
