//! What a request costs at a server that applies the published rules of prompt caching: up to four
//! breakpoints, an entry written only at a breakpoint, a look-back of 20 blocks from each, a
//! shortest prefix, entries that live five minutes or an hour from their last use.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// USD for a million tokens.
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    pub input: f64,
    pub write_5m: f64,
    pub write_1h: f64,
    pub read: f64,
    pub output: f64,
}

pub const PRICES: Prices =
    Prices { input: 3.0, write_5m: 3.75, write_1h: 6.0, read: 0.30, output: 15.0 };

const LOOK_BACK: usize = 20;
const SHORTEST: f64 = 1_024.0;

#[derive(Debug, Default)]
pub struct Cache {
    /// Mark of a prefix to the second at which it is forgotten.
    entries: HashMap<u64, (u64, u64)>,
    model: String,
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bill {
    pub input: f64,
    pub write_5m: f64,
    pub write_1h: f64,
    pub read: f64,
    /// Blocks that an earlier request of this cache had in the same place, and this one changed.
    pub breakpoints: usize,
}

impl Bill {
    pub fn usd(&self, output: f64) -> f64 {
        (self.input * PRICES.input
            + self.write_5m * PRICES.write_5m
            + self.write_1h * PRICES.write_1h
            + self.read * PRICES.read
            + output * PRICES.output)
            / 1e6
    }
}

/// A part of a request, in the order tools, system, messages.
#[derive(Debug, Clone)]
pub struct Block {
    pub tokens: f64,
    pub kind: Kind,
    /// Mark of everything up to and with this block.
    prefix: u64,
    /// Seconds that an entry written here lives.
    breakpoint: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Tools,
    System,
    /// Of the person or tern: `context` is what tern adds.
    Text {
        context: bool,
    },
    Call,
    Result,
}

/// Tokens of a text: the same estimate for everybody.
pub fn tokens(text: &str) -> f64 {
    text.len() as f64 / 3.6
}

/// The blocks of a request of the Messages wire.
pub fn blocks(body: &Value) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut hasher = DefaultHasher::new();
    let mut push = |text: &str, value: &Value, kind: Kind| {
        text.hash(&mut hasher);
        let breakpoint = value.get("cache_control").map(|control| match control["ttl"].as_str() {
            Some("1h") => 3_600,
            _ => 300,
        });
        blocks.push(Block { tokens: tokens(text), kind, prefix: hasher.finish(), breakpoint });
    };
    for tool in body["tools"].as_array().into_iter().flatten() {
        let mut plain = tool.clone();
        plain.as_object_mut().unwrap().shift_remove("cache_control");
        push(&plain.to_string(), tool, Kind::Tools);
    }
    match &body["system"] {
        Value::String(text) => push(text, &Value::Null, Kind::System),
        system => {
            for block in system.as_array().into_iter().flatten() {
                push(block["text"].as_str().unwrap(), block, Kind::System);
            }
        }
    }
    for message in body["messages"].as_array().unwrap() {
        match &message["content"] {
            Value::String(text) => push(text, &Value::Null, Kind::Text { context: false }),
            content => {
                for block in content.as_array().unwrap() {
                    let (text, kind) = visible(block);
                    push(&text, block, kind);
                }
            }
        }
    }
    blocks
}

fn visible(block: &Value) -> (String, Kind) {
    match block["type"].as_str().unwrap() {
        "tool_use" => {
            (format!("{}{}", block["name"].as_str().unwrap(), block["input"]), Kind::Call)
        }
        "tool_result" => {
            let text = match &block["content"] {
                Value::String(text) => text.clone(),
                parts => parts
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|part| part["text"].as_str())
                    .collect(),
            };
            (text, Kind::Result)
        }
        _ => {
            let text = block["text"].as_str().unwrap_or_default().to_owned();
            let context = text.starts_with("<context>");
            (text, Kind::Text { context })
        }
    }
}

impl Cache {
    /// Bills a request that comes at `now` (seconds), and remembers what it cached.
    pub fn bill(&mut self, body: &Value, now: u64) -> Bill {
        let model = body["model"].as_str().unwrap_or_default();
        if self.model != model {
            self.entries.clear();
            self.model = model.to_owned();
        }
        self.entries.retain(|_, (until, _)| *until > now);
        let blocks = blocks(body);
        let points: Vec<usize> =
            (0..blocks.len()).filter(|at| blocks[*at].breakpoint.is_some()).collect();
        assert!(points.len() <= 4, "{} breakpoints", points.len());
        let sums: Vec<f64> = blocks
            .iter()
            .scan(0.0, |sum, block| {
                *sum += block.tokens;
                Some(*sum)
            })
            .collect();
        let hit = points
            .iter()
            .flat_map(|point| (point.saturating_sub(LOOK_BACK)..=*point).rev())
            .filter(|at| self.entries.contains_key(&blocks[*at].prefix))
            .max();
        let mut bill = Bill { breakpoints: points.len(), ..Bill::default() };
        let mut done = 0.0;
        if let Some(at) = hit {
            bill.read = sums[at];
            done = sums[at];
            if let Some((until, life)) = self.entries.get_mut(&blocks[at].prefix) {
                *until = now + *life;
            }
        }
        for point in points {
            if sums[point] < SHORTEST {
                continue;
            }
            let life = blocks[point].breakpoint.unwrap_or(300);
            let new = (sums[point] - done).max(0.0);
            if life > 300 {
                bill.write_1h += new;
            } else {
                bill.write_5m += new;
            }
            done = done.max(sums[point]);
            self.entries.insert(blocks[point].prefix, (now + life, life));
        }
        bill.input = sums.last().copied().unwrap_or_default() - done;
        bill
    }
}
