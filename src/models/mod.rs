//! What is known of models: window, abilities, and prices with the day they began.
//!
//! The knowledge is `assets/models.toml`; a user's configuration may add to it ([`Table::with`]).
//! A model that is not in the table is simply not known: no default window, no default price.
//!
//! Not for multiplying prices with tokens (that is `cost::prices`) and not for the providers' own
//! addresses (that is `config`).

mod table;

use std::sync::OnceLock;

use jiff::civil::Date;

use crate::protocol::{Money, Usage};

pub use table::Table;

/// The built-in knowledge of a model. `name` is `PROVIDER/MODEL`; a date or `-latest` behind the
/// model's name is allowed for (`anthropic/claude-sonnet-4-5-20250929`).
pub fn find(name: &str) -> Option<&'static Model> {
    built_in().find(name)
}

/// All built-in models, by name.
pub fn all() -> &'static [Model] {
    built_in().all()
}

/// The table of `assets/models.toml`, read at first use.
pub fn built_in() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(Table::built_in)
}

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub provider: String,
    /// As its server calls it.
    pub name: String,
    /// Tokens of prompt and answer together.
    pub window: u64,
    /// Tokens.
    pub max_output: u32,
    pub thinking: Thinking,
    /// The server's words for low, medium, high and max effort; empty where there are none.
    pub efforts: Vec<String>,
    pub images: bool,
    /// Tokens of the shortest prefix that the server caches; 0 where it does not matter.
    pub cache_minimum: u64,
    /// Tokens for the same text relative to older models of the provider.
    pub tokenizer: f64,
    /// By date, then by length of prompt.
    pub prices: Vec<Price>,
}

/// How a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    None,
    /// Up to a number of tokens that the request names.
    Budget,
    /// As much as it finds good.
    Adaptive,
    /// As much as it finds good, and it cannot be turned off.
    Always,
}

/// USD for a million tokens, from a day on, for prompts longer than `above` tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    pub from: Date,
    /// Tokens; the whole request is billed by the tier that its prompt reaches. 0: any prompt.
    pub above: u64,
    pub input: Money,
    pub output: Money,
    pub cache_read: Money,
    pub cache_write_5m: Money,
    pub cache_write_1h: Money,
}

impl Model {
    /// `PROVIDER/MODEL`
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.provider, self.name)
    }

    /// What a request of that day and size is billed by. `None`: not known.
    pub fn price(&self, on: Date, usage: &Usage) -> Option<&Price> {
        let began = self.prices.iter().map(|price| price.from).filter(|from| *from <= on).max()?;
        let prompt = usage.prompt();
        self.prices
            .iter()
            .filter(|price| price.from == began && (price.above == 0 || prompt > price.above))
            .max_by_key(|price| price.above)
    }
}
