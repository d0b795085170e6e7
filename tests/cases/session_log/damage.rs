//! A log of a thousand records, broken in every place. Samples by default; all of it with
//! `TERN_TEST_FULL=1 cargo test --release --test cases session_log`.

use std::collections::HashSet;

use proptest::prelude::*;
use tern::session::read::Damage;
use tern::session::replay;

use crate::support::logs::{Dice, Session, full, id_of, ids};

const RECORDS: usize = 1000;

/// Where each line begins, and the end of the last one.
fn starts(lines: &[Vec<u8>]) -> Vec<usize> {
    let mut starts = vec![0];
    starts.extend(lines.iter().scan(0, |at, line| {
        *at += line.len();
        Some(*at)
    }));
    starts
}

#[test]
fn cut_at_any_byte_loses_only_what_was_cut() {
    let session = Session::with(RECORDS);
    let (bytes, lines) = (session.bytes(), session.lines());
    let starts = starts(&lines);
    let all: Vec<String> = lines.iter().map(|line| id_of(line)).collect();
    let mut dice = Dice(1);
    let cuts: Vec<usize> = if full() {
        (0..=bytes.len()).collect()
    } else {
        let near = (0..24).map(|_| starts[dice.roll(starts.len())]);
        let near: Vec<usize> = near.flat_map(|at| [at.saturating_sub(1), at, at + 1]).collect();
        let mut dice = Dice(2);
        near.into_iter()
            .chain((0..40).map(|_| dice.roll(bytes.len())))
            .chain([0, bytes.len()])
            .filter(|at| *at <= bytes.len())
            .collect()
    };
    for cut in cuts {
        session.set(&[&bytes[..cut]]);
        // A record without its line end is whole.
        let whole = starts[1..].iter().filter(|end| cut + 1 >= **end).count();
        let (loaded, damage) = session.load();
        assert_eq!(ids(&loaded), all[..whole], "cut at {cut}");
        let left = cut.saturating_sub(starts[whole]) as u64;
        assert_eq!(damage, Damage { torn: left, ..Damage::default() }, "cut at {cut}");
    }
}

#[test]
fn a_cut_log_is_mended_once_and_goes_on() {
    let mut dice = Dice(3);
    for _ in 0..if full() { 2000 } else { 40 } {
        let session = Session::with(12);
        let bytes = session.bytes();
        let cut = 1 + dice.roll(bytes.len() - 1);
        session.set(&[&bytes[..cut]]);
        let (before, damage) = session.resume();
        assert_eq!(damage.tail.is_some(), damage.torn > 0);
        let (after, damage) = session.load();
        assert_eq!(damage, Damage::default(), "cut at {cut}");
        assert_eq!(after.entries.len(), before.entries.len() + 1);
    }
}

#[test]
fn a_flipped_byte_costs_at_most_its_record() {
    let session = Session::with(RECORDS);
    let (bytes, lines) = (session.bytes(), session.lines());
    let starts = starts(&lines);
    let all: Vec<String> = lines.iter().map(|line| id_of(line)).collect();
    let mut dice = Dice(4);
    for _ in 0..if full() { 10_000 } else { 80 } {
        let at = dice.roll(bytes.len());
        let mut broken = bytes.clone();
        broken[at] ^= 1 << dice.roll(8);
        session.set(&[&broken]);
        let (loaded, damage) = session.load();
        let hit = starts.partition_point(|start| *start <= at) - 1;
        let there: HashSet<String> = ids(&loaded).into_iter().collect();
        for (n, id) in all.iter().enumerate() {
            assert!(there.contains(id) || n == hit || n == hit + 1, "byte {at} took record {n}");
        }
        assert!(loaded.entries.len() + 1 >= RECORDS, "byte {at}");
        let lost = loaded.entries.len() < RECORDS;
        assert!(!lost || damage.bad + damage.torn > 0, "byte {at}: {damage:?}");
        // Whatever came of it, the next request can be made.
        replay::messages(&loaded, &session.blobs());
    }
}

/// With checksums no byte can be changed without a word: a text that was altered is not believed.
#[test]
fn an_altered_record_with_a_checksum_is_left_out_and_counted() {
    let session = Session::new();
    let mut log = session.sealed(100);
    drop(log.sync());
    drop(log);
    let (bytes, lines) = (session.bytes(), session.lines());
    let starts = starts(&lines);
    let clean = session.load();
    assert_eq!((clean.0.entries.len(), clean.1), (100, Damage::default()));
    let mut dice = Dice(6);
    for _ in 0..if full() { 10_000 } else { 150 } {
        let line = dice.roll(lines.len());
        // Within what the checksum covers; 19 bytes are its own, one is the line's end.
        let at = starts[line] + dice.roll(lines[line].len() - 20);
        let mut broken = bytes.clone();
        broken[at] = broken[at].wrapping_add(1 + dice.roll(255) as u8);
        session.set(&[&broken]);
        let (loaded, damage) = session.load();
        assert!(damage.bad + damage.torn > 0, "byte {at}: {damage:?}");
        let there: HashSet<String> = ids(&loaded).into_iter().collect();
        let hit = id_of(&lines[line]);
        assert!(!there.contains(&hit) || broken[at] == b'\n', "byte {at}");
        assert!(loaded.entries.len() >= 98, "byte {at}");
    }
}

#[test]
fn a_zeroed_block_costs_at_most_what_touched_it() {
    const BLOCK: usize = 4096;
    let session = Session::with(RECORDS);
    let (bytes, lines) = (session.bytes(), session.lines());
    let starts = starts(&lines);
    let blocks = bytes.len().div_ceil(BLOCK);
    for block in (0..blocks).step_by(if full() { 1 } else { 5 }) {
        let range = block * BLOCK..((block + 1) * BLOCK).min(bytes.len());
        let mut broken = bytes.clone();
        broken[range.clone()].fill(0);
        session.set(&[&broken]);
        let (loaded, damage) = session.load();
        let untouched: Vec<String> = lines
            .iter()
            .enumerate()
            .filter(|(n, _)| starts[n + 1] <= range.start || starts[*n] >= range.end)
            .map(|(_, line)| id_of(line))
            .collect();
        assert_eq!(ids(&loaded), untouched, "block {block}");
        assert!(damage.bad + damage.torn > 0, "block {block}: {damage:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if full() { 5000 } else { 60 }))]
    #[test]
    fn any_prefix_of_any_bytes_loads(
        pieces in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>(), "[^\n]{0,60}"), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        thread_local!(static LINES: Vec<Vec<u8>> = Session::with(30).lines());
        let session = Session::with(2);
        let lines = LINES.with(Clone::clone);
        let mut bytes = Vec::new();
        for (line, whole, rubbish) in &pieces {
            let line = &lines[line.index(lines.len())];
            bytes.extend_from_slice(if *whole { line } else { rubbish.as_bytes() });
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        session.set(&[bytes]);
        let (loaded, _) = session.load();
        replay::messages(&loaded, &session.blobs());
        replay::state(&loaded);
        for (index, entry) in loaded.entries.iter().enumerate() {
            prop_assert!(entry.parent.is_none_or(|parent| parent < index));
        }
        session.resume();
        prop_assert_eq!(session.load().0.entries.len(), loaded.entries.len() + 1);
    }
}
