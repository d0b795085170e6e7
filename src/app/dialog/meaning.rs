//! What the rules in the dialog's form would mean, as they stand now: whether one can be kept at
//! all, whether they cover what is asked about, and what they would have covered before.
//!
//! Worked out when the text changes, never when it is drawn.

use std::path::PathBuf;

use crate::app::model::Model;
use crate::app::transcript::{Body, Entry};
use crate::permissions::rule::{Folders, Rule, RuleSet, RuleTexts};
use crate::protocol::{Preview, Request, Ruling, Source, Sourced};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meaning {
    /// Why one of the rules cannot be kept.
    pub problem: Option<String>,
    /// Parts of what is asked about that would be asked about again.
    pub left: Vec<String>,
    /// Earlier commands of the session that they would have let through, newest first.
    pub covered: Vec<String>,
}

/// Commands that are compared, newest first, and entries that are looked through for them.
const COMMANDS: usize = 200;
const ENTRIES: usize = 5_000;

/// Works the meaning of the form out anew, where one is open.
pub fn weigh(model: &mut Model) {
    let earlier = earlier(model.transcript.entries());
    let cwd = PathBuf::from(&model.session.cwd);
    let Some(dialog) = model.dialogs.front_mut() else { return };
    let Some(form) = dialog.stage.form_mut() else { return };
    let used = form.rules.iter().filter(|(used, _)| *used);
    let texts: Vec<String> = used.map(|(_, field)| field.text().trim().to_owned()).collect();
    form.meaning = of(&texts, &dialog.request, &earlier, &cwd);
}

/// The same for one rule that nothing is asked about.
pub fn alone(model: &Model, ruling: Ruling, text: &str) -> Meaning {
    let one = vec![Sourced::new(text.to_owned(), Source::Session)];
    let texts = match ruling {
        Ruling::Allow => RuleTexts { allow: one, ..RuleTexts::default() },
        Ruling::Ask => RuleTexts { ask: one, ..RuleTexts::default() },
        Ruling::Deny => RuleTexts { deny: one, ..RuleTexts::default() },
    };
    let (set, problem) = read(&texts, std::path::Path::new(&model.session.cwd));
    let covers = |command: &String| set.allow.iter().any(|rule| rule.covers_command(command));
    let covered = match ruling {
        Ruling::Allow => earlier(model.transcript.entries()).into_iter().filter(covers).collect(),
        Ruling::Ask | Ruling::Deny => Vec::new(),
    };
    Meaning { problem, left: Vec::new(), covered }
}

/// The rules, and the first thing that is wrong with one.
fn read(texts: &RuleTexts, cwd: &std::path::Path) -> (RuleSet, Option<String>) {
    let folders = Folders { cwd: cwd.to_owned(), root: cwd.to_owned(), ..Folders::default() };
    let (set, problems) = RuleSet::new(texts, &folders, true);
    let problem = problems.first().map(|problem| match &problem.hint {
        Some(hint) => format!("{}: {}; {hint}", problem.rule.value, problem.message),
        None => format!("{}: {}", problem.rule.value, problem.message),
    });
    (set, problem)
}

fn of(texts: &[String], request: &Request, earlier: &[String], cwd: &std::path::Path) -> Meaning {
    let allow: Vec<Sourced<String>> =
        texts.iter().map(|text| Sourced::new(text.clone(), Source::Session)).collect();
    let (set, problem) = read(&RuleTexts { allow, ..RuleTexts::default() }, cwd);
    let covers = |command: &str| set.allow.iter().any(|rule: &Rule| rule.covers_command(command));
    let Preview::Command { command, .. } = &request.preview else {
        return Meaning { problem, ..Meaning::default() };
    };
    let asked = request.parts.iter().filter(|part| part.decision == Ruling::Ask);
    let left = match request.parts.is_empty() {
        true => (!covers(command)).then(|| command.clone()).into_iter().collect(),
        false => asked.map(|part| part.text.clone()).filter(|text| !covers(text)).collect(),
    };
    let covered = earlier.iter().filter(|command| covers(command)).cloned().collect();
    Meaning { problem, left, covered }
}

/// The commands of the session, newest first, each once.
fn earlier(entries: &[Entry]) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for entry in entries.iter().rev().take(ENTRIES) {
        let Body::Call(call) = &entry.body else { continue };
        if call.tool != "Bash" || matches!(call.state, crate::app::calls::CallState::Asked) {
            continue;
        }
        let command = call.input.iter().find(|(name, _)| name == "command");
        if let Some((_, command)) = command
            && !commands.contains(command)
        {
            commands.push(command.clone());
            if commands.len() == COMMANDS {
                break;
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CallId, PartVerdict, RequestId};

    fn meaning(rules: &[&str]) -> Meaning {
        let part = |text: &str, decision| PartVerdict {
            text: text.to_owned(),
            decision,
            because: String::new(),
            rule: None,
        };
        let request = Request {
            id: RequestId(1),
            call: CallId::default(),
            tool: "Bash".to_owned(),
            preview: Preview::Command {
                command: "ls && npm test && git push origin x".to_owned(),
                cwd: "/p".to_owned(),
            },
            parts: vec![
                part("ls", Ruling::Allow),
                part("npm test", Ruling::Ask),
                part("git push origin x", Ruling::Ask),
            ],
            because: String::new(),
            rule: None,
            suggestions: Vec::new(),
            reason: None,
            sandbox: None,
            offers_network: false,
        };
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let earlier = ["npm test -- a", "npm run x", "git push && npm test", "npm test; rm x"]
            .map(str::to_owned);
        of(&rules, &request, &earlier, std::path::Path::new("/p"))
    }

    #[test]
    fn rules_are_weighed_as_they_stand() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let both = meaning(&["Bash(npm test *)", "Bash(git push *)"]);
        assert_eq!((both.problem, both.left), (None, Vec::new()));
        assert_eq!(both.covered, words(&["npm test -- a"]));
        let one = meaning(&["Bash(npm *)"]);
        assert_eq!(one.left, words(&["git push origin x"]));
        assert_eq!(one.covered, words(&["npm test -- a", "npm run x"]));
        for wrong in ["Bash(npm test", "Write(src/**)", "Basch(npm *)", "*"] {
            assert!(meaning(&[wrong]).problem.is_some(), "{wrong}");
        }
    }
}
