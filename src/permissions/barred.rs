//! What the rules keep from being read, for tools that look through whole folders: they leave it
//! out instead of asking about the search.
//!
//! The call itself was judged by its own path; this is about what lies below that.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::access::Use;
use super::rule::{List, RuleSet};

#[derive(Debug, Clone, Default)]
pub struct Barred {
    /// `None`: no rule speaks of reading.
    rules: Option<Arc<RuleSet>>,
}

impl Barred {
    pub fn of(rules: &RuleSet) -> Barred {
        let of_paths =
            RuleSet { deny: rules.deny.clone(), ask: rules.ask.clone(), ..RuleSet::default() };
        Barred { rules: of_paths.limits_reading().then(|| Arc::new(of_paths)) }
    }

    /// For a look through the folder `root`.
    pub fn below(&self, root: &Path) -> BarredBelow {
        let real = std::fs::canonicalize(root).ok().filter(|real| real != root);
        BarredBelow {
            rules: self.rules.clone(),
            root: root.to_owned(),
            real,
            left_out: Arc::default(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct BarredBelow {
    rules: Option<Arc<RuleSet>>,
    root: PathBuf,
    /// Where `root` really is, if not there.
    real: Option<PathBuf>,
    left_out: Arc<AtomicUsize>,
}

impl BarredBelow {
    /// Whether the content of a path below the root is left out: a rule denies reading it, or wants
    /// a question for it alone.
    pub fn content(&self, path: &Path, is_dir: bool) -> bool {
        self.stops(&[List::Deny, List::Ask], path, is_dir)
    }

    /// Whether its very name is: a rule denies reading it.
    pub fn name(&self, path: &Path, is_dir: bool) -> bool {
        self.stops(&[List::Deny], path, is_dir)
    }

    /// Says how much was left out, without a name; `None`: nothing.
    pub fn note(&self) -> Option<String> {
        match self.left_out.load(Ordering::Relaxed) {
            0 => None,
            1 => Some("1 path left out: a rule keeps it from being read".to_owned()),
            n => Some(format!("{n} paths left out: rules keep them from being read")),
        }
    }

    fn stops(&self, lists: &[List], path: &Path, is_dir: bool) -> bool {
        let Some(rules) = &self.rules else { return false };
        let mut steps = vec![super::path::tidy(path)];
        if let (Some(real), Ok(rest)) = (&self.real, path.strip_prefix(&self.root)) {
            steps.push(real.join(rest));
        }
        let stops =
            lists.iter().any(|list| rules.stopping(*list, Use::Reads, &steps, is_dir).is_some());
        if stops {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        stops
    }
}
