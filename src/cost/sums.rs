//! The ledger added up: by day, model, project, session, tool or agent, and in all.
//!
//! *Invariant:* each entry is in exactly one row of a grouping, so the rows always add up to the
//! total, by every grouping.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::cost::ledger::Entry;
use crate::protocol::{Cause, Money, Usage};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    Day,
    Model,
    Project,
    Session,
    Tool,
    Agent,
}

impl By {
    pub const ALL: [By; 6] = [By::Day, By::Model, By::Project, By::Session, By::Tool, By::Agent];

    pub fn name(self) -> &'static str {
        match self {
            By::Day => "day",
            By::Model => "model",
            By::Project => "project",
            By::Session => "session",
            By::Tool => "tool",
            By::Agent => "agent",
        }
    }

    pub fn parse(name: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.name() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    pub requests: u64,
    /// Those of `requests` whose price is not known; they are not in `cost`.
    pub unpriced: u64,
    pub usage: Usage,
    pub cost: Money,
    /// By the prompt cache, against plain input.
    pub saved: Money,
    /// By misses of the cache.
    pub lost: Money,
}

impl Sum {
    pub fn add(&mut self, entry: &Entry) {
        self.requests += 1;
        self.unpriced += u64::from(entry.cost.is_none());
        add_usage(&mut self.usage, &entry.usage);
        self.cost += entry.cost.unwrap_or_default();
        self.saved += entry.saved.unwrap_or_default();
        self.lost += entry.lost.unwrap_or_default();
    }
}

pub fn total<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Sum {
    let mut sum = Sum::default();
    entries.into_iter().for_each(|entry| sum.add(entry));
    sum
}

/// One row a name. Days in order of time, everything else dearest first.
pub fn rows<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    by: By,
    zone: &TimeZone,
) -> Vec<(String, Sum)> {
    let mut groups: BTreeMap<String, Sum> = BTreeMap::new();
    for entry in entries {
        groups.entry(name(entry, by, zone)).or_default().add(entry);
    }
    let mut rows: Vec<(String, Sum)> = groups.into_iter().collect();
    if by != By::Day {
        rows.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.cost));
    }
    rows
}

fn name(entry: &Entry, by: By, zone: &TimeZone) -> String {
    match by {
        By::Day => entry.t.to_zoned(zone.clone()).date().to_string(),
        By::Model => entry.model.clone(),
        By::Project => entry.project.clone(),
        By::Session => entry.session.0.clone(),
        By::Tool => entry.tool.clone().unwrap_or_else(|| format!("({})", cause(&entry.cause))),
        By::Agent => entry.agent.clone().unwrap_or_else(|| "(conversation)".to_owned()),
    }
}

/// A cause in words.
pub fn cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::Prompt => "prompt",
        Cause::Tool => "tool results",
        Cause::SubAgent => "sub-agent",
        Cause::Compaction => "compaction",
        Cause::Title => "title",
        Cause::Retry => "retry",
        Cause::Continuation => "continuation",
        Cause::Page => "page question",
        Cause::Search => "web search",
        Cause::Permission => "permission",
    }
}

