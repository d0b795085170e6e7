//! What a session's gate decides by, rules, mode and folders, and how it changes while the session
//! runs: rules that the person gives, settings that are read again, trust that is given.

mod change;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::agent::shared::lock;
use crate::config::Managed;
use crate::permissions::rule::{Folders, RuleTexts};
use crate::permissions::{Barred, Policy, RuleSet};
use crate::protocol::{Mode, RuleInfo, Ruling, Source, Sourced};

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
    /// The name of the output style.
    pub style: Option<String>,
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
    /// Rules that hold besides, until they are taken back.
    lent: Vec<Sourced<String>>,
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

    /// What the rules keep from being read.
    pub fn barred(&self) -> Barred {
        Barred::of(&lock(&self.state).policy.rules)
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
    /// gave in this session stays, unless it now counts as a rule of the file it was kept in.
    pub fn replace(&self, mut rules: Rules) {
        let mut state = lock(&self.state);
        for ruling in RULINGS {
            let read = list_mut(&mut rules.texts, ruling);
            let counts = |given: &Sourced<String>| {
                read.iter().any(|rule| {
                    rule.value == given.value
                        && rule.file == given.file
                        && (rules.trusted || !rule.source.is_project() || ruling != Ruling::Allow)
                })
            };
            let given =
                list_mut(&mut state.texts, ruling).iter().filter(|rule| match rule.source {
                    Source::BuiltIn => true,
                    Source::Session => rule.file.is_none() || !counts(rule),
                    _ => false,
                });
            let given: Vec<Sourced<String>> = given.cloned().collect();
            read.extend(given);
        }
        let lent = std::mem::take(&mut state.lent);
        *state = State { lent, ..State::of(rules, state.policy.clone()) };
        state.read_again();
    }

    /// The rules as the person sees them, each with what is wrong with it.
    pub fn shown(&self) -> Vec<RuleInfo> {
        let state = lock(&self.state);
        let (set, problems) = RuleSet::new(&state.texts, &state.folders, state.policy.trusted);
        let waits = |rule: &Sourced<String>| {
            set.untrusted
                .iter()
                .any(|untrusted| untrusted.text == *rule)
                .then(|| "it counts once this folder is trusted".to_owned())
        };
        let problem = |rule: &Sourced<String>| {
            let problem = problems.iter().find(|problem| problem.rule == *rule)?;
            Some(match &problem.hint {
                Some(hint) => format!("{}; {hint}", problem.message),
                None => problem.message.clone(),
            })
        };
        let mut shown = Vec::new();
        for ruling in RULINGS {
            let rules = list(&state.texts, ruling).iter();
            let own = rules.filter(|rule| rule.source != Source::BuiltIn);
            shown.extend(own.map(|rule| {
                let waits = if ruling == Ruling::Allow { waits(rule) } else { None };
                RuleInfo { ruling, problem: waits.or_else(|| problem(rule)), rule: rule.clone() }
            }));
        }
        shown
    }

    /// Rules that hold until [`Standing::take_back`]: those of a command that the person has called.
    pub fn lend(&self, rules: &[String]) {
        let mut state = lock(&self.state);
        if rules.is_empty() || state.managed.own_rules().is_err() {
            return;
        }
        let lent = rules.iter().map(|rule| Sourced::new(rule.clone(), Source::Session));
        state.lent.extend(lent);
        state.read_again();
    }

    pub fn take_back(&self) {
        let mut state = lock(&self.state);
        if !state.lent.is_empty() {
            state.lent.clear();
            state.read_again();
        }
    }
}

const RULINGS: [Ruling; 3] = [Ruling::Deny, Ruling::Ask, Ruling::Allow];

fn list(texts: &RuleTexts, ruling: Ruling) -> &[Sourced<String>] {
    match ruling {
        Ruling::Allow => &texts.allow,
        Ruling::Ask => &texts.ask,
        Ruling::Deny => &texts.deny,
    }
}

fn list_mut(texts: &mut RuleTexts, ruling: Ruling) -> &mut Vec<Sourced<String>> {
    match ruling {
        Ruling::Allow => &mut texts.allow,
        Ruling::Ask => &mut texts.ask,
        Ruling::Deny => &mut texts.deny,
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
        State { policy, texts: rules.texts, folders, managed: rules.managed, lent: Vec::new() }
    }

    /// The rules in force follow the texts. One that cannot be read allows nothing.
    fn read_again(&mut self) {
        let mut texts = self.texts.clone();
        texts.allow.extend(self.lent.iter().cloned());
        self.policy.rules = RuleSet::new(&texts, &self.folders, self.policy.trusted).0;
    }
}
