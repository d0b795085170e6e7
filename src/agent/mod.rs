//! The query loop: what talks to the model and runs tools.
pub mod fold;
pub mod recover;
