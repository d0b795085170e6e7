//! The rules of a session and what they have denied, as a person sees and changes them.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::CallId;
use crate::protocol::permission::{Ruling, Scope, Source, Sourced};

/// What holds now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RuleBook {
    pub rules: Vec<RuleInfo>,
    /// Newest first.
    pub denials: Vec<DenialInfo>,
    /// Denials since the last call that ran.
    pub in_a_row: u32,
    /// Denials since the session began, or since the last return to asking.
    pub in_all: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleInfo {
    pub ruling: Ruling,
    pub rule: Sourced<String>,
    /// Why it has no effect, or another one than it seems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DenialInfo {
    pub call: CallId,
    pub tool: String,
    /// What the call acts on, as its own line shows it.
    pub what: String,
    pub because: String,
    /// A rule, a hook or the mode forbids it: asking again would change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub firm: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RuleChange {
    Add {
        ruling: Ruling,
        rule: String,
        scope: Scope,
    },
    /// In its place, where `old` stands.
    Replace {
        ruling: Ruling,
        old: Sourced<String>,
        rule: String,
    },
    Remove {
        ruling: Ruling,
        old: Sourced<String>,
    },
}

/// Why a rule cannot be changed from within a session; `None`: it can.
pub fn fixed(rule: &Sourced<String>) -> Option<&'static str> {
    let toml = |file: &std::path::Path| file.extension().is_some_and(|end| end == "toml");
    match rule.source {
        Source::Managed => Some("it is set by whoever manages this machine"),
        Source::Flag => Some("it was given on the command line"),
        Source::Environment => Some("it was given in the environment"),
        Source::BuiltIn => Some("it is built in"),
        Source::SettingsFile | Source::User | Source::Project | Source::Local => {
            match rule.file.as_deref() {
                Some(file) if toml(file) => None,
                Some(_) => Some("it stands in a file that tern only reads: change it there"),
                None => Some("it is not known where it stands"),
            }
        }
        Source::Session => None,
    }
}
