//! The events of a Responses stream as parts.
//!
//! An item of the answer becomes one block; reasoning becomes two: its summary, to be read, and
//! the item itself, to be sent back. Tolerant of servers that leave out `output_index`, pieces, the
//! ends of items, or everything but the completed answer.

use serde_json::{Value, json};

use crate::api::error;
use crate::api::openai_responses::WIRE;
use crate::api::openai_usage::usage;
use crate::api::{ApiError, StopReason, StreamPart};

/// More items in one answer are no use to anyone.
const MOST_ITEMS: usize = 2000;

/// One answer while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    started: bool,
    /// Blocks begun so far.
    blocks: usize,
    items: Vec<Item>,
    /// A call that the server has ended, until what comes next shows that no limit cut it off.
    held: Option<usize>,
    refused: bool,
    over: bool,
}

#[derive(Debug)]
struct Item {
    id: String,
    position: Option<u64>,
    kind: Kind,
    /// `None` until something of it came.
    block: Option<usize>,
    /// Pieces of it came, so that the whole at its end says nothing new.
    in_pieces: bool,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
    Call,
    /// Of a tool on the server.
    Other,
}

impl Stream {
    pub fn event(&mut self, event: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        if !self.started {
            self.started = true;
            out.push(StreamPart::Started);
        }
        let before = out.len();
        let name = text(event, "type");
        match name {
            "response.output_item.added" => {
                self.release(out);
                self.add(&event["item"], event, out)?;
            }
            "response.output_item.done" => {
                self.release(out);
                self.item_done(&event["item"], event, out)?;
            }
            "response.output_text.delta" => self.piece(Kind::Message, event, out)?,
            "response.refusal.delta" => {
                self.refused = true;
                self.piece(Kind::Message, event, out)?;
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.piece(Kind::Reasoning, event, out)?;
            }
            "response.reasoning_summary_part.added"
                if event["summary_index"].as_u64() > Some(0) =>
            {
                let mut gap = event.clone();
                gap["delta"] = "\n\n".into();
                self.piece(Kind::Reasoning, &gap, out)?;
            }
            "response.function_call_arguments.delta" => self.piece(Kind::Call, event, out)?,
            "response.completed" | "response.incomplete" | "response.done" => {
                self.stop(&event["response"], out)?;
            }
            "response.failed" | "error" => return Err(error::from_value(None, event)),
            _ => {}
        }
        if out.len() == before {
            out.push(StreamPart::Alive);
        }
        Ok(())
    }

    /// A whole answer, from a server that ignores `stream`.
    pub fn body(&mut self, response: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        if !response["output"].is_array() {
            return Err(error::bad_stream("no output", &response.to_string()));
        }
        if response["status"] == "failed" {
            return Err(error::from_value(None, &json!({"response": response})));
        }
        out.push(StreamPart::Started);
        self.stop(response, out)
    }

    /// The stream has ended.
    pub fn end(&self) -> Result<(), ApiError> {
        if self.over { Ok(()) } else { Err(error::cut()) }
    }

    /// The item of an event: by its id, else by its position, else the newest that fits.
    fn find(&self, id: &str, event: &Value, kind: Kind) -> Option<usize> {
        let position = event["output_index"].as_u64();
        let by_id = || self.items.iter().rposition(|item| !id.is_empty() && item.id == id);
        let by_position =
            || self.items.iter().rposition(|item| position.is_some() && item.position == position);
        let newest = || {
            let open = |item: &Item| !item.ended && item.kind == kind;
            self.items.iter().rposition(open).filter(|_| id.is_empty() && position.is_none())
        };
        by_id().or_else(by_position).or_else(newest).filter(|&at| self.items[at].kind == kind)
    }

