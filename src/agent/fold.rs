//! Stream parts to one assistant message. Pure: no clock, no channel, no provider.
//!
//! *Invariant:* a tool call leaves here as runnable only if its block ended, or its input did where
//! the line broke. A call that was cut off is counted and dropped: half an `rm -rf /tmp/x` is not a
//! command.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use crate::api::{StopReason, StreamPart};
use crate::protocol::{CallId, Part, Usage};

/// What has come of one answer.
#[derive(Debug, Default)]
pub struct Fold {
    blocks: BTreeMap<usize, Block>,
    pub usage: Usage,
    pub stop: Option<StopReason>,
    /// Bytes of text, thinking and call input so far.
    pub bytes: usize,
}

/// Something to show at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    Text(String),
    Thought(String),
}

/// A whole answer, or what there is of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    pub parts: Vec<Part>,
    /// Calls whose input is not the JSON object it has to be, with what the parser says.
    pub malformed: Vec<(CallId, String)>,
    /// Names of calls that were cut off.
    pub cut: Vec<String>,
    pub usage: Usage,
    pub stop: Option<StopReason>,
}

#[derive(Debug)]
enum Block {
    Text(String),
    Thinking { text: String, signature: Option<String> },
    Whole(Part),
    Call { id: String, name: String, json: String, ended: bool },
}

impl Fold {
    pub fn add(&mut self, part: StreamPart) -> Option<Delta> {
        match part {
            StreamPart::Started | StreamPart::Alive => None,
            StreamPart::Text { index, text } => {
                self.bytes += text.len();
                match self.blocks.entry(index).or_insert_with(|| Block::Text(String::new())) {
                    Block::Text(all) => all.push_str(&text),
                    // A server that re-uses an index for another kind of block: keep the text.
                    _ => {
                        let index = self.free_index();
                        self.blocks.insert(index, Block::Text(text.clone()));
                    }
                }
                (!text.is_empty()).then_some(Delta::Text(text))
            }
            StreamPart::Thinking { index, text } => {
                self.bytes += text.len();
                if let Block::Thinking { text: all, .. } = self.thinking(index) {
                    all.push_str(&text);
                }
                (!text.is_empty()).then_some(Delta::Thought(text))
            }
            StreamPart::Signature { index, signature } => {
                if let Block::Thinking { signature: slot, .. } = self.thinking(index) {
                    *slot = Some(signature);
                }
                None
            }
            StreamPart::RedactedThinking { index, data } => {
                self.blocks.insert(index, Block::Whole(Part::RedactedThinking { data }));
                None
            }
            StreamPart::Opaque { index, wire, value } => {
                let part = Part::Opaque { wire: wire.to_owned(), value };
                self.blocks.insert(index, Block::Whole(part));
                None
            }
            StreamPart::CallStarted { index, id, name } => {
                let call = Block::Call { id, name, json: String::new(), ended: false };
                self.blocks.insert(index, call);
                None
            }
            StreamPart::CallInput { index, json: piece } => {
                self.bytes += piece.len();
                if let Some(Block::Call { json, .. }) = self.blocks.get_mut(&index) {
                    json.push_str(&piece);
                }
                None
            }
            StreamPart::BlockEnded { index } => {
                if let Some(Block::Call { ended, .. }) = self.blocks.get_mut(&index) {
                    *ended = true;
                }
                None
            }
            StreamPart::Usage(usage) => {
                self.usage = usage;
                None
            }
            StreamPart::Stopped(reason) => {
                self.stop = Some(reason);
                None
            }
        }
    }

    /// True once there is something that a person has seen or a tool could run.
    pub fn has_content(&self) -> bool {
        self.bytes > 0
    }

    /// After the line broke: true if there are calls and all of them are complete, so that the
    /// answer can be acted on as it is. A call is also complete where only the end of its block is
    /// missing: no beginning of an object is an object.
    pub fn close_whole_calls(&mut self) -> bool {
        let mut calls = 0;
        let mut whole = 0;
        for block in self.blocks.values_mut() {
            let Block::Call { json, ended, .. } = block else { continue };
            *ended = *ended
                || serde_json::from_str::<Map<String, Value>>(json)
                    .is_ok_and(|map| !map.is_empty());
            calls += 1;
            whole += usize::from(*ended);
        }
        calls > 0 && whole == calls
    }

    /// The message. `taken` holds the call ids that the session has used; ids that repeat or are
    /// missing get new ones.
    pub fn finish(self, taken: &mut HashSet<String>) -> Folded {
        let mut folded = Folded {
            parts: Vec::new(),
            malformed: Vec::new(),
            cut: Vec::new(),
            usage: self.usage,
            stop: self.stop,
        };
        for (_, block) in self.blocks {
            match block {
                Block::Text(text) if text.is_empty() => {}
                Block::Text(text) => folded.parts.push(Part::Text { text }),
                Block::Thinking { text, signature } => {
                    if !text.is_empty() || signature.is_some() {
                        folded.parts.push(Part::Thinking { text, signature });
                    }
                }
                Block::Whole(part) => folded.parts.push(part),
                Block::Call { name, ended: false, .. } => folded.cut.push(name),
                Block::Call { id, name, json, ended: true } => {
                    let id = CallId(unique(id, taken));
                    let input = match call_input(&json) {
                        Ok(input) => input,
                        Err(why) => {
                            folded.malformed.push((id.clone(), why));
                            // The history must hold an object, and the model should see its own
                            // mistake.
                            json!({ "malformed": clip(&json, 2000) })
                        }
                    };
                    folded.parts.push(Part::Call { id, tool: name, input });
                }
            }
        }
        folded
    }

