//! Where keys work: what has them, from the whole screen to one panel.

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
    /// Text of the transcript is being chosen.
    Select,
    Search,
    Dialog,
    /// The rule or the message of a dialog is being edited.
    DialogField,
    /// A budget is asked about, or set.
    Budget,
    /// The model's question is shown.
    Inquiry,
    /// The model's plan is shown.
    Plan,
    /// An answer to either is being written.
    InquiryField,
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
    /// What fills the model's window.
    Window,
    /// A summary is shown before it is used.
    Summary,
    Permissions,
    /// A rule is being written in the panel of permissions.
    RuleField,
    /// Where a note goes.
    Note,
    Settings,
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
        Context::Select,
        Context::Search,
        Context::Dialog,
        Context::DialogField,
        Context::Budget,
        Context::Inquiry,
        Context::Plan,
        Context::InquiryField,
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
        Context::Window,
        Context::Summary,
        Context::Permissions,
        Context::RuleField,
        Context::Note,
        Context::Settings,
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
            Context::Select => "Choosing text of the transcript",
            Context::Search => "Search in the transcript",
            Context::Dialog => "Permission dialog",
            Context::DialogField => "Rule and message of a dialog",
            Context::Budget => "Dialog of budgets",
            Context::Inquiry => "Question of the model",
            Context::Plan => "Plan of the model",
            Context::InquiryField => "Answer in your own words",
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
            Context::Window => "Panel of the model's window",
            Context::Summary => "Summary before it is used",
            Context::Permissions => "Panel of permissions",
            Context::RuleField => "Rule in the panel of permissions",
            Context::Note => "Note for later sessions",
            Context::Settings => "Settings panel",
            Context::Filter => "Filter of a panel",
            Context::Start => "First start",
        }
    }
}
