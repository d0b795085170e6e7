//! The chunks of a Chat Completions stream as parts.
//!
//! Blocks are this module's own: the wire has one text, one reasoning and a list of calls, which
//! become blocks in the order in which they begin.

use serde_json::Value;

use crate::api::error;
use crate::api::openai_chat::think::{Piece, Splitter};
use crate::api::{ApiError, StopReason, StreamPart};
use crate::protocol::Usage;

/// More calls in one answer are no use to anyone.
const MOST_CALLS: usize = 1000;

/// One answer while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    started: bool,
    /// Blocks begun so far.
    blocks: usize,
    /// The block of text or thinking that goes on.
    open: Option<(Kind, usize)>,
    splitter: Splitter,
    calls: Vec<Call>,
    /// The call that got the last piece: where a limit cut the answer off, it is not whole.
    touched: usize,
    stop: Option<StopReason>,
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
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

impl Stream {
    pub fn event(&mut self, chunk: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        if !self.started {
            self.started = true;
            out.push(StreamPart::Started);
        }
        let before = out.len();
        // A request asks for one choice; further ones are left alone.
        let choice = &chunk["choices"][0];
        self.delta(&choice["delta"], out)?;
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.stop = Some(stop_reason(reason));
        }
        if let Some(usage) = usage(&chunk["usage"]) {
            out.push(StreamPart::Usage(usage));
        }
        if out.len() == before {
            out.push(StreamPart::Alive);
        }
        Ok(())
    }

    /// A whole answer, from a server that ignores `stream`.
    pub fn body(&mut self, body: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        let choice = &body["choices"][0];
        if !choice["message"].is_object() {
            return Err(error::bad_stream("no message", &body.to_string()));
        }
        out.push(StreamPart::Started);
        self.delta(&choice["message"], out)?;
        self.stop = choice["finish_reason"].as_str().map(stop_reason);
        out.extend(usage(&body["usage"]).map(StreamPart::Usage));
        self.done(out);
        Ok(())
    }

    /// The end mark `[DONE]`.
    pub fn done(&mut self, out: &mut Vec<StreamPart>) {
        self.close(out);
        let stop = match self.stop.take() {
            // Servers say "stop" after calls, and "tool_calls" after none.
            Some(StopReason::EndTurn | StopReason::ToolUse) | None if self.calls.is_empty() => {
                StopReason::EndTurn
            }
            Some(StopReason::EndTurn) | None => StopReason::ToolUse,
            Some(stop) => stop,
        };
        let cut = matches!(stop, StopReason::MaxTokens | StopReason::Refusal);
        for at in 0..self.calls.len() {
            let index = self.begin_call(at, "", out);
            if !(cut && at == self.touched) {
                out.push(StreamPart::BlockEnded { index });
            }
        }
        out.push(StreamPart::Stopped(stop));
        self.over = true;
    }

    /// The stream has ended. Some servers send no end mark; a reason to stop is as good.
    pub fn end(&mut self, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        if self.over {
            return Ok(());
        }
        if self.stop.is_some() {
            self.done(out);
            return Ok(());
        }
        Err(error::cut())
    }

    fn delta(&mut self, delta: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        let reasoning = ["reasoning_content", "reasoning", "thinking"]
            .iter()
            .find_map(|field| delta[field].as_str().filter(|text| !text.is_empty()));
        if let Some(text) = reasoning {
            self.push(Kind::Thinking, text, out);
        }
        match &delta["content"] {
            Value::String(text) => self.content(text, out),
            // Mistral: a list of parts, some of them thinking.
            Value::Array(parts) => {
                for part in parts {
                    for thought in part["thinking"].as_array().into_iter().flatten() {
                        self.push(
                            Kind::Thinking,
                            thought["text"].as_str().unwrap_or_default(),
                            out,
                        );
                    }
                    self.content(part["text"].as_str().unwrap_or_default(), out);
                }
            }
            _ => {}
        }
        if let Some(text) = delta["refusal"].as_str().filter(|text| !text.is_empty()) {
            self.push(Kind::Text, text, out);
            self.stop = Some(StopReason::Refusal);
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.call(call, out)?;
        }
        Ok(())
    }

    fn content(&mut self, text: &str, out: &mut Vec<StreamPart>) {
        for piece in self.splitter.push(text) {
            self.piece(&piece, out);
        }
    }

    fn piece(&mut self, piece: &Piece, out: &mut Vec<StreamPart>) {
        match piece {
            Piece::Text(text) => self.push(Kind::Text, text, out),
            Piece::Thinking(text) => self.push(Kind::Thinking, text, out),
        }
    }

    fn push(&mut self, kind: Kind, text: &str, out: &mut Vec<StreamPart>) {
        if text.is_empty() {
            return;
        }
        let index = match self.open {
            Some((open, index)) if open == kind => index,
            _ => {
                self.end_open(out);
                let index = self.next_block();
                self.open = Some((kind, index));
                index
            }
        };
        let text = text.to_owned();
        out.push(match kind {
            Kind::Text => StreamPart::Text { index, text },
            Kind::Thinking => StreamPart::Thinking { index, text },
        });
    }

    /// Ends the text or thinking that goes on, with whatever of it was held back.
    fn close(&mut self, out: &mut Vec<StreamPart>) {
        if let Some(piece) = self.splitter.finish() {
            self.piece(&piece, out);
        }
        self.end_open(out);
    }

    fn end_open(&mut self, out: &mut Vec<StreamPart>) {
        out.extend(self.open.take().map(|(_, index)| StreamPart::BlockEnded { index }));
    }

    fn next_block(&mut self) -> usize {
        self.blocks += 1;
        self.blocks - 1
    }

    /// A piece of a call, or a whole one, or several under one number.
    fn call(&mut self, delta: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        let slot = delta["index"].as_u64();
        let id = delta["id"].as_str().unwrap_or_default();
        let name = delta["function"]["name"].as_str().unwrap_or_default();
        let known = match (slot, id) {
            (Some(_), _) => self.calls.iter().rposition(|call| call.slot == slot),
            (None, "") => self.calls.len().checked_sub(1).filter(|_| name.is_empty()),
            (None, _) => self.calls.iter().rposition(|call| call.id == id),
        };
        // Some servers give every call the number 0; another id and a name make another call.
        let known = known.filter(|&at| {
            let call = &self.calls[at];
            id.is_empty() || call.id.is_empty() || call.id == id || name.is_empty()
        });
        let at = match known {
            Some(at) => at,
            None if self.calls.len() == MOST_CALLS => {
                return Err(error::bad_stream("too many calls", ""));
            }
            None => {
                self.close(out);
                let (id, waiting) = (id.to_owned(), String::new());
                self.calls.push(Call { slot, id, block: None, waiting });
                self.calls.len() - 1
            }
        };
        self.touched = at;
        let input = match &delta["function"]["arguments"] {
            Value::String(json) => json.clone(),
            Value::Null => String::new(),
            // Arguments as an object, whole.
            object => object.to_string(),
        };
        if self.calls[at].block.is_none() && name.is_empty() {
            self.calls[at].waiting.push_str(&input);
            return Ok(());
        }
        let index = self.begin_call(at, name, out);
        if !input.is_empty() {
            out.push(StreamPart::CallInput { index, json: input });
        }
        Ok(())
    }

    /// The block of a call, begun now if it is not yet. A name that is repeated is ignored.
    fn begin_call(&mut self, at: usize, name: &str, out: &mut Vec<StreamPart>) -> usize {
        if let Some(index) = self.calls[at].block {
            return index;
        }
        let index = self.next_block();
        let call = &mut self.calls[at];
        call.block = Some(index);
        out.push(StreamPart::CallStarted { index, id: call.id.clone(), name: name.to_owned() });
        if !call.waiting.is_empty() {
            out.push(StreamPart::CallInput { index, json: std::mem::take(&mut call.waiting) });
        }
        index
    }
}

