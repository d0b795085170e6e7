//! What happens in a session, as updates for the client. Pure.

use std::path::PathBuf;

use agent_client_protocol::v1::schema as acp;
use serde_json::Value;

use crate::acp::offer;
use crate::protocol::{
    CallId, CallResult, CallStatus, CommandInfo, Detail, Event, Hunk, Level, LineKind, Role, Title,
    Todo, TodoState,
};

/// Bytes of a result that the client is shown. The model gets all of it.
const SHOWN: usize = 32 << 10;
/// Bytes at the end of a running command's output that are shown.
const TAIL: usize = 4 << 10;

/// Keeps what later updates need.
#[derive(Debug)]
pub struct Teller {
    pub cwd: PathBuf,
    /// Tokens; a client is told of the context only where it is known.
    pub window: Option<u64>,
    /// The client shows notices.
    pub notices: bool,
    pub models: Vec<String>,
    /// Commands that files and servers describe.
    found: Vec<CommandInfo>,
    running: Vec<Running>,
}

/// A call with its output so far.
#[derive(Debug)]
struct Running {
    call: CallId,
    tail: String,
    changed: bool,
}

impl Teller {
    pub fn new(models: Vec<String>, can: &acp::ClientCapabilities) -> Teller {
        let notices = can.session.as_ref().is_some_and(|session| session.notices.is_some());
        Teller {
            cwd: PathBuf::new(),
            window: None,
            notices,
            models,
            found: Vec::new(),
            running: Vec::new(),
        }
    }

    /// What the client is told of it, in order.
    pub fn updates(&mut self, event: &Event) -> Vec<acp::SessionUpdate> {
        use acp::SessionUpdate as U;
        let one = match event {
            Event::Restored { message, role, text } => {
                let chunk = chunk(text).message_id(acp::MessageId::new(&*message.0));
                match role {
                    Role::User => U::UserMessageChunk(chunk),
                    Role::Assistant => U::AgentMessageChunk(chunk),
                }
            }
            Event::TextAdded { message, text } => {
                U::AgentMessageChunk(chunk(text).message_id(acp::MessageId::new(&*message.0)))
            }
            Event::ThoughtAdded { message, text } => {
                U::AgentThoughtChunk(chunk(text).message_id(acp::MessageId::new(&*message.0)))
            }
            Event::CallQueued { call, tool, title, input } => {
                let running = Running { call: call.clone(), tail: String::new(), changed: false };
                self.running.push(running);
                U::ToolCall(self.call(call, tool, title, input))
            }
            Event::CallRestored { call, tool, title, input, result } => {
                let told = self.call(call, tool, title, input);
                U::ToolCall(match result {
                    Some(result) => {
                        told.status(status(result.status)).content(self.content(result))
                    }
                    None => told
                        .status(acp::ToolCallStatus::Failed)
                        .content(vec!["The log does not tell how this ended.".into()]),
                })
            }
            Event::CallChanged { call, title, input } => {
                let fields = acp::ToolCallUpdateFields::new()
                    .title(doing(title))
                    .raw_input(input.clone())
                    .locations(self.locations(input));
                U::ToolCallUpdate(acp::ToolCallUpdate::new(call.0.clone(), fields))
            }
            Event::CallStarted { call } => {
                let fields =
                    acp::ToolCallUpdateFields::new().status(acp::ToolCallStatus::InProgress);
                U::ToolCallUpdate(acp::ToolCallUpdate::new(call.0.clone(), fields))
            }
            Event::CallOutput { call, text } => {
                self.output(call, text);
                return Vec::new();
            }
            Event::CallEnded { call, result } => {
                self.running.retain(|running| running.call != *call);
                let fields = acp::ToolCallUpdateFields::new()
                    .status(status(result.status))
                    .content(self.content(result));
                U::ToolCallUpdate(acp::ToolCallUpdate::new(call.0.clone(), fields))
            }
            Event::TodosChanged { todos } => U::Plan(plan(todos)),
            Event::ModeSet { mode } => {
                U::CurrentModeUpdate(acp::CurrentModeUpdate::new(mode.name()))
            }
            Event::ModelSet { model, window } => {
                self.window = *window;
                U::ConfigOptionUpdate(acp::ConfigOptionUpdate::new(offer::options(
                    model,
                    &self.models,
                )))
            }
            Event::Titled { title } => {
                U::SessionInfoUpdate(acp::SessionInfoUpdate::new().title(title.clone()))
            }
            Event::UsageAdded { session, context, unpriced, .. }
            | Event::Spent { session, context, unpriced, .. } => {
                let Some(window) = self.window else { return Vec::new() };
                let mut usage = acp::UsageUpdate::new(*context, window);
                // A sum that leaves requests out would be too small.
                if *unpriced == 0 {
                    usage = usage.cost(acp::Cost::new(session.usd(), "USD"));
                }
                U::UsageUpdate(usage)
            }
            Event::CommandsChanged { commands, .. } => {
                self.found.clone_from(commands);
                return self.commands();
            }
            Event::Noticed { level, text } => return self.notice(*level, text),
            Event::Retrying { attempt, of, why, .. } => {
                let text = format!("{why}; attempt {attempt} of {of}");
                return self.notice(Level::Warning, &text);
            }
            Event::Compacted { before, after, .. } => {
                let text = format!("The conversation was summarised: {before} tokens to {after}.");
                return self.notice(Level::Info, &text);
            }
            Event::TrustNeeded { trust } => {
                let text = format!(
                    "{} things of this folder do not count before it is trusted: start tern there \
                     and look at /trust.",
                    trust.items.len()
                );
                return self.notice(Level::Warning, &text);
            }
            _ => return Vec::new(),
        };
        vec![one]
    }

