//! The screen of a first start, where there is no key: what was found, and what can be done.

use crate::app::edit::{Editor, Lines};
use crate::app::effect::{Effect, Secret};
use crate::app::model::Model;

#[derive(Debug, Clone, Default)]
pub struct Start {
    pub found: Found,
    /// True once looking is over.
    pub looked: bool,
    pub at: usize,
    /// A key is being entered for this provider.
    pub entering: Option<(String, Editor)>,
    /// A choice was made and its connection is awaited.
    pub connecting: bool,
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    pub keys: Vec<FoundKey>,
    pub servers: Vec<FoundServer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKey {
    /// `anthropic`
    pub provider: String,
    /// The environment variable that holds it.
    pub variable: String,
}

/// A model server that answers on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// `ollama`
    pub provider: String,
    pub url: String,
    pub models: Vec<String>,
}

/// What the person wants to work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    FoundKey {
        provider: String,
        variable: String,
    },
    Server {
        provider: String,
        url: String,
        model: Option<String>,
    },
    /// Saved as by `tern login`.
    Enter {
        provider: String,
        key: Secret,
    },
    Demo,
}

/// A line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    Key(FoundKey),
    Server(FoundServer),
    Enter(&'static str),
    Demo,
}

const PROVIDERS: [&str; 3] = ["anthropic", "openai", "openrouter"];

impl Start {
    pub fn offers(&self) -> Vec<Offer> {
        let keys = self.found.keys.iter().cloned().map(Offer::Key);
        let servers = self.found.servers.iter().cloned().map(Offer::Server);
        keys.chain(servers).chain(PROVIDERS.map(Offer::Enter)).chain([Offer::Demo]).collect()
    }
}

pub fn found(model: &mut Model, found: Found) {
    if let Some(start) = &mut model.start {
        start.found = found;
        start.looked = true;
        // Someone who has chosen nothing yet is shown the best that was found.
        start.at = if start.at == 0 { 0 } else { start.at.min(start.offers().len() - 1) };
    }
}

pub fn step(model: &mut Model, down: bool) {
    if let Some(start) = &mut model.start {
        let count = start.offers().len();
        start.at = if down { start.at + 1 } else { start.at + count - 1 } % count;
    }
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(start) = &mut model.start else { return Vec::new() };
    if start.connecting {
        return Vec::new();
    }
    if let Some((provider, field)) = &start.entering {
        let key = field.text().trim().to_owned();
        if key.is_empty() {
            return Vec::new();
        }
        let provider = provider.clone();
        start.entering = None;
        return connect(start, Choice::Enter { provider, key: Secret(key) });
    }
    match start.offers().into_iter().nth(start.at) {
        Some(Offer::Key(key)) => {
            connect(start, Choice::FoundKey { provider: key.provider, variable: key.variable })
        }
        Some(Offer::Server(server)) => connect(
            start,
            Choice::Server {
                provider: server.provider,
                url: server.url,
                model: server.models.into_iter().next(),
            },
        ),
        Some(Offer::Enter(provider)) => {
            start.problem = None;
            start.entering = Some((provider.to_owned(), Editor::new(Lines::One)));
            Vec::new()
        }
        Some(Offer::Demo) => connect(start, Choice::Demo),
        None => Vec::new(),
    }
}

fn connect(start: &mut Start, choice: Choice) -> Vec<Effect> {
    start.connecting = true;
    start.problem = None;
    vec![Effect::Connect(choice)]
}

pub fn connected(model: &mut Model, result: Result<(), String>) {
    match (&mut model.start, result) {
        (Some(_), Ok(())) => model.start = None,
        (Some(start), Err(problem)) => {
            start.connecting = false;
            start.problem = Some(problem);
        }
        (None, Ok(())) => {}
        (None, Err(problem)) => model.fail(&problem),
    }
}
