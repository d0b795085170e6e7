//! OpenRouter's `reasoning_details`: thinking in the form of whoever thought it, with signatures. It
//! comes in pieces and goes back whole, or the model behind the router has forgotten its thoughts.
//! <https://openrouter.ai/docs/use-cases/reasoning-tokens>

use serde_json::{Map, Value};

/// The field of a message, and the one that an opaque part of this wire holds.
pub const FIELD: &str = "reasoning_details";
/// The fields that come in pieces.
const IN_PIECES: [&str; 3] = ["text", "summary", "data"];
/// More blocks in one answer are no use to anyone.
const MOST: usize = 1_000;

/// The details of one answer while they come.
#[derive(Debug, Default)]
pub struct Details {
    blocks: Vec<Map<String, Value>>,
}

impl Details {
    /// Takes the pieces of one chunk. Neighbours of the same kind and number are one block.
    pub fn push(&mut self, pieces: &Value) {
        for piece in pieces.as_array().into_iter().flatten().filter_map(Value::as_object) {
            let room = self.blocks.len() < MOST;
            let goes_on = |block: &&mut Map<String, Value>| {
                ["type", "index"].iter().all(|field| block.get(*field) == piece.get(*field))
            };
            match self.blocks.last_mut().filter(goes_on) {
                Some(block) => join(block, piece),
                None if room => self.blocks.push(piece.clone()),
                None => {}
            }
        }
    }

    /// The text to show of the pieces of one chunk.
    pub fn text(pieces: &Value) -> String {
        let pieces = pieces.as_array().into_iter().flatten();
        let texts = pieces.filter_map(|piece| {
            ["text", "summary"].iter().find_map(|field| piece[*field].as_str())
        });
        texts.collect()
    }

    /// `None` where there were none.
    pub fn take(&mut self) -> Option<Value> {
        let blocks = std::mem::take(&mut self.blocks);
        (!blocks.is_empty()).then(|| blocks.into_iter().map(Value::Object).collect())
    }
}

/// Texts grow; whatever else a later piece says stands.
fn join(block: &mut Map<String, Value>, piece: &Map<String, Value>) {
    for (field, value) in piece.iter().filter(|(_, value)| !value.is_null()) {
        match (block.get_mut(field), value) {
            (Some(Value::String(text)), Value::String(more))
                if IN_PIECES.contains(&field.as_str()) =>
            {
                text.push_str(more);
            }
            _ => {
                block.insert(field.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_become_blocks() {
        let mut details = Details::default();
        for pieces in [
            json!([{"type": "reasoning.text", "index": 0, "text": "Let me ", "format": "f", "signature": null}]),
            json!([{"type": "reasoning.text", "index": 0, "text": "see."}]),
            json!([{"type": "reasoning.text", "index": 0, "signature": "sig"}]),
            json!([{"type": "reasoning.encrypted", "index": 1, "data": "ab"},
                   {"type": "reasoning.encrypted", "index": 1, "data": "cd"}]),
            json!(null),
            json!("nonsense"),
            json!([7]),
        ] {
            details.push(&pieces);
        }
        let whole = json!([
            {"type": "reasoning.text", "index": 0, "text": "Let me see.", "format": "f", "signature": "sig"},
            {"type": "reasoning.encrypted", "index": 1, "data": "abcd"},
        ]);
        assert_eq!(details.take(), Some(whole));
        assert_eq!(details.take(), None);
    }

    #[test]
    fn a_flood_of_blocks_is_cut() {
        let mut details = Details::default();
        for n in 0..3_000 {
            details.push(&json!([{"type": "t", "index": n}]));
        }
        assert_eq!(details.take().unwrap().as_array().unwrap().len(), MOST);
    }
}
