//! Numbers in words, as short as they can be read.

use crate::protocol::Money;

/// `950`, `41.2k`, `1.3M`
pub fn tokens(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..99_950 => format!("{:.1}k", n as f64 / 1e3),
        99_950..999_500 => format!("{:.0}k", n as f64 / 1e3),
        _ => format!("{:.1}M", n as f64 / 1e6),
    }
}

/// `0.4 s`, `48 s`, `3 min 20 s`, `2 h 5 min`
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0..10 => format!("{:.1} s", milliseconds as f64 / 1e3),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The same without fractions, for a running clock.
pub fn clock(milliseconds: u64) -> String {
    match milliseconds {
        0..60_000 => format!("{} s", milliseconds / 1_000),
        _ => duration(milliseconds),
    }
}

pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `$0.42`, `≥ $0.42` where some requests have no known price, `$?` where none has.
pub fn cost(cost: Money, requests: u64, unpriced: u64) -> String {
    match unpriced {
        0 => cost.to_string(),
        _ if unpriced >= requests => "$?".to_owned(),
        _ => format!("≥{cost}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (n, text) in [
            (950, "950"),
            (41_230, "41.2k"),
            (99_960, "100k"),
            (200_000, "200k"),
            (1_300_000, "1.3M"),
        ] {
            assert_eq!(tokens(n), text);
        }
        for (ms, text) in
            [(420, "0.4 s"), (48_900, "48 s"), (200_000, "3 min 20 s"), (7_500_000, "2 h 5 min")]
        {
            assert_eq!(duration(ms), text);
        }
        assert_eq!(clock(3_900), "3 s");
        assert_eq!(cost(Money(420_000), 3, 0), "$0.42");
        assert_eq!(cost(Money(420_000), 3, 1), "≥$0.42");
        assert_eq!(cost(Money(0), 3, 3), "$?");
    }
}
