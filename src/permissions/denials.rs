//! Denials of a session, as plain data: when to stop, and what to show again.

use std::collections::VecDeque;

/// Denials in a row after which a mode that does not ask goes back to asking.
pub const MOST_IN_A_ROW: u32 = 3;
/// Denials in all after which it does.
pub const MOST_IN_ALL: u32 = 20;
const KEPT: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    pub tool: String,
    /// The call as it was shown.
    pub what: String,
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Denials {
    pub in_a_row: u32,
    pub in_all: u32,
    /// Newest last.
    pub recent: VecDeque<Denial>,
}

impl Denials {
    pub fn denied(&mut self, denial: Denial) {
        self.in_a_row += 1;
        self.in_all += 1;
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(denial);
    }

    pub fn allowed(&mut self) {
        self.in_a_row = 0;
    }

    /// Whether it is time to ask a person, or to stop where there is none.
    pub fn too_many(&self) -> bool {
        self.in_a_row >= MOST_IN_A_ROW || self.in_all >= MOST_IN_ALL
    }

    /// Counts start again once a person has been asked; the list stays.
    pub fn asked(&mut self) {
        self.in_a_row = 0;
        self.in_all = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(n: usize) -> Denial {
        Denial { tool: "Bash".into(), what: format!("rm {n}"), because: "a rule".into() }
    }

    #[test]
    fn three_in_a_row_or_twenty_in_all() {
        let mut denials = Denials::default();
        denials.denied(denial(1));
        denials.denied(denial(2));
        assert!(!denials.too_many());
        denials.allowed();
        denials.denied(denial(3));
        assert!(!denials.too_many());
        denials.denied(denial(4));
        denials.denied(denial(5));
        assert!(denials.too_many());
        denials.asked();
        assert!(!denials.too_many());
        for n in 0..60 {
            denials.denied(denial(n));
            denials.allowed();
        }
        assert_eq!((denials.too_many(), denials.recent.len()), (true, 50));
        assert_eq!(denials.recent.back(), Some(&denial(59)));
    }
}
