//! OpenAI's Chat Completions, as very many servers speak it, each a little differently:
//! <https://platform.openai.com/docs/api-reference/chat>.

mod calls;
pub mod request;
pub mod stream;
mod think;
