//! Hooks as the settings files write them: `[[hooks.pre-tool-use]]` in tern's own, an object of
//! events in `.claude/settings.json`. What a hook may do is not decided here (`hooks`).

use std::time::Duration;

use serde_json::value::RawValue;

use crate::config::file::{Item, Lines, Node};
use crate::protocol::HookEvent;

/// A command that runs when something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    pub event: HookEvent,
    /// What it is about: empty or `*` everything, `A|B` these names, else a regular expression.
    pub matcher: String,
    /// For the shell.
    pub command: String,
    pub timeout: Duration,
    /// Nobody waits for it, and what it says does not count.
    pub detached: bool,
}

/// The same without its event, which is the name of the list that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    matcher: String,
    command: String,
    timeout: Duration,
    detached: bool,
}

const TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST: u64 = 3_600;
/// More of one event would only keep everything waiting.
const MOST: usize = 50;

impl Written {
    pub fn at(&self, event: HookEvent) -> Hook {
        Hook {
            event,
            matcher: self.matcher.clone(),
            command: self.command.clone(),
            timeout: self.timeout,
            detached: self.detached,
        }
    }

    pub fn toml(&self) -> toml_edit::Value {
        let mut table = toml_edit::InlineTable::new();
        if !self.matcher.is_empty() {
            table.insert("matcher", self.matcher.as_str().into());
        }
        table.insert("command", self.command.as_str().into());
        table.insert("timeout", i64::try_from(self.timeout.as_secs()).unwrap_or(i64::MAX).into());
        if self.detached {
            table.insert("async", true.into());
        }
        table.into()
    }
}

/// Reads one hook or a list of them. One that is wrong does not count.
pub fn check(
    name: &str,
    item: &Item,
    complain: &mut impl FnMut(u32, String, Option<String>),
) -> Vec<(Written, u32)> {
    let items = match &item.node {
        Node::List(items) => items.as_slice(),
        _ => std::slice::from_ref(item),
    };
    if items.len() > MOST {
        let message = format!("{name} holds {} hooks; the first {MOST} count", items.len());
        complain(item.line, message, None);
    }
    items.iter().take(MOST).filter_map(|item| one(name, item, complain)).collect()
}

fn one(
    name: &str,
    item: &Item,
    complain: &mut impl FnMut(u32, String, Option<String>),
) -> Option<(Written, u32)> {
    let mut wrong = |message: String, hint: &str| {
        complain(item.line, format!("{name}: {message}"), Some(hint.to_owned()));
    };
    let Node::Table(fields) = &item.node else {
        wrong(format!("a hook is a table, not {}", item.node.kind()), "it has matcher and command");
        return None;
    };
    let mut hook = Written {
        matcher: String::new(),
        command: String::new(),
        timeout: TIMEOUT,
        detached: false,
    };
    for (field, value) in fields {
        match (field.as_str(), &value.node) {
            ("matcher", Node::Text(text)) => hook.matcher = text.trim().to_owned(),
            ("command", Node::Text(text)) => hook.command = text.trim().to_owned(),
            ("timeout", Node::Int(seconds)) => match u64::try_from(*seconds) {
                Ok(seconds @ 1..=LONGEST) => hook.timeout = Duration::from_secs(seconds),
                _ => {
                    let message = format!("timeout is {seconds}, but it goes from 1 to {LONGEST}");
                    wrong(message, "it counts seconds");
                }
            },
            ("async", Node::Flag(detached)) => hook.detached = *detached,
            ("type", Node::Text(kind)) if kind == "command" => {}
            ("type", Node::Text(kind)) => {
                wrong(format!("a hook of type {kind:?} does not count"), "only commands run here");
                return None;
            }
            ("statusMessage" | "once", _) => {}
            ("matcher" | "command" | "timeout" | "async", node) => {
                wrong(format!("{field} cannot be {}", node.kind()), "the hook does not count");
                return None;
            }
            // What would narrow a hook cannot be left out: it would run where it was not meant to.
            (other, _) => {
                let hint = "a hook has matcher, command, timeout and async";
                wrong(format!("{other} is not known, so the hook does not count"), hint);
                return None;
            }
        }
    }
    if hook.command.is_empty() {
        wrong("a hook without a command does not count".to_owned(), "command = \"..\"");
        return None;
    }
    if let Some(why) = matcher_fault(&hook.matcher) {
        wrong(format!("matcher {:?} {why}", hook.matcher), "names are joined with |");
        return None;
    }
    Some((hook, item.line))
}

/// `None`: it can be used.
fn matcher_fault(matcher: &str) -> Option<String> {
    if matcher.is_empty() || matcher == "*" {
        return None;
    }
    match regex::RegexBuilder::new(matcher).size_limit(1 << 20).build() {
        Ok(_) => None,
        Err(_) => Some("is not a regular expression".to_owned()),
    }
}

