//! Everything the screen knows.

use std::collections::{BTreeSet, VecDeque};

use crate::app::agents::Agent;
use crate::app::complete::{Complete, Finding};
use crate::app::dialog::inquiry::{Asked, Form};
use crate::app::dialog::{Budget, Confirm, Dialogs, Stage, TrustDialog};
use crate::app::keys::{Context, Key, Keymap};
use crate::app::msg::Millis;
use crate::app::panels::{self, Kind, Panel, permissions};
use crate::app::pictures::Pictures;
use crate::app::prompt::Prompt;
use crate::app::scroll::{Scroll, Seen};
use crate::app::search::Search;
use crate::app::select::Selection;
use crate::app::spend::Spending;
use crate::app::start::Start;
use crate::app::transcript::{Body, Transcript};
use crate::app::vim::Vim;
pub use crate::config::{DiffStyle, Hook};
use crate::protocol::{
    CallId, CommandInfo, Held, HookRun, JobId, Level, MessageId, Mode, Queued, RuleBook,
    ServerInfo, SessionId, Sourced, Todo, Trust, TurnId,
};

#[derive(Debug, Clone, Default)]
pub struct Model {
    pub session: SessionInfo,
    pub transcript: Transcript,
    pub scroll: Scroll,
    /// What the last frame showed.
    pub seen: Seen,
    pub prompt: Prompt,
    /// The prompt is edited as in vim.
    pub vim: Option<Vim>,
    pub complete: Option<Complete>,
    pub finding: Option<Finding>,
    pub dialogs: Dialogs,
    /// A step back waits for a yes.
    pub confirm: Option<Confirm>,
    /// The folder brings something that waits for trust.
    pub trust: Option<Trust>,
    /// The dialog about it is open.
    pub trusting: Option<TrustDialog>,
    /// A turn waits at a budget, or the person sets one.
    pub budget: Option<Budget>,
    /// Questions of the model; the first is shown.
    pub asked: VecDeque<Asked>,
    pub panel: Option<Panel>,
    pub search: Option<Search>,
    /// The session that was asked for to be looked at only.
    pub view: Option<SessionId>,
    /// The end of a session is shown, and the session itself is still to come.
    pub opening: bool,
    /// What came before it, while it is told.
    pub earlier: Option<Transcript>,
    /// A message to show once its session is there.
    pub jump: Option<(SessionId, MessageId)>,
    /// The chosen entry, while the person moves through the transcript.
    pub browse: Option<usize>,
    /// Text of the transcript that is chosen.
    pub selection: Option<Selection>,
    pub start: Option<Start>,
    pub activity: Activity,
    /// Said while a turn runs and not yet sent.
    pub queue: Vec<Queued>,
    pub todos: Vec<Todo>,
    pub jobs: Vec<Job>,
    pub servers: Vec<ServerInfo>,
    pub agents: Vec<Agent>,
    /// What files describe that can be called with a slash.
    pub recipes: Vec<CommandInfo>,
    /// Output styles of files.
    pub styles: Vec<CommandInfo>,
    /// Hooks of the settings, and whether each counts.
    pub hook_list: Vec<(Sourced<Hook>, bool)>,
    /// Hooks that have run, the newest last.
    pub hooks: Vec<HookRun>,
    /// Commands that run and that the turn waits for.
    pub commands: BTreeSet<CallId>,
    pub spending: Spending,
    pub keymap: Keymap,
    /// Keys of a combination that is not complete.
    pub pending: Vec<Key>,
    pub look: Look,
    pub pictures: Pictures,
    /// The person's own words in the status line, and which run of their command said them.
    pub status_line: (u64, String),
    pub models: Vec<ModelRow>,
    pub rules: RuleBook,
    pub toast: Option<Toast>,
    pub now: Millis,
    /// When the last key came for the prompt.
    pub typed: Option<Millis>,
    pub focused: Focused,
    /// Bypass was asked for on the command line, so that the modes that are cycled through have it.
    pub may_bypass: bool,
    /// Modes that the managed policy does not let anyone use.
    pub locked: Vec<Mode>,
    /// Where the next entry of this turn is shown already: what the person has just sent.
    pub sent: Option<(TurnId, usize)>,
    pub(in crate::app) turn: TurnId,
    seq: u64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionInfo {
    /// `None`: the agent has not begun.
    pub id: Option<SessionId>,
    pub title: String,
    pub cwd: String,
    /// `PROVIDER/MODEL`; empty: not known yet.
    pub model: String,
    pub mode: Mode,
    /// Tokens.
    pub window: Option<u64>,
    /// A script plays the model.
    pub scripted: bool,
    /// Another program has it open: here it is only looked at.
    pub viewed: bool,
    pub branch: String,
    /// Changed files in the work tree.
    pub dirty: u32,
    pub version: String,
    /// What holds commands in, in a few words; `None`: not heard of yet.
    pub sandbox: Option<(Held, String)>,
}

/// What the agent is doing, as far as the screen has heard.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Activity {
    #[default]
    Idle,
    Working {
        turn: TurnId,
        since: Millis,
        phase: Phase,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Sent; the model has not begun to answer.
    Waiting,
    Thinking,
    Writing,
    Running,
    Compacting,
    Retrying {
        attempt: u32,
        of: u32,
        until: Millis,
        why: String,
    },
    Stopping,
}

/// How the screen looks, as set.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub theme: String,
    /// The theme is the terminal's choice, dark or light.
    pub follows_terminal: bool,
    /// Names that can be chosen.
    pub themes: Vec<String>,
    pub ascii: bool,
    pub reduced_motion: bool,
    pub diff: DiffStyle,
}

