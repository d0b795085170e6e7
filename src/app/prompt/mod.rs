//! The prompt: text being written, its pasted pieces, and the prompts before it.

mod history;
pub mod paste;

pub use history::{History, HistorySearch};
pub use paste::Paste;

use crate::app::edit::{Editor, Lines, Place};
use crate::app::keys::Edit;

#[derive(Debug, Clone)]
pub struct Prompt {
    pub editor: Editor,
    /// Texts that stand in the prompt as a mark each.
    pub pastes: Vec<Paste>,
    pub history: History,
    pub search: Option<HistorySearch>,
}

/// A prompt put aside: what it says, and what its marks stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    pub text: String,
    pub pastes: Vec<Paste>,
}

impl Default for Prompt {
    fn default() -> Prompt {
        Prompt {
            editor: Editor::new(Lines::Many),
            pastes: Vec::new(),
            history: History::default(),
            search: None,
        }
    }
}

impl Prompt {
    pub fn is_empty(&self) -> bool {
        self.editor.is_empty()
    }

    /// As it goes to the model: marks replaced by what they stand for.
    pub fn expanded(&self) -> String {
        paste::expand(&self.editor.text(), &self.pastes)
    }

    pub fn draft(&self) -> Draft {
        Draft { text: self.editor.text(), pastes: self.pastes.clone() }
    }

    pub fn restore(&mut self, draft: Draft) {
        self.editor.set(&draft.text);
        self.pastes = draft.pastes;
    }

    /// Empties the prompt; what stood there can be had back with *up*.
    pub fn clear(&mut self) {
        if !self.is_empty() {
            self.history.add(self.draft());
        }
        self.restore(Draft::default());
    }

    pub fn insert(&mut self, text: &str) {
        self.history.leave();
        self.editor.insert(text);
    }

    /// Puts `text` in the place of what stands between a place and the cursor, in the same line.
    pub fn replace_from(&mut self, from: Place, text: &str) {
        let cursor = self.editor.cursor();
        self.history.leave();
        self.editor.remove(from.line, from.column, cursor.column);
        self.editor.insert(text);
    }

    /// Moves the cursor; never into a mark.
    pub fn jump(&mut self, place: Place) {
        let before = self.editor.cursor();
        self.history.leave();
        self.editor.jump(place);
        self.leave_mark(place < before);
    }

