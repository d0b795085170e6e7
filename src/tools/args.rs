//! A tool's input: its schema as the model sees it, and the value a model really sent.
//!
//! Models are helped where the meaning is plain (another name for a parameter, a number as text,
//! `null` for nothing); everything else is an error that names what is missing and what is not
//! known, so that the next try is right.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::tools::{Class, Outcome};

/// The input of one tool. Its field comments are what the model reads.
pub(super) trait Args: DeserializeOwned + JsonSchema {
    /// Names that models use, and the names they mean.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];

    /// Names that are taken but not advertised.
    const HIDDEN: &'static [&'static str] = &[];
}

/// The schema, small and always the same bytes.
pub(super) fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|s| s.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    clean(&mut schema, Level::Schema);
    if let Value::Object(root) = &mut schema {
        root.remove("description");
    }
    schema
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Schema,
    /// A map from names to schemas: its keys are the tool's own.
    Properties,
}

fn clean(value: &mut Value, level: Level) {
    match value {
        Value::Object(map) => {
            if level == Level::Schema {
                for noise in ["$schema", "title", "format", "minimum", "default"] {
                    map.remove(noise);
                }
                if let Some(Value::Array(names)) = map.get_mut("enum") {
                    names.retain(|name| !name.is_null());
                }
                if let Some(Value::Array(types)) = map.get_mut("type") {
                    types.retain(|name| name != "null");
                    if let [only] = types.as_slice() {
                        let only = only.clone();
                        map.insert("type".into(), only);
                    }
                }
            }
            for (key, inner) in map.iter_mut() {
                let properties = level == Level::Schema && key == "properties";
                clean(inner, if properties { Level::Properties } else { Level::Schema });
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, Level::Schema)),
        _ => {}
    }
}

