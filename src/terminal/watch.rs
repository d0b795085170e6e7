//! Settings and themes that change while the screen is up: files are watched by the system, and
//! nothing wakes while they stay as they are.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::app::Look;
use crate::app::keys::Keymap;
use crate::view::theme::Library;

/// An editor writes a file in several steps.
const SETTLED: Duration = Duration::from_millis(150);

/// Settings of the screen, read anew.
#[derive(Debug)]
pub struct Fresh {
    pub themes: Library,
    pub look: Look,
    pub keymap: Keymap,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Dropping it ends the watching.
#[derive(Debug)]
pub struct Watch {
    changed: (UnboundedSender<Told>, UnboundedReceiver<Told>),
    watcher: Option<RecommendedWatcher>,
    /// When the files are to be read.
    pub due: Option<Instant>,
}

/// What comes from elsewhere.
#[derive(Debug)]
pub enum Told {
    Watching(RecommendedWatcher),
    Changed,
    Read(Box<Fresh>),
}

impl Watch {
    pub fn new() -> Watch {
        Watch { changed: unbounded_channel(), watcher: None, due: None }
    }

    pub fn sender(&self) -> UnboundedSender<Told> {
        self.changed.0.clone()
    }

    /// Never `None`: this keeps a sender.
    pub async fn next(&mut self) -> Option<Told> {
        self.changed.1.recv().await
    }

    /// What has been read, if that is what is told.
    pub fn take(&mut self, told: Told, now: Instant) -> Option<Box<Fresh>> {
        match told {
            Told::Watching(watcher) => self.watcher = Some(watcher),
            Told::Changed => self.due = Some(now + SETTLED),
            Told::Read(fresh) => return Some(fresh),
        }
        None
    }
}

/// Watches these folders, but not what lies deeper. Takes its time: not for the drawing thread.
/// Where the system cannot watch, nothing comes.
pub fn begin(folders: &[PathBuf], told: &UnboundedSender<Told>) {
    let sender = told.clone();
    let changed = move |event: notify::Result<notify::Event>| {
        let matters = event.is_ok_and(|event| {
            !matches!(event.kind, EventKind::Access(_))
                && event.paths.iter().any(|path| path.extension().is_some_and(|ext| ext == "toml"))
        });
        if matters {
            let _ = sender.send(Told::Changed);
        }
    };
    let Ok(mut watcher) = notify::recommended_watcher(changed) else { return };
    let watched = folders
        .iter()
        .filter(|folder| watcher.watch(folder, RecursiveMode::NonRecursive).is_ok())
        .count();
    if watched > 0 {
        let _ = told.send(Told::Watching(watcher));
    }
}
