//! What a setting can be: the check of a value as written against its kind, and its way back to
//! text. One complaint a mistake; what is right in a list with a mistake still counts.

use crate::config::file::{Item, Node, plain};
use crate::config::hooks;
use crate::config::table::nearest;
use crate::protocol::{Mode, Money};

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Text,
    /// Text that is never shown.
    Secret,
    /// `http` or `https`, without a query.
    Url,
    Flag,
    Count {
        least: u64,
        most: u64,
    },
    /// A number from 0 to 1.
    Share,
    /// Dollars.
    Usd,
    Choice(&'static [&'static str]),
    Mode,
    /// One text or a list of them; a higher file replaces it whole.
    Words,
    /// A list that adds up over all files.
    Adds,
    /// Commands that run at an event; they add up over all files.
    Hooks,
    /// A table that another module reads in its own way.
    Raw,
    /// A name that is reserved: anything is taken, nothing is done, and that is reported.
    Unused,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Secret(Hidden),
    Flag(bool),
    Count(u64),
    Share(f64),
    Usd(Money),
    Words(Vec<String>),
    Hook(hooks::Written),
    Raw(toml::Value),
}

/// Text that does not show when it is printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub line: u32,
    pub message: String,
    pub hint: Option<String>,
}

/// The value with its line; several for a list that adds up.
pub type Checked = Vec<(Value, u32)>;

/// Reads `item` as a value of `kind`. `name` is the dotted name, for the complaints.
pub fn check(kind: Kind, name: &str, item: &Item, complaints: &mut Vec<Complaint>) -> Checked {
    let mut complain = |line: u32, message: String, hint: Option<String>| {
        complaints.push(Complaint { line, message, hint });
    };
    let one = |value| vec![(value, item.line)];
    match (kind, &item.node) {
        (Kind::Unused, _) => {
            complain(item.line, format!("{name} is not used by this version of tern"), None);
            Vec::new()
        }
        (Kind::Text, Node::Text(text)) if !text.trim().is_empty() => one(Value::Text(text.clone())),
        (Kind::Secret, Node::Text(text)) if !text.trim().is_empty() => {
            one(Value::Secret(Hidden(text.clone())))
        }
        (Kind::Url, Node::Text(text)) => match url_fault(text) {
            None => one(Value::Text(text.trim_end_matches('/').to_owned())),
            Some(fault) => {
                let hint = "a base URL looks like \"http://127.0.0.1:8080/v1\"";
                complain(item.line, format!("{name} {fault}"), Some(hint.into()));
                Vec::new()
            }
        },
        (Kind::Hooks, Node::List(_) | Node::Table(_)) => hooks::check(name, item, &mut complain)
            .into_iter()
            .map(|(hook, line)| (Value::Hook(hook), line))
            .collect(),
        (Kind::Raw, node @ Node::Table(_)) => one(Value::Raw(plain(node))),
        (Kind::Flag, Node::Flag(flag)) => one(Value::Flag(*flag)),
        (Kind::Count { least, most }, Node::Int(int)) => match u64::try_from(*int) {
            Ok(count) if (least..=most).contains(&count) => one(Value::Count(count)),
            _ => {
                let message = format!("{name} is {int}, but it goes from {least} to {most}");
                complain(item.line, message, None);
                Vec::new()
            }
        },
        (Kind::Share, Node::Int(_) | Node::Float(_)) => match number(&item.node) {
            share if (0.0..=1.0).contains(&share) => one(Value::Share(share)),
            share => {
                let hint = "80 % is written 0.8".to_owned();
                complain(
                    item.line,
                    format!("{name} is {share}, but it goes from 0 to 1"),
                    Some(hint),
                );
                Vec::new()
            }
        },
        (Kind::Usd, Node::Int(_) | Node::Float(_)) => match Money::from_usd(number(&item.node)) {
            Some(money) => one(Value::Usd(money)),
            None => {
                complain(item.line, format!("{name} is not a sum of money"), None);
                Vec::new()
            }
        },
        (Kind::Choice(choices), Node::Text(text)) => {
            if let Some(choice) = choices.iter().find(|choice| *choice == text) {
                return one(Value::Text((*choice).to_owned()));
            }
            let message = format!("unknown {name} {text:?}");
            complain(item.line, message, Some(one_of("it is", text, choices)));
            Vec::new()
        }
        (Kind::Mode, Node::Text(text)) => mode(text, item.line, complain).map_or(Vec::new(), one),
        (Kind::Words, Node::Text(text)) => one(Value::Words(vec![text.clone()])),
        (Kind::Words, Node::List(items)) => {
            let words = texts(name, items, &mut complain).into_iter().map(|(word, _)| word);
            one(Value::Words(words.collect()))
        }
        (Kind::Adds, Node::List(items)) => texts(name, items, &mut complain)
            .into_iter()
            .map(|(text, line)| (Value::Text(text), line))
            .collect(),
        (_, node) => {
            let got = match node {
                Node::Text(text) if text.trim().is_empty() => "empty",
                node => node.kind(),
            };
            complain(item.line, format!("{name} is {}, not {got}", kind.words()), kind.hint());
            Vec::new()
        }
    }
}

