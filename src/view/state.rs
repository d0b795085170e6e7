//! What drawing keeps from frame to frame: rows that have been made, colours of code, the theme.

use std::ops::Range;
use std::rc::Rc;

use ratatui::text::Line;

use crate::app::Model;
use crate::app::transcript::Body;
use crate::view::cache::{Cache, Key};
use crate::view::code::Colours;
use crate::view::entry;
use crate::view::group;
use crate::view::links::Links;
use crate::view::marks::{self, Marks};
use crate::view::theme::{ColorDepth, Library, Theme};

#[derive(Debug)]
pub struct State {
    pub theme: Rc<Theme>,
    /// What the last frame had to do.
    pub work: Work,
    themes: Library,
    depth: ColorDepth,
    pub(super) cache: Cache,
    /// What the cache had counted before the frame.
    wraps: u64,
    /// Columns of the transcript's text.
    width: u16,
    /// The entry at the top of the last frame, so that the text stays when it is wrapped anew.
    pub(super) top: Option<Top>,
    pub(super) dialog: Option<super::dialog::Rows>,
    pub(super) changes: Option<super::panels::ChangedRows>,
}

/// Work is counted, so that tests can tell that it follows what changed and not what exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Entries, or units of streamed Markdown, that were wrapped.
    pub wrapped: u64,
    /// Entries whose height was asked for.
    pub entries: u64,
    /// Rows of the transcript that were drawn.
    pub drawn: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Top {
    pub id: u64,
    pub width: u16,
    pub height: usize,
}

/// What a new entry is taken to be high before it is drawn.
const GUESS: usize = 4;

impl State {
    /// `themes`: the built-in ones and the person's own.
    pub fn new(themes: Library, depth: ColorDepth) -> State {
        State {
            theme: Rc::new(themes.theme("dark").0.reduced(depth)),
            work: Work::default(),
            themes,
            depth,
            cache: Cache::new(),
            wraps: 0,
            width: 0,
            top: None,
            dialog: None,
            changes: None,
        }
    }

    /// Themes read anew; the present one is taken from them at the next frame.
    pub fn set_themes(&mut self, themes: Library) {
        self.themes = themes;
        Rc::make_mut(&mut self.theme).name.clear();
    }

    /// Colours of code, to be worked out off the drawing path.
    pub fn colours(&mut self) -> &mut Colours {
        &mut self.cache.colours
    }

    /// Addresses of links in what has been drawn.
    pub fn links(&self) -> &Links {
        &self.cache.colours.links
    }

    pub(super) fn marks(&self, model: &Model) -> &'static Marks {
        marks::marks(model.look.ascii)
    }

    /// Before a frame: the model's theme, and nothing counted yet.
    pub(super) fn begin(&mut self, model: &Model) {
        self.work = Work::default();
        self.wraps = self.cache.wraps();
        if self.theme.name != model.look.theme {
            let mut theme = self.themes.theme(&model.look.theme).0.reduced(self.depth);
            // A theme that is not there is drawn as the one that stands in for it.
            model.look.theme.clone_into(&mut theme.name);
            self.theme = Rc::new(theme);
        }
    }

    /// Before the transcript is drawn at `width` columns.
    pub(super) fn begin_transcript(&mut self, model: &Model, width: u16) {
        self.width = width;
        self.cache.set_look(width, &self.theme);
        let entries = model.transcript.entries();
        self.cache.set_first(entries.first().map(|entry| entry.id));
        self.cache.set_len(entries.len(), |_| GUESS);
    }

    /// Rows of an entry.
    pub(super) fn height(&mut self, model: &Model, index: usize) -> usize {
        self.work.entries += 1;
        self.rows(model, index, 0..0).len()
    }

    /// All rows of an entry; `seen` are those that will be drawn, which get their colours.
    pub(super) fn rows(
        &mut self,
        model: &Model,
        index: usize,
        seen: Range<usize>,
    ) -> &[Line<'static>] {
        let Some(entry) = model.transcript.entries().get(index) else { return &[] };
        let key = Key { id: entry.id, revision: entry.revision.into(), gap: 0 };
        let marks = self.marks(model);
        let (theme, width) = (&self.theme, self.width);
        if model.transcript.is_hidden(index) {
            return &[];
        }
        let folded = model.transcript.folded(index);
        if !folded.is_empty() {
            let columns = usize::from(width);
            return self.cache.rows(index, key, |_| vec![group::line(folded, columns, theme)]);
        }
        match &entry.body {
            Body::Prose { text, live } => self.cache.markdown(index, key, text, !live, theme, seen),
            body => self
                .cache
                .rows(index, key, |colours| entry::rows(model, body, width, theme, marks, colours)),
        }
    }

    /// Rows of an entry as they are on the screen, or as they would be at another width.
    pub(super) fn entry_rows(
        &mut self,
        model: &Model,
        index: usize,
        width: Option<u16>,
    ) -> Vec<Line<'static>> {
        let Some(width) = width else { return self.rows(model, index, 0..0).to_vec() };
        let Some(entry) = model.transcript.entries().get(index) else { return Vec::new() };
        let marks = self.marks(model);
        let theme = Rc::clone(&self.theme);
        entry::rows(model, &entry.body, width, &theme, marks, &mut self.cache.colours)
    }

    /// After a frame: what the cache has counted.
    pub(super) fn end(&mut self) {
        self.work.wrapped += self.cache.wraps() - self.wraps;
    }
}
