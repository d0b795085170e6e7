//! `tern cost`: the ledger added up.

use std::io::Write;

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::cli::Env;
use crate::config::problem::one_line;
use crate::cost::ledger::{self, Ledger};
use crate::cost::sums::{By, Sum, rows, total};
use crate::protocol::Money;

#[derive(clap::Args, Debug, Clone)]
pub struct CostArgs {
    /// What to add up by: day, model, project, session, tool or agent
    #[arg(long, default_value = "day", value_parser = parse_by)]
    pub by: By,
    /// Only from this day on: 2026-11-24, today, or 7d for the last seven days
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &CostArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let zone = TimeZone::system();
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    let since = match &args.since {
        Some(text) => Some(parse_since(text, today)?),
        None => None,
    };
    let from = match since {
        Some(day) => Some(day.to_zoned(zone.clone())?.timestamp()),
        None => None,
    };
    let folder = env.dirs.ledger();
    let ledger = ledger::read(&folder, from)
        .with_context(|| format!("cannot read the ledger in {}", folder.display()))?;
    if args.json {
        writeln!(out, "{}", as_json(&ledger, args.by, since, &zone))?;
    } else {
        as_table(&ledger, args.by, &zone, out)?;
    }
    Ok(0)
}

fn parse_by(name: &str) -> Result<By, String> {
    By::parse(name).ok_or_else(|| format!("it is one of {}", By::ALL.map(By::name).join(", ")))
}

fn parse_since(text: &str, today: Date) -> anyhow::Result<Date> {
    if text == "today" {
        return Ok(today);
    }
    // The last seven days are today and the six before it.
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let found = match days {
        Some(days @ 1..=36_500) => today.checked_sub(Span::new().days(days - 1)).ok(),
        _ => text.parse().ok(),
    };
    found.with_context(|| format!("{text:?} is no date; write 2026-11-24, today, or 7d"))
}

fn as_json(ledger: &Ledger, by: By, since: Option<Date>, zone: &TimeZone) -> Value {
    let rows: Vec<Value> = rows(&ledger.entries, by, zone)
        .into_iter()
        .map(|(name, sum)| {
            let mut row = json!({ "name": name });
            if let (Some(row), Value::Object(sum)) = (row.as_object_mut(), sum_json(&sum)) {
                row.extend(sum);
            }
            row
        })
        .collect();
    json!({
        "by": by.name(),
        "since": since.map(|day| day.to_string()),
        "rows": rows,
        "total": sum_json(&total(&ledger.entries)),
        "bad_lines": ledger.bad_lines,
    })
}

fn sum_json(sum: &Sum) -> Value {
    json!({
        "requests": sum.requests,
        "unpriced": sum.unpriced,
        "usage": {
            "input": sum.usage.input,
            "output": sum.usage.output,
            "cache_read": sum.usage.cache_read,
            "cache_write": sum.usage.cache_write_5m.saturating_add(sum.usage.cache_write_1h),
        },
        "cost_usd": known(sum).map(Money::usd),
        "cost_micros": known(sum),
        "saved_usd": sum.saved.usd(),
        "lost_usd": sum.lost.usd(),
    })
}

/// `None` where no request of the sum has a known price: that is not a cost of zero.
fn known(sum: &Sum) -> Option<Money> {
    (sum.requests == 0 || sum.unpriced < sum.requests).then_some(sum.cost)
}

