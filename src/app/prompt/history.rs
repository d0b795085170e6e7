//! Earlier prompts, newest last, and searching in them.

use crate::app::edit::{Editor, Lines};
use crate::app::prompt::Draft;

const KEPT: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub struct History {
    items: Vec<Draft>,
    /// Where *up* has gone to, and what was being written before.
    at: Option<(usize, Draft)>,
}

impl History {
    /// Prompts of earlier sessions, which go before this one's.
    pub fn load(&mut self, prompts: Vec<String>) {
        let earlier = prompts.into_iter().map(|text| Draft { text, pastes: Vec::new() });
        self.items.splice(0..0, earlier);
        self.at = None;
        self.trim();
    }

    /// The same prompt twice in a row is kept once.
    pub fn add(&mut self, draft: Draft) {
        self.at = None;
        if self.items.last() != Some(&draft) {
            self.items.push(draft);
        }
        self.trim();
    }

    pub fn older(&mut self, current: &Draft) -> Option<Draft> {
        let (index, draft) = match self.at.take() {
            Some((index, draft)) => (index.checked_sub(1), draft),
            None => (self.items.len().checked_sub(1), current.clone()),
        };
        let item = index.and_then(|index| self.items.get(index)).cloned();
        self.at = match index {
            Some(index) => Some((index, draft)),
            None if self.items.is_empty() => None,
            None => Some((0, draft)),
        };
        item
    }

    pub fn newer(&mut self) -> Option<Draft> {
        let (index, draft) = self.at.take()?;
        match self.items.get(index + 1) {
            Some(item) => {
                self.at = Some((index + 1, draft));
                Some(item.clone())
            }
            None => Some(draft),
        }
    }

    /// The text is being changed: it is a draft of its own now.
    pub fn leave(&mut self) {
        self.at = None;
    }

    fn trim(&mut self) {
        let surplus = self.items.len().saturating_sub(KEPT);
        self.items.drain(..surplus);
    }

    /// The newest prompt before `before` that holds `query`.
    fn find(&self, query: &str, before: usize) -> Option<usize> {
        let query = query.to_lowercase();
        let before = before.min(self.items.len());
        self.items[..before].iter().rposition(|item| item.text.to_lowercase().contains(&query))
    }
}

/// Search in earlier prompts, from the newest back.
#[derive(Debug, Clone)]
pub struct HistorySearch {
    pub field: Editor,
    at: Option<usize>,
}

impl HistorySearch {
    pub fn new(history: &History) -> HistorySearch {
        HistorySearch { field: Editor::new(Lines::One), at: history.items.len().checked_sub(1) }
    }

    /// After a change of the query.
    pub fn find(&mut self, history: &History) {
        self.at = history.find(&self.field.text(), usize::MAX);
    }

    pub fn older(&mut self, history: &History) {
        if let Some(found) = self.at.and_then(|at| history.find(&self.field.text(), at)) {
            self.at = Some(found);
        }
    }

    pub fn found<'a>(&self, history: &'a History) -> Option<&'a Draft> {
        self.at.and_then(|at| history.items.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_finds_the_newest_first() {
        let mut history = History::default();
        history.load(["fix parser", "add tests", "Fix lexer"].map(str::to_owned).to_vec());
        let mut search = HistorySearch::new(&history);
        let found = |search: &HistorySearch| search.found(&history).map(|item| item.text.clone());
        search.field.insert("fix");
        search.find(&history);
        assert_eq!(found(&search).as_deref(), Some("Fix lexer"));
        search.older(&history);
        search.older(&history);
        assert_eq!(found(&search).as_deref(), Some("fix parser"));
        search.field.insert("nothing");
        search.find(&history);
        assert_eq!(found(&search), None);
    }
}