/// A model that can be chosen: `PROVIDER/MODEL`, and window and price in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRow {
    pub name: String,
    pub facts: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub command: String,
    pub running: bool,
    /// How it ended.
    pub facts: String,
}

/// A remark that goes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    pub until: Millis,
    /// The key that does something more while the remark stands.
    pub again: Option<Again>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Quit,
    ClearPrompt,
    Rewind,
}

/// Whether the person is looking, as far as the terminal tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focused {
    #[default]
    Unknown,
    Yes,
    No,
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The screen is too small to show anything: only what works everywhere works.
    Nothing,
    Start,
    StartKey,
    Dialog,
    DialogField,
    Budget,
    Inquiry,
    InquiryField,
    Confirm,
    Trust,
    Panel,
    /// A rule is being written in the panel of permissions.
    RuleField,
    Filter,
    Search,
    HistorySearch,
    Browse,
    Prompt,
}

const TOAST: u64 = 2_500;
const SPINNER: u64 = 120;

impl Default for Look {
    fn default() -> Look {
        Look {
            theme: "dark".to_owned(),
            follows_terminal: false,
            themes: Vec::new(),
            ascii: false,
            reduced_motion: false,
            diff: DiffStyle::Auto,
        }
    }
}

impl Model {
    pub fn focus(&self) -> Focus {
        // Nobody answers, chooses or sends what they cannot see.
        if self.seen.too_small {
            return Focus::Nothing;
        }
        if let Some(start) = &self.start {
            return if start.entering.is_some() { Focus::StartKey } else { Focus::Start };
        }
        if let Some(dialog) = self.dialogs.front().filter(|_| self.dialogs.armed(self.now)) {
            return match dialog.stage {
                Stage::Choose => Focus::Dialog,
                Stage::Always(_) | Stage::Deny(_) | Stage::Change(_) => Focus::DialogField,
            };
        }
        if self.budget.as_ref().is_some_and(|budget| budget.armed(self.now)) {
            return Focus::Budget;
        }
        if let Some(asked) = self.asked.front().filter(|asked| asked.armed(self.now)) {
            return if asked.writes() { Focus::InquiryField } else { Focus::Inquiry };
        }
        if self.confirm.as_ref().is_some_and(|confirm| confirm.armed(self.now)) {
            return Focus::Confirm;
        }
        if self.trusting.as_ref().is_some_and(|dialog| dialog.armed(self.now)) {
            return Focus::Trust;
        }
        if let Some(panel) = &self.panel {
            return match panel.filtering {
                true => Focus::Filter,
                false if permissions::writes(Some(panel)) => Focus::RuleField,
                false => Focus::Panel,
            };
        }
        if self.search.as_ref().is_some_and(|search| search.typing) {
            return Focus::Search;
        }
        if self.prompt.search.is_some() {
            return Focus::HistorySearch;
        }
        if self.browse.is_some() { Focus::Browse } else { Focus::Prompt }
    }

