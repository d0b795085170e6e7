//! Drawing: from the app's model to a frame.

pub mod code;
pub mod markdown;
pub mod rows;
pub mod stream;
pub mod theme;
