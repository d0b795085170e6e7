//! A shell command: every part on its own, the whole as strict as the strictest.

use std::path::{Path, PathBuf};

use super::files::is_null;
use super::{Finding, Judge};
use crate::permissions::access::{Shell, Step, Use};
use crate::permissions::facts::PathFact;
use crate::permissions::path;
use crate::permissions::programs::{self, Effect, PathUse, Touch};
use crate::permissions::rule::{List, Rule, Spec};
use crate::permissions::shell::{Assignment, RedirectKind, Word, is_harmless_setting, wrap};
use crate::protocol::{Mode, Ruling};

impl Judge<'_> {
    pub(super) fn shell(&self, shell: &Shell) -> (Finding, Vec<(String, Finding)>) {
        let script = &shell.script;
        let parts: Vec<(String, Finding)> = shell
            .steps
            .iter()
            .map(|step| (step.part.text.clone(), self.part(step, script.doubt.is_some())))
            .collect();
        let mut all = parts.iter().map(|(_, finding)| finding.clone());
        let first = all.next();
        let mut worst = match first {
            Some(first) => all.fold(first, Finding::or_stricter),
            None => Finding::built_in(Ruling::Allow, "it runs nothing"),
        };
        if let Some(doubt) = &script.doubt
            && (self.policy.mode != Mode::BypassPermissions || self.limits_commands())
        {
            let exact = self.policy.rules.allow.iter().find(
                |rule| matches!(&rule.spec, Spec::Command(pattern) if pattern.is(&script.text)),
            );
            let firm = worst.ruling == Ruling::Deny || worst.firm;
            worst = match exact {
                Some(rule) if !firm => {
                    Finding::by_rule(Ruling::Allow, &rule.text, "this very command")
                }
                _ => worst.or_stricter(Finding::firm(format!(
                    "tern cannot be sure what this command does: {doubt}"
                ))),
            };
        }
        (worst, parts)
    }

    fn part(&self, step: &Step, doubtful: bool) -> Finding {
        for (list, ruling) in [(List::Deny, Ruling::Deny), (List::Ask, Ruling::Ask)] {
            if let Some(finding) = self.part_rule(step, list, ruling) {
                return finding;
            }
        }
        if let Some(finding) = self.critical(step) {
            return finding;
        }
        if !step.views.complete {
            return Finding::firm("it runs more commands inside each other than are looked at");
        }
        let writes = self.writes(step);
        if self.policy.mode == Mode::Plan && !writes.is_empty() {
            let what = writes.first().map(|path| path.text.clone()).unwrap_or_default();
            return Finding::by_mode(
                Ruling::Deny,
                format!("plan mode changes nothing, and it would change {what}"),
            );
        }
        if self.policy.mode == Mode::BypassPermissions {
            if self.limits_commands() && hidden(&step.part.words) {
                return Finding::firm(
                    "rules stop some commands, and what this one runs is known only when it runs",
                );
            }
            return Finding::by_mode(Ruling::Allow, "bypassPermissions mode is on");
        }
        if let Some(finding) = self.protected_write(step) {
            return finding;
        }
        let redirects = step.part.redirects.iter().map(|redirect| {
            let use_ = match redirect.kind {
                RedirectKind::Reads => Use::Reads,
                RedirectKind::Writes => Use::Writes,
                RedirectKind::Feeds => return given(&redirect.target),
            };
            match PathUse::of(&redirect.target) {
                Some(path) => self.use_of(use_, &path, step),
                None => Finding::built_in(
                    Ruling::Ask,
                    format!("{} is known only when it runs", redirect.target.source),
                ),
            }
        });
        let command = self.command(step, doubtful);
        redirects.fold(command, Finding::or_stricter)
    }

    /// Whether a deny or ask rule speaks of some commands: then it must be known what runs, whatever
    /// the mode.
    fn limits_commands(&self) -> bool {
        let rules = &self.policy.rules;
        rules.deny.iter().chain(&rules.ask).any(|rule| {
            rule.names("Bash")
                && matches!(&rule.spec, Spec::Command(_) | Spec::Param { or: Some(_), .. })
        })
    }

    /// A deny or ask rule that speaks of anything in this part.
    fn part_rule(&self, step: &Step, list: List, ruling: Ruling) -> Option<Finding> {
        for rule in self.policy.rules.list(list) {
            let caught = rule.names(&self.access.tool)
                && match &rule.spec {
                    Spec::Command(pattern) | Spec::Param { or: Some(pattern), .. } => {
                        pattern.catches(&step.views)
                    }
                    Spec::Any
                    | Spec::Path(_)
                    | Spec::Domain(_)
                    | Spec::Name(_)
                    | Spec::Param { .. } => false,
                };
            if caught {
                return Some(Finding::by_rule(ruling, &rule.text, &shorten(&step.part.text)));
            }
        }
        let mut uses = step.uses();
        for path in &step.mentions {
            uses.push((Use::Reads, path.clone()));
            if step.writes_mentions {
                uses.push((Use::Writes, path.clone()));
            }
        }
        let here = [self.policy.cwd.clone()];
        let places: &[PathBuf] = step.part.places.as_deref().unwrap_or(&here);
        for (use_, path) in uses {
            for place in places {
                for found in self.facts.located(&path, place, &self.policy.home).paths {
                    if is_null(&found) {
                        continue;
                    }
                    let Some(fact) = self.facts.path(&found) else { continue };
                    if let Some(finding) = self.stopped(list, ruling, use_, &found, fact) {
                        return Some(finding);
                    }
                }
            }
        }
        None
    }

    /// The removal of something that nobody should remove by a yes given in advance.
    fn critical(&self, step: &Step) -> Option<Finding> {
        let here = [self.policy.cwd.clone()];
        let places: &[PathBuf] = step.part.places.as_deref().unwrap_or(&here);
        let lost = step.part.places.is_none();
        for words in &step.views.commands {
            let Some((name, rest)) = words.split_first() else { continue };
            let operands: Vec<&String> = match name.as_str() {
                "rm" | "rmdir" => rest.iter().filter(|word| !word.starts_with('-')).collect(),
                "find" if rest.iter().any(|word| word == "-delete") => {
                    rest.iter().take_while(|word| !word.starts_with('-')).collect()
                }
                _ => continue,
            };
            let whole = rest.iter().any(|word| {
                word.starts_with('-') && (word.contains(['r', 'R']) || word == "-delete")
            });
            for operand in operands {
                for place in places {
                    if let Some(why) = self.critical_operand(operand, place, whole, lost) {
                        return Some(Finding::firm(format!("it would remove {why}")));
                    }
                }
            }
        }
        None
    }

    fn critical_operand(
        &self,
        operand: &str,
        place: &Path,
        whole: bool,
        lost: bool,
    ) -> Option<String> {
        let home = self.policy.home.display().to_string();
        let mut text = operand.to_owned();
        for (name, value) in [("HOME", home), ("PWD", place.display().to_string())] {
            for form in [format!("${{{name}}}"), format!("${name}")] {
                if let Some(rest) =
                    text.strip_prefix(&form).filter(|rest| rest.is_empty() || rest.starts_with('/'))
                {
                    text = format!("{value}{rest}");
                }
            }
        }
        if text == "~" || text.starts_with("~/") {
            text = format!("{}{}", self.policy.home.display(), &text[1..]);
        }
        if text.starts_with('$') {
            let tail = text.trim_start_matches(|c: char| !matches!(c, '/'));
            let bare = tail.trim_matches(['/', '*', '.', '?']).is_empty();
            return (!tail.is_empty() && bare)
                .then(|| format!("{operand}, which is {tail} when the variable is empty"));
        }
        let relative = !text.starts_with('/');
        if lost
            && relative
            && matches!(text.trim_end_matches('/'), "*" | "." | ".." | "./*" | ".*" | "")
        {
            return Some(format!("{operand} in a folder that is not known"));
        }
        // `x/*` and `x/.*` empty the folder.
        let (folder, emptied) = match text.rsplit_once('/') {
            Some((folder, "*" | ".*" | "?*" | "**")) => (format!("{folder}/"), true),
            None if matches!(text.as_str(), "*" | ".*" | "?*" | "**") => (String::new(), true),
            _ => (text.clone(), false),
        };
        let full = place.join(&folder);
        let mut candidates = vec![path::tidy(&full)];
        if let Some(fact) = self.facts.path(&place.join(&text)) {
            candidates.extend(fact.steps.iter().cloned());
        }
        for candidate in &candidates {
            if let Some(why) = path::critical(candidate, &self.policy.cwd, &self.policy.home) {
                let own = path::tidy(&self.policy.cwd) == *candidate;
                if emptied && own && !whole {
                    continue;
                }
                return Some(if emptied { format!("everything in {why}") } else { why });
            }
            let added =
                self.policy.additional.iter().any(|dir| path::tidy(dir).starts_with(candidate));
            if added {
                return Some(format!("{}, an added directory", candidate.display()));
            }
        }
        None
    }

    /// Paths that the part is known to change.
    fn writes(&self, step: &Step) -> Vec<PathUse> {
        let mut uses = step.uses();
        uses.retain(|(use_, path)| *use_ == Use::Writes && !is_null(Path::new(&path.text)));
        let mut paths: Vec<PathUse> = uses.into_iter().map(|(_, path)| path).collect();
        if step.writes_mentions {
            paths.extend(step.mentions.iter().cloned());
        }
        paths
    }

    fn protected_write(&self, step: &Step) -> Option<Finding> {
        for path in self.writes(step) {
            let Ok(found) = self.located(&path, step.part.places.as_ref()) else { continue };
            for path in found {
                let fact: &PathFact = self.facts.path(&path)?;
                if let Some(finding) = self.protected(&path, fact) {
                    return Some(finding);
                }
            }
        }
        None
    }

    fn use_of(&self, use_: Use, path: &PathUse, step: &Step) -> Finding {
        let paths = match self.located(path, step.part.places.as_ref()) {
            Ok(paths) => paths,
            Err(finding) => return finding,
        };
        paths
            .iter()
            .map(|path| {
                if is_null(path) {
                    return Finding::built_in(Ruling::Allow, "it leaves no trace");
                }
                let finding = self.path(use_, "", path);
                // A command may be stopped by a question where a tool's call is refused.
                match (finding.ruling, &finding.rule, self.policy.mode) {
                    (Ruling::Deny, None, Mode::Plan) => finding,
                    (Ruling::Deny, None, _) => Finding::firm(finding.because),
                    _ => finding,
                }
            })
            .reduce(Finding::or_stricter)
            .unwrap_or_else(|| Finding::built_in(Ruling::Allow, "it names no file"))
    }

    /// The command itself: rules, then acceptEdits, then what is known to only read.
    fn command(&self, step: &Step, doubtful: bool) -> Finding {
        let part = &step.part;
        if part.words.is_empty() {
            return self.settings(&part.assignments);
        }
        let reads_only = matches!(step.effect, Effect::Reads(_));
        if !doubtful && (self.policy.mode != Mode::Plan || reads_only) {
            let fits = |rule: &&Rule| self.allows(rule, step);
            if let Some(rule) = self.policy.rules.allow.iter().find(fits) {
                return Finding::by_rule(Ruling::Allow, &rule.text, &shorten(&part.text));
            }
        }
        let known = self.known_effect(step);
        if known.ruling == Ruling::Allow {
            return known;
        }
        if self.policy.sandboxed_commands && !doubtful && !known.firm {
            return Finding::built_in(Ruling::Allow, "the sandbox holds it");
        }
        let hint = self.untrusted_hint(|rule| self.allows(rule, step));
        if self.policy.mode == Mode::Plan {
            let because = format!("in plan mode only reading runs unasked, and {}", known.because);
            return Finding { firm: true, ..Finding::by_mode(Ruling::Ask, because) };
        }
        Finding { because: format!("{}{hint}", known.because), ..known }
    }

    fn allows(&self, rule: &Rule, step: &Step) -> bool {
        rule.names(&self.access.tool)
            && match &rule.spec {
                Spec::Any => true,
                Spec::Command(pattern) => pattern.allows(&step.part),
                Spec::Path(_) | Spec::Domain(_) | Spec::Name(_) | Spec::Param { .. } => false,
            }
    }

    /// What is known without rules.
    fn known_effect(&self, step: &Step) -> Finding {
        let unsafe_setting = step.part.assignments.iter().find(|it| !is_harmless_setting(it));
        if let Some(setting) = unsafe_setting {
            let because = format!("{} may change what {} does", setting.name, name_of(step));
            return Finding::built_in(Ruling::Ask, because);
        }
        match &step.effect {
            Effect::Unknown(why) => {
                let what = shorten(&step.part.text);
                Finding::built_in(Ruling::Ask, format!("no rule allows {what}, and {why}"))
            }
            Effect::Edits(touch) if self.policy.mode == Mode::AcceptEdits => {
                let finding = self.touch(touch, step);
                match finding.ruling {
                    Ruling::Allow => Finding::by_mode(
                        Ruling::Allow,
                        "acceptEdits mode allows this change of files in the workspace",
                    ),
                    Ruling::Ask | Ruling::Deny => finding,
                }
            }
            Effect::Edits(_) => {
                let what = shorten(&step.part.text);
                Finding::built_in(
                    Ruling::Ask,
                    format!("no rule allows {what}, and it changes files"),
                )
            }
            Effect::Reads(touch) => {
                let finding = self.touch(touch, step);
                match finding.ruling {
                    Ruling::Allow => Finding::built_in(Ruling::Allow, "it only reads"),
                    Ruling::Ask | Ruling::Deny => finding,
                }
            }
        }
    }

    fn touch(&self, touch: &Touch, step: &Step) -> Finding {
        let reads = touch.reads.iter().map(|path| (Use::Reads, path));
        let writes = touch.writes.iter().map(|path| (Use::Writes, path));
        let mut worst = reads
            .chain(writes)
            .map(|(use_, path)| self.use_of(use_, path, step))
            .reduce(Finding::or_stricter)
            .unwrap_or_else(|| Finding::built_in(Ruling::Allow, "it names no file"));
        for path in &touch.reads {
            for found in self.located(path, step.part.places.as_ref()).unwrap_or_default() {
                if let Some(finding) = self.below(&found, touch.below) {
                    worst = worst.or_stricter(finding);
                }
            }
        }
        if touch.git {
            worst = worst.or_stricter(self.repository(step));
        }
        worst
    }

    /// git may be run where the repository is the session's own and its configuration runs nothing.
    fn repository(&self, step: &Step) -> Finding {
        let own = self.facts.repository(&self.policy.cwd);
        let Some(places) = &step.part.places else {
            return Finding::firm("the folder in which git runs is not known");
        };
        for place in places {
            let Some(found) = self.facts.repository(place) else {
                return Finding::firm("the repository was not looked at");
            };
            if let Some(why) = &found.runs {
                return Finding::firm(format!("git may run something here: {why}"));
            }
            if own.is_none_or(|own| own.root != found.root) {
                let because = format!("{} is in another repository", self.shown(place));
                return Finding::built_in(Ruling::Ask, because);
            }
        }
        Finding::built_in(Ruling::Allow, "the repository's configuration runs nothing")
    }

    /// Settings without a command: they matter to what comes after, in this command only.
    fn settings(&self, assignments: &[Assignment]) -> Finding {
        let quiet = |assignment: &Assignment| {
            let name = assignment.name.as_str();
            let lower =
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            is_harmless_setting(assignment)
                || (lower && !name.ends_with("_proxy") && !name.starts_with("git_"))
                || (name.len() == 1 && name != "_")
        };
        match assignments.iter().find(|assignment| !quiet(assignment)) {
            Some(assignment) => Finding::built_in(
                Ruling::Ask,
                format!("{} may change what later commands do", assignment.name),
            ),
            None => Finding::built_in(Ruling::Allow, "it only sets a variable of its own"),
        }
    }
}

fn name_of(step: &Step) -> String {
    wrap::core(&step.part.words).first().map(Word::loose).unwrap_or_default()
}

/// A command in a sentence: its first line, at most 60 characters.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}

/// A program, or a script for a shell, that the shell still has to work out.
fn hidden(words: &[Word]) -> bool {
    let Some((program, rest)) = words.split_first() else { return false };
    let Some(name) = program.literal() else { return true };
    let runs_text = wrap::is_shell(&name) || matches!(name.as_str(), "eval" | "source" | ".");
    runs_text && rest.iter().any(|word| word.literal().is_none())
}

/// What stands in a here-document or here-string goes to the program, and mostly back to the model.
fn given(text: &Word) -> Finding {
    match programs::secret(text) {
        Some(name) => Finding::built_in(Ruling::Ask, format!("${name} may be a secret")),
        None => Finding::built_in(Ruling::Allow, "it is given text"),
    }
}
