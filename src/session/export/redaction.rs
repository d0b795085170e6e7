//! Takes keys, home paths and e-mail addresses out of what is handed on.
//!
//! Patterns find what looks like a secret; they cannot know every secret. The list of what was
//! replaced is there to be read before the export is sent.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde::Serialize;
use serde_json::Value;

use crate::session::record::{Body, Record};
use crate::session::redact::Secrets;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Key,
    HomePath,
    Email,
}

/// One text that was replaced. A key is shown by its first characters only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replaced {
    pub what: What,
    pub text: String,
    pub times: u64,
}

/// What is taken out, and what was.
#[derive(Debug)]
pub struct Redaction {
    secrets: Secrets,
    home: Option<Regex>,
    patterns: Vec<(What, Regex)>,
    found: BTreeMap<(What, String), u64>,
}

/// Characters of a key that the list shows.
const SHOWN: usize = 6;

/// Forms of keys. The last group of a pattern, where it has one, is what is taken out.
const KEYS: [&str; 9] = [
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"\b(?:gh[pousr]_|github_pat_|glpat-|npm_|hf_|pypi-)[A-Za-z0-9_-]{16,}",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bxox[a-z]-[A-Za-z0-9-]{10,}",
    r"\bAIza[0-9A-Za-z_-]{30,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}",
    r"(?i)\bbearer\s+([A-Za-z0-9._~+/-]{12,}=*)",
    r#"(?i)(?:api[_-]?key|secret|token|passw(?:or)?d)["']?\s*[:=]\s*["']?([^\s"',;&<>\[\]]{8,})"#,
];

const EMAIL: &str =
    r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b";

/// Homes of anybody.
const HOMES: &str = r#"(?:/home|/Users|[A-Za-z]:\\Users)[/\\][^/\\\s"':]{1,64}"#;

impl Redaction {
    /// `secrets` are keys known for certain, `home` the person's home folder.
    pub fn new(secrets: Secrets, home: Option<&str>) -> Result<Redaction, regex::Error> {
        let mut patterns = Vec::new();
        for key in KEYS {
            patterns.push((What::Key, Regex::new(key)?));
        }
        patterns.push((What::HomePath, Regex::new(HOMES)?));
        patterns.push((What::Email, Regex::new(EMAIL)?));
        let home = home
            .filter(|home| home.len() > 1)
            .map(|home| Regex::new(&format!(r"{}\b", regex::escape(home))))
            .transpose()?;
        Ok(Redaction { secrets, home, patterns, found: BTreeMap::new() })
    }

    pub fn text(&mut self, text: &str) -> String {
        let mut text = self.known(text);
        if let Some(home) = &self.home {
            text = replace(home, What::HomePath, &text, &mut self.found);
        }
        for (what, pattern) in &self.patterns {
            if pattern.is_match(&text) {
                text = replace(pattern, *what, &text, &mut self.found);
            }
        }
        text
    }

    /// Every text of the record. One that no longer has its form is left out whole.
    pub fn record(&mut self, record: Record) -> Record {
        let body = serde_json::to_value(&record.body)
            .map(|mut value| {
                self.value(&mut value);
                value
            })
            .and_then(serde_json::from_value)
            .unwrap_or(Body::Unknown);
        Record { body, ..record }
    }

    /// What was replaced so far, by kind.
    pub fn replaced(&self) -> Vec<Replaced> {
        self.found
            .iter()
            .map(|((what, text), times)| Replaced {
                what: *what,
                text: text.clone(),
                times: *times,
            })
            .collect()
    }

    fn known(&mut self, text: &str) -> String {
        let clean = self.secrets.clean(text);
        let before = text.matches(crate::session::redact::HIDDEN).count();
        let hidden = clean.matches(crate::session::redact::HIDDEN).count().saturating_sub(before);
        if hidden > 0 {
            *self.found.entry((What::Key, "a key of yours".to_owned())).or_default() +=
                hidden as u64;
        }
        clean.into_owned()
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                let names: Vec<String> = fields.keys().cloned().collect();
                for name in names {
                    let clean = self.text(&name);
                    if clean != name
                        && let Some(value) = fields.remove(&name)
                    {
                        fields.insert(clean, value);
                    }
                }
                fields.values_mut().for_each(|value| self.value(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn replace(
    pattern: &Regex,
    what: What,
    text: &str,
    found: &mut BTreeMap<(What, String), u64>,
) -> String {
    let mark = match what {
        What::Key => "[key]",
        What::HomePath => "~",
        What::Email => "[e-mail]",
    };
    pattern
        .replace_all(text, |captures: &Captures<'_>| {
            let whole = &captures[0];
            let target =
                captures.iter().skip(1).flatten().last().map_or(whole, |group| group.as_str());
            *found.entry((what, shown(what, target))).or_default() += 1;
            whole.replacen(target, mark, 1)
        })
        .into_owned()
}

fn shown(what: What, text: &str) -> String {
    match what {
        What::Key => text.chars().take(SHOWN).chain(['…']).collect(),
        What::HomePath | What::Email => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_private_goes_and_is_listed() {
        let secrets = Secrets::new(["hunter2hunter2".into()]);
        let mut redaction = Redaction::new(secrets, Some("/srv/me")).unwrap();
        for (text, wanted) in [
            ("key sk-ant-api03-abcdefghijklmnop!", "key [key]!"),
            ("ghp_abcdefghijklmnopqrst and AKIAABCDEFGHIJKLMNOP", "[key] and [key]"),
            ("Authorization: Bearer abcdefgh.ijklmnop", "Authorization: Bearer [key]"),
            (
                "API_KEY=\"abcdefghij\" password: 'longenough1'",
                "API_KEY=\"[key]\" password: '[key]'",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest",
                "[key]\nrest",
            ),
            ("mail jo.doe+x@mail.example.org, now", "mail [e-mail], now"),
            (
                "/srv/me/src and /srv/mexico and /home/ann/x and C:\\Users\\bob\\y",
                "~/src and /srv/mexico and ~/x and ~\\y",
            ),
            ("it is hunter2hunter2", "it is [key hidden]"),
            (
                "a token is a word; git@ host; fn token(x: u8)",
                "a token is a word; git@ host; fn token(x: u8)",
            ),
            ("sk-short", "sk-short"),
        ] {
            assert_eq!(redaction.text(text), wanted);
        }
        let list: Vec<(What, String, u64)> =
            redaction.replaced().into_iter().map(|r| (r.what, r.text, r.times)).collect();
        assert!(list.contains(&(What::Key, "sk-ant…".into(), 1)));
        assert!(list.contains(&(What::Key, "a key of yours".into(), 1)));
        assert!(list.contains(&(What::Email, "jo.doe+x@mail.example.org".into(), 1)));
        assert!(list.contains(&(What::HomePath, "/srv/me".into(), 1)));
        assert_eq!(list.iter().map(|(.., times)| times).sum::<u64>(), 12);
    }
}
