//! The dialog about budgets: what would be gone over, and the two amounts.

use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::dialog::Budget;
use crate::app::keys::{Action, Context};
use crate::protocol::budget::Span as Of;
use crate::text::width;
use crate::view::entry::plain;
use crate::view::field;
use crate::view::marks::Marks;
use crate::view::theme::Theme;

/// Columns of an amount.
const AMOUNT: usize = 9;

pub fn title(budget: &Budget) -> String {
    match budget.reached.map(|reached| reached.span) {
        None => "Budgets".to_owned(),
        Some(span) => format!("The {}'s budget is reached", span.name()),
    }
}

pub fn remark(budget: &Budget) -> String {
    let waits = budget.reached.is_some();
    if waits { "nothing is sent until you answer".to_owned() } else { String::new() }
}

pub fn keys(model: &Model, budget: &Budget) -> Vec<(String, &'static str)> {
    let key = |action| model.keymap.key(Context::Budget, action);
    let esc = model.keymap.key(Context::Global, Action::Back);
    let mut keys = match budget.reached {
        Some(_) => vec![
            (key(Action::Confirm), "raise and go on"),
            (key(Action::BudgetOnce), "go on this turn only"),
            (key(Action::BudgetStop), "stop"),
        ],
        None => vec![(key(Action::Confirm), "for this session")],
    };
    keys.push((key(Action::BudgetKeep), "and keep it"));
    keys.push((key(Action::FieldNext), "other amount"));
    if budget.reached.is_none() {
        keys.push((esc, "back"));
    }
    keys
}

/// What it is about.
pub fn body(budget: &Budget, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let text = match &budget.reached {
        None => "tern asks before the request that would go over one of these. Empty: no limit."
            .to_owned(),
        Some(reached) => {
            let of = match reached.span {
                Of::Session => "this session's",
                Of::Day => "today's",
            };
            let spent = format!("{} of {of} {} are spent", reached.spent, reached.limit);
            match reached.next.0 {
                0 => format!("{spent}."),
                _ => format!("{spent}, and the next request will cost about {}.", reached.next),
            }
        }
    };
    plain(&text, columns, theme.text)
}

/// The amounts, and the place of the cursor.
pub fn foot(
    model: &Model,
    budget: &Budget,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> (Vec<Line<'static>>, Option<(usize, usize)>) {
    let mut rows = vec![Line::default()];
    let mut cursor = None;
    let spent = [model.spending.session, model.spending.today];
    let names = ["this session", "today"];
    for (at, ((field, name), spent)) in budget.fields.iter().zip(names).zip(spent).enumerate() {
        let chosen = at == budget.at;
        let mark = if chosen { marks.chosen } else { " " };
        let label = format!("{mark} {name:<13} $ ");
        let style = if chosen { theme.strong } else { theme.text };
        let (mut written, (row, column)) =
            field::rows((&label, theme.faint), field, style, columns);
        if chosen {
            cursor = Some((rows.len() + row, column));
        }
        if let Some(last) = written.last_mut() {
            let none = if field.is_empty() { "no limit" } else { "" };
            let pad = AMOUNT.saturating_sub(width(&field.text()) + none.len());
            let text = format!("{none}{}   {spent} spent", " ".repeat(pad));
            last.spans.push(Span::styled(text, theme.faint));
        }
        rows.extend(written);
    }
    if let Some(problem) = &budget.problem {
        rows.extend(plain(problem, columns, theme.failed));
    }
    (rows, cursor)
}
