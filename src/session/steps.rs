//! Which changes can be taken back, and which steps back can be taken back in turn: read from the
//! records of a log, in the order of the file.

use std::collections::HashMap;

use crate::protocol::{CallId, MessageId, Step};
use crate::session::checkpoint::{Checkpoint, Kept, When};
use crate::session::read::Loaded;
use crate::session::record::{Body, RecordId, Rewind, RewindScope, StepPart};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps {
    /// Turns whose changes stand, oldest first.
    pub done: Vec<Turn>,
    /// Steps back that nothing has come after, the newest last.
    pub undone: Vec<Back>,
    /// Every step that was taken.
    pub taken: Vec<Taken>,
}

/// A turn that changed files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The message that began it: files go back to how they were then.
    pub message: MessageId,
    /// Its calls, each with a file.
    pub changes: Vec<(CallId, String)>,
}

/// A step back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    pub scope: RewindScope,
    /// The checkpoint of the files that it replaced; `None` where it was over the conversation
    /// alone.
    pub at: Option<RecordId>,
    /// What its record says it came from: a redo goes there.
    pub from: RecordId,
    pub turns: Vec<Turn>,
    /// Calls of turns that stand whose changes of the file went back with it.
    pub calls: Vec<CallId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub record: RecordId,
    pub step: Step,
    pub scope: RewindScope,
    /// Absolute paths.
    pub files: Vec<String>,
    pub calls: Vec<CallId>,
    pub part: Option<StepPart>,
}

/// The calls of these turns that changed one of `files`.
pub fn calls(turns: &[Turn], files: &[String]) -> Vec<CallId> {
    let changes = turns.iter().flat_map(|turn| &turn.changes);
    changes.filter(|(_, file)| files.contains(file)).map(|(call, _)| call.clone()).collect()
}

pub fn read(loaded: &Loaded) -> Steps {
    let mut steps = Steps::default();
    let mut seen = Seen::default();
    for (at, entry) in loaded.entries.iter().enumerate() {
        match entry.state.as_deref() {
            Some(Body::Checkpoint(checkpoint)) => {
                steps.checkpoint(&entry.id, checkpoint, &mut seen);
            }
            Some(Body::Rewind(rewind)) => {
                steps.rewind(&entry.id, rewind, loaded.index_of(&rewind.to), &mut seen);
            }
            // What is said after a step over the conversation begins a branch of its own.
            _ if entry.kind == "user" => {
                steps.undone.retain(|back| !back.scope.conversation());
                seen.messages.insert(entry.id.clone(), at);
            }
            _ => {}
        }
    }
    steps
}

/// What the last records said, for those that follow.
#[derive(Default)]
struct Seen<'a> {
    /// A call's files before it.
    before: &'a [Kept],
    /// The checkpoint of a step, and the files that it wrote.
    at: Option<RecordId>,
    wrote: Vec<String>,
    /// Where the person's messages stand in the file.
    messages: HashMap<RecordId, usize>,
}

