//! The token counts of OpenAI's two wires, which differ in the names only.

use serde_json::Value;

use crate::protocol::Usage;

/// `None` where the server tells no counts.
pub fn usage(told: &Value) -> Option<Usage> {
    told.as_object()?;
    let first = |names: [&str; 2]| {
        names.iter().find_map(|name| told.pointer(name).and_then(Value::as_u64)).unwrap_or(0)
    };
    let prompt = first(["/prompt_tokens", "/input_tokens"]);
    let read =
        first(["/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens"])
            // DeepSeek has its own name for what was read from the cache.
            .max(first(["/prompt_cache_hit_tokens", "/prompt_cache_hit_tokens"]));
    let written = first([
        "/prompt_tokens_details/cache_write_tokens",
        "/input_tokens_details/cache_write_tokens",
    ]);
    Some(Usage {
        // The prompt's count has all of it in it.
        input: prompt.saturating_sub(read).saturating_sub(written),
        cache_read: read,
        cache_write_5m: written,
        cache_write_1h: 0,
        output: first(["/completion_tokens", "/output_tokens"]),
        thinking: first([
            "/completion_tokens_details/reasoning_tokens",
            "/output_tokens_details/reasoning_tokens",
        ]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_do_not_overlap() {
        let all = Usage {
            input: 5,
            cache_read: 4,
            cache_write_5m: 1,
            cache_write_1h: 0,
            output: 5,
            thinking: 2,
        };
        for (told, expected) in [
            (json!(null), None),
            (json!("x"), None),
            (json!({}), Some(Usage::default())),
            (
                json!({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 2}}),
                Some(all),
            ),
            (
                json!({"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1}, "output_tokens_details": {"reasoning_tokens": 2}}),
                Some(all),
            ),
            (
                json!({"prompt_tokens": 10, "prompt_cache_hit_tokens": 6, "prompt_tokens_details": null}),
                Some(Usage { input: 4, cache_read: 6, ..Usage::default() }),
            ),
            (
                json!({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}),
                Some(Usage { cache_read: 9, ..Usage::default() }),
            ),
        ] {
            assert_eq!(usage(&told), expected, "{told}");
        }
    }
}
