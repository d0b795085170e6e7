//! Chooses a driver and maps errors to exit codes.

pub mod completions;
pub mod config;
pub mod cost;
pub mod doctor;
pub mod login;
pub mod models;
pub mod sessions;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::dirs::Dirs;

/// The environment variables, those that are UTF-8.
pub type Vars = BTreeMap<String, String>;

/// What every subcommand may look at.
#[derive(Debug, Clone)]
pub struct Env {
    pub dirs: Dirs,
    pub cwd: PathBuf,
    pub vars: Vars,
}
