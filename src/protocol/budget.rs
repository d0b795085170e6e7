//! A budget that the next request would go over, and what the person says to that.

use serde::{Deserialize, Serialize};

use crate::protocol::ids::RequestId;
use crate::protocol::usage::Money;

/// What a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    Session,
    Day,
}

impl Span {
    pub fn name(self) -> &'static str {
        match self {
            Span::Session => "session",
            Span::Day => "day",
        }
    }
}

/// The turn waits before a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub request: RequestId,
    pub span: Span,
    pub limit: Money,
    pub spent: Money,
    /// What the next request is likely to cost; zero where its price is not known.
    pub next: Money,
}

/// The limits in force. `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    #[serde(default)]
    pub session: Option<Money>,
    #[serde(default)]
    pub day: Option<Money>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Answer {
    /// Go on under these limits, for this session.
    Raise(Limits),
    /// Go on to the end of this turn, whatever it costs.
    Once,
    /// End the turn.
    Stop,
}