fn stop_reason(reason: &str) -> StopReason {
    match reason {
        "stop" | "eos" | "eos_token" | "end_turn" => StopReason::EndTurn,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "length" | "max_tokens" => StopReason::MaxTokens,
        "content_filter" => StopReason::Refusal,
        other => StopReason::Other(other.to_owned()),
    }
}

/// `None` where the server tells no counts.
fn usage(usage: &Value) -> Option<Usage> {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    usage.as_object()?;
    let prompt = count(&usage["prompt_tokens"]);
    let details = &usage["prompt_tokens_details"];
    // DeepSeek has its own name for what was read from the cache.
    let read = count(&details["cached_tokens"]).max(count(&usage["prompt_cache_hit_tokens"]));
    let written = count(&details["cache_write_tokens"]);
    Some(Usage {
        input: prompt.saturating_sub(read).saturating_sub(written),
        cache_read: read,
        cache_write_5m: written,
        cache_write_1h: 0,
        output: count(&usage["completion_tokens"]),
        thinking: count(&usage["completion_tokens_details"]["reasoning_tokens"]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::ApiErrorKind;

    fn play(deltas: &[Value], finish: Option<&str>) -> Vec<StreamPart> {
        let mut stream = Stream::default();
        let mut out = Vec::new();
        for delta in deltas {
            stream.event(&json!({"choices": [{"index": 0, "delta": delta}]}), &mut out).unwrap();
        }
        if let Some(finish) = finish {
            stream
                .event(&json!({"choices": [{"delta": {}, "finish_reason": finish}]}), &mut out)
                .unwrap();
        }
        stream.done(&mut out);
        out.retain(|part| !matches!(part, StreamPart::Alive | StreamPart::Started));
        out
    }

    /// The calls of an answer as `id name input` and `!` where one did not end.
    fn calls(parts: &[StreamPart]) -> Vec<String> {
        let mut calls: Vec<(usize, String, bool)> = Vec::new();
        for part in parts {
            match part {
                StreamPart::CallStarted { index, id, name } => {
                    calls.push((*index, format!("{id} {name} "), false));
                }
                StreamPart::CallInput { index, json } => {
                    calls.iter_mut().find(|call| call.0 == *index).unwrap().1.push_str(json);
                }
                StreamPart::BlockEnded { index } => {
                    calls.iter_mut().filter(|call| call.0 == *index).for_each(|call| call.2 = true);
                }
                _ => {}
            }
        }
        calls.into_iter().map(|(_, text, ended)| if ended { text } else { text + "!" }).collect()
    }

    fn call(index: Option<u64>, id: Option<&str>, name: Option<&str>, arguments: Value) -> Value {
        json!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]})
    }

    #[test]
    fn calls_come_together_from_whatever_servers_send() {
        let (a, b, read, grep) = (Some("a"), Some("b"), Some("read"), Some("grep"));
        for (what, deltas, expected) in [
            (
                "pieces",
                vec![
                    call(Some(0), a, read, json!("")),
                    call(Some(0), None, None, json!("{\"f\":")),
                    call(Some(0), None, None, json!("1}")),
                ],
                vec!["a read {\"f\":1}"],
            ),
            (
                "id and name repeated",
                vec![
                    call(Some(0), a, read, json!("{")),
                    call(Some(0), a, Some(""), json!("}")),
                    call(Some(0), a, read, json!("")),
                ],
                vec!["a read {}"],
            ),
            (
                "interleaved",
                vec![
                    call(Some(0), a, read, json!("{")),
                    call(Some(1), b, grep, json!("[")),
                    call(Some(0), None, None, json!("}")),
                    call(Some(1), None, None, json!("]")),
                ],
                vec!["a read {}", "b grep []"],
            ),
            (
                "all numbered 0",
                vec![call(Some(0), a, read, json!("{}")), call(Some(0), b, grep, json!("{}"))],
                vec!["a read {}", "b grep {}"],
            ),
            (
                "no number",
                vec![
                    call(None, a, read, json!("{")),
                    call(None, a, None, json!("}")),
                    call(None, b, grep, json!("{}")),
                ],
                vec!["a read {}", "b grep {}"],
            ),
            (
                "neither number nor id, input as an object",
                vec![call(None, None, read, json!({"f": 1})), call(None, None, grep, json!({}))],
                vec![" read {\"f\":1}", " grep {}"],
            ),
            (
                "name after the input",
                vec![call(Some(0), a, None, json!("{")), call(Some(0), None, read, json!("}"))],
                vec!["a read {}"],
            ),
            ("no input", vec![call(Some(0), a, read, Value::Null)], vec!["a read "]),
            ("no name", vec![call(Some(0), a, None, json!("{}"))], vec!["a  {}"]),
            (
                "another id in each piece",
                vec![call(Some(0), a, read, json!("{")), call(Some(0), b, None, json!("}"))],
                vec!["a read {}"],
            ),
        ] {
            let parts = play(&deltas, Some("tool_calls"));
            assert_eq!(calls(&parts), expected, "{what}");
            assert_eq!(parts.last(), Some(&StreamPart::Stopped(StopReason::ToolUse)), "{what}");
        }
    }

    #[test]
    fn a_call_that_a_limit_cut_off_never_ends() {
        let deltas = [
            call(Some(0), Some("a"), Some("read"), json!("{}")),
            call(Some(1), Some("b"), Some("bash"), json!("")),
        ];
        let parts = play(&deltas, Some("length"));
        assert_eq!(calls(&parts), ["a read {}", "b bash !"]);
        assert_eq!(parts.last(), Some(&StreamPart::Stopped(StopReason::MaxTokens)));
    }

    #[test]
    fn reasons_to_stop_agree_with_what_came() {
        let said = || json!({"content": "hi"});
        let called = || call(Some(0), Some("a"), Some("read"), json!("{}"));
        for (delta, finish, stop) in [
            (said(), Some("stop"), StopReason::EndTurn),
            (said(), Some("tool_calls"), StopReason::EndTurn),
            (said(), None, StopReason::EndTurn),
            (called(), Some("stop"), StopReason::ToolUse),
            (called(), None, StopReason::ToolUse),
            (said(), Some("length"), StopReason::MaxTokens),
            (said(), Some("content_filter"), StopReason::Refusal),
            (json!({"refusal": "no"}), None, StopReason::Refusal),
            (said(), Some("abort"), StopReason::Other("abort".to_owned())),
        ] {
            assert_eq!(
                play(&[delta], finish).last(),
                Some(&StreamPart::Stopped(stop.clone())),
                "{stop:?}"
            );
        }
    }

    #[test]
    fn text_and_thinking_become_blocks_in_order() {
        let text = |index, text: &str| StreamPart::Text { index, text: text.to_owned() };
        let thinking = |index, text: &str| StreamPart::Thinking { index, text: text.to_owned() };
        let ended = |index| StreamPart::BlockEnded { index };
        let stopped = || StreamPart::Stopped(StopReason::EndTurn);
        for (deltas, parts) in [
            (
                vec![
                    json!({"content": null}),
                    json!({"content": ""}),
                    json!(null),
                    json!({"content": "a"}),
                    json!({"content": "b"}),
                ],
                vec![text(0, "a"), text(0, "b"), ended(0), stopped()],
            ),
            (
                vec![
                    json!({"reasoning_content": "x", "reasoning": "x"}),
                    json!({"reasoning": "y"}),
                    json!({"content": "a"}),
                    json!({"thinking": "z"}),
                ],
                vec![
                    thinking(0, "x"),
                    thinking(0, "y"),
                    ended(0),
                    text(1, "a"),
                    ended(1),
                    thinking(2, "z"),
                    ended(2),
                    stopped(),
                ],
            ),
            (
                vec![
                    json!({"content": "<thi"}),
                    json!({"content": "nk>hm</think>"}),
                    json!({"content": "\n\nok"}),
                ],
                vec![thinking(0, "hm"), ended(0), text(1, "ok"), ended(1), stopped()],
            ),
            (
                vec![
                    json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, {"type": "text", "text": "a"}]}),
                ],
                vec![thinking(0, "t"), ended(0), text(1, "a"), ended(1), stopped()],
            ),
            (vec![json!({"content": "<b"})], vec![text(0, "<b"), ended(0), stopped()]),
            (vec![json!({"content": "<t"})], vec![text(0, "<t"), ended(0), stopped()]),
        ] {
            assert_eq!(play(&deltas, Some("stop")), parts, "{deltas:?}");
        }
    }

    #[test]
    fn counts_do_not_overlap() {
        for (told, expected) in [
            (json!(null), None),
            (json!({}), Some(Usage::default())),
            (
                json!({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 2}}),
                Some(Usage {
                    input: 5,
                    cache_read: 4,
                    cache_write_5m: 1,
                    cache_write_1h: 0,
                    output: 5,
                    thinking: 2,
                }),
            ),
            (
                json!({"prompt_tokens": 10, "prompt_cache_hit_tokens": 6, "prompt_tokens_details": null}),
                Some(Usage { input: 4, cache_read: 6, ..Usage::default() }),
            ),
            (
                json!({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}),
                Some(Usage { cache_read: 9, ..Usage::default() }),
            ),
        ] {
            assert_eq!(usage(&told), expected, "{told}");
        }
    }

    #[test]
    fn an_answer_without_any_end_mark_is_cut() {
        let mut stream = Stream::default();
        let mut out = Vec::new();
        stream.event(&json!({"choices": [{"delta": {"content": "a"}}]}), &mut out).unwrap();
        assert_eq!(stream.end(&mut out).unwrap_err().kind, ApiErrorKind::Cut);
    }

    #[test]
    fn a_flood_of_calls_is_an_error() {
        let mut stream = Stream::default();
        let mut out = Vec::new();
        let result = (0..2000).try_for_each(|at| {
            let delta = call(Some(at), Some("a"), Some("read"), json!("{}"));
            stream.event(&json!({"choices": [{"delta": delta}]}), &mut out)
        });
        assert_eq!(result.unwrap_err().kind, ApiErrorKind::BadStream);
    }
}
