//! The agent against scripted and fake servers: outbound requests and whole event lists.

#[path = "../support/mod.rs"]
mod support;

mod economy;
mod loops;
mod permission;
mod recovery;
mod resume;
mod undo;
