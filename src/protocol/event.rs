//! Facts from the agent. One stream of these is the screen's input, the scripting format, what
//! tests compare and what a bug report holds.

use serde::{Deserialize, Serialize};

use crate::protocol::agents::AgentInfo;
use crate::protocol::budget::{Limits, Reached};
use crate::protocol::command::Place;
use crate::protocol::hook::HookRun;
use crate::protocol::ids::{AgentId, CallId, JobId, MessageId, RequestId, SessionId, TurnId};
use crate::protocol::message::Role;
use crate::protocol::permission::{Decision, Hunk, Mode, Request};
use crate::protocol::question::Inquiry;
use crate::protocol::rewind::{FileStep, Rewind, RewindScope, Skipped, Step};
use crate::protocol::rule_book::RuleBook;
use crate::protocol::server::ServerInfo;
use crate::protocol::trust::Trust;
use crate::protocol::usage::{Money, Spend};
use crate::protocol::window::{ItemId, Window};

/// One line of a recorded or streamed session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub v: u32,
    pub seq: u64,
    /// Milliseconds since the stream began; a replay need not wait.
    #[serde(default)]
    pub ms: u64,
    /// The sub-agent that this is about, or comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    #[serde(flatten)]
    pub body: T,
}

impl<'a> Envelope<&'a Event> {
    /// What happens within a sub-agent is a line like any other, with the agent's name on it.
    pub fn of(seq: u64, ms: u64, event: &'a Event) -> Envelope<&'a Event> {
        let (mut agent, mut body) = (None, event);
        while let Event::Within { agent: id, event } = body {
            (agent, body) = (Some(id.clone()), &**event);
        }
        Envelope { v: crate::protocol::VERSION, seq, ms, agent, body }
    }
}

impl Envelope<Event> {
    /// The event as it was before it was written.
    pub fn event(self) -> Event {
        match self.agent {
            Some(agent) => Event::Within { agent, event: Box::new(self.body) },
            None => self.body,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// A session is ready. Sent again after `Clear`, `Resume` and a step over the conversation:
    /// what follows takes the place of what was there.
    Started {
        session: SessionId,
        cwd: String,
        /// `PROVIDER/MODEL`
        model: String,
        mode: Mode,
        /// Tokens; `None` where the model is not known.
        window: Option<u64>,
        /// True where a script plays the model.
        scripted: bool,
        resumed: bool,
    },
    /// Another program has this session open. `Fork` goes on in a copy, `View` only looks.
    SessionBusy {
        session: SessionId,
    },
    /// A large session is taken up again: the end of its conversation follows, then `Started` and
    /// all else. Only where a front end wants it, see `Setup::end_first`.
    Opening {
        session: SessionId,
    },
    /// What is told from here to `EarlierEnded` came before all that was told so far.
    EarlierBegun,
    EarlierEnded,
    /// Where the screen stood when the session was left; not told where that was the end.
    PlaceRestored {
        place: Place,
    },
    /// One message of a session that was taken up again, in order, before the first turn.
    Restored {
        message: MessageId,
        role: Role,
        text: String,
    },
    /// One call of a session that was taken up again. `result` is `None` where the log holds
    /// none: its outcome is not known.
    CallRestored {
        call: CallId,
        tool: String,
        title: Title,
        #[serde(default)]
        input: serde_json::Value,
        result: Option<CallResult>,
    },
    /// The end of one turn of a session that was taken up again, as far as the log tells it.
    TurnRestored {
        end: TurnEnd,
        summary: TurnSummary,
    },
    /// `text` is what the person said.
    TurnStarted {
        turn: TurnId,
        message: MessageId,
        text: String,
    },
    /// A file or folder that the prompt mentioned goes along with it. `title` says what it is.
    Attached {
        title: Title,
        result: CallResult,
    },
    /// Queued input was handed to the model in the middle of a turn.
    Steered {
        message: MessageId,
        text: String,
    },
    QueueChanged {
        queued: Vec<Queued>,
    },
    /// The request is out and nothing has come back.
    RequestStarted {
        turn: TurnId,
    },
    TextAdded {
        message: MessageId,
        text: String,
    },
    ThoughtAdded {
        message: MessageId,
        text: String,
    },
    MessageEnded {
        message: MessageId,
    },
    CallQueued {
        call: CallId,
        tool: String,
        title: Title,
        input: serde_json::Value,
    },
    /// What runs is not what was queued: the person has changed it.
    CallChanged {
        call: CallId,
        title: Title,
        input: serde_json::Value,
    },
    CallStarted {
        call: CallId,
    },
    /// Output of a running call, raw as it came.
    CallOutput {
        call: CallId,
        text: String,
    },
    CallEnded {
        call: CallId,
        result: CallResult,
    },
    PermissionAsked {
        request: Box<Request>,
    },
    PermissionClosed {
        request: RequestId,
        by: Closed,
    },
    /// The folder brings something that does not count before it is trusted.
    TrustNeeded {
        trust: Box<Trust>,
    },
    /// The answer to `AskTrust`.
    TrustShown {
        trust: Box<Trust>,
    },
    /// The answer to `AskRules` and `ChangeRule`.
    RulesShown {
        book: Box<RuleBook>,
    },
    /// From now on what the folder brings counts, or no longer does.
    TrustSet {
        trusted: bool,
    },
    /// The model asks the person; it waits for `Reply`.
    QuestionAsked {
        inquiry: Box<Inquiry>,
    },
    QuestionClosed {
        request: RequestId,
    },
    /// What `Undo`, `Redo` or `Rewind` would do; it waits for `ConfirmRewind`.
    RewindAsked {
        rewind: Box<Rewind>,
    },
    /// A step was taken. Told again where a session is taken up.
    Rewound {
        step: Step,
        #[serde(default)]
        scope: RewindScope,
        /// The message that was gone back before, to be said anew in other words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<String>,
        /// Those that hold something else now.
        files: Vec<String>,
        skipped: Vec<Skipped>,
        /// Calls whose changes are gone after an undo, and back after a redo.
        calls: Vec<CallId>,
    },
    /// The answer to `AskChanges`: every file that holds something else than before the session.
    ChangesShown {
        request: RequestId,
        files: Vec<FileStep>,
    },
    TodosChanged {
        todos: Vec<Todo>,
    },
    UsageAdded {
        spend: Spend,
        /// The session's sum of all requests with a known price.
        session: Money,
        /// The same over all sessions of today.
        today: Money,
        /// Requests of this session whose price is not known.
        unpriced: u64,
        /// Tokens in the window now.
        context: u64,
    },
    /// What a session that was taken up again has cost so far, and the tokens in its window.
    Spent {
        session: Money,
        today: Money,
        unpriced: u64,
        context: u64,
    },
    /// The turn waits before a request that would go over a budget; `AnswerBudget` answers.
    BudgetReached {
        reached: Reached,
    },
    /// It waits no more: it was answered, or interrupted.
    BudgetClosed {
        request: RequestId,
    },
    /// Other budgets are in force.
    BudgetSet {
        limits: Limits,
    },
    /// A request failed and is tried again after `wait_ms`.
    Retrying {
        turn: TurnId,
        attempt: u32,
        of: u32,
        wait_ms: u64,
        why: String,
    },
    /// A summary that is not in use yet; `UseSummary` answers.
    SummaryDrafted {
        request: RequestId,
        /// Tokens now, and with the summary, the latter estimated.
        before: u64,
        after: u64,
        summary: String,
    },
    /// What fills the model's window.
    WindowShown {
        window: Box<Window>,
    },
    /// One thing in it.
    WindowItemShown {
        item: ItemId,
        text: String,
    },
    CompactionStarted {
        automatic: bool,
    },
    /// What `Compact` began is over, whatever came of it.
    CompactionEnded,
    /// Tokens before and after, the latter estimated.
    Compacted {
        before: u64,
        after: u64,
        summary: String,
    },
    /// Commands that the person ran with `!`.
    ShellEnded {
        command: String,
        output: String,
        code: Option<i32>,
    },
    JobChanged {
        job: JobId,
        command: String,
        running: bool,
        /// How it ended, in a few words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        facts: String,
    },
    /// Output of the job that `FollowJob` named: what there was, then what comes.
    JobOutput {
        job: JobId,
        text: String,
    },
    /// The servers of the Model Context Protocol, all of them as they stand now.
    ServersChanged {
        servers: Vec<ServerInfo>,
    },
    ModeSet {
        mode: Mode,
    },
    /// What holds commands in from now on.
    SandboxSet {
        /// In a few words: `bubblewrap, network off`, or why there is none.
        words: String,
        held: Held,
    },
    ModelSet {
        model: String,
        window: Option<u64>,
    },
    /// The session's title, from its first prompt or from the person.
    Titled {
        title: String,
    },
    /// Branch and number of changed files, where the directory is a git work tree.
    GitChanged {
        branch: String,
        dirty: u32,
    },
    Noticed {
        level: Level,
        text: String,
    },
    /// What can be called with a slash besides the commands of tern itself.
    CommandsChanged {
        commands: Vec<CommandInfo>,
        /// Output styles besides tern's own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        styles: Vec<CommandInfo>,
    },
    /// A hook has run.
    HookRan {
        run: HookRun,
    },
    /// A sub-agent has begun, or something of it has changed.
    AgentChanged {
        info: AgentInfo,
    },
    /// Something happened within a sub-agent. In lines, `agent` stands in the envelope instead.
    Within {
        agent: AgentId,
        event: Box<Event>,
    },
    TurnEnded {
        turn: TurnId,
        end: TurnEnd,
        summary: TurnSummary,
    },
    Stopped,
}

/// Something that was said while a turn runs and that the model has not got yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Never used twice in a session.
    pub id: u64,
    pub text: String,
}

/// A command that a file of the person's or the project's describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandInfo {
    /// Without the slash.
    pub name: String,
    /// What may follow it, as a person reads it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub args: String,
    /// One line.
    pub help: String,
    /// Whose it is: `user`, `project`, the name of a plugin or a server.
    pub source: String,
}

/// Who closed a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Closed {
    Answer {
        decision: Decision,
    },
    Interrupt,
    /// A rule saved for another question covers this one too.
    Rule {
        rule: String,
    },
}

