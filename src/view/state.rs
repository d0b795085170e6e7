//! What drawing keeps from frame to frame: rows that have been made, colours of code, the theme.

use std::collections::HashMap;
use std::rc::Rc;

use ratatui::text::Line;

use crate::app::Model;
use crate::app::transcript::{Body, Entry};
use crate::view::code::Colours;
use crate::view::entry;
use crate::view::marks::{self, Marks};
use crate::view::stream::Stream;
use crate::view::theme::{ColorDepth, Library, Theme};

/// Rows that are kept at most; what was not on the screen for longest goes first.
const MOST_ROWS: usize = 60_000;

#[derive(Debug)]
pub struct State {
    pub theme: Rc<Theme>,
    /// Colours of code, to be worked out off the drawing path.
    pub colours: Colours,
    /// What the last frame had to do.
    pub work: Work,
    themes: Library,
    depth: ColorDepth,
    entries: HashMap<u64, Kept>,
    rows: usize,
    frame: u64,
    /// Width and height of the entry at the top of the last frame, to stay there when it changes.
    pub(super) top: Option<Top>,
    pub(super) dialog: Option<super::dialog::Rows>,
}

/// Work is counted, so that tests can tell that it follows what changed and not what exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Entries, or units of streamed Markdown, that were wrapped.
    pub wrapped: usize,
    /// Entries whose height was asked for.
    pub entries: usize,
    /// Rows that were drawn.
    pub drawn: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Top {
    pub id: u64,
    pub width: u16,
    pub height: usize,
}

#[derive(Debug)]
struct Kept {
    revision: u32,
    width: u16,
    theme: u64,
    /// Of the colours when it was made.
    generation: u64,
    made: Made,
    used: u64,
}

#[derive(Debug)]
enum Made {
    /// Markdown, which grows and gets its colours later.
    Stream(Stream),
    Rows(Vec<Line<'static>>),
}

impl State {
    /// `themes`: the built-in ones and the person's own.
    pub fn new(themes: Library, depth: ColorDepth) -> State {
        State {
            theme: Rc::new(themes.theme("dark").0.reduced(depth)),
            colours: Colours::new(),
            work: Work::default(),
            themes,
            depth,
            entries: HashMap::new(),
            rows: 0,
            frame: 0,
            top: None,
            dialog: None,
        }
    }

    pub(super) fn marks(&self, model: &Model) -> &'static Marks {
        marks::marks(model.look.ascii)
    }

    /// Before a frame: the model's theme, and nothing counted yet.
    pub(super) fn begin(&mut self, model: &Model) {
        self.work = Work::default();
        self.frame += 1;
        if self.theme.name != model.look.theme {
            self.theme = Rc::new(self.themes.theme(&model.look.theme).0.reduced(self.depth));
            // A theme that is not there is drawn as the one that stands in for it.
            let theme = Rc::make_mut(&mut self.theme);
            model.look.theme.clone_into(&mut theme.name);
        }
        if self.rows > MOST_ROWS {
            self.forget();
        }
    }

    /// Rows of an entry at `width` columns.
    pub(super) fn height(&mut self, model: &Model, entry: &Entry, width: u16) -> usize {
        self.work.entries += 1;
        self.kept(model, entry, width).rows().len()
    }

    /// Rows `from..to` of an entry, with the colours that are known.
    pub(super) fn shown(
        &mut self,
        model: &Model,
        entry: &Entry,
        width: u16,
        from: usize,
        to: usize,
    ) -> &[Line<'static>] {
        self.kept(model, entry, width);
        let theme = Rc::clone(&self.theme);
        let Some(kept) = self.entries.get_mut(&entry.id) else { return &[] };
        if let Made::Stream(stream) = &mut kept.made {
            stream.colour(entry.body.prose(), from..to, &theme, &mut self.colours);
        }
        let rows = kept.rows();
        &rows[from.min(rows.len())..to.min(rows.len())]
    }

    fn kept(&mut self, model: &Model, entry: &Entry, width: u16) -> &Kept {
        let theme = Rc::clone(&self.theme);
        let generation = self.colours.generation();
        let mut kept = self.entries.remove(&entry.id);
        self.rows -= kept.as_ref().map_or(0, |kept| kept.rows().len());
        let old = kept.take().filter(|kept| kept.width == width && kept.theme == theme.id());
        let fresh = |kept: &Kept| {
            kept.revision == entry.revision
                && (matches!(kept.made, Made::Stream(_)) || kept.generation == generation)
        };
        let made = match old {
            Some(kept) if fresh(&kept) => kept.made,
            old => self.make(model, entry, width, old.map(|kept| kept.made), &theme),
        };
        let kept = Kept {
            revision: entry.revision,
            width,
            theme: theme.id(),
            generation,
            made,
            used: self.frame,
        };
        self.rows += kept.rows().len();
        self.entries.entry(entry.id).or_insert(kept)
    }

    fn make(
        &mut self,
        model: &Model,
        entry: &Entry,
        width: u16,
        old: Option<Made>,
        theme: &Theme,
    ) -> Made {
        if let Body::Prose { text, live } = &entry.body {
            let mut stream = match old {
                Some(Made::Stream(stream)) => stream,
                _ => Stream::new(width),
            };
            let work = match live {
                true => stream.update(text, theme, &mut self.colours),
                false => stream.finish(text, theme, &mut self.colours),
            };
            self.work.wrapped += work.blocks_wrapped;
            return Made::Stream(stream);
        }
        self.work.wrapped += 1;
        let marks = self.marks(model);
        Made::Rows(entry::rows(model, &entry.body, width, theme, marks, &mut self.colours))
    }

    /// Drops the half that was not on the screen for longest.
    fn forget(&mut self) {
        let mut used: Vec<u64> = self.entries.values().map(|kept| kept.used).collect();
        used.sort_unstable();
        let middle = used.get(used.len() / 2).copied().unwrap_or_default();
        self.entries.retain(|_, kept| kept.used > middle);
        self.rows = self.entries.values().map(|kept| kept.rows().len()).sum();
    }
}

impl Kept {
    fn rows(&self) -> &[Line<'static>] {
        match &self.made {
            Made::Stream(stream) => stream.rows(),
            Made::Rows(rows) => rows,
        }
    }
}
