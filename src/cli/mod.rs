//! Chooses a driver and maps errors to exit codes.
pub mod permissions;
