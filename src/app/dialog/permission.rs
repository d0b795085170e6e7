//! The permission dialog: what would happen, in full, and the answers to it.

use crate::app::clean;
use crate::app::edit::{Editor, Lines};
use crate::app::effect::Effect;
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::protocol::{Command, Decision, Hunk, Preview, Request, Scope};
use crate::text::Piece;
use crate::text::clean::Mark;

#[derive(Debug, Clone)]
pub struct Permission {
    pub request: Request,
    /// The sub-agent that asks, as it is called.
    pub agent: Option<String>,
    /// The command, address or input, with whatever is odd in it spelled out.
    pub judged: Vec<Piece<Mark>>,
    /// One for each hunk of an edit: whether it is applied.
    pub kept: Vec<bool>,
    /// The hunk that *keep* and *drop* mean.
    pub hunk: usize,
    /// First row of the content that is shown.
    pub scroll: usize,
    /// Move the content so that the hunk is shown; set by hunk moves, cleared by scrolling.
    pub show_hunk: bool,
    pub why: bool,
    pub stage: Stage,
}

#[derive(Debug, Clone)]
pub enum Stage {
    Choose,
    Always(RuleForm),
    /// Deny, with a message to the model.
    Deny(Box<Editor>),
}

/// The rules that *always* would save, to be changed before they are.
#[derive(Debug, Clone)]
pub struct RuleForm {
    pub rules: Vec<(bool, Editor)>,
    pub at: usize,
    pub scope: Scope,
    pub problem: Option<String>,
}

impl Permission {
    pub fn new(request: Request, agent: Option<String>) -> Permission {
        let request = clean::request(request);
        let judged = match &request.preview {
            Preview::Command { command: text, .. }
            | Preview::Url { url: text }
            | Preview::Other { text } => clean::judged(text),
            Preview::Edit { .. } => Vec::new(),
        };
        let kept = vec![true; hunks(&request.preview).len()];
        Permission {
            request,
            agent,
            judged,
            kept,
            hunk: 0,
            scroll: 0,
            show_hunk: false,
            why: false,
            stage: Stage::Choose,
        }
    }

    pub fn hunks(&self) -> &[Hunk] {
        hunks(&self.request.preview)
    }
}

fn hunks(preview: &Preview) -> &[Hunk] {
    match preview {
        Preview::Edit { hunks, .. } => hunks,
        Preview::Command { .. } | Preview::Url { .. } | Preview::Other { .. } => &[],
    }
}

pub fn allow_once(model: &mut Model) -> Vec<Effect> {
    let Some(dialog) = model.dialogs.front() else { return Vec::new() };
    let kept: Vec<usize> = (0..dialog.kept.len()).filter(|hunk| dialog.kept[*hunk]).collect();
    let decision = if kept.len() == dialog.kept.len() {
        Decision::Once
    } else if kept.is_empty() {
        Decision::Deny { message: Some("every hunk of the edit was dropped".to_owned()) }
    } else {
        Decision::Hunks { kept }
    };
    answer(model, decision)
}

pub fn allow_session(model: &mut Model) -> Vec<Effect> {
    let Some(dialog) = model.dialogs.front() else { return Vec::new() };
    let rules = proposed(&dialog.request);
    if rules.is_empty() {
        model.say("no rule would cover this: it can be allowed once only");
        return Vec::new();
    }
    answer(model, Decision::Rules { rules, scope: Scope::Session })
}

/// Opens the rules for a last look; nothing is saved yet.
pub fn allow_always(model: &mut Model) {
    let Some(dialog) = model.dialogs.front_mut() else { return };
    let proposed = proposed(&dialog.request);
    if proposed.is_empty() {
        model.say("no rule would cover this: it can be allowed once only");
        return;
    }
    let field = |rule: &String| (true, Editor::with(Lines::One, &clean::line(rule)));
    let rules = proposed.iter().map(field).collect();
    dialog.stage = Stage::Always(RuleForm { rules, at: 0, scope: Scope::Project, problem: None });
}

pub fn deny(model: &mut Model) -> Vec<Effect> {
    answer(model, Decision::Deny { message: None })
}

