//! The board: every sub-agent of the session, what it does and what it has cost; one is chosen and
//! can be read, told something, or stopped.

use crate::app::agents::Agent;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::protocol::{AgentId, Command};

/// The agents that the filter leaves, the newest first.
pub fn lines(model: &Model) -> Vec<&Agent> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default().to_lowercase();
    let fits = |agent: &&Agent| {
        agent.task.to_lowercase().contains(&query) || agent.kind.to_lowercase().contains(&query)
    };
    model.agents.iter().rev().filter(fits).collect()
}

fn chosen(model: &Model) -> Option<&Agent> {
    let at = model.panel.as_ref()?.at;
    lines(model).get(at).copied()
}

pub fn stop(model: &mut Model) -> Vec<Effect> {
    match chosen(model).map(|agent| (agent.is_running(), agent.id.clone())) {
        Some((true, agent)) => vec![Effect::Send(Command::StopAgent { agent })],
        Some((false, _)) => {
            model.say("this agent is not running any more");
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Leaves the board for the prompt, where what is said to the agent is written.
pub fn tell(model: &mut Model) {
    let Some(agent) = chosen(model).filter(|agent| agent.is_running()) else {
        return model.say("this agent is not running any more");
    };
    let text = format!("/tell {} ", agent.id.0);
    model.panel = None;
    model.prompt.clear();
    model.prompt.insert(&text);
}

/// `/tell a1 use the other parser`
pub fn tell_text(model: &mut Model, text: &str) -> Vec<Effect> {
    let (name, text) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let running = model.agents.iter().find(|agent| agent.id.0 == name && agent.is_running());
    let Some(agent) = running.map(|agent| agent.id.clone()) else {
        let names: Vec<&str> =
            model.agents.iter().filter(|a| a.is_running()).map(|a| a.id.0.as_str()).collect();
        let names = if names.is_empty() { "none runs".to_owned() } else { names.join(", ") };
        model.say(&format!("no agent {name} is running: {names}"));
        return Vec::new();
    };
    if text.trim().is_empty() {
        model.say("say what: /tell AGENT TEXT");
        return Vec::new();
    }
    send(agent, text.trim())
}

fn send(agent: AgentId, text: &str) -> Vec<Effect> {
    vec![Effect::Send(Command::SteerAgent { agent, text: text.to_owned() })]
}
