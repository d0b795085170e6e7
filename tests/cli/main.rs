//! The real binary: exit codes, JSON lines, signals, the terminal left as found.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod headless;
mod pictures;
