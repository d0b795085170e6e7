//! Orders from a front end to the agent.

use serde::{Deserialize, Serialize};

use crate::protocol::budget;
use crate::protocol::ids::{AgentId, CallId, JobId, MessageId, RequestId, SessionId, TurnId};
use crate::protocol::permission::{Decision, Mode};
use crate::protocol::question::Reply;
use crate::protocol::rewind::RewindScope;
use crate::protocol::rule_book::RuleChange;
use crate::protocol::server::ServerAct;
use crate::protocol::window::{ItemId, WindowAct};

/// What a person typed, as it goes to the model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Input {
    pub text: String,
    /// Pasted or dropped images, which go to the model before the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<InputImage>,
}

/// A png, jpeg, gif or webp file as the person gave it; the agent makes large ones smaller.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InputImage {
    /// What the text calls it: `image 1`.
    pub name: String,
    /// Base64.
    pub data: String,
}

impl Input {
    pub fn text(text: impl Into<String>) -> Input {
        Input { text: text.into(), images: Vec::new() }
    }
}

/// A row of the conversation as a screen shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The last message that begins at the row or above it; `None`: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// Entries from that message, or from the first one, to the one that the row belongs to.
    pub entries: usize,
    /// Rows of that entry above the row.
    pub row: isize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Command {
    /// Start a turn. `turn` is chosen by the front end and counts up.
    Submit {
        turn: TurnId,
        input: Input,
    },
    /// Say something while a turn runs: it goes to the model with the next tool results, or
    /// starts a turn of its own when the current one ends first.
    Queue {
        turn: TurnId,
        input: Input,
    },
    /// Take back what is queued and has not been sent: one, or without an `id` everything.
    Unqueue {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
    /// Do not wait for the next step: stop `turn`, and give the model everything queued as the
    /// turn `next`. Without anything queued nothing is stopped.
    SendQueued {
        turn: TurnId,
        next: TurnId,
    },
    Interrupt {
        turn: TurnId,
    },
    Answer {
        request: RequestId,
        decision: Decision,
    },
    /// The answer to `BudgetReached`.
    AnswerBudget {
        request: RequestId,
        answer: budget::Answer,
    },
    /// Other budgets, for this session; a turn that waits at one goes on if it may.
    SetBudget {
        limits: budget::Limits,
    },
    /// The answer to `QuestionAsked`.
    Reply {
        request: RequestId,
        reply: Reply,
    },
    SetMode {
        mode: Mode,
    },
    /// `PROVIDER/MODEL`
    SetModel {
        model: String,
    },
    /// Put a summary in the place of the older history.
    Compact {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        focus: Option<String>,
        /// Only show it: `SummaryDrafted` answers, and `UseSummary` uses it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        preview: bool,
    },
    /// The answer to `SummaryDrafted`: the summary as the person has left it; `None` discards it.
    UseSummary {
        request: RequestId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    },
    /// Ask what fills the model's window. Answered by `WindowShown`.
    ShowWindow {
        /// Have the server count, where it does.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
    },
    /// Ask for the whole text of one thing in it. Answered by `WindowItemShown`.
    ShowWindowItem {
        item: ItemId,
    },
    /// Change what the model sees of it. Answered by `WindowShown`.
    EditWindow {
        item: ItemId,
        act: WindowAct,
    },
    /// Let the model see again what the last compaction took away.
    UndoCompaction,
    /// A command that the person runs; its output goes to the model with the next prompt.
    Shell {
        command: String,
    },
    /// Ask what it takes to have the files as they were before the last turn that changed any.
    /// Answered by `RewindAsked`; nothing is touched.
    Undo,
    /// The same for taking the last undo or rewind back.
    Redo,
    /// The same for going back to before a message of the person.
    Rewind {
        to: MessageId,
        scope: RewindScope,
    },
    /// Do what `RewindAsked` showed. Not to do it needs no command.
    ConfirmRewind {
        request: RequestId,
        /// Files of the preview, from 0, that someone else has changed and that are to be touched
        /// all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<usize>,
    },
    /// Ask which files hold something else than before this session. Answered by `ChangesShown`,
    /// also while a turn runs.
    AskChanges {
        /// Unchanged lines around each change.
        context: u32,
    },
    /// Ask what it takes to have one file of `ChangesShown`, from 0, or one of its hunks as it was
    /// before the session. Answered by `RewindAsked`; nothing is touched.
    Revert {
        request: RequestId,
        file: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hunk: Option<usize>,
    },
    /// Ask what in the folder needs trust, and whether it has it. Answered by `TrustShown`.
    AskTrust,
    /// Trust what `TrustNeeded` or `TrustShown` listed, for as long as it stays the same.
    Trust {
        seen: String,
    },
    /// Trust the folder no longer.
    Distrust,
    /// Ask for the rules as the files have them now, and for what was denied. Answered by
    /// `RulesShown`.
    AskRules,
    /// Add, change or delete a rule. Answered by `RulesShown`, and by a notice where it was not
    /// done.
    ChangeRule {
        change: RuleChange,
    },
    /// When the model makes this denied call again as it was, ask the person about it, also in a
    /// mode that does not ask. What a rule denies stays denied.
    AskAgain {
        call: CallId,
    },
    /// Forget the conversation: a new session begins, the old one stays on disk.
    Clear,
    /// Leave this session and take up another one.
    Resume {
        session: SessionId,
    },
    /// The same with a copy of it, or of this one: the log of the old one stays as it is.
    Fork {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
    },
    /// Take up a session that another program has open, and write nothing down.
    View {
        session: SessionId,
    },
    /// The session is about to be left, and the screen stands here; `None`: at the end.
    Leave {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    /// Give this session a title.
    Rename {
        title: String,
    },
    /// End a command that runs in the background.
    Kill {
        job: JobId,
    },
    /// Do something to a server of the Model Context Protocol. What comes of it is told by
    /// `ServersChanged` and, where there is something to say, by a notice.
    Server {
        server: String,
        act: ServerAct,
    },
    /// Say something to a sub-agent that runs: it gets it with its next tool results.
    SteerAgent {
        agent: AgentId,
        text: String,
    },
    StopAgent {
        agent: AgentId,
    },
    /// Commands that the turn waits for go on in the background.
    Background,
    /// Tell the output of this background command as it comes, of no other; `None`: of none.
    FollowJob {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<JobId>,
    },
    Stop,
}
