//! The memory panel: the instruction files that the model is given, and those that could be.

use std::path::PathBuf;

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, Panel, open as open_panel};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    pub rows: Vec<MemoryRow>,
    pub loaded: bool,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryRow {
    pub path: PathBuf,
    /// As people read it.
    pub name: String,
    /// `user`, `project`, `local`
    pub scope: &'static str,
    /// Bytes that the model gets; `None`: there is no such file yet.
    pub bytes: Option<usize>,
    /// More is in the file than the model gets.
    pub cut: bool,
    /// Named by another one with `@`.
    pub imported: bool,
}

pub fn open(model: &mut Model) -> Vec<Effect> {
    open_panel(model, Kind::Memory(Memory::default()));
    vec![Effect::ListMemory]
}

pub fn listed(model: &mut Model, rows: Vec<MemoryRow>) {
    if let Some(Panel { kind: Kind::Memory(memory), .. }) = &mut model.panel {
        let clean = |row: MemoryRow| MemoryRow { name: clean::line(&row.name), ..row };
        *memory = Memory { rows: rows.into_iter().map(clean).collect(), loaded: true };
    }
}

/// Enter: into the editor, which makes the file where there is none.
pub fn choose(model: &mut Model) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let Some(path) = lines(model).get(at).map(|row| row.path.clone()) else { return Vec::new() };
    vec![Effect::EditFile(path), Effect::ListMemory]
}

/// The files that the filter leaves.
pub fn lines(model: &Model) -> Vec<&MemoryRow> {
    let Some(Panel { kind: Kind::Memory(memory), filter, .. }) = &model.panel else {
        return Vec::new();
    };
    let query = filter.text().trim().to_lowercase();
    memory.rows.iter().filter(|row| row.name.to_lowercase().contains(&query)).collect()
}
