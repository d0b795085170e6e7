//! Drawing: from the app's model to a frame.

pub mod cache;
pub mod code;
pub mod diff;
pub mod markdown;
pub mod rows;
pub mod stream;
pub mod theme;