    fn thinking(&mut self, index: usize) -> &mut Block {
        self.blocks
            .entry(index)
            .or_insert_with(|| Block::Thinking { text: String::new(), signature: None })
    }

    fn free_index(&self) -> usize {
        self.blocks.keys().next_back().map_or(0, |last| last + 1)
    }
}

/// The input of a call. Nothing at all means no arguments.
fn call_input(json: &str) -> Result<Value, String> {
    if json.trim().is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(map)) => Ok(Value::Object(map)),
        // Some servers send the object as a JSON string of itself.
        Ok(Value::String(inner)) => match serde_json::from_str::<Value>(&inner) {
            Ok(Value::Object(map)) => Ok(Value::Object(map)),
            _ => Err("it is a string, not an object".to_owned()),
        },
        Ok(Value::Null) => Ok(json!({})),
        Ok(_) => Err("it is not an object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn unique(id: String, taken: &mut HashSet<String>) -> String {
    let base = if id.is_empty() { "call".to_owned() } else { id };
    let mut name = base.clone();
    let mut n = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}-{n}");
        n += 1;
    }
    name
}

fn clip(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(parts: Vec<StreamPart>) -> Folded {
        let mut fold = Fold::default();
        for part in parts {
            fold.add(part);
        }
        fold.finish(&mut HashSet::new())
    }

    fn call(index: usize, id: &str, json: &str) -> Vec<StreamPart> {
        vec![
            StreamPart::CallStarted { index, id: id.into(), name: "Bash".into() },
            StreamPart::CallInput { index, json: json.into() },
        ]
    }

    #[test]
    fn interleaved_blocks_come_out_in_the_order_of_their_index() {
        let text = |index, text: &str| StreamPart::Text { index, text: text.into() };
        let folded = fold(vec![text(1, "wor"), text(0, "hello "), text(1, "ld")]);
        let texts = ["hello ", "world"].map(|text| Part::Text { text: text.into() });
        assert_eq!(folded.parts, texts);
    }

    #[test]
    fn thinking_keeps_its_signature() {
        let folded = fold(vec![
            StreamPart::Thinking { index: 0, text: "hm".into() },
            StreamPart::Signature { index: 0, signature: "sig".into() },
        ]);
        let part = Part::Thinking { text: "hm".into(), signature: Some("sig".into()) };
        assert_eq!(folded.parts, [part]);
    }

    #[test]
    fn a_cut_call_is_never_runnable() {
        let folded = fold(call(0, "a", r#"{"command":"rm -rf "#));
        assert_eq!(folded.parts, []);
        assert_eq!(folded.cut, ["Bash"]);
    }

    #[test]
    fn where_the_line_broke_only_a_whole_input_makes_a_call() {
        for (inputs, whole) in [
            (&[][..], false),
            (&[r#"{"command":"ls"}"#], true),
            (&[r#"{"command":"rm -rf "#], false),
            (&[r#"{"command":"ls"}"#, r#"{"command":"rm"#], false),
            (&["{}"], false),
            (&[""], false),
        ] {
            let mut fold = Fold::default();
            for (index, json) in inputs.iter().enumerate() {
                for part in call(index, "a", json) {
                    fold.add(part);
                }
            }
            assert_eq!(fold.close_whole_calls(), whole, "{inputs:?}");
        }
    }

    #[test]
    fn inputs_of_calls() {
        let ended = |json: &str| {
            let mut parts = call(0, "a", json);
            parts.push(StreamPart::BlockEnded { index: 0 });
            let folded = fold(parts);
            match (&folded.parts[..], folded.malformed.is_empty()) {
                ([Part::Call { input, .. }], true) => Ok(input.clone()),
                _ => Err(folded.malformed[0].1.clone()),
            }
        };
        assert_eq!(ended(""), Ok(json!({})));
        assert_eq!(ended("null"), Ok(json!({})));
        assert_eq!(ended(r#"{"a":1}"#), Ok(json!({"a": 1})));
        assert_eq!(ended(r#""{\"a\":1}""#), Ok(json!({"a": 1})));
        assert!(ended("[1]").is_err());
        assert!(ended(r#"{"a":"#).is_err());
    }

    #[test]
    fn repeated_and_missing_ids_become_unique() {
        let mut parts = Vec::new();
        for (index, id) in ["x", "x", "", ""].into_iter().enumerate() {
            parts.extend(call(index, id, "{}"));
            parts.push(StreamPart::BlockEnded { index });
        }
        let ids: Vec<String> = fold(parts)
            .parts
            .into_iter()
            .filter_map(|part| match part {
                Part::Call { id, .. } => Some(id.0),
                _ => None,
            })
            .collect();
        assert_eq!(ids, ["x", "x-2", "call", "call-2"]);
    }
}
