//! Two texts, and what lies between them: hunks with word spans, and a text made from the hunks
//! that someone kept. Not for styling, and not for deciding what to keep.
//!
//! A line is what ends with `\n`; a `\r` before it stays in the line's text, so that a change of
//! line ends is a change that can be seen, and so that [`apply`] gives back every byte. The same
//! two texts always give the same hunks (work is bounded by size, never by the clock): a hunk
//! that was approved by its number is the hunk that is applied.

mod apply;
mod hunks;
mod words;

pub use apply::{Choice, Mismatch, apply, apply_choices};
pub use hunks::{counts, hunks};
