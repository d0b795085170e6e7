//! Drawing: from the app's model to a frame.

pub mod code;
pub mod theme;
