//! Questions that wait for a person. Each has an id and one sender in a map; whoever takes the
//! sender out answers, so a second answer finds nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::oneshot;

use crate::protocol::{AgentId, Decision, RequestId};

#[derive(Debug, Default)]
pub struct Approvals {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    by_id: BTreeMap<RequestId, Question>,
}

#[derive(Debug)]
struct Question {
    /// The sub-agent that asks.
    who: Option<AgentId>,
    tool: String,
    input: serde_json::Value,
    answer: oneshot::Sender<Answer>,
}

/// A question that nobody has answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    pub id: RequestId,
    pub who: Option<AgentId>,
    pub tool: String,
    pub input: serde_json::Value,
}

/// How a question was closed.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Person(Decision),
    /// This rule, saved for another question, covers this one too.
    Rule(String),
}

impl Approvals {
    /// A number for a question that is answered otherwise.
    pub fn number(&self) -> RequestId {
        let mut waiting = self.lock();
        waiting.last += 1;
        RequestId(waiting.last)
    }

    pub fn open(
        &self,
        who: Option<&AgentId>,
        tool: &str,
        input: &serde_json::Value,
    ) -> (RequestId, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.last += 1;
        let id = RequestId(waiting.last);
        let who = who.cloned();
        let question = Question { who, tool: tool.to_owned(), input: input.clone(), answer };
        waiting.by_id.insert(id, question);
        (id, receiver)
    }

    /// False if the question is not waiting (any more).
    pub fn answer(&self, id: RequestId, answer: Answer) -> bool {
        let question = self.lock().by_id.remove(&id);
        question.is_some_and(|question| question.answer.send(answer).is_ok())
    }

    /// Takes a question back that nobody will answer.
    pub fn withdraw(&self, id: RequestId) {
        self.lock().by_id.remove(&id);
    }

    /// What still waits, oldest first.
    pub fn waiting(&self) -> Vec<Waits> {
        let waiting = self.lock();
        let waits = |(id, question): (&RequestId, &Question)| Waits {
            id: *id,
            who: question.who.clone(),
            tool: question.tool.clone(),
            input: question.input.clone(),
        };
        waiting.by_id.iter().map(waits).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // A panic elsewhere leaves the map as it was between two statements: still a map.
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_its_own_question_once() {
        let approvals = Approvals::default();
        let (first, mut first_answer) = approvals.open(None, "Bash", &serde_json::Value::Null);
        let (second, mut second_answer) = approvals.open(None, "Edit", &serde_json::Value::Null);
        let yes = Answer::Person(Decision::Once);
        assert!(approvals.answer(second, yes.clone()));
        assert!(!approvals.answer(second, yes.clone()));
        assert_eq!(second_answer.try_recv(), Ok(yes));
        assert!(first_answer.try_recv().is_err());
        assert_eq!(approvals.waiting().len(), 1);
        approvals.withdraw(first);
        assert!(!approvals.answer(first, Answer::Rule("Bash".into())));
    }
}
