//! Steps back over the conversation and the changes of files, and forth again.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::{MessageId, RequestId};
use crate::protocol::permission::Hunk;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Undo,
    Redo,
}

/// What a step concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewindScope {
    Conversation,
    #[default]
    Files,
    Both,
}

impl RewindScope {
    pub fn conversation(self) -> bool {
        matches!(self, RewindScope::Conversation | RewindScope::Both)
    }

    pub fn files(self) -> bool {
        matches!(self, RewindScope::Files | RewindScope::Both)
    }
}

/// What of the session's changes goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepPart {
    /// Everything that it did to a file.
    File,
    Hunk,
}

/// What a step would do: every file that it would touch, and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rewind {
    pub request: RequestId,
    pub step: Step,
    #[serde(default)]
    pub scope: RewindScope,
    /// The message that the person chose to go back before. The same step can be asked for with
    /// another scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<MessageId>,
    /// Messages of the person that leave the conversation, or come back to it.
    #[serde(default)]
    pub messages: u32,
    /// Commands ran in what is taken back: what they changed is known only in part.
    #[serde(default)]
    pub commands: u32,
    /// The first line of the prompt whose changes these are.
    pub prompt: String,
    /// It is not about a turn, but about one file of `ChangesShown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<StepPart>,
    pub files: Vec<FileStep>,
}

/// One file of a step, from what it holds now to what it would hold; of `ChangesShown`, from what
/// it held before the session to what it holds now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileStep {
    /// As people read it: relative to the session's folder where it lies inside.
    pub path: String,
    /// What it was called before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub effect: FileEffect,
    /// Empty where there is no text to compare: see `note`.
    pub hunks: Vec<Hunk>,
    pub added: u32,
    pub removed: u32,
    /// What the hunks do not say: `mode 644 to 755`, `not text`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<StepConflict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileEffect {
    Changed,
    /// It is not there now.
    Created,
    /// It would not be there afterwards.
    Removed,
}

/// Why a file is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StepConflict {
    /// Someone else has changed it since: it is touched only if the person chooses so.
    ChangedSince,
    /// It cannot be put back; why.
    Impossible { why: String },
}

/// A file that a step left as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}
