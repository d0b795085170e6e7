//! The events of a Messages stream as parts.
//!
//! Tolerant of what servers other than Anthropic's do: a call without `input`, errors in OpenAI's
//! shape, usage that is zero at first, unknown events, deltas without a block.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::anthropic::WIRE;
use crate::api::error;
use crate::api::{ApiError, StopReason, StreamPart};
use crate::config::CacheTtl;
use crate::protocol::Usage;

/// One answer while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    cache: CacheTtl,
    usage: Usage,
    blocks: BTreeMap<usize, Block>,
    /// A call that the server has ended. Whether it is whole shows in what comes next: where the
    /// answer then stops at a limit, the server has closed a call that it cut off.
    held: Option<usize>,
    stop: Option<StopReason>,
    called: bool,
    over: bool,
}

/// A block that has begun and not ended.
#[derive(Debug)]
enum Block {
    Text,
    Thinking,
    Call {
        /// The input that came with the beginning, where no pieces of it follow.
        given: Option<Value>,
    },
    /// A block of a server-side tool: sent back as it came.
    Opaque {
        value: Value,
        input: String,
    },
}

impl Stream {
    pub fn caching(cache: CacheTtl) -> Stream {
        Stream { cache, ..Stream::default() }
    }

    pub fn event(&mut self, event: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        match text(event, "type") {
            "message_start" => {
                self.add_usage(&event["message"]["usage"]);
                out.extend([StreamPart::Started, StreamPart::Usage(self.usage)]);
            }
            "content_block_start" => self.start(index(event), &event["content_block"], out),
            "content_block_delta" => self.delta(index(event), &event["delta"], out),
            "content_block_stop" => self.end_block(index(event), out),
            "message_delta" => {
                if let Some(reason) = event["delta"]["stop_reason"].as_str() {
                    self.stop = Some(stop_reason(reason));
                }
                self.add_usage(&event["usage"]);
                out.push(StreamPart::Usage(self.usage));
            }
            "message_stop" => self.stop(out),
            "error" => return Err(error::from_value(None, event)),
            // `ping`, and whatever is invented later.
            _ => out.push(StreamPart::Alive),
        }
        Ok(())
    }

    /// A whole answer, from a server that ignores `stream`.
    pub fn body(&mut self, message: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        let Some(content) = message["content"].as_array() else {
            return Err(error::bad_stream("no content", &message.to_string()));
        };
        self.event(&json!({"type": "message_start", "message": {"usage": message["usage"]}}), out)?;
        for (at, block) in content.iter().enumerate() {
            self.start(at, block, out);
            self.end_block(at, out);
        }
        let delta = json!({"stop_reason": message["stop_reason"]});
        self.event(&json!({"type": "message_delta", "delta": delta, "usage": null}), out)?;
        self.stop(out);
        Ok(())
    }

    /// The stream has ended. A server that told why it stopped and left no block open has only
    /// forgotten to say so.
    pub fn end(&mut self, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        if self.over {
            return Ok(());
        }
        if self.stop.is_some() && self.blocks.is_empty() {
            self.stop(out);
            return Ok(());
        }
        Err(error::cut())
    }

    fn start(&mut self, at: usize, block: &Value, out: &mut Vec<StreamPart>) {
        self.release(out);
        let begun = match text(block, "type") {
            "text" => {
                push_text(at, text(block, "text"), out);
                Block::Text
            }
            "thinking" => {
                push_thinking(at, text(block, "thinking"), out);
                push_signature(at, text(block, "signature"), out);
                Block::Thinking
            }
            "redacted_thinking" => {
                let data = text(block, "data").to_owned();
                out.push(StreamPart::RedactedThinking { index: at, data });
                Block::Thinking
            }
            "tool_use" => {
                self.called = true;
                let id = text(block, "id").to_owned();
                let name = text(block, "name").to_owned();
                out.push(StreamPart::CallStarted { index: at, id, name });
                let given = block.get("input").filter(|input| !is_empty(input)).cloned();
                Block::Call { given }
            }
            _ => Block::Opaque { value: block.clone(), input: String::new() },
        };
        self.blocks.insert(at, begun);
    }