    /// Where a key is looked up, innermost first.
    pub fn contexts(&self) -> Vec<Context> {
        let panel = || match self.panel.as_ref().map(|panel| &panel.kind) {
            Some(Kind::Cost(_)) => Some(Context::Cost),
            Some(Kind::History(_)) => Some(Context::History),
            Some(Kind::Changes(_)) => Some(Context::Changes),
            Some(Kind::Jobs(_)) => Some(Context::Jobs),
            Some(Kind::Palette) => Some(Context::Palette),
            Some(Kind::Queue) => Some(Context::Queue),
            Some(Kind::Servers(_)) => Some(Context::Servers),
            Some(Kind::Agents) => Some(Context::Agents),
            Some(Kind::Summary(_)) => Some(Context::Summary),
            Some(Kind::Note(_)) => Some(Context::Note),
            Some(Kind::Settings(_)) => Some(Context::Settings),
            Some(Kind::Window(_)) => Some(Context::Window),
            Some(Kind::Permissions(_)) => Some(Context::Permissions),
            _ => None,
        };
        match self.focus() {
            Focus::Nothing => vec![Context::Global],
            Focus::Start => vec![Context::Start, Context::Global],
            Focus::StartKey => vec![Context::Filter, Context::Text, Context::Global],
            Focus::Dialog => vec![Context::Dialog, Context::Global],
            Focus::Budget => vec![Context::Budget, Context::Text, Context::Global],
            Focus::Confirm => vec![Context::Confirm, Context::Global],
            Focus::Trust => vec![Context::Trust, Context::Global],
            Focus::Inquiry => vec![self.inquiry_context(), Context::Global],
            Focus::InquiryField => {
                vec![Context::InquiryField, Context::Text, Context::Global]
            }
            Focus::DialogField => vec![Context::DialogField, Context::Text, Context::Global],
            Focus::Panel if panels::is_asked(self.panel.as_ref()) => {
                vec![Context::Ask, Context::Global]
            }
            Focus::RuleField => vec![Context::RuleField, Context::Text, Context::Global],
            Focus::Panel => panel().into_iter().chain([Context::Panel, Context::Global]).collect(),
            Focus::Filter => panel()
                .into_iter()
                .filter(|context| *context == Context::Palette)
                .chain([Context::Filter, Context::Text, Context::Global])
                .collect(),
            Focus::Search => vec![Context::Search, Context::Text, Context::Global],
            Focus::HistorySearch => {
                vec![Context::HistorySearch, Context::Text, Context::Global]
            }
            Focus::Browse if self.selection.is_some() => vec![Context::Select, Context::Global],
            Focus::Browse => vec![Context::Browse, Context::Global],
            Focus::Prompt => self
                .complete
                .iter()
                .map(|_| Context::Complete)
                .chain((!self.commands.is_empty()).then_some(Context::Command))
                .chain([Context::Prompt, Context::Text, Context::Global])
                .collect(),
        }
    }

    fn inquiry_context(&self) -> Context {
        match self.asked.front().map(|asked| &asked.form) {
            Some(Form::Plan(_)) => Context::Plan,
            Some(Form::Choices(_)) | None => Context::Inquiry,
        }
    }

    pub fn is_working(&self) -> bool {
        matches!(self.activity, Activity::Working { .. })
    }

    pub fn working_turn(&self) -> Option<TurnId> {
        match self.activity {
            Activity::Working { turn, .. } => Some(turn),
            Activity::Idle => None,
        }
    }

    pub fn set_phase(&mut self, to: Phase) {
        if let Activity::Working { phase, .. } = &mut self.activity
            && (*phase != Phase::Stopping || to == Phase::Stopping)
        {
            *phase = to;
        }
    }

    /// Shows a remark for a moment.
    pub fn say(&mut self, text: &str) {
        let until = self.now.plus(TOAST);
        self.toast = Some(Toast { text: text.to_owned(), until, again: None });
    }

    pub fn say_again(&mut self, text: &str, again: Again) {
        self.say(text);
        if let Some(toast) = &mut self.toast {
            toast.again = Some(again);
        }
    }

    /// True once where the same key is pressed again while its remark stands.
    pub fn again(&mut self, again: Again) -> bool {
        let same = self.toast.as_ref().is_some_and(|toast| toast.again == Some(again));
        if same {
            self.toast = None;
        }
        same
    }

    /// Something went wrong that concerns the whole session.
    pub fn fail(&mut self, problem: &str) {
        self.activity = Activity::Idle;
        self.transcript.close_live();
        self.transcript.push(Body::Notice {
            level: Level::Error,
            text: crate::app::clean::prose(problem),
            hints: Vec::new(),
        });
    }

    /// Something is not as it should be, but the session goes on.
    pub fn warn(&mut self, problem: &str) {
        self.transcript.push(Body::Notice {
            level: Level::Warning,
            text: crate::app::clean::prose(problem),
            hints: Vec::new(),
        });
    }

    /// When the screen has to be drawn again although nothing happens. `None`: never.
    pub fn wake_at(&self) -> Option<Millis> {
        // While a person is asked nothing else tells the time, and only a running call moves.
        let asks = !self.dialogs.is_empty();
        let moves = self.is_working() && (!asks || self.transcript.is_running());
        let spinner = (moves && !self.look.reduced_motion)
            .then(|| Millis((self.now.0 / SPINNER + 1) * SPINNER));
        let clock = (self.is_working() && !asks).then(|| Millis((self.now.0 / 1_000 + 1) * 1_000));
        let toast = self.toast.as_ref().map(|toast| toast.until);
        let armed = self.dialogs.arms_at(self.now);
        let confirm = self.confirm.as_ref().and_then(|confirm| confirm.arms_at(self.now));
        let trust = self.trusting.as_ref().and_then(|dialog| dialog.arms_at(self.now));
        let budget = self.budget.as_ref().and_then(|budget| budget.arms_at(self.now));
        let asked = self.asked.front().and_then(|asked| asked.arms_at(self.now));
        [spinner, clock, toast, armed, confirm, trust, budget, asked].into_iter().flatten().min()
    }

    /// Steps of the spinner so far.
    pub fn spin(&self) -> u64 {
        if self.look.reduced_motion { 0 } else { self.now.0 / SPINNER }
    }

    pub fn next_turn(&mut self) -> TurnId {
        self.turn.0 += 1;
        self.turn
    }

    pub fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}