/// Whether commands run in a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// In one that holds all it should.
    Held,
    /// In one that leaves something open.
    Partly,
    /// In none, as the person wants it.
    Off,
    /// In none, although one is wanted.
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// A call in plain words: `doing` and `done` are the verb ("Reading", "Read"), `object` what it
/// acts on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Title {
    pub doing: String,
    pub done: String,
    pub object: String,
}

impl Title {
    pub fn new(doing: &str, done: &str, object: impl Into<String>) -> Title {
        Title { doing: doing.to_owned(), done: done.to_owned(), object: object.into() }
    }
}

/// How a call ended. `text` is exactly what the model gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallResult {
    pub status: CallStatus,
    pub text: String,
    /// A few words for the call's own line: `1–120 of 412`, `+3 −1`, `exit 1 · 3.2 s`.
    pub facts: String,
    pub detail: Detail,
}

impl CallResult {
    pub fn is_error(&self) -> bool {
        !matches!(self.status, CallStatus::Done)
    }
}

/// Done, failed, denied and interrupted are four things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    Done,
    Failed,
    Denied,
    Interrupted,
    /// The log holds a call without a result.
    Unknown,
}

/// What an opened call shows below its line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Detail {
    /// The result's text says it all.
    Text,
    Diff {
        path: String,
        hunks: Vec<Hunk>,
        added: u32,
        removed: u32,
        new_file: bool,
    },
    Command {
        /// `None` where a signal ended it.
        code: Option<i32>,
        duration_ms: u64,
        /// Whole output, where it was too long to give whole.
        spilled: Option<String>,
    },
    Todos {
        todos: Vec<Todo>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Todo {
    pub content: String,
    pub status: TodoState,
    /// The same in the present tense: "Running the tests".
    #[serde(rename = "activeForm", default, skip_serializing_if = "String::is_empty")]
    pub active_form: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodoState {
    Pending,
    InProgress,
    Completed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TurnEnd {
    Done,
    Interrupted,
    TurnLimit,
    Budget,
    Failed {
        /// One of the kinds in INTERFACE's exit code table: `auth`, `network`, ...
        error: ErrorKind,
        message: String,
        hints: Vec<String>,
    },
}

/// The kinds of error that a script can tell apart; each has an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    Tool,
    Internal,
    Config,
    Denied,
    Auth,
    RateLimit,
    Overloaded,
    Network,
    Budget,
    TurnLimit,
    Context,
}

impl ErrorKind {
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Tool | ErrorKind::Internal => 1,
            ErrorKind::Config => 2,
            ErrorKind::Denied => 3,
            ErrorKind::Auth => 4,
            ErrorKind::RateLimit | ErrorKind::Overloaded => 5,
            ErrorKind::Network => 6,
            ErrorKind::Budget | ErrorKind::TurnLimit => 7,
            ErrorKind::Context => 8,
        }
    }
}

/// What a turn changed and cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TurnSummary {
    pub files: u32,
    pub added: u32,
    pub removed: u32,
    pub commands: u32,
    pub requests: u32,
    /// `None` where a price is not known.
    pub cost: Option<Money>,
    pub duration_ms: u64,
}