pub fn deny_with_message(model: &mut Model) {
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.stage = Stage::Deny(Box::new(Editor::new(Lines::One)));
    }
}

pub fn why(model: &mut Model) {
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.why = !dialog.why;
    }
}

/// Whether *why* is open.
pub fn explained(model: &Model) -> bool {
    model.dialogs.front().is_some_and(|dialog| dialog.why)
}

pub fn keep_hunk(model: &mut Model) {
    if let Some(dialog) = model.dialogs.front_mut()
        && let Some(kept) = dialog.kept.get_mut(dialog.hunk)
    {
        *kept = !*kept;
        dialog.show_hunk = true;
    }
}

pub fn step_hunk(model: &mut Model, down: bool) {
    if let Some(dialog) = model.dialogs.front_mut() {
        let last = dialog.kept.len().saturating_sub(1);
        dialog.hunk =
            if down { (dialog.hunk + 1).min(last) } else { dialog.hunk.saturating_sub(1) };
        dialog.show_hunk = true;
    }
}

pub fn scroll(model: &mut Model, rows: isize) {
    let inner = model.seen.inner;
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.scroll = inner.scrolled(dialog.scroll, rows);
        dialog.show_hunk = false;
    }
}

/// Enter in the rules or in the message.
pub fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(dialog) = model.dialogs.front_mut() else { return Vec::new() };
    match &mut dialog.stage {
        Stage::Choose => Vec::new(),
        Stage::Deny(field) => {
            let message = field.text().trim().to_owned();
            let message = (!message.is_empty()).then_some(message);
            answer(model, Decision::Deny { message })
        }
        Stage::Always(form) => {
            let used = form.rules.iter().filter(|(used, _)| *used);
            let rules: Vec<String> =
                used.map(|(_, field)| field.text().trim().to_owned()).collect();
            if rules.is_empty() || rules.iter().any(String::is_empty) {
                form.problem = Some("there must be a rule to save".to_owned());
                return Vec::new();
            }
            let scope = form.scope;
            answer(model, Decision::Rules { rules, scope })
        }
    }
}

/// Back from the rules or the message to the question.
pub fn back(model: &mut Model) {
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.stage = Stage::Choose;
    }
}

pub fn next_scope(model: &mut Model) {
    if let Some(form) = form(model) {
        form.scope = match form.scope {
            Scope::Project => Scope::User,
            Scope::User => Scope::Session,
            Scope::Session => Scope::Project,
        };
    }
}

pub fn step_rule(model: &mut Model, down: bool) {
    if let Some(form) = form(model) {
        let last = form.rules.len().saturating_sub(1);
        form.at = if down { (form.at + 1).min(last) } else { form.at.saturating_sub(1) };
    }
}

pub fn pick_rule(model: &mut Model) {
    if let Some(form) = form(model)
        && let Some((used, _)) = form.rules.get_mut(form.at)
    {
        *used = !*used;
        form.problem = None;
    }
}

/// The text that is being edited in the dialog.
pub fn field(model: &mut Model) -> Option<&mut Editor> {
    match &mut model.dialogs.front_mut()?.stage {
        Stage::Choose => None,
        Stage::Deny(field) => Some(field),
        Stage::Always(form) => form.rules.get_mut(form.at).map(|(_, field)| field),
    }
}

pub fn edit(model: &mut Model, edit: Edit) {
    if let Some(field) = field(model) {
        field.edit(edit);
    }
}

fn form(model: &mut Model) -> Option<&mut RuleForm> {
    match &mut model.dialogs.front_mut()?.stage {
        Stage::Always(form) => Some(form),
        Stage::Choose | Stage::Deny(_) => None,
    }
}

/// The rules that together would have made the question unnecessary.
fn proposed(request: &Request) -> Vec<String> {
    request.suggestions.iter().map(|rule| rule.rule.clone()).collect()
}

fn answer(model: &mut Model, decision: Decision) -> Vec<Effect> {
    match model.dialogs.answered(model.now) {
        Some(dialog) => {
            vec![Effect::Send(Command::Answer { request: dialog.request.id, decision })]
        }
        None => Vec::new(),
    }
}
