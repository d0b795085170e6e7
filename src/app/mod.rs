//! What the screen knows: a pure Elm-style state machine.
//!
//! [`update`] takes the [`Model`] and one [`Msg`] and returns [`Effect`]s: orders for the driver,
//! as data. There is no runtime, no clock, no file and no terminal in here; time, key presses and
//! the agent's events all arrive as messages, so a whole session can be replayed in a test.
//!
//! Not for drawing: `view` reads the model and never changes it.

mod act;
mod agent_events;
pub mod agents;
pub mod browse;
pub mod calls;
pub mod clean;
pub mod complete;
pub mod dialog;
mod earlier;
pub mod edit;
pub mod effect;
pub mod keys;
pub mod model;
pub mod msg;
pub mod panels;
pub mod pictures;
pub mod prompt;
pub mod queue;
pub mod scroll;
pub mod search;
pub mod select;
pub mod slash;
pub mod spend;
pub mod start;
pub mod submit;
pub mod transcript;
mod update;
pub mod vim;

pub use effect::{Effect, Secret, Setting};
pub use model::{Activity, Focus, Look, Model, SessionInfo, Toast};
pub use msg::{Millis, Msg, Reply};
pub use update::update;
