//! What each named action does: one arm, one call.

use crate::app::browse;
use crate::app::complete;
use crate::app::dialog::permission;
use crate::app::effect::Effect;
use crate::app::keys::{Action, Edit};
use crate::app::model::{Focus, Model};
use crate::app::panels::{self, Kind, changes, cost, history, themes};
use crate::app::prompt::HistorySearch;
use crate::app::{search, start, submit};

pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Edit(change) => edit(model, change),

        Action::Stop => submit::stop(model),
        Action::Back => submit::back(model),
        Action::Eof => submit::eof(model),
        Action::CycleMode => submit::cycle_mode(model),
        Action::Redraw => vec![Effect::Redraw],
        Action::Suspend => vec![Effect::Suspend],
        Action::OpenEditor => vec![Effect::OpenEditor(model.prompt.expanded())],

        Action::Submit => submit::submit(model),
        Action::Newline => nothing(model.prompt.insert("\n")),
        Action::Up => submit::up(model),
        Action::Down => submit::down(model),
        Action::HistorySearch => nothing(history_search(model)),
        Action::HistorySearchOlder => nothing(history_older(model)),
        Action::HistorySearchAccept => nothing(history_accept(model)),

        Action::CompleteNext => nothing(complete::step(model, true)),
        Action::CompletePrevious => nothing(complete::step(model, false)),
        Action::CompleteAccept => nothing(complete_accept(model)),
        Action::CompleteRun => submit::complete_and_run(model),

        Action::PageUp => nothing(browse::half_page(model, false)),
        Action::PageDown => nothing(browse::half_page(model, true)),
        Action::LineUp => nothing(browse::scroll(model, -1)),
        Action::LineDown => nothing(browse::scroll(model, 1)),
        Action::Top => nothing(browse::top(model)),
        Action::Bottom => nothing(browse::bottom(model)),
        Action::BrowseUp | Action::PreviousEntry => nothing(browse::step(model, false)),
        Action::BrowseDown | Action::NextEntry => nothing(browse::step(model, true)),
        Action::NextPrompt => nothing(browse::prompt(model, true)),
        Action::PreviousPrompt => nothing(browse::prompt(model, false)),
        Action::FirstEntry => nothing(browse::first(model)),
        Action::LastEntry => nothing(browse::last(model)),
        Action::Toggle => nothing(browse::toggle(model)),
        Action::ToggleAll | Action::ToggleDetail => nothing(browse::toggle_all(model)),
        Action::CopyEntry => browse::copy(model),
        Action::Write => nothing(browse::leave(model)),

        Action::SearchOpen => nothing(search::open(model)),
        Action::SearchNext => nothing(search::step(model, true)),
        Action::SearchPrevious => nothing(search::step(model, false)),

        Action::AllowOnce => permission::allow_once(model),
        Action::AllowSession => permission::allow_session(model),
        Action::AllowAlways => nothing(permission::allow_always(model)),
        Action::Deny => permission::deny(model),
        Action::DenyWithMessage => nothing(permission::deny_with_message(model)),
        Action::Why => nothing(permission::why(model)),
        Action::KeepHunk => nothing(permission::keep_hunk(model)),
        Action::NextHunk => nothing(step_hunk(model, true)),
        Action::PreviousHunk => nothing(step_hunk(model, false)),
        Action::FieldAccept => permission::accept(model),
        Action::FieldNext => nothing(permission::next_scope(model)),
        Action::FieldPick => nothing(permission::pick_rule(model)),
        Action::FieldPrevious => nothing(permission::step_rule(model, false)),
        Action::FieldFollowing => nothing(permission::step_rule(model, true)),

        Action::Help => nothing(panels::toggle(model, Kind::Help)),
        Action::Todos => nothing(panels::toggle(model, Kind::Todos)),
        Action::CostPanel => cost::open(model),
        Action::HistoryPanel => history::open(model, None),
        Action::ChangesPanel => nothing(panels::toggle(model, Kind::Changes { hunk: 0 })),
        Action::ModelsPanel => nothing(panels::toggle(model, Kind::Models)),
        Action::ThemePanel => nothing(themes::open(model)),
        Action::PermissionsPanel => nothing(panels::toggle(model, Kind::Permissions)),
        Action::StatusPanel => nothing(panels::toggle(model, Kind::Status)),
        Action::PanelDown => scroll_inner(model, 1),
        Action::PanelUp => scroll_inner(model, -1),
        Action::PanelPageDown => page_inner(model, true),
        Action::PanelPageUp => page_inner(model, false),
        Action::PanelTop => scroll_inner(model, isize::MIN),
        Action::PanelBottom => scroll_inner(model, isize::MAX),
        Action::PanelOpen => panels::enter(model),
        Action::FilterOpen => nothing(panels::open_filter(model)),
        Action::FilterAccept if model.focus() == Focus::StartKey => start::open(model),
        Action::FilterAccept => nothing(panels::accept_filter(model)),
        Action::Group => cost::group(model),
        Action::SearchAll => history::search_all(model),

        Action::StartDown => nothing(start::step(model, true)),
        Action::StartUp => nothing(start::step(model, false)),
        Action::StartOpen => start::open(model),
    }
}

/// The effects of what has none.
fn nothing((): ()) -> Vec<Effect> {
    Vec::new()
}

/// Changes whichever text has the keys.
fn edit(model: &mut Model, change: Edit) -> Vec<Effect> {
    match model.focus() {
        Focus::Prompt => {
            if model.prompt.edit(change) {
                complete::refresh(model);
            }
        }
        Focus::HistorySearch => {
            if let Some(search) = &mut model.prompt.search
                && search.field.edit(change)
            {
                search.find(&model.prompt.history);
            }
        }
        Focus::Search => search::edit(model, change),
        Focus::Filter => return panels::edit(model, change),
        Focus::DialogField => permission::edit(model, change),
        Focus::StartKey => {
            if let Some((_, field)) = model.start.as_mut().and_then(|it| it.entering.as_mut()) {
                field.edit(change);
            }
        }
        Focus::Start | Focus::Dialog | Focus::Panel | Focus::Browse => {}
    }
    Vec::new()
}

fn scroll_inner(model: &mut Model, rows: isize) -> Vec<Effect> {
    match model.focus() {
        Focus::Dialog => nothing(permission::scroll(model, rows)),
        _ => panels::step(model, rows),
    }
}

fn page_inner(model: &mut Model, down: bool) -> Vec<Effect> {
    match model.focus() {
        Focus::Dialog => {
            let half = isize::try_from(model.seen.inner.shown / 2).unwrap_or(1).max(1);
            nothing(permission::scroll(model, if down { half } else { -half }))
        }
        _ => panels::page(model, down),
    }
}

fn step_hunk(model: &mut Model, down: bool) {
    match model.focus() {
        Focus::Dialog => permission::step_hunk(model, down),
        _ => changes::step_hunk(model, down),
    }
}

fn history_search(model: &mut Model) {
    model.complete = None;
    model.prompt.search = Some(HistorySearch::new(&model.prompt.history));
}

fn history_older(model: &mut Model) {
    if let Some(search) = &mut model.prompt.search {
        search.older(&model.prompt.history);
    }
}

fn history_accept(model: &mut Model) {
    if let Some(search) = model.prompt.search.take()
        && let Some(draft) = search.found(&model.prompt.history).cloned()
    {
        model.prompt.restore(draft);
        complete::refresh(model);
    }
}

fn complete_accept(model: &mut Model) {
    complete::accept(model);
}
