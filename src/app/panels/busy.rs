//! The panel that opens where another program has the wanted session open.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::panels::{Kind, open as open_panel};
use crate::protocol::{Command, SessionId};

/// What can be done instead, and what it means.
pub const CHOICES: [(&str, &str); 4] = [
    ("go on in a copy", "the session stays with the other program"),
    ("look at it", "as it is now; nothing is sent or written"),
    ("try again", "once the other program is closed"),
    ("begin a new session", ""),
];

pub fn open(model: &mut Model, session: SessionId) {
    model.pending.clear();
    open_panel(model, Kind::Busy(session));
}

pub fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(panel) = model.panel.take() else { return Vec::new() };
    let Kind::Busy(session) = panel.kind else { return Vec::new() };
    let command = match panel.at {
        0 => Command::Fork { session: Some(session) },
        1 => {
            model.view = Some(session.clone());
            Command::View { session }
        }
        2 => Command::Resume { session },
        _ => Command::Clear,
    };
    vec![Effect::Send(command)]
}
