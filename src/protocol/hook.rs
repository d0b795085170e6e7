//! Hooks: programs of the person's that run when something happens, and what became of one.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::CallId;

/// When a hook runs. Names and meanings are those of Claude Code, so that hooks carry over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookEvent {
    PreToolUse,
    PostToolUse,
    PostToolUseFailure,
    PermissionRequest,
    UserPromptSubmit,
    SessionStart,
    SessionEnd,
    Stop,
    SubagentStart,
    SubagentStop,
    PreCompact,
    PostCompact,
    Notification,
}

impl HookEvent {
    pub const ALL: [HookEvent; 13] = [
        HookEvent::PreToolUse,
        HookEvent::PostToolUse,
        HookEvent::PostToolUseFailure,
        HookEvent::PermissionRequest,
        HookEvent::UserPromptSubmit,
        HookEvent::SessionStart,
        HookEvent::SessionEnd,
        HookEvent::Stop,
        HookEvent::SubagentStart,
        HookEvent::SubagentStop,
        HookEvent::PreCompact,
        HookEvent::PostCompact,
        HookEvent::Notification,
    ];

    /// As `.claude/settings.json` and the hook's own input have it.
    pub fn name(self) -> &'static str {
        match self {
            HookEvent::PreToolUse => "PreToolUse",
            HookEvent::PostToolUse => "PostToolUse",
            HookEvent::PostToolUseFailure => "PostToolUseFailure",
            HookEvent::PermissionRequest => "PermissionRequest",
            HookEvent::UserPromptSubmit => "UserPromptSubmit",
            HookEvent::SessionStart => "SessionStart",
            HookEvent::SessionEnd => "SessionEnd",
            HookEvent::Stop => "Stop",
            HookEvent::SubagentStart => "SubagentStart",
            HookEvent::SubagentStop => "SubagentStop",
            HookEvent::PreCompact => "PreCompact",
            HookEvent::PostCompact => "PostCompact",
            HookEvent::Notification => "Notification",
        }
    }

    /// `PreToolUse` and `pre-tool-use` alike.
    pub fn parse(name: &str) -> Option<HookEvent> {
        let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
        let wanted = plain(name);
        HookEvent::ALL.into_iter().find(|event| plain(event.name()) == wanted)
    }

    /// When it runs, and what its matcher is compared with; for `/hooks` and the documentation.
    pub fn help(self) -> &'static str {
        match self {
            HookEvent::PreToolUse => "before a call of a tool; matches the tool",
            HookEvent::PostToolUse => "after a call that was done; matches the tool",
            HookEvent::PostToolUseFailure => "after a call that failed; matches the tool",
            HookEvent::PermissionRequest => "before you are asked; matches the tool",
            HookEvent::UserPromptSubmit => "before a prompt goes to the model",
            HookEvent::SessionStart => "a session begins; matches startup, resume or clear",
            HookEvent::SessionEnd => "a session ends; matches clear, resume or other",
            HookEvent::Stop => "the model is done with a turn",
            HookEvent::SubagentStart => "a sub-agent begins; matches its kind",
            HookEvent::SubagentStop => "a sub-agent is done; matches its kind",
            HookEvent::PreCompact => "before the history is summarised; matches manual or auto",
            HookEvent::PostCompact => "after it was; matches manual or auto",
            HookEvent::Notification => {
                "you are waited for; matches permission_prompt or idle_prompt"
            }
        }
    }
}

/// A hook that has run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRun {
    pub event: HookEvent,
    pub command: String,
    pub end: HookEnd,
    /// What it said for the person, or why it did not work; empty: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    pub duration_ms: u64,
    /// The call that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookEnd {
    /// It had nothing against it.
    Passed,
    /// It allowed the call, or changed its input.
    Decided,
    /// It stopped what was about to happen.
    Blocked,
    /// It did not start, failed, took too long or made no sense: it counts as if it were not there.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_go_by_both_spellings() {
        for event in HookEvent::ALL {
            assert_eq!(HookEvent::parse(event.name()), Some(event));
            let ours = serde_json::to_value(event).unwrap();
            assert_eq!(HookEvent::parse(ours.as_str().unwrap()), Some(event));
        }
        assert_eq!(HookEvent::parse("PreToolUses"), None);
    }
}
