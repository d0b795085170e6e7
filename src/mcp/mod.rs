//! Servers of the Model Context Protocol: what they are, how they are reached, what they offer.
//!
//! `define` reads a server's definition, [`sources`] finds all of them, [`approve`] remembers what
//! the person has let in, `connect` and `client` speak to one server, [`servers`] keeps all of a
//! session. Everything of the protocol library stays in here; what goes out is plain data.
//!
//! *Invariants:* no server of a project starts before its folder is trusted, and none whose command
//! or tools are no longer those that were let in; what a server says about its own tools never
//! lowers what is asked; everything from a server has a limit in size and in time.
//!
//! Not for deciding whether a tool may be called: a server's tools pass the same gate as all others.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are on their way out of the protocol, and every server of the revisions with a handshake may still use them"
)]

pub mod approve;
pub mod auth;
mod cache;
mod client;
pub mod connect;
pub mod content;
pub mod define;
mod handler;
pub mod naming;
pub mod offer;
mod schema;
pub mod servers;
pub mod sources;

pub use define::{Definition, How};
pub use handler::{Elicited, Field, FieldKind, Form, Host, Sampled, Sampling};
pub use offer::{Offer, PromptOffer, ToolOffer};
pub use servers::{Act, Places, Servers};

/// Why a server cannot be used, as a sentence for the person and the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    #[error("{0}")]
    Start(String),
    #[error("it did not answer within {0} s")]
    Slow(u64),
    #[error("it wants you to log in")]
    Login,
    #[error("{0}")]
    Refused(String),
    /// The connection ended.
    #[error("the connection to it ended{}", words(.0))]
    Gone(String),
    #[error("{0}")]
    Protocol(String),
    #[error("interrupted")]
    Interrupted,
}

fn words(last: &str) -> String {
    if last.is_empty() { String::new() } else { format!("; its last words: {last}") }
}
