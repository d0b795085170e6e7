//! OpenAI's Responses API, without state on the server:
//! <https://platform.openai.com/docs/api-reference/responses>.

pub mod request;
pub mod stream;

/// The name of this wire in `Part::Opaque`.
pub const WIRE: &str = "openai-responses";
