//! The life of a sub-agent: one turn, its end, and what comes of it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::agent::conversation::Conversation;
use crate::agent::hooking;
use crate::agent::shared::{Shared, lock};
use crate::agent::sub::told;
use crate::agent::sub::worktree::{self, Worktree};
use crate::agent::turn;
use crate::protocol::{
    AgentInfo, AgentReport, AgentState, Input, Level, Money, TurnEnd, TurnId, TurnSummary,
};

pub struct Job {
    pub talk: Conversation,
    pub shared: Arc<Shared>,
    pub info: AgentInfo,
    pub prompt: String,
    pub worktree: Option<Worktree>,
    pub parent: Arc<Shared>,
}

/// Bytes of an agent's answer that whoever started it gets.
const ANSWER: usize = 60_000;

pub async fn run(job: Job, cancel: CancellationToken) -> AgentReport {
    let Job { mut talk, shared, mut info, prompt, worktree, parent } = job;
    hooking::agent_begun(&shared, &prompt, &cancel).await;
    let prompt = match &worktree {
        None => prompt,
        Some(worktree) => format!(
            "{prompt}\n\n(You work in a copy of the repository, {}: change files there and nowhere \
             else, and use paths below it.)",
            worktree.path.display()
        ),
    };
    let (end, summary) =
        turn::carry_out(&mut talk, &shared, TurnId(1), Input::text(prompt), &cancel).await;
    let mut report = report(&talk, &info, end, &summary);
    drop(talk);
    if let Some(worktree) = worktree {
        report.text.push_str(&format!("\n\n{}", worktree::hand_back(&parent, worktree).await));
    }
    info.state = report.state;
    lock(&parent.agents.state).running.remove(&info.id);
    if info.background {
        let text = format!(
            "(tern: the agent {} ({}) is {}. Its answer:\n{})",
            info.id.0,
            info.task,
            report.state.name(),
            report.text
        );
        parent.agents.tell(parent.agent.as_ref().map(|who| &who.id), text);
        let text = format!(
            "The agent {} ({}) is {}; the model hears of it with its next request.",
            info.kind,
            info.task,
            report.state.name()
        );
        parent.notice(Level::Info, text).await;
    }
    told(&parent, info).await;
    report
}

/// Whoever started it has a window, too.
fn cut(mut said: String) -> String {
    if said.len() > ANSWER {
        said.truncate(said.floor_char_boundary(ANSWER));
        said.push_str("\n(The answer was longer; this is its beginning.)");
    }
    said
}

fn report(
    talk: &Conversation,
    info: &AgentInfo,
    end: TurnEnd,
    summary: &TurnSummary,
) -> AgentReport {
    let said = talk.last_said();
    let (state, note) = match end {
        TurnEnd::Done => (AgentState::Done, String::new()),
        TurnEnd::Interrupted => (AgentState::Stopped, "It was stopped before it was done.".into()),
        TurnEnd::TurnLimit => {
            (AgentState::Failed, "It has made as many requests as it may and was ended.".into())
        }
        TurnEnd::Budget => (AgentState::Failed, "The budget is used up.".to_owned()),
        TurnEnd::Failed { message, .. } => (AgentState::Failed, format!("It failed: {message}.")),
    };
    let mut text = cut(said);
    if !note.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n\n" };
        text = format!("{note}{gap}{text}");
    }
    if text.is_empty() {
        "It has said nothing.".clone_into(&mut text);
    }
    let requests = match summary.requests {
        1 => "1 request".to_owned(),
        requests => format!("{requests} requests"),
    };
    let facts = match summary.cost {
        Some(cost) if cost > Money::ZERO => format!("{requests} · {cost}"),
        Some(_) | None => requests,
    };
    AgentReport { id: info.id.clone(), state, text, facts }
}
