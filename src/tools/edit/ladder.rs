//! Finding the old text and putting the new one in its place: right, or not at all.
//!
//! Five rungs. (1) Letter by letter; only the kind of line end may differ, for Read does not show
//! it. (2) Typographic quotes and dashes count as their plain forms, blanks at line ends do not
//! count. (3) Within one line without quotes, runs of blanks may be of another width. (4) Old and new
//! text have one level of escapes too many. (5) Whole lines under another indentation, where the
//! lines keep their relative shape and the new text can be carried over without a guess. Every rung needs exactly one hit, and none
//! ignores a letter, a digit or a sign, or that there is a blank.
//!
//! Lines that old and new text share keep the file's own bytes on every rung.

use std::ops::Range;

use crate::tools::edit::fold::Folded;
use crate::tools::edit::indent;
use crate::tools::edit::weave::{Carry, weave};
use crate::tools::edit::{blanks, escapes};

/// One replacement.
#[derive(Debug, Clone, Copy)]
pub struct Swap<'a> {
    pub old: &'a str,
    pub new: &'a str,
    pub places: Places,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// The one place where the old text stands.
    One,
    /// Every place, from the left, none overlapping.
    All,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swapped {
    pub text: String,
    pub places: usize,
    pub how: How,
}

/// What was not counted when the old text was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Nothing (but the kind of line end).
    Exact,
    /// Quotes and dashes in their typographic forms, blanks at line ends.
    LookAlike,
    /// The width of blanks inside a line.
    Blanks,
    /// One level of escapes, in old and new text.
    Escapes,
    /// The indentation.
    Indent,
}

/// Why nothing was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    EmptyOld,
    Same,
    /// The old text stands in several places; line numbers of the first ones.
    Many {
        count: usize,
        lines: Vec<usize>,
        how: How,
    },
    /// The result would be longer than any file that can be edited.
    TooLarge,
    /// It stands nowhere.
    None,
    /// It stands at this line under another indentation, and how to indent the new text is not
    /// certain.
    Unsure {
        line: usize,
    },
}

/// Longer texts are searched letter by letter only.
const LONGEST_INEXACT: usize = 4 * 1024 * 1024;

/// Bytes of the text that may come out.
const LONGEST_RESULT: usize = 32 * 1024 * 1024;

/// `text` with the old text replaced.
pub fn swap(text: &str, swap: Swap<'_>) -> Result<Swapped, Miss> {
    if swap.old.is_empty() {
        return Err(Miss::EmptyOld);
    }
    if swap.old == swap.new {
        return Err(Miss::Same);
    }
    if let Some(done) = verbatim(text, swap)? {
        return Ok(done);
    }
    let old = swap.old.replace("\r\n", "\n");
    // Old text with CRLF says that the model takes the file for one: its new text is meant so too.
    let new = if old == swap.old { swap.new.to_owned() } else { swap.new.replace("\r\n", "\n") };
    let swap = Swap { old: &old, new: &new, places: swap.places };
    if let Some(done) = by_lines(text, swap)? {
        return Ok(done);
    }
    if text.len() > LONGEST_INEXACT {
        return Err(Miss::None);
    }
    if let Some(done) = look_alike(text, swap)? {
        return Ok(done);
    }
    if let Some(done) = blanks::swap(text, swap)? {
        return Ok(done);
    }
    if let Some((old, new)) = escapes::taken_off(swap.old, swap.new) {
        let plain = Swap { old: &old, new: &new, places: Places::One };
        if let Some(done) = by_lines(text, plain)? {
            return Ok(Swapped { how: How::Escapes, ..done });
        }
    }
    indent::swap(text, swap)?.ok_or(Miss::None)
}

/// Byte for byte, where the old text spells out its line ends: then the new one means its own.
fn verbatim(text: &str, swap: Swap<'_>) -> Result<Option<Swapped>, Miss> {
    if !swap.old.contains('\r') {
        return Ok(None);
    }
    let hits = hits(text, swap.old, swap.places);
    let regions = choose(text, hits, swap, How::Exact, |at| at..at + swap.old.len())?;
    Ok(replace(text, &regions, How::Exact, |_| swap.new.to_owned()))
}