/// The `hooks` object of a `.claude/settings.json`, in the shape that a TOML file has: Claude Code
/// nests the commands of a matcher, here each has its own.
pub fn of_claude(raw: &RawValue, line: &impl Fn(&RawValue) -> u32) -> Option<Node> {
    type Object<'a> = std::collections::BTreeMap<String, &'a RawValue>;
    let events: Object<'_> = serde_json::from_str(raw.get()).ok()?;
    let mut lists = Vec::new();
    for (event, groups) in events {
        let mut hooks = Vec::new();
        for group in serde_json::from_str::<Vec<&RawValue>>(groups.get()).ok()? {
            let Ok(group) = serde_json::from_str::<Object<'_>>(group.get()) else { continue };
            let matcher = group
                .get("matcher")
                .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
                .unwrap_or_default();
            let inner = group
                .get("hooks")
                .and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
            for hook in inner.into_iter().flatten() {
                let line = line(hook);
                let Ok(fields) = serde_json::from_str::<Object<'_>>(hook.get()) else { continue };
                let item = |node| Item { node, line };
                let mut entries = vec![("matcher".to_owned(), item(Node::Text(matcher.clone())))];
                for (name, raw) in fields {
                    if let Ok(node) = super::claude::plain(raw) {
                        entries.push((name, item(node)));
                    }
                }
                hooks.push(item(Node::Table(entries)));
            }
        }
        // The spelling that tern's own files have, so that both add up in one list.
        let name = HookEvent::parse(&event)
            .and_then(|event| serde_json::to_value(event).ok()?.as_str().map(str::to_owned))
            .unwrap_or(event);
        lists.push((name, Item { node: Node::List(hooks), line: line(groups) }));
    }
    Some(Node::Table(lists))
}

/// The hooks of a plugin's `hooks.json`, each with its line, and what is wrong with others.
pub fn of_plugin(text: &str) -> (Vec<(Hook, u32)>, Vec<String>) {
    let lines = Lines::of(text);
    let line = line_in(text, &lines);
    let root = serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(text);
    let raw = match root {
        Err(why) => return (Vec::new(), vec![format!("is not valid JSON: {why}")]),
        Ok(root) => match root.get("hooks") {
            Some(raw) => *raw,
            None => return (Vec::new(), Vec::new()),
        },
    };
    let Some(Node::Table(lists)) = of_claude(raw, &line) else {
        return (Vec::new(), vec!["hooks is no object of lists".to_owned()]);
    };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (name, list) in lists {
        let Some(event) = HookEvent::parse(&name) else {
            wrong.push(format!("there is no hook event {name:?}"));
            continue;
        };
        let mut complain = |_, message: String, _| wrong.push(message);
        let hooks = check(&name, &list, &mut complain);
        found.extend(hooks.into_iter().map(|(hook, line)| (hook.at(event), line)));
    }
    (found, wrong)
}

/// Where in the text a piece of it stands.
pub fn line_in<'a>(text: &'a str, lines: &'a Lines) -> impl Fn(&RawValue) -> u32 + 'a {
    // A raw value is a slice of `text`, so its address tells its place.
    |raw| lines.at((raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::toml;

    fn checked(text: &str) -> (Vec<(String, String, u64)>, Vec<String>) {
        let (entries, faults) = toml(text);
        assert_eq!(faults, []);
        let mut told = Vec::new();
        let mut complain = |_, message: String, _| told.push(message);
        let hooks = check("h", &entries[0].1, &mut complain);
        let shown =
            hooks.into_iter().map(|(hook, _)| (hook.matcher, hook.command, hook.timeout.as_secs()));
        (shown.collect(), told)
    }

    #[test]
    fn hooks_are_read_and_wrong_ones_do_not_count() {
        let (hooks, told) = checked(
            "[[h]]\nmatcher = \"Edit|Write\"\ncommand = \"fmt\"\ntimeout = 5\n[[h]]\ncommand = \"all\"\n",
        );
        let all = ("Edit|Write".to_owned(), "fmt".to_owned(), 5);
        assert_eq!(hooks, [all, (String::new(), "all".to_owned(), 60)]);
        assert_eq!(told, Vec::<String>::new());
        for (text, said) in [
            ("h = [{ matcher = \"Bash\" }]", "without a command"),
            ("h = [{ command = \"x\", matcher = \"[\" }]", "not a regular expression"),
            ("h = [{ command = \"x\", if = \"Bash(git *)\" }]", "if is not known"),
            ("h = [{ command = \"x\", type = \"http\" }]", "type \"http\""),
            ("h = [3]", "a hook is a table"),
        ] {
            let (hooks, told) = checked(text);
            assert_eq!(hooks, [], "{text}");
            assert!(told[0].contains(said), "{text}: {told:?}");
        }
    }
}
