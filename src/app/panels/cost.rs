//! The cost panel: this session by turn and model, and everything else by what the ledger knows.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, open as open_panel};
use crate::app::spend::Total;
use crate::protocol::Money;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cost {
    pub by: By,
    pub report: Option<Report>,
    pub problem: Option<String>,
    pub seq: u64,
    /// Turns whose requests are shown, by their place in the session.
    pub open: Vec<usize>,
}

/// What the lines of the panel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum By {
    #[default]
    Turn,
    Tool,
    Agent,
    Model,
    Day,
    Project,
}

/// What the ledger knows. Sums over all sessions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Groups by tool, agent, day or project, the most interesting first. Empty for the others,
    /// which the session knows itself.
    pub groups: Vec<Group>,
    /// The last seven days, today last.
    pub week: Vec<Money>,
    /// In those days, by the prompt cache against plain input; and by its misses.
    pub saved: Money,
    pub lost: Money,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: String,
    pub total: Total,
}

/// A line of the panel's table.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The turn's number; empty for other groupings.
    pub mark: String,
    pub name: String,
    pub total: Total,
    /// The turn's place in the session, where the line can be opened.
    pub turn: Option<usize>,
    /// A request of the turn above it.
    pub nested: bool,
}

impl By {
    pub const ALL: [By; 6] = [By::Turn, By::Tool, By::Agent, By::Model, By::Day, By::Project];

    pub fn name(self) -> &'static str {
        match self {
            By::Turn => "turn",
            By::Tool => "tool",
            By::Agent => "agent",
            By::Model => "model",
            By::Day => "day",
            By::Project => "project",
        }
    }
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    if matches!(&model.panel, Some(Panel { kind: Kind::Cost(_), .. })) {
        return crate::app::panels::back(model);
    }
    let seq = model.next_seq();
    open_panel(model, Kind::Cost(Cost { seq, ..Cost::default() }));
    vec![Effect::LoadCosts { seq, by: By::Turn }]
}

/// The next grouping.
pub fn group(model: &mut Model) -> Vec<Effect> {
    let seq = model.next_seq();
    let Some(panel) = &mut model.panel else { return Vec::new() };
    let Kind::Cost(cost) = &mut panel.kind else { return Vec::new() };
    let at = By::ALL.iter().position(|by| *by == cost.by).unwrap_or_default();
    cost.by = By::ALL[(at + 1) % By::ALL.len()];
    cost.seq = seq;
    panel.at = 0;
    vec![Effect::LoadCosts { seq, by: cost.by }]
}

pub fn loaded(model: &mut Model, seq: u64, report: Result<Report, String>) {
    let Some(Panel { kind: Kind::Cost(cost), .. }) = &mut model.panel else { return };
    if cost.seq != seq {
        return;
    }
    match report {
        Ok(report) => (cost.report, cost.problem) = (Some(report), None),
        Err(problem) => cost.problem = Some(problem),
    }
}

pub fn toggle_turn(model: &mut Model) {
    let lines = lines(model);
    let Some(panel) = &mut model.panel else { return };
    let Kind::Cost(cost) = &mut panel.kind else { return };
    if let Some(turn) = lines.get(panel.at).and_then(|line| line.turn) {
        match cost.open.iter().position(|open| *open == turn) {
            Some(at) => {
                cost.open.remove(at);
            }
            None => cost.open.push(turn),
        }
    }
}

/// The lines as they are shown: newest turn first, filtered.
pub fn lines(model: &Model) -> Vec<Line> {
    let Some(panel) = &model.panel else { return Vec::new() };
    let Kind::Cost(cost) = &panel.kind else { return Vec::new() };
    let query = panel.query().to_lowercase();
    let groups = |groups: &[Group]| groups.iter().map(group_line).collect();
    let mut lines: Vec<Line> = match cost.by {
        By::Turn => turns(model, cost),
        By::Model => {
            let line = |(name, total): &(String, Total)| Line {
                mark: String::new(),
                name: name.clone(),
                total: *total,
                turn: None,
                nested: false,
            };
            model.spending.by_model.iter().map(line).collect()
        }
        By::Tool | By::Agent | By::Day | By::Project => {
            cost.report.as_ref().map(|report| groups(&report.groups)).unwrap_or_default()
        }
    };
    lines.retain(|line| line.name.to_lowercase().contains(&query));
    lines
}

fn turns(model: &Model, cost: &Cost) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, turn) in model.spending.turns.iter().enumerate().rev() {
        lines.push(Line {
            mark: turn.turn.map(|turn| turn.0.to_string()).unwrap_or_default(),
            name: turn.what.clone(),
            total: turn.total,
            turn: Some(at),
            nested: false,
        });
        if cost.open.contains(&at) {
            lines.extend(turn.requests.iter().map(|request| Line {
                mark: String::new(),
                name: format!("{} · {}", crate::app::spend::cause(&request.cause), request.model),
                total: Total {
                    usage: request.usage,
                    cost: request.cost.unwrap_or_default(),
                    requests: 1,
                    unpriced: u64::from(request.cost.is_none()),
                },
                turn: None,
                nested: true,
            }));
        }
    }
    lines
}

fn group_line(group: &Group) -> Line {
    Line {
        mark: String::new(),
        name: group.name.clone(),
        total: group.total,
        turn: None,
        nested: false,
    }
}
