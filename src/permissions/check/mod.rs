//! The one order of decision.
//!
//! Deny rules; ask rules; critical paths, which ask even in bypass; plan mode refuses writes; bypass
//! allows; protected paths ask; allow rules; the edits that acceptEdits allows; what is known to only
//! read; else ask. In dontAsk a final ask is a deny. A call of several parts is as strict as its strictest
//! part.
//!
//! Pure: over the call, the policy and the facts that were gathered before.

mod command;
mod files;

use super::access::{Access, Use, Wants};
use super::rule::{List, Rule, Spec, current_name, is_edit_tool};
use super::url::{self, Class};
use super::{Facts, Policy, Verdict, facts::HookRuling, suggest};
use crate::protocol::{Mode, PartVerdict, Ruling, Source, Sourced};

pub fn check(access: &Access, policy: &Policy, facts: &Facts) -> Verdict {
    let judge = Judge { policy, facts, access };
    let (finding, parts) = judge.call();
    let finding = judge.hooked(finding);
    let finding = match finding.ruling {
        Ruling::Ask if policy.mode == Mode::DontAsk => Finding {
            ruling: Ruling::Deny,
            because: format!(
                "{}, and dontAsk mode refuses what would have to be asked",
                finding.because
            ),
            source: None,
            ..finding
        },
        _ => finding,
    };
    let suggestions = if finding.ruling == Ruling::Ask && !finding.firm {
        suggest::rules(access, policy, &parts)
    } else {
        Vec::new()
    };
    let parts = parts.into_iter().map(|(text, finding)| finding.part(text)).collect();
    Verdict {
        decision: finding.ruling,
        because: finding.because,
        rule: finding.rule,
        source: finding.source,
        parts,
        suggestions,
    }
}

/// What was found for a call or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub ruling: Ruling,
    /// A sentence without its full stop.
    pub because: String,
    pub rule: Option<Sourced<String>>,
    /// `None`: the mode.
    pub source: Option<Source>,
    /// No saved rule could make this question unnecessary.
    pub firm: bool,
}

impl Finding {
    fn built_in(ruling: Ruling, because: impl Into<String>) -> Finding {
        let source = Some(Source::BuiltIn);
        Finding { ruling, because: because.into(), rule: None, source, firm: false }
    }

    fn firm(because: impl Into<String>) -> Finding {
        Finding { firm: true, ..Finding::built_in(Ruling::Ask, because) }
    }

    fn by_mode(ruling: Ruling, because: impl Into<String>) -> Finding {
        Finding { source: None, ..Finding::built_in(ruling, because) }
    }

    fn by_rule(ruling: Ruling, rule: &Sourced<String>, what: &str) -> Finding {
        let verb = match ruling {
            Ruling::Allow => "allows",
            Ruling::Ask => "asks about",
            Ruling::Deny => "forbids",
        };
        Finding {
            ruling,
            because: format!("the rule {} {verb} {what}", rule.value),
            rule: Some(rule.clone()),
            source: Some(rule.source),
            firm: ruling == Ruling::Ask,
        }
    }

    /// The stricter of two; of two questions the one that no rule could settle.
    fn or_stricter(self, other: Finding) -> Finding {
        let rank = |finding: &Finding| (finding.ruling, finding.firm);
        if rank(&other) > rank(&self) { other } else { self }
    }

    fn part(self, text: String) -> PartVerdict {
        PartVerdict { text, decision: self.ruling, because: self.because, rule: self.rule }
    }
}

pub(super) struct Judge<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    access: &'a Access,
}

