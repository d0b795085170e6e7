//! All rules of a session, read and checked.

use super::folder::{Folders, PathPattern};
use super::{
    CommandPattern, List, Rule, Spec, TOOLS, current_name, is_edit_tool, is_read_tool, split,
};
use crate::permissions::access::Use;
use crate::protocol::Sourced;
use std::path::{Path, PathBuf};

/// The lists as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleTexts {
    pub allow: Vec<Sourced<String>>,
    pub ask: Vec<Sourced<String>>,
    pub deny: Vec<Sourced<String>>,
}

#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    pub allow: Vec<Rule>,
    pub ask: Vec<Rule>,
    pub deny: Vec<Rule>,
    /// Allow rules of the project that do not count before it is trusted.
    pub untrusted: Vec<Rule>,
}

/// A rule that has no effect, or another one than it seems.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleProblem {
    pub rule: Sourced<String>,
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl std::fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.rule.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.rule.line {
                write!(f, " line {line}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}: {}", self.rule.value, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl RuleSet {
    /// Allow rules that come from the project's files are set aside unless it is `trusted`; deny and ask
    /// rules always hold.
    pub fn new(texts: &RuleTexts, folders: &Folders, trusted: bool) -> (RuleSet, Vec<RuleProblem>) {
        let mut set = RuleSet::default();
        let mut problems = Vec::new();
        let lists =
            [(List::Deny, &texts.deny), (List::Ask, &texts.ask), (List::Allow, &texts.allow)];
        for (list, texts) in lists {
            for text in texts {
                match read(text, list, folders) {
                    Ok((rule, notice)) => {
                        problems.extend(notice);
                        let from_project = text.source.is_project();
                        match list {
                            List::Deny => set.deny.push(rule),
                            List::Ask => set.ask.push(rule),
                            List::Allow if from_project && !trusted => set.untrusted.push(rule),
                            List::Allow => set.allow.push(rule),
                        }
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
        problems.extend(hidden(&set));
        (set, problems)
    }

    pub fn list(&self, list: List) -> &[Rule] {
        match list {
            List::Allow => &self.allow,
            List::Ask => &self.ask,
            List::Deny => &self.deny,
        }
    }

    /// Whether any deny or ask rule speaks of reading some path.
    pub fn limits_reading(&self) -> bool {
        self.deny
            .iter()
            .chain(&self.ask)
            .any(|rule| matches!(rule.spec, Spec::Path(_)) && rule.tool == "Read")
    }

    /// The first deny or ask rule that speaks of a path. A rule against reading also stops writing.
    pub fn stopping(
        &self,
        list: List,
        use_: Use,
        steps: &[PathBuf],
        is_dir: bool,
    ) -> Option<&Rule> {
        self.list(list).iter().find(|rule| {
            match &rule.spec {
                // A bare `Edit` speaks of every write.
                Spec::Any => rule.tool == "Edit" && use_ == Use::Writes,
                Spec::Path(pattern) => {
                    (rule.tool == "Read" || use_ == Use::Writes)
                        && steps.iter().any(|step| pattern.covers(step, is_dir))
                }
                Spec::Command(_) | Spec::Domain(_) | Spec::Name(_) | Spec::Param { .. } => false,
            }
        })
    }

    /// The first allow rule that covers one path, for `tool` where it is a tool of its own.
    pub fn permitting(&self, use_: Use, tool: &str, step: &Path, is_dir: bool) -> Option<&Rule> {
        self.allow.iter().find(|rule| {
            let family = match use_ {
                Use::Reads => rule.tool == "Read",
                Use::Writes => rule.tool == "Edit",
            };
            match &rule.spec {
                Spec::Any => family || rule.tool == current_name(tool),
                Spec::Path(pattern) => family && pattern.covers(step, is_dir),
                Spec::Command(_) | Spec::Domain(_) | Spec::Name(_) | Spec::Param { .. } => false,
            }
        })
    }
}

/// Rules that never decide anything, because a stricter one always comes before them.
fn hidden(set: &RuleSet) -> Vec<RuleProblem> {
    let find = |rules: &[Rule], stricter: &[(&str, &[Rule])], word: &str| {
        let problem = |rule: &Rule| {
            let (list, by) = stricter
                .iter()
                .find_map(|(list, rules)| Some((list, rules.iter().find(|by| hides(by, rule))?)))?;
            Some(RuleProblem {
                rule: rule.text.clone(),
                message: format!(
                    "it never {word}, since the {list} rule {} comes first",
                    by.text.value
                ),
                hint: None,
            })
        };
        rules.iter().filter_map(problem).collect::<Vec<_>>()
    };
    let mut problems = find(&set.allow, &[("deny", &set.deny), ("ask", &set.ask)], "allows");
    problems.extend(find(&set.ask, &[("deny", &set.deny)], "asks"));
    problems
}

/// Whether whatever `rule` speaks of, `by` speaks of, too. Not every such pair is found.
fn hides(by: &Rule, rule: &Rule) -> bool {
    // The same path is another one where it is anchored at another folder.
    let same = by.text.value.trim() == rule.text.value.trim()
        && (!matches!(rule.spec, Spec::Path(_)) || by.text.file == rule.text.file);
    // A bare rule for reading is about the tool; one with a path also speaks of commands.
    let whole = matches!(by.spec, Spec::Any) && by.tool != "Read";
    same || (whole && (by.tool == rule.tool || super::wildcard(&by.tool, &rule.tool)))
}

type Read = Result<(Rule, Option<RuleProblem>), RuleProblem>;

fn read(text: &Sourced<String>, list: List, folders: &Folders) -> Read {
    let problem = |message: &str, hint: Option<String>| RuleProblem {
        rule: text.clone(),
        message: message.to_owned(),
        hint,
    };
    let (tool, spec) = split(&text.value).map_err(|message| problem(&message, None))?;
    let tool = current_name(tool);
    if tool.contains('*') && list == List::Allow {
        let server = tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
        if server.is_none_or(|(server, _)| server.contains('*')) {
            return Err(problem("an allow rule must name a tool, so this one has no effect", None));
        }
    }
    let known = TOOLS.contains(&tool) || tool.starts_with("mcp__") || tool.contains('*');
    if !known {
        let nearest = TOOLS
            .iter()
            .map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &tool.to_lowercase()), name))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = nearest.map(|(_, name)| format!("did you mean {name}?"));
        // A deny rule for a tool that tern does not know may still name one that a server brings.
        let notice = problem("no tool has this name", hint);
        let rule = Rule { text: text.clone(), tool: tool.to_owned(), spec: Spec::Any };
        return if spec.is_none() { Ok((rule, Some(notice))) } else { Err(notice) };
    }
    let Some(spec) = spec else {
        return Ok((Rule { text: text.clone(), tool: tool.to_owned(), spec: Spec::Any }, None));
    };
    let param = parameter(spec).filter(|_| list != List::Allow);
    let mut notice = None;
    let mut named = tool;
    let spec = match tool {
        "Bash" | "Monitor" | "PowerShell" => {
            let pattern = CommandPattern::new(spec);
            match param {
                Some((name, value)) => Spec::Param {
                    name: name.to_owned(),
                    value: value.to_owned(),
                    or: Some(pattern),
                },
                None => Spec::Command(pattern),
            }
        }
        "Read" | "Edit" => Spec::Path(
            PathPattern::new(spec, list, text, folders)
                .map_err(|message| problem(&message, None))?,
        ),
        _ if is_edit_tool(tool) || is_read_tool(tool) => {
            let family = if is_edit_tool(tool) { "Edit" } else { "Read" };
            let hint = Some(format!("write {family}({spec})"));
            if list == List::Allow {
                return Err(problem(
                    "path rules are written for Edit and Read, so this one has no effect",
                    hint,
                ));
            }
            notice = Some(problem(&format!("it is taken as {family}({spec})"), hint));
            named = family;
            Spec::Path(
                PathPattern::new(spec, list, text, folders)
                    .map_err(|message| problem(&message, None))?,
            )
        }
        "WebFetch" => match spec.strip_prefix("domain:") {
            Some(host) if !host.trim().is_empty() => Spec::Domain(host.trim().to_owned()),
            _ => {
                let hint = Some(format!("write WebFetch(domain:{})", spec.trim()));
                return Err(problem("a rule for WebFetch names a domain", hint));
            }
        },
        "Agent" | "Skill" | "Cd" => match param {
            Some((name, value)) => {
                Spec::Param { name: name.to_owned(), value: value.to_owned(), or: None }
            }
            None => Spec::Name(CommandPattern::new(spec)),
        },
        _ => match param {
            Some((name, value)) => {
                Spec::Param { name: name.to_owned(), value: value.to_owned(), or: None }
            }
            None => {
                let hint = Some(format!("write {tool}"));
                return Err(problem(
                    "this tool takes no specifier, so the rule has no effect",
                    hint,
                ));
            }
        },
    };
    Ok((Rule { text: text.clone(), tool: named.to_owned(), spec }, notice))
}

/// `name:value` with a name like that of an input field. `npm:*` is the old form of a prefix.
fn parameter(spec: &str) -> Option<(&str, &str)> {
    let (name, value) = spec.split_once(':')?;
    let valid = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (valid && !value.is_empty() && value != "*").then_some((name, value))
}
