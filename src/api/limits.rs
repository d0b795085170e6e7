//! The token counts that servers name when something does not fit.

use serde_json::Value;

use crate::api::Limits;

/// The token counts of an error, from its fields or from its text.
pub fn limits(body: &Value, message: &str) -> Option<Limits> {
    let error = body.get("error").unwrap_or(body);
    let field = |name| error.get(name).and_then(Value::as_u64);
    let fields =
        Limits { input: field("n_prompt_tokens"), max_tokens: None, window: field("n_ctx") };
    let text = message.to_lowercase();
    let after = |phrase: &str| text.find(phrase).map(|at| numbers(&text[at + phrase.len()..]));
    // "prompt is too long: 210000 tokens > 200000 maximum"
    let found = if let Some([input, window, ..]) = after("prompt is too long").as_deref() {
        Limits { input: Some(*input), max_tokens: None, window: Some(*window) }
    // "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000"
    } else if let Some([input, max, window, ..]) = after("exceed context limit").as_deref() {
        Limits { input: Some(*input), max_tokens: Some(*max), window: Some(*window) }
    // "request (9030 tokens) exceeds the available context size (8192 tokens)"
    } else if let (Some([window, ..]), Some([input, ..])) =
        (after("available context size").as_deref(), after("request (").as_deref())
    {
        Limits { input: Some(*input), max_tokens: None, window: Some(*window) }
    // "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens": what may
    // be asked for, as nothing else is named.
    } else if let (true, Some([_, allowed, ..])) =
        (text.contains("allowed number of output tokens"), after("max_tokens").as_deref())
    {
        Limits { input: None, max_tokens: Some(*allowed), window: None }
    } else if let Some(counts) = after("maximum context length is") {
        context_length(&text, &counts)
    // "max_tokens is too large: 9999. This model supports at most 4096 completion tokens"
    } else if let Some([allowed, ..]) = after("supports at most").as_deref() {
        Limits { input: None, max_tokens: Some(*allowed), window: None }
    } else {
        fields
    };
    (found != Limits::default()).then_some(found)
}

/// OpenAI and vLLM: "maximum context length is 8192 tokens. However, you requested 10000 tokens
/// (6000 in the messages, 4000 in the completion)", ".. your messages resulted in 9000 tokens",
/// ".. and your request has 1000 input tokens", with the window first of the numbers.
fn context_length(text: &str, counts: &[u64]) -> Limits {
    let window = counts.first().copied();
    match (counts, text.contains("completion)") || text.contains("output tokens")) {
        ([_, _, input, max, ..], true) => {
            Limits { input: Some(*input), max_tokens: Some(*max), window }
        }
        ([_, input, ..], _) => Limits { input: Some(*input), max_tokens: None, window },
        _ => Limits { input: None, max_tokens: None, window },
    }
}

/// The first few numbers of a text.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .take(6)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApiErrorKind;
    use crate::api::error::{from_text, from_value};

    #[test]
    fn token_counts_are_found_in_the_text() {
        let limits = |input, max_tokens, window| Some(Limits { input, max_tokens, window });
        for (message, kind, expected) in [
            (
                "prompt is too long: 210000 tokens > 200000 maximum",
                ApiErrorKind::PromptTooLong,
                limits(Some(210_000), None, Some(200_000)),
            ),
            (
                "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease",
                ApiErrorKind::MaxTokensTooLarge,
                limits(Some(190_000), Some(32_000), Some(200_000)),
            ),
            (
                "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-x",
                ApiErrorKind::MaxTokensTooLarge,
                limits(None, Some(64_000), None),
            ),
            (
                "max_tokens is too large: 9999. This model supports at most 4096 completion tokens",
                ApiErrorKind::MaxTokensTooLarge,
                limits(None, Some(4096), None),
            ),
            (
                "request (9030 tokens) exceeds the available context size (8192 tokens), try increasing it",
                ApiErrorKind::PromptTooLong,
                limits(Some(9030), None, Some(8192)),
            ),
            (
                "This model's maximum context length is 8192 tokens. However, you requested 10000 tokens (6000 in the messages, 4000 in the completion).",
                ApiErrorKind::MaxTokensTooLarge,
                limits(Some(6000), Some(4000), Some(8192)),
            ),
            (
                "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens",
                ApiErrorKind::PromptTooLong,
                limits(Some(5000), None, Some(4096)),
            ),
            (
                "This model's maximum context length is 8192 tokens",
                ApiErrorKind::PromptTooLong,
                limits(None, None, Some(8192)),
            ),
            ("prompt is too long", ApiErrorKind::PromptTooLong, None),
            ("prompt is too long: 99999999999999999999999 > 1", ApiErrorKind::PromptTooLong, None),
        ] {
            let error = from_value(Some(400), &serde_json::json!({"error": {"message": message}}));
            assert_eq!((error.kind, error.limits), (kind, expected), "{message}");
        }
        let llama = r#"{"error":{"code":400,"message":"too big","type":"exceed_context_size_error","n_prompt_tokens":9030,"n_ctx":8192}}"#;
        assert_eq!(from_text(Some(400), llama).limits, limits(Some(9030), None, Some(8192)));
    }
}
