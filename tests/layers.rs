//! The layers of the crate, held by a text scan.
