//! Around each call that may change files: their contents are kept before it, and what it has made
//! of them is noted after it.

use std::path::{Path, PathBuf};

use crate::agent::dispatch::Call;
use crate::agent::journal::Journal;
use crate::agent::shared::{Shared, lock};
use crate::agent::undo::{blocking, unkept};
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
    /// A command may change anything; these files are looked at again when it has ended.
    Watched(Watch),
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
    blocking(move || watch::begin(files)).await.map_or(Kept::Nothing, Kept::Watched)
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
        Kept::Watched(watch) => {
            let Some(blobs) = journal.blobs() else { return };
            if let Some((before, after)) = blocking(move || watch.end(&id, &blobs)).await.flatten()
            {
                journal.checkpoint(shared, before).await;
                journal.checkpoint(shared, after).await;
            }
        }
    }
}
