//! The dialog about trust in the folder: everything that would count, each with its place, before
//! there is a key that says yes to it.
//!
//! It opens on the letter `t` of an empty prompt, which may as well be the first letter of a
//! sentence: what follows at once shows which, and then both go to the prompt.

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::msg::Millis;
use crate::protocol::{Command, Trust, TrustState};

/// It takes no key for this long: nobody answers what they have not seen.
const GUARD: u64 = 250;
/// A letter without a meaning here, this soon after `t`, was meant for the prompt.
const SENTENCE: u64 = 1_000;

#[derive(Debug, Clone, PartialEq)]
pub struct TrustDialog {
    pub trust: Trust,
    /// First row of the content that is shown.
    pub scroll: usize,
    opened: Millis,
    by_letter: bool,
}

impl TrustDialog {
    /// Whether it takes keys now.
    pub fn armed(&self, now: Millis) -> bool {
        now.since(self.opened) >= GUARD
    }

    /// When it will; `None`: it does already.
    pub fn arms_at(&self, now: Millis) -> Option<Millis> {
        (!self.armed(now)).then_some(self.opened.plus(GUARD))
    }
}

/// Something in the folder waits for trust.
pub fn needed(model: &mut Model, trust: Trust) {
    model.trust = Some(clean::trust(trust));
}

/// What was asked for with `/trust`.
pub fn shown(model: &mut Model, trust: Trust) {
    let trust = clean::trust(trust);
    model.trust = trust.state.waits().then(|| trust.clone());
    match trust.state {
        TrustState::Nothing => {
            model.trusting = None;
            model.say("nothing in this folder needs trust");
        }
        TrustState::Trusted | TrustState::ThisRun | TrustState::Changed | TrustState::Untrusted => {
            open(model, trust, false);
        }
    }
}

/// Trust was given or taken.
pub fn set(model: &mut Model, trusted: bool) {
    model.trust = None;
    model.trusting = None;
    model.say(match trusted {
        true => "this folder is trusted: what it brings counts from now on",
        false => "this folder is not trusted: what it brings no longer counts",
    });
}

/// The letter on an empty prompt. False: there is nothing to open.
pub fn by_letter(model: &mut Model) -> bool {
    let Some(trust) = model.trust.clone() else { return false };
    open(model, trust, true);
    true
}

/// A letter that no key of the dialog takes. True: it went to the prompt, with the first one.
pub fn sentence(model: &mut Model) -> bool {
    let now = model.now;
    let meant = |dialog: &TrustDialog| dialog.by_letter && now.since(dialog.opened) < SENTENCE;
    let sentence = model.trusting.as_ref().is_some_and(meant);
    if sentence {
        model.trusting = None;
        model.prompt.insert("t");
    }
    sentence
}

pub fn give(model: &mut Model) -> Vec<Effect> {
    let waits = |dialog: &&TrustDialog| dialog.trust.state.waits();
    let Some(dialog) = model.trusting.as_ref().filter(waits) else { return Vec::new() };
    let seen = dialog.trust.seen.clone();
    model.trusting = None;
    vec![Effect::Send(Command::Trust { seen })]
}

pub fn take(model: &mut Model) -> Vec<Effect> {
    let counts = |dialog: &&TrustDialog| !dialog.trust.state.waits();
    if model.trusting.as_ref().filter(counts).is_none() {
        return Vec::new();
    }
    model.trusting = None;
    vec![Effect::Send(Command::Distrust)]
}

pub fn close(model: &mut Model) {
    if let Some(dialog) = model.trusting.take()
        && dialog.trust.state.waits()
    {
        model.say("not trusted: nothing of it counts; /trust shows it again");
    }
}

pub fn scroll(model: &mut Model, rows: isize) {
    let inner = model.seen.inner;
    if let Some(dialog) = &mut model.trusting {
        dialog.scroll = inner.scrolled(dialog.scroll, rows);
    }
}

fn open(model: &mut Model, trust: Trust, by_letter: bool) {
    model.pending.clear();
    model.complete = None;
    model.trusting = Some(TrustDialog { trust, scroll: 0, opened: model.now, by_letter });
}
