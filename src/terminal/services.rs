//! What the screen needs besides the agent: earlier sessions, money, settings, keys.

use std::path::{Path, PathBuf};

use crate::app::Setting;
use crate::app::panels::cost::{By, Report};
use crate::app::panels::history::{Change, Looks, Preview, SessionRow};
use crate::app::panels::memory::MemoryRow;
use crate::app::panels::settings::{Layer, SettingRow};
use crate::app::start::Found;
use crate::protocol::{MessageId, SessionId};
use crate::terminal::Fresh;

/// Every function may take its time: they are called off the drawing thread. Errors are one
/// sentence for a person.
pub trait Services: Send + Sync + std::fmt::Debug {
    /// Newest first. An empty `query` lists all; otherwise those where it was said, best first.
    fn sessions(&self, query: &str, looks: Looks) -> Result<Vec<SessionRow>, String>;

    /// The ends of the conversation, or what stands around a record of it.
    fn preview(&self, session: &SessionId, around: Option<&MessageId>) -> Result<Preview, String>;

    /// Instruction files, in the order that the model gets them.
    fn memory(&self) -> Vec<MemoryRow>;

    /// Writes a note into an instruction file, or takes it `back`. The answer says in words what
    /// was done.
    fn note(&self, _file: &Path, _text: &str, _back: bool) -> Result<String, String> {
        Err("notes are not kept here".to_owned())
    }

    /// Every setting as it stands.
    fn all_settings(&self) -> Vec<SettingRow> {
        Vec::new()
    }

    /// The answer says in words what was done.
    fn save_setting(&self, _name: &str, _value: &str, _layer: Layer) -> Result<String, String> {
        Err("settings are not kept here".to_owned())
    }

    /// The answer says in words what was done.
    fn change_session(&self, session: &SessionId, change: &Change) -> Result<String, String>;

    fn costs(&self, by: By) -> Result<Report, String>;

    /// Keeps a setting; the answer says in words what was done.
    fn save(&self, setting: &Setting) -> Result<String, String>;

    /// Keys in the environment and model servers on this machine.
    fn find(&self) -> Found;

    /// Prompts of earlier sessions, newest last.
    fn prompts(&self) -> Vec<String>;

    /// Adds to them.
    fn remember(&self, prompt: &str);

    /// Folders whose `.toml` files hold settings of the screen.
    fn watched(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Those settings, read anew; `None` where there are none to read.
    fn settings(&self) -> Option<Fresh> {
        None
    }
}

/// For a screen that stands alone: nothing is found and nothing kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoServices;

impl Services for NoServices {
    fn sessions(&self, _query: &str, _looks: Looks) -> Result<Vec<SessionRow>, String> {
        Ok(Vec::new())
    }

    fn preview(&self, _: &SessionId, _: Option<&MessageId>) -> Result<Preview, String> {
        Ok(Preview::default())
    }

    fn memory(&self) -> Vec<MemoryRow> {
        Vec::new()
    }

    fn change_session(&self, _: &SessionId, _: &Change) -> Result<String, String> {
        Err("sessions are not kept here".to_owned())
    }

    fn costs(&self, _by: By) -> Result<Report, String> {
        Ok(Report::default())
    }

    fn save(&self, _setting: &Setting) -> Result<String, String> {
        Err("settings are not kept here".to_owned())
    }

    fn find(&self) -> Found {
        Found::default()
    }

    fn prompts(&self) -> Vec<String> {
        Vec::new()
    }

    fn remember(&self, _prompt: &str) {}
}