/// The input with the schema's names and types, as far as its meaning is plain.
pub(super) fn tidy<T: Args>(input: Value) -> Value {
    let schema = schema::<T>();
    let Value::Object(input) = input else { return input };
    let mut out = Map::new();
    for (name, value) in &input {
        let known = schema["properties"].get(name).is_some();
        let meant = T::ALIASES.iter().find(|(alias, _)| alias == name).map(|(_, meant)| *meant);
        let name = match meant {
            // Never over a name that is there as well: which of the two is meant is not plain.
            Some(meant) if !known && !input.contains_key(meant) && !out.contains_key(meant) => {
                meant
            }
            _ => name.as_str(),
        };
        let required = schema["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
        if value.is_null() && !required {
            continue;
        }
        out.insert(name.to_owned(), coerce(value, &schema["properties"][name]["type"]));
    }
    Value::Object(out)
}

fn coerce(value: &Value, wanted: &Value) -> Value {
    let parsed = match (value, wanted.as_str()) {
        (Value::String(text), Some("integer")) => text.trim().parse::<i64>().ok().map(Value::from),
        (Value::Number(n), Some("integer")) => {
            n.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| Value::from(n as i64))
        }
        (Value::String(text), Some("boolean")) => text.trim().parse::<bool>().ok().map(Value::from),
        (Value::String(text), Some("array")) => {
            serde_json::from_str(text).ok().filter(Value::is_array)
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| value.clone())
}

/// The input as the tool's own type; else what to tell the model.
pub(super) fn parse<T: Args>(tool: &str, input: &Value) -> Result<T, Outcome> {
    let input = tidy::<T>(input.clone());
    let schema = schema::<T>();
    let wrong = |text: String| Outcome::failed(format!("{tool}: {text}"), "wrong input");
    let Value::Object(given) = &input else {
        return Err(wrong("the input is not an object.".into()));
    };
    let known: Vec<&str> =
        schema["properties"].as_object().into_iter().flatten().map(|(n, _)| n.as_str()).collect();
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<&str> = required.filter(|name| !given.contains_key(*name)).collect();
    let taken = |name: &str| known.contains(&name) || T::HIDDEN.contains(&name);
    let unexpected: Vec<String> =
        given.keys().filter(|name| !taken(name)).map(|name| brief(name)).collect();
    let mut faults = Vec::new();
    if !missing.is_empty() {
        faults.push(format!("missing parameter {}", missing.join(", ")));
    }
    if !unexpected.is_empty() {
        faults.push(format!("unexpected parameter {}", unexpected.join(", ")));
    }
    if !faults.is_empty() {
        return Err(wrong(format!("{}. It takes {}.", faults.join("; "), known.join(", "))));
    }
    T::deserialize(&input).map_err(|e| wrong(format!("{}.", brief(&e.to_string()))))
}

/// The class of a tool that only reads: wrong input counts as mutating, for it is not understood.
pub(super) fn class<T: Args>(tool: &str, input: &Value) -> Class {
    if parse::<T>(tool, input).is_ok() { Class::ReadOnly } else { Class::Mutating }
}

/// A name or message that came from the model, short enough to give back.
fn brief(text: &str) -> String {
    let mut out: String = text.chars().take(200).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// Not for the model.
    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Sample {
        file_path: String,
        #[schemars(skip)]
        #[serde(default)]
        quiet: bool,
        /// 1-based line
        offset: Option<u64>,
        #[serde(rename = "-i")]
        fold: Option<bool>,
        title: Option<Vec<String>>,
        kind: Option<Kind>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        OneLine,
        Whole,
    }

    impl Args for Sample {
        const ALIASES: &'static [(&'static str, &'static str)] =
            &[("path", "file_path"), ("file", "file_path")];
        const HIDDEN: &'static [&'static str] = &["quiet"];
    }

    #[test]
    fn the_schema_is_bare() {
        assert_eq!(
            schema::<Sample>(),
            json!({
                "type": "object",
                "properties": {
                    "file_path": {"type": "string"},
                    "offset": {"description": "1-based line", "type": "integer"},
                    "-i": {"type": "boolean"},
                    "title": {"type": "array", "items": {"type": "string"}},
                    "kind": {"type": "string", "enum": ["one_line", "whole"]},
                },
                "required": ["file_path"],
            })
        );
    }

    #[test]
    fn plain_meanings_are_taken() {
        let sample = |offset| Sample {
            file_path: "a".into(),
            quiet: false,
            offset,
            fold: None,
            title: None,
            kind: None,
        };
        for (input, expected) in [
            (json!({"file_path": "a"}), sample(None)),
            (json!({"path": "a", "offset": "12"}), sample(Some(12))),
            (json!({"file": "a", "offset": 12.0, "-i": null}), sample(Some(12))),
            (json!({"path": "a", "quiet": true}), Sample { quiet: true, ..sample(None) }),
            (json!({"path": "a", "-i": "true"}), Sample { fold: Some(true), ..sample(None) }),
            (
                json!({"path": "a", "title": "[\"x\"]"}),
                Sample { title: Some(vec!["x".into()]), ..sample(None) },
            ),
        ] {
            assert_eq!(parse::<Sample>("Read", &input), Ok(expected), "{input}");
        }
    }

    #[test]
    fn faults_are_named() {
        for (input, expected) in [
            (json!([]), "Read: the input is not an object."),
            (
                json!({"name": "x"}),
                "Read: missing parameter file_path; unexpected parameter name. \
                 It takes file_path, offset, -i, title, kind.",
            ),
            (
                json!({"file_path": "a", "path": "b"}),
                "Read: unexpected parameter path. It takes file_path, offset, -i, title, kind.",
            ),
            (
                json!({"path": "a", "file": "b"}),
                "Read: unexpected parameter file. It takes file_path, offset, -i, title, kind.",
            ),
            (
                json!({"path": "a", "offset": -1}),
                "Read: invalid value: integer `-1`, expected u64.",
            ),
        ] {
            assert_eq!(parse::<Sample>("Read", &input).unwrap_err().text, expected, "{input}");
        }
    }
}
