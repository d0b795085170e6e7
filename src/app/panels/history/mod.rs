//! The history panel: earlier sessions, found by title, by what was said in them, or by what tools
//! gave in them.

pub mod act;

use crate::app::browse;
use crate::app::clean;
use crate::app::complete::ranked;
use crate::app::earlier;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, back, open as open_panel};
use crate::protocol::{Command, MessageId, Money, Role, SessionId};

pub use act::{Asking, Change, Form};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    pub rows: Vec<SessionRow>,
    pub loaded: bool,
    pub problem: Option<String>,
    pub looks: Looks,
    pub limits: Limits,
    pub asking: Asking,
    /// Of which session, around which record.
    pub preview: Option<((SessionId, Option<MessageId>), Preview)>,
    seq: u64,
}

/// What the filter looks into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Looks {
    #[default]
    Titles,
    /// Prompts, replies, titles and names of files.
    Said,
    /// What tools gave: every log is read, so only when the filter is kept.
    Outputs,
}

/// Sessions that the list leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Those of other folders.
    pub here: bool,
    /// Those of other branches than this one.
    pub branch: Option<String>,
    /// Those not changed for more days than this.
    pub days: Option<u32>,
}

const DAYS: [Option<u32>; 4] = [None, Some(1), Some(7), Some(30)];

/// A session, in words where words are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    pub id: SessionId,
    pub title: String,
    /// `3 h`, `2 d`
    pub age: String,
    /// The folder's name.
    pub project: String,
    /// Git branch at its start; empty where there was none.
    pub branch: String,
    /// Days since it was last changed.
    pub days: u32,
    /// `None` where a price is not known.
    pub cost: Option<Money>,
    /// Messages of the person.
    pub prompts: u32,
    /// Of this very folder.
    pub here: bool,
    /// Where the search found its words.
    pub snippet: Option<String>,
    /// The record in which it found them.
    pub found: Option<MessageId>,
}

/// The head and the tail of a session, or what stands around what was found. `left_out`: messages
/// between them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    pub head: Vec<(Role, String)>,
    pub left_out: usize,
    pub tail: Vec<(Role, String)>,
    /// The message that was found, or that a thing which was found belongs to.
    pub at: Option<MessageId>,
}

pub fn open(model: &mut Model, query: Option<&str>) -> Vec<Effect> {
    if query.is_none() && matches!(&model.panel, Some(Panel { kind: Kind::History(_), .. })) {
        return back(model);
    }
    open_panel(model, Kind::History(History::default()));
    if let (Some(panel), Some(query)) = (&mut model.panel, query) {
        panel.filter.set(query);
    }
    load(model, String::new())
}

/// Titles, what was said, what tools gave: the next of them.
pub fn search_all(model: &mut Model) -> Vec<Effect> {
    let Some(history) = state(model) else { return Vec::new() };
    history.looks = match history.looks {
        Looks::Titles => Looks::Said,
        Looks::Said => Looks::Outputs,
        Looks::Outputs => Looks::Titles,
    };
    history.asking = Asking::Nothing;
    if let Some(panel) = &mut model.panel {
        panel.filtering = true;
    }
    reload(model)
}

/// The filter has changed: titles are filtered here, texts are searched elsewhere.
pub fn filtered(model: &mut Model) -> Vec<Effect> {
    match state(model).map(|history| (history.looks, &history.asking)) {
        Some((_, Asking::Title { .. }) | (Looks::Outputs, _)) => Vec::new(),
        Some((Looks::Said, _)) => reload(model),
        Some((Looks::Titles, _)) => preview(model),
        None => Vec::new(),
    }
}

/// The filter is kept.
pub fn accepted(model: &mut Model) -> Vec<Effect> {
    if let Some(effects) = act::renamed(model) {
        return effects;
    }
    match state(model).map(|history| history.looks) {
        Some(Looks::Outputs) => reload(model),
        _ => Vec::new(),
    }
}

/// Asks for the list anew.
pub fn reload(model: &mut Model) -> Vec<Effect> {
    let Some(panel) = &model.panel else { return Vec::new() };
    match &panel.kind {
        Kind::History(History { looks: Looks::Titles, .. }) => load(model, String::new()),
        Kind::History(_) => {
            let query = panel.query();
            load(model, query)
        }
        _ => Vec::new(),
    }
}

/// This folder's sessions, or those of all.
pub fn limit_project(model: &mut Model) -> Vec<Effect> {
    limit(model, |limits, _| limits.here = !limits.here)
}

/// Those begun on the branch that is checked out, or on any.
pub fn limit_branch(model: &mut Model) -> Vec<Effect> {
    if model.session.branch.is_empty() {
        model.say("there is no branch here");
        return Vec::new();
    }
    limit(model, |limits, branch| {
        limits.branch = limits.branch.is_none().then(|| branch.to_owned());
    })
}

/// Those of the last day, week, month, or all.
pub fn limit_time(model: &mut Model) -> Vec<Effect> {
    limit(model, |limits, _| {
        let at = DAYS.iter().position(|days| *days == limits.days).unwrap_or_default();
        limits.days = DAYS[(at + 1) % DAYS.len()];
    })
}

