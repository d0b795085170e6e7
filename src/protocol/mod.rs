//! What crosses the borders of tern: plain data, no behaviour.
//!
//! A front end (screen, headless, editor) sends a [`Command`]; the agent answers with [`Event`]s.
//! Both are serde, both are versioned by [`Envelope`]. Nothing here holds a channel, a handle, a
//! lock, a style or a closure, so that an event stream can be logged, replayed and compared.
//!
//! Not for parsing, deciding or formatting: those live above.

pub mod agents;
pub mod ask;
pub mod budget;
pub mod command;
pub mod event;
pub mod hook;
pub mod ids;
pub mod message;
pub mod permission;
pub mod question;
pub mod rewind;
pub mod rule_book;
pub mod server;
pub mod trust;
pub mod usage;
pub mod window;

pub use agents::{AgentInfo, AgentState};
pub use ask::{AgentReport, AgentTask, Ask, AskError, Found, Nobody, SearchHit};
pub use command::{Command, Input, InputImage, Place};
pub use event::{
    CallResult, CallStatus, Closed, CommandInfo, Detail, Envelope, ErrorKind, Event, Held, Level,
    Queued, Title, Todo, TodoState, TurnEnd, TurnSummary,
};
pub use hook::{HookEnd, HookEvent, HookRun};
pub use ids::{AgentId, CallId, JobId, MessageId, RequestId, SessionId, TurnId};
pub use message::{Message, Part, Role};
pub use permission::{
    ChangedHunk, Decision, Hunk, HunkLine, LineKind, Mode, PartVerdict, Preview, Request, Ruling,
    Scope, Source, Sourced, Suggestion,
};
pub use question::{About, Choice, Choosable, Chosen, Inquiry, Reply};
pub use rewind::{
    FileEffect, FileStep, Rewind, RewindScope, Skipped, Step, StepConflict, StepPart,
};
pub use rule_book::{DenialInfo, RuleBook, RuleChange, RuleInfo};
pub use server::{ServerAct, ServerInfo, ServerState, ServerTool, ToolUse};
pub use trust::{Trust, TrustItem, TrustState};
pub use usage::{Cause, Money, Spend, Usage};
pub use window::{Filler, Item, ItemId, Window, WindowAct};

/// Version of the line format of [`Envelope`]; adding a field is not a break.
pub const VERSION: u32 = 1;
