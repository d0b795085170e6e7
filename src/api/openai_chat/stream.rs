//! The chunks of a Chat Completions stream as parts.
//!
//! Blocks are this module's own: the wire has one text, one reasoning and a list of calls, which
//! become blocks in the order in which they begin.

use serde_json::{Value, json};

use crate::api::error;
use crate::api::openai_chat::WIRE;
use crate::api::openai_chat::calls::Calls;
use crate::api::openai_chat::details::{self, Details};
use crate::api::openai_chat::think::{Piece, Splitter};
use crate::api::openai_usage::usage;
use crate::api::{ApiError, StopReason, StreamPart};

/// One answer while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    started: bool,
    /// Blocks begun so far.
    blocks: usize,
    /// The block of text or thinking that goes on.
    open: Option<(Kind, usize)>,
    splitter: Splitter,
    calls: Calls,
    details: Details,
    stop: Option<StopReason>,
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
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
        self.calls.end(cut, &mut self.blocks, out);
        if let Some(details) = self.details.take() {
            let index = self.next_block();
            let value = json!({ details::FIELD: details });
            out.push(StreamPart::Opaque { index, wire: WIRE, value });
            out.push(StreamPart::BlockEnded { index });
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
        let details = &delta[details::FIELD];
        self.details.push(details);
        match reasoning {
            Some(text) => self.push(Kind::Thinking, text, out),
            None => self.push(Kind::Thinking, &Details::text(details), out),
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
            self.close(out);
            self.calls.piece(call, &mut self.blocks, out)?;
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

#[cfg(test)]
mod tests {
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

    #[test]
    fn reasons_to_stop_agree_with_what_came() {
        let said = || json!({"content": "hi"});
        let called = || json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "read", "arguments": "{}"}}]});
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
    fn reasoning_details_are_shown_once_and_kept_whole() {
        let detail = |text: &str| json!([{"type": "reasoning.text", "index": 0, "text": text}]);
        let parts = play(
            &[
                json!({"reasoning": "a", "reasoning_details": detail("a")}),
                json!({"reasoning_details": detail("b")}),
                json!({"content": "ok"}),
            ],
            Some("stop"),
        );
        let value = json!({"reasoning_details": detail("ab")});
        assert_eq!(
            parts,
            [
                StreamPart::Thinking { index: 0, text: "a".to_owned() },
                StreamPart::Thinking { index: 0, text: "b".to_owned() },
                StreamPart::BlockEnded { index: 0 },
                StreamPart::Text { index: 1, text: "ok".to_owned() },
                StreamPart::BlockEnded { index: 1 },
                StreamPart::Opaque { index: 2, wire: WIRE, value },
                StreamPart::BlockEnded { index: 2 },
                StreamPart::Stopped(StopReason::EndTurn),
            ]
        );
    }

    #[test]
    fn an_answer_without_any_end_mark_is_cut() {
        let mut stream = Stream::default();
        let mut out = Vec::new();
        stream.event(&json!({"choices": [{"delta": {"content": "a"}}]}), &mut out).unwrap();
        assert_eq!(stream.end(&mut out).unwrap_err().kind, ApiErrorKind::Cut);
    }
}