/// The value as TOML, for showing and writing.
pub fn toml_text(value: &Value) -> String {
    toml_value(value).to_string()
}

pub fn toml_value(value: &Value) -> toml_edit::Value {
    match value {
        Value::Text(text) | Value::Secret(Hidden(text)) => text.as_str().into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Count(count) => i64::try_from(*count).unwrap_or(i64::MAX).into(),
        Value::Share(share) => (*share).into(),
        Value::Usd(money) => money.usd().into(),
        Value::Hook(hook) => hook.toml(),
        Value::Raw(raw) => raw.to_string().parse().unwrap_or_else(|_| "".into()),
        Value::Words(words) => match words.as_slice() {
            [word] => word.as_str().into(),
            words => words.iter().map(String::as_str).collect::<toml_edit::Array>().into(),
        },
    }
}

impl Kind {
    /// What a value of this kind is, as a person calls it.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Text | Kind::Secret | Kind::Choice(_) | Kind::Mode => "text",
            Kind::Url => "a URL",
            Kind::Flag => "true or false",
            Kind::Count { .. } => "a whole number",
            Kind::Share => "a number from 0 to 1",
            Kind::Usd => "a number of dollars",
            Kind::Words => "text or a list of texts",
            Kind::Adds => "a list of texts",
            Kind::Hooks => "a list of hooks",
            Kind::Raw => "a table",
            Kind::Unused => "reserved",
        }
    }

    fn hint(self) -> Option<String> {
        match self {
            Kind::Flag => Some("write it without quotes".into()),
            Kind::Hooks => Some("write [[hooks.pre-tool-use]] with matcher and command".into()),
            Kind::Adds => Some("write [\"..\", \"..\"]".into()),
            Kind::Choice(choices) => Some(format!("it is one of {}", choices.join(", "))),
            _ => None,
        }
    }
}

fn number(node: &Node) -> f64 {
    match node {
        Node::Int(int) => *int as f64,
        Node::Float(float) => *float,
        _ => f64::NAN,
    }
}

fn mode(
    text: &str,
    line: u32,
    mut complain: impl FnMut(u32, String, Option<String>),
) -> Option<Value> {
    let names = Mode::ALL.map(Mode::name);
    let counts = match Mode::parse(text) {
        Some(mode) => mode,
        None if text.eq_ignore_ascii_case("auto") => {
            let message = "mode \"auto\" is not available and counts as default".to_owned();
            complain(line, message, Some(format!("modes are {}", names.join(", "))));
            Mode::Default
        }
        // The name that Claude Code's settings have for the same.
        None if text == "manual" => Mode::Default,
        None => {
            complain(
                line,
                format!("unknown mode {text:?}"),
                Some(one_of("modes are", text, &names)),
            );
            return None;
        }
    };
    Some(Value::Text(counts.name().to_owned()))
}

fn one_of(lead: &str, text: &str, choices: &[&str]) -> String {
    let list = format!("{lead} {}", choices.join(", "));
    match nearest(text, choices.iter().copied()) {
        Some(near) => format!("did you mean {near:?}? {list}"),
        None => list,
    }
}

fn texts(
    name: &str,
    items: &[Item],
    complain: &mut impl FnMut(u32, String, Option<String>),
) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for item in items {
        match &item.node {
            Node::Text(text) if !text.trim().is_empty() => found.push((text.clone(), item.line)),
            Node::Text(_) => complain(item.line, format!("{name} holds an empty text"), None),
            node => {
                complain(item.line, format!("{name} holds texts, not {}", node.kind()), None);
            }
        }
    }
    found
}