impl Judge<'_> {
    fn call(&self) -> (Finding, Vec<(String, Finding)>) {
        for list in [List::Deny, List::Ask] {
            if let Some(finding) = self.tool_rule(list) {
                return (finding, Vec::new());
            }
        }
        match &self.access.wants {
            Wants::Nothing => {
                (Finding::built_in(Ruling::Allow, "it changes nothing outside of tern"), Vec::new())
            }
            Wants::Person => match self.policy.mode {
                Mode::DontAsk => {
                    (Finding::by_mode(Ruling::Deny, "dontAsk mode asks nothing"), Vec::new())
                }
                Mode::Default | Mode::AcceptEdits | Mode::Plan | Mode::BypassPermissions => {
                    let because = "its own dialog is the question";
                    (Finding::built_in(Ruling::Allow, because), Vec::new())
                }
            },
            Wants::Paths(paths) => self.paths(paths),
            Wants::Shell(shell) => self.shell(shell),
            Wants::Url(text) => (self.url(text), Vec::new()),
            Wants::Other => (self.other(), Vec::new()),
            Wants::Unclear(why) => {
                (Finding::firm(format!("the call cannot be understood: {why}")), Vec::new())
            }
        }
    }

    /// A deny or ask rule for the tool as a whole, or for a field of its input.
    fn tool_rule(&self, list: List) -> Option<Finding> {
        let ruling = if list == List::Deny { Ruling::Deny } else { Ruling::Ask };
        let tool = self.access.tool.as_str();
        let stops = |rule: &&Rule| {
            if !rule.names(tool) {
                return false;
            }
            match &rule.spec {
                // A bare rule for one edit or read tool is about that tool.
                Spec::Any => self.names_this(rule),
                Spec::Param { .. } => rule.fits_param(&self.access.input),
                Spec::Name(pattern) => pattern.fits(&self.name()),
                Spec::Command(_) | Spec::Path(_) | Spec::Domain(_) => false,
            }
        };
        let rule = self.policy.rules.list(list).iter().find(stops)?;
        Some(Finding::by_rule(ruling, &rule.text, tool))
    }

    fn names_this(&self, rule: &Rule) -> bool {
        let tool = current_name(&self.access.tool);
        rule.tool == tool
            || rule.tool.contains('*')
            || rule.tool.starts_with("mcp__")
            || (rule.tool == "Edit" && is_edit_tool(tool))
            || (rule.tool == "Bash" && tool == "Monitor")
    }

    /// The sub-agent or skill of a call, with the skill's arguments.
    fn name(&self) -> String {
        let field = |name: &str| self.access.input.get(name).and_then(|value| value.as_str());
        if let Some(agent) = field("subagent_type") {
            return agent.to_owned();
        }
        match (field("skill"), field("args").filter(|args| !args.is_empty())) {
            (Some(skill), Some(args)) => format!("{skill} {args}"),
            (Some(skill), None) => skill.to_owned(),
            (None, _) => String::new(),
        }
    }

    /// A tool of which only its rules can speak.
    fn other(&self) -> Finding {
        let tool = self.access.tool.as_str();
        match self.policy.mode {
            Mode::Plan => {
                return Finding {
                    firm: true,
                    ..Finding::by_mode(
                        Ruling::Ask,
                        format!("in plan mode {tool} is not known to only read"),
                    )
                };
            }
            Mode::BypassPermissions => {
                return Finding::by_mode(Ruling::Allow, "bypassPermissions mode is on");
            }
            Mode::Default | Mode::AcceptEdits | Mode::DontAsk => {}
        }
        let allowed = |rule: &&Rule| {
            rule.names(tool)
                && match &rule.spec {
                    Spec::Any => true,
                    Spec::Name(pattern) => pattern.fits(&self.name()),
                    Spec::Command(_) | Spec::Path(_) | Spec::Domain(_) | Spec::Param { .. } => {
                        false
                    }
                }
        };
        match self.policy.rules.allow.iter().find(allowed) {
            Some(rule) => Finding::by_rule(Ruling::Allow, &rule.text, tool),
            None => {
                let hint = self.untrusted_hint(allowed);
                Finding::built_in(Ruling::Ask, format!("no rule allows {tool}{hint}"))
            }
        }
    }

    /// Says that a rule of the project would allow it, were the project trusted.
    fn untrusted_hint(&self, fits: impl Fn(&&Rule) -> bool) -> String {
        match self.policy.rules.untrusted.iter().find(fits) {
            Some(rule) => {
                format!(
                    " (the project's rule {} counts only once the folder is trusted)",
                    rule.text.value
                )
            }
            None => String::new(),
        }
    }

    fn url(&self, text: &str) -> Finding {
        let target = match url::target(text) {
            Ok(target) => target,
            Err(why) => return Finding::firm(why),
        };
        let host = target.host.as_str();
        let names_host = |rule: &&Rule| matches!(&rule.spec, Spec::Domain(pattern) if url::host_matches(pattern, host));
        for (list, ruling) in [(List::Deny, Ruling::Deny), (List::Ask, Ruling::Ask)] {
            if let Some(rule) = self.policy.rules.list(list).iter().find(names_host) {
                return Finding::by_rule(ruling, &rule.text, host);
            }
        }
        if target.class == Class::Metadata {
            let because = format!("{host} hands out the credentials of cloud machines");
            return Finding::built_in(Ruling::Deny, because);
        }
        if self.policy.mode == Mode::BypassPermissions {
            return Finding::by_mode(Ruling::Allow, "bypassPermissions mode is on");
        }
        let allow = &self.policy.rules.allow;
        if target.class == Class::Private {
            // A rule for every host does not mean this machine.
            let named = allow.iter().find(|rule| {
                matches!(&rule.spec, Spec::Domain(pattern) if !pattern.contains('*'))
                    && names_host(rule)
            });
            return match named {
                Some(rule) => Finding::by_rule(Ruling::Allow, &rule.text, host),
                None => Finding::built_in(
                    Ruling::Deny,
                    format!(
                        "{host} is on this machine or its network; the rule WebFetch(domain:{host}) would allow it"
                    ),
                ),
            };
        }
        let any = |rule: &&Rule| rule.tool == "WebFetch" && matches!(rule.spec, Spec::Any);
        match allow.iter().find(|rule| any(rule) || names_host(rule)) {
            Some(rule) => Finding::by_rule(Ruling::Allow, &rule.text, host),
            None => {
                let hint = self.untrusted_hint(names_host);
                Finding::built_in(Ruling::Ask, format!("no rule allows fetching from {host}{hint}"))
            }
        }
    }

    /// What a hook said. Its allow never beats a deny, a rule that asks, or a firm question.
    fn hooked(&self, finding: Finding) -> Finding {
        match (&self.facts.hook, finding.ruling) {
            (Some(HookRuling::Deny { because }), _) => {
                Finding::built_in(Ruling::Deny, format!("a hook refuses it: {because}"))
            }
            (Some(HookRuling::Ask { because }), Ruling::Allow) => {
                Finding::firm(format!("a hook asks: {because}"))
            }
            (Some(HookRuling::Allow), Ruling::Ask) if !finding.firm => {
                Finding::built_in(Ruling::Allow, "a hook allows it")
            }
            _ => finding,
        }
    }
}

/// The words for what a use does to a path.
fn verb(use_: Use) -> &'static str {
    match use_ {
        Use::Reads => "reading",
        Use::Writes => "writing",
    }
}

#[cfg(test)]
mod tests;
