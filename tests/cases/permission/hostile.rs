//! Commands that must never run unasked: variations on the classes that the case file samples.

mod bypass;
mod git;
mod hunt;
mod places;
mod programs;
mod words;

use tern::protocol::{Mode, Ruling};

use crate::support::gate::{Rules, Stage};

const USUAL: Rules<'_> = Rules {
    allow: &["Bash(echo *)", "Bash(npm test *)", "Bash(npm test)", "Bash(cargo build *)"],
    ask: &[],
    deny: &[],
};

fn none_allowed(stage: &Stage, mode: Mode, rules: &Rules<'_>, commands: &[&str]) {
    let allowed: Vec<&&str> = commands
        .iter()
        .filter(|command| {
            let command = stage.fill(command);
            stage.command(mode, rules, &command).decision == Ruling::Allow
        })
        .collect();
    assert!(allowed.is_empty(), "{} of {} allowed: {allowed:#?}", allowed.len(), commands.len());
}
