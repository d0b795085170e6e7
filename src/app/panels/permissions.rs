//! The panel of permissions: the mode, the rules in force with the place of each, and what was
//! denied lately. Rules are added, changed and deleted here; a denied call can be asked about again.

use crate::app::dialog::meaning::{self, Meaning};
use crate::app::edit::{Editor, Lines};
use crate::app::effect::Effect;
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, open as open_panel};
use crate::app::submit;
use crate::protocol::{
    Command, DenialInfo, RuleBook, RuleChange, RuleInfo, Ruling, Scope, Sourced, rule_book,
};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Permissions {
    pub form: Option<Box<Form>>,
    /// Whether to delete this rule is asked.
    pub deleting: Option<(Ruling, Sourced<String>)>,
}

/// A rule that is being written.
#[derive(Debug, Clone)]
pub struct Form {
    pub ruling: Ruling,
    pub scope: Scope,
    pub field: Editor,
    /// The rule that it takes the place of, whose kind and place it keeps.
    pub old: Option<Sourced<String>>,
    pub meaning: Meaning,
}

/// An editor's text and cursor say whether two forms are the same.
impl PartialEq for Form {
    fn eq(&self, other: &Form) -> bool {
        let whole = |form: &Form| (form.ruling, form.scope, form.field.text(), form.old.clone());
        whole(self) == whole(other)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    Mode,
    Rule(&'a RuleInfo),
    Denial(&'a DenialInfo),
}

/// Opens the panel, or closes it; the rules come as the files have them then.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if state(model).is_some() {
        model.panel = None;
        return Vec::new();
    }
    open_panel(model, Kind::Permissions(Permissions::default()));
    vec![Effect::Send(Command::AskRules)]
}

pub fn shown(model: &mut Model, book: RuleBook) {
    model.rules = crate::app::clean::rule_book(book);
    let last = lines(model).len().saturating_sub(1);
    if let Some(panel) = &mut model.panel
        && matches!(panel.kind, Kind::Permissions(_))
    {
        panel.at = panel.at.min(last);
    }
}

/// A call was denied: the list is shown as it is now, where it is shown.
pub fn denied(model: &mut Model) -> Vec<Effect> {
    match state(model) {
        Some(_) => vec![Effect::Send(Command::AskRules)],
        None => Vec::new(),
    }
}

pub fn lines(model: &Model) -> Vec<Line<'_>> {
    let query = model.panel.as_ref().map(Panel::query).unwrap_or_default().to_lowercase();
    let fits = |texts: &[&str]| texts.iter().any(|text| text.to_lowercase().contains(&query));
    let book = &model.rules;
    let rules = book.rules.iter().filter(|info| fits(&[&info.rule.value]));
    let denials = book.denials.iter().filter(|one| fits(&[&one.tool, &one.what]));
    let mode = query.is_empty().then_some(Line::Mode);
    mode.into_iter().chain(rules.map(Line::Rule)).chain(denials.map(Line::Denial)).collect()
}

/// Enter: what the chosen line is for.
pub fn enter(model: &mut Model) -> Vec<Effect> {
    match chosen(model) {
        Some(Line::Mode) => submit::cycle_mode(model),
        Some(Line::Rule(_)) => edit_rule(model),
        Some(Line::Denial(_)) => again(model),
        None => Vec::new(),
    }
}

/// Opens an empty form, of the kind of the chosen rule.
pub fn add(model: &mut Model) {
    let ruling = match chosen(model) {
        Some(Line::Rule(info)) => info.ruling,
        Some(Line::Mode | Line::Denial(_)) | None => Ruling::Allow,
    };
    write(
        model,
        Form {
            ruling,
            scope: Scope::Project,
            field: Editor::new(Lines::One),
            old: None,
            meaning: Meaning::default(),
        },
    );
}

/// A rule of a file that tern only reads opens in the person's editor, at its line.
pub fn edit_rule(model: &mut Model) -> Vec<Effect> {
    let Some(Line::Rule(info)) = chosen(model) else {
        model.say("choose a rule first");
        return Vec::new();
    };
    let info = info.clone();
    match (rule_book::fixed(&info.rule), &info.rule.file) {
        (None, _) => write(
            model,
            Form {
                ruling: info.ruling,
                scope: Scope::Session,
                field: Editor::with(Lines::One, &info.rule.value),
                old: Some(info.rule),
                meaning: Meaning::default(),
            },
        ),
        (Some(_), Some(file)) => {
            let line = info.rule.line.unwrap_or(1) as usize;
            return vec![Effect::OpenFile { path: file.display().to_string(), line }];
        }
        (Some(why), None) => model.say(why),
    }
    Vec::new()
}

