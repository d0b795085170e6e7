//! Panels: what opens over the transcript or beside it. One is open at a time.

pub mod agents;
pub mod busy;
pub mod changes;
pub mod cost;
pub mod help;
pub mod history;
pub mod jobs;
pub mod memory;
pub mod models;
pub mod note;
pub mod palette;
pub mod permissions;
pub mod queue;
pub mod rewind;
pub mod servers;
pub mod settings;
pub mod summary;
pub mod themes;
pub mod window;

use crate::app::earlier;
use crate::app::edit::{Editor, Lines};
use crate::app::effect::Effect;
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::protocol::{Command, SessionId};

#[derive(Debug, Clone)]
pub struct Panel {
    pub kind: Kind,
    /// The chosen line of a list, counted in what the filter leaves.
    pub at: usize,
    /// First row that is shown, where the panel is one text.
    pub scroll: usize,
    pub filter: Editor,
    /// True while the filter has the keys.
    pub filtering: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Cost(cost::Cost),
    History(history::History),
    Changes(changes::Changes),
    Jobs(jobs::Jobs),
    Agents,
    Hooks,
    Skills,
    Models,
    Memory(memory::Memory),
    /// A note for later sessions: where it goes.
    Note(note::Note),
    /// A session that another program has open: what to do instead.
    Busy(SessionId),
    Servers(servers::Servers),
    Settings(settings::Settings),
    /// Where to go back to.
    Rewind,
    /// The theme that was in use when the panel opened.
    Themes {
        before: String,
    },
    Help,
    Palette,
    Permissions(permissions::Permissions),
    Queue,
    Status,
    /// A summary that is not in use yet.
    Summary(summary::Draft),
    Todos,
    /// What fills the model's window.
    Window(window::Filled),
}

impl Panel {
    pub fn new(kind: Kind) -> Panel {
        Panel { kind, at: 0, scroll: 0, filter: Editor::new(Lines::One), filtering: false }
    }

    pub fn query(&self) -> String {
        self.filter.text().trim().to_owned()
    }
}

pub fn open(model: &mut Model, kind: Kind) {
    model.complete = None;
    model.panel = Some(Panel::new(kind));
}

/// Opens the panel, or closes it where it is the one that is open.
pub fn toggle(model: &mut Model, kind: Kind) {
    let same = |panel: &Panel| std::mem::discriminant(&panel.kind) == std::mem::discriminant(&kind);
    if model.panel.as_ref().is_some_and(same) {
        back(model);
    } else {
        open(model, kind);
    }
}

/// One step back: out of the filter, then out of the panel.
pub fn back(model: &mut Model) -> Vec<Effect> {
    let written = history::act::back_from_title(model).is_some();
    if written
        || settings::back(model).is_some()
        || permissions::back(model)
        || history::act::no(model)
        || changes::back_to_files(model)
    {
        return Vec::new();
    }
    if matches!(model.panel, Some(Panel { kind: Kind::Summary(_), .. })) {
        return summary::discard(model);
    }
    if window::back(model) {
        return Vec::new();
    }
    let Some(panel) = &mut model.panel else { return Vec::new() };
    if panel.kind == Kind::Palette {
        model.panel = None;
        return Vec::new();
    }
    if panel.filtering || !panel.filter.is_empty() {
        panel.filtering = false;
        panel.filter.set("");
        panel.at = 0;
        return filtered(model);
    }
    // The agent waits for a choice, and there is no other session to go back to.
    let unchosen = matches!(panel.kind, Kind::Busy(_)) && model.session.id.is_none();
    if let Kind::Themes { before } = &panel.kind {
        model.look.theme = before.clone();
    }
    let followed = matches!(panel.kind, Kind::Jobs(_));
    model.panel = None;
    match (unchosen, followed) {
        (true, _) => earlier::leave(model, Some(Command::Clear)),
        (false, true) => jobs::follow(model),
        (false, false) => Vec::new(),
    }
}

/// Moves the choice by lines, or a text by rows.
pub fn step(model: &mut Model, by: isize) -> Vec<Effect> {
    if changes::is_alone(model) {
        changes::scroll(model, by);
        return Vec::new();
    }
    let count = count(model);
    let inner = model.seen.inner;
    let Some(panel) = &mut model.panel else { return Vec::new() };
    match count {
        Some(count) => {
            panel.at = panel.at.saturating_add_signed(by).min(count.saturating_sub(1));
            moved(model)
        }
        None => {
            panel.scroll = inner.scrolled(panel.scroll, by);
            Vec::new()
        }
    }
}

pub fn wheel(model: &mut Model, rows: isize) -> Vec<Effect> {
    if is_changes(model) {
        changes::scroll(model, rows);
        return Vec::new();
    }
    step(model, rows.signum())
}

fn is_changes(model: &Model) -> bool {
    matches!(model.panel.as_ref().map(|panel| &panel.kind), Some(Kind::Changes(_)))
}

pub fn page(model: &mut Model, down: bool) -> Vec<Effect> {
    let half = isize::try_from(model.seen.inner.shown / 2).unwrap_or(1).max(1);
    let rows = if down { half } else { -half };
    if is_changes(model) {
        changes::scroll(model, rows);
        return Vec::new();
    }
    step(model, rows)
}

pub fn end(model: &mut Model, down: bool) -> Vec<Effect> {
    step(model, if down { isize::MAX } else { isize::MIN })
}

