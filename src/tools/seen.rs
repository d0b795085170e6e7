//! What the model has read, with hashes: so that it edits only what it knows, and so that an
//! unchanged file need not be sent twice.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::session::record;
pub use crate::session::record::Extent;

/// Files that the model has seen in this session, by real path.
#[derive(Debug, Default)]
pub struct Seen {
    files: HashMap<PathBuf, Look>,
    /// Counts compactions.
    generation: u64,
    /// Looks since [`Seen::news`] was last asked.
    news: Vec<record::Look>,
    /// Files looked at or changed since [`Seen::touched`] was last asked.
    touched: BTreeSet<PathBuf>,
}

/// The last look at a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// SHA-256 of the bytes then.
    pub hash: String,
    pub extent: Extent,
    generation: u64,
}

impl Seen {
    pub fn note(&mut self, path: PathBuf, hash: String, extent: Extent) {
        // A name that is not text could not be written down and read back the same.
        if let Some(path) = path.to_str() {
            self.news.push(record::Look { path: path.to_owned(), hash: hash.clone(), extent });
        }
        self.touched.insert(path.clone());
        self.remember(path, hash, extent);
    }

    /// The files since this was last asked.
    pub fn touched(&mut self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut self.touched)
    }

    /// A look that stands in the log already.
    pub fn remember(&mut self, path: PathBuf, hash: String, extent: Extent) {
        let generation = self.generation;
        self.files.insert(path, Look { hash, extent, generation });
    }

    /// The looks since this was last asked, for the log.
    pub fn news(&mut self) -> Vec<record::Look> {
        std::mem::take(&mut self.news)
    }

    /// The files, in no order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    pub fn look(&self, path: &Path) -> Option<&Look> {
        self.files.get(path)
    }

    /// Whether the whole text with this hash still stands in the conversation.
    pub fn stands(&self, path: &Path, hash: &str) -> bool {
        self.files.get(path).is_some_and(|look| {
            look.hash == hash && look.extent == Extent::Whole && look.generation == self.generation
        })
    }

    /// The conversation was summarised: what was read is known, but no longer stands there.
    pub fn compacted(&mut self) {
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_whole_in_the_conversation_stands() {
        let mut seen = Seen::default();
        let path = Path::new("/a");
        assert!(!seen.stands(path, "1"));
        seen.note(path.into(), "1".into(), Extent::Whole);
        assert!(seen.stands(path, "1") && !seen.stands(path, "2"));
        seen.compacted();
        assert!(!seen.stands(path, "1") && seen.look(path).is_some());
        for extent in [Extent::Part, Extent::Edited] {
            seen.note(path.into(), "1".into(), extent);
            assert!(!seen.stands(path, "1"));
        }
    }
}
