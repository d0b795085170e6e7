//! Anthropic's Messages API: <https://platform.claude.com/docs/en/api/messages>.

pub mod request;
pub mod stream;

/// The name of this wire in `Part::Opaque`.
pub const WIRE: &str = "anthropic";