    /// A piece of an item, which is begun if the server has not done so.
    fn piece(
        &mut self,
        kind: Kind,
        event: &Value,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), ApiError> {
        let delta = text(event, "delta");
        if delta.is_empty() {
            return Ok(());
        }
        self.release(out);
        let id = text(event, "item_id");
        let at = match self.find(id, event, kind) {
            Some(at) => at,
            // The name of a call comes with its beginning; without one its end brings all.
            None if kind == Kind::Call => return Ok(()),
            None => self.push(id, event, kind)?,
        };
        if !self.items[at].ended {
            self.items[at].in_pieces = true;
            self.content(at, delta, out);
        }
        Ok(())
    }

    fn add(
        &mut self,
        item: &Value,
        event: &Value,
        out: &mut Vec<StreamPart>,
    ) -> Result<usize, ApiError> {
        let kind = kind(item);
        let at = self.push(text(item, "id"), event, kind)?;
        if kind == Kind::Call {
            let index = self.block(at);
            let id = match text(item, "call_id") {
                "" => text(item, "id"),
                id => id,
            };
            let name = text(item, "name").to_owned();
            out.push(StreamPart::CallStarted { index, id: id.to_owned(), name });
        }
        Ok(at)
    }

    fn push(&mut self, id: &str, event: &Value, kind: Kind) -> Result<usize, ApiError> {
        if self.items.len() == MOST_ITEMS {
            return Err(error::bad_stream("too many items", ""));
        }
        self.items.push(Item {
            id: id.to_owned(),
            position: event["output_index"].as_u64(),
            kind,
            block: None,
            in_pieces: false,
            ended: false,
        });
        Ok(self.items.len() - 1)
    }

    fn item_done(
        &mut self,
        item: &Value,
        event: &Value,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), ApiError> {
        let kind = kind(item);
        let at = match self.find(text(item, "id"), event, kind) {
            Some(at) => at,
            None => self.add(item, event, out)?,
        };
        if self.items[at].ended {
            return Ok(());
        }
        if !self.items[at].in_pieces {
            self.content(at, &whole(kind, item), out);
        }
        if kind == Kind::Call && item["status"] != "incomplete" {
            self.items[at].ended = true;
            self.held = Some(self.block(at));
            return Ok(());
        }
        if kind != Kind::Call {
            self.end_item(at, out);
        }
        let sent_back = match kind {
            Kind::Reasoning => item["encrypted_content"].is_string(),
            Kind::Other => item.is_object(),
            Kind::Message | Kind::Call => false,
        };
        if sent_back {
            let index = self.next_block();
            out.push(StreamPart::Opaque { index, wire: WIRE, value: item.clone() });
            out.push(StreamPart::BlockEnded { index });
        }
        Ok(())
    }

    fn content(&mut self, at: usize, content: &str, out: &mut Vec<StreamPart>) {
        if content.is_empty() {
            return;
        }
        let index = self.block(at);
        let content = content.to_owned();
        out.push(match self.items[at].kind {
            Kind::Message => StreamPart::Text { index, text: content },
            Kind::Reasoning => StreamPart::Thinking { index, text: content },
            Kind::Call => StreamPart::CallInput { index, json: content },
            Kind::Other => return,
        });
    }

    fn end_item(&mut self, at: usize, out: &mut Vec<StreamPart>) {
        self.items[at].ended = true;
        out.extend(self.items[at].block.map(|index| StreamPart::BlockEnded { index }));
    }

    fn stop(&mut self, response: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        // A server that sends nothing but the whole.
        if self.items.is_empty() {
            for item in response["output"].as_array().into_iter().flatten() {
                self.release(out);
                self.item_done(item, &Value::Null, out)?;
            }
        }
        let called = self.items.iter().any(|item| item.kind == Kind::Call);
        let stop = match response["incomplete_details"]["reason"].as_str() {
            Some("max_output_tokens" | "max_tokens") => StopReason::MaxTokens,
            Some("content_filter") => StopReason::Refusal,
            Some(other) => StopReason::Other(other.to_owned()),
            None if response["status"] == "incomplete" => StopReason::MaxTokens,
            None if self.refused => StopReason::Refusal,
            None if called => StopReason::ToolUse,
            None => StopReason::EndTurn,
        };
        let whole = matches!(stop, StopReason::ToolUse | StopReason::EndTurn);
        if whole {
            self.release(out);
        }
        // A server that does not end its items.
        for at in 0..self.items.len() {
            if !self.items[at].ended && (whole || self.items[at].kind != Kind::Call) {
                self.end_item(at, out);
            }
        }
        out.extend(usage(&response["usage"]).map(StreamPart::Usage));
        out.push(StreamPart::Stopped(stop));
        self.over = true;
        Ok(())
    }