/// Enter: what the chosen line is for.
pub fn enter(model: &mut Model) -> Vec<Effect> {
    match model.panel.as_ref().map(|panel| &panel.kind) {
        Some(Kind::Cost(_)) => {
            cost::toggle_turn(model);
            Vec::new()
        }
        Some(Kind::History(_)) => history::resume(model),
        Some(Kind::Models) => models::choose(model),
        Some(Kind::Servers(_)) => servers::enter(model),
        Some(Kind::Rewind) => rewind::choose(model),
        Some(Kind::Summary(_)) => summary::use_it(model),
        Some(Kind::Window(_)) => window::enter(model),
        Some(Kind::Busy(_)) => busy::choose(model),
        Some(Kind::Memory(_)) => memory::choose(model),
        Some(Kind::Note(_)) => note::choose(model),
        Some(Kind::Settings(_)) => settings::change(model, settings::Layer::User),
        Some(Kind::Themes { .. }) => themes::choose(model),
        Some(Kind::Palette) => palette::run(model),
        Some(Kind::Queue) => queue::edit(model),
        Some(Kind::Permissions(_)) => permissions::enter(model),
        Some(Kind::Changes(_)) => {
            changes::alone(model);
            Vec::new()
        }
        Some(
            Kind::Jobs(_)
            | Kind::Agents
            | Kind::Hooks
            | Kind::Skills
            | Kind::Help
            | Kind::Status
            | Kind::Todos,
        )
        | None => Vec::new(),
    }
}

/// Yes to what a panel asks.
pub fn yes(model: &mut Model) -> Vec<Effect> {
    match permissions::is_asked(model.panel.as_ref()) {
        true => permissions::yes(model),
        false => history::act::yes(model),
    }
}

/// A panel asks whether to do something.
pub fn is_asked(panel: Option<&Panel>) -> bool {
    permissions::is_asked(panel) || history::act::is_asked(panel)
}

pub fn open_filter(model: &mut Model) {
    if let Some(panel) = &mut model.panel
        && !matches!(
            panel.kind,
            Kind::Status | Kind::Summary(_) | Kind::Note(_) | Kind::Todos | Kind::Busy(_)
        )
    {
        panel.filtering = true;
    }
}

/// The filter stays, and the keys go back to the list.
pub fn accept_filter(model: &mut Model) -> Vec<Effect> {
    if let Some(effects) = settings::accepted(model) {
        return effects;
    }
    let effects = history::accepted(model);
    if let Some(panel) = &mut model.panel {
        panel.filtering = false;
    }
    effects
}

pub fn insert(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(panel) = &mut model.panel else { return Vec::new() };
    panel.filter.insert(text);
    rewritten(model)
}

pub fn edit(model: &mut Model, edit: Edit) -> Vec<Effect> {
    let Some(panel) = &mut model.panel else { return Vec::new() };
    if !panel.filter.edit(edit) {
        return Vec::new();
    }
    rewritten(model)
}

fn rewritten(model: &mut Model) -> Vec<Effect> {
    let Some(panel) = &mut model.panel else { return Vec::new() };
    // A value is written for the line that is chosen.
    if settings::is_editing(panel) {
        return Vec::new();
    }
    (panel.at, panel.scroll) = (0, 0);
    filtered(model)
}

/// Lines of the panel's list. `None`: it is a text that scrolls.
fn count(model: &Model) -> Option<usize> {
    match &model.panel.as_ref()?.kind {
        Kind::Cost(_) => Some(cost::lines(model).len()),
        Kind::History(_) => Some(history::lines(model).len()),
        Kind::Changes(_) => Some(changes::lines(model).len()),
        Kind::Jobs(_) => Some(jobs::lines(model).len()),
        Kind::Agents => Some(agents::lines(model).len()),
        Kind::Models => Some(models::lines(model).len()),
        Kind::Servers(_) => Some(servers::lines(model).len()),
        Kind::Rewind => Some(rewind::lines(model).len()),
        Kind::Busy(_) => Some(busy::CHOICES.len()),
        Kind::Memory(_) => Some(memory::lines(model).len()),
        Kind::Note(note) => Some(note.files.len()),
        Kind::Settings(_) => Some(settings::lines(model).len()),
        Kind::Themes { .. } => Some(themes::lines(model).len()),
        Kind::Palette => Some(palette::lines(model).len()),
        Kind::Queue => Some(queue::lines(model).len()),
        Kind::Permissions(_) => Some(permissions::lines(model).len()),
        Kind::Window(filled) if filled.shown.is_none() => Some(window::lines(model).len()),
        Kind::Hooks
        | Kind::Skills
        | Kind::Help
        | Kind::Status
        | Kind::Summary(_)
        | Kind::Window(_)
        | Kind::Todos => None,
    }
}

/// The choice has moved.
fn moved(model: &mut Model) -> Vec<Effect> {
    match model.panel.as_ref().map(|panel| &panel.kind) {
        Some(Kind::History(_)) => history::preview(model),
        Some(Kind::Jobs(_)) => jobs::follow(model),
        Some(Kind::Themes { .. }) => {
            themes::show(model);
            Vec::new()
        }
        Some(Kind::Changes(_)) => {
            changes::first_hunk(model);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The filter has changed.
fn filtered(model: &mut Model) -> Vec<Effect> {
    match model.panel.as_ref().map(|panel| &panel.kind) {
        Some(Kind::History(_)) => history::filtered(model),
        _ => moved(model),
    }
}
