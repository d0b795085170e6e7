//! What the model is told with its next request although no person said it. It is appended, never
//! put in between: what stands before stays cached.

use crate::agent::conversation::Conversation;
use crate::agent::shared::{Shared, lock};
use crate::process::{Job, JobState, jobs};
use crate::protocol::Mode;

/// What has been told before.
#[derive(Debug, Default)]
pub struct Told {
    tools: Vec<String>,
    planning: bool,
}

/// Names of tools that one note lists; more are found by `ToolSearch`.
const NAMES: usize = 200;

const PLANNING: &str = "(tern: plan mode is on. Look around and think; change nothing. When the plan \
is ready, show it: UseTool {\"name\": \"ExitPlanMode\", \"input\": {\"plan\": \"<Markdown>\"}}. It says \
what will change, where, in which order, and how it will be checked. Go on only once it is approved.)";

impl Conversation {
    /// Everything new since the last request, each a text of its own.
    pub fn news(&mut self, shared: &Shared) -> Vec<String> {
        let tools = self.told.tools(shared.tools.unlisted());
        // Commands in the background belong to the session, whoever has started them.
        let ended = match shared.agent {
            None => lock(&shared.session).jobs.take_ended(),
            Some(_) => Vec::new(),
        };
        let agents = shared.agents.take_news(shared.who());
        let mode = self.told.mode(shared.gate.mode());
        let ended = ended.iter().map(|job| job_ended(job));
        tools.into_iter().chain(mode).chain(ended).chain(agents).collect()
    }

    /// Appends it to what the model gets next.
    pub async fn add_news(&mut self, shared: &Shared) {
        let instructions = self.instructions(shared).await;
        for text in self.news(shared).into_iter().chain(instructions) {
            self.add_note(shared, &text).await;
        }
    }
}

fn job_ended(job: &Job) -> String {
    let facts = match job.state() {
        JobState::Ended(ended) => jobs::facts(&ended),
        JobState::Running => String::new(),
    };
    let first: String = job.command.lines().next().unwrap_or_default().chars().take(120).collect();
    format!(
        "(tern: background task {} has ended: {facts}. It was: {first}. TaskOutput shows its output.)",
        job.id.0
    )
}

impl Told {
    /// That plan mode has begun, or is over.
    fn mode(&mut self, now: Mode) -> Option<String> {
        let planning = now == Mode::Plan;
        if planning == self.planning {
            return None;
        }
        self.planning = planning;
        let text = if planning { PLANNING } else { "(tern: plan mode is over.)" };
        Some(text.to_owned())
    }

    /// Tools that came or went while the session runs.
    fn tools(&mut self, now: Vec<String>) -> Option<String> {
        if now == self.tools {
            return None;
        }
        let differ = |from: &[String], to: &[String]| -> Vec<String> {
            from.iter().filter(|name| !to.contains(name)).cloned().collect()
        };
        let (came, went) = (differ(&now, &self.tools), differ(&self.tools, &now));
        self.tools = now;
        let mut text = String::new();
        if !came.is_empty() {
            let names = came.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if came.len() > NAMES { " and more" } else { "" };
            text = format!("(tern: new tools, see ToolSearch: {names}{more}.)");
        }
        if !went.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            text += &format!("{gap}(tern: tools that are gone: {}.)", went.join(", "));
        }
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_told_once() {
        let mut told = Told::default();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(told.tools(Vec::new()), None);
        let text = told.tools(names(&["a", "b"]));
        assert_eq!(text.as_deref(), Some("(tern: new tools, see ToolSearch: a, b.)"));
        assert_eq!(told.tools(names(&["a", "b"])), None);
        let text = told.tools(names(&["b", "c"])).unwrap();
        assert!(text.contains(": c.") && text.ends_with("gone: a.)"), "{text}");
    }
}
