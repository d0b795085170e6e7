//! Search in the transcript.

use regex::{Regex, RegexBuilder};

use crate::app::edit::{Editor, Lines};
use crate::app::keys::Edit;
use crate::app::model::Model;
use crate::app::scroll::Scroll;

#[derive(Debug, Clone)]
pub struct Search {
    pub field: Editor,
    /// True while the field has the keys; afterwards `n` and `N` go on in the transcript.
    pub typing: bool,
    pub hits: Vec<Hit>,
    /// Index into `hits`.
    pub at: usize,
    pattern: Option<Regex>,
}

/// The `nth` match within an entry, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub entry: usize,
    pub nth: usize,
}

impl Search {
    fn new() -> Search {
        Search {
            field: Editor::new(Lines::One),
            typing: true,
            hits: Vec::new(),
            at: 0,
            pattern: None,
        }
    }

    pub fn pattern(&self) -> Option<&Regex> {
        self.pattern.as_ref()
    }
}

/// Words as typed; capitals matter only where the query has some.
pub fn pattern(query: &str) -> Option<Regex> {
    let insensitive = !query.chars().any(char::is_uppercase);
    let escaped = regex::escape(query);
    let regex = RegexBuilder::new(&escaped).case_insensitive(insensitive).build();
    regex.ok().filter(|_| !query.is_empty())
}

pub fn open(model: &mut Model) {
    model.search = Some(Search::new());
}

pub fn close(model: &mut Model) {
    model.search = None;
}

pub fn insert(model: &mut Model, text: &str) {
    if let Some(search) = &mut model.search {
        search.field.insert(text);
        find(model);
    }
}

pub fn edit(model: &mut Model, edit: Edit) {
    if let Some(search) = &mut model.search
        && search.field.edit(edit)
    {
        find(model);
    }
}

/// Goes to the next match, downward or upward, and round at the ends.
pub fn step(model: &mut Model, down: bool) {
    let Some(search) = &mut model.search else { return };
    let count = search.hits.len();
    if count == 0 {
        return;
    }
    search.at = if down { (search.at + 1) % count } else { (search.at + count - 1) % count };
    reveal(model);
}

fn find(model: &mut Model) {
    let Some(search) = &mut model.search else { return };
    search.pattern = pattern(&search.field.text());
    search.hits.clear();
    let Some(pattern) = &search.pattern else { return };
    for (entry, hit) in model.transcript.entries().iter().enumerate() {
        let matches = hit.body.parts().iter().map(|part| pattern.find_iter(part).count()).sum();
        search.hits.extend((0..matches).map(|nth| Hit { entry, nth }));
    }
    // The newest match that is not below what is on the screen.
    let top = model.seen.entries.last().map_or(usize::MAX, |(_, _, entry)| *entry);
    search.at = search.hits.iter().rposition(|hit| hit.entry <= top).unwrap_or_default();
    reveal(model);
}

fn reveal(model: &mut Model) {
    let Some(Hit { entry, nth }) =
        model.search.as_ref().and_then(|search| search.hits.get(search.at)).copied()
    else {
        return;
    };
    model.transcript.set_open(entry, true);
    model.scroll = Scroll::Match { entry, nth };
}
