//! The dialog that shows what a step back would do, before it is done.

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::msg::Millis;
use crate::protocol::{Command, FileStep, Rewind, RewindScope, StepConflict};

/// The question takes no key for this long, and for this long after each key that was typed for
/// something else.
const GUARD: u64 = 250;

#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    pub rewind: Rewind,
    /// One for each file: whether it is touched.
    pub chosen: Vec<bool>,
    /// The file that the keys mean.
    pub file: usize,
    /// First row of the content that is shown.
    pub scroll: usize,
    /// Move the content so that the file is shown; cleared by scrolling.
    pub show_file: bool,
    armed_at: Millis,
}

impl Confirm {
    pub fn new(rewind: Rewind, now: Millis) -> Confirm {
        let chosen = rewind.files.iter().map(|file| file.conflict.is_none()).collect();
        let armed_at = now.plus(GUARD);
        Confirm { rewind, chosen, file: 0, scroll: 0, show_file: false, armed_at }
    }

    /// Whether it takes keys now.
    pub fn armed(&self, now: Millis) -> bool {
        now >= self.armed_at
    }

    /// When it will; `None`: it does already.
    pub fn arms_at(&self, now: Millis) -> Option<Millis> {
        (!self.armed(now)).then_some(self.armed_at)
    }

    /// A key came that was meant for something else.
    pub fn hold(&mut self, now: Millis) {
        self.armed_at = self.armed_at.max(now.plus(GUARD));
    }

    /// The files that would be touched.
    pub fn touched(&self) -> impl Iterator<Item = &FileStep> {
        self.rewind.files.iter().zip(&self.chosen).filter(|(_, chosen)| **chosen).map(|(f, _)| f)
    }
}

pub fn ask(model: &mut Model, rewind: Rewind) {
    model.pending.clear();
    model.confirm = Some(Confirm::new(clean::rewind(rewind), model.now));
}

/// Yes to what is shown.
pub fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(confirm) = model.confirm.take() else { return Vec::new() };
    if confirm.touched().next().is_none() && !confirm.rewind.scope.conversation() {
        model.say("no file was chosen: nothing was changed");
        return Vec::new();
    }
    let files = confirm.rewind.files.iter().zip(&confirm.chosen).enumerate();
    let also = files.filter(|(_, (file, chosen))| **chosen && file.conflict.is_some());
    let also = also.map(|(at, _)| at).collect();
    vec![Effect::Send(Command::ConfirmRewind { request: confirm.rewind.request, also })]
}

pub fn cancel(model: &mut Model) {
    if model.confirm.take().is_some() {
        model.say("nothing was changed");
    }
}

/// Asks for the same step over something else.
pub fn next_scope(model: &mut Model) -> Vec<Effect> {
    let Some(rewind) = model.confirm.as_ref().map(|confirm| &confirm.rewind) else {
        return Vec::new();
    };
    let Some(to) = rewind.to.clone() else { return Vec::new() };
    let scope = match rewind.scope {
        RewindScope::Both => RewindScope::Conversation,
        RewindScope::Conversation => RewindScope::Files,
        RewindScope::Files => RewindScope::Both,
    };
    vec![Effect::Send(Command::Rewind { to, scope })]
}

pub fn step_file(model: &mut Model, down: bool) {
    if let Some(confirm) = &mut model.confirm {
        let last = confirm.chosen.len().saturating_sub(1);
        confirm.file =
            if down { (confirm.file + 1).min(last) } else { confirm.file.saturating_sub(1) };
        confirm.show_file = true;
    }
}

/// Takes along a file that someone else has changed, or leaves it alone again. The others belong
/// to the step.
pub fn pick(model: &mut Model) {
    let Some(confirm) = &mut model.confirm else { return };
    let Some(file) = confirm.rewind.files.get(confirm.file) else { return };
    let why = match file.conflict {
        Some(StepConflict::ChangedSince) => {
            confirm.chosen[confirm.file] = !confirm.chosen[confirm.file];
            confirm.show_file = true;
            return;
        }
        Some(StepConflict::Impossible { .. }) => "this file cannot be put back",
        None => "only a file that someone else has changed can be chosen or left",
    };
    model.say(why);
}

pub fn scroll(model: &mut Model, rows: isize) {
    let inner = model.seen.inner;
    if let Some(confirm) = &mut model.confirm {
        confirm.scroll = inner.scrolled(confirm.scroll, rows);
        confirm.show_file = false;
    }
}
