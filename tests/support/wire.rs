//! Answers in the bytes of the Messages wire.

use serde_json::{Value, json};

/// The events of an answer that says `text`.
pub fn says(text: &str) -> String {
    answer(&[json!({"type": "text", "text": text})], "end_turn", &usage())
}

/// The events of an answer that makes one call.
pub fn calls(tool: &str, input: &Value) -> String {
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": tool, "input": input});
    answer(&[call], "tool_use", &usage())
}

fn usage() -> Value {
    json!({"input_tokens": 100, "output_tokens": 20})
}

/// The events of an answer with these blocks. Empty texts are left out.
pub fn answer(blocks: &[Value], stop: &str, usage: &Value) -> String {
    let blocks = blocks.iter().filter(|block| block["text"] != "");
    let mut events = vec![json!({
        "type": "message_start",
        "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                    "content": [], "usage": usage},
    })];
    for (index, block) in blocks.enumerate() {
        let (start, delta) = match block["type"].as_str() {
            Some("tool_use") => (
                json!({"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}}),
                json!({"type": "input_json_delta", "partial_json": block["input"].to_string()}),
            ),
            Some("web_search_tool_result") => (block.clone(), json!({})),
            _ => (
                json!({"type": "text", "text": ""}),
                json!({"type": "text_delta", "text": block["text"]}),
            ),
        };
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": stop},
                       "usage": {"output_tokens": usage["output_tokens"]}}));
    events.push(json!({"type": "message_stop"}));
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}
