//! Images that a tool has read, for terminals that can draw them. Only what the driver has decoded
//! and made anew is drawn; of everything else the call's own line tells the size.

use std::collections::HashMap;

use crate::app::calls::{Call, CallState};
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::transcript::Body;
use crate::protocol::CallId;

const KINDS: [&str; 5] = ["png", "jpg", "jpeg", "gif", "webp"];

/// What the terminal has been given, by the call that read it.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// The terminal can draw them.
    pub drawn: bool,
    known: HashMap<CallId, Picture>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Its number in the terminal, from 1.
    pub number: u8,
    /// Cells.
    pub columns: u16,
    pub rows: u16,
}

impl Pictures {
    pub fn of(&self, call: &CallId) -> Option<Picture> {
        self.known.get(call).copied()
    }
}

/// A call is opened or has ended: what it takes to show its image.
pub fn wanted(model: &Model, call: &Call) -> Vec<Effect> {
    let CallState::Ended(result) = &call.state else { return Vec::new() };
    let path = call.input("file_path").filter(|_| call.tool == "Read" && !result.is_error());
    let is_image = |path: &&str| {
        let kind = path.rsplit_once('.').map(|(_, kind)| kind.to_ascii_lowercase());
        kind.is_some_and(|kind| KINDS.contains(&kind.as_str()))
    };
    match path.filter(is_image) {
        Some(path) if model.pictures.drawn && model.pictures.of(&call.id).is_none() => {
            vec![Effect::ShowPicture { call: call.id.clone(), path: path.to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// The terminal has it. Another one that had its number is gone.
pub fn shown(model: &mut Model, call: &CallId, picture: Picture) {
    let known = &mut model.pictures.known;
    known.retain(|_, old| old.number != picture.number);
    known.insert(call.clone(), picture);
    model.transcript.change_call(call, |_| {});
}

/// The call at this place of the transcript was opened.
pub fn opened(model: &Model, at: usize) -> Vec<Effect> {
    match model.transcript.entries().get(at).map(|entry| &entry.body) {
        Some(Body::Call(call)) if call.open => wanted(model, call),
        _ => Vec::new(),
    }
}