    fn release(&mut self, out: &mut Vec<StreamPart>) {
        out.extend(self.held.take().map(|index| StreamPart::BlockEnded { index }));
    }

    fn block(&mut self, at: usize) -> usize {
        match self.items[at].block {
            Some(index) => index,
            None => {
                let index = self.next_block();
                self.items[at].block = Some(index);
                index
            }
        }
    }

    fn next_block(&mut self) -> usize {
        self.blocks += 1;
        self.blocks - 1
    }
}

fn kind(item: &Value) -> Kind {
    match text(item, "type") {
        "message" => Kind::Message,
        "reasoning" => Kind::Reasoning,
        "function_call" => Kind::Call,
        _ => Kind::Other,
    }
}

/// The content of an item that came without pieces.
fn whole(kind: Kind, item: &Value) -> String {
    let texts = |list: &Value, between: &str| {
        let texts: Vec<&str> = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["text"].as_str().or_else(|| part["refusal"].as_str()))
            .collect();
        texts.join(between)
    };
    match kind {
        Kind::Message => texts(&item["content"], ""),
        Kind::Reasoning => match texts(&item["summary"], "\n\n") {
            summary if summary.is_empty() => texts(&item["content"], "\n\n"),
            summary => summary,
        },
        Kind::Call => match &item["arguments"] {
            Value::String(json) => json.clone(),
            Value::Null => String::new(),
            object => object.to_string(),
        },
        Kind::Other => String::new(),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "tables of json! read better")]
mod tests {
    use super::*;
    use crate::api::ApiErrorKind;
    use crate::protocol::Usage;

    fn play(events: &[Value]) -> (Vec<StreamPart>, Result<(), ApiError>) {
        let mut stream = Stream::default();
        let mut out = Vec::new();
        for event in events {
            if let Err(error) = stream.event(event, &mut out) {
                return (out, Err(error));
            }
        }
        let end = stream.end();
        out.retain(|part| !matches!(part, StreamPart::Alive | StreamPart::Started));
        (out, end)
    }

    fn item(name: &str, item: Value) -> Value {
        json!({"type": format!("response.output_item.{name}"), "item": item})
    }

    fn delta(name: &str, item: &str, delta: &str) -> Value {
        json!({"type": format!("response.{name}.delta"), "item_id": item, "delta": delta})
    }

    fn completed(response: Value) -> Value {
        json!({"type": "response.completed", "response": response})
    }

    fn call(id: &str, arguments: &str, status: &str) -> Value {
        json!({"type": "function_call", "id": id, "call_id": format!("call_{id}"), "name": "read", "arguments": arguments, "status": status})
    }

    fn begun(index: usize, id: &str) -> StreamPart {
        StreamPart::CallStarted { index, id: format!("call_{id}"), name: "read".to_owned() }
    }

    fn input(index: usize, json: &str) -> StreamPart {
        StreamPart::CallInput { index, json: json.to_owned() }
    }

    fn ended(index: usize) -> StreamPart {
        StreamPart::BlockEnded { index }
    }

