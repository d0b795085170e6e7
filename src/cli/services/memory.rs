//! Instruction files for the screen.

use std::path::{Path, PathBuf};

use crate::app::panels::memory::MemoryRow;
use crate::context::memory::{self, Scope};
use crate::context::{MemoryFile, Place, note};

/// Those that a session begun now would be given, then those that could be written.
pub fn list(place: &Place) -> Vec<MemoryRow> {
    let mut rows: Vec<MemoryRow> =
        memory::read(place).files.iter().map(|f| row(f, place)).collect();
    let could = [
        (place.config.join("AGENTS.md"), "user"),
        (place.root.join("AGENTS.md"), "project"),
        (place.root.join("CLAUDE.local.md"), "local"),
    ];
    for (path, scope) in could {
        if !path.exists() {
            let name = show(&path, place);
            rows.push(MemoryRow { path, name, scope, bytes: None, cut: false, imported: false });
        }
    }
    rows
}

/// Writes a note, or takes it back. The answer says what was done.
pub fn note(place: &Place, file: &Path, text: &str, back: bool) -> Result<String, String> {
    let name = show(file, place);
    let folders = [&place.config, &place.root, &place.home];
    let within = folders.into_iter().find(|folder| file.starts_with(folder));
    let within = within.map(PathBuf::as_path).or(file.parent()).unwrap_or(file);
    if back {
        note::take_back(file, text, within)?;
        return Ok(format!("taken back from {name}"));
    }
    note::append(file, text, within)?;
    Ok(format!("noted in {name}"))
}

fn row(file: &MemoryFile, place: &Place) -> MemoryRow {
    MemoryRow {
        path: file.path.clone(),
        name: show(&file.path, place),
        scope: match file.scope {
            Scope::User => "user",
            Scope::Project => "project",
            Scope::Local => "local",
        },
        bytes: Some(file.bytes),
        cut: file.cut,
        imported: file.imported_by.is_some(),
    }
}

/// Short where it lies in the project or in the person's home.
fn show(path: &Path, place: &Place) -> String {
    let below = |top: &PathBuf| path.strip_prefix(top).ok().map(|rest| rest.display().to_string());
    let home = || below(&place.home).map(|rest| format!("~/{rest}"));
    below(&place.root).or_else(home).unwrap_or_else(|| path.display().to_string())
}
