//! Keys and what they do: [`table`] holds THE list of named actions, [`Keymap`] binds keys to
//! them, and help, the which-key line and dialog borders are made from both.

mod bind;
mod context;
mod press;
pub mod table;

pub use bind::{KeyProblem, Keymap, Pressed, Written, spell};
pub use context::Context;
pub use press::Key;
pub use table::{ACTIONS, Action, Edit};