fn as_table(ledger: &Ledger, by: By, zone: &TimeZone, out: &mut dyn Write) -> anyhow::Result<()> {
    let all = total(&ledger.entries);
    if all.requests == 0 {
        writeln!(out, "nothing was spent")?;
    } else {
        let rows = rows(&ledger.entries, by, zone);
        let head = [by.name(), "requests", "in", "cached", "out", "cost"].map(str::to_owned);
        let lines: Vec<[String; 6]> = std::iter::once(head)
            .chain(rows.iter().map(|(name, sum)| cells(name, sum)))
            .chain([cells("total", &all)])
            .collect();
        let width = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for line in &lines {
            let mut text = String::new();
            for (at, cell) in line.iter().enumerate() {
                let pad = " ".repeat(widths[at] - cell.width());
                // Names to the left, numbers to the right.
                match at {
                    0 => text.extend([cell.as_str(), &pad]),
                    _ => text.extend(["  ", &pad, cell]),
                }
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        writeln!(out, "\nsaved by cache {}, lost by misses {}", all.saved, all.lost)?;
    }
    if all.unpriced > 0 {
        let many = all.unpriced;
        writeln!(
            out,
            "{many} of {} requests have no known price and are not in the cost",
            all.requests
        )?;
    }
    if ledger.bad_lines > 0 {
        writeln!(out, "{} lines of the ledger could not be read", ledger.bad_lines)?;
    }
    Ok(())
}

fn cells(name: &str, sum: &Sum) -> [String; 6] {
    let usage = &sum.usage;
    let prompt = [usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h]
        .into_iter()
        .fold(0u64, u64::saturating_add);
    let cached = match prompt {
        0 => String::new(),
        prompt => format!("{} %", u128::from(usage.cache_read) * 100 / u128::from(prompt)),
    };
    let cost = match (known(sum), sum.unpriced) {
        (None, _) => "unknown".to_owned(),
        (Some(cost), 0) => cost.to_string(),
        (Some(cost), _) => format!("{cost} +?"),
    };
    [one_line(name), sum.requests.to_string(), tokens(prompt), cached, tokens(usage.output), cost]
}

/// `950`, `41.2k`, `3.10M`.
fn tokens(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.1}k", count as f64 / 1e3),
        _ => format!("{:.2}M", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::ledger::{Entry, VERSION};
    use crate::protocol::{Cause, SessionId, TurnId, Usage};

    fn ledger() -> Ledger {
        let entry = |t: &str, model: &str, cost: Option<i64>| Entry {
            v: VERSION,
            t: t.parse().unwrap(),
            session: SessionId("s".into()),
            project: "/p".into(),
            model: model.into(),
            usage: Usage { input: 500, cache_read: 1500, output: 2, ..Usage::default() },
            cost: cost.map(Money),
            price_from: None,
            cause: Cause::Prompt,
            agent: None,
            turn: TurnId(1),
            tool: None,
            saved: Some(Money(10_000)),
            miss: None,
            lost: None,
        };
        Ledger {
            entries: vec![
                entry("2026-03-01T10:00:00Z", "a/x", Some(420_000)),
                entry("2026-03-02T10:00:00Z", "a/x", Some(80_000)),
                entry("2026-03-02T11:00:00Z", "b/\u{1b}[2Jlocal", None),
            ],
            bad_lines: 1,
        }
    }

    fn table(by: By) -> String {
        let mut out = Vec::new();
        as_table(&ledger(), by, &TimeZone::UTC, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_lines_up_and_says_what_is_not_known() {
        let expected = "\
day         requests    in  cached  out      cost
2026-03-01         1  2.0k    75 %    2     $0.42
2026-03-02         2  4.0k    75 %    4  $0.08 +?
total              3  6.0k    75 %    6  $0.50 +?

saved by cache $0.03, lost by misses $0.00
1 of 3 requests have no known price and are not in the cost
1 lines of the ledger could not be read
";
        assert_eq!(table(By::Day), expected);
        assert!(
            table(By::Model)
                .contains("b/\u{fffd}[2Jlocal         1  2.0k    75 %    2   unknown\n")
        );
        let mut out = Vec::new();
        as_table(&Ledger::default(), By::Day, &TimeZone::UTC, &mut out).unwrap();
        assert_eq!(out, b"nothing was spent\n");
    }

    #[test]
    fn json_has_the_same_with_null_for_unknown() {
        let day = "2026-03-01".parse().unwrap();
        let value = as_json(&ledger(), By::Model, Some(day), &TimeZone::UTC);
        assert_eq!((&value["by"], &value["since"]), (&json!("model"), &json!("2026-03-01")));
        assert_eq!(value["rows"][1]["cost_usd"], Value::Null);
        assert_eq!(value["rows"][0]["cost_usd"], json!(0.5));
        assert_eq!(value["total"]["cost_micros"], json!(500_000));
        let usage = json!({"input": 1500, "output": 6, "cache_read": 4500, "cache_write": 0});
        assert_eq!(value["total"]["usage"], usage);
        assert_eq!(value["bad_lines"], json!(1));
    }

    #[test]
    fn a_day_is_named_in_three_ways() {
        let today: Date = "2026-03-02".parse().unwrap();
        for (text, day) in [
            ("today", Some("2026-03-02")),
            ("1d", Some("2026-03-02")),
            ("7d", Some("2026-02-24")),
            ("2025-12-31", Some("2025-12-31")),
            ("0d", None),
            ("2025-13-01", None),
            ("soon", None),
        ] {
            let got = parse_since(text, today).ok().map(|day| day.to_string());
            assert_eq!(got.as_deref(), day, "{text}");
        }
    }
}
