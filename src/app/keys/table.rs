//! THE table of named actions. Help, the configuration's `[keys]`, the which-key line and the
//! dialog borders are all made from it.

/// Where an action works. A key is looked up in the contexts that are active, innermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    Global,
    /// Editing of text, in the prompt and in every one-line field.
    Text,
    Prompt,
    Complete,
    HistorySearch,
    Browse,
    Search,
    Dialog,
    /// The rule or the message of a dialog is being edited.
    DialogField,
    /// A budget is asked about, or set.
    Budget,
    /// What a step back would do is shown.
    Confirm,
    /// What the folder would run or allow is shown.
    Trust,
    Panel,
    History,
    /// A panel asks whether to do something.
    Ask,
    Cost,
    Changes,
    Jobs,
    /// The board of sub-agents.
    Agents,
    /// The turn waits for a command.
    Command,
    Palette,
    Queue,
    Servers,
    Filter,
    Start,
}

impl Context {
    /// In the order of the help panel.
    pub const ALL: &[Context] = &[
        Context::Prompt,
        Context::Text,
        Context::Complete,
        Context::HistorySearch,
        Context::Global,
        Context::Browse,
        Context::Search,
        Context::Dialog,
        Context::DialogField,
        Context::Budget,
        Context::Confirm,
        Context::Trust,
        Context::Panel,
        Context::History,
        Context::Ask,
        Context::Cost,
        Context::Changes,
        Context::Jobs,
        Context::Agents,
        Context::Command,
        Context::Palette,
        Context::Queue,
        Context::Servers,
        Context::Filter,
        Context::Start,
    ];

    /// Heading in the help panel.
    pub fn heading(self) -> &'static str {
        match self {
            Context::Global => "Everywhere",
            Context::Text => "Editing text",
            Context::Prompt => "Prompt",
            Context::Complete => "Completion list",
            Context::HistorySearch => "Search in earlier prompts",
            Context::Browse => "Moving through the transcript",
            Context::Search => "Search in the transcript",
            Context::Dialog => "Permission dialog",
            Context::DialogField => "Rule and message of a dialog",
            Context::Budget => "Dialog of budgets",
            Context::Confirm => "Dialog of undo, redo and rewind",
            Context::Trust => "Trust in the folder",
            Context::Panel => "Every panel",
            Context::History => "History panel",
            Context::Ask => "Question of a panel",
            Context::Cost => "Cost panel",
            Context::Changes => "Changes panel",
            Context::Jobs => "Panel of background commands",
            Context::Agents => "Board of sub-agents",
            Context::Command => "While a command runs",
            Context::Palette => "Palette",
            Context::Queue => "Queue panel",
            Context::Servers => "Panel of MCP servers",
            Context::Filter => "Filter of a panel",
            Context::Start => "First start",
        }
    }
}

/// A change of text or of the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edit {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    DeleteBack,
    DeleteForward,
    DeleteWordBack,
    DeleteWordForward,
    KillToStart,
    KillToEnd,
    Yank,
    YankOlder,
    Undo,
    Redo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Edit(Edit),
    // everywhere
    Stop,
    Back,
    CycleMode,
    Redraw,
    Suspend,
    Help,
    ToggleDetail,
    Todos,
    SearchOpen,
    OpenEditor,
    PageUp,
    PageDown,
    LineUp,
    LineDown,
    Top,
    Bottom,
    BrowseUp,
    BrowseDown,
    CostPanel,
    HistoryPanel,
    ChangesPanel,
    JobsPanel,
    AgentsPanel,
    HooksPanel,
    SkillsPanel,
    ModelsPanel,
    ThemePanel,
    PermissionsPanel,
    StatusPanel,
    RewindPanel,
    TrustPanel,
    Palette,
    QueuePanel,
    SendQueued,
    DropQueued,
    ServersPanel,
    // prompt
    Submit,
    Newline,
    Up,
    Down,
    HistorySearch,
    HistorySearchOlder,
    HistorySearchNewer,
    HistorySearchAccept,
    Eof,
    // completion
    CompleteNext,
    CompletePrevious,
    CompleteAccept,
    CompleteRun,
    // transcript
    NextEntry,
    PreviousEntry,
    NextPrompt,
    PreviousPrompt,
    Toggle,
    ToggleAll,
    CopyEntry,
    RewindHere,
    FirstEntry,
    LastEntry,
    Write,
    SearchNext,
    SearchPrevious,
    // dialog
    AllowOnce,
    AllowSession,
    AllowAlways,
    AllowNetwork,
    Change,
    DialogFull,
    DialogStyle,
    FieldNewline,
    Deny,
    DenyWithMessage,
    Why,
    KeepHunk,
    NextHunk,
    PreviousHunk,
    TrustGive,
    TrustTake,
    FieldAccept,
    FieldNext,
    FieldPick,
    FieldPrevious,
    FieldFollowing,
    Confirm,
    NextScope,
    BudgetOnce,
    BudgetStop,
    BudgetKeep,
    // panels
    PanelDown,
    PanelUp,
    PanelPageDown,
    PanelPageUp,
    PanelTop,
    PanelBottom,
    PanelOpen,
    FilterOpen,
    FilterAccept,
    Group,
    Budget,
    SearchAll,
    KillJob,
    StopAgent,
    TellAgent,
    // while a command runs
    Background,
    SessionFork,
    SessionRename,
    SessionExport,
    SessionExportHtml,
    SessionDelete,
    LimitProject,
    LimitBranch,
    LimitTime,
    AskYes,
    ServerSwitch,
    ServerApprove,
    ServerReconnect,
    ServerLogin,
    ServerLogout,
    // first start
    StartDown,
    StartUp,
    StartOpen,
}