    /// Small texts are inserted, large ones stand as a mark.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if paste::is_large(&text) {
            let mark = paste::mark(&text, &self.pastes);
            self.insert(&mark);
            self.pastes.push(Paste { mark, text });
        } else {
            self.insert(&text);
        }
    }

    /// A mark is one thing: the cursor never stands in it, and deleting any of it deletes it.
    pub fn edit(&mut self, edit: Edit) -> bool {
        if let Some((line, start, end)) = self.mark_beside(edit) {
            self.editor.remove(line, start, end);
            self.history.leave();
            return true;
        }
        let before = self.editor.cursor();
        let changed = self.editor.edit(edit);
        if changed {
            self.history.leave();
        }
        self.leave_mark(self.editor.cursor() < before);
        changed
    }

    pub fn up(&mut self, width: usize) {
        if self.editor.step_row(width, false) {
            self.leave_mark(true);
        } else if let Some(draft) = self.history.older(&self.draft()) {
            self.restore(draft);
        }
    }

    pub fn down(&mut self, width: usize) {
        if self.editor.step_row(width, true) {
            self.leave_mark(false);
        } else if let Some(draft) = self.history.newer() {
            self.restore(draft);
        }
    }

    /// Puts the text of a mark in its place: the one at the cursor, else the first. False if there
    /// is none.
    pub fn expand(&mut self) -> bool {
        let cursor = self.editor.cursor();
        let here = |(line, start, end): &(usize, usize, usize)| {
            *line == cursor.line && (*start..=*end).contains(&cursor.column)
        };
        let lines = self.editor.lines().to_vec();
        let marks: Vec<(usize, usize, usize)> = (0..lines.len())
            .flat_map(|line| {
                self.marks(&lines[line]).into_iter().map(move |(start, end)| (line, start, end))
            })
            .collect();
        let Some((line, start, end)) =
            marks.iter().copied().find(here).or_else(|| marks.first().copied())
        else {
            return false;
        };
        let mark: String = lines[line].chars().skip(start).take(end - start).collect();
        let Some(at) = self.pastes.iter().position(|paste| paste.mark == mark) else {
            return false;
        };
        let text = self.pastes[at].text.clone();
        self.history.leave();
        self.editor.jump(Place { line, column: end });
        self.editor.remove(line, start, end);
        self.editor.insert(&text);
        true
    }

    /// A backslash before the cursor, which enter turns into a new line.
    pub fn ends_with_backslash(&self) -> bool {
        let cursor = self.editor.cursor();
        let line = &self.editor.lines()[cursor.line];
        cursor.column > 0 && line.chars().nth(cursor.column - 1) == Some('\\')
    }

    /// The marks in a line: first and behind last character.
    pub fn marks(&self, line: &str) -> Vec<(usize, usize)> {
        paste::find(line, &self.pastes)
    }

    fn mark_beside(&self, edit: Edit) -> Option<(usize, usize, usize)> {
        let cursor = self.editor.cursor();
        let marks = self.marks(&self.editor.lines()[cursor.line]);
        let (start, end) = match edit {
            Edit::DeleteBack | Edit::DeleteWordBack => {
                marks.into_iter().find(|(_, end)| *end == cursor.column)?
            }
            Edit::DeleteForward | Edit::DeleteWordForward => {
                marks.into_iter().find(|(start, _)| *start == cursor.column)?
            }
            _ => return None,
        };
        Some((cursor.line, start, end))
    }

    fn leave_mark(&mut self, toward_start: bool) {
        let cursor = self.editor.cursor();
        let marks = self.marks(&self.editor.lines()[cursor.line]);
        let inside = |(start, end): &(usize, usize)| *start < cursor.column && cursor.column < *end;
        if let Some((start, end)) = marks.into_iter().find(inside) {
            let column = if toward_start { start } else { end };
            self.editor.jump(Place { column, ..cursor });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_paste_is_one_thing() {
        let text = "line\n".repeat(312);
        let mut prompt = Prompt::default();
        prompt.insert("fix ");
        prompt.paste(&text);
        prompt.insert(" please");
        assert_eq!(prompt.editor.text(), "fix [pasted 312 lines] please");
        assert_eq!(prompt.expanded(), format!("fix {text} please"));

        for _ in 0..8 {
            prompt.edit(Edit::Left);
        }
        assert_eq!(prompt.editor.cursor().column, 4, "over the mark in one step");
        prompt.edit(Edit::Right);
        assert_eq!(prompt.editor.cursor().column, 22);
        prompt.edit(Edit::DeleteBack);
        assert_eq!(prompt.editor.text(), "fix  please");
        prompt.edit(Edit::Undo);
        assert_eq!(prompt.expanded(), format!("fix {text} please"));
    }

    #[test]
    fn a_mark_is_opened_where_it_stands() {
        let text = "line\n".repeat(12);
        let mut prompt = Prompt::default();
        assert!(!prompt.expand());
        prompt.insert("fix ");
        prompt.paste(&text);
        prompt.insert(" please");
        assert!(prompt.expand());
        assert_eq!(prompt.editor.text(), format!("fix {text} please"));
        assert_eq!(prompt.expanded(), format!("fix {text} please"));
        prompt.edit(Edit::Undo);
        prompt.edit(Edit::Undo);
        assert_eq!(prompt.expanded(), format!("fix {text} please"), "undone, it is a mark again");
    }

    #[test]
    fn two_pastes_of_one_size_stay_two() {
        let mut prompt = Prompt::default();
        prompt.paste(&"a\n".repeat(20));
        prompt.paste(&"b\n".repeat(20));
        assert_eq!(prompt.editor.text(), "[pasted 20 lines][pasted 20 lines ·2]");
        assert_eq!(prompt.expanded(), format!("{}{}", "a\n".repeat(20), "b\n".repeat(20)));
    }

    #[test]
    fn a_small_paste_is_text() {
        let mut prompt = Prompt::default();
        prompt.paste("two\r\nlines\rthree");
        assert_eq!(prompt.editor.text(), "two\nlines\nthree");
    }

    #[test]
    fn up_goes_to_earlier_prompts_and_down_comes_back() {
        let mut prompt = Prompt::default();
        for text in ["first", "second"] {
            prompt.insert(text);
            prompt.clear();
        }
        prompt.insert("draft");
        let mut walk = Vec::new();
        for up in [true, true, true, false, false, false] {
            if up {
                prompt.up(40);
            } else {
                prompt.down(40);
            }
            walk.push(prompt.editor.text());
        }
        assert_eq!(walk, ["second", "first", "first", "second", "draft", "draft"]);
    }
}