/// Asks first.
pub fn delete(model: &mut Model) {
    let Some(Line::Rule(info)) = chosen(model) else {
        return model.say("choose a rule first");
    };
    let (ruling, rule) = (info.ruling, info.rule.clone());
    match rule_book::fixed(&rule) {
        Some(why) => model.say(why),
        None => {
            if let Some(state) = state(model) {
                state.deleting = Some((ruling, rule));
            }
        }
    }
}

/// Yes to what is asked.
pub fn yes(model: &mut Model) -> Vec<Effect> {
    let asked = state(model).and_then(|state| state.deleting.take());
    asked.map_or_else(Vec::new, |(ruling, old)| changed(RuleChange::Remove { ruling, old }))
}

/// Out of the question or the form. True where there was one.
pub fn back(model: &mut Model) -> bool {
    let Some(state) = state(model) else { return false };
    state.deleting.take().is_some() || state.form.take().is_some()
}

/// Has the model make a denied call once more, and the person asked about it.
pub fn again(model: &mut Model) -> Vec<Effect> {
    let Some(Line::Denial(denial)) = chosen(model) else {
        model.say("choose what was denied first");
        return Vec::new();
    };
    if denial.firm {
        let text = format!("it would be denied again: {}", denial.because);
        model.say(&text);
        return Vec::new();
    }
    let denial = denial.clone();
    let text = format!(
        "Make the call of {} that was denied once more, exactly as it was: {}\nI will be asked about it now.",
        denial.tool, denial.what
    );
    model.panel = None;
    let mut effects = vec![Effect::Send(Command::AskAgain { call: denial.call })];
    effects.extend(submit::send(model, &text));
    effects
}

/// Enter in the form.
pub fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(form) = form(model) else { return Vec::new() };
    let rule = form.field.text().trim().to_owned();
    if rule.is_empty() {
        form.meaning.problem = Some("there must be a rule".to_owned());
    }
    if form.meaning.problem.is_some() {
        return Vec::new();
    }
    let (ruling, scope) = (form.ruling, form.scope);
    let change = match form.old.take() {
        Some(old) => RuleChange::Replace { ruling, old, rule },
        None => RuleChange::Add { ruling, rule, scope },
    };
    back(model);
    changed(change)
}

pub fn next_scope(model: &mut Model) {
    if let Some(form) = form(model).filter(|form| form.old.is_none()) {
        form.scope = form.scope.next();
    }
}

pub fn next_ruling(model: &mut Model) {
    if let Some(form) = form(model).filter(|form| form.old.is_none()) {
        form.ruling = match form.ruling {
            Ruling::Allow => Ruling::Ask,
            Ruling::Ask => Ruling::Deny,
            Ruling::Deny => Ruling::Allow,
        };
        weigh(model);
    }
}

pub fn edit(model: &mut Model, edit: Edit) {
    if let Some(form) = form(model) {
        form.field.edit(edit);
        weigh(model);
    }
}

pub fn insert(model: &mut Model, text: &str) {
    if let Some(form) = form(model) {
        form.field.insert(text);
        weigh(model);
    }
}

/// A form is open.
pub fn writes(panel: Option<&Panel>) -> bool {
    matches!(panel.map(|panel| &panel.kind), Some(Kind::Permissions(state)) if state.form.is_some())
}

pub fn is_asked(panel: Option<&Panel>) -> bool {
    matches!(panel.map(|panel| &panel.kind), Some(Kind::Permissions(state)) if state.deleting.is_some())
}

fn write(model: &mut Model, form: Form) {
    if let Some(state) = state(model) {
        state.form = Some(Box::new(form));
    }
    weigh(model);
}

/// What the rule means as it stands in the form.
fn weigh(model: &mut Model) {
    let Some(open) = form(model) else { return };
    let (ruling, text) = (open.ruling, open.field.text().trim().to_owned());
    let meaning = match text.is_empty() {
        true => Meaning::default(),
        false => meaning::alone(model, ruling, &text),
    };
    if let Some(form) = form(model) {
        form.meaning = meaning;
    }
}

fn changed(change: RuleChange) -> Vec<Effect> {
    vec![Effect::Send(Command::ChangeRule { change })]
}

fn chosen(model: &Model) -> Option<Line<'_>> {
    let at = model.panel.as_ref()?.at;
    lines(model).into_iter().nth(at)
}

fn form(model: &mut Model) -> Option<&mut Form> {
    state(model)?.form.as_deref_mut()
}

fn state(model: &mut Model) -> Option<&mut Permissions> {
    match model.panel.as_mut().map(|panel| &mut panel.kind) {
        Some(Kind::Permissions(state)) => Some(state),
        _ => None,
    }
}
