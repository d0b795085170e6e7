//! What the tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod bill;
pub mod gate;
pub mod logs;
pub mod online;
pub mod pty;
pub mod screen;
pub mod script;
pub mod server;
pub mod session;
pub mod shown;
pub mod tern;
pub mod wire;
