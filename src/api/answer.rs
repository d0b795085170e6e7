//! The bytes of an answer as parts, for any wire: no network, no clock, nothing waits.
//!
//! *Invariant:* however the bytes are cut, the parts are the same. After [`StreamPart::Stopped`]
//! or an error nothing comes any more, whatever the server still sends.

use std::collections::HashSet;

use serde_json::Value;

use crate::api::error;
use crate::api::sse::{self, Item};
use crate::api::{ApiError, StreamPart};
use crate::api::{anthropic, openai_chat, openai_responses};
use crate::config::CacheTtl;

/// Bytes of one answer. No model writes as much; a server that does is broken or hostile.
const MAX_ANSWER: usize = 256 << 20;

/// Bytes of a plain JSON answer, and of the white space before any.
const MAX_JSON: usize = 64 << 20;
const MAX_BLANK: usize = 1024;

/// Characters of a call's id and of its name that are kept.
const MAX_NAME: usize = 256;

/// One answer while it comes.
#[derive(Debug)]
pub struct Answer {
    parser: Parser,
    form: Form,
    bytes: usize,
    ids: HashSet<String>,
    over: bool,
}

pub type Parts = Vec<Result<StreamPart, ApiError>>;

/// How an answer's bytes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server closed the stream.
    Closed,
    /// The connection broke: half an event is no event.
    Broken,
}

#[derive(Debug)]
enum Parser {
    Anthropic(anthropic::stream::Stream),
    Chat(openai_chat::stream::Stream),
    Responses(openai_responses::stream::Stream),
}

/// What the bytes are, told by the first that is not white space: servers send plain JSON for a
/// stream request, and web pages, under any content type.
#[derive(Debug)]
enum Form {
    Unknown(Vec<u8>),
    Events(Box<sse::Decoder>),
    Json(Vec<u8>),
    WebPage,
}

impl Answer {
    pub fn anthropic() -> Answer {
        Answer::new(Parser::Anthropic(Default::default()))
    }

    /// For a request that asked for this cache: a server that does not say how long it keeps what
    /// it wrote has done as it was asked.
    pub fn anthropic_caching(cache: CacheTtl) -> Answer {
        Answer::new(Parser::Anthropic(anthropic::stream::Stream::caching(cache)))
    }

    pub fn openai_chat() -> Answer {
        Answer::new(Parser::Chat(Default::default()))
    }

    pub fn openai_responses() -> Answer {
        Answer::new(Parser::Responses(Default::default()))
    }

    fn new(parser: Parser) -> Answer {
        Answer {
            parser,
            form: Form::Unknown(Vec::new()),
            bytes: 0,
            ids: HashSet::new(),
            over: false,
        }
    }

    /// True when nothing can come any more.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Appends the parts that `bytes` complete.
    pub fn push(&mut self, bytes: &[u8], out: &mut Parts) {
        if self.over {
            return;
        }
        self.bytes += bytes.len();
        let mut items = Vec::new();
        let read = match &mut self.form {
            Form::Unknown(head) => {
                head.extend_from_slice(bytes);
                return self.tell_form(out);
            }
            Form::Events(decoder) => decoder.push(bytes, &mut items),
            Form::Json(body) => {
                body.extend_from_slice(bytes);
                if body.len() > MAX_JSON { Err(sse::TooLarge) } else { Ok(()) }
            }
            Form::WebPage => Ok(()),
        };
        self.items(items, out);
        if read.is_err() || self.bytes > MAX_ANSWER {
            self.fail(error::bad_stream("too large", ""), out);
        }
    }

    /// The bytes have ended.
    pub fn end(&mut self, end: End, out: &mut Parts) {
        if self.over {
            return;
        }
        match (&mut self.form, end) {
            (Form::Events(decoder), End::Closed) => {
                let mut items = Vec::new();
                let read = decoder.finish(&mut items);
                let before = out.len();
                self.items(items, out);
                // Half an event that was the last of the stream is a cut, not a wrong stream.
                if let Some(Err(last)) = out[before..].last_mut()
                    && last.kind == crate::api::ApiErrorKind::BadStream
                {
                    *last = error::cut();
                } else if read.is_err() {
                    self.fail(error::bad_stream("too large", ""), out);
                }
            }
            (Form::Json(body), End::Closed) => {
                let body = std::mem::take(body);
                self.json(&body, out);
            }
            (Form::Unknown(_) | Form::Events(_) | Form::Json(_) | Form::WebPage, _) => {}
        }
        if self.over {
            return;
        }
        let mut parts = Vec::new();
        let ended = match end {
            End::Closed => self.parser.end(&mut parts),
            End::Broken => Err(error::cut()),
        };
        self.parts(parts, out);
        if let Err(error) = ended {
            self.fail(error, out);
        }
    }

