//! What the tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

<<<<<<< HEAD
pub mod script;
pub mod session;
=======
pub mod server;
>>>>>>> wire
