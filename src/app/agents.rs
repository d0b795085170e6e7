//! What the screen knows of sub-agents: one [`Agent`] each, with what it has said and done so far.
//! The transcript shows one line for each, the board (`/agents`) all of them.

use std::collections::VecDeque;

use crate::app::clean;
use crate::app::model::Model;
use crate::app::msg::Millis;
use crate::protocol::{
    AgentId, AgentInfo, AgentState, CallId, CallStatus, Event, MessageId, Money, Spend,
};

/// Lines that are kept of each agent, and bytes of the end of a text that it says (at most twice
/// that in between, so that a piece costs the same however long the text is).
const LINES: usize = 400;
const SAID: usize = 8 * 1024;
/// Lines that the opened entry of the transcript shows of a running one.
const SHOWN: usize = 8;

#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub id: AgentId,
    pub kind: String,
    pub task: String,
    pub model: String,
    pub state: AgentState,
    /// The call that started it, whose line in the transcript stands for it.
    pub call: CallId,
    pub background: bool,
    pub worktree: Option<String>,
    pub since: Millis,
    pub ended: Option<Millis>,
    /// Tokens of all its requests and answers.
    pub tokens: u64,
    /// Requests whose price is known.
    pub cost: Money,
    pub unpriced: u64,
    /// It waits for the person.
    pub asks: bool,
    pub log: VecDeque<Line>,
}

/// One thing that an agent said or did.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Said {
        message: MessageId,
        text: String,
    },
    /// `doing` while it runs, `done` afterwards, each with its object.
    Did {
        call: CallId,
        doing: String,
        done: String,
        status: Option<CallStatus>,
        facts: String,
    },
}

impl Agent {
    fn new(info: AgentInfo, now: Millis) -> Agent {
        Agent {
            id: info.id,
            kind: clean::line(&info.kind),
            task: clean::line(&info.task),
            model: clean::line(&info.model),
            state: info.state,
            call: info.call,
            background: info.background,
            worktree: info.worktree.as_deref().map(clean::line),
            since: now,
            ended: None,
            tokens: 0,
            cost: Money::ZERO,
            unpriced: 0,
            asks: false,
            log: VecDeque::new(),
        }
    }

    pub fn is_running(&self) -> bool {
        self.state == AgentState::Running
    }

    /// Its last action, in a few words.
    pub fn last(&self) -> String {
        if self.asks {
            return "waits for your answer".to_owned();
        }
        match self.log.back() {
            None => "has begun".to_owned(),
            Some(line) => line.short(),
        }
    }

    /// The newest lines, for the entry in the transcript.
    fn newest(&self) -> String {
        let from = self.log.len().saturating_sub(SHOWN);
        let mut lines: Vec<String> = self.log.range(from..).map(Line::short).collect();
        if self.asks {
            lines.push(self.last());
        }
        lines.join("\n")
    }

    fn push(&mut self, line: Line) {
        if self.log.len() == LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    fn say(&mut self, message: MessageId, piece: &str) {
        let piece = clean::prose(piece);
        match self.log.back_mut() {
            Some(Line::Said { message: open, text }) if *open == message => {
                text.push_str(&piece);
                if text.len() > 2 * SAID {
                    text.replace_range(..text.ceil_char_boundary(text.len() - SAID), "\u{2026}");
                }
            }
            _ => self.push(Line::Said { message, text: piece }),
        }
    }

    fn spend(&mut self, spend: &Spend) {
        self.tokens += spend.usage.context();
        match spend.cost {
            Some(cost) => self.cost += cost,
            None => self.unpriced += 1,
        }
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::TextAdded { message, text } => self.say(message.clone(), text),
            Event::CallQueued { call, tool, title, .. } => {
                let title = clean::title(title);
                let words = |verb: &str| {
                    let verb = if verb.is_empty() { tool } else { verb };
                    clean::line(&format!("{verb} {}", title.object))
                };
                self.push(Line::Did {
                    call: call.clone(),
                    doing: words(&title.doing),
                    done: words(&title.done),
                    status: None,
                    facts: String::new(),
                });
            }
            Event::CallEnded { call, result } => {
                let line = self.log.iter_mut().rev().find_map(|line| match line {
                    Line::Did { call: known, status, facts, .. } if known == call => {
                        Some((status, facts))
                    }
                    _ => None,
                });
                if let Some((status, facts)) = line {
                    *status = Some(result.status);
                    *facts = clean::line(&result.facts);
                }
            }
            Event::PermissionAsked { .. } => self.asks = true,
            Event::PermissionClosed { .. } => self.asks = false,
            Event::UsageAdded { spend, .. } => self.spend(spend),
            _ => {}
        }
    }
}

impl Line {
    /// On one line: the last line of a text that is whole, so that it does not flicker while the
    /// next one comes, or the action.
    pub fn short(&self) -> String {
        match self {
            Line::Said { text, .. } => {
                let whole = text.rfind('\n').map_or("", |end| &text[..end]);
                let last = |text: &str| {
                    text.lines()
                        .rev()
                        .map(str::trim)
                        .find(|line| !line.is_empty())
                        .map(str::to_owned)
                };
                last(whole).or_else(|| last(text)).unwrap_or_default()
            }
            Line::Did { doing, status: None, .. } => doing.clone(),
            Line::Did { done, facts, .. } if facts.is_empty() => done.clone(),
            Line::Did { done, facts, .. } => format!("{done}  {facts}"),
        }
    }
}

/// An agent has begun, or is over.
pub fn changed(model: &mut Model, info: AgentInfo) {
    let now = model.now;
    match model.agents.iter_mut().find(|agent| agent.id == info.id) {
        Some(agent) => {
            agent.state = info.state;
            agent.background = info.background;
            agent.model = clean::line(&info.model);
            if !agent.is_running() {
                agent.asks = false;
                agent.ended.get_or_insert(now);
            }
        }
        None => model.agents.push(Agent::new(info, now)),
    }
}

/// Something happened within an agent.
pub fn add(model: &mut Model, id: &AgentId, event: &Event) {
    if let Some(agent) = model.agents.iter_mut().find(|agent| agent.id == *id) {
        agent.add(event);
        let newest = agent.newest();
        // Its line in the transcript says what it does now, as a running command's does.
        model.transcript.change_call(&agent.call, |call| call.output.replace(&newest));
    }
}

/// What an agent is called where a question names it.
pub fn name(model: &Model, id: &AgentId) -> String {
    let agent = model.agents.iter().find(|agent| agent.id == *id);
    agent.map_or_else(|| clean::line(&id.0), |agent| format!("{} ({})", agent.kind, agent.task))
}

pub fn running(model: &Model) -> usize {
    model.agents.iter().filter(|agent| agent.is_running()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_last_words_are_kept() {
        let info = AgentInfo {
            id: AgentId("a".into()),
            kind: "general".into(),
            task: "talk".into(),
            model: "m".into(),
            state: AgentState::Running,
            call: CallId("c".into()),
            background: false,
            parent: None,
            worktree: None,
        };
        let mut agent = Agent::new(info, Millis(0));
        let message = MessageId("m".into());
        let pieces = |n: usize| format!("\u{e9} line {n}\n");
        for n in 0..10_000 {
            agent.add(&Event::TextAdded { message: message.clone(), text: pieces(n) });
            assert_eq!(agent.newest().lines().last().unwrap(), format!("\u{e9} line {n}"));
        }
        let [Line::Said { text, .. }] = agent.log.make_contiguous() else { panic!("one text") };
        assert!(text.starts_with('\u{2026}') && text.len() <= 2 * SAID + 16, "{}", text.len());
    }
}
