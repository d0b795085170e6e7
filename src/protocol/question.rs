//! Questions of the model to the person: a choice, or a plan to be approved. Unlike a permission
//! question they are what the call is for.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::RequestId;
use crate::protocol::permission::Mode;

/// It waits for `Reply`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    pub id: RequestId,
    pub about: About,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum About {
    Choices {
        questions: Vec<Choice>,
    },
    /// Markdown.
    Plan {
        plan: String,
    },
}

/// One question with its answers to choose from. The person may always write one of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub question: String,
    /// A word or two for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub header: String,
    pub options: Vec<Choosable>,
    /// Several may be chosen.
    #[serde(default, rename = "multiSelect")]
    pub multi_select: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choosable {
    pub label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// The person's answer to an [`Inquiry`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reply {
    /// One for each question, in order.
    Chosen { answers: Vec<Chosen> },
    /// The plan is to be carried out, in this mode (default or acceptEdits).
    Approved {
        mode: Mode,
        /// The plan as the person has changed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
    },
    /// No answer, or no to the plan.
    Declined {
        /// Told to the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Chosen {
    /// Labels of the options that were chosen.
    #[serde(default)]
    pub labels: Vec<String>,
    /// In the person's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}
