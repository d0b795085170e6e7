//! What was wrong with a log that was read all the same.

use std::fmt;
use std::path::PathBuf;

/// Lines named one by one; the rest are only counted.
const NAMED: usize = 20;

/// Everything that was skipped or mended while reading. `Display` is one sentence for a person,
/// empty where nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damage {
    /// Lines that hold no record or only a part of one.
    pub bad: u64,
    /// The numbers of the first bad lines, 1-based.
    pub bad_lines: Vec<u64>,
    /// Records that stand in the file twice.
    pub duplicates: u64,
    /// Records whose parent is not there; they follow the record before them.
    pub orphans: u64,
    /// Records whose parent comes later in the file or is the record itself; mended likewise.
    pub loops: u64,
    /// Records of another session.
    pub foreign: u64,
    /// Records of a newer version or of an unknown type.
    pub unknown: u64,
    /// Places where `seq` jumps, bad lines aside.
    pub jumps: u64,
    /// Bytes of a last record that was not finished.
    pub torn: u64,
    /// Where those bytes were copied before they were cut.
    pub tail: Option<PathBuf>,
}

impl Damage {
    /// Nothing that a person needs to know. Records from a newer version are no damage.
    pub fn is_none(&self) -> bool {
        let Damage {
            bad,
            bad_lines: _,
            duplicates,
            orphans,
            loops,
            foreign,
            unknown: _,
            jumps,
            torn,
            tail: _,
        } = self;
        [bad, duplicates, orphans, loops, foreign, jumps, torn].into_iter().all(|count| *count == 0)
    }

    pub(crate) fn bad_line(&mut self, number: u64) {
        self.bad += 1;
        if self.bad_lines.len() < NAMED {
            self.bad_lines.push(number);
        }
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.bad > 0 {
            let numbers: Vec<String> = self.bad_lines.iter().map(u64::to_string).collect();
            let more = if self.bad > self.bad_lines.len() as u64 { ", ..." } else { "" };
            let which = if self.bad == 1 { "line" } else { "lines" };
            parts.push(format!(
                "{} could not be read and stayed out ({which} {}{more})",
                count(self.bad, "line"),
                numbers.join(", ")
            ));
        }
        if self.torn > 0 {
            let place = self.tail.as_ref().map_or_else(
                || "is left where it is".to_owned(),
                |path| format!("was moved to {}", path.display()),
            );
            parts.push(format!("an unfinished last record of {} bytes {place}", self.torn));
        }
        for (number, what) in [
            (self.duplicates, "record stood there twice"),
            (self.orphans, "record had lost the one before it"),
            (self.loops, "record pointed at a later one"),
            (self.foreign, "record of another session was left out"),
            (self.jumps, "gap in the numbering"),
        ] {
            if number > 0 {
                parts.push(format!("{number} × {what}"));
            }
        }
        parts
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        if parts.is_empty() {
            Ok(())
        } else {
            write!(f, "the session log is damaged: {}", parts.join("; "))
        }
    }
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_in_one_sentence() {
        assert_eq!(Damage { unknown: 3, ..Damage::default() }.to_string(), "");
        let mut damage = Damage { torn: 40, loops: 1, ..Damage::default() };
        (4..26).for_each(|number| damage.bad_line(number));
        assert!(!damage.is_none());
        assert_eq!(
            damage.to_string(),
            "the session log is damaged: 22 lines could not be read and stayed out (lines 4, 5, 6, 7, 8, 9, 10, \
             11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, ...); an unfinished last record of 40 bytes is left \
             where it is; 1 × record pointed at a later one"
        );
    }
}