    #[test]
    fn reasoning_is_shown_and_carried_along() {
        let reasoning = json!({"type": "reasoning", "id": "rs", "encrypted_content": "x", "summary": [{"type": "summary_text", "text": "ab"}]});
        let (parts, end) = play(&[
            item("added", json!({"type": "reasoning", "id": "rs", "summary": []})),
            json!({"type": "response.reasoning_summary_part.added", "item_id": "rs", "summary_index": 0}),
            delta("reasoning_summary_text", "rs", "a"),
            json!({"type": "response.reasoning_summary_part.added", "item_id": "rs", "summary_index": 1}),
            delta("reasoning_summary_text", "rs", "b"),
            item("done", reasoning.clone()),
            item("added", json!({"type": "message", "id": "m"})),
            delta("output_text", "m", "hi"),
            item(
                "done",
                json!({"type": "message", "id": "m", "content": [{"type": "output_text", "text": "hi"}]}),
            ),
            completed(
                json!({"status": "completed", "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 5}}}),
            ),
        ]);
        let thinking = |text: &str| StreamPart::Thinking { index: 0, text: text.to_owned() };
        let usage = Usage { input: 6, cache_read: 4, output: 7, thinking: 5, ..Usage::default() };
        assert_eq!(end, Ok(()));
        assert_eq!(
            parts,
            [
                thinking("a"),
                thinking("\n\n"),
                thinking("b"),
                ended(0),
                StreamPart::Opaque { index: 1, wire: WIRE, value: reasoning },
                ended(1),
                StreamPart::Text { index: 2, text: "hi".to_owned() },
                ended(2),
                StreamPart::Usage(usage),
                StreamPart::Stopped(StopReason::EndTurn),
            ]
        );
    }

    #[test]
    fn calls_come_together_from_whatever_servers_send() {
        let added = || item("added", call("a", "", "in_progress"));
        let done = |status| item("done", call("a", "{}", status));
        let arguments = |id: &str| json!({"type": "response.function_call_arguments.delta", "item_id": id, "delta": "{}"});
        let whole = || {
            vec![begun(0, "a"), input(0, "{}"), ended(0), StreamPart::Stopped(StopReason::ToolUse)]
        };
        let finished = || completed(json!({"status": "completed"}));
        let at_limit = || json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}});
        let cut =
            || vec![begun(0, "a"), input(0, "{}"), StreamPart::Stopped(StopReason::MaxTokens)];
        for (what, events, parts) in [
            ("by id", vec![added(), arguments("a"), done("completed"), finished()], whole()),
            (
                "no id in the pieces",
                vec![
                    added(),
                    json!({"type": "response.function_call_arguments.delta", "delta": "{}"}),
                    done("completed"),
                    finished(),
                ],
                whole(),
            ),
            ("whole at the end", vec![added(), done("completed"), finished()], whole()),
            ("never begun", vec![arguments("a"), done("completed"), finished()], whole()),
            ("never ended", vec![added(), arguments("a"), finished()], whole()),
            (
                "only the whole answer",
                vec![completed(json!({"output": [call("a", "{}", "completed")]}))],
                whole(),
            ),
            (
                "cut, and said so",
                vec![added(), arguments("a"), done("incomplete"), at_limit()],
                cut(),
            ),
            (
                "cut, and called completed",
                vec![added(), arguments("a"), done("completed"), at_limit()],
                cut(),
            ),
            ("cut, and never ended", vec![added(), arguments("a"), at_limit()], cut()),
        ] {
            let (found, end) = play(&events);
            assert_eq!((found, end), (parts, Ok(())), "{what}");
        }
    }

    #[test]
    fn failures_say_what_they_are() {
        for (event, kind) in [
            (
                json!({"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded", "message": "slow"}}}),
                ApiErrorKind::RateLimit,
            ),
            (
                json!({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "oops"}}}),
                ApiErrorKind::Server,
            ),
            (
                json!({"type": "error", "code": "context_length_exceeded", "message": "too long"}),
                ApiErrorKind::PromptTooLong,
            ),
            (json!({"type": "response.output_text.delta", "delta": "x"}), ApiErrorKind::Cut),
        ] {
            let (_, end) = play(&[event]);
            assert_eq!(end.unwrap_err().kind, kind);
        }
    }
}
