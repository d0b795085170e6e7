//! Where in the transcript the screen stands.
//!
//! A place is an entry and a row within it, never a number of rows from the start: so the text
//! stays where it is while entries above it open, fold or are wrapped anew, and nothing needs to
//! know the height of what is not on the screen.

/// What the transcript shows. `view` resolves it, and [`Seen`] tells where that came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scroll {
    /// The end, also when more comes.
    #[default]
    Follow,
    At(Anchor),
    /// Just enough to have the entry on the screen.
    Show {
        entry: usize,
    },
    /// The n-th match of the search within the entry.
    Match {
        entry: usize,
        nth: usize,
    },
}

/// The row at the top of the screen. `row` may point before or behind the entry's own rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Anchor {
    pub entry: usize,
    pub row: isize,
}

/// What a frame showed, for whatever depends on it: scrolling, the mouse, the prompt's rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    pub width: u16,
    pub height: u16,
    /// There was no room for anything but a sentence that says so.
    pub too_small: bool,
    /// Rows of the transcript's area.
    pub transcript: usize,
    pub top: Anchor,
    /// The last row of the last entry is on the screen.
    pub at_end: bool,
    /// Entries below the screen.
    pub below: usize,
    /// Rows of the screen that show an entry: first, behind last, index.
    pub entries: Vec<(u16, u16, usize)>,
    /// Rows of the first of them that are above the screen.
    pub cut: usize,
    /// Columns that the prompt's text has.
    pub prompt: usize,
    /// Rows of the dialog's or panel's own content: those it has, those it shows.
    pub inner: Inner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inner {
    pub rows: usize,
    pub shown: usize,
    /// The first that is shown.
    pub top: usize,
}

impl Inner {
    pub fn max_scroll(self) -> usize {
        self.rows.saturating_sub(self.shown)
    }

    /// `offset` moved by `rows`, within what there is.
    pub fn scrolled(self, offset: usize, rows: isize) -> usize {
        offset.saturating_add_signed(rows).min(self.max_scroll())
    }
}

impl Scroll {
    /// Moved by `rows`; up is negative.
    pub fn by(self, rows: isize, seen: &Seen) -> Scroll {
        let from = match self {
            Scroll::At(anchor) => anchor,
            Scroll::Follow if rows >= 0 => return Scroll::Follow,
            Scroll::Follow | Scroll::Show { .. } | Scroll::Match { .. } => seen.top,
        };
        Scroll::At(Anchor { row: from.row.saturating_add(rows), ..from })
    }

    /// After a frame: what was asked for has become a plain place, and the end is followed.
    pub fn settled(self, seen: &Seen) -> Scroll {
        match self {
            Scroll::Follow => Scroll::Follow,
            _ if seen.at_end => Scroll::Follow,
            _ => Scroll::At(seen.top),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_leaves_the_end_and_finds_it_again() {
        let seen = Seen { top: Anchor { entry: 7, row: 2 }, ..Seen::default() };
        assert_eq!(Scroll::Follow.by(3, &seen), Scroll::Follow);
        let up = Scroll::Follow.by(-3, &seen);
        assert_eq!(up, Scroll::At(Anchor { entry: 7, row: -1 }));
        assert_eq!(up.by(-1, &seen), Scroll::At(Anchor { entry: 7, row: -2 }));
        let shown = Seen { top: Anchor { entry: 6, row: 9 }, ..Seen::default() };
        assert_eq!(up.settled(&shown), Scroll::At(Anchor { entry: 6, row: 9 }));
        assert_eq!(up.settled(&Seen { at_end: true, ..shown }), Scroll::Follow);
    }
}
