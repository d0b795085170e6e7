//! Rules that the person gives, changes and takes back while a session runs, in the session and in
//! the files.

use std::path::{Path, PathBuf};

use super::{Standing, list_mut};
use crate::agent::shared::lock;
use crate::config::{ConfigError, write};
use crate::permissions::RuleSet;
use crate::protocol::{Ruling, Scope, Source, Sourced, rule_book};
use crate::trust;

impl Standing {
    /// Adds rules that the person gave; beyond the session, to the file that the scope names.
    pub async fn learn(
        &self,
        ruling: Ruling,
        rules: &[String],
        scope: Scope,
    ) -> Result<(), String> {
        let file = match scope {
            Scope::Session => None,
            Scope::Project => Some(self.project_file.clone()),
            Scope::User => Some(self.user_file.clone()),
        };
        self.add(ruling, rules, file.as_deref())?;
        let Some(file) = file else { return Ok(()) };
        let rules = rules.to_vec();
        self.write(ruling, file, move |file, name| {
            rules.iter().try_for_each(|rule| write::append(file, name, rule).map(drop))
        })
        .await
    }

    /// Puts `new` in the place of a rule, or takes it out, in the file where it stands and in this
    /// session.
    pub async fn amend(
        &self,
        ruling: Ruling,
        old: &Sourced<String>,
        new: Option<String>,
    ) -> Result<(), String> {
        if let Some(why) = rule_book::fixed(old) {
            return Err(format!("{}: {why}", old.value));
        }
        if let Some(new) = &new {
            self.check(ruling, new)?;
        }
        let here = self.forget(ruling, old);
        let Some(file) = old.file.clone() else {
            return match (here, new) {
                (false, _) => Err(format!("{} is there no more", old.value)),
                (true, Some(new)) => self.add(ruling, &[new], None),
                (true, None) => Ok(()),
            };
        };
        let value = old.value.clone();
        self.write(ruling, file, move |file, name| {
            write::change(file, name, &value, new.as_deref())
        })
        .await
    }

    /// Changes a list of rules in a file, off the thread that answers the screen.
    async fn write(
        &self,
        ruling: Ruling,
        file: PathBuf,
        change: impl FnOnce(&Path, &str) -> Result<(), ConfigError> + Send + 'static,
    ) -> Result<(), String> {
        let (trust_file, root) = (self.trust_file.clone(), lock(&self.state).folders.root.clone());
        let of_project = file.starts_with(&root) && file != self.user_file;
        let saved = tokio::task::spawn_blocking(move || {
            let name = match ruling {
                Ruling::Allow => "permissions.allow",
                Ruling::Ask => "permissions.ask",
                Ruling::Deny => "permissions.deny",
            };
            let save = || change(&file, name).map_err(|error| error.to_string());
            match of_project {
                true => keep_trust(&trust_file, &root, ruling, save),
                false => save(),
            }
        });
        saved.await.unwrap_or_else(|_| Err("writing the file failed".to_owned()))
    }

    /// The person's own word holds in this session wherever it is kept and whether or not the
    /// folder is trusted.
    fn add(&self, ruling: Ruling, rules: &[String], file: Option<&Path>) -> Result<(), String> {
        for rule in rules {
            self.check(ruling, rule)?;
        }
        let mut state = lock(&self.state);
        let given = rules.iter().map(|rule| Sourced {
            file: file.map(Path::to_owned),
            ..Sourced::new(rule.clone(), Source::Session)
        });
        list_mut(&mut state.texts, ruling).extend(given);
        state.read_again();
        Ok(())
    }

    /// Whether a person may give this rule, and it would do something.
    fn check(&self, ruling: Ruling, rule: &str) -> Result<(), String> {
        let state = lock(&self.state);
        state.managed.own_rules()?;
        let mut texts = state.texts.clone();
        list_mut(&mut texts, ruling).push(Sourced::new(rule.to_owned(), Source::Session));
        let (_, problems) = RuleSet::new(&texts, &state.folders, state.policy.trusted);
        match problems.iter().find(|problem| problem.rule.value == rule) {
            Some(problem) => Err(problem.to_string()),
            None => Ok(()),
        }
    }

    /// Drops a rule that was given in this session. False: there is none like it.
    fn forget(&self, ruling: Ruling, rule: &Sourced<String>) -> bool {
        let mut state = lock(&self.state);
        let list = list_mut(&mut state.texts, ruling);
        let before = list.len();
        list.retain(|given| {
            given.source != Source::Session || given.value != rule.value || given.file != rule.file
        });
        let gone = list.len() < before;
        state.read_again();
        gone
    }
}

/// Saves a rule of the person's own in a file of the project. What the person has just said needs no
/// trust, so a folder that held nothing else, or was trusted as it was, is trusted with the rule
/// in it. Anything that still waits for trust goes on waiting, and a rule that allows with it.
fn keep_trust(
    trust_file: &Path,
    root: &Path,
    ruling: Ruling,
    save: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let root = trust::root_of(root);
    let mut store = trust::Store::load(trust_file).map_err(|error| error.to_string())?;
    let before = trust::state(&trust::examine(&root), &store);
    save()?;
    match before {
        trust::State::Nothing | trust::State::Trusted => {
            store.trust(&trust::examine(&root));
            store.save(trust_file).map_err(|error| error.to_string())
        }
        trust::State::Changed | trust::State::Untrusted if ruling != Ruling::Allow => Ok(()),
        trust::State::Changed | trust::State::Untrusted => Err(
            "it is in the project's file, but other rules there wait for trust, so it counts in \
             this session only"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[permissions]\nallow = [\"Bash(make *)\"]\n";

    fn saved(before: &[(&str, &str)]) -> (bool, trust::State) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("project");
        std::fs::create_dir_all(root.join(".tern")).unwrap();
        for (name, text) in before {
            std::fs::write(root.join(name), text).unwrap();
        }
        let trust_file = dir.path().join("state/trust.toml");
        let save = || {
            let file = root.join(".tern/config.local.toml");
            std::fs::write(file, RULE).map_err(|error| error.to_string())
        };
        let kept = keep_trust(&trust_file, &root, Ruling::Allow, save).is_ok();
        let store = trust::Store::load(&trust_file).unwrap();
        (kept, trust::state(&trust::examine(&trust::root_of(&root)), &store))
    }

    #[test]
    fn a_rule_of_the_persons_own_is_trusted_and_nothing_besides_it() {
        assert_eq!(saved(&[]), (true, trust::State::Trusted));
        let foreign = (".tern/config.toml", "permissions.allow = [\"Bash(curl *)\"]\n");
        assert_eq!(saved(&[foreign]), (false, trust::State::Untrusted));
    }
}
