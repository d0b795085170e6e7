//! A tool's input schema, as a server sends it, made into one that every wire format takes: an
//! object at the top, no combinations there, property names of the letters that all accept.
//!
//! A schema that cannot be had in this form is told in words instead: the tool then takes any
//! object, and its description holds what the server wrote. So no tool is lost and no request is
//! refused because of one.

use serde_json::{Map, Value, json};

/// Bytes of a schema; each one is paid for.
const LARGEST: usize = 16 * 1024;
/// Bytes of a description.
const LONGEST: usize = 2 * 1024;
const DEEPEST: usize = 24;

/// Description and schema for the model.
pub fn clean(description: &str, schema: &Map<String, Value>) -> (String, Value) {
    let mut description = shorten(&visible(description), LONGEST);
    let mut schema = Value::Object(schema.clone());
    strip(&mut schema, 0);
    let fits = takes(&schema) && schema.to_string().len() <= LARGEST;
    if fits {
        if let Some(object) = schema.as_object_mut() {
            object.insert("type".to_owned(), "object".into());
            object.entry("properties").or_insert_with(|| json!({}));
        }
        return (description, schema);
    }
    let text = shorten(&schema.to_string(), LONGEST);
    description.push_str("\nInput, as a JSON schema: ");
    description.push_str(&text);
    (description, json!({"type": "object", "properties": {}, "additionalProperties": true}))
}

/// Without characters that nobody sees: they could tell the model what the person cannot read.
pub fn visible(text: &str) -> String {
    use crate::text::clean::{Mode, clean};
    clean(text.trim(), Mode::Prose).into_owned()
}

pub fn shorten(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(longest)])
}

/// Takes out what describes the schema and not the input, and cleans the words in it.
fn strip(value: &mut Value, depth: usize) {
    match value {
        Value::Object(object) => {
            if depth > DEEPEST {
                object.clear();
                return;
            }
            for key in ["$schema", "$id", "$comment", "examples"] {
                if object.get(key).is_some_and(|found| !found.is_object()) {
                    object.remove(key);
                }
            }
            for (key, inner) in object.iter_mut() {
                match inner {
                    Value::String(text) if key == "description" || key == "title" => {
                        *text = shorten(&visible(text), LONGEST);
                    }
                    inner => strip(inner, depth + 1),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| strip(inner, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn takes(schema: &Value) -> bool {
    let Some(object) = schema.as_object() else { return false };
    let typed = object.get("type").is_none_or(|kind| kind == "object");
    let combined = ["anyOf", "oneOf", "allOf", "not", "$ref", "if"];
    let names = object.get("properties").and_then(Value::as_object);
    let legal = |name: &String| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    };
    typed
        && combined.iter().all(|key| !object.contains_key(*key))
        && object.get("properties").is_none_or(Value::is_object)
        && names.is_none_or(|names| names.keys().all(legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(schema: &Value) -> (String, Value) {
        clean("Does it.", schema.as_object().unwrap())
    }

    #[test]
    fn a_plain_schema_stays() {
        let schema = json!({
            "type": "object", "properties": {"a": {"type": "string", "description": "the a"}},
            "required": ["a"]
        });
        let mut sent = schema.clone();
        sent["$schema"] = "http://json-schema.org/draft-07/schema#".into();
        assert_eq!(cleaned(&sent), ("Does it.".to_owned(), schema));
        assert_eq!(cleaned(&json!({})).1, json!({"type": "object", "properties": {}}));
    }

    #[test]
    fn what_a_wire_would_refuse_is_told_in_words() {
        for schema in [
            json!({"oneOf": [{"type": "object"}]}),
            json!({"type": "string"}),
            json!({"properties": {"bad name": {}}}),
            json!({"properties": []}),
        ] {
            let (description, open) = cleaned(&schema);
            assert!(description.contains("Input, as a JSON schema: {"), "{schema}");
            assert_eq!(open["additionalProperties"], true);
        }
        let large = json!({"properties": {"a": {"enum": vec!["x".repeat(100); 200]}}});
        assert!(cleaned(&large).0.len() < 3 * 1024);
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({"properties": {"a": deep}});
        }
        assert!(cleaned(&deep).1.to_string().len() < LARGEST);
    }

    #[test]
    fn hidden_words_are_dropped() {
        let tags = "\u{e0001}\u{e0041}\u{202e}";
        let schema = json!({"properties": {"a": {"description": format!("x{tags}")}}});
        let (description, schema) = clean(&format!("Say{tags}"), schema.as_object().unwrap());
        assert_eq!(description, "Say");
        assert_eq!(schema["properties"]["a"]["description"], "x");
    }
}
