//! Around each call that may change files: their contents are kept before it, and what it has made
//! of them is noted after it.

use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use crate::agent::dispatch::Call;
use crate::agent::journal::Journal;
use crate::agent::shared::{Shared, lock};
use crate::agent::undo::worktree::{self, Worktree};
use crate::agent::undo::{blocking, unkept};
use crate::context::git::TooSlow;
use crate::protocol::Level;
use crate::session::checkpoint;
use crate::session::watch::{self, Watch};
use crate::tools::Tool;

/// What was kept for a call that is about to run.
#[derive(Debug)]
pub enum Kept {
    Nothing,
    /// The file whose content was stored.
    File(PathBuf),
    /// A command may change anything; these files are looked at again when it has ended, and git is
    /// asked for others.
    Watched(Watch, Option<Box<Worktree>>),
}

/// Stores what the call is about to change and logs it, durably.
pub async fn keep(journal: &mut Journal, shared: &Shared, call: &Call, tool: &dyn Tool) -> Kept {
    let Some(blobs) = journal.blobs() else { return Kept::Nothing };
    if let Some(file) = tool.target(&call.input, &shared.cwd()) {
        let (id, path) = (call.id.clone(), file.clone());
        let kept = blocking(move || checkpoint::before(Some(id), [path.as_path()], &blobs)).await;
        let Some(kept) = kept else { return Kept::Nothing };
        if let Some(why) = unkept(&kept) {
            let text = format!(
                "What this file holds cannot be kept, so /undo will not bring it back: {why}"
            );
            shared.notice(Level::Warning, text).await;
        }
        journal.checkpoint(shared, kept).await;
        journal.sync(shared).await;
        return Kept::File(file);
    }
    if call.tool != "Bash" {
        return Kept::Nothing;
    }
    let mut files = journal.touched();
    let session = lock(&shared.session).clone();
    files.extend(lock(&session.seen).paths().map(Path::to_owned));
    let tree = match journal.asks_git() {
        true => worktree::look(&shared.cwd(), SystemTime::now()).await,
        false => Ok(None),
    };
    // Where git is slow it is asked once: a command is not to wait for it again.
    let tree = tree.unwrap_or_else(|TooSlow| {
        journal.leave_git();
        None
    });
    files.extend(tree.iter().flat_map(Worktree::dirty).map(Path::to_owned));
    let (cwd, input) = (shared.cwd(), call.input.clone());
    let watch = blocking(move || {
        files.extend(named(&input, &cwd));
        watch::begin(files)
    });
    let watch = watch.await;
    watch.map_or(Kept::Nothing, |watch| Kept::Watched(watch, tree.map(Box::new)))
}

/// Words of a command that are looked at.
const WORDS: usize = 64;

/// Files of the folder that a command names, also those that it may make by moving or copying
/// others. What only looks like a name is no file afterwards either.
fn named(input: &Value, cwd: &Path) -> Vec<PathBuf> {
    let command = input.get("command").and_then(Value::as_str).unwrap_or_default();
    let ends = |c: char| c.is_whitespace() || ";|&<>()\"'`".contains(c);
    let words: Vec<&str> =
        command.split(ends).filter(|word| !word.is_empty()).take(WORDS).collect();
    let mut files = Vec::new();
    for path in words.iter().map(|word| cwd.join(word)) {
        if path.is_dir() {
            let names = words.iter().filter_map(|word| Path::new(word).file_name());
            files.extend(names.map(|name| path.join(name)));
        } else {
            files.push(path);
        }
    }
    let is_inside = |path: &PathBuf| {
        path.starts_with(cwd) && !path.components().any(|part| part == Component::ParentDir)
    };
    files.retain(is_inside);
    files
}

/// Logs what the call has made of it.
pub async fn kept(journal: &mut Journal, shared: &Shared, call: &Call, kept: Kept) {
    let id = call.id.clone();
    match kept {
        Kept::Nothing => {}
        Kept::File(file) => {
            let after = blocking(move || checkpoint::after(Some(id), [file.as_path()])).await;
            if let Some(after) = after {
                journal.checkpoint(shared, after).await;
            }
        }
        Kept::Watched(watch, tree) => {
            let Some(blobs) = journal.blobs() else { return };
            let told = match &tree {
                Some(tree) => tree.since().await.unwrap_or_default(),
                None => Vec::new(),
            };
            let changed = blocking(move || watch.end(told, &id, &blobs)).await;
            if let Some((before, after)) = changed.flatten() {
                journal.checkpoint(shared, before).await;
                journal.checkpoint(shared, after).await;
            }
        }
    }
}
