//! What tokens cost.
//!
//! **Rounding**: the exact cost of a request, over all its kinds of tokens, is rounded once, to the
//! nearest micro-dollar, halves up. So no request is off by more than half a micro-dollar, and a
//! total is the sum of what the requests show.

use jiff::civil::Date;

use crate::models::{Model, Price};
use crate::protocol::{Money, Usage};

/// Tokens that a first answer is taken to have.
const FIRST_ANSWER: u64 = 500;

/// Prices of one model, on one day, for one length of prompt. Money for a million tokens, so the
/// numbers are micro-dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    pub input: Money,
    pub output: Money,
    pub cache_read: Money,
    pub cache_write_5m: Money,
    pub cache_write_1h: Money,
}

/// A row of the table of models, as rates.
pub fn rates(price: &Price) -> Rates {
    Rates {
        input: price.input,
        output: price.output,
        cache_read: price.cache_read,
        cache_write_5m: price.cache_write_5m,
        cache_write_1h: price.cache_write_1h,
    }
}

/// The cost of one request. Thinking is part of the output.
pub fn price(rates: &Rates, usage: &Usage) -> Money {
    money(
        exact(usage.input, rates.input)
            + exact(usage.output, rates.output)
            + exact(usage.cache_read, rates.cache_read)
            + exact(usage.cache_write_5m, rates.cache_write_5m)
            + exact(usage.cache_write_1h, rates.cache_write_1h),
    )
}

/// What caching saved on one request: its cost with every prompt token at the input rate, less its
/// cost. Negative for a request that only fills the cache.
pub fn saved(rates: &Rates, usage: &Usage) -> Money {
    let uncached = Usage { input: usage.prompt(), output: usage.output, ..Usage::default() };
    price(rates, &uncached) - price(rates, usage)
}

/// What a miss cost: `missed` tokens of the prompt could have been read from the cache and were
/// billed anew instead. They are taken to be the dearest of what was billed anew first: 1-hour
/// writes, 5-minute writes, plain input.
pub fn lost(rates: &Rates, usage: &Usage, missed: u64) -> Money {
    let mut left = missed;
    let mut paid = 0;
    for (tokens, rate) in [
        (usage.cache_write_1h, rates.cache_write_1h),
        (usage.cache_write_5m, rates.cache_write_5m),
        (usage.input, rates.input),
    ] {
        let of_these = left.min(tokens);
        left -= of_these;
        paid += exact(of_these, rate) - exact(of_these, rates.cache_read);
    }
    money(paid.max(0))
}

/// What a request of that day costs. `None`: the model is not known, or has no price.
pub fn cost(model: Option<&Model>, on: Date, usage: &Usage) -> Option<Money> {
    model?.price(on, usage).map(|row| price(&rates(row), usage))
}

/// What the next request of a conversation will use, if as much comes back as last time. `prompt`
/// is what it will carry; `warm`: what the last one left in the cache is still there.
pub fn projected(last: Option<&Usage>, prompt: u64, warm: bool) -> Usage {
    let Some(last) = last else {
        return Usage { input: prompt, output: FIRST_ANSWER, ..Usage::default() };
    };
    let output = last.output;
    if last.cache_read + last.cache_write() == 0 {
        return Usage { input: prompt, output, ..Usage::default() };
    }
    let cache_read = if warm { last.prompt().min(prompt) } else { 0 };
    Usage { cache_read, cache_write_5m: prompt - cache_read, output, ..Usage::default() }
}

/// Millionths of a micro-dollar.
fn exact(tokens: u64, rate: Money) -> i128 {
    i128::from(tokens) * i128::from(rate.0)
}

fn money(exact: i128) -> Money {
    let micros = (exact + 500_000).div_euclid(1_000_000);
    Money(i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 USD in, 15 out, 0.30 read, 3.75 and 6 write.
    const RATES: Rates = Rates {
        input: Money(3_000_000),
        output: Money(15_000_000),
        cache_read: Money(300_000),
        cache_write_5m: Money(3_750_000),
        cache_write_1h: Money(6_000_000),
    };

    fn usage(input: u64, read: u64, write_5m: u64, write_1h: u64, output: u64) -> Usage {
        Usage {
            input,
            cache_read: read,
            cache_write_5m: write_5m,
            cache_write_1h: write_1h,
            output,
            thinking: output / 2,
        }
    }

    #[test]
    fn tokens_cost_what_the_price_list_says() {
        for (tokens, micros) in [
            (usage(0, 0, 0, 0, 0), 0),
            (usage(1_000_000, 0, 0, 0, 0), 3_000_000),
            (usage(0, 1_000_000, 0, 0, 0), 300_000),
            (usage(0, 0, 1_000_000, 0, 0), 3_750_000),
            (usage(0, 0, 0, 1_000_000, 0), 6_000_000),
            (usage(0, 0, 0, 0, 1_000_000), 15_000_000),
            (usage(1, 1, 1, 1, 1), 28), // 28.05
            (usage(0, 1, 0, 0, 0), 0),  // 0.3
            (usage(0, 0, 2, 0, 0), 8),  // 7.5 goes up
            (usage(0, 5, 0, 0, 0), 2),  // 1.5 goes up
            (usage(u64::MAX, 0, 0, 0, 0), i64::MAX),
        ] {
            assert_eq!(price(&RATES, &tokens), Money(micros), "{tokens:?}");
        }
    }

    #[test]
    fn caching_saves_on_reads_and_costs_on_writes() {
        for (tokens, micros) in [
            (usage(10, 0, 0, 0, 99), 0),
            (usage(0, 1000, 0, 0, 0), 2_700),
            (usage(0, 0, 1000, 0, 0), -750),
            (usage(0, 1000, 1000, 0, 0), 1_950),
        ] {
            assert_eq!(saved(&RATES, &tokens), Money(micros), "{tokens:?}");
        }
    }

    #[test]
    fn a_miss_costs_the_difference_to_reading() {
        for (tokens, missed, micros) in [
            (usage(0, 0, 1000, 0, 0), 1000, 3_450),
            (usage(1000, 0, 0, 0, 0), 1000, 2_700),
            (usage(1000, 0, 0, 500, 0), 1000, 500 * 57 / 10 + 500 * 27 / 10),
            (usage(10, 0, 0, 0, 0), u64::MAX, 27),
            (usage(0, 1000, 0, 0, 0), 1000, 0),
            (usage(1000, 0, 0, 0, 0), 0, 0),
        ] {
            assert_eq!(lost(&RATES, &tokens, missed), Money(micros), "{tokens:?} {missed}");
        }
    }

    #[test]
    fn the_next_request_reads_what_the_last_one_wrote() {
        let cached = usage(0, 1000, 1000, 0, 100);
        assert_eq!(projected(Some(&cached), 2150, true), usage_of(0, 2000, 150, 100));
        assert_eq!(projected(Some(&cached), 2150, false), usage_of(0, 0, 2150, 100));
        // A compaction has made it shorter than what was cached.
        assert_eq!(projected(Some(&cached), 500, true), usage_of(0, 500, 0, 100));
        let plain = usage(1000, 0, 0, 0, 100);
        assert_eq!(projected(Some(&plain), 1150, true), usage_of(1150, 0, 0, 100));
        assert_eq!(projected(None, 1150, false).input, 1150);
    }

    fn usage_of(input: u64, read: u64, write_5m: u64, output: u64) -> Usage {
        Usage { thinking: 0, ..usage(input, read, write_5m, 0, output) }
    }
}
