//! Instruction files of the folders that the work gets to: the model is told of them with the next
//! results, once.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::agent::conversation::Conversation;
use crate::agent::shared::{Shared, lock};
use crate::context::{MemoryFile, Place, nested};
use crate::protocol::Level;
use crate::session::read::Loaded;
use crate::session::record::Body;

/// Bytes of such files in one session: a project with one in every folder must not fill the
/// window.
const ALL: usize = 96 * 1024;

/// What was given, by real path.
#[derive(Debug)]
pub struct Nested {
    place: Place,
    /// When the session began: these stay in the conversation.
    base: BTreeSet<PathBuf>,
    given: BTreeSet<PathBuf>,
    bytes: usize,
    full: bool,
}

impl Nested {
    pub fn new(place: Place) -> Nested {
        let (base, given) = (BTreeSet::new(), BTreeSet::new());
        Nested { place, base, given, bytes: 0, full: false }
    }

    pub fn begun_with(&mut self, files: &[MemoryFile]) {
        let real = files.iter().filter_map(|file| std::fs::canonicalize(&file.path).ok());
        self.base.extend(real);
        self.forgotten();
    }

    /// What the log says was given on the branch that is taken up.
    pub fn taken_up(&mut self, loaded: &Loaded) {
        let (mut first, mut later) = (None, BTreeSet::new());
        for index in &loaded.branch {
            match loaded.entries[*index].kind {
                "context" => {
                    let record = loaded.record(*index);
                    let Some(Body::Context { files, .. }) = record.map(|record| record.body) else {
                        continue;
                    };
                    let real = files.iter().filter_map(|file| std::fs::canonicalize(file).ok());
                    match &mut first {
                        None => first = Some(real.collect::<BTreeSet<_>>()),
                        Some(_) => later.extend(real),
                    }
                }
                "compaction" => later.clear(),
                _ => {}
            }
        }
        self.base = first.unwrap_or_default();
        self.forgotten();
        self.given.extend(later);
    }

    /// The conversation was summarised: what was given in its course no longer stands there.
    pub fn forgotten(&mut self) {
        self.given.clone_from(&self.base);
        (self.bytes, self.full) = (0, false);
    }
}

impl Conversation {
    /// What counts for the files that were touched since this was last asked.
    pub async fn instructions(&mut self, shared: &Shared) -> Option<String> {
        let session = lock(&shared.session).clone();
        let touched = lock(&session.seen).touched();
        if touched.is_empty() || self.nested.full {
            return None;
        }
        let (place, mut given) = (self.nested.place.clone(), self.nested.given.clone());
        let read = tokio::task::spawn_blocking(move || {
            let memory = nested::read(&place, &touched, &mut given);
            (memory, given)
        });
        let (memory, given) = read.await.ok()?;
        self.nested.given = given;
        for notice in memory.notices {
            shared.notice(Level::Warning, notice).await;
        }
        if memory.text.is_empty() {
            return None;
        }
        let names: Vec<String> =
            memory.files.iter().map(|file| file.path.display().to_string()).collect();
        self.nested.bytes += memory.text.len();
        if self.nested.bytes > ALL {
            self.nested.full = true;
            let kib = ALL / 1024;
            let text = format!(
                "Instruction files of folders have come to more than {kib} KiB; no more are given."
            );
            shared.notice(Level::Warning, text).await;
            return None;
        }
        let cwd = shared.cwd();
        let short = memory
            .files
            .iter()
            .map(|file| file.path.strip_prefix(&cwd).unwrap_or(&file.path).display().to_string());
        let told = format!("Instructions of this place: {}", short.collect::<Vec<_>>().join(", "));
        shared.notice(Level::Info, told).await;
        self.journal.context(shared, String::new(), names).await;
        Some(memory.text)
    }
}
