//! Tokens and money, as plain numbers.

use serde::{Deserialize, Serialize};

/// Tokens of one request, as the server counted them. The input fields do not overlap: the whole
/// prompt is `input + cache_read + cache_write_5m + cache_write_1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens neither read from nor written to a cache.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    /// Output tokens, thinking included.
    pub output: u64,
    /// The part of `output` that was reasoning, where the server tells.
    pub thinking: u64,
}

impl Usage {
    /// Tokens of the prompt, cached or not.
    pub fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write()
    }

    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m + self.cache_write_1h
    }

    /// Tokens that the next request will at least carry.
    pub fn context(&self) -> u64 {
        self.prompt() + self.output
    }

    pub fn add(&mut self, other: &Usage) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
        self.thinking += other.thinking;
    }
}

/// An amount of USD in integer micro-dollars (1,000,000 = 1 USD), so that sums are exact.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    pub const ZERO: Money = Money(0);

    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// `None` for a number that is not a sum of money: negative, infinite or too large.
    pub fn from_usd(usd: f64) -> Option<Money> {
        (usd.is_finite() && (0.0..9.0e12).contains(&usd)).then(|| Money((usd * 1e6).round() as i64))
    }
}

impl std::ops::Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl std::ops::AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl std::ops::Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Money>>(iter: I) -> Money {
        iter.fold(Money::ZERO, |a, b| a + b)
    }
}

/// `$0.42`; four digits below a cent, so that a cheap request does not look free.
impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let usd = self.usd().abs();
        if self.0 != 0 && self.0.abs() < 10_000 {
            write!(f, "{sign}${usd:.4}")
        } else {
            write!(f, "{sign}${usd:.2}")
        }
    }
}

/// Why a request was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The first request of a turn.
    Prompt,
    /// A request that carries tool results.
    Tool,
    SubAgent,
    Compaction,
    Title,
    Retry,
    Continuation,
    Page,
    Search,
    Permission,
}

/// What one request used and cost. `cost` is `None` where the price is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spend {
    /// `PROVIDER/MODEL`
    pub model: String,
    pub usage: Usage,
    #[serde(default)]
    pub cost: Option<Money>,
    pub cause: Cause,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        for (micros, text) in [
            (0, "$0.00"),
            (420_000, "$0.42"),
            (9_999, "$0.0100"),
            (512, "$0.0005"),
            (-420_000, "-$0.42"),
        ] {
            assert_eq!(Money(micros).to_string(), text);
        }
        assert_eq!(Money::from_usd(1.5), Some(Money(1_500_000)));
        assert_eq!(Money::from_usd(f64::NAN), None);
        assert_eq!(Money::from_usd(-1.0), None);
    }
}