fn url_fault(text: &str) -> Option<String> {
    match url::Url::parse(text) {
        Err(why) => Some(format!("is not a URL: {why}")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some(format!("has the scheme {:?}, not http or https", url.scheme()))
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Some("has a query or a fragment".into())
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("has a name or password in it".into())
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: Kind, node: Node) -> (Vec<Value>, Vec<String>) {
        let mut complaints = Vec::new();
        let values = check(kind, "k", &Item { node, line: 1 }, &mut complaints);
        let told = complaints.into_iter().map(|c| match c.hint {
            Some(hint) => format!("{}; {hint}", c.message),
            None => c.message,
        });
        (values.into_iter().map(|(value, _)| value).collect(), told.collect())
    }

    fn text(text: &str) -> Node {
        Node::Text(text.into())
    }

    #[test]
    fn right_values_are_taken_as_they_are() {
        for (kind, node, value) in [
            (Kind::Text, text("a"), Value::Text("a".into())),
            (Kind::Url, text("http://h:1/v1/"), Value::Text("http://h:1/v1".into())),
            (Kind::Flag, Node::Flag(false), Value::Flag(false)),
            (Kind::Count { least: 1, most: 9 }, Node::Int(9), Value::Count(9)),
            (Kind::Share, Node::Int(1), Value::Share(1.0)),
            (Kind::Usd, Node::Float(0.42), Value::Usd(Money(420_000))),
            (Kind::Choice(&["a", "b"]), text("b"), Value::Text("b".into())),
            (Kind::Mode, text("PLAN"), Value::Text("plan".into())),
            (Kind::Mode, text("manual"), Value::Text("default".into())),
            (Kind::Words, text("ctrl+x"), Value::Words(vec!["ctrl+x".into()])),
        ] {
            assert_eq!(checked(kind, node.clone()), (vec![value], vec![]), "{node:?}");
        }
    }

    #[test]
    fn wrong_values_are_told_in_a_sentence() {
        let count = Kind::Count { least: 1, most: 9 };
        for (kind, node, told) in [
            (Kind::Text, Node::Int(1), "k is text, not a whole number"),
            (Kind::Text, text(" "), "k is text, not empty"),
            (Kind::Flag, text("yes"), "k is true or false, not text; write it without quotes"),
            (count, Node::Int(0), "k is 0, but it goes from 1 to 9"),
            (count, Node::Int(-3), "k is -3, but it goes from 1 to 9"),
            (count, Node::Float(1.5), "k is a whole number, not a number"),
            (Kind::Share, Node::Int(80), "k is 80, but it goes from 0 to 1; 80 % is written 0.8"),
            (
                Kind::Share,
                Node::Float(f64::NAN),
                "k is NaN, but it goes from 0 to 1; 80 % is written 0.8",
            ),
            (Kind::Usd, Node::Float(-1.0), "k is not a sum of money"),
            (
                Kind::Choice(&["vim", "emacs"]),
                text("vi"),
                "unknown k \"vi\"; did you mean \"vim\"? it is vim, emacs",
            ),
            (Kind::Adds, text("Bash"), "k is a list of texts, not text; write [\"..\", \"..\"]"),
            (
                Kind::Url,
                text("ftp://x"),
                "k has the scheme \"ftp\", not http or https; a base URL looks like \"http://127.0.0.1:8080/v1\"",
            ),
            (
                Kind::Mode,
                text("yolo"),
                "unknown mode \"yolo\"; modes are default, acceptEdits, plan, dontAsk, bypassPermissions",
            ),
            (Kind::Unused, Node::Flag(true), "k is not used by this version of tern"),
        ] {
            assert_eq!(checked(kind, node.clone()), (vec![], vec![told.to_owned()]), "{node:?}");
        }
    }

    #[test]
    fn auto_counts_as_default_and_a_list_keeps_what_is_right() {
        let (values, told) = checked(Kind::Mode, text("auto"));
        assert_eq!(values, [Value::Text("default".into())]);
        assert!(told[0].starts_with("mode \"auto\" is not available"), "{told:?}");
        let list = [text("A"), Node::Int(1), text("B")].map(|node| Item { node, line: 1 });
        let (values, told) = checked(Kind::Adds, Node::List(list.to_vec()));
        assert_eq!(values, [Value::Text("A".into()), Value::Text("B".into())]);
        assert_eq!(told, ["k holds texts, not a whole number"]);
    }
}
