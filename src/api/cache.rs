//! Where to tell an Anthropic server that a prompt's prefix is worth caching.
//!
//! The published rules: at most four breakpoints; a breakpoint writes the prefix that ends there,
//! and finds one that was written up to 20 blocks before. So the ends of the last two user turns
//! are marked (the second was the last one in the request before, and hits), and one more block
//! where they are far apart. The fourth stands at the end of tools and system, which other sessions
//! share.

use serde_json::{Value, json};

use crate::config::CacheTtl;
use crate::protocol::Role;

/// The mark of a breakpoint.
pub fn mark(ttl: CacheTtl) -> Value {
    match ttl {
        CacheTtl::FiveMinutes => json!({"type": "ephemeral"}),
        CacheTtl::OneHour => json!({"type": "ephemeral", "ttl": "1h"}),
    }
}

/// Blocks between two breakpoints, under the server's 20 so that a block more does no harm.
const REACH: usize = 15;

/// One block of the messages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub role: Role,
    /// Thinking cannot carry a breakpoint.
    pub markable: bool,
}

/// Indices of the blocks to mark, at most three, ascending.
pub fn breakpoints(blocks: &[Block]) -> Vec<usize> {
    let ends = user_ends(blocks);
    let Some(&last) = ends.last() else { return Vec::new() };
    let before = ends.len().checked_sub(2).map(|at| ends[at]);
    let mut marks: Vec<usize> =
        [anchor(blocks, &ends, before, last), before, Some(last)].into_iter().flatten().collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// The last markable block of each user turn.
fn user_ends(blocks: &[Block]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut end = None;
    for (at, block) in blocks.iter().enumerate() {
        match block.role {
            Role::User if block.markable => end = Some(at),
            Role::User => {}
            Role::Assistant => ends.extend(end.take()),
        }
    }
    ends.extend(end);
    ends
}

/// The mark that keeps neighbours within reach: between the last two ends where these are far
/// apart (one turn with eleven parallel calls makes 23 blocks), else at an older end.
fn anchor(blocks: &[Block], ends: &[usize], before: Option<usize>, last: usize) -> Option<usize> {
    let markable = |at: &usize| blocks[*at].markable;
    let next = before.map_or(0, |before| before + 1);
    if last >= next + REACH {
        let far = next + REACH - 1;
        return (next..=far).rev().find(markable).or_else(|| (far + 1..last).find(markable));
    }
    let before = before?;
    if before < REACH {
        return None;
    }
    // An end within reach was written by an earlier request, and may still hit after a rewind.
    ends.iter()
        .copied()
        .find(|&end| end < before && before - end <= REACH)
        .or_else(|| (before - REACH..before).find(markable))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `u` and `a` are blocks of user and assistant, `t` is the assistant's thinking.
    fn blocks(text: &str) -> Vec<Block> {
        text.chars()
            .map(|c| Block {
                role: if c == 'u' { Role::User } else { Role::Assistant },
                markable: c != 't',
            })
            .collect()
    }

    #[test]
    fn marks_stand_at_the_ends_of_user_turns_and_within_reach() {
        for (text, marks) in [
            ("", vec![]),
            ("a", vec![]),
            ("u", vec![0]),
            ("uu", vec![1]),
            ("uau", vec![0, 2]),
            ("uaua", vec![0, 2]),
            ("utaauu", vec![0, 5]),
            // Eleven parallel calls: 11 calls and 11 results after a text.
            ("uaaaaaaaaaaaauuuuuuuuuuu", vec![0, 15, 23]),
            // A long history of one call a turn: the anchor is the oldest end within reach.
            ("uauauauauauauauauauauauau", vec![8, 22, 24]),
            // The block that would be the anchor is thinking.
            ("uaaaaaaaaaaaaattuuuuuuuuuu", vec![0, 13, 25]),
            // A first prompt of many blocks.
            ("uuuuuuuuuuuuuuuuuuuu", vec![14, 19]),
        ] {
            assert_eq!(breakpoints(&blocks(text)), marks, "{text}");
        }
    }

    proptest! {
        #[test]
        fn marks_are_few_markable_and_near_each_other(text in "u{1,3}([ta]{0,2}a{1,8}u{1,8}){0,12}") {
            let blocks = blocks(&text);
            let marks = breakpoints(&blocks);
            prop_assert!(marks.len() <= 3);
            prop_assert!(marks.iter().all(|&at| blocks[at].markable));
            prop_assert!(marks.is_sorted());
            for pair in marks.windows(2) {
                prop_assert!(pair[1] - pair[0] <= REACH, "{marks:?}");
            }
        }
    }
}
