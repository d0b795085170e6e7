//! The dialogs of the model's questions: a choice among answers, and a plan to be approved.

use crate::app::clean;
use crate::app::dialog::{GUARD, GUARD_TYPING};
use crate::app::edit::{Editor, Lines};
use crate::app::effect::Effect;
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::app::msg::Millis;
use crate::protocol::{About, Choice, Choosable, Chosen, Command, Inquiry, Mode, Reply, RequestId};

#[derive(Debug, Clone)]
pub struct Asked {
    pub id: RequestId,
    pub form: Form,
    /// First row of the content that is shown.
    pub scroll: usize,
    /// Counts changes of what is shown.
    pub revision: usize,
    armed_at: Millis,
}

#[derive(Debug, Clone)]
pub enum Form {
    Choices(Choices),
    Plan(Plan),
}

#[derive(Debug, Clone)]
pub struct Choices {
    pub questions: Vec<Choice>,
    /// The answers as the model wrote them: what goes back.
    labels: Vec<Vec<String>>,
    /// One for each question.
    pub drafts: Vec<Draft>,
    /// The question that is shown.
    pub at: usize,
}

/// What has been chosen so far.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The row that the keys mean; the last is for the person's own words.
    pub row: usize,
    pub picked: Vec<bool>,
    pub own: Editor,
}

#[derive(Debug, Clone)]
pub struct Plan {
    /// Safe to draw.
    pub text: String,
    /// As it is sent back, where the person has changed it.
    pub changed: Option<String>,
    /// As it came, for the editor.
    original: String,
    /// Why not, while it is being written.
    pub message: Option<Box<Editor>>,
}

pub fn ask(model: &mut Model, inquiry: Inquiry) {
    model.pending.clear();
    let typing = model.typed.is_some_and(|typed| model.now.since(typed) < 1_000);
    let armed_at = model.now.plus(if typing { GUARD_TYPING } else { GUARD });
    let form = match inquiry.about {
        About::Plan { plan } => Form::Plan(Plan {
            text: clean::prose(&plan),
            changed: None,
            original: plan,
            message: None,
        }),
        About::Choices { questions } => Form::Choices(choices(questions)),
    };
    model.asked.push_back(Asked { id: inquiry.id, form, scroll: 0, revision: 0, armed_at });
}

fn choices(questions: Vec<Choice>) -> Choices {
    let labels = questions
        .iter()
        .map(|question| question.options.iter().map(|option| option.label.clone()).collect())
        .collect();
    let drafts = questions
        .iter()
        .map(|question| Draft {
            row: 0,
            picked: vec![false; question.options.len()],
            own: Editor::new(Lines::One),
        })
        .collect();
    let option = |it: Choosable| Choosable {
        label: clean::line(&it.label),
        description: clean::line(&it.description),
    };
    let questions = questions
        .into_iter()
        .map(|it| Choice {
            question: clean::prose(&it.question),
            header: clean::line(&it.header),
            options: it.options.into_iter().map(option).collect(),
            multi_select: it.multi_select,
        })
        .collect();
    Choices { questions, labels, drafts, at: 0 }
}

pub fn closed(model: &mut Model, id: RequestId) {
    model.asked.retain(|asked| asked.id != id);
}

impl Asked {
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

    /// Whether letters are text: in the row for the person's own words, in the message.
    pub fn writes(&self) -> bool {
        match &self.form {
            Form::Plan(plan) => plan.message.is_some(),
            Form::Choices(choices) => choices.draft().is_some_and(Draft::writes),
        }
    }
}

impl Choices {
    pub fn question(&self) -> Option<&Choice> {
        self.questions.get(self.at)
    }

    pub fn draft(&self) -> Option<&Draft> {
        self.drafts.get(self.at)
    }
}

impl Draft {
    pub fn writes(&self) -> bool {
        self.row == self.picked.len()
    }
}

fn front(model: &mut Model) -> Option<&mut Asked> {
    let asked = model.asked.front_mut()?;
    asked.revision += 1;
    Some(asked)
}

fn draft(model: &mut Model) -> Option<(&mut Draft, bool)> {
    let Form::Choices(choices) = &mut front(model)?.form else { return None };
    let several = choices.questions.get(choices.at)?.multi_select;
    Some((choices.drafts.get_mut(choices.at)?, several))
}

/// Up and down: the row of a choice, or the rows of a plan.
pub fn step(model: &mut Model, rows: isize) {
    if let Some((draft, _)) = draft(model) {
        draft.row = draft.row.saturating_add_signed(rows).min(draft.picked.len());
        return;
    }
    scroll(model, rows);
}

pub fn scroll(model: &mut Model, rows: isize) {
    let inner = model.seen.inner;
    if let Some(asked) = model.asked.front_mut() {
        asked.scroll = inner.scrolled(asked.scroll, rows);
    }
}

/// Space: takes the row or leaves it, where several may be taken.
pub fn pick(model: &mut Model) {
    if let Some((draft, several)) = draft(model)
        && several
        && let Some(picked) = draft.picked.get_mut(draft.row)
    {
        *picked = !*picked;
    }
}

