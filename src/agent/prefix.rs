//! Why the server's prompt cache did not hold. Pure: over what was sent, and what the server says
//! it read.
//!
//! The request prefix is meant to be the same bytes from turn to turn; where it is not, the ledger
//! names the cause, so that nobody has to guess why a session got dear.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::api::{Request, ToolSpec};
use crate::cost::ledger::Miss;
use crate::protocol::{Message, Usage};

/// Marks of one request, in the order in which a cache compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    model: String,
    tools: u64,
    system: u64,
    effort: u64,
    messages: Vec<u64>,
}

/// Servers round to blocks: fewer missing tokens than this are no miss.
const SLACK: u64 = 1_024;

impl Sent {
    pub fn of(request: &Request) -> Sent {
        Sent {
            model: request.model.clone(),
            tools: mark(&request.tools.iter().map(spec).collect::<Vec<_>>()),
            system: mark(&request.system),
            effort: mark(&request.effort),
            messages: request.messages.iter().map(message).collect(),
        }
    }

    /// True if a request with these marks only appends to this one.
    fn begins(&self, next: &Sent) -> Option<Miss> {
        if self.model != next.model {
            return Some(Miss::Model);
        }
        if self.tools != next.tools {
            return Some(Miss::Tools);
        }
        if self.system != next.system {
            return Some(Miss::System);
        }
        if self.effort != next.effort {
            return Some(Miss::Thinking);
        }
        (!next.messages.starts_with(self.all_but_last()) || self.last_changed(next))
            .then_some(Miss::History)
    }

    fn all_but_last(&self) -> &[u64] {
        &self.messages[..self.messages.len().saturating_sub(1)]
    }

    /// The last message of a request may have grown since: what was said meanwhile joins it. Its
    /// mark then differs although its beginning does not, so only its absence counts.
    fn last_changed(&self, next: &Sent) -> bool {
        next.messages.len() < self.messages.len()
    }
}

/// Cause and number of the tokens that had been cached and were billed anew. `cached` is what the
/// request before left in the cache (tokens), `ago` when that was, `life` how long it keeps.
pub fn miss(
    before: &Sent,
    now: &Sent,
    cached: u64,
    ago: Duration,
    life: Duration,
    usage: &Usage,
) -> Option<(Miss, u64)> {
    let missed = cached.checked_sub(usage.cache_read).filter(|missed| *missed > SLACK)?;
    let cause = before.begins(now).unwrap_or(if ago > life { Miss::Expired } else { Miss::Server });
    Some((cause, missed))
}

fn mark(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn spec(tool: &ToolSpec) -> (&str, &str, String) {
    (&tool.name, &tool.description, tool.schema.to_string())
}

fn message(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.role.hash(&mut hasher);
    for part in &message.parts {
        // The log's own form of a part is as good as any to compare by.
        serde_json::to_string(part).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Purpose;
    use crate::config::Effort;

    fn request(texts: &[&str]) -> Request {
        Request {
            model: "m".into(),
            system: "s".into(),
            tools: Vec::new().into(),
            messages: texts.iter().map(|text| Message::user(*text)).collect(),
            max_tokens: 1,
            effort: None,
            session: String::new(),
            purpose: Purpose::Conversation,
        }
    }

    fn cause(change: impl FnOnce(&mut Request), ago: u64, read: u64) -> Option<Miss> {
        let before = request(&["a", "b"]);
        let mut after = request(&["a", "b", "c"]);
        change(&mut after);
        let usage = Usage { cache_read: read, ..Usage::default() };
        let ago = Duration::from_secs(ago);
        let life = Duration::from_secs(300);
        miss(&Sent::of(&before), &Sent::of(&after), 10_000, ago, life, &usage).map(|(miss, _)| miss)
    }

    #[test]
    fn causes() {
        assert_eq!(cause(|_| {}, 1, 10_000), None);
        assert_eq!(cause(|_| {}, 1, 9_500), None, "servers round");
        assert_eq!(cause(|_| {}, 1, 0), Some(Miss::Server));
        assert_eq!(cause(|_| {}, 400, 0), Some(Miss::Expired));
        assert_eq!(cause(|r| r.model = "n".into(), 400, 0), Some(Miss::Model));
        assert_eq!(cause(|r| r.system = "t".into(), 1, 0), Some(Miss::System));
        assert_eq!(cause(|r| r.effort = Some(Effort::High), 1, 0), Some(Miss::Thinking));
        assert_eq!(cause(|r| r.messages[0] = Message::user("x"), 1, 0), Some(Miss::History));
        assert_eq!(cause(|r| r.messages.truncate(1), 1, 0), Some(Miss::History));
    }

    #[test]
    fn a_last_message_that_grew_is_no_edit_of_history() {
        let before = Sent::of(&request(&["a", "b"]));
        let after = Sent::of(&request(&["a", "b and more", "c"]));
        assert_eq!(before.begins(&after), None);
    }
}
