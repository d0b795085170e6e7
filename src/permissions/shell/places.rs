//! In which directories a command may run, after the `cd`s before it.

use std::path::PathBuf;

use super::word::{Shape, Word};
use super::{Part, wrap};
use crate::permissions::path;

/// Directories in which something may run; `None`: any.
pub(super) type Places = Option<Vec<PathBuf>>;

/// Where the shell may be after a command that succeeded, and after one that failed.
#[derive(Clone)]
pub(super) struct Flow {
    pub ok: Places,
    pub failed: Places,
}

impl Flow {
    pub(super) fn stay(places: &Places) -> Flow {
        Flow { ok: places.clone(), failed: places.clone() }
    }

    pub(super) fn either(self) -> Places {
        union(self.ok, self.failed)
    }
}

pub(super) fn union(a: Places, b: Places) -> Places {
    let (mut all, more) = (a?, b?);
    for place in more {
        if !all.contains(&place) {
            all.push(place);
        }
    }
    (all.len() <= 4).then_some(all)
}

/// Built-in commands after which the shell may be anywhere.
pub(super) const MOVES: [&str; 7] = ["cd", "pushd", "popd", "eval", "source", ".", "exec"];

/// Where the shell may be after `part`.
pub(super) fn after(part: &Part, places: &Places) -> Flow {
    let names: Vec<String> = part.words.iter().map(Word::loose).collect();
    let moves = |name: &String| MOVES.contains(&name.as_str());
    match names.as_slice() {
        [cd, _] if cd == "cd" => {
            let target = part.words.get(1).map(Word::shape);
            let Some(Shape::Plain { text, home: false }) = target else {
                return Flow { ok: None, failed: places.clone() };
            };
            if text.starts_with('-') {
                return Flow { ok: None, failed: places.clone() };
            }
            let ok = places
                .as_ref()
                .map(|places| places.iter().map(|place| path::tidy(&place.join(&text))).collect());
            Flow { ok, failed: places.clone() }
        }
        names if names.first().is_some_and(moves) => Flow::stay(&None),
        names if names.iter().any(moves) && wrap::is_wrapper(names.first()) => Flow::stay(&None),
        _ => Flow::stay(places),
    }
}
