//! Running commands: each in a session of its own without a terminal, with limits on time and
//! memory, its true head and tail kept, and nothing left running when it is stopped.
//!
//! *Invariant:* [`run`] returns within the timeout plus the bounded waits of the kill order, also
//! when the command ignores signals or leaves children behind that hold its output open.
//!
//! [`sandbox`] holds a command in, where its [`Spec`] says so.
//!
//! Not for deciding whether a command may run, and not for what its output means.

mod env;
mod keep;
mod run;
pub mod sandbox;
mod shell;
mod stop;

pub use env::{child_env, secret};
pub use keep::{INLINE, Output};
pub use run::{End, Ended, Spec, StartError, run};
pub use shell::shell;
pub use stop::Mark;
