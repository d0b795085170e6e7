//! Why a server's prompt cache could not be used: compares a request with the one before it.

use std::time::Duration;

use crate::api::Request;

/// How long a server keeps a prefix that is not asked for.
pub const TTL: Duration = Duration::from_secs(300);

/// The first thing, in the order in which servers read a request, that differs from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// Another model has another cache.
    Model,
    Tools,
    System,
    /// Thinking is asked for in another way, which changes how the messages are read.
    Thinking,
    /// Messages that were sent before were changed or taken out.
    History,
    /// Nothing differs, but too much time has gone by.
    Age,
}

/// `None` where `after` only adds to `before`, sent `idle` earlier, so that the cache should hit.
pub fn miss(before: &Request, after: &Request, idle: Duration) -> Option<Miss> {
    let asks_alike = before.effort == after.effort && before.purpose == after.purpose;
    if before.model != after.model {
        Some(Miss::Model)
    } else if before.tools != after.tools {
        Some(Miss::Tools)
    } else if before.system != after.system {
        Some(Miss::System)
    } else if !asks_alike {
        Some(Miss::Thinking)
    } else if !after.messages.starts_with(&before.messages) {
        Some(Miss::History)
    } else if idle > TTL {
        Some(Miss::Age)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::api::{Purpose, ToolSpec};
    use crate::config::Effort;
    use crate::protocol::Message;

    fn request() -> Request {
        Request {
            model: "m".to_owned(),
            system: Arc::from("be brief"),
            tools: Arc::from([]),
            messages: vec![Message::user("a"), Message::assistant("b")],
            max_tokens: 100,
            effort: None,
            session: "s".to_owned(),
            purpose: Purpose::Conversation,
        }
    }

    #[test]
    fn the_first_difference_is_the_cause() {
        let tool = ToolSpec { name: "T".to_owned(), description: String::new(), schema: json!({}) };
        let changed = |change: &dyn Fn(&mut Request)| {
            let mut request = request();
            request.messages.push(Message::user("c"));
            change(&mut request);
            request
        };
        let soon = Duration::from_secs(10);
        for (after, idle, cause) in [
            (changed(&|_| {}), soon, None),
            (changed(&|r| r.max_tokens = 5), soon, None),
            (changed(&|r| r.model = "n".to_owned()), soon, Some(Miss::Model)),
            (changed(&|r| r.tools = Arc::from([tool.clone()])), soon, Some(Miss::Tools)),
            (changed(&|r| r.system = Arc::from("x")), soon, Some(Miss::System)),
            (changed(&|r| r.effort = Some(Effort::Low)), soon, Some(Miss::Thinking)),
            (changed(&|r| r.messages[0] = Message::user("x")), soon, Some(Miss::History)),
            (changed(&|r| r.messages.truncate(1)), soon, Some(Miss::History)),
            (changed(&|_| {}), Duration::from_secs(301), Some(Miss::Age)),
        ] {
            assert_eq!(miss(&request(), &after, idle), cause);
        }
    }
}
