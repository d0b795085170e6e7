//! Keeps known keys out of what is written.

use std::borrow::Cow;

use serde_json::Value;

/// What stands in a key's place.
pub const HIDDEN: &str = "[key hidden]";

/// Bytes below which a word is too common to be taken for a key.
const SHORTEST: usize = 6;

/// The keys that this process knows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Longest first, so that a key that begins with another one goes whole.
    known: Vec<String>,
}

impl Secrets {
    pub fn new(known: impl IntoIterator<Item = String>) -> Secrets {
        let mut known: Vec<String> =
            known.into_iter().filter(|key| key.len() >= SHORTEST).collect();
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
        Secrets { known }
    }

    /// `text` without the keys.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for key in &self.known {
            if clean.contains(key.as_str()) {
                clean = Cow::Owned(clean.replace(key.as_str(), HIDDEN));
            }
        }
        clean
    }

    /// Cleans every string in `value`, names of fields included.
    pub fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.clean(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(fields) => {
                let named: Vec<String> = fields
                    .keys()
                    .filter(|name| self.clean(name) != name.as_str())
                    .cloned()
                    .collect();
                for name in named {
                    if let Some(value) = fields.remove(&name) {
                        fields.insert(self.clean(&name).into_owned(), value);
                    }
                }
                fields.values_mut().for_each(|value| self.clean_value(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether JSON text holds a key, plain or with escapes.
    pub fn touches(&self, json: &[u8]) -> bool {
        self.known.iter().any(|key| {
            memchr::memmem::find(json, key.as_bytes()).is_some()
                || serde_json::to_string(key).is_ok_and(|quoted| {
                    let escaped = &quoted[1..quoted.len() - 1];
                    escaped != key && memchr::memmem::find(json, escaped.as_bytes()).is_some()
                })
        })
    }
}

/// Says how many, never which.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.known.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_go_wherever_they_stand() {
        let secrets = Secrets::new(["sk-ant-1".into(), "sk-ant-1-long".into(), "a\"b\\cd".into()]);
        assert_eq!(secrets.clean("x sk-ant-1-long y sk-ant-1"), "x [key hidden] y [key hidden]");
        let mut value = json!({"a": ["sk-ant-1", 1], "sk-ant-1": {"b": "a\"b\\cd"}, "c": null});
        assert!(secrets.touches(&serde_json::to_vec(&value).unwrap()));
        secrets.clean_value(&mut value);
        assert_eq!(value, json!({"a": [HIDDEN, 1], "c": null, HIDDEN: {"b": HIDDEN}}));
        assert!(!secrets.touches(&serde_json::to_vec(&value).unwrap()));
        assert!(secrets.touches(br#"{"x":"a\"b\\cd"}"#));
    }

    #[test]
    fn short_words_are_no_keys_and_debug_tells_nothing() {
        let secrets = Secrets::new([String::new(), "user".into(), "sk-secret".into()]);
        assert_eq!(secrets.clean("user"), "user");
        assert_eq!(format!("{secrets:?}"), "Secrets(1)");
    }
}
