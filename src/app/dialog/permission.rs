//! The permission dialog: what would happen, in full, and the answers to it.

use std::collections::BTreeMap;

use crate::app::clean;
use crate::app::dialog::meaning::{self, Meaning};
use crate::app::edit::{Editor, Lines};
use crate::app::effect::Effect;
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::diff;
use crate::protocol::{ChangedHunk, Command, Decision, Hunk, LineKind, Preview, Request, Scope};
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
    /// The dialog takes the whole screen.
    pub full: bool,
    pub stage: Stage,
    /// The lines of each hunk as they are and as they would be, by their very characters.
    sides: Vec<(String, String)>,
    /// What hunks become instead, by their number.
    pub changed: BTreeMap<usize, String>,
    /// The hunk whose text is in the person's editor.
    editing: Option<usize>,
}

#[derive(Debug, Clone)]
pub enum Stage {
    Choose,
    Always(RuleForm),
    /// Deny, with a message to the model.
    Deny(Box<Editor>),
    /// The command, while it is being changed.
    Change(Box<Editor>),
}

/// The rules that *always* would save, to be changed before they are.
#[derive(Debug, Clone)]
pub struct RuleForm {
    pub rules: Vec<(bool, Editor)>,
    pub at: usize,
    pub scope: Scope,
    pub problem: Option<String>,
    pub meaning: Meaning,
}

impl Stage {
    pub fn form_mut(&mut self) -> Option<&mut RuleForm> {
        match self {
            Stage::Always(form) => Some(form),
            Stage::Choose | Stage::Deny(_) | Stage::Change(_) => None,
        }
    }
}

impl Permission {
    pub fn new(request: Request, agent: Option<String>) -> Permission {
        let sides = hunks(&request.preview).iter().map(sides).collect();
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
            full: false,
            stage: Stage::Choose,
            sides,
            changed: BTreeMap::new(),
            editing: None,
        }
    }

    pub fn hunks(&self) -> &[Hunk] {
        hunks(&self.request.preview)
    }

    /// A hunk becomes something else, and is shown as that.
    fn become_text(&mut self, hunk: usize, text: &str) {
        let Some((old, proposed)) = self.sides.get(hunk) else { return };
        // Editors end a text with a line end; one that the file does not have at its end is theirs.
        let text = match text.strip_suffix('\n') {
            Some(without) if !proposed.is_empty() && !proposed.ends_with('\n') => without,
            _ => text,
        };
        match text == proposed {
            true => drop(self.changed.remove(&hunk)),
            false => drop(self.changed.insert(hunk, text.to_owned())),
        }
        let redrawn = diff::hunks(old, text, usize::MAX / 2);
        if let Preview::Edit { hunks, added, removed, .. } = &mut self.request.preview
            && let Some(shown) = hunks.get_mut(hunk)
        {
            let lines = redrawn.into_iter().flat_map(|hunk| hunk.lines).collect();
            let one = Hunk { lines, ..shown.clone() };
            *shown = one;
            (*added, *removed) = diff::counts(hunks);
        }
        if let Some(kept) = self.kept.get_mut(hunk) {
            *kept = true;
        }
        self.show_hunk = true;
    }
}

/// The lines of a hunk before and after, whole.
fn sides(hunk: &Hunk) -> (String, String) {
    let side = |without: LineKind| {
        let mut text = String::new();
        for line in hunk.lines.iter().filter(|line| line.kind != without) {
            text.push_str(&line.text);
            text.push_str(if line.no_newline { "" } else { "\n" });
        }
        text
    };
    (side(LineKind::Added), side(LineKind::Removed))
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
    let of = |(hunk, text): (&usize, &String)| ChangedHunk { hunk: *hunk, text: text.clone() };
    let changed: Vec<ChangedHunk> =
        dialog.changed.iter().filter(|(hunk, _)| kept.contains(hunk)).map(of).collect();
    let decision = if kept.len() == dialog.kept.len() && changed.is_empty() {
        Decision::Once
    } else if kept.is_empty() {
        Decision::Deny { message: Some("every hunk of the edit was dropped".to_owned()) }
    } else {
        Decision::Hunks { kept, changed }
    };
    answer(model, decision)
}

/// Once, with the network that the sandbox keeps from other commands.
pub fn allow_network(model: &mut Model) -> Vec<Effect> {
    if model.dialogs.front().is_some_and(|dialog| dialog.request.offers_network) {
        return answer(model, Decision::Network);
    }
    model.say("nothing keeps the network from this");
    Vec::new()
}

