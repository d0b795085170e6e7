//! Denials of a session, as plain data: when to stop, what to show again, what to ask about again.

use std::collections::VecDeque;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::protocol::{CallId, DenialInfo};

/// Denials in a row after which a mode that does not ask goes back to asking.
pub const MOST_IN_A_ROW: u32 = 3;
/// Denials in all after which it does.
pub const MOST_IN_ALL: u32 = 20;
const KEPT: usize = 50;

#[derive(Debug, Clone, Default)]
pub struct Denials {
    pub in_a_row: u32,
    pub in_all: u32,
    /// Newest last, each with the mark of its call.
    recent: VecDeque<(DenialInfo, Mark)>,
    /// Calls that the person wants to be asked about.
    again: Vec<Mark>,
}

/// Stands for a call with all of its input, however long that is.
type Mark = [u8; 32];

impl Denials {
    pub fn denied(&mut self, denial: DenialInfo, input: &Value) {
        self.in_a_row += 1;
        self.in_all += 1;
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        let mark = mark(&denial.tool, input);
        self.recent.push_back((denial, mark));
    }

    pub fn allowed(&mut self) {
        self.in_a_row = 0;
    }

    /// Whether it is time to ask a person, or to stop where there is none; in words.
    pub fn too_many(&self) -> Option<String> {
        if self.in_a_row >= MOST_IN_A_ROW {
            return Some(format!("{} calls in a row were denied", self.in_a_row));
        }
        (self.in_all >= MOST_IN_ALL).then(|| format!("{} calls were denied", self.in_all))
    }

    /// Counts start again once a person has been asked; the list stays.
    pub fn asked(&mut self) {
        self.in_a_row = 0;
        self.in_all = 0;
    }

    /// Newest first.
    pub fn recent(&self) -> impl Iterator<Item = &DenialInfo> {
        self.recent.iter().rev().map(|(denial, _)| denial)
    }

    /// The person is to be asked when this call is made again. `None`: there was none like that.
    pub fn ask_again(&mut self, call: &CallId) -> Option<DenialInfo> {
        let (denial, mark) = self.recent.iter().rev().find(|(denial, _)| denial.call == *call)?;
        if !self.again.contains(mark) {
            self.again.push(*mark);
        }
        Some(denial.clone())
    }

    pub fn is_asked_again(&self, tool: &str, input: &Value) -> bool {
        !self.again.is_empty() && self.again.contains(&mark(tool, input))
    }

    /// It was made again, and the person was asked.
    pub fn was_asked_again(&mut self, tool: &str, input: &Value) {
        if !self.again.is_empty() {
            let made = mark(tool, input);
            self.again.retain(|mark| *mark != made);
        }
    }
}

fn mark(tool: &str, input: &Value) -> Mark {
    Sha256::digest(format!("{tool}\0{input}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn denial(n: usize) -> DenialInfo {
        DenialInfo {
            call: CallId(format!("c{n}")),
            tool: "Bash".into(),
            what: format!("rm {n}"),
            because: "a rule".into(),
            firm: false,
        }
    }

    fn deny(denials: &mut Denials, n: usize) {
        denials.denied(denial(n), &json!({"command": format!("rm {n}")}));
    }

    #[test]
    fn three_in_a_row_or_twenty_in_all() {
        let mut denials = Denials::default();
        deny(&mut denials, 1);
        deny(&mut denials, 2);
        assert_eq!(denials.too_many(), None);
        denials.allowed();
        deny(&mut denials, 3);
        assert_eq!(denials.too_many(), None);
        deny(&mut denials, 4);
        deny(&mut denials, 5);
        assert_eq!(denials.too_many().as_deref(), Some("3 calls in a row were denied"));
        denials.asked();
        assert_eq!(denials.too_many(), None);
        for n in 0..60 {
            deny(&mut denials, n);
            denials.allowed();
        }
        assert_eq!(denials.too_many().as_deref(), Some("60 calls were denied"));
        assert_eq!(denials.recent().count(), 50);
        assert_eq!(denials.recent().next(), Some(&denial(59)));
    }

    #[test]
    fn asked_again_is_this_call_once() {
        let mut denials = Denials::default();
        deny(&mut denials, 1);
        assert_eq!(denials.ask_again(&CallId("c2".into())), None);
        assert_eq!(denials.ask_again(&CallId("c1".into())), Some(denial(1)));
        let (same, other) = (json!({"command": "rm 1"}), json!({"command": "rm 1 2"}));
        assert!(denials.is_asked_again("Bash", &same));
        assert!(!denials.is_asked_again("Bash", &other) && !denials.is_asked_again("Write", &same));
        denials.was_asked_again("Bash", &same);
        assert!(!denials.is_asked_again("Bash", &same));
    }
}
