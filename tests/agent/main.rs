//! The agent against scripted and fake servers: outbound requests and whole event lists.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod bad_days;
mod budget;
mod changes;
mod checks;
mod circle;
mod compaction;
mod deferred;
mod economy;
mod faults;
mod hooks;
mod jobs;
mod loops;
mod memory;
mod mention;
mod permission;
mod pictures;
mod questions;
mod queue;
mod recovery;
mod resume;
mod rewind;
mod servers;
mod side;
mod switch;
mod too_long;
mod trust;
mod undo;
mod web;
mod window;
