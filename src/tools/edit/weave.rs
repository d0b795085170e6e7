//! The text that takes the place of a region: what old and new text share keeps the file's own
//! bytes, the rest comes from the new text, with the file's line ends.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::tools::edit::fold::fold;

/// How a line of the new text is fitted to the file.
pub(super) enum Carry<'a> {
    AsIs,
    /// Within a changed line, characters that old and new share stay the file's.
    LookAlike,
    /// With other indentation; computed before, so that it cannot fail here. One text for each
    /// line of the new text, without line ends.
    Lines(&'a [String]),
}

/// `old` and `new` have `\n` for line ends, and the region has as many lines as `old`.
pub(super) fn weave(
    text: &str,
    region: Range<usize>,
    old: &str,
    new: &str,
    carry: &Carry<'_>,
) -> String {
    let there: Vec<&str> = text[region.clone()].split_inclusive('\n').collect();
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let ends = Ends::new(text, &region, &there);
    let typed = match carry {
        Carry::LookAlike => Typed::of(text, &there, &old),
        Carry::AsIs | Carry::Lines(_) => Typed::default(),
    };
    let mut out = String::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (tag, from, to) = op.as_tag_tuple();
        if tag == DiffTag::Equal {
            out.extend(from.map(|i| there.get(i).copied().unwrap_or(old[i])));
            continue;
        }
        for (n, j) in to.enumerate() {
            let line = new[j];
            let content = line.strip_suffix('\n').unwrap_or(line);
            let pair = (from.start + n < from.end).then_some(from.start + n);
            let end = ends.of(pair.unwrap_or(from.start));
            let content = content.strip_suffix('\r').filter(|_| end == "\r\n").unwrap_or(content);
            match (carry, pair) {
                (Carry::AsIs, _) => out.push_str(content),
                (Carry::Lines(lines), _) => {
                    out.push_str(lines.get(j).map_or(content, String::as_str));
                }
                (Carry::LookAlike, pair) => {
                    let pair = pair.and_then(|i| Some((*there.get(i)?, *old.get(i)?)));
                    out.push_str(&letters(pair, content, &typed));
                }
            }
            if line.ends_with('\n') {
                out.push_str(end);
            }
        }
    }
    out
}

/// The line ends of a region, and the one beside it for lines that have none.
struct Ends<'a> {
    there: Vec<Option<&'a str>>,
    beside: &'a str,
}

impl<'a> Ends<'a> {
    fn new(text: &'a str, region: &Range<usize>, there: &[&'a str]) -> Ends<'a> {
        let beside = match text[region.end..].split_inclusive('\n').next().and_then(end_of) {
            Some(end) => end,
            None => text[..region.start]
                .rfind('\n')
                .map_or("\n", |at| if text[..at].ends_with('\r') { "\r\n" } else { "\n" }),
        };
        Ends { there: there.iter().map(|line| end_of(line)).collect(), beside }
    }

    /// Of the line with this number; else of the nearest one before, after or beside.
    fn of(&self, line: usize) -> &'a str {
        let line = line.min(self.there.len());
        let own = self.there.get(line).copied().flatten();
        own.or_else(|| self.there[..line].iter().rev().find_map(|end| *end))
            .or_else(|| self.there[line..].iter().find_map(|end| *end))
            .unwrap_or(self.beside)
    }
}

fn end_of(line: &str) -> Option<&str> {
    let end = &line[line.trim_end_matches('\n').trim_end_matches('\r').len()..];
    match end {
        "\n" | "\r\n" => Some(end),
        // Several returns before one line end: the last belongs to it.
        _ if end.ends_with("\r\n") => Some("\r\n"),
        _ => None,
    }
}

/// Typographic characters that the model writes for plain ones.
#[derive(Default)]
struct Typed {
    /// Those of the old text, with the one plain form that the file has for them; `None` where it
    /// has none, or several.
    known: HashMap<char, Option<char>>,
    /// Those that the file holds anywhere.
    in_file: HashSet<char>,
}

impl Typed {
    fn of(text: &str, there: &[&str], old: &[&str]) -> Typed {
        let mut known: HashMap<char, Option<char>> = HashMap::new();
        for (there, old) in there.iter().zip(old) {
            for (file, model) in blankless(there).chars().zip(blankless(old).chars()) {
                if fold(model) == model {
                    continue;
                }
                let plain = file.is_ascii().then_some(file);
                let form = known.entry(model).or_insert(plain);
                if *form != plain {
                    *form = None;
                }
            }
        }
        Typed { known, in_file: text.chars().filter(|c| fold(*c) != *c).collect() }
    }

    /// What the model means by a character of its new text.
    fn meant(&self, c: char) -> char {
        match self.known.get(&c) {
            Some(form) => form.unwrap_or(c),
            // Its brother in the old text stood for a plain one, and the file never has this one.
            None if fold(c) != '-' && self.quotes_are_plain() && !self.in_file.contains(&c) => {
                fold(c)
            }
            None => c,
        }
    }

    fn quotes_are_plain(&self) -> bool {
        let mut quotes = self.known.iter().filter(|(c, _)| fold(**c) != '-').peekable();
        quotes.peek().is_some() && quotes.all(|(_, form)| form.is_some())
    }
}

fn blankless(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r', ' ', '\t'])
}

/// Longer lines are taken as they are.
const LONGEST: usize = 4_000;

/// A new line whose characters come from the file where old and new share them.
fn letters(pair: Option<(&str, &str)>, new: &str, typed: &Typed) -> String {
    let mine = |c: &char| typed.meant(*c);
    let pair = pair.filter(|(there, old)| there.len().max(old.len()).max(new.len()) <= LONGEST);
    let Some((there, old)) = pair else {
        return new.chars().map(|c| mine(&c)).collect();
    };
    let there: Vec<char> = blankless(there).chars().collect();
    let old: Vec<char> = blankless(old).chars().collect();
    let new: Vec<char> = new.chars().collect();
    // One to one but for the last line of a region, which may end in the middle of a line.
    if there.len() != old.len() {
        return new.iter().map(mine).collect();
    }
    let mut out = String::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (tag, from, to) = op.as_tag_tuple();
        if tag == DiffTag::Equal {
            out.extend(&there[from]);
        } else {
            out.extend(new[to].iter().map(mine));
        }
    }
    out
}
