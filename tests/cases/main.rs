//! The example cases (`*.jsonl`, `streams/`), each a sample of a class, run against the library
//! and the real program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

#[path = "../support/mod.rs"]
mod support;

mod edit;
mod permission;
mod session_log;
mod sse;
mod streams;
mod terminal;
