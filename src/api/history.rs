//! The conversation in the strict form that every wire takes: roles alternate, nothing is empty,
//! and the results of calls come first in their turn.
//!
//! *Invariant:* what was sent once stays as it was when messages are added, so that prompt caches
//! hit: turns grow only at their end.

use crate::protocol::{Message, Part, Role};

/// All that one side says before the other does.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn<'a> {
    pub role: Role,
    pub parts: Vec<&'a Part>,
}

/// Joins neighbouring messages of one role (a prompt after an interrupted one), leaves out blank
/// texts, parts that this wire cannot carry (`carries` is false), and turns without parts.
pub fn turns(messages: &[Message], carries: impl Fn(&Part) -> bool) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in messages {
        // A model stops short when text comes between its calls and their results.
        let results = message.parts.iter().filter(|part| matches!(part, Part::Result { .. }));
        let others = message.parts.iter().filter(|part| !matches!(part, Part::Result { .. }));
        let parts: Vec<&Part> =
            results.chain(others).filter(|part| !is_blank(part) && carries(part)).collect();
        if parts.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(last) if last.role == message.role => last.parts.extend(parts),
            _ => turns.push(Turn { role: message.role, parts }),
        }
    }
    turns
}

/// Servers reject texts of white space only.
fn is_blank(part: &Part) -> bool {
    matches!(part, Part::Text { text } if text.trim().is_empty())
}

/// `name` with everything but letters, digits, `_` and `-` replaced, and cut to `most` characters:
/// what every server accepts for names and ids in a history that another server wrote.
pub fn plain_name(name: &str, most: usize) -> String {
    let plain: String = name
        .chars()
        .take(most)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
        .collect();
    if plain.is_empty() { "_".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CallId;

    fn text(text: &str) -> Part {
        Part::Text { text: text.to_owned() }
    }

    fn result(call: &str) -> Part {
        Part::Result { call: CallId(call.to_owned()), text: String::new(), is_error: false }
    }

    #[test]
    fn turns_alternate_hold_something_and_begin_with_results() {
        let thought = Part::Thinking { text: "hm".to_owned(), signature: None };
        let messages = [
            Message::user("a"),
            Message { role: Role::Assistant, parts: vec![thought, text(" \n")] },
            Message {
                role: Role::User,
                parts: vec![text(""), text("b"), result("1"), text("c"), result("2")],
            },
            Message::assistant("d"),
            Message::assistant("e"),
        ];
        let turns = turns(&messages, |part| !matches!(part, Part::Thinking { .. }));
        let expected = [
            (Role::User, vec![text("a"), result("1"), result("2"), text("b"), text("c")]),
            (Role::Assistant, vec![text("d"), text("e")]),
        ];
        let owned: Vec<(Role, Vec<Part>)> = turns
            .iter()
            .map(|turn| (turn.role, turn.parts.iter().map(|&part| part.clone()).collect()))
            .collect();
        assert_eq!(owned, expected);
    }

    #[test]
    fn names_from_elsewhere_become_plain() {
        for (name, plain) in [
            ("toolu_01-A", "toolu_01-A"),
            ("functions.Read:0", "functions_Read_0"),
            ("a\nb\u{1b}[31m", "a_b__31m"),
            ("", "_"),
        ] {
            assert_eq!(plain_name(name, 64), plain);
        }
        assert_eq!(plain_name("0123456789abc", 10), "0123456789");
    }
}
