//! Tool calls put together from pieces. Servers number them, or give all the number 0, or none;
//! repeat ids and names, or leave them out; send the input in pieces, whole, or as an object.

use serde_json::Value;

use crate::api::error;
use crate::api::{ApiError, StreamPart};

/// More calls in one answer are no use to anyone.
const MOST: usize = 1000;

/// The calls of one answer, in the order in which they began.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    /// The call that got the last piece: where a limit cut the answer off, it is not whole.
    touched: usize,
}

#[derive(Debug)]
struct Call {
    /// The server's own number for it.
    slot: Option<u64>,
    id: String,
    /// `None` until its name is known.
    block: Option<usize>,
    /// Input that came before the name.
    waiting: String,
}

impl Calls {
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// An entry of `tool_calls`. `blocks` counts the blocks of the answer.
    pub fn piece(
        &mut self,
        piece: &Value,
        blocks: &mut usize,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), ApiError> {
        let name = piece["function"]["name"].as_str().unwrap_or_default();
        let at = match self.find(piece, name) {
            Some(at) => at,
            None if self.calls.len() == MOST => {
                return Err(error::bad_stream("too many calls", ""));
            }
            None => {
                let id = piece["id"].as_str().unwrap_or_default().to_owned();
                let slot = piece["index"].as_u64();
                self.calls.push(Call { slot, id, block: None, waiting: String::new() });
                self.calls.len() - 1
            }
        };
        self.touched = at;
        let input = match &piece["function"]["arguments"] {
            Value::String(json) => json.clone(),
            Value::Null => String::new(),
            object => object.to_string(),
        };
        let call = &mut self.calls[at];
        if call.block.is_none() && name.is_empty() {
            call.waiting.push_str(&input);
            return Ok(());
        }
        let index = call.begin(name, blocks, out);
        if !input.is_empty() {
            out.push(StreamPart::CallInput { index, json: input });
        }
        Ok(())
    }

    /// The answer has ended; `cut`: at a limit.
    pub fn end(&mut self, cut: bool, blocks: &mut usize, out: &mut Vec<StreamPart>) {
        for (at, call) in self.calls.iter_mut().enumerate() {
            let index = call.begin("", blocks, out);
            if !(cut && at == self.touched) {
                out.push(StreamPart::BlockEnded { index });
            }
        }
    }

    /// The call that a piece goes on with. `None`: it begins one.
    fn find(&self, piece: &Value, name: &str) -> Option<usize> {
        let slot = piece["index"].as_u64();
        let id = piece["id"].as_str().unwrap_or_default();
        let known = match (slot, id) {
            (Some(_), _) => self.calls.iter().rposition(|call| call.slot == slot),
            (None, "") => self.calls.len().checked_sub(1).filter(|_| name.is_empty()),
            (None, _) => self.calls.iter().rposition(|call| call.id == id),
        };
        // Under the same number, another id with a name is another call; another id without one
        // comes from servers that make up an id for each piece.
        known.filter(|&at| {
            let call = &self.calls[at];
            id.is_empty() || call.id.is_empty() || call.id == id || name.is_empty()
        })
    }
}