fn limit(model: &mut Model, change: impl FnOnce(&mut Limits, &str)) -> Vec<Effect> {
    let branch = model.session.branch.clone();
    let Some(history) = state(model) else { return Vec::new() };
    change(&mut history.limits, &branch);
    if let Some(panel) = &mut model.panel {
        panel.at = 0;
    }
    preview(model)
}

fn state(model: &mut Model) -> Option<&mut History> {
    match &mut model.panel.as_mut()?.kind {
        Kind::History(history) => Some(history),
        _ => None,
    }
}

fn load(model: &mut Model, query: String) -> Vec<Effect> {
    let seq = model.next_seq();
    if let Some(Panel { kind: Kind::History(history), .. }) = &mut model.panel {
        history.seq = seq;
    }
    let looks = state(model).map(|history| history.looks).unwrap_or_default();
    vec![Effect::ListSessions { seq, query, looks }]
}

pub fn listed(model: &mut Model, seq: u64, rows: Result<Vec<SessionRow>, String>) -> Vec<Effect> {
    let Some(Panel { kind: Kind::History(history), .. }) = &mut model.panel else {
        return Vec::new();
    };
    if history.seq != seq {
        return Vec::new();
    }
    history.loaded = true;
    match rows {
        Ok(rows) => {
            history.rows = rows.into_iter().map(clean::session).collect();
            history.problem = None;
        }
        Err(problem) => history.problem = Some(clean::line(&problem)),
    }
    preview(model)
}

/// Asks for the conversation of the chosen session, where it is not there yet.
pub fn preview(model: &mut Model) -> Vec<Effect> {
    let chosen = chosen(model).map(|row| (row.id.clone(), row.found.clone()));
    let Some(history) = state(model) else { return Vec::new() };
    match chosen {
        Some(chosen) if history.preview.as_ref().is_none_or(|(shown, _)| *shown != chosen) => {
            let (id, around) = chosen;
            vec![Effect::PreviewSession { id, around }]
        }
        _ => Vec::new(),
    }
}

pub fn previewed(
    model: &mut Model,
    id: SessionId,
    around: Option<MessageId>,
    preview: Result<Preview, String>,
) {
    if chosen(model).is_none_or(|row| row.id != id || row.found != around) {
        return;
    }
    if let Some(Panel { kind: Kind::History(history), .. }) = &mut model.panel {
        match preview {
            Ok(preview) => history.preview = Some(((id, around), clean::preview(preview))),
            Err(problem) => history.problem = Some(clean::line(&problem)),
        }
    }
}

/// Takes the session up, at the message that was found in it.
pub fn resume(model: &mut Model) -> Vec<Effect> {
    let Some(session) = chosen(model).map(|row| row.id.clone()) else { return Vec::new() };
    let at = match state(model).and_then(|history| history.preview.as_ref()) {
        Some(((shown, Some(_)), preview)) if *shown == session => preview.at.clone(),
        _ => None,
    };
    if model.session.id.as_ref() == Some(&session) {
        model.panel = None;
        browse::jump(model, at.as_ref());
        return Vec::new();
    }
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    model.panel = None;
    model.jump = at.map(|message| (session.clone(), message));
    earlier::leave(model, Some(Command::Resume { session }))
}

/// A session was changed.
pub fn changed(model: &mut Model, done: &Result<String, String>) -> Vec<Effect> {
    let (Ok(text) | Err(text)) = done;
    model.say(&clean::line(text));
    reload(model)
}

/// The sessions that the filter and the limits leave.
pub fn lines(model: &Model) -> Vec<&SessionRow> {
    let Some(panel) = &model.panel else { return Vec::new() };
    let Kind::History(history) = &panel.kind else { return Vec::new() };
    let query = match &history.asking {
        Asking::Title { filter, .. } => filter.trim().to_owned(),
        Asking::Delete { .. } | Asking::Nothing => panel.query(),
    };
    let taken = |row: &&SessionRow| history.limits.take(row);
    if history.looks != Looks::Titles || query.is_empty() {
        return history.rows.iter().filter(taken).collect();
    }
    let texts = history.rows.iter().enumerate();
    let names =
        ranked(texts.map(|(n, row)| format!("{} {}\u{0}{n}", row.title, row.project)), &query);
    let index = |name: &String| name.rsplit('\u{0}').next().and_then(|n| n.parse::<usize>().ok());
    names.iter().filter_map(index).filter_map(|n| history.rows.get(n)).filter(taken).collect()
}

impl Limits {
    fn take(&self, row: &SessionRow) -> bool {
        (!self.here || row.here)
            && self.branch.as_ref().is_none_or(|branch| row.branch == *branch)
            && self.days.is_none_or(|days| row.days < days)
    }
}

fn chosen(model: &Model) -> Option<&SessionRow> {
    lines(model).into_iter().nth(model.panel.as_ref()?.at)
}
