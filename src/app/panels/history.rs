//! The history panel: earlier sessions, found by title or by what was said in them.

use crate::app::clean;
use crate::app::complete::ranked;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, back, open as open_panel};
use crate::protocol::{Command, Money, Role, SessionId};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    pub rows: Vec<SessionRow>,
    pub loaded: bool,
    pub problem: Option<String>,
    /// The filter searches what was said, not only titles.
    pub everything: bool,
    pub preview: Option<(SessionId, Preview)>,
    seq: u64,
}

/// A session, in words where words are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    pub id: SessionId,
    pub title: String,
    /// `3 h`, `2 d`
    pub age: String,
    /// The folder's name.
    pub project: String,
    /// `None` where a price is not known.
    pub cost: Option<Money>,
    /// Messages of the person.
    pub prompts: u32,
    /// Of this very folder.
    pub here: bool,
    /// Where the search found its words.
    pub snippet: Option<String>,
}

/// The head and the tail of a session. `left_out`: messages between them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    pub head: Vec<(Role, String)>,
    pub left_out: usize,
    pub tail: Vec<(Role, String)>,
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

/// Switches between titles and the text of every session.
pub fn search_all(model: &mut Model) -> Vec<Effect> {
    let Some(panel) = &mut model.panel else { return Vec::new() };
    let Kind::History(history) = &mut panel.kind else { return Vec::new() };
    history.everything = !history.everything;
    panel.filtering = true;
    let query = if history.everything { panel.query() } else { String::new() };
    load(model, query)
}

/// The filter has changed: titles are filtered here, texts are searched elsewhere.
pub fn filtered(model: &mut Model) -> Vec<Effect> {
    let Some(panel) = &model.panel else { return Vec::new() };
    match &panel.kind {
        Kind::History(history) if history.everything => {
            let query = panel.query();
            load(model, query)
        }
        _ => preview(model),
    }
}

fn load(model: &mut Model, query: String) -> Vec<Effect> {
    let seq = model.next_seq();
    if let Some(Panel { kind: Kind::History(history), .. }) = &mut model.panel {
        history.seq = seq;
    }
    vec![Effect::ListSessions { seq, query }]
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
    let chosen = chosen(model).map(|row| row.id.clone());
    let Some(Panel { kind: Kind::History(history), .. }) = &mut model.panel else {
        return Vec::new();
    };
    match chosen {
        Some(id) if history.preview.as_ref().is_none_or(|(shown, _)| *shown != id) => {
            vec![Effect::PreviewSession { id }]
        }
        _ => Vec::new(),
    }
}

pub fn previewed(model: &mut Model, id: SessionId, preview: Result<Preview, String>) {
    if chosen(model).is_none_or(|row| row.id != id) {
        return;
    }
    if let Some(Panel { kind: Kind::History(history), .. }) = &mut model.panel {
        match preview {
            Ok(preview) => history.preview = Some((id, clean::preview(preview))),
            Err(problem) => history.problem = Some(clean::line(&problem)),
        }
    }
}

pub fn resume(model: &mut Model) -> Vec<Effect> {
    let Some(session) = chosen(model).map(|row| row.id.clone()) else { return Vec::new() };
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    model.panel = None;
    vec![Effect::Send(Command::Resume { session })]
}

/// The sessions that the filter leaves.
pub fn lines(model: &Model) -> Vec<&SessionRow> {
    let Some(panel) = &model.panel else { return Vec::new() };
    let Kind::History(history) = &panel.kind else { return Vec::new() };
    let query = panel.query();
    if history.everything || query.is_empty() {
        return history.rows.iter().collect();
    }
    let texts = history.rows.iter().enumerate();
    let names =
        ranked(texts.map(|(n, row)| format!("{} {}\u{0}{n}", row.title, row.project)), &query);
    let index = |name: &String| name.rsplit('\u{0}').next().and_then(|n| n.parse::<usize>().ok());
    names.iter().filter_map(index).filter_map(|n| history.rows.get(n)).collect()
}

fn chosen(model: &Model) -> Option<&SessionRow> {
    lines(model).into_iter().nth(model.panel.as_ref()?.at)
}
