//! The real binary: exit codes, JSON lines, signals, the terminal left as found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "acp")]
mod acp;
mod bad_days;
mod bad_input;
mod faults;
mod headless;
mod inline;
mod kills;
mod linear;
mod managed;
mod manners;
mod permissions;
mod pictures;
mod project;
mod sandbox;
mod screen;
mod slash;
mod survivors;
mod web_search;
