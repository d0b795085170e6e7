//! Models behind a real socket: a router to a [`FakeServer`](super::server::FakeServer).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tern::agent::route::{Route, Router};
use tern::api::ApiError;
use tern::config::{Config, Network, Wire};

/// Routes `anthropic/..`, `openai/..` and `vllm/..`, one for each wire, to one server.
#[derive(Debug, Clone)]
pub struct Online {
    pub base_url: String,
    pub network: Network,
    pub key_may_change: bool,
    /// For side requests.
    pub small: Option<String>,
}

impl Online {
    /// With short limits: nothing of a test's own server takes long.
    pub fn at(base_url: &str) -> Online {
        Online {
            base_url: base_url.to_owned(),
            network: Network {
                connect_timeout: Duration::from_secs(5),
                header_timeout: Some(Duration::from_millis(700)),
                idle_timeout: Duration::from_millis(700),
                retries: 2,
                max_retry_wait: Duration::from_secs(60),
            },
            key_may_change: false,
            small: None,
        }
    }
}

#[async_trait]
impl Router for Online {
    async fn route(&self, name: &str) -> Result<Route, ApiError> {
        let (of, model) = name.split_once('/').unwrap();
        let mut provider = Config::default().providers[of].clone();
        provider.base_url = match provider.wire {
            Wire::Anthropic | Wire::Demo => self.base_url.clone(),
            Wire::OpenaiChat | Wire::OpenaiResponses => format!("{}/v1", self.base_url),
        };
        provider.network = self.network.clone();
        provider.local = false;
        let client = tern::net::client(provider.network.connect_timeout).unwrap();
        let key = Some(secrecy::SecretString::from("sk-test"));
        Ok(Route {
            name: name.to_owned(),
            model: model.to_owned(),
            provider: tern::api::connect(&provider, client, key),
            known: tern::models::find(name).cloned().map(Arc::new),
            network: provider.network,
            scripted: false,
        })
    }

    fn key_may_change(&self, _name: &str) -> bool {
        self.key_may_change
    }

    fn small(&self, _main: &str) -> Option<String> {
        self.small.clone()
    }
}
