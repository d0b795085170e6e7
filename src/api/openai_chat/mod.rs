//! OpenAI's Chat Completions, as very many servers speak it, each a little differently:
//! <https://platform.openai.com/docs/api-reference/chat>.

mod calls;
mod details;
pub mod request;
pub mod stream;
mod think;

/// The name of this wire in `Part::Opaque`.
pub const WIRE: &str = "openai-chat";
