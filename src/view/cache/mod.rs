//! Rows of transcript entries, kept from frame to frame.
//!
//! Drawing asks for the entries that are on the screen and nothing else, so a frame costs the same
//! whatever the number of entries. An entry is drawn again only if its revision, the width or the
//! theme changed. Heights are kept for all entries, guessed until an entry is first drawn; rows
//! only for those of late.
//!
//! Not for deciding what is on the screen.

mod heights;

use std::ops::Range;

use lru::LruCache;
use ratatui::text::Line;

use crate::view::code::Colours;
use crate::view::stream::Stream;
use crate::view::theme::Theme;

pub use heights::Heights;

/// Rows kept in all; about 300 bytes each. The entry asked for last is kept whatever its length.
const MOST_ROWS: usize = 12_000;

/// An entry in the state that is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Key {
    pub id: u64,
    /// Another number whenever the entry would be drawn otherwise.
    pub revision: u64,
    /// Empty rows below the entry: they count for heights and are not among its rows.
    pub gap: usize,
}

/// See the module.
#[derive(Debug)]
pub struct Cache {
    /// Colours of the code among the rows; what it wants comes from entries on the screen.
    pub colours: Colours,
    width: u16,
    theme: u64,
    /// Another number whenever measured heights became guesses.
    epoch: u64,
    /// The name of the first entry.
    first: Option<u64>,
    slots: Vec<Slot>,
    heights: Heights,
    kept: LruCache<usize, usize>,
    kept_rows: usize,
    /// Entries from here on have been measured in idle time.
    idle: usize,
    wraps: u64,
}

#[derive(Debug, Default)]
struct Slot {
    key: Key,
    /// The epoch in which its height was measured.
    epoch: u64,
    content: Content,
}

#[derive(Debug, Default)]
enum Content {
    #[default]
    None,
    Rows {
        rows: Vec<Line<'static>>,
        /// The generation of colours in which some were missing.
        missing: Option<u64>,
    },
    Stream(Box<Stream>),
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            colours: Colours::new(),
            width: 0,
            theme: 0,
            epoch: 1,
            first: None,
            slots: Vec::new(),
            heights: Heights::default(),
            kept: LruCache::unbounded(),
            kept_rows: 0,
            idle: 0,
            wraps: 0,
        }
    }
}

impl Cache {
    pub fn new() -> Cache {
        Cache::default()
    }

    /// To be called before a frame: what was drawn for another width or theme is forgotten. With
    /// another width the heights stay as guesses.
    pub fn set_look(&mut self, width: u16, theme: &Theme) {
        if (self.width, self.theme) == (width, theme.id()) {
            return;
        }
        while let Some((index, _)) = self.kept.pop_lru() {
            self.slots[index].content = Content::None;
        }
        self.kept_rows = 0;
        if self.width != width {
            self.epoch += 1;
            self.idle = self.slots.len();
        }
        (self.width, self.theme) = (width, theme.id());
    }

    /// With another first entry, all stand elsewhere: nothing that was known of places holds.
    pub fn set_first(&mut self, first: Option<u64>) {
        if self.first != first {
            self.set_len(0, |_| 0);
            self.first = first;
        }
    }