/// One action: its name in the configuration, its context, the keys it has without any
/// configuration, and what it does, in the words of the help panel.
#[derive(Debug)]
pub struct Row {
    pub action: Action,
    pub name: &'static str,
    pub context: Context,
    pub keys: &'static [&'static str],
    pub help: &'static str,
}

const fn row(
    action: Action,
    name: &'static str,
    context: Context,
    keys: &'static [&'static str],
    help: &'static str,
) -> Row {
    Row { action, name, context, keys, help }
}

use Action as A;
use Context as C;
use Edit as E;

#[rustfmt::skip]
pub const ACTIONS: &[Row] = &[
    row(A::Submit, "submit", C::Prompt, &["enter"], "send; while the model works: queue"),
    row(A::Newline, "newline", C::Prompt, &["shift+enter", "alt+enter", "ctrl+j"], "new line (also a backslash before enter)"),
    row(A::Up, "up", C::Prompt, &["up"], "line up, then the earlier prompt"),
    row(A::Down, "down", C::Prompt, &["down", "ctrl+n"], "line down, then the later prompt"),
    row(A::HistorySearch, "history-search", C::Prompt, &["ctrl+r"], "search in earlier prompts"),
    row(A::Eof, "delete-or-quit", C::Prompt, &["ctrl+d"], "delete the next character; twice on an empty prompt: quit"),

    row(A::Edit(E::Left), "left", C::Text, &["left", "ctrl+b"], "one character left"),
    row(A::Edit(E::Right), "right", C::Text, &["right"], "one character right"),
    row(A::Edit(E::WordLeft), "word-left", C::Text, &["ctrl+left", "alt+left", "alt+b"], "one word left"),
    row(A::Edit(E::WordRight), "word-right", C::Text, &["ctrl+right", "alt+right", "alt+f"], "one word right"),
    row(A::Edit(E::LineStart), "line-start", C::Text, &["home", "ctrl+a"], "start of the line"),
    row(A::Edit(E::LineEnd), "line-end", C::Text, &["end", "ctrl+e"], "end of the line"),
    row(A::Edit(E::TextStart), "text-start", C::Text, &["alt+<"], "start of the text"),
    row(A::Edit(E::TextEnd), "text-end", C::Text, &["alt+>"], "end of the text"),
    row(A::Edit(E::DeleteBack), "delete-back", C::Text, &["backspace", "shift+backspace", "ctrl+h"], "delete the character before"),
    row(A::Edit(E::DeleteForward), "delete-forward", C::Text, &["delete"], "delete the character after"),
    row(A::Edit(E::DeleteWordBack), "delete-word-back", C::Text, &["ctrl+w", "alt+backspace", "ctrl+backspace"], "cut the word before"),
    row(A::Edit(E::DeleteWordForward), "delete-word-forward", C::Text, &["alt+d", "ctrl+delete"], "cut the word after"),
    row(A::Edit(E::KillToStart), "kill-to-start", C::Text, &["ctrl+u"], "cut to the start of the line"),
    row(A::Edit(E::KillToEnd), "kill-to-end", C::Text, &["ctrl+k"], "cut to the end of the line"),
    row(A::Edit(E::Yank), "yank", C::Text, &["ctrl+y"], "put back what was cut"),
    row(A::Edit(E::YankOlder), "yank-older", C::Text, &["alt+y"], "after that: what was cut before"),
    row(A::Edit(E::Undo), "undo", C::Text, &["ctrl+_", "ctrl+/", "ctrl+7", "ctrl+shift+-"], "undo"),
    row(A::Edit(E::Redo), "redo", C::Text, &["alt+_", "alt+/"], "redo"),

    row(A::CompleteNext, "complete-next", C::Complete, &["down", "ctrl+n"], "next"),
    row(A::CompletePrevious, "complete-previous", C::Complete, &["up", "ctrl+p"], "previous"),
    row(A::CompleteAccept, "complete-accept", C::Complete, &["tab"], "take it over"),
    row(A::CompleteRun, "complete-run", C::Complete, &["enter"], "take it over and run it"),

    row(A::HistorySearchOlder, "history-search-older", C::HistorySearch, &["ctrl+r", "up"], "an older match"),
    row(A::HistorySearchNewer, "history-search-newer", C::HistorySearch, &["down", "ctrl+s"], "a newer match"),
    row(A::HistorySearchAccept, "history-search-accept", C::HistorySearch, &["enter", "tab"], "take it over"),

    row(A::Stop, "stop", C::Global, &["ctrl+c"], "stop the turn; else clear the prompt; twice: quit"),
    row(A::Back, "back", C::Global, &["esc"], "back, or stop the turn: one step at a time"),
    row(A::CycleMode, "cycle-mode", C::Global, &["shift+tab", "alt+m"], "next permission mode"),
    row(A::Help, "help", C::Global, &["f1", "ctrl+x ?"], "what works here (on an empty prompt also ?)"),
    row(A::ToggleDetail, "toggle-detail", C::Global, &["ctrl+o"], "open or fold all calls and thoughts"),
    row(A::Todos, "todos", C::Global, &["ctrl+t"], "the model's list of tasks"),
    row(A::OpenEditor, "open-editor", C::Global, &["ctrl+g", "ctrl+x ctrl+e"], "write the prompt in $EDITOR"),
    row(A::SearchOpen, "search", C::Global, &["ctrl+f"], "search in the transcript"),
    row(A::BrowseUp, "browse-up", C::Global, &["ctrl+up", "alt+up"], "move through the transcript, upward"),
    row(A::BrowseDown, "browse-down", C::Global, &["ctrl+down", "alt+down"], "move through the transcript, downward"),
    row(A::PageUp, "page-up", C::Global, &["pageup"], "half a page up"),
    row(A::PageDown, "page-down", C::Global, &["pagedown"], "half a page down"),
    row(A::LineUp, "line-up", C::Global, &["shift+up"], "one line up"),
    row(A::LineDown, "line-down", C::Global, &["shift+down"], "one line down"),
    row(A::Top, "top", C::Global, &["ctrl+home"], "start of the transcript"),
    row(A::Bottom, "bottom", C::Global, &["ctrl+end"], "end of the transcript, and follow"),
    row(A::CostPanel, "cost", C::Global, &["ctrl+x c"], "what this costs"),
    row(A::HistoryPanel, "history", C::Global, &["ctrl+x h"], "earlier sessions"),
    row(A::ChangesPanel, "changes", C::Global, &["ctrl+x d"], "files changed in this session"),
    row(A::JobsPanel, "tasks", C::Global, &["ctrl+x b"], "commands in the background"),
    row(A::AgentsPanel, "agents", C::Global, &["ctrl+x a"], "sub-agents"),
    row(A::HooksPanel, "hooks", C::Global, &[], "hooks"),
    row(A::SkillsPanel, "skills", C::Global, &[], "commands and skills of files"),
    row(A::ModelsPanel, "models", C::Global, &["ctrl+x m", "alt+p"], "choose a model"),
    row(A::ThemePanel, "themes", C::Global, &["ctrl+x t"], "choose a theme"),
    row(A::PermissionsPanel, "permissions", C::Global, &["ctrl+x p"], "mode and rules"),
    row(A::StatusPanel, "status", C::Global, &["ctrl+x s"], "session, model, folder"),
    row(A::RewindPanel, "rewind", C::Global, &["ctrl+x r"], "go back to an earlier message (on an empty prompt also esc esc)"),
    row(A::TrustPanel, "trust", C::Global, &["ctrl+x y"], "what this folder would run, and trust in it (where it waits, on an empty prompt also t)"),
    row(A::Palette, "palette", C::Global, &["ctrl+p", "ctrl+x x"], "find an action or a command, and run it"),
    row(A::QueuePanel, "queue", C::Global, &["ctrl+x q"], "what is queued while the model works"),
    row(A::SendQueued, "send-queued", C::Global, &["ctrl+x enter"], "send what is queued now, and stop what runs"),
    row(A::DropQueued, "drop-queued", C::Global, &["ctrl+x backspace"], "drop the last of what is queued"),
    row(A::ServersPanel, "mcp", C::Global, &["ctrl+x v"], "servers of the Model Context Protocol"),
    row(A::Redraw, "redraw", C::Global, &["ctrl+l"], "draw the screen anew"),
    row(A::Suspend, "suspend", C::Global, &["ctrl+z"], "suspend; fg brings it back"),

    row(A::NextEntry, "next-entry", C::Browse, &["j", "down"], "next entry"),
    row(A::PreviousEntry, "previous-entry", C::Browse, &["k", "up"], "previous entry"),
    row(A::NextPrompt, "next-prompt", C::Browse, &["}", "]"], "next prompt"),
    row(A::PreviousPrompt, "previous-prompt", C::Browse, &["{", "["], "previous prompt"),
    row(A::FirstEntry, "first-entry", C::Browse, &["g", "home"], "first entry"),
    row(A::LastEntry, "last-entry", C::Browse, &["G", "end"], "last entry"),
    row(A::Toggle, "toggle", C::Browse, &["enter", "space", "tab"], "open or fold"),
    row(A::ToggleAll, "toggle-all", C::Browse, &["o"], "open or fold all"),
    row(A::CopyEntry, "copy", C::Browse, &["y", "c"], "copy the entry's text"),
    row(A::RewindHere, "rewind-here", C::Browse, &["r"], "go back to before this message, after a look"),
    row(A::SearchOpen, "browse-search", C::Browse, &["/"], "search"),
    row(A::SearchNext, "browse-search-next", C::Browse, &["n"], "next match"),
    row(A::SearchPrevious, "browse-search-previous", C::Browse, &["N"], "previous match"),
    row(A::Write, "write", C::Browse, &["i", "q"], "back to the prompt"),

    row(A::SearchPrevious, "search-previous", C::Search, &["enter", "up", "ctrl+p"], "match above"),
    row(A::SearchNext, "search-next", C::Search, &["shift+enter", "down", "ctrl+n"], "match below"),

    row(A::AllowOnce, "allow-once", C::Dialog, &["enter", "y"], "allow this one"),
    row(A::AllowSession, "allow-session", C::Dialog, &["s"], "allow for this session"),
    row(A::AllowAlways, "allow-always", C::Dialog, &["A"], "allow always: choose the rule and where it is kept"),
    row(A::AllowNetwork, "allow-network", C::Dialog, &["N"], "allow this one, and the network that the sandbox keeps from it"),
    row(A::Change, "change", C::Dialog, &["e"], "change the command, or the hunk in $EDITOR"),
    row(A::DialogFull, "dialog-full", C::Dialog, &["f"], "on the whole screen, or back"),
    row(A::DialogStyle, "dialog-style", C::Dialog, &["v"], "changes side by side, or one below the other"),
    row(A::Deny, "deny", C::Dialog, &["n"], "deny"),
    row(A::DenyWithMessage, "deny-with-message", C::Dialog, &["tab"], "deny and say why"),
    row(A::Why, "why", C::Dialog, &["w"], "why am I asked"),
    row(A::KeepHunk, "keep-hunk", C::Dialog, &["space"], "keep or drop the hunk"),
    row(A::NextHunk, "next-hunk", C::Dialog, &["]"], "next hunk"),
    row(A::PreviousHunk, "previous-hunk", C::Dialog, &["["], "previous hunk"),
    row(A::PanelDown, "dialog-down", C::Dialog, &["down", "j"], "scroll down"),
    row(A::PanelUp, "dialog-up", C::Dialog, &["up", "k"], "scroll up"),
    row(A::PanelPageDown, "dialog-page-down", C::Dialog, &["pagedown", "ctrl+d"], "half a page down"),
    row(A::PanelPageUp, "dialog-page-up", C::Dialog, &["pageup", "ctrl+u"], "half a page up"),
    row(A::PanelTop, "dialog-top", C::Dialog, &["g", "home"], "to the start"),
    row(A::PanelBottom, "dialog-bottom", C::Dialog, &["G", "end"], "to the end"),

    row(A::FieldAccept, "field-accept", C::DialogField, &["enter"], "save or send"),
    row(A::FieldNewline, "field-newline", C::DialogField, &["shift+enter", "alt+enter", "ctrl+j"], "new line in a command"),
    row(A::FieldNext, "field-scope", C::DialogField, &["tab"], "where the rule is kept"),
    row(A::FieldPrevious, "field-up", C::DialogField, &["up"], "rule above"),
    row(A::FieldFollowing, "field-down", C::DialogField, &["down"], "rule below"),
    row(A::FieldPick, "field-pick", C::DialogField, &["ctrl+space", "ctrl+t"], "use or leave out the rule"),

    row(A::Confirm, "budget-set", C::Budget, &["enter"], "these budgets, for this session; a turn that waits goes on"),
    row(A::BudgetOnce, "budget-once", C::Budget, &["o"], "let the turn that waits go on to its end"),
    row(A::BudgetStop, "budget-stop", C::Budget, &["n", "q"], "stop the turn that waits"),
    row(A::BudgetKeep, "budget-keep", C::Budget, &["ctrl+s"], "these budgets, for later sessions too"),
    row(A::FieldNext, "budget-next", C::Budget, &["tab", "up", "down"], "the other amount"),

    row(A::Confirm, "confirm", C::Confirm, &["enter", "y"], "do what is shown"),
    row(A::NextScope, "confirm-scope", C::Confirm, &["tab"], "conversation and files, conversation alone, files alone"),
    row(A::Back, "confirm-back", C::Confirm, &["n", "q"], "leave all as it is"),
    row(A::NextHunk, "confirm-next-file", C::Confirm, &["]"], "next file"),
    row(A::PreviousHunk, "confirm-previous-file", C::Confirm, &["["], "previous file"),
    row(A::KeepHunk, "confirm-choose", C::Confirm, &["space"], "choose or leave a file that someone else has changed"),
    row(A::PanelDown, "confirm-down", C::Confirm, &["down", "j"], "scroll down"),
    row(A::PanelUp, "confirm-up", C::Confirm, &["up", "k"], "scroll up"),
    row(A::PanelPageDown, "confirm-page-down", C::Confirm, &["pagedown", "ctrl+d"], "half a page down"),
    row(A::PanelPageUp, "confirm-page-up", C::Confirm, &["pageup", "ctrl+u"], "half a page up"),
    row(A::PanelTop, "confirm-top", C::Confirm, &["g", "home"], "to the start"),
    row(A::PanelBottom, "confirm-bottom", C::Confirm, &["G", "end"], "to the end"),

    row(A::Back, "trust-later", C::Trust, &["enter", "n", "q"], "not now"),
    row(A::TrustGive, "trust-give", C::Trust, &["T"], "trust this folder"),
    row(A::TrustTake, "trust-take", C::Trust, &["D"], "trust it no longer"),
    row(A::PanelDown, "trust-down", C::Trust, &["down", "j"], "scroll down"),
    row(A::PanelUp, "trust-up", C::Trust, &["up", "k"], "scroll up"),
    row(A::PanelPageDown, "trust-page-down", C::Trust, &["pagedown", "ctrl+d"], "half a page down"),
    row(A::PanelPageUp, "trust-page-up", C::Trust, &["pageup", "ctrl+u"], "half a page up"),
    row(A::PanelTop, "trust-top", C::Trust, &["g", "home"], "to the start"),
    row(A::PanelBottom, "trust-bottom", C::Trust, &["G", "end"], "to the end"),

    row(A::PanelDown, "panel-down", C::Panel, &["j", "down"], "down"),
    row(A::PanelUp, "panel-up", C::Panel, &["k", "up"], "up"),
    row(A::PanelPageDown, "panel-page-down", C::Panel, &["pagedown", "space"], "half a page down"),
    row(A::PanelPageUp, "panel-page-up", C::Panel, &["pageup"], "half a page up"),
    row(A::PanelTop, "panel-top", C::Panel, &["g", "home"], "to the start"),
    row(A::PanelBottom, "panel-bottom", C::Panel, &["G", "end"], "to the end"),
    row(A::PanelOpen, "panel-open", C::Panel, &["enter"], "open or choose"),
    row(A::FilterOpen, "filter", C::Panel, &["/"], "filter"),
    row(A::Back, "panel-close", C::Panel, &["q"], "close"),

    row(A::SearchAll, "search-all", C::History, &["ctrl+f"], "titles, what was said, what tools gave"),
    row(A::SessionFork, "session-fork", C::History, &["f"], "go on in a copy"),
    row(A::SessionRename, "session-rename", C::History, &["r"], "rename"),
    row(A::SessionExport, "session-export", C::History, &["x"], "write it as Markdown into this folder"),
    row(A::SessionExportHtml, "session-export-html", C::History, &["X"], "the same as one HTML file"),
    row(A::SessionDelete, "session-delete", C::History, &["d"], "delete, after a question"),
    row(A::LimitProject, "session-project", C::History, &["p"], "sessions of this folder, or of all"),
    row(A::LimitBranch, "session-branch", C::History, &["b"], "sessions of this branch, or of all"),
    row(A::LimitTime, "session-time", C::History, &["t"], "sessions of a day, a week, a month, or all"),
    row(A::AskYes, "ask-yes", C::Ask, &["y"], "yes"),
    row(A::Back, "ask-no", C::Ask, &["n", "q"], "no"),
    row(A::Budget, "budget", C::Cost, &["b"], "set a budget"),
    row(A::Group, "group", C::Cost, &["tab"], "group by the next of turn, model, day, project"),
    row(A::NextHunk, "changes-next-hunk", C::Changes, &["]"], "next change of the file"),
    row(A::PreviousHunk, "changes-previous-hunk", C::Changes, &["["], "previous change of the file"),

    row(A::StopAgent, "stop-agent", C::Agents, &["x", "delete"], "stop the agent"),
    row(A::TellAgent, "tell-agent", C::Agents, &["s"], "say something to the agent"),
    row(A::KillJob, "kill-task", C::Jobs, &["x", "delete"], "end the command"),

    row(A::Background, "background", C::Command, &["ctrl+b"], "let it go on in the background"),
    row(A::PanelOpen, "palette-run", C::Palette, &["enter"], "run it"),
    row(A::PanelDown, "palette-down", C::Palette, &["down", "ctrl+n", "tab"], "down"),
    row(A::PanelUp, "palette-up", C::Palette, &["up", "ctrl+p", "shift+tab"], "up"),

    row(A::DropQueued, "queue-drop", C::Queue, &["d", "delete"], "drop it"),
    row(A::SendQueued, "queue-send", C::Queue, &["s"], "send all of it now"),
    row(A::ServerSwitch, "server-switch", C::Servers, &["space"], "switch the server or the tool on or off"),
    row(A::ServerApprove, "server-approve", C::Servers, &["a"], "let the server in as it is now"),
    row(A::ServerReconnect, "server-reconnect", C::Servers, &["r"], "connect anew"),
    row(A::ServerLogin, "server-login", C::Servers, &["l"], "log in in a browser"),
    row(A::ServerLogout, "server-logout", C::Servers, &["o"], "forget the login"),

    row(A::FilterAccept, "filter-accept", C::Filter, &["enter"], "keep the filter"),
    row(A::SearchAll, "filter-search-all", C::Filter, &["ctrl+f"], "of sessions: titles, what was said, what tools gave"),
    row(A::PanelDown, "filter-down", C::Filter, &["down"], "down"),
    row(A::PanelUp, "filter-up", C::Filter, &["up"], "up"),

    row(A::StartDown, "start-down", C::Start, &["j", "down", "tab"], "down"),
    row(A::StartUp, "start-up", C::Start, &["k", "up"], "up"),
    row(A::StartOpen, "start-open", C::Start, &["enter"], "choose"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::app::keys::Key;

    #[test]
    fn names_are_unique_and_keys_can_be_read() {
        let mut names = HashSet::new();
        for row in ACTIONS {
            assert!(names.insert(row.name), "{} stands twice", row.name);
            assert!(!row.help.is_empty() && !row.keys.is_empty(), "{}", row.name);
            for keys in row.keys {
                assert!(Key::parse_all(keys).is_some(), "{}: {keys}", row.name);
            }
        }
    }
}
