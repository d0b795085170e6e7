//! `update` and `draw` with a script, no runtime: whole screens compared.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

#[path = "../support/mod.rs"]
mod support;

mod budget;
mod changes;
mod dialog;
mod hostile;
mod inquiry;
mod panels;
mod prompt;
mod pty;
mod random;
mod settings;
mod sizes;
mod taken_up;
mod transcript;
mod trust;
mod undo;
mod window;
mod work;
