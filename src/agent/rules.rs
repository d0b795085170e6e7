//! What a session's gate decides by, rules, mode and folders, and how it changes while the session
//! runs: rules that the person gives, settings that are read again, trust that is given.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::agent::shared::lock;
use crate::config::{Managed, write};
use crate::permissions::rule::{Folders, RuleTexts};
use crate::permissions::{Policy, RuleSet};
use crate::protocol::{Mode, Scope, Source, Sourced};
use crate::trust;

/// The rules as the settings have them.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub texts: RuleTexts,
    /// The project's root, for rules that are anchored there.
    pub root: PathBuf,
    /// Folders besides the working directory.
    pub additional: Vec<PathBuf>,
    /// tern's own folders, which no tool may touch unasked.
    pub own: Vec<PathBuf>,
    /// Whether the folder's own files may loosen anything.
    pub trusted: bool,
    /// Where "always" is written: the user's file, and the project's own local file.
    pub user_file: PathBuf,
    pub project_file: PathBuf,
    /// Where trust in folders is kept.
    pub trust_file: PathBuf,
    pub managed: Managed,
}

/// Reads the settings of a session again, as they stand in the files now. Waits for the disk.
pub trait Settings: Send + Sync + std::fmt::Debug {
    fn read(&self, trusted: bool) -> Reread;
}

#[derive(Debug, Clone, Default)]
pub struct Reread {
    pub rules: Rules,
    /// The mode that the settings begin with.
    pub mode: Mode,
    /// What is wrong with them, a sentence each.
    pub problems: Vec<String>,
}

/// Settings without files behind them: the same every time but for the trust.
#[derive(Debug, Clone, Default)]
pub struct Fixed(pub Rules);

impl Settings for Fixed {
    fn read(&self, trusted: bool) -> Reread {
        Reread { rules: Rules { trusted, ..self.0.clone() }, ..Reread::default() }
    }
}

/// The rules in force.
#[derive(Debug)]
pub struct Standing {
    state: Mutex<State>,
    user_file: PathBuf,
    project_file: PathBuf,
    pub trust_file: PathBuf,
}

#[derive(Debug)]
struct State {
    policy: Policy,
    texts: RuleTexts,
    folders: Folders,
    managed: Managed,
    /// Whether the rules in force hold some that are only lent.
    lent: bool,
}

impl Standing {
    pub fn new(rules: Rules, mode: Mode, cwd: &Path, home: &Path) -> Standing {
        let (user_file, project_file) = (rules.user_file.clone(), rules.project_file.clone());
        let trust_file = rules.trust_file.clone();
        let policy =
            Policy { mode, cwd: cwd.to_owned(), home: home.to_owned(), ..Policy::default() };
        let state = State::of(rules, policy);
        Standing { state: Mutex::new(state), user_file, project_file, trust_file }
    }

    pub fn policy(&self) -> Policy {
        lock(&self.state).policy.clone()
    }

    pub fn mode(&self) -> Mode {
        lock(&self.state).policy.mode
    }

    pub fn trusted(&self) -> bool {
        lock(&self.state).policy.trusted
    }

    pub fn managed(&self) -> Managed {
        lock(&self.state).managed.clone()
    }

    /// The error says who does not let it.
    pub fn set_mode(&self, mode: Mode) -> Result<(), String> {
        let mut state = lock(&self.state);
        state.managed.mode(mode)?;
        state.policy.mode = mode;
        Ok(())
    }

    pub fn home(&self) -> PathBuf {
        lock(&self.state).policy.home.clone()
    }

    pub fn set_sandboxed(&self, held: bool) {
        lock(&self.state).policy.sandboxed_commands = held;
    }

    /// Puts rules that were read anew in the place of those that were read before. What the person
    /// gave in this session stays.
    pub fn replace(&self, mut rules: Rules) {
        let mut state = lock(&self.state);
        let given =
            |rule: &&Sourced<String>| matches!(rule.source, Source::Session | Source::BuiltIn);
        rules.texts.allow.extend(state.texts.allow.iter().filter(given).cloned());
        *state = State::of(rules, state.policy.clone());
    }

