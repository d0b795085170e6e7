//! Long runs of calls that only look: from the third on they share one line, which opens to a line
//! for each.
//!
//! A call joins when it comes, not when it ends: a line that is on the screen never moves because
//! others fold.

use crate::app::calls::Call;
use crate::app::transcript::{Body, Entry, Transcript};

/// Calls of a run that keep a line of their own.
const OWN: usize = 2;
/// Calls that one line stands for at most: what is hidden is walked over by drawing.
const MOST: usize = 40;

/// How an entry stands to its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Group {
    #[default]
    Alone,
    /// Its line stands for itself and for `members` entries after it, unless `open`.
    Lead {
        members: usize,
        open: bool,
    },
    Member {
        lead: usize,
    },
}

impl Group {
    /// So many entries have come before all.
    pub(super) fn moved(&mut self, more: usize) {
        match self {
            Group::Member { lead } => *lead += more,
            Group::Alone | Group::Lead { .. } => {}
        }
    }
}

impl Transcript {
    /// The calls that the entry's line stands for; empty where it stands for itself.
    pub fn folded(&self, index: usize) -> &[Entry] {
        match self.entries.get(index).map(|entry| entry.group) {
            Some(Group::Lead { members, open: false }) => {
                self.entries.get(index..=index + members).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The entry that shows this one: another where it is folded away.
    pub fn shown_by(&self, index: usize) -> usize {
        match self.entries.get(index).map(|entry| entry.group) {
            Some(Group::Member { lead }) if !self.folded(lead).is_empty() => lead,
            _ => index,
        }
    }

    pub fn is_hidden(&self, index: usize) -> bool {
        self.shown_by(index) != index
    }

    /// `None`: there is nothing to open.
    pub fn is_open(&self, index: usize) -> Option<bool> {
        match self.entries.get(index)? {
            Entry { group: Group::Lead { open: false, .. }, .. } => Some(false),
            entry => entry.body.is_open(),
        }
    }

    /// To be called for the entry that has just been added.
    pub(super) fn join(&mut self) {
        let Some(index) = self.entries.len().checked_sub(1).filter(|index| *index >= OWN) else {
            return;
        };
        if !looks(&self.entries[index].body) {
            return;
        }
        let before = index - 1;
        let lead = match self.entries[before].group {
            Group::Member { lead } => lead,
            Group::Lead { .. } => before,
            Group::Alone => {
                let run = self.entries[..index].iter().rev().take(OWN + 1);
                let run = run.take_while(|e| e.group == Group::Alone && looks(&e.body)).count();
                if run <= OWN {
                    return;
                }
                let open = self.entries[before].body.is_open() == Some(true);
                self.entries[before].group = Group::Lead { members: 0, open };
                before
            }
        };
        let Group::Lead { members, .. } = &mut self.entries[lead].group else { return };
        if *members + 1 < MOST {
            *members += 1;
            self.entries[lead].revision += 1;
            self.entries[index].group = Group::Member { lead };
        }
    }

    /// Shows a line for each call of the entry's group, or one line for all.
    pub(super) fn set_group_open(&mut self, index: usize, to: bool) {
        let lead = match self.entries.get(index).map(|entry| entry.group) {
            Some(Group::Member { lead }) => lead,
            Some(Group::Lead { .. }) => index,
            Some(Group::Alone) | None => return,
        };
        let Group::Lead { members, open } = &mut self.entries[lead].group else { return };
        if *open != to {
            *open = to;
            let end = (lead + *members + 1).min(self.entries.len());
            self.entries[lead..end].iter_mut().for_each(|entry| entry.revision += 1);
        }
    }

    /// A change of a member changes the line that stands for it.
    pub(super) fn touch_group(&mut self, index: usize) {
        let lead = self.shown_by(index);
        if lead != index {
            self.entries[lead].revision += 1;
        }
    }
}

/// Whether it is a call that only looks at something.
fn looks(body: &Body) -> bool {
    matches!(body, Body::Call(call) if matches!(call.tool.as_str(), "Read" | "Grep" | "Glob" | "LS"))
}

impl Entry {
    pub fn call(&self) -> Option<&Call> {
        match &self.body {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::calls::CallState;
    use crate::protocol::{CallId, Level, Title};

    fn looking(transcript: &mut Transcript, n: usize) {
        let title = Title::new("Reading", "Read", n.to_string());
        let id = CallId(n.to_string());
        let call = Call::new(id, "Read", &title, CallState::Queued);
        transcript.push(Body::Call(Box::new(call)));
    }

    fn hidden(transcript: &Transcript) -> Vec<usize> {
        (0..transcript.entries().len()).filter(|index| transcript.is_hidden(*index)).collect()
    }

    #[test]
    fn a_long_run_shares_a_line_from_the_third_on_and_opens() {
        let mut transcript = Transcript::default();
        (0..5).for_each(|n| looking(&mut transcript, n));
        let text = "between".to_owned();
        transcript.push(Body::Notice { level: Level::Info, text, hints: Vec::new() });
        (6..9).for_each(|n| looking(&mut transcript, n));
        assert_eq!(hidden(&transcript), [3, 4]);
        assert_eq!((transcript.folded(2).len(), transcript.folded(3).len()), (3, 0));
        let before = transcript.entries()[2].revision;
        transcript.change_call(&CallId("4".to_owned()), |call| call.state = CallState::Running);
        assert!(transcript.entries()[2].revision > before, "the line tells of its members");

        transcript.toggle(2);
        assert_eq!(hidden(&transcript), [0; 0], "a line for each");
        transcript.toggle(2);
        assert_eq!(transcript.entries()[2].body.is_open(), Some(true), "then its own details");
        transcript.toggle(2);
        assert_eq!(hidden(&transcript), [3, 4]);

        transcript.set_open(4, true);
        assert_eq!(hidden(&transcript), [0; 0], "what is looked for is shown");
        transcript.toggle_all();
        transcript.toggle_all();
        assert_eq!(hidden(&transcript), [3, 4]);
    }
}
