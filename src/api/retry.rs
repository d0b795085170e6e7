//! When to ask again: what a server's headers say, and how long to wait without them.
//!
//! *Invariant:* nothing here waits or decides; `agent::recover` does.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;

/// The first wait without advice; each further one is twice as long.
const BASE: Duration = Duration::from_millis(500);

/// Longest wait without advice.
const LONGEST: Duration = Duration::from_secs(60);

/// How long the server asks to be left alone, by the first that is there: `retry-after-ms`,
/// `retry-after` in seconds or as a date, the reset of an exhausted `anthropic-ratelimit-*`, the
/// reset of an exhausted `x-ratelimit-*`. `now` counts where the answer has no date of its own.
pub fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    // The server's own clock, where it tells it: ours may be wrong.
    let now = text("date").and_then(http_date).unwrap_or(now);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return seconds(ms / 1000.0);
    }
    if let Some(after) = text("retry-after") {
        return match after.parse::<f64>() {
            Ok(number) => seconds(number),
            Err(_) => http_date(after).map(|then| until(now, then)),
        };
    }
    ["requests", "tokens", "input-tokens", "output-tokens"]
        .iter()
        .filter_map(|what| {
            let of = |field: &str| text(&format!("anthropic-ratelimit-{what}-{field}"));
            let exhausted = of("remaining")?.parse::<f64>().ok()? <= 0.0;
            let reset = of("reset")?.parse::<Timestamp>().ok()?;
            exhausted.then(|| until(now, reset))
        })
        .max()
        .or_else(|| {
            ["requests", "tokens"]
                .iter()
                .filter_map(|what| {
                    let exhausted =
                        text(&format!("x-ratelimit-remaining-{what}"))?.parse::<f64>().ok()? <= 0.0;
                    let reset = go_duration(text(&format!("x-ratelimit-reset-{what}"))?)?;
                    exhausted.then_some(reset)
                })
                .max()
        })
}

/// How long to wait before attempt number `attempt` (from 1): what the server asked for, or 0.5 s
/// doubling to a minute. `jitter`, from 0 to 1, adds up to a quarter (a twentieth of what was asked
/// for), so that many clients do not come back together.
pub fn delay(attempt: u32, asked: Option<Duration>, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    match asked {
        Some(asked) => asked.saturating_add(asked.min(LONGEST).mul_f64(jitter * 0.05)),
        None => {
            let doublings = attempt.saturating_sub(1).min(16);
            (BASE * 2u32.pow(doublings)).min(LONGEST).mul_f64(1.0 + jitter * 0.25)
        }
    }
}

/// `None` for what is not a time to wait.
fn seconds(number: f64) -> Option<Duration> {
    // A year is as good as any longer time, and keeps the arithmetic safe.
    (number.is_finite() && number >= 0.0).then(|| Duration::from_secs_f64(number.min(31_536_000.0)))
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// OpenAI's form: `1s`, `6m0s`, `120ms`, `1h2m3.5s`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |end| digits + end);
        sum += number
            * match &rest[digits..unit_end] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    seconds(sum)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 06:33:56 GMT");

    #[test]
    fn a_servers_wish_is_read_in_all_its_forms() {
        let now: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(Headers<'_>, Option<f64>)] = &[
            (&[], None),
            (&[("retry-after", "2")], Some(2.0)),
            (&[("retry-after", " 0.5 ")], Some(0.5)),
            (&[("retry-after", "0")], Some(0.0)),
            (&[("retry-after", "-3")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], Some(31_536_000.0)),
            (&[("retry-after-ms", "1500"), ("retry-after", "9")], Some(1.5)),
            (&[("retry-after", "Sun, 22 Nov 2026 06:00:30 GMT")], Some(30.0)),
            (&[DATE, ("retry-after", "Sun, 22 Nov 2026 06:34:26 GMT")], Some(30.0)),
            (&[("retry-after", "Sun, 22 Nov 2020 06:00:30 GMT")], Some(0.0)),
            (
                &[
                    ("anthropic-ratelimit-requests-remaining", "0"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-22T06:00:07Z"),
                ],
                Some(7.0),
            ),
            (
                &[
                    ("anthropic-ratelimit-tokens-remaining", "0"),
                    ("anthropic-ratelimit-tokens-reset", "2026-11-22T06:00:20Z"),
                    ("anthropic-ratelimit-requests-remaining", "12"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-22T07:00:00Z"),
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "2026-11-22T06:00:10Z"),
                ],
                Some(20.0),
            ),
            (
                &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m2.5s")],
                Some(62.5),
            ),
            (&[("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "1m")], None),
            (
                &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "120ms")],
                Some(0.12),
            ),
            (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "5")], None),
        ];
        for (headers, expected) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_bytes(name.as_bytes()).unwrap(),
                        HeaderValue::from_str(value).unwrap(),
                    )
                })
                .collect();
            assert_eq!(asked(&map, now), expected.map(Duration::from_secs_f64), "{headers:?}");
        }
    }

    #[test]
    fn waits_double_to_a_minute_and_respect_what_was_asked() {
        let s = Duration::from_secs_f64;
        for (attempt, asked, jitter, expected) in [
            (1, None, 0.0, s(0.5)),
            (2, None, 0.0, s(1.0)),
            (3, None, 1.0, s(2.5)),
            (7, None, 0.0, s(32.0)),
            (8, None, 0.0, s(60.0)),
            (u32::MAX, None, 1.0, s(75.0)),
            (0, None, f64::NAN, s(0.5)),
            (1, Some(s(2.0)), 0.0, s(2.0)),
            (9, Some(s(2.0)), 1.0, s(2.1)),
            (1, Some(Duration::MAX), 1.0, Duration::MAX),
        ] {
            assert_eq!(delay(attempt, asked, jitter), expected, "{attempt} {asked:?} {jitter}");
        }
    }
}