    /// What can be called with a slash.
    pub fn commands(&self) -> Vec<acp::SessionUpdate> {
        let commands = acp::AvailableCommandsUpdate::new(offer::commands(&self.found));
        vec![acp::SessionUpdate::AvailableCommandsUpdate(commands)]
    }

    /// What running calls have printed since this was last asked.
    pub fn outputs(&mut self) -> Vec<acp::SessionUpdate> {
        let changed = self.running.iter_mut().filter(|running| running.changed);
        changed
            .map(|running| {
                running.changed = false;
                let fields =
                    acp::ToolCallUpdateFields::new().content(vec![fenced(&running.tail).into()]);
                let update = acp::ToolCallUpdate::new(running.call.0.clone(), fields);
                acp::SessionUpdate::ToolCallUpdate(update)
            })
            .collect()
    }

    /// Whether [`outputs`](Teller::outputs) has anything.
    pub fn has_output(&self) -> bool {
        self.running.iter().any(|running| running.changed)
    }

    /// Something for the person that no model said. Clients without notices show a thought.
    pub fn notice(&self, level: Level, text: &str) -> Vec<acp::SessionUpdate> {
        let severity = match level {
            Level::Info => acp::NoticeSeverity::Info,
            Level::Warning => acp::NoticeSeverity::Warning,
            Level::Error => acp::NoticeSeverity::Error,
        };
        if self.notices {
            return vec![acp::SessionUpdate::Notice(acp::Notice::new(severity, text))];
        }
        match level {
            Level::Info => Vec::new(),
            Level::Warning | Level::Error => {
                vec![acp::SessionUpdate::AgentThoughtChunk(chunk(&format!("{text}\n\n")))]
            }
        }
    }

    fn call(&self, call: &CallId, tool: &str, title: &Title, input: &Value) -> acp::ToolCall {
        acp::ToolCall::new(call.0.clone(), doing(title))
            .name(tool.to_owned())
            .kind(kind(tool))
            .raw_input(input.clone())
            .locations(self.locations(input))
    }

