//! One path: may it be read, may it be written.

use std::path::{Path, PathBuf};

use super::{Finding, Judge, verb};
use crate::permissions::access::{Paths, Use};
use crate::permissions::facts::{Kind, PathFact};
use crate::permissions::path;
use crate::permissions::programs::{Below, PathUse};
use crate::permissions::rule::List;
use crate::protocol::{Mode, Ruling};

impl Judge<'_> {
    pub(super) fn paths(&self, paths: &Paths) -> (Finding, Vec<(String, Finding)>) {
        let mut worst: Option<Finding> = None;
        for path in &paths.paths {
            let mut finding = self.path(paths.use_, &self.access.tool, path);
            if let Some(below) = self.below(path, paths.below) {
                finding = finding.or_stricter(below);
            }
            worst = Some(match worst {
                Some(worst) => worst.or_stricter(finding),
                None => finding,
            });
        }
        let finding = worst.unwrap_or_else(|| Finding::firm("the call names no path"));
        (finding, Vec::new())
    }

    /// Of an absolute path that was looked up.
    pub(super) fn path(&self, use_: Use, tool: &str, path: &Path) -> Finding {
        let Some(fact) = self.facts.path(path) else {
            return Finding::firm(format!("{} was not looked up", self.shown(path)));
        };
        let shown = format!("{} {}", verb(use_), self.shown_fact(path, fact));
        for (list, ruling) in [(List::Deny, Ruling::Deny), (List::Ask, Ruling::Ask)] {
            if let Some(finding) = self.stopped(list, ruling, use_, path, fact) {
                return finding;
            }
        }
        if let Some(finding) = self.special(path, fact, &shown) {
            return finding;
        }
        if use_ == Use::Writes && self.policy.mode == Mode::Plan {
            return Finding::by_mode(
                Ruling::Deny,
                format!("plan mode changes nothing, so {shown} is refused"),
            );
        }
        if self.policy.mode == Mode::BypassPermissions {
            return Finding::by_mode(Ruling::Allow, "bypassPermissions mode is on");
        }
        if use_ == Use::Writes
            && let Some(finding) = self.protected(path, fact)
        {
            return finding;
        }
        self.permitted(use_, tool, fact, &shown)
    }

    pub(super) fn stopped(
        &self,
        list: List,
        ruling: Ruling,
        use_: Use,
        path: &Path,
        fact: &PathFact,
    ) -> Option<Finding> {
        let rule =
            self.policy.rules.stopping(list, use_, &fact.steps, fact.kind == Kind::Folder)?;
        let shown = format!("{} {}", verb(use_), self.shown_fact(path, fact));
        Some(Finding::by_rule(ruling, &rule.text, &shown))
    }

    /// Devices, pipes, other programs' environments, and paths that cannot be followed.
    fn special(&self, path: &Path, fact: &PathFact, shown: &str) -> Option<Finding> {
        if is_null(path) {
            return None;
        }
        let last = fact.steps.last()?;
        if last.starts_with("/proc") && last.file_name().is_some_and(|name| name == "environ") {
            let because = "the environment of a program may hold secrets";
            return Some(Finding::built_in(Ruling::Deny, because));
        }
        match fact.kind {
            Kind::Special => {
                let because = format!("{shown} is refused, as it is a device, a pipe or a socket");
                Some(Finding::built_in(Ruling::Deny, because))
            }
            Kind::Unclear => {
                Some(Finding::firm(format!("it is not clear where {} leads", self.shown(path))))
            }
            Kind::Missing | Kind::File | Kind::Folder => None,
        }
    }

    /// Why a write is asked about whatever the rules allow.
    pub(super) fn protected(&self, path: &Path, fact: &PathFact) -> Option<Finding> {
        let why = fact.steps.iter().find_map(|step| path::protected(step, &self.policy.own));
        if let Some(why) = why {
            return Some(Finding::firm(format!("{} is {why}", self.shown(path))));
        }
        if fact.links > 1 {
            let because = format!(
                "{} has {} names on this disk, and writing it changes them all",
                self.shown(path),
                fact.links
            );
            return Some(Finding::firm(because));
        }
        None
    }

    /// Allow rules, then what a mode or tern itself allows; each step of the way needs one.
    fn permitted(&self, use_: Use, tool: &str, fact: &PathFact, shown: &str) -> Finding {
        let is_dir = fact.kind == Kind::Folder;
        let free = match use_ {
            Use::Reads => true,
            Use::Writes => self.policy.mode == Mode::AcceptEdits,
        };
        let mut rule = None;
        for step in &fact.steps {
            if let Some(found) = self.policy.rules.permitting(use_, tool, step, is_dir) {
                rule = Some(found);
            } else if !(free && self.facts.contains(step)) {
                return self.not_permitted(use_, tool, fact, shown);
            }
        }
        match (rule, use_) {
            (Some(rule), _) => Finding::by_rule(Ruling::Allow, &rule.text, shown),
            (None, Use::Reads) => Finding::built_in(Ruling::Allow, "it reads inside the workspace"),
            (None, Use::Writes) => Finding::by_mode(
                Ruling::Allow,
                "acceptEdits mode allows edits inside the workspace",
            ),
        }
    }

    fn not_permitted(&self, use_: Use, tool: &str, fact: &PathFact, shown: &str) -> Finding {
        let outside =
            if self.facts.inside(fact) { "" } else { ", which is outside of the workspace" };
        let untrusted = self.policy.rules.untrusted.iter().find(|rule| {
            let family = match use_ {
                Use::Reads => "Read",
                Use::Writes => "Edit",
            };
            rule.tool == family || rule.tool == tool
        });
        let hint = match untrusted {
            Some(_) => " (the project's own rules count only once the folder is trusted)",
            None => "",
        };
        Finding::built_in(Ruling::Ask, format!("no rule allows {shown}{outside}{hint}"))
    }

    /// What a reader of whole folders would meet; `None`: nothing to say.
    pub(super) fn below(&self, path: &Path, below: Below) -> Option<Finding> {
        if below == Below::Names {
            return None;
        }
        let tree = self.facts.tree(path, below)?;
        let shown = self.shown(path);
        if let Some(stopped) = &tree.stopped {
            let ruling = if stopped.deny { Ruling::Deny } else { Ruling::Ask };
            let what = format!("reading {}, which it would reach", self.shown(&stopped.file));
            let finding = Finding::by_rule(ruling, &stopped.rule, &what);
            // A search through a folder is not a wish to read that very file: the person may judge.
            return Some(Finding { ruling: Ruling::Ask, firm: true, ..finding });
        }
        if let Some(link) = &tree.leaves {
            let because =
                format!("it would follow {}, which leads out of the workspace", self.shown(link));
            return Some(Finding::built_in(Ruling::Ask, because));
        }
        (!tree.complete).then(|| {
            Finding::built_in(
                Ruling::Ask,
                format!("{shown} holds too many files to look for forbidden ones"),
            )
        })
    }

    /// Each path that a word of a command stands for, in each place where it may run.
    pub(super) fn located(
        &self,
        path: &PathUse,
        places: Option<&Vec<PathBuf>>,
    ) -> Result<Vec<PathBuf>, Finding> {
        let absolute = path.home || path.text.starts_with('/');
        let here = vec![self.policy.cwd.clone()];
        let places = match places {
            Some(places) => places,
            None if absolute => &here,
            None => {
                let because =
                    format!("the folder in which {} is looked for is not known", path.text);
                return Err(Finding::firm(because));
            }
        };
        let mut all = Vec::new();
        for place in places {
            let found = self.facts.located(path, place, &self.policy.home);
            if let Some(problem) = found.problem {
                return Err(Finding::built_in(Ruling::Ask, problem));
            }
            all.extend(found.paths);
        }
        Ok(all)
    }

    /// A path as the person knows it: relative inside the working directory.
    pub(super) fn shown(&self, path: &Path) -> String {
        let tidy = path::tidy(path);
        match tidy.strip_prefix(&self.policy.cwd) {
            Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
            Ok(rest) => rest.display().to_string(),
            Err(_) => tidy.display().to_string(),
        }
    }

    fn shown_fact(&self, path: &Path, fact: &PathFact) -> String {
        match fact.steps.as_slice() {
            [_] | [] => self.shown(path),
            [.., last] if fact.steps.len() > 1 && *last != path::tidy(path) => {
                format!("{} (a link to {})", self.shown(path), self.shown(last))
            }
            _ => self.shown(path),
        }
    }
}

/// The places where output may go without a trace.
pub(super) fn is_null(path: &Path) -> bool {
    ["/dev/null", "/dev/stdout", "/dev/stderr"].iter().any(|null| path == Path::new(null))
}
