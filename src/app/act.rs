//! What each named action does: one arm, one call.

use crate::app::browse;
use crate::app::complete;
use crate::app::dialog::{budget, confirm, inquiry, permission, trust};
use crate::app::effect::Effect;
use crate::app::keys::{Action, Edit};
use crate::app::model::{Focus, Model};
use crate::app::panels::servers::{self, Wish};
use crate::app::panels::settings::Layer;
use crate::app::panels::{
    self, Kind, Panel, changes, cost, history, jobs, palette, permissions, rewind, summary, themes,
    window,
};
use crate::app::prompt::HistorySearch;
use crate::app::{queue, search, select, start, submit};
use crate::protocol::{Command, Mode};

pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Edit(change) => return edit(model, change),

        Action::Stop => return submit::stop(model),
        Action::Back => return submit::back(model),
        Action::Eof => return submit::eof(model),
        Action::CycleMode => return submit::cycle_mode(model),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::OpenEditor | Action::PlanEdit => return open_editor(model),

        Action::Submit => return submit::submit(model),
        Action::Newline => model.prompt.insert("\n"),
        Action::Up => return submit::up(model),
        Action::Down => return submit::down(model),
        Action::HistorySearch => history_search(model),
        Action::HistorySearchOlder => history_step(model, HistorySearch::older),
        Action::HistorySearchNewer => history_step(model, HistorySearch::newer),
        Action::HistorySearchAccept => return history_accept(model),

        Action::CompleteNext => complete::step(model, true),
        Action::CompletePrevious => complete::step(model, false),
        Action::CompleteAccept => return complete::accept(model).1,
        Action::CompleteRun => return submit::complete_and_run(model),

        Action::PageUp => browse::half_page(model, false),
        Action::PageDown => browse::half_page(model, true),
        Action::LineUp => browse::scroll(model, -1),
        Action::LineDown => browse::scroll(model, 1),
        Action::Top => browse::top(model),
        Action::Bottom => browse::bottom(model),
        Action::BrowseUp | Action::PreviousEntry => browse::step(model, false),
        Action::BrowseDown | Action::NextEntry => browse::step(model, true),
        Action::NextPrompt => browse::prompt(model, true),
        Action::PreviousPrompt => browse::prompt(model, false),
        Action::FirstEntry => browse::first(model),
        Action::LastEntry => browse::last(model),
        Action::Toggle => return browse::toggle(model),
        Action::ToggleAll | Action::ToggleDetail => browse::toggle_all(model),
        Action::CopyEntry => return browse::copy(model),
        Action::Write => browse::leave(model),
        Action::CopyCode => return browse::copy_code(model),
        Action::OpenFile if model.focus() == Focus::Panel => return changes::open_file(model),
        Action::OpenFile => return browse::open_file(model),
        Action::Again => return browse::again(model),
        Action::Select(unit) => select::begin(model, unit),
        Action::SelectStep(step) => select::step(model, step),
        Action::SelectSwap => select::swap(model),
        Action::SelectCopy => return select::copy(model),

        Action::SearchOpen => search::open(model),
        Action::SearchNext => search::step(model, true),
        Action::SearchPrevious => search::step(model, false),

        Action::AllowOnce => return permission::allow_once(model),
        Action::AllowSession => return permission::allow_session(model),
        Action::AllowAlways => permission::allow_always(model),
        Action::AllowNetwork => return permission::allow_network(model),
        Action::Change => return permission::change(model),
        Action::DialogFull => permission::toggle_full(model),
        Action::DialogStyle => permission::toggle_style(model),
        Action::FieldNewline => permission::newline(model),
        Action::Deny => return permission::deny(model),
        Action::DenyWithMessage => permission::deny_with_message(model),
        Action::Why => permission::why(model),
        Action::KeepHunk => keep(model),
        Action::NextHunk => step_hunk(model, true),
        Action::PreviousHunk => step_hunk(model, false),
        Action::Confirm if model.focus() == Focus::Budget => return budget::accept(model),
        Action::Confirm => return confirm::accept(model),
        Action::NextScope => return confirm::next_scope(model),
        Action::TrustGive => return trust::give(model),
        Action::TrustTake => return trust::take(model),
        Action::TrustPanel => return vec![Effect::Send(Command::AskTrust)],
        Action::BudgetKeep => return budget::keep(model),
        Action::BudgetOnce => return budget::once(model),
        Action::BudgetStop => return budget::stop(model),
        Action::Budget => return budget::open(model, None),
        Action::InquiryAccept => return inquiry::accept(model),
        Action::InquiryPick => inquiry::pick(model),
        Action::InquiryBefore => inquiry::turn(model, false),
        Action::InquiryAfter => inquiry::turn(model, true),
        Action::PlanAcceptEdits => return inquiry::approve(model, Mode::AcceptEdits),
        Action::PlanDecline => inquiry::decline(model),
        Action::FieldAccept if model.focus() == Focus::RuleField => {
            return permissions::accept(model);
        }
        Action::FieldAccept => return permission::accept(model),
        Action::FieldNext if model.focus() == Focus::Budget => budget::next_field(model),
        Action::FieldNext if model.focus() == Focus::RuleField => permissions::next_scope(model),
        Action::FieldNext => permission::next_scope(model),
        Action::FieldPick if model.focus() == Focus::RuleField => permissions::next_ruling(model),
        Action::FieldPick => permission::pick_rule(model),
        Action::FieldPrevious => permission::step_rule(model, false),
        Action::FieldFollowing => permission::step_rule(model, true),

        Action::Help => panels::toggle(model, Kind::Help),
        Action::Todos => panels::toggle(model, Kind::Todos),
        Action::CostPanel => return cost::open(model),
        Action::HistoryPanel => return history::open(model, None),
        Action::ChangesPanel => return changes::toggle(model),
        Action::RevertHunk => return changes::revert(model, changes::Part::Hunk),
        Action::RevertFile => return changes::revert(model, changes::Part::File),
        Action::MoreContext => return changes::next_context(model),
        Action::JobsPanel => return jobs::open(model),
        Action::KillJob => return jobs::kill(model),
        Action::AgentsPanel => panels::toggle(model, Kind::Agents),
        Action::HooksPanel => panels::toggle(model, Kind::Hooks),
        Action::WindowPanel => return window::open(model),
        Action::DropItem => return window::drop_chosen(model),
        Action::PinItem => return window::pin_chosen(model),
        Action::CountWindow => return window::count(model),
        Action::EditSummary => return summary::edit(model),
        Action::TakeNoteBack => return panels::note::take_back(model),
        Action::SettingsPanel => return panels::settings::open(model),
        Action::SetForProject => return panels::settings::change(model, Layer::Project),
        Action::ExpandPaste => expand_paste(model),
        Action::SkillsPanel => panels::toggle(model, Kind::Skills),
        Action::StopAgent => return panels::agents::stop(model),
        Action::TellAgent => panels::agents::tell(model),
        Action::Background => return jobs::send_to_background(model),
        Action::ModelsPanel => panels::toggle(model, Kind::Models),
        Action::ThemePanel => themes::open(model),
        Action::PermissionsPanel => return permissions::open(model),
        Action::AddRule => permissions::add(model),
        Action::EditRule => return permissions::edit_rule(model),
        Action::DeleteRule => permissions::delete(model),
        Action::AskAgain => return permissions::again(model),
        Action::StatusPanel => panels::toggle(model, Kind::Status),
        Action::RewindPanel => return rewind::open(model),
        Action::ServersPanel => panels::toggle(model, Kind::Servers(servers::Servers::default())),
        Action::ServerSwitch => return servers::act(model, Wish::Switch),
        Action::ServerApprove => return servers::act(model, Wish::Approve),
        Action::ServerReconnect => return servers::act(model, Wish::Reconnect),
        Action::ServerLogin => return servers::act(model, Wish::Login),
        Action::ServerLogout => return servers::act(model, Wish::Logout),
        Action::RewindHere => return rewind::here(model),
        Action::Palette => palette::open(model),
        Action::QueuePanel => panels::toggle(model, Kind::Queue),
        Action::SendQueued => return queue::send_now(model),
        Action::DropQueued => return drop_queued(model),
        Action::PanelDown => return scroll_inner(model, 1),
        Action::PanelUp => return scroll_inner(model, -1),
        Action::PanelPageDown => return page_inner(model, true),
        Action::PanelPageUp => return page_inner(model, false),
        Action::PanelTop => return scroll_inner(model, isize::MIN),
        Action::PanelBottom => return scroll_inner(model, isize::MAX),
        Action::PanelOpen => return panels::enter(model),
        Action::FilterOpen => panels::open_filter(model),
        Action::FilterAccept if model.focus() == Focus::StartKey => return start::open(model),
        Action::FilterAccept => return panels::accept_filter(model),
        Action::Group => return cost::group(model),
        Action::SearchAll => return history::search_all(model),
        Action::SessionFork => return history::act::fork(model),
        Action::SessionRename => history::act::rename(model),
        Action::SessionExport => return history::act::export(model, history::Form::Markdown),
        Action::SessionExportHtml => return history::act::export(model, history::Form::Html),
        Action::SessionDelete => history::act::delete(model),
        Action::LimitProject => return history::limit_project(model),
        Action::LimitBranch => return history::limit_branch(model),
        Action::LimitTime => return history::limit_time(model),
        Action::AskYes => return panels::yes(model),

        Action::StartDown => start::step(model, true),
        Action::StartUp => start::step(model, false),
        Action::StartOpen => return start::open(model),
    }
    Vec::new()
}