    /// The file that a call is about.
    fn locations(&self, input: &Value) -> Vec<acp::ToolCallLocation> {
        let path = ["file_path", "notebook_path", "path"]
            .iter()
            .find_map(|name| input.get(*name).and_then(Value::as_str));
        let Some(path) = path.filter(|path| !path.is_empty()) else { return Vec::new() };
        let line = input.get("offset").and_then(Value::as_u64);
        let line = line.and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0);
        vec![acp::ToolCallLocation::new(self.cwd.join(path)).line(line)]
    }

    fn content(&self, result: &CallResult) -> Vec<acp::ToolCallContent> {
        match &result.detail {
            Detail::Diff { path, hunks, new_file, .. } => self.diffs(path, hunks, *new_file),
            Detail::Command { .. } => vec![fenced(shown(&result.text)).into()],
            Detail::Text | Detail::Todos { .. } => vec![shown(&result.text).into()],
        }
    }

    /// One for each run of changed lines: the protocol knows texts before and after, and a whole
    /// file of any size would go over the wire twice for every edit.
    pub fn diffs(&self, path: &str, hunks: &[Hunk], new: bool) -> Vec<acp::ToolCallContent> {
        let path = self.cwd.join(path);
        hunks
            .iter()
            .map(|hunk| {
                let after = acp::Diff::new(path.clone(), side(hunk, LineKind::Removed));
                let before = (!new).then(|| side(hunk, LineKind::Added));
                acp::ToolCallContent::Diff(after.old_text(before))
            })
            .collect()
    }

    fn output(&mut self, call: &CallId, text: &str) {
        let Some(running) = self.running.iter_mut().find(|running| running.call == *call) else {
            return;
        };
        running.tail.push_str(text);
        running.changed = true;
        if running.tail.len() > 2 * TAIL {
            let cut = running.tail.ceil_char_boundary(running.tail.len() - TAIL);
            running.tail.drain(..cut);
        }
    }
}

/// A piece of text.
pub fn chunk(text: &str) -> acp::ContentChunk {
    acp::ContentChunk::new(acp::ContentBlock::from(text))
}

/// Output of a program within Markdown, whatever it holds.
pub fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n'))
}

pub fn kind(tool: &str) -> acp::ToolKind {
    match tool {
        "Read" | "LS" | "ReadMcpResourceTool" => acp::ToolKind::Read,
        "Edit" | "MultiEdit" | "Write" | "NotebookEdit" => acp::ToolKind::Edit,
        "Bash" => acp::ToolKind::Execute,
        "Glob" | "Grep" | "ToolSearch" | "WebSearch" => acp::ToolKind::Search,
        "WebFetch" => acp::ToolKind::Fetch,
        "Agent" | "Skill" | "TodoWrite" => acp::ToolKind::Think,
        "ExitPlanMode" => acp::ToolKind::SwitchMode,
        _ => acp::ToolKind::Other,
    }
}

fn doing(title: &Title) -> String {
    format!("{} {}", title.doing, title.object).trim().to_owned()
}

fn status(status: CallStatus) -> acp::ToolCallStatus {
    match status {
        CallStatus::Done => acp::ToolCallStatus::Completed,
        CallStatus::Failed | CallStatus::Denied | CallStatus::Interrupted | CallStatus::Unknown => {
            acp::ToolCallStatus::Failed
        }
    }
}

/// The lines of a hunk but for those of one kind.
fn side(hunk: &Hunk, without: LineKind) -> String {
    let mut text = String::new();
    for line in hunk.lines.iter().filter(|line| line.kind != without) {
        text.push_str(&line.text);
        if !line.no_newline {
            text.push('\n');
        }
    }
    text
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN.min(text.len()))]
}

fn plan(todos: &[Todo]) -> acp::Plan {
    let entry = |todo: &Todo| {
        let status = match todo.status {
            TodoState::Pending => acp::PlanEntryStatus::Pending,
            TodoState::InProgress => acp::PlanEntryStatus::InProgress,
            TodoState::Completed => acp::PlanEntryStatus::Completed,
        };
        acp::PlanEntry::new(todo.content.clone(), acp::PlanEntryPriority::Medium, status)
    };
    acp::Plan::new(todos.iter().map(entry).collect())
}
