//! Anthropic's Messages API: <https://platform.claude.com/docs/en/api/messages>.

pub mod request;
pub mod stream;

use serde_json::Value;

use crate::api::{ApiError, ApiErrorKind};

/// The name of this wire in `Part::Opaque`.
pub const WIRE: &str = "anthropic";

/// The answer to a request for a count.
pub fn counted(answer: &Value) -> Result<u64, ApiError> {
    answer["input_tokens"].as_u64().ok_or_else(|| {
        ApiError::new(ApiErrorKind::NotAnApi, "The server does not count tokens as it should.")
    })
}
