//! Walking a tree for Grep and Glob: what git ignores is left out, hidden files are not, the
//! version control's own folders always are. Links are not followed.

use std::path::Path;
use std::time::{Duration, Instant};

use ignore::WalkBuilder;
use tokio_util::sync::CancellationToken;

use crate::tools::Outcome;

/// A search that takes longer is given as far as it came.
const LONGEST: Duration = Duration::from_secs(60);

/// `left_out`: what is not even named, or not looked into.
pub(super) fn walker(
    root: &Path,
    ignored: Ignored,
    left_out: impl Fn(&Path, bool) -> bool + Send + Sync + 'static,
) -> WalkBuilder {
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(ignored == Ignored::LeftOut)
        .hidden(false)
        .require_git(false)
        .follow_links(false)
        .threads(threads())
        .filter_entry(move |entry| {
            let name = entry.file_name();
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0
                || (![".git", ".hg", ".svn", ".jj"].iter().any(|folder| name == *folder)
                    && !left_out(entry.path(), is_dir))
        });
    walk
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignored {
    LeftOut,
    Included,
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |n| n.get().min(8))
}

/// When to stop: at an interrupt or when the time is over.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    cancel: CancellationToken,
    end: Instant,
}

impl Limit {
    pub fn new(cancel: &CancellationToken) -> Limit {
        Limit { cancel: cancel.clone(), end: Instant::now() + LONGEST }
    }

    pub fn reached(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() > self.end
    }
}

/// The root of a search must be there.
pub(super) fn check_root(root: &Path, shown: &str) -> Result<(), Outcome> {
    match root.symlink_metadata() {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Outcome::failed(format!("{shown}: no such file or directory."), "no such path"))
        }
    }
}
