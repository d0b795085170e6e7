//! Holding a command in: it cannot change files outside the writable folders, nor the protected
//! ones inside them, cannot read the hidden ones, and has no network unless the person consented.
//!
//! [`probe`] says what this machine can do, best first:
//!
//! 1. **bubblewrap**, when running it works. A view of the file system of its own, so protected
//!    paths inside a writable folder hold, also those that are not there yet; process, network and
//!    IPC namespaces of its own; a seccomp filter for what namespaces leave open.
//! 2. **Landlock and seccomp**, set on the child between fork and exec. Landlock can only add
//!    rights on the way down, so protected paths inside a writable folder cannot be held: they are
//!    compared before and after ([`Watch`]) and the person is told. Its other gaps: the owner can
//!    still change the mode and times of files outside, and programs that need a terminal or a
//!    socket of their own fail.
//! 3. **seatbelt** on macOS; untested.
//! 4. **None**, with the reason. Then [`Confine::new`] fails: running without is the caller's
//!    decision, never this module's.
//!
//! Landlock and the filter are set in the child itself, not by a program of ours in between: both
//! are compiled before the fork, so the child makes a handful of system calls and no allocation,
//! and no second start of tern, found by a path that an update may just have replaced, stands
//! between the decision and the command.
//!
//! Not for deciding what is writable or protected, and not for asking: both arrive in [`Policy`].

mod available;
mod confine;
mod layout;
mod repository;
mod seatbelt;
mod watch;

#[cfg(target_os = "linux")]
mod bubblewrap;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod stubs;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

pub use available::{Available, Kind, probe};
pub use confine::{Confine, Policy, SandboxError, Wrapped, wrap};
pub use repository::{Repository, repository};
pub use watch::Watch;
