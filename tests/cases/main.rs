//! The example cases (`*.jsonl`, `streams/`), each a sample of a class, run against the library
//! and the real program.

#[path = "../support/mod.rs"]
mod support;

mod edit;
mod permission;
mod session_log;
mod sse;
mod streams;
mod terminal;