/// Opens what is asked about for a change: a command here, a hunk in the person's editor.
pub fn change(model: &mut Model) -> Vec<Effect> {
    let Some(dialog) = model.dialogs.front_mut() else { return Vec::new() };
    match &dialog.request.preview {
        Preview::Command { command, .. } => {
            // Whoever changes a text must be able to see all of it.
            if dialog.judged.iter().any(|piece| piece.style == Mark::Odd) {
                model.say("it holds characters that cannot be seen: deny it and say why");
                return Vec::new();
            }
            let field = Editor::with(Lines::Many, command);
            dialog.stage = Stage::Change(Box::new(field));
            Vec::new()
        }
        Preview::Edit { .. } => {
            let hunk = dialog.hunk;
            let Some((_, proposed)) = dialog.sides.get(hunk) else { return Vec::new() };
            let text = dialog.changed.get(&hunk).unwrap_or(proposed).clone();
            dialog.editing = Some(hunk);
            vec![Effect::OpenEditor(text)]
        }
        Preview::Url { .. } | Preview::Other { .. } => {
            model.say("only a command or an edit can be changed");
            Vec::new()
        }
    }
}

/// Back from the editor with the text of a hunk. False: nothing of this dialog was in it.
pub fn edited(model: &mut Model, text: &Result<String, String>) -> bool {
    let Some(dialog) = model.dialogs.front_mut() else { return false };
    let Some(hunk) = dialog.editing.take() else { return false };
    match text {
        Ok(text) => dialog.become_text(hunk, text),
        Err(problem) => model.say(&clean::line(problem)),
    }
    true
}

pub fn toggle_full(model: &mut Model) {
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.full = !dialog.full;
    }
}

/// Side by side, or one below the other.
pub fn toggle_style(model: &mut Model) {
    let split = crate::config::DiffStyle::Split;
    model.look.diff = match model.look.diff == split {
        true => crate::config::DiffStyle::Unified,
        false => split,
    };
}

pub fn newline(model: &mut Model) {
    if let Some(Stage::Change(field)) = model.dialogs.front_mut().map(|dialog| &mut dialog.stage) {
        field.insert("\n");
    }
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
    dialog.stage = Stage::Always(RuleForm {
        rules,
        at: 0,
        scope: Scope::Project,
        problem: None,
        meaning: Meaning::default(),
    });
    meaning::weigh(model);
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
        Stage::Change(field) => {
            let command = field.text();
            let same = matches!(&dialog.request.preview, Preview::Command { command: asked, .. } if *asked == command);
            if command.trim().is_empty() {
                model.say("there is no command: n denies it");
                return Vec::new();
            }
            answer(model, if same { Decision::Once } else { Decision::Command { command } })
        }
        Stage::Always(form) => {
            let used = form.rules.iter().filter(|(used, _)| *used);
            let rules: Vec<String> =
                used.map(|(_, field)| field.text().trim().to_owned()).collect();
            if rules.is_empty() || rules.iter().any(String::is_empty) {
                form.problem = Some("there must be a rule to save".to_owned());
                return Vec::new();
            }
            if form.meaning.problem.is_some() {
                form.problem = Some("a rule that is not in order is not kept".to_owned());
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
        form.scope = form.scope.next();
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
    meaning::weigh(model);
}

/// The text that is being edited in the dialog.
pub fn field(model: &mut Model) -> Option<&mut Editor> {
    match &mut model.dialogs.front_mut()?.stage {
        Stage::Choose => None,
        Stage::Deny(field) | Stage::Change(field) => Some(field),
        Stage::Always(form) => form.rules.get_mut(form.at).map(|(_, field)| field),
    }
}

pub fn edit(model: &mut Model, edit: Edit) {
    if let Some(field) = field(model) {
        field.edit(edit);
    }
    written(model);
}

pub fn insert(model: &mut Model, text: &str) {
    if let Some(field) = field(model) {
        field.insert(text);
    }
    written(model);
}

/// The text of a field has changed.
fn written(model: &mut Model) {
    if let Some(form) = form(model) {
        form.problem = None;
        meaning::weigh(model);
    }
}

fn form(model: &mut Model) -> Option<&mut RuleForm> {
    model.dialogs.front_mut()?.stage.form_mut()
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