    fn delta(&mut self, at: usize, delta: &Value, out: &mut Vec<StreamPart>) {
        self.release(out);
        let kind = text(delta, "type");
        let block = match self.blocks.get_mut(&at) {
            Some(block) => block,
            // A server that does not begin its blocks.
            None if kind == "text_delta" => self.blocks.entry(at).or_insert(Block::Text),
            None if kind == "thinking_delta" => self.blocks.entry(at).or_insert(Block::Thinking),
            None => return out.push(StreamPart::Alive),
        };
        match (block, kind) {
            (Block::Text, "text_delta") => push_text(at, text(delta, "text"), out),
            (Block::Thinking, "thinking_delta") => push_thinking(at, text(delta, "thinking"), out),
            (Block::Thinking, "signature_delta") => {
                push_signature(at, text(delta, "signature"), out);
            }
            (Block::Call { given }, "input_json_delta") => {
                let json = text(delta, "partial_json");
                if !json.is_empty() {
                    *given = None;
                    out.push(StreamPart::CallInput { index: at, json: json.to_owned() });
                }
            }
            (Block::Opaque { input, .. }, "input_json_delta") => {
                input.push_str(text(delta, "partial_json"));
            }
            // Citations, and whatever is invented later.
            _ => out.push(StreamPart::Alive),
        }
    }

    fn end_block(&mut self, at: usize, out: &mut Vec<StreamPart>) {
        self.release(out);
        match self.blocks.remove(&at) {
            Some(Block::Call { given }) => {
                if let Some(given) = given {
                    out.push(StreamPart::CallInput { index: at, json: given.to_string() });
                }
                self.held = Some(at);
            }
            Some(Block::Opaque { mut value, input }) => {
                if let Ok(input) = serde_json::from_str::<Value>(&input) {
                    value["input"] = input;
                }
                out.push(StreamPart::Opaque { index: at, wire: WIRE, value });
                out.push(StreamPart::BlockEnded { index: at });
            }
            Some(Block::Text | Block::Thinking) => out.push(StreamPart::BlockEnded { index: at }),
            None => {}
        }
    }

    fn stop(&mut self, out: &mut Vec<StreamPart>) {
        let inferred = if self.called { StopReason::ToolUse } else { StopReason::EndTurn };
        let stop = self.stop.take().unwrap_or(inferred);
        if !is_cut(&stop) {
            self.release(out);
        }
        out.push(StreamPart::Stopped(stop));
        self.over = true;
    }

    fn release(&mut self, out: &mut Vec<StreamPart>) {
        out.extend(self.held.take().map(|index| StreamPart::BlockEnded { index }));
    }

    /// Counts are totals; what an event leaves out stays as it was. The counts of a prompt may be
    /// zero at first and come at the end.
    fn add_usage(&mut self, usage: &Value) {
        let count = |field: &mut u64, value: &Value| {
            if let Some(count) = value.as_u64() {
                *field = count;
            }
        };
        count(&mut self.usage.input, &usage["input_tokens"]);
        count(&mut self.usage.output, &usage["output_tokens"]);
        count(&mut self.usage.cache_read, &usage["cache_read_input_tokens"]);
        count(&mut self.usage.thinking, &usage["output_tokens_details"]["thinking_tokens"]);
        match usage.get("cache_creation").filter(|by_ttl| by_ttl.is_object()) {
            Some(by_ttl) => {
                count(&mut self.usage.cache_write_5m, &by_ttl["ephemeral_5m_input_tokens"]);
                count(&mut self.usage.cache_write_1h, &by_ttl["ephemeral_1h_input_tokens"]);
            }
            // A sum that repeats what is known by duration says nothing new.
            None => {
                if let Some(sum) = usage["cache_creation_input_tokens"].as_u64()
                    && sum != self.usage.cache_write()
                {
                    (self.usage.cache_write_5m, self.usage.cache_write_1h) = match self.cache {
                        CacheTtl::FiveMinutes => (sum, 0),
                        CacheTtl::OneHour => (0, sum),
                    };
                }
            }
        }
    }
}

