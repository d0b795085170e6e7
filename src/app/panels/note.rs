//! A note for later sessions: `# use tabs` in the prompt asks which instruction file it goes into,
//! says what was written, and takes it back while the panel stands.

use std::path::PathBuf;

use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::memory::MemoryRow;
use crate::app::panels::{Kind, Panel, open as open_panel};
use crate::protocol::Level;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    /// Where it could go; empty until that is known.
    pub files: Vec<MemoryRow>,
    pub written: Option<PathBuf>,
}

/// The note that a prompt is. A heading, or a text of several lines, is none.
pub fn of(prompt: &str) -> Option<&str> {
    let text = prompt.trim().strip_prefix('#')?;
    let note = text.trim();
    (!text.starts_with('#') && !note.is_empty() && !note.contains('\n')).then_some(note)
}

pub fn open(model: &mut Model, text: &str) -> Vec<Effect> {
    let note = Note { text: clean::line(text), files: Vec::new(), written: None };
    open_panel(model, Kind::Note(note));
    vec![Effect::ListMemory]
}

fn note(model: &mut Model) -> Option<&mut Note> {
    match &mut model.panel {
        Some(Panel { kind: Kind::Note(note), .. }) => Some(note),
        _ => None,
    }
}

/// One file a scope: the first that the model is given, else the one that could be made.
pub fn listed(model: &mut Model, rows: &[MemoryRow]) {
    let Some(note) = note(model) else { return };
    note.files = ["project", "user", "local"]
        .iter()
        .filter_map(|scope| rows.iter().find(|row| row.scope == *scope && !row.imported))
        .map(|row| MemoryRow { name: clean::line(&row.name), ..row.clone() })
        .collect();
}

/// Enter.
pub fn choose(model: &mut Model) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let Some(note) = note(model) else { return Vec::new() };
    if note.written.is_some() {
        model.panel = None;
        return Vec::new();
    }
    let Some(file) = note.files.get(at).map(|row| row.path.clone()) else { return Vec::new() };
    vec![Effect::Note { file, text: note.text.clone(), back: false }]
}

/// `u`: takes back what was just written.
pub fn take_back(model: &mut Model) -> Vec<Effect> {
    let Some(note) = note(model) else { return Vec::new() };
    let Some(file) = note.written.take() else {
        model.say("nothing is written yet");
        return Vec::new();
    };
    vec![Effect::Note { file, text: note.text.clone(), back: true }]
}

/// What came of it. The panel stays for taking it back.
pub fn written(model: &mut Model, done: Result<(PathBuf, String), String>) {
    match done {
        Ok((file, said)) => {
            let text = clean::line(&said);
            model.say(&text);
            let is_back = said.starts_with("taken back");
            if let Some(note) = note(model) {
                note.written = (!is_back).then_some(file);
            }
        }
        Err(problem) => {
            let problem = clean::line(&problem);
            model.panel = None;
            model.transcript.push(crate::app::transcript::Body::Notice {
                level: Level::Error,
                text: problem,
                hints: Vec::new(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_and_no_heading() {
        for (prompt, wanted) in [
            ("# use tabs", Some("use tabs")),
            ("  #use tabs ", Some("use tabs")),
            ("## A heading", None),
            ("# A heading\nand a text", None),
            ("#", None),
            ("see #12", None),
        ] {
            assert_eq!(of(prompt), wanted, "{prompt}");
        }
    }
}