impl Steps {
    fn checkpoint<'a>(&mut self, id: &RecordId, checkpoint: &'a Checkpoint, seen: &mut Seen<'a>) {
        let Checkpoint { when, call, turn, files } = checkpoint;
        match (when, call) {
            (When::Before, Some(call)) => {
                seen.before = files;
                let Some(message) = turn else { return };
                // It stands from here on: the program may have ended before it said more.
                let changes = files.iter().map(|kept| (call.clone(), kept.path.clone()));
                match self.done.last_mut().filter(|last| last.message == *message) {
                    Some(last) => last.changes.extend(changes),
                    None => {
                        let changes = changes.collect();
                        self.done.push(Turn { message: message.clone(), changes });
                    }
                }
            }
            // A call that failed has changed nothing, and what was undone can still be redone.
            (When::After, Some(_)) if seen.before == *files => {}
            (When::After, Some(_)) => self.undone.clear(),
            (When::Before, None) => {
                seen.at = Some(id.clone());
                seen.wrote.clear();
            }
            (When::After, None) => {
                seen.wrote = files.iter().map(|kept| kept.path.clone()).collect();
            }
        }
    }

    /// `to`: where the record that the step goes to stands in the file.
    fn rewind(
        &mut self,
        record: &RecordId,
        rewind: &Rewind,
        to: Option<usize>,
        seen: &mut Seen<'_>,
    ) {
        let (scope, files) = (rewind.scope, std::mem::take(&mut seen.wrote));
        let at = seen.at.take().filter(|_| scope.files());
        let (step, calls) = if let Some(back) = self.undone.pop_if(|back| back.from == rewind.to) {
            let mut calls = calls(&back.turns, &files);
            calls.extend(back.calls);
            self.done.extend(back.turns);
            (Step::Redo, calls)
        } else if let Some(part) = rewind.part {
            let calls = match part {
                StepPart::File => calls(&self.done, &files),
                StepPart::Hunk => Vec::new(),
            };
            let (from, turns) = (rewind.from.clone(), Vec::new());
            self.undone.push(Back { scope, at, from, turns, calls: calls.clone() });
            (Step::Undo, calls)
        } else {
            let turns = if at.is_some() { self.after(rewind, to, seen) } else { Vec::new() };
            // A step over files alone that concerns no turn says nothing that can be used.
            if turns.is_empty() && !scope.conversation() {
                return;
            }
            let calls = calls(&turns, &files);
            let from = rewind.from.clone();
            self.undone.push(Back { scope, at, from, turns, calls: Vec::new() });
            (Step::Undo, calls)
        };
        let (record, part) = (record.clone(), rewind.part);
        self.taken.push(Taken { record, step, scope, files, calls, part });
    }

    /// Takes the turns whose changes the step takes back: those that were begun by the record it
    /// goes to, or by a later one.
    fn after(&mut self, rewind: &Rewind, to: Option<usize>, seen: &Seen<'_>) -> Vec<Turn> {
        let first = self.done.iter().position(|turn| {
            let begun = seen.messages.get(&turn.message).copied();
            turn.message == rewind.to || begun.zip(to).is_some_and(|(begun, to)| begun >= to)
        });
        first.map(|first| self.done.split_off(first)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::checkpoint::FileState;
    use crate::session::read;
    use crate::session::record::tests::record;
    use crate::session::record::{RewindScope, encode};

    fn id(name: &str) -> MessageId {
        MessageId(name.to_owned())
    }

    fn point(when: When, turn: Option<&str>, states: &[(&str, &str)]) -> Body {
        let kept = |(path, blob): &(&str, &str)| Kept {
            path: (*path).to_owned(),
            state: FileState::File { blob: (*blob).to_owned(), bytes: 1, mode: None },
        };
        Body::Checkpoint(Checkpoint {
            when,
            call: turn.map(|turn| CallId(format!("call of {turn}"))),
            turn: turn.map(id),
            files: states.iter().map(kept).collect(),
        })
    }

    fn change(turn: &str, file: &str, new: &str) -> Vec<Body> {
        vec![
            point(When::Before, Some(turn), &[(file, "old")]),
            point(When::After, Some(turn), &[(file, new)]),
        ]
    }

    fn step(to: &str, from: &str, file: &str) -> Vec<Body> {
        let rewind = Rewind { to: id(to), from: id(from), scope: RewindScope::Files, part: None };
        vec![
            point(When::Before, None, &[(file, "new")]),
            point(When::After, None, &[(file, "old")]),
            Body::Rewind(rewind),
        ]
    }

    type Wanted<'a> = (&'a [&'a str], &'a [&'a [&'a str]], &'a [(Step, &'a [&'a str])]);

    /// Turns that stand, turns that can be redone, and steps taken with the calls they concern.
    fn check(bodies: &[Vec<Body>], wanted: Wanted<'_>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let records = bodies.concat().into_iter().enumerate();
        let lines: Vec<Vec<u8>> =
            records.map(|(seq, body)| encode(&record(seq as u64, None, body)).unwrap()).collect();
        std::fs::write(&path, lines.concat()).unwrap();
        let steps = super::read(&read::load(&path).unwrap().0);
        let names = |turns: &[Turn]| -> Vec<String> {
            turns.iter().map(|turn| turn.message.0.clone()).collect()
        };
        assert_eq!(names(&steps.done), wanted.0);
        let undone: Vec<Vec<String>> = steps.undone.iter().map(|b| names(&b.turns)).collect();
        assert_eq!(undone, wanted.1);
        let taken: Vec<(Step, Vec<&str>)> = steps
            .taken
            .iter()
            .map(|taken| (taken.step, taken.calls.iter().map(|call| call.0.as_str()).collect()))
            .collect();
        let taken: Vec<(Step, &[&str])> = taken.iter().map(|(step, c)| (*step, &c[..])).collect();
        assert_eq!(taken, wanted.2);
    }

    #[test]
    fn steps_go_back_and_forth_like_an_editor() {
        let (one, two, three) =
            (change("m1", "/a", "new"), change("m2", "/a", "new"), change("m3", "/a", "new"));
        let (back2, back1) = (step("m2", "h2", "/a"), step("m1", "h1", "/a"));
        let (forth1, forth2) = (step("h1", "x", "/a"), step("h2", "y", "/a"));
        let (u, r) = (Step::Undo, Step::Redo);
        let (c1, c2): (&[&str], &[&str]) = (&["call of m1"], &["call of m2"]);
        check(&[], (&[], &[], &[]));
        check(&[one.clone(), two.clone()], (&["m1", "m2"], &[], &[]));
        let mut log = vec![one, two, back2];
        check(&log, (&["m1"], &[&["m2"]], &[(u, c2)]));
        log.push(back1);
        check(&log, (&[], &[&["m2"], &["m1"]], &[(u, c2), (u, c1)]));
        log.push(forth1);
        check(&log, (&["m1"], &[&["m2"]], &[(u, c2), (u, c1), (r, c1)]));
        let forked = [log.clone(), vec![three]].concat();
        check(&forked, (&["m1", "m3"], &[], &[(u, c2), (u, c1), (r, c1)]));
        log.push(forth2);
        check(&log, (&["m1", "m2"], &[], &[(u, c2), (u, c1), (r, c1), (r, c2)]));
    }

    #[test]
    fn one_file_goes_back_while_its_turn_stands() {
        let part = |to: &str, part| {
            let mut bodies = step(to, to, "/a");
            if let Some(Body::Rewind(rewind)) = bodies.last_mut() {
                rewind.part = Some(part);
            }
            bodies
        };
        let turn = [change("m1", "/a", "new"), change("m1", "/b", "new")].concat();
        let call: &[&str] = &["call of m1"];
        let file = [turn.clone(), part("h", StepPart::File)];
        check(&file, (&["m1"], &[&[]], &[(Step::Undo, call)]));
        let back = [file.to_vec(), vec![step("h", "x", "/a")]].concat();
        check(&back, (&["m1"], &[], &[(Step::Undo, call), (Step::Redo, call)]));
        check(&[turn, part("h", StepPart::Hunk)], (&["m1"], &[&[]], &[(Step::Undo, &[])]));
    }

    #[test]
    fn a_call_that_changed_nothing_does_not_forbid_a_redo() {
        let log = [change("m1", "/a", "new"), step("m1", "h", "/a"), change("m2", "/a", "old")];
        check(&log, (&["m2"], &[&["m1"]], &[(Step::Undo, &["call of m1"])]));
    }

    #[test]
    fn only_files_that_were_put_back_have_their_calls_undone() {
        let log = [change("m1", "/a", "new"), change("m1", "/b", "new"), step("m1", "h", "/c")];
        check(&log, (&[], &[&["m1"]], &[(Step::Undo, &[])]));
    }
}