impl Call {
    /// Its block, begun now if it is not yet. A name that is repeated is ignored.
    fn begin(&mut self, name: &str, blocks: &mut usize, out: &mut Vec<StreamPart>) -> usize {
        if let Some(index) = self.block {
            return index;
        }
        let index = *blocks;
        *blocks += 1;
        self.block = Some(index);
        out.push(StreamPart::CallStarted { index, id: self.id.clone(), name: name.to_owned() });
        if !self.waiting.is_empty() {
            out.push(StreamPart::CallInput { index, json: std::mem::take(&mut self.waiting) });
        }
        index
    }
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "tables of json! read better")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::ApiErrorKind;

    /// The calls as `id name input`, and `!` behind one that did not end.
    fn calls(pieces: &[Value], cut: bool) -> Vec<String> {
        let (mut calls, mut blocks, mut parts) = (Calls::default(), 0, Vec::new());
        for piece in pieces {
            calls.piece(piece, &mut blocks, &mut parts).unwrap();
        }
        calls.end(cut, &mut blocks, &mut parts);
        let mut texts: Vec<String> = Vec::new();
        for part in parts {
            match part {
                StreamPart::CallStarted { index, id, name } => {
                    assert_eq!(index, texts.len());
                    texts.push(format!("{id} {name} !"));
                }
                StreamPart::CallInput { index, json } => {
                    let at = texts[index].len() - 1;
                    texts[index].insert_str(at, &json);
                }
                StreamPart::BlockEnded { index } => assert_eq!(texts[index].pop(), Some('!')),
                other => panic!("{other:?}"),
            }
        }
        texts
    }

    fn piece(slot: Option<u64>, id: Option<&str>, name: Option<&str>, arguments: Value) -> Value {
        json!({"index": slot, "id": id, "function": {"name": name, "arguments": arguments}})
    }

    #[test]
    fn calls_come_together_from_whatever_servers_send() {
        let (a, b, read, grep) = (Some("a"), Some("b"), Some("read"), Some("grep"));
        let whole = || json!("{}");
        for (what, pieces, expected) in [
            (
                "pieces",
                vec![
                    piece(Some(0), a, read, json!("")),
                    piece(Some(0), None, None, json!("{\"f\":")),
                    piece(Some(0), None, None, json!("1}")),
                ],
                vec!["a read {\"f\":1}"],
            ),
            (
                "id and name repeated",
                vec![
                    piece(Some(0), a, read, json!("{")),
                    piece(Some(0), a, Some(""), json!("}")),
                    piece(Some(0), a, read, json!("")),
                ],
                vec!["a read {}"],
            ),
            (
                "interleaved",
                vec![
                    piece(Some(0), a, read, json!("{")),
                    piece(Some(1), b, grep, json!("[")),
                    piece(Some(0), None, None, json!("}")),
                    piece(Some(1), None, None, json!("]")),
                ],
                vec!["a read {}", "b grep []"],
            ),
            (
                "all numbered 0",
                vec![piece(Some(0), a, read, whole()), piece(Some(0), b, grep, whole())],
                vec!["a read {}", "b grep {}"],
            ),
            (
                "no number",
                vec![
                    piece(None, a, read, json!("{")),
                    piece(None, a, None, json!("}")),
                    piece(None, b, grep, whole()),
                ],
                vec!["a read {}", "b grep {}"],
            ),
            (
                "neither number nor id, input as an object",
                vec![piece(None, None, read, json!({"f": 1})), piece(None, None, grep, json!({}))],
                vec![" read {\"f\":1}", " grep {}"],
            ),
            (
                "name after the input",
                vec![piece(Some(0), a, None, json!("{")), piece(Some(0), None, read, json!("}"))],
                vec!["a read {}"],
            ),
            ("no input", vec![piece(Some(0), a, read, Value::Null)], vec!["a read "]),
            ("no name", vec![piece(Some(0), a, None, whole())], vec!["a  {}"]),
            (
                "another id in each piece",
                vec![piece(Some(0), a, read, json!("{")), piece(Some(0), b, None, json!("}"))],
                vec!["a read {}"],
            ),
            ("nothing but a number", vec![json!({"index": 7}), json!(null)], vec!["  "]),
        ] {
            assert_eq!(calls(&pieces, false), expected, "{what}");
        }
    }

    #[test]
    fn a_call_that_a_limit_cut_off_never_ends() {
        let pieces = [
            piece(Some(0), Some("a"), Some("read"), json!("{}")),
            piece(Some(1), Some("b"), Some("bash"), json!("")),
        ];
        assert_eq!(calls(&pieces, true), ["a read {}", "b bash !"]);
    }

    #[test]
    fn a_flood_of_calls_is_an_error() {
        let (mut calls, mut blocks, mut parts) = (Calls::default(), 0, Vec::new());
        let result = (0..2000).try_for_each(|at| {
            calls.piece(&piece(Some(at), None, Some("x"), json!("")), &mut blocks, &mut parts)
        });
        assert_eq!((result.unwrap_err().kind, blocks), (ApiErrorKind::BadStream, 1000));
    }
}
