//! Hooks: commands of the person's that run when something happens, with Claude Code's JSON on
//! their standard input and output, so that hooks written for it work here.
//!
//! `matching` finds those that an event is for, [`run`] runs them all at once, [`answer`] reads
//! what each said, and [`Answers`] is what all said together. The agent decides when; the permission
//! layer has the last word: what a hook allows is still refused or asked about where a rule says so.
//!
//! *Invariant:* a hook that does not start, fails, hangs or prints nonsense counts as if it were
//! not there, and the person is told; only a clear *no* stops anything.

pub mod answer;
mod matching;
pub mod run;

use serde_json::Value;

use crate::config::Hook;
use crate::protocol::{HookEvent, Source, Sourced};

pub use answer::{Answer, Say};
pub use run::{Place, fire};

/// The hooks of a session.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    list: Vec<Sourced<Hook>>,
}

/// Something that has happened, or is about to.
#[derive(Debug, Clone)]
pub struct Occasion<'a> {
    pub event: HookEvent,
    /// What a matcher is compared with: the tool, the kind of start.
    pub about: &'a str,
    /// The whole input.
    pub input: Value,
}

/// What all hooks of an occasion said together: the strictest counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    pub say: Option<Say>,
    /// Stops what was about to happen; why.
    pub block: Option<String>,
    /// The input that a call shall have instead.
    pub input: Option<Value>,
    /// For the model.
    pub context: Vec<String>,
    /// The turn shall end; why.
    pub stop: Option<String>,
}

impl Hooks {
    pub fn new(list: Vec<Sourced<Hook>>) -> Hooks {
        Hooks { list }
    }

    pub fn list(&self) -> &[Sourced<Hook>] {
        &self.list
    }

    /// Those that an event is for, each command once. `counts`: whether those of a source may run.
    pub fn of(&self, event: HookEvent, about: &str, counts: impl Fn(Source) -> bool) -> Vec<&Hook> {
        let mut found: Vec<&Hook> = Vec::new();
        for Sourced { value: hook, source, .. } in &self.list {
            if hook.event == event
                && counts(*source)
                && matching::fits(&hook.matcher, about)
                && !found.iter().any(|other| other.command == hook.command)
            {
                found.push(hook);
            }
        }
        found
    }
}

impl Answers {
    pub fn add(&mut self, answer: Answer) {
        self.say = match (self.say.take(), answer.say) {
            (None, say) | (say, None) => say,
            (Some(one), Some(other)) => Some(if other.rank() > one.rank() { other } else { one }),
        };
        self.block = self.block.take().or(answer.block);
        self.input = self.input.take().or(answer.input);
        self.context.extend(answer.context);
        self.stop = self.stop.take().or(answer.stop);
    }

    /// Everything for the model, as one text.
    pub fn for_model(&self) -> Option<String> {
        (!self.context.is_empty()).then(|| self.context.join("\n"))
    }
}

/// The variable in which a hook finds the project.
pub const PROJECT_DIR: &str = "CLAUDE_PROJECT_DIR";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hook(event: HookEvent, matcher: &str, command: &str, source: Source) -> Sourced<Hook> {
        let hook = Hook {
            event,
            matcher: matcher.into(),
            command: command.into(),
            timeout: Duration::from_secs(1),
            detached: false,
        };
        Sourced::new(hook, source)
    }

    #[test]
    fn each_command_once_and_nothing_of_a_folder_that_is_not_trusted() {
        use HookEvent::{PreToolUse, Stop};
        let hooks = Hooks::new(vec![
            hook(PreToolUse, "Bash", "a", Source::User),
            hook(PreToolUse, "", "a", Source::User),
            hook(PreToolUse, "Edit|Write", "b", Source::User),
            hook(PreToolUse, "Bash", "c", Source::Project),
            hook(Stop, "", "d", Source::Local),
        ]);
        let names = |event, about, trusted| {
            let found = hooks.of(event, about, |source| trusted || !source.is_project());
            found.iter().map(|hook| hook.command.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(PreToolUse, "Bash", true), ["a", "c"]);
        assert_eq!(names(PreToolUse, "Write", true), ["a", "b"]);
        assert_eq!(names(Stop, "", true), ["d"]);
        assert_eq!(names(PreToolUse, "Bash", false), ["a"]);
        assert_eq!(names(Stop, "", false), Vec::<String>::new());
    }

    #[test]
    fn the_strictest_of_several_counts() {
        let mut all = Answers::default();
        for say in [Say::Allow, Say::Deny("no".into()), Say::Ask("hm".into())] {
            all.add(Answer { say: Some(say), ..Answer::default() });
        }
        assert_eq!(all.say, Some(Say::Deny("no".into())));
    }
}
