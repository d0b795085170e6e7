//! Text as columns: how wide it is, where it breaks, how it is shortened, what of it is safe.
//!
//! Everything that foreign hands wrote passes [`clean()`] before it is measured or drawn; the
//! other functions rely on that and never see a control character but the line feed.
//!
//! Not for colours or widgets: a style is a type parameter here.

pub mod clean;
pub mod clip;
pub mod mention;
pub mod width;
pub mod wrap;

pub use clean::clean;
pub use width::{graphemes, width};
pub use wrap::{Piece, wrap};