    /// Makes room for `len` entries and forgets those after; `guess` gives the height of a new
    /// one in rows.
    pub fn set_len(&mut self, len: usize, mut guess: impl FnMut(usize) -> usize) {
        for index in len..self.slots.len() {
            self.forget(index);
        }
        self.idle = if len > self.slots.len() { len } else { self.idle.min(len) };
        self.slots.truncate(len);
        self.heights.truncate(len);
        for index in self.slots.len()..len {
            self.slots.push(Slot::default());
            self.heights.push(guess(index));
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Where entries are, by what is known of their heights.
    pub fn heights(&self) -> &Heights {
        &self.heights
    }

    /// Whether the height of the entry is known for this width.
    pub fn is_measured(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(|slot| slot.epoch == self.epoch)
    }

    /// How often an entry was drawn, or a block of a growing one.
    pub fn wraps(&self) -> u64 {
        self.wraps
    }

    /// The rows of an entry, drawn by `draw` if they are not known.
    pub fn rows(
        &mut self,
        index: usize,
        key: Key,
        draw: impl FnOnce(&mut Colours) -> Vec<Line<'static>>,
    ) -> &[Line<'static>] {
        let Some(slot) = self.slots.get_mut(index) else { return &[] };
        let generation = self.colours.generation();
        let is_fresh = slot.key == key
            && matches!(&slot.content, Content::Rows { missing, .. }
                if missing.is_none_or(|missing| missing == generation));
        if !is_fresh {
            let misses = self.colours.misses();
            let rows = draw(&mut self.colours);
            let missing = (self.colours.misses() > misses).then_some(generation);
            (slot.key, slot.content) = (key, Content::Rows { rows, missing });
            self.wraps += 1;
        }
        self.used(index)
    }

    /// The rows of an entry that is Markdown. While it grows (`ended` is false) only its last block
    /// is drawn again. `visible` are those of its rows that are on the screen, whose code gets
    /// colours; `theme` is that of the last [`Cache::set_look`].
    pub fn markdown(
        &mut self,
        index: usize,
        key: Key,
        text: &str,
        ended: bool,
        theme: &Theme,
        visible: Range<usize>,
    ) -> &[Line<'static>] {
        let Some(slot) = self.slots.get_mut(index) else { return &[] };
        if slot.key.id != key.id || !matches!(slot.content, Content::Stream(_)) {
            slot.content = Content::Stream(Box::new(Stream::new(self.width)));
        }
        slot.key = key;
        if let Content::Stream(stream) = &mut slot.content {
            let work = match ended {
                true => stream.finish(text, theme, &mut self.colours),
                false => stream.update(text, theme, &mut self.colours),
            };
            self.wraps += work.blocks_wrapped as u64;
            stream.colour(text, visible, theme, &mut self.colours);
        }
        self.used(index)
    }

    /// An entry whose height is a guess, the last one first, for idle time to measure: ask for its
    /// rows, and leave them to be forgotten. `None` when all are known.
    pub fn next_unmeasured(&mut self) -> Option<usize> {
        while let Some(index) = self.idle.checked_sub(1) {
            if !self.is_measured(index) {
                return Some(index);
            }
            self.idle = index;
        }
        None
    }

    /// Measures an entry and keeps nothing but its height; code in it asks for no colours.
    pub fn measure(&mut self, index: usize, key: Key, draw: impl FnOnce(&mut Colours) -> usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        let height = self.colours.without_asking(draw);
        slot.key = key;
        slot.epoch = self.epoch;
        self.heights.set(index, height + key.gap);
        self.wraps += 1;
        self.forget(index);
    }

    /// Keeps the books of an entry whose rows were asked for, and hands them out.
    fn used(&mut self, index: usize) -> &[Line<'static>] {
        let count = self.slots[index].content.rows().len();
        let old = self.kept.push(index, count).map_or(0, |(_, count)| count);
        self.kept_rows = self.kept_rows + count - old;
        while self.kept_rows > MOST_ROWS && self.kept.len() > 1 {
            let Some((index, count)) = self.kept.pop_lru() else { break };
            self.slots[index].content = Content::None;
            self.kept_rows -= count;
        }
        let slot = &mut self.slots[index];
        slot.epoch = self.epoch;
        let height = count + slot.key.gap;
        if self.heights.get(index) != height {
            self.heights.set(index, height);
        }
        self.slots[index].content.rows()
    }

    fn forget(&mut self, index: usize) {
        if let Some(count) = self.kept.pop(&index) {
            self.kept_rows -= count;
        }
        self.slots[index].content = Content::None;
    }
}

impl Content {
    fn rows(&self) -> &[Line<'static>] {
        match self {
            Content::None => &[],
            Content::Rows { rows, .. } => rows,
            Content::Stream(stream) => stream.rows(),
        }
    }
}

#[cfg(test)]
mod tests;
