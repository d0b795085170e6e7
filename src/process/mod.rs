//! Running commands: each in a session of its own without a terminal, with limits on time and
//! memory, its true head and tail kept, and nothing left running when it is stopped.
//!
//! *Invariant:* [`run`] returns within the timeout plus the bounded waits of the kill order, also
//! when the command ignores signals or leaves children behind that hold its output open.
//!
//! [`Jobs`] are commands that go on in the background of a session; they end with it.
//!
//! [`sandbox`] holds a command in, where its [`Spec`] says so.
//!
//! Not for deciding whether a command may run, and not for what its output means.

mod env;
mod exchange;
pub mod jobs;
mod keep;
mod orphans;
mod run;
pub mod sandbox;
mod service;
mod shell;
mod stop;

pub use env::{child_env, secret};
pub use exchange::{Exchange, Exchanged, exchange};
pub use jobs::{Job, JobState, Jobs};
pub use keep::{INLINE, Output, spill};
pub use run::{End, Ended, Running, Spec, StartError, Tap, run, start};
pub use service::{Pipes, Service, serve};
pub use shell::shell;
pub use stop::Mark;
