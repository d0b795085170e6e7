//! Earlier prompts, newest last, and searching in them.

use std::collections::HashSet;

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

    /// The prompts that hold `query`, newest first; of equal ones the newest.
    fn find(&self, query: &str) -> Vec<usize> {
        let query = query.to_lowercase();
        let mut seen = HashSet::new();
        let found = self.items.iter().enumerate().rev().filter(|(_, item)| {
            item.text.to_lowercase().contains(&query) && seen.insert(item.text.as_str())
        });
        found.map(|(at, _)| at).collect()
    }
}

/// Search in earlier prompts, from the newest back.
#[derive(Debug, Clone)]
pub struct HistorySearch {
    pub field: Editor,
    /// Places of those that match, newest first.
    matches: Vec<usize>,
    /// Which of them is chosen.
    pub at: usize,
}

impl HistorySearch {
    pub fn new(history: &History) -> HistorySearch {
        HistorySearch { field: Editor::new(Lines::One), matches: history.find(""), at: 0 }
    }

    /// After a change of the query.
    pub fn find(&mut self, history: &History) {
        self.matches = history.find(&self.field.text());
        self.at = 0;
    }

    pub fn older(&mut self) {
        self.at = (self.at + 1).min(self.matches.len().saturating_sub(1));
    }

    pub fn newer(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    pub fn found<'a>(&self, history: &'a History) -> Option<&'a Draft> {
        let at = self.matches.get(self.at)?;
        history.items.get(*at)
    }

    /// Those that match, newest first.
    pub fn all<'a>(&'a self, history: &'a History) -> impl Iterator<Item = &'a Draft> + 'a {
        self.matches.iter().filter_map(|at| history.items.get(*at))
    }

    pub fn count(&self) -> usize {
        self.matches.len()
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
        search.older();
        search.older();
        assert_eq!(found(&search).as_deref(), Some("fix parser"));
        search.field.insert("nothing");
        search.find(&history);
        assert_eq!(found(&search), None);
    }
}