fn stop_reason(reason: &str) -> StopReason {
    match reason {
        "end_turn" => StopReason::EndTurn,
        "tool_use" => StopReason::ToolUse,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "pause_turn" => StopReason::PauseTurn,
        "refusal" => StopReason::Refusal,
        "model_context_window_exceeded" => StopReason::WindowExceeded,
        other => StopReason::Other(other.to_owned()),
    }
}

/// True where the answer stopped in the middle of whatever came last.
fn is_cut(stop: &StopReason) -> bool {
    matches!(stop, StopReason::MaxTokens | StopReason::WindowExceeded | StopReason::Refusal)
}

fn push_text(index: usize, text: &str, out: &mut Vec<StreamPart>) {
    if !text.is_empty() {
        out.push(StreamPart::Text { index, text: text.to_owned() });
    }
}

fn push_thinking(index: usize, text: &str, out: &mut Vec<StreamPart>) {
    if !text.is_empty() {
        out.push(StreamPart::Thinking { index, text: text.to_owned() });
    }
}

fn push_signature(index: usize, signature: &str, out: &mut Vec<StreamPart>) {
    if !signature.is_empty() {
        out.push(StreamPart::Signature { index, signature: signature.to_owned() });
    }
}

fn is_empty(input: &Value) -> bool {
    input.is_null() || input.as_object().is_some_and(serde_json::Map::is_empty)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn index(event: &Value) -> usize {
    event["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "tables of json! read better")]
mod tests {
    use super::*;
    use crate::api::ApiErrorKind;

    fn play(events: &[Value]) -> (Vec<StreamPart>, Result<(), ApiError>) {
        let mut stream = Stream::default();
        let mut out = Vec::new();
        for event in events {
            if let Err(error) = stream.event(event, &mut out) {
                return (out, Err(error));
            }
        }
        let end = stream.end(&mut out);
        (out, end)
    }

    fn started() -> Value {
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}})
    }

    fn begun(index: usize, block: Value) -> Value {
        json!({"type": "content_block_start", "index": index, "content_block": block})
    }

    fn piece(index: usize, json: &str) -> Value {
        json!({"type": "content_block_delta", "index": index,
               "delta": {"type": "input_json_delta", "partial_json": json}})
    }

    fn ended(index: usize) -> Value {
        json!({"type": "content_block_stop", "index": index})
    }

    fn stopping(reason: &str) -> Value {
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}})
    }

    fn call(name: &str) -> Value {
        json!({"type": "tool_use", "id": name, "name": name})
    }

    fn ends(parts: &[StreamPart]) -> Vec<usize> {
        parts
            .iter()
            .filter_map(|part| match part {
                StreamPart::BlockEnded { index } => Some(*index),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_call_that_a_limit_cut_off_never_ends() {
        let stopped = json!({"type": "message_stop"});
        for (reason, whole) in [
            ("tool_use", vec![0, 1]),
            ("end_turn", vec![0, 1]),
            ("max_tokens", vec![0]),
            ("model_context_window_exceeded", vec![0]),
            ("refusal", vec![0]),
        ] {
            // The second call was cut before its first byte, and "" would mean {}.
            let events = [
                started(),
                begun(0, call("a")),
                piece(0, "{}"),
                ended(0),
                begun(1, call("b")),
                ended(1),
                stopping(reason),
                stopped.clone(),
            ];
            let (parts, end) = play(&events);
            assert_eq!((ends(&parts), end), (whole, Ok(())), "{reason}");
        }
        // A broken stream cannot tell whether its last call was whole.
        let (parts, end) = play(&[started(), begun(0, call("a")), piece(0, "{}"), ended(0)]);
        assert_eq!((ends(&parts), end.unwrap_err().kind), (vec![], ApiErrorKind::Cut));
    }

    #[test]
    fn every_documented_reason_to_stop_is_known() {
        for (reason, stop) in [
            ("end_turn", StopReason::EndTurn),
            ("tool_use", StopReason::ToolUse),
            ("max_tokens", StopReason::MaxTokens),
            ("stop_sequence", StopReason::StopSequence),
            ("pause_turn", StopReason::PauseTurn),
            ("refusal", StopReason::Refusal),
            ("model_context_window_exceeded", StopReason::WindowExceeded),
            ("compaction", StopReason::Other("compaction".to_owned())),
        ] {
            // The end mark may be missing once the reason is there.
            for last in [None, Some(json!({"type": "message_stop"}))] {
                let events: Vec<Value> =
                    [started(), stopping(reason)].into_iter().chain(last).collect();
                let (parts, end) = play(&events);
                assert_eq!((parts.last(), end), (Some(&StreamPart::Stopped(stop.clone())), Ok(())));
            }
        }
    }

    #[test]
    fn usage_is_the_last_told_of_each_count() {
        let last = |events: &[Value]| {
            let (parts, _) = play(events);
            parts.iter().rev().find_map(|part| match part {
                StreamPart::Usage(usage) => Some(*usage),
                _ => None,
            })
        };
        let start = |usage: Value| json!({"type": "message_start", "message": {"usage": usage}});
        let delta = |usage: Value| json!({"type": "message_delta", "delta": {}, "usage": usage});
        for (first, second, expected) in [
            (
                json!({"input_tokens": 3, "output_tokens": 1}),
                json!({"output_tokens": 9}),
                Usage { input: 3, output: 9, ..Usage::default() },
            ),
            // Zero at first, the truth at the end.
            (
                json!({"input_tokens": 0, "output_tokens": 0}),
                json!({"input_tokens": 5, "cache_read_input_tokens": 40, "output_tokens": 9}),
                Usage { input: 5, cache_read: 40, output: 9, ..Usage::default() },
            ),
            (
                json!({"input_tokens": 1, "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}),
                json!({"cache_creation_input_tokens": 30, "output_tokens": 2}),
                Usage {
                    input: 1,
                    cache_write_5m: 10,
                    cache_write_1h: 20,
                    output: 2,
                    ..Usage::default()
                },
            ),
            (
                json!({"input_tokens": 1, "cache_creation_input_tokens": 30}),
                json!({"output_tokens": 2, "input_tokens": null, "output_tokens_details": {"thinking_tokens": 1}}),
                Usage { input: 1, cache_write_5m: 30, output: 2, thinking: 1, ..Usage::default() },
            ),
            (json!(null), json!("x"), Usage::default()),
        ] {
            assert_eq!(
                last(&[start(first.clone()), delta(second.clone())]),
                Some(expected),
                "{first} {second}"
            );
        }
    }

    #[test]
    fn odd_streams_lose_nothing_that_can_be_used() {
        let text = |index, text: &str| StreamPart::Text { index, text: text.to_owned() };
        let events = [
            json!({"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "no start"}}),
            json!({"type": "content_block_delta", "index": 8, "delta": {"type": "input_json_delta", "partial_json": "{"}}),
            json!({"type": "content_block_delta", "index": 7, "delta": {"type": "citations_delta", "citation": {}}}),
            json!({"type": "invented", "index": -1}),
            json!({"type": "content_block_stop", "index": 99}),
            begun(0, json!({"type": "text", "text": "at once"})),
            begun(1, json!({"type": "tool_use", "id": "a", "name": "A", "input": {"x": 1}})),
            ended(1),
            begun(
                2,
                json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
            ),
            piece(2, "{\"query\":"),
            piece(2, "\"q\"}"),
            ended(2),
            json!([]),
            json!(null),
        ];
        let (parts, end) = play(&events);
        assert_eq!(end.unwrap_err().kind, ApiErrorKind::Cut);
        let told: Vec<StreamPart> =
            parts.into_iter().filter(|part| *part != StreamPart::Alive).collect();
        let found = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}});
        assert_eq!(
            told,
            [
                text(7, "no start"),
                text(0, "at once"),
                StreamPart::CallStarted { index: 1, id: "a".to_owned(), name: "A".to_owned() },
                StreamPart::CallInput { index: 1, json: "{\"x\":1}".to_owned() },
                StreamPart::BlockEnded { index: 1 },
                StreamPart::Opaque { index: 2, wire: WIRE, value: found },
                StreamPart::BlockEnded { index: 2 },
            ]
        );
    }
}
