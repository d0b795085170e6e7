//! The dialogs of the model's questions: what they show within the common frame.

use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::dialog::inquiry::{Asked, Choices, Form};
use crate::app::keys::{Action, Context};
use crate::view::code::Colours;
use crate::view::entry::plain;
use crate::view::field;
use crate::view::markdown;
use crate::view::marks::Marks;
use crate::view::theme::Theme;

pub fn title(asked: &Asked) -> String {
    match &asked.form {
        Form::Plan(_) => "Plan".to_owned(),
        Form::Choices(choices) => match choices.question().map(|it| it.header.as_str()) {
            Some("") | None => "A question".to_owned(),
            Some(header) => header.to_owned(),
        },
    }
}

pub fn remark(asked: &Asked) -> String {
    match &asked.form {
        Form::Plan(plan) if plan.changed.is_some() => "changed by you".to_owned(),
        Form::Plan(_) => String::new(),
        Form::Choices(choices) if choices.questions.len() > 1 => {
            format!("{} of {}", choices.at + 1, choices.questions.len())
        }
        Form::Choices(_) => String::new(),
    }
}

pub fn keys(model: &Model, asked: &Asked) -> Vec<(String, &'static str)> {
    let key = |action| model.keymap.key(Context::Inquiry, action);
    let plan = |action| model.keymap.key(Context::Plan, action);
    let esc = model.keymap.key(Context::Global, Action::Back);
    match &asked.form {
        Form::Plan(it) if it.message.is_some() => {
            vec![(plan(Action::InquiryAccept), "tell the model"), (esc, "back")]
        }
        Form::Plan(_) => vec![
            (plan(Action::InquiryAccept), "approve"),
            (plan(Action::PlanAcceptEdits), "approve, accept edits"),
            (plan(Action::PlanEdit), "change"),
            (plan(Action::PlanDecline), "go on planning"),
            (esc, "stop"),
        ],
        Form::Choices(choices) => {
            let several = choices.question().is_some_and(|question| question.multi_select);
            let last = choices.at + 1 == choices.questions.len();
            let mut keys = vec![(key(Action::InquiryAccept), if last { "answer" } else { "next" })];
            if several {
                keys.push((key(Action::InquiryPick), "take or leave"));
            }
            keys.push(("↑↓".to_owned(), "choose"));
            keys.push((esc, "stop"));
            if choices.at > 0 {
                keys.push((key(Action::InquiryBefore), "question before"));
            }
            keys
        }
    }
}

pub fn body(
    asked: &Asked,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
    colours: &mut Colours,
) -> Vec<Line<'static>> {
    match &asked.form {
        Form::Plan(plan) => {
            let width = u16::try_from(columns).unwrap_or(u16::MAX);
            markdown::render(&plan.text, width, theme, colours)
        }
        Form::Choices(choices) => choose(choices, columns, theme, marks),
    }
}

fn choose(choices: &Choices, columns: usize, theme: &Theme, marks: &Marks) -> Vec<Line<'static>> {
    let (Some(question), Some(draft)) = (choices.question(), choices.draft()) else {
        return Vec::new();
    };
    let mut rows = plain(&question.question, columns, theme.strong);
    rows.push(Line::default());
    for (index, option) in question.options.iter().enumerate() {
        let here = draft.row == index;
        let picked = draft.picked.get(index) == Some(&true);
        let mark = match (question.multi_select, picked) {
            (true, true) => format!("{} ", marks.kept),
            (true, false) => format!("{} ", marks.dropped),
            (false, _) => String::new(),
        };
        let style = if here { theme.accent } else { theme.text };
        let head = format!("{}{}. {mark}", if here { "› " } else { "  " }, index + 1);
        let indent = crate::text::width(&head);
        let room = columns.saturating_sub(indent).max(1);
        let labels = plain(&option.label, room, style);
        for (at, row) in labels.into_iter().enumerate() {
            let head = if at == 0 { head.clone() } else { " ".repeat(indent) };
            let mut spans = vec![Span::styled(head, style)];
            spans.extend(row.spans);
            rows.push(Line::from(spans));
        }
        if !option.description.is_empty() {
            for row in plain(&option.description, room, theme.faint) {
                let mut spans = vec![Span::raw(" ".repeat(indent))];
                spans.extend(row.spans);
                rows.push(Line::from(spans));
            }
        }
    }
    rows
}

/// The row for the person's own words, and the cursor in it.
pub fn foot(
    asked: &Asked,
    columns: usize,
    theme: &Theme,
) -> (Vec<Line<'static>>, Option<(usize, usize)>) {
    match &asked.form {
        Form::Plan(plan) => match &plan.message {
            Some(message) => {
                let label = ("what is wrong with it: ", theme.faint);
                let (mut rows, (row, column)) = field::rows(label, message, theme.strong, columns);
                rows.insert(0, Line::default());
                (rows, Some((row + 1, column)))
            }
            None => (Vec::new(), None),
        },
        Form::Choices(choices) => {
            let Some(draft) = choices.draft() else { return (Vec::new(), None) };
            let here = draft.writes();
            let style = if here { theme.accent } else { theme.text };
            let head = if here { "› " } else { "  " };
            let label = format!("{head}{}. in your own words: ", draft.picked.len() + 1);
            let (rows, cursor) = field::rows((&label, style), &draft.own, theme.strong, columns);
            (rows, here.then_some(cursor))
        }
    }
}