/// A digit: the row of that number.
pub fn number(model: &mut Model, number: usize) -> Vec<Effect> {
    let Some((draft, several)) = draft(model) else { return Vec::new() };
    if number == 0 || number > draft.picked.len() + 1 {
        return Vec::new();
    }
    draft.row = number - 1;
    match (several, draft.writes()) {
        (_, true) => Vec::new(),
        (true, false) => {
            pick(model);
            Vec::new()
        }
        (false, false) => accept(model),
    }
}

/// Enter: answers the question that is shown and goes on to the next; the last one sends all.
pub fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(asked) = front(model) else { return Vec::new() };
    match &mut asked.form {
        Form::Plan(plan) => match &plan.message {
            Some(message) => {
                let message = message.text().trim().to_owned();
                let message = (!message.is_empty()).then_some(message);
                reply(model, Reply::Declined { message })
            }
            None => approve(model, Mode::Default),
        },
        Form::Choices(choices) => {
            let several = choices.question().is_some_and(|question| question.multi_select);
            let Some(draft) = choices.drafts.get_mut(choices.at) else { return Vec::new() };
            let any = draft.picked.contains(&true);
            let own = !draft.own.text().trim().is_empty();
            if draft.writes() && !own && !(several && any) {
                model.say("write an answer, or choose one above");
                return Vec::new();
            }
            if !draft.writes() && (!several || !(any || own)) {
                if !several {
                    draft.picked.fill(false);
                    draft.own.set("");
                }
                if let Some(picked) = draft.picked.get_mut(draft.row) {
                    *picked = true;
                }
            } else if draft.writes() && !several {
                draft.picked.fill(false);
            }
            if choices.at + 1 < choices.questions.len() {
                choices.at += 1;
                asked.scroll = 0;
                return Vec::new();
            }
            let answers = answers(choices);
            reply(model, Reply::Chosen { answers })
        }
    }
}

fn answers(choices: &Choices) -> Vec<Chosen> {
    let chosen = |(draft, labels): (&Draft, &Vec<String>)| Chosen {
        labels: labels
            .iter()
            .zip(&draft.picked)
            .filter(|(_, picked)| **picked)
            .map(|(label, _)| label.clone())
            .collect(),
        text: draft.own.text().trim().to_owned(),
    };
    choices.drafts.iter().zip(&choices.labels).map(chosen).collect()
}

/// The question before, or after; nothing is sent.
pub fn turn(model: &mut Model, on: bool) {
    if let Some(Asked { form: Form::Choices(choices), scroll, .. }) = front(model) {
        let last = choices.questions.len().saturating_sub(1);
        choices.at = if on { (choices.at + 1).min(last) } else { choices.at.saturating_sub(1) };
        *scroll = 0;
    }
}

pub fn approve(model: &mut Model, mode: Mode) -> Vec<Effect> {
    let Some(Asked { form: Form::Plan(plan), .. }) = model.asked.front() else {
        return Vec::new();
    };
    let plan = plan.changed.clone();
    reply(model, Reply::Approved { mode, plan })
}

/// Begins to say why not.
pub fn decline(model: &mut Model) {
    if let Some(Asked { form: Form::Plan(plan), .. }) = front(model) {
        plan.message = Some(Box::new(Editor::new(Lines::One)));
    }
}

/// The plan for the editor; `None`: there is none.
pub fn to_edit(model: &Model) -> Option<String> {
    match &model.asked.front()?.form {
        Form::Plan(plan) => Some(plan.changed.clone().unwrap_or_else(|| plan.original.clone())),
        Form::Choices(_) => None,
    }
}

/// Back from the editor; false where it was not for a plan.
pub fn edited(model: &mut Model, text: &str) -> bool {
    let Some(Asked { form: Form::Plan(plan), .. }) = front(model) else { return false };
    plan.text = clean::prose(text);
    let same = text.trim_end() == plan.original.trim_end();
    plan.changed = (!same).then(|| text.trim_end().to_owned());
    true
}

/// Esc: out of the message. False: there is nothing to go back from.
pub fn back(model: &mut Model) -> bool {
    match front(model) {
        Some(Asked { form: Form::Plan(plan), .. }) => plan.message.take().is_some(),
        _ => false,
    }
}

/// The text that is being written.
pub fn field(model: &mut Model) -> Option<&mut Editor> {
    match &mut front(model)?.form {
        Form::Plan(plan) => plan.message.as_deref_mut(),
        Form::Choices(choices) => {
            let draft = choices.drafts.get_mut(choices.at)?;
            draft.writes().then_some(&mut draft.own)
        }
    }
}

pub fn edit(model: &mut Model, edit: Edit) {
    if let Some(field) = field(model) {
        field.edit(edit);
    }
}

fn reply(model: &mut Model, reply: Reply) -> Vec<Effect> {
    match model.asked.pop_front() {
        Some(asked) => {
            if let Some(next) = model.asked.front_mut() {
                next.hold(model.now);
            }
            vec![Effect::Send(Command::Reply { request: asked.id, reply })]
        }
        None => Vec::new(),
    }
}