    /// Rules that hold until [`Standing::take_back`]: those of a command that the person has called.
    pub fn lend(&self, rules: &[String]) {
        let mut state = lock(&self.state);
        if rules.is_empty() || state.managed.own_rules().is_err() {
            return;
        }
        let mut texts = state.texts.clone();
        texts.allow.extend(rules.iter().map(|rule| Sourced::new(rule.clone(), Source::Session)));
        // A rule that cannot be read allows nothing.
        state.policy.rules = RuleSet::new(&texts, &state.folders, state.policy.trusted).0;
        state.lent = true;
    }

    pub fn take_back(&self) {
        let mut state = lock(&self.state);
        if std::mem::take(&mut state.lent) {
            state.policy.rules = RuleSet::new(&state.texts, &state.folders, state.policy.trusted).0;
        }
    }

    /// Adds rules that the person gave; beyond the session, to the file that the scope names.
    pub async fn learn(&self, rules: &[String], scope: Scope) -> Result<(), String> {
        let file = match scope {
            Scope::Session => None,
            Scope::Project => Some(self.project_file.clone()),
            Scope::User => Some(self.user_file.clone()),
        };
        self.add(rules, file.as_deref())?;
        let Some(file) = file else { return Ok(()) };
        let rules = rules.to_vec();
        let (trust_file, root) = (self.trust_file.clone(), lock(&self.state).folders.root.clone());
        let saved = tokio::task::spawn_blocking(move || {
            let save = || {
                rules.iter().try_for_each(|rule| {
                    write::append(&file, "permissions.allow", rule)
                        .map(drop)
                        .map_err(|error| error.to_string())
                })
            };
            match scope {
                Scope::Project => keep_trust(&trust_file, &root, save),
                Scope::Session | Scope::User => save(),
            }
        });
        saved.await.unwrap_or_else(|_| Err("writing the file failed".to_owned()))
    }

    /// The person's own word holds in this session wherever it is kept and whether or not the
    /// folder is trusted.
    fn add(&self, rules: &[String], file: Option<&Path>) -> Result<(), String> {
        let mut state = lock(&self.state);
        state.managed.own_rules()?;
        let mut texts = state.texts.clone();
        for rule in rules {
            let mut sourced = Sourced::new(rule.clone(), Source::Session);
            sourced.file = file.map(Path::to_owned);
            texts.allow.push(sourced);
        }
        let (set, problems) = RuleSet::new(&texts, &state.folders, state.policy.trusted);
        let wrong = problems.iter().find(|problem| rules.contains(&problem.rule.value));
        if let Some(problem) = wrong {
            return Err(problem.to_string());
        }
        state.policy.rules = set;
        state.texts = texts;
        state.lent = false;
        Ok(())
    }
}

impl State {
    /// `policy`: what does not come from the rules.
    fn of(rules: Rules, policy: Policy) -> State {
        let folders = Folders {
            cwd: policy.cwd.clone(),
            root: rules.root,
            home: policy.home.clone(),
            additional: rules.additional.clone(),
        };
        // What is wrong with a rule was told when the configuration was read.
        let (set, _) = RuleSet::new(&rules.texts, &folders, rules.trusted);
        let policy = Policy {
            rules: set,
            additional: rules.additional,
            own: rules.own,
            trusted: rules.trusted,
            ..policy
        };
        State { policy, texts: rules.texts, folders, managed: rules.managed, lent: false }
    }
}

/// Saves a rule of the person's own in a file of the project. What the person has just said needs no
/// trust, so a folder that held nothing else, or was trusted as it was, is trusted with the rule
/// in it. Anything that still waits for trust goes on waiting, and the rule with it.
fn keep_trust(
    trust_file: &Path,
    root: &Path,
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
        let kept = keep_trust(&trust_file, &root, save).is_ok();
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
