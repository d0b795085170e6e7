//! From `PROVIDER/MODEL` to something that can be asked: the provider, the model's own name on
//! it, and what is known of the model.

use std::sync::Arc;

use async_trait::async_trait;

use crate::agent::pictures;
use crate::api::{ApiError, Provider};
use crate::config::Network;
use crate::models::Model;
use crate::protocol::Message;

/// One model, ready to be asked.
#[derive(Debug, Clone)]
pub struct Route {
    /// `PROVIDER/MODEL`
    pub name: String,
    /// The model's name on its server.
    pub model: String,
    pub provider: Arc<dyn Provider>,
    /// `None` for a model that the table does not know.
    pub known: Option<Arc<Model>>,
    pub network: Network,
    /// True where a script plays the model.
    pub scripted: bool,
}

/// Output tokens asked for where the model's limit is not known. Local servers often have small
/// windows, and many refuse a request that reserves more than they have.
const UNKNOWN_MAX_TOKENS: u32 = 8_192;
/// More output than this in one answer helps nobody and costs window.
const MOST_OUTPUT: u32 = 32_000;

const BLIND: &str = "[an image was here; this model is not known to see images]";

impl Route {
    pub fn window(&self) -> Option<u64> {
        self.known.as_ref().map(|model| model.window)
    }

    /// The history as this model can take it: where it is not known to see images, a sentence
    /// stands for each.
    pub fn seen(&self, history: &[Message]) -> Vec<Message> {
        let mut history = history.to_vec();
        if !self.known.as_ref().is_some_and(|model| model.images) {
            pictures::replace(&mut history, BLIND);
        }
        history
    }

    pub fn max_tokens(&self) -> u32 {
        self.known.as_ref().map_or(UNKNOWN_MAX_TOKENS, |model| model.max_output.min(MOST_OUTPUT))
    }
}

/// Finds routes. The real one reads the configuration and the keys; tests give a fixed one.
#[async_trait]
pub trait Router: Send + Sync + std::fmt::Debug {
    /// Resolves the key anew each time, as a key command may print another one.
    async fn route(&self, name: &str) -> Result<Route, ApiError>;

    /// Whether asking again may bring another key.
    fn key_may_change(&self, _name: &str) -> bool {
        true
    }

    /// The model for side requests beside `main`, both `PROVIDER/MODEL`. `None`: there is none,
    /// and no side request is made.
    fn small(&self, _main: &str) -> Option<String> {
        None
    }
}