/// The plan that waits for approval, else the prompt.
fn open_editor(model: &mut Model) -> Vec<Effect> {
    let plan = match model.focus() {
        Focus::Inquiry => inquiry::to_edit(model),
        _ => None,
    };
    vec![Effect::OpenEditor(plan.unwrap_or_else(|| model.prompt.expanded()))]
}

/// Changes whichever text has the keys.
fn edit(model: &mut Model, change: Edit) -> Vec<Effect> {
    match model.focus() {
        Focus::Prompt => {
            // A list belongs to the place where the cursor stands, not only to the text.
            if model.prompt.edit(change) || model.complete.is_some() {
                return complete::refresh(model);
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
        Focus::RuleField => permissions::edit(model, change),
        Focus::Budget => budget::edit(model, change),
        Focus::InquiryField => inquiry::edit(model, change),
        Focus::StartKey => {
            if let Some((_, field)) = model.start.as_mut().and_then(|it| it.entering.as_mut()) {
                field.edit(change);
            }
        }
        Focus::Nothing
        | Focus::Start
        | Focus::Dialog
        | Focus::Inquiry
        | Focus::Confirm
        | Focus::Trust
        | Focus::Panel
        | Focus::Browse => {}
    }
    Vec::new()
}

fn scroll_inner(model: &mut Model, rows: isize) -> Vec<Effect> {
    match model.focus() {
        Focus::Dialog => permission::scroll(model, rows),
        Focus::Confirm => confirm::scroll(model, rows),
        Focus::Trust => trust::scroll(model, rows),
        Focus::Inquiry | Focus::InquiryField => inquiry::step(model, rows),
        _ => return panels::step(model, rows),
    }
    Vec::new()
}

fn page_inner(model: &mut Model, down: bool) -> Vec<Effect> {
    let half = isize::try_from(model.seen.inner.shown / 2).unwrap_or(1).max(1);
    let rows = if down { half } else { -half };
    match model.focus() {
        Focus::Dialog => permission::scroll(model, rows),
        Focus::Confirm => confirm::scroll(model, rows),
        Focus::Trust => trust::scroll(model, rows),
        Focus::Inquiry | Focus::InquiryField => inquiry::step(model, rows),
        _ => return panels::page(model, down),
    }
    Vec::new()
}

fn keep(model: &mut Model) {
    match model.focus() {
        Focus::Confirm => confirm::pick(model),
        _ => permission::keep_hunk(model),
    }
}

fn step_hunk(model: &mut Model, down: bool) {
    match model.focus() {
        Focus::Dialog => permission::step_hunk(model, down),
        Focus::Confirm => confirm::step_file(model, down),
        _ => changes::step_hunk(model, down),
    }
}

fn expand_paste(model: &mut Model) {
    if !model.prompt.expand() {
        model.say("no pasted text stands in the prompt");
    }
}

/// The chosen one where the panel is open, else the last.
fn drop_queued(model: &mut Model) -> Vec<Effect> {
    match &model.panel {
        Some(Panel { kind: Kind::Queue, .. }) => panels::queue::drop_chosen(model),
        _ => queue::delete_last(model),
    }
}

fn history_search(model: &mut Model) {
    model.complete = None;
    model.prompt.search = Some(HistorySearch::new(&model.prompt.history));
}

fn history_step(model: &mut Model, step: fn(&mut HistorySearch)) {
    if let Some(search) = &mut model.prompt.search {
        step(search);
    }
}

fn history_accept(model: &mut Model) -> Vec<Effect> {
    if let Some(search) = model.prompt.search.take()
        && let Some(draft) = search.found(&model.prompt.history).cloned()
    {
        model.prompt.restore(draft);
        return complete::refresh(model);
    }
    Vec::new()
}
