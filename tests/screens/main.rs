//! `update` and `draw` with a script, no runtime: whole screens compared.

#[path = "../support/mod.rs"]
mod support;

mod dialog;
mod hostile;
mod panels;
mod prompt;
mod pty;
mod random;
mod sizes;
mod transcript;
mod work;
