//! `update` and `draw` with a script, no runtime: whole screens compared.

#[path = "../support/mod.rs"]
mod support;