/// Numbers from a file may be anything, so nothing here overflows.
fn add_usage(sum: &mut Usage, more: &Usage) {
    sum.input = sum.input.saturating_add(more.input);
    sum.cache_read = sum.cache_read.saturating_add(more.cache_read);
    sum.cache_write_5m = sum.cache_write_5m.saturating_add(more.cache_write_5m);
    sum.cache_write_1h = sum.cache_write_1h.saturating_add(more.cache_write_1h);
    sum.output = sum.output.saturating_add(more.output);
    sum.thinking = sum.thinking.saturating_add(more.thinking);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::ledger::tests::entry;
    use crate::cost::ledger::{append, read};
    use crate::cost::prices::{Rates, price};
    use crate::protocol::{SessionId, TurnId};
    use jiff::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn rows_say_what_was_spent_on_what() {
        let entries = [
            entry("2026-03-01T23:30:00Z", "a/x", Some(5)),
            entry("2026-03-02T01:00:00Z", "a/y", Some(7)),
            Entry { tool: Some("Bash".into()), ..entry("2026-03-02T02:00:00Z", "a/x", None) },
        ];
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let show = |by| {
            let rows = rows(&entries, by, &zone).into_iter();
            rows.map(|(name, sum)| (name, sum.requests, sum.unpriced, sum.cost.0))
                .collect::<Vec<_>>()
        };
        let row =
            |name: &str, requests, unpriced, cost| (name.to_owned(), requests, unpriced, cost);
        for (by, expected) in [
            (By::Day, vec![row("2026-03-02", 3, 1, 12)]),
            (By::Model, vec![row("a/y", 1, 0, 7), row("a/x", 2, 1, 5)]),
            (By::Project, vec![row("/p", 3, 1, 12)]),
            (By::Session, vec![row("s1", 3, 1, 12)]),
            (By::Tool, vec![row("(prompt)", 2, 0, 12), row("Bash", 1, 1, 0)]),
            (By::Agent, vec![row("(conversation)", 3, 1, 12)]),
        ] {
            assert_eq!(show(by), expected, "{by:?}");
        }
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let tokens = || 0..2_000_000u64;
        (
            (0..5_000_000i64, 0..4u8, 0..3u8, 0..3u8),
            (tokens(), tokens(), tokens(), tokens(), tokens()),
            (
                prop::option::of("(Bash|Read|Grep)"),
                prop::option::of("(explore|plan)"),
                any::<bool>(),
            ),
        )
            .prop_map(
                |((seconds, model, session, project), (a, b, c, d, e), (tool, agent, known))| {
                    let usage = Usage {
                        input: a,
                        cache_read: b,
                        cache_write_5m: c,
                        cache_write_1h: d,
                        output: e,
                        thinking: e / 3,
                    };
                    let rate = |n: i64| Money((i64::from(model) + 1) * n);
                    let rates = Rates {
                        input: rate(333_333),
                        output: rate(1_777_777),
                        cache_read: rate(33_333),
                        cache_write_5m: rate(416_667),
                        cache_write_1h: rate(666_667),
                    };
                    Entry {
                        t: Timestamp::from_second(1_770_000_000 + seconds).unwrap(),
                        session: SessionId(format!("s{session}")),
                        project: format!("/p{project}"),
                        model: format!("p/m{model}"),
                        usage,
                        cost: known.then(|| price(&rates, &usage)),
                        saved: known.then(|| crate::cost::prices::saved(&rates, &usage)),
                        lost: known.then(|| crate::cost::prices::lost(&rates, &usage, a)),
                        tool,
                        agent,
                        turn: TurnId(seconds as u64 % 7),
                        ..entry("2026-01-01T00:00:00Z", "", None)
                    }
                },
            )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The sum of the entries is the total, by every grouping, also after a trip to the disk.
        #[test]
        fn the_rows_add_up_to_the_total(entries in prop::collection::vec(any_entry(), 0..40)) {
            let dir = tempfile::tempdir().unwrap();
            for entry in &entries {
                append(dir.path(), entry).unwrap();
            }
            let read = read(dir.path(), None).unwrap();
            prop_assert_eq!(read.bad_lines, 0);
            let by_hand: i64 = entries.iter().filter_map(|entry| entry.cost).map(|cost| cost.0).sum();
            let total = total(&read.entries);
            prop_assert_eq!(total.cost, Money(by_hand));
            prop_assert_eq!(total.requests, entries.len() as u64);
            for by in By::ALL {
                let mut sum = Sum::default();
                for (_, row) in rows(&read.entries, by, &TimeZone::UTC) {
                    sum.requests += row.requests;
                    sum.unpriced += row.unpriced;
                    add_usage(&mut sum.usage, &row.usage);
                    sum.cost += row.cost;
                    sum.saved += row.saved;
                    sum.lost += row.lost;
                }
                prop_assert_eq!(sum, total);
            }
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("2026-01.jsonl"), &bytes).unwrap();
            let found = read(dir.path(), None).unwrap();
            prop_assert_eq!(found.entries.len(), 0);
        }
    }
}