    fn tell_form(&mut self, out: &mut Parts) {
        let Form::Unknown(head) = &mut self.form else { return };
        let blank = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let first = blank.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
        // The byte order mark may be cut, too.
        let undecided = first.is_none() || b"\xef\xbb\xbf".starts_with(head);
        if undecided && head.len() < MAX_BLANK {
            return;
        }
        let head = std::mem::take(head);
        self.form = match first {
            Some(b'{' | b'[') => Form::Json(Vec::new()),
            Some(b'<') => Form::WebPage,
            _ => Form::Events(Box::default()),
        };
        self.bytes -= head.len();
        match self.form {
            Form::WebPage => self.fail(error::web_page(), out),
            Form::Unknown(_) | Form::Events(_) | Form::Json(_) => self.push(&head, out),
        }
    }

    fn items(&mut self, items: Vec<Item>, out: &mut Parts) {
        for item in items {
            if self.over {
                return;
            }
            match item {
                Item::Comment => out.push(Ok(StreamPart::Alive)),
                Item::Event { name, data } => self.event(&name, &data, out),
            }
        }
    }

    fn event(&mut self, name: &str, data: &str, out: &mut Parts) {
        let mut parts = Vec::new();
        let read = match serde_json::from_str::<Value>(data) {
            Ok(event) => match event.get("error") {
                // An error in mid-stream, in the shape of any wire.
                Some(told) if !told.is_null() => Err(error::from_value(None, &event)),
                _ => self.parser.event(&event, &mut parts),
            },
            Err(_) if data.trim() == "[DONE]" => {
                self.parser.done(&mut parts);
                Ok(())
            }
            Err(_) if data.trim().is_empty() => {
                parts.push(StreamPart::Alive);
                Ok(())
            }
            Err(_) if name == "error" => Err(error::from_text(None, data)),
            Err(problem) if is_expected(name) => {
                Err(error::bad_stream(&format!("not JSON, {problem}"), data))
            }
            // An event of a kind that is not known may hold anything.
            Err(_) => {
                parts.push(StreamPart::Alive);
                Ok(())
            }
        };
        self.parts(parts, out);
        if let Err(error) = read {
            self.fail(error, out);
        }
    }

    /// A whole answer in one piece of JSON, or an error under a status that says that all is well.
    fn json(&mut self, body: &[u8], out: &mut Parts) {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut parts = Vec::new();
        let read = match serde_json::from_slice::<Value>(body) {
            Ok(body) if body.get("error").is_some_and(|told| !told.is_null()) => {
                Err(error::from_value(None, &body))
            }
            Ok(body) => self.parser.body(&body, &mut parts),
            Err(problem) if problem.is_eof() => Err(error::cut()),
            Err(problem) => Err(error::bad_stream(
                &format!("not JSON, {problem}"),
                &String::from_utf8_lossy(&body[..body.len().min(400)]),
            )),
        };
        self.parts(parts, out);
        if let Err(error) = read {
            self.fail(error, out);
        }
    }

    fn parts(&mut self, parts: Vec<StreamPart>, out: &mut Parts) {
        for part in parts {
            let part = match part {
                StreamPart::CallStarted { index, id, name } => {
                    StreamPart::CallStarted { index, id: self.id(&id, index), name: kept(&name) }
                }
                part => part,
            };
            self.over |= matches!(part, StreamPart::Stopped(_));
            out.push(Ok(part));
        }
    }

    /// An id that names one call of this answer only: servers leave ids out and repeat them.
    fn id(&mut self, id: &str, index: usize) -> String {
        let base = match kept(id) {
            id if id.is_empty() => format!("call_{index}"),
            id => id,
        };
        let mut unique = base.clone();
        // Counting from how many there are keeps a flood of equal ids from taking for ever.
        let mut number = self.ids.len() + 1;
        while !self.ids.insert(unique.clone()) {
            unique = format!("{base}_{number}");
            number += 1;
        }
        unique
    }

    fn fail(&mut self, error: ApiError, out: &mut Parts) {
        if !self.over {
            self.over = true;
            out.push(Err(error));
        }
    }
}

impl Parser {
    fn event(&mut self, event: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        match self {
            Parser::Anthropic(stream) => stream.event(event, out),
            Parser::Chat(stream) => stream.event(event, out),
            Parser::Responses(stream) => stream.event(event, out),
        }
    }

    fn body(&mut self, body: &Value, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        match self {
            Parser::Anthropic(stream) => stream.body(body, out),
            Parser::Chat(stream) => stream.body(body, out),
            Parser::Responses(stream) => stream.body(body, out),
        }
    }

    /// `[DONE]`, which means something on one wire only.
    fn done(&mut self, out: &mut Vec<StreamPart>) {
        match self {
            Parser::Chat(stream) => stream.done(out),
            Parser::Anthropic(_) | Parser::Responses(_) => out.push(StreamPart::Alive),
        }
    }

    fn end(&mut self, out: &mut Vec<StreamPart>) -> Result<(), ApiError> {
        match self {
            Parser::Anthropic(stream) => stream.end(out),
            Parser::Chat(stream) => stream.end(out),
            Parser::Responses(stream) => stream.end(),
        }
    }
}

/// The names of events that hold JSON.
fn is_expected(name: &str) -> bool {
    name == "message"
        || ["message_", "content_block_", "response."].iter().any(|known| name.starts_with(known))
}

/// An id or a name without control characters, cut to what can be meant.
fn kept(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}
