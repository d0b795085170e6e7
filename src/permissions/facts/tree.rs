//! What a command would meet that reads a whole folder.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::{Facts, Kind, resolve};
use crate::permissions::Policy;
use crate::permissions::access::Use;
use crate::permissions::programs::Below;
use crate::permissions::rule::List;
use crate::protocol::Sourced;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// A file that a deny rule, or failing that an ask rule, speaks of.
    pub stopped: Option<Stopped>,
    /// A link that leads out of the workspace.
    pub leaves: Option<PathBuf>,
    /// False where there was more than was looked at.
    pub complete: bool,
}

/// A file below a folder that a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    pub file: PathBuf,
    pub rule: Sourced<String>,
    pub deny: bool,
}

const MOST_ENTRIES: usize = 20_000;

/// Walks as the reader would: a command leaves nothing out.
pub(super) fn walk(facts: &Facts, root: &Path, below: Below, policy: &Policy) -> Tree {
    let mut tree = Tree { complete: true, ..Tree::default() };
    let entries = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .build()
        .flatten()
        .filter(|entry| entry.depth() > 0);
    for (seen, entry) in entries.enumerate() {
        if seen >= MOST_ENTRIES {
            tree.complete = false;
            break;
        }
        let Some(kind) = entry.file_type() else { continue };
        let path = entry.into_path();
        if kind.is_symlink() {
            if below == Below::Links {
                follow(facts, path, policy, &mut tree);
            }
        } else {
            stop(&[path], kind.is_dir(), policy, &mut tree);
        }
    }
    tree
}

fn follow(facts: &Facts, link: PathBuf, policy: &Policy, tree: &mut Tree) {
    let fact = resolve(&link);
    stop(&fact.steps, fact.kind == Kind::Folder, policy, tree);
    // What is below the target is not walked.
    if fact.kind == Kind::Folder && policy.rules.limits_reading() {
        tree.complete = false;
    }
    if !facts.inside(&fact) {
        tree.leaves.get_or_insert(link);
    }
}

fn stop(steps: &[PathBuf], is_dir: bool, policy: &Policy, tree: &mut Tree) {
    for list in [List::Deny, List::Ask] {
        let deny = list == List::Deny;
        let stronger = tree.stopped.as_ref().is_none_or(|before| deny && !before.deny);
        if let (true, Some(file)) = (stronger, steps.first())
            && let Some(rule) = policy.rules.stopping(list, Use::Reads, steps, is_dir)
        {
            tree.stopped = Some(Stopped { file: file.clone(), rule: rule.text.clone(), deny });
        }
    }
}
