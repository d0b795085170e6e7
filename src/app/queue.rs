//! What was said while the model works and waits for its next step: listed above the prompt, taken
//! back, dropped, or sent at once.

use crate::app::clean;
use crate::app::complete;
use crate::app::effect::Effect;
use crate::app::model::{Model, Phase};
use crate::protocol::{Command, Queued};

pub fn changed(model: &mut Model, queued: Vec<Queued>) {
    let clean = |queued: Queued| Queued { text: clean::prose(&queued.text), ..queued };
    model.queue = queued.into_iter().map(clean).collect();
}

/// Takes one back into the prompt, before what stands there.
pub fn edit(model: &mut Model, at: usize) -> Vec<Effect> {
    if at >= model.queue.len() {
        return Vec::new();
    }
    let Queued { id, text } = model.queue.remove(at);
    put_back(model, &text);
    let mut effects = vec![Effect::Send(Command::Unqueue { id: Some(id) })];
    effects.extend(complete::refresh(model));
    effects
}

pub fn edit_last(model: &mut Model) -> Vec<Effect> {
    edit(model, model.queue.len().saturating_sub(1))
}

pub fn delete(model: &mut Model, at: usize) -> Vec<Effect> {
    if at >= model.queue.len() {
        return Vec::new();
    }
    let Queued { id, .. } = model.queue.remove(at);
    vec![Effect::Send(Command::Unqueue { id: Some(id) })]
}

pub fn delete_last(model: &mut Model) -> Vec<Effect> {
    delete(model, model.queue.len().saturating_sub(1))
}

/// Gives everything queued to the model now, and stops what it is doing.
pub fn send_now(model: &mut Model) -> Vec<Effect> {
    if model.queue.is_empty() {
        model.say("nothing is queued");
        return Vec::new();
    }
    let turn = model.working_turn().unwrap_or_default();
    let next = model.next_turn();
    model.set_phase(Phase::Stopping);
    vec![Effect::Send(Command::SendQueued { turn, next })]
}

/// The turn was stopped: what waited is neither lost nor sent without another word.
pub fn interrupted(model: &mut Model) -> Vec<Effect> {
    if model.queue.is_empty() {
        return Vec::new();
    }
    let texts: Vec<String> = model.queue.drain(..).map(|queued| queued.text).collect();
    put_back(model, &texts.join("\n\n"));
    model.say("what was queued is back in the prompt");
    vec![Effect::Send(Command::Unqueue { id: None })]
}

fn put_back(model: &mut Model, text: &str) {
    let draft = model.prompt.draft();
    let text = match draft.text.is_empty() {
        true => text.to_owned(),
        false => format!("{text}\n\n{}", draft.text),
    };
    model.prompt.restore(crate::app::prompt::Draft { text, ..draft });
}
