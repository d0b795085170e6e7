//! Names of servers and tools as the model, the rules and the log know them:
//! `mcp__SERVER__TOOL`, of letters, digits, `_` and `-`, at most 64 in all.
//!
//! *Invariant:* a server's part never holds `__`, so the first `__` after `mcp__` is where it ends
//! and a rule for one server never speaks of another one.

use std::collections::BTreeSet;

use crate::mcp::define::hash;

/// The longest name of a tool that every wire format takes.
const LONGEST: usize = 64;
const SERVER: usize = 32;

/// The part of a name that stands for a server; `taken` holds those of other servers.
pub fn server(name: &str, taken: &BTreeSet<String>) -> String {
    let mut part = String::new();
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        if c != '_' || !part.ends_with('_') {
            part.push(c);
        }
    }
    let trimmed = part.trim_matches('_');
    let part = if trimmed.is_empty() { "server" } else { trimmed };
    unique(part, name, SERVER, taken)
}

/// The whole name of a tool; `taken` holds those of the server's other tools.
pub fn tool(server: &str, tool: &str, taken: &BTreeSet<String>) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let part: String = tool.chars().map(legal).collect();
    let part = if part.is_empty() { "tool" } else { &part };
    unique(&format!("mcp__{server}__{part}"), tool, LONGEST, taken)
}

/// The server and the tool of a whole name.
pub fn split(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("mcp__")?
        .split_once("__")
        .filter(|(server, tool)| !server.is_empty() && !tool.is_empty())
}

/// `part` cut to `longest`; where it was cut or is taken, its end tells it apart by a hash of what
/// it stands for.
fn unique(part: &str, whole: &str, longest: usize, taken: &BTreeSet<String>) -> String {
    if part.len() <= longest && !taken.contains(part) {
        return part.to_owned();
    }
    let mut mark = hash([whole]);
    loop {
        let head = &part[..part.len().min(longest - 7)];
        let name = format!("{head}-{}", &mark[..6]);
        if !taken.contains(&name) {
            return name;
        }
        mark = hash([mark.as_str()]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stay() {
        let none = BTreeSet::new();
        for (name, part) in
            [("github", "github"), ("my server", "my_server"), ("__a__b_", "a_b"), ("é", "server")]
        {
            assert_eq!(server(name, &none), part);
        }
        assert_eq!(tool("a", "get.issue/x", &none), "mcp__a__get_issue_x");
        assert_eq!(split("mcp__a_b__c__d"), Some(("a_b", "c__d")));
        assert_eq!(split("mcp__a"), None);
    }

    proptest! {
        #[test]
        fn names_are_legal_apart_and_lead_back(names in prop::collection::vec(".{0,80}", 1..6)) {
            let mut servers = BTreeSet::new();
            for name in &names {
                let part = server(name, &servers);
                prop_assert!(!part.contains("__") && !part.ends_with('_') && part.len() <= SERVER);
                prop_assert!(servers.insert(part.clone()));
                let mut tools = BTreeSet::new();
                for other in &names {
                    let whole = tool(&part, other, &tools);
                    prop_assert!(whole.len() <= LONGEST);
                    prop_assert!(whole.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
                    prop_assert_eq!(split(&whole).map(|(s, _)| s), Some(part.as_str()));
                    prop_assert!(tools.insert(whole));
                }
            }
        }
    }
}