/// Letter by letter, with every line end counting as `\n`.
fn by_lines(text: &str, swap: Swap<'_>) -> Result<Option<Swapped>, Miss> {
    let view = LineView::of(text);
    let hits = hits(&view.text, swap.old, swap.places);
    let regions =
        choose(text, hits, swap, How::Exact, |at| view.back(at)..view.back(at + swap.old.len()))?;
    let plain = view.returns.is_empty();
    Ok(replace(text, &regions, How::Exact, |region| {
        if plain {
            return swap.new.to_owned();
        }
        weave(text, region, swap.old, swap.new, &Carry::AsIs)
    }))
}

fn look_alike(text: &str, swap: Swap<'_>) -> Result<Option<Swapped>, Miss> {
    let folded = Folded::of(text);
    let (wanted, old_end) = Folded::needle(swap.old);
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut hits = hits(&folded.text, &wanted, Places::One);
    if old_end.trailing_blanks > 0 && hits.len() < MOST_HITS {
        // Blanks at the end of the old text may be left out only where a line ends. (Where not
        // all hits are known, none may be left out: it is "many".)
        hits.retain(|at| {
            let rest = &folded.text[at + wanted.len()..];
            rest.is_empty() || rest.starts_with('\n')
        });
    }
    let one = Swap { places: Places::One, ..swap };
    let regions = choose(text, hits, one, How::LookAlike, |at| folded.back(at..at + wanted.len()))?;
    let old = &swap.old[..swap.old.len() - old_end.trailing_blanks];
    let blanks = &swap.old[old.len()..];
    let new = swap.new.strip_suffix(blanks).unwrap_or(swap.new);
    Ok(replace(text, &regions, How::LookAlike, |region| {
        weave(text, region, old, new, &Carry::LookAlike)
    }))
}

/// Where `needle` begins; for [`Places::One`] overlapping hits count, for two of them are two
/// places the model may have meant.
pub(super) fn hits(hay: &str, needle: &str, places: Places) -> Vec<usize> {
    match places {
        Places::All => hay.match_indices(needle).map(|(at, _)| at).collect(),
        Places::One => {
            let step = needle.chars().next().map_or(1, char::len_utf8);
            let mut found = Vec::new();
            let mut from = 0;
            while let Some(at) = hay.get(from..).and_then(|rest| rest.find(needle)) {
                found.push(from + at);
                from += at + step;
                if found.len() == MOST_HITS {
                    break;
                }
            }
            found
        }
    }
}

/// Hits that are told apart; from then on it is "many".
pub(super) const MOST_HITS: usize = 100;

/// The regions of the text to replace: none, one, or all if all were asked for.
pub(super) fn choose(
    text: &str,
    hits: Vec<usize>,
    swap: Swap<'_>,
    how: How,
    region: impl Fn(usize) -> Range<usize>,
) -> Result<Vec<Range<usize>>, Miss> {
    let grown = swap.new.len().saturating_mul(hits.len()).saturating_add(text.len());
    if grown > LONGEST_RESULT {
        return Err(Miss::TooLarge);
    }
    let regions: Vec<Range<usize>> = hits.into_iter().map(region).collect();
    if regions.len() > 1 && swap.places == Places::One {
        let lines = regions.iter().take(5).map(|region| line_at(text, region.start)).collect();
        return Err(Miss::Many { count: regions.len(), lines, how });
    }
    Ok(regions)
}

/// The line (from 1) in which `at` lies.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1
}

fn replace(
    text: &str,
    regions: &[Range<usize>],
    how: How,
    with: impl Fn(Range<usize>) -> String,
) -> Option<Swapped> {
    if regions.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut next = 0;
    for region in regions {
        out.push_str(&text[next..region.start]);
        out.push_str(&with(region.clone()));
        next = region.end;
    }
    out.push_str(&text[next..]);
    Some(Swapped { text: out, places: regions.len(), how })
}

/// A text with `\n` for every `\r\n`, and the way back.
struct LineView<'a> {
    text: std::borrow::Cow<'a, str>,
    /// Offsets in `text` of the line ends that had a `\r`.
    returns: Vec<usize>,
}

impl LineView<'_> {
    fn of(text: &str) -> LineView<'_> {
        if !text.contains("\r\n") {
            return LineView { text: text.into(), returns: Vec::new() };
        }
        let returns = text.match_indices("\r\n").enumerate().map(|(n, (at, _))| at - n).collect();
        LineView { text: text.replace("\r\n", "\n").into(), returns }
    }

    /// Before a line end is before its `\r`.
    fn back(&self, at: usize) -> usize {
        at + self.returns.partition_point(|ret| *ret < at)
    }
}
