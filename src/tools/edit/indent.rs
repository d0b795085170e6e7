//! Old text that stands in the file under another indentation.

use std::collections::HashMap;

use crate::tools::edit::ladder::{How, Miss, Places, Swap, Swapped, choose, hits, line_at};
use crate::tools::edit::weave::{Carry, weave};

/// Replaces where the lines of the old text stand in the file once, leaving indentation and blanks
/// at line ends aside, and where the new text's indentation follows from theirs.
pub(super) fn swap(text: &str, swap: Swap<'_>) -> Result<Option<Swapped>, Miss> {
    let old: Vec<&str> = swap.old.split_inclusive('\n').collect();
    if old.iter().all(|line| bare(line).is_empty()) {
        return Ok(None);
    }
    let file: Vec<&str> = text.split_inclusive('\n').collect();
    let starts: Vec<usize> = file
        .iter()
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some(start)
        })
        .collect();
    let hits = blocks(&file, &old).into_iter().map(|line| starts[line]).collect();
    let region = |start: usize| {
        let first = starts.partition_point(|at| *at < start);
        let last = first + old.len() - 1;
        let line = file[last];
        let end = starts[last] + line.len();
        let keeps_end = old.last().is_some_and(|line| line.ends_with('\n'));
        let end = if keeps_end { end } else { end - (line.len() - line_text(line).len()) };
        start..end
    };
    let regions = choose(text, hits, Swap { places: Places::One, ..swap }, How::Indent, region)?;
    let Some(region) = regions.into_iter().next() else { return Ok(None) };

    let there: Vec<&str> = text[region.clone()].split_inclusive('\n').collect();
    // The old text ends with a line end that the file's last line does not have.
    if there.len() != old.len() || swap.old.ends_with('\n') != text[region.clone()].ends_with('\n')
    {
        return Ok(None);
    }
    let unsure = || Miss::Unsure { line: line_at(text, region.start) };
    let pairs: Vec<(&str, &str)> = there
        .iter()
        .zip(&old)
        .filter(|(line, _)| !bare(line).is_empty())
        .map(|(there, old)| (indent(there), indent(old)))
        .collect();
    let new: Vec<&str> = swap.new.split_inclusive('\n').collect();
    let shift = Shift::of(&pairs, &old, &new, &file).ok_or_else(unsure)?;
    let lines: Option<Vec<String>> = new.iter().map(|line| shift.carry(line_text(line))).collect();
    let lines = lines.ok_or_else(unsure)?;
    let woven = weave(text, region.clone(), swap.old, swap.new, &Carry::Lines(&lines));
    let text = format!("{}{woven}{}", &text[..region.start], &text[region.end..]);
    Ok(Some(Swapped { text, places: 1, how: How::Indent }))
}

/// The lines (from 0) at which the old text's lines stand one by one, some indentation aside. One
/// search for one text, so that long runs of equal lines cost no more than others.
fn blocks(file: &[&str], old: &[&str]) -> Vec<usize> {
    let join =
        |lines: &[&str]| lines.iter().fold("\n".to_owned(), |text, line| text + bare(line) + "\n");
    let (hay, wanted) = (join(file), join(old));
    let mut line = 0;
    let mut counted = 0;
    hits(&hay, &wanted, Places::One)
        .into_iter()
        .map(|at| {
            line += hay.as_bytes()[counted..at].iter().filter(|b| **b == b'\n').count();
            counted = at;
            line
        })
        .collect()
}

/// Without indentation, blanks at the end and line end.
fn bare(line: &str) -> &str {
    line.trim_matches([' ', '\t', '\r', '\n'])
}

/// Without line end.
fn line_text(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn indent(line: &str) -> &str {
    let line = line_text(line);
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The way from the old text's indentation to the file's.
enum Shift<'a> {
    /// The file's lines stand deeper, all by the same text.
    Deeper { by: &'a str, known: HashMap<&'a str, &'a str> },
    /// The old text's lines stand deeper, all by the same text.
    Shallower { by: &'a str },
    /// Steps of one kind became steps of another.
    Scaled(Scale<'a>),
}

struct Scale<'a> {
    /// Indentations that stand in both.
    known: HashMap<&'a str, &'a str>,
    /// The one character of each side.
    from: char,
    to: char,
    /// For indentations beyond: a point of the line and its slope `to / from`, both in characters.
    line: Option<(usize, usize, usize, usize)>,
}

impl<'a> Shift<'a> {
    /// `pairs`: indentation in the file and in the old text, of each line that is not blank.
    fn of(
        pairs: &[(&'a str, &'a str)],
        old: &[&str],
        new: &[&str],
        file: &[&str],
    ) -> Option<Shift<'a>> {
        let (first_file, first_old) = *pairs.first()?;
        let mut known = HashMap::new();
        for (file, old) in pairs {
            if *known.entry(*old).or_insert(*file) != *file {
                return None;
            }
        }
        if let Some(by) = first_file.strip_suffix(first_old)
            && pairs.iter().all(|(file, old)| file.strip_suffix(*old) == Some(by))
        {
            return Some(Shift::Deeper { by, known });
        }
        if let Some(by) = first_old.strip_suffix(first_file)
            && pairs.iter().all(|(file, old)| old.strip_suffix(*file) == Some(by))
        {
            return Some(Shift::Shallower { by });
        }
        let (to, from) =
            (only_char(pairs.iter().map(|p| p.0))?, only_char(pairs.iter().map(|p| p.1))?);
        let steps =
            (step(new.iter().copied().chain(old.iter().copied())), step(file.iter().copied()));
        let line = match known.len() {
            1 => through_margin(pairs, steps, (from, to)),
            _ => Some(through_levels(pairs, steps, from == to)?),
        };
        Some(Shift::Scaled(Scale { known, from, to, line }))
    }

    /// A line of the new text as it is in the file; `None` where that is not certain.
    fn carry(&self, line: &str) -> Option<String> {
        let own = indent(line);
        let rest = &line[own.len()..];
        if rest.is_empty() {
            return Some(String::new());
        }
        match self {
            Shift::Deeper { by, known } => {
                let whole = format!("{by}{own}");
                // Blanks of one kind after blanks of the other, where the old text had no such
                // line: the model's own steps, not the file's.
                let mixed = !by.is_empty()
                    && !own.is_empty()
                    && !known.contains_key(own)
                    && only_char([*by, own].into_iter()).is_none();
                (!mixed).then(|| whole + rest)
            }
            Shift::Shallower { by } => Some(own.strip_prefix(by)?.to_owned() + rest),
            Shift::Scaled(scale) => Some(scale.carry(own)? + rest),
        }
    }
}

impl Scale<'_> {
    fn carry(&self, own: &str) -> Option<String> {
        if let Some(file) = self.known.get(own) {
            return Some((*file).to_owned());
        }
        if !own.chars().all(|c| c == self.from) {
            return None;
        }
        let (old, file, rise, run) = self.line?;
        // file + (own - old) * rise / run, in whole steps and not below the margin.
        let moved = (own.len() as i64 - old as i64).checked_mul(rise as i64)?;
        if moved % run as i64 != 0 {
            return None;
        }
        let length = usize::try_from(file as i64 + moved / run as i64).ok()?;
        Some(self.to.to_string().repeat(length.min(10_000)))
    }
}

/// The character that all of these consist of; a space where all are empty.
fn only_char<'a>(indents: impl Iterator<Item = &'a str>) -> Option<char> {
    let mut only = None;
    for c in indents.flat_map(str::chars) {
        if *only.get_or_insert(c) != c {
            return None;
        }
    }
    Some(only.unwrap_or(' '))
}

/// The straight line from old to file indentation, where the lines stand on two levels or more
/// and all of them on it. Lines that merely say the same on other levels do not lie on one.
fn through_levels(
    pairs: &[(&str, &str)],
    (step_old, step_file): (usize, usize),
    same_char: bool,
) -> Option<(usize, usize, usize, usize)> {
    let lengths = || pairs.iter().map(|(file, old)| (file.len(), old.len()));
    let (file, old) = lengths().min_by_key(|p| p.1)?;
    let (far_file, far_old) = lengths().max_by_key(|p| p.1)?;
    let (rise, run) = (far_file.checked_sub(file)?, far_old - old);
    let on_it =
        |(f, o): (usize, usize)| f.checked_sub(file).is_some_and(|f| f * run == (o - old) * rise);
    // Spaces for spaces: both sides must show steps of a usual size that the line turns into each
    // other, or two levels happen to lie on some line.
    let usual = !same_char || (step_old * rise == step_file * run && step_old.max(step_file) <= 4);
    (run > 0 && rise > 0 && usual && lengths().all(on_it)).then_some((old, file, rise, run))
}

/// The same with one level only: the line goes through the margin, if one step on the side of the
/// spaces is what a tab on the other side makes of it.
fn through_margin(
    pairs: &[(&str, &str)],
    (step_old, step_file): (usize, usize),
    (from, to): (char, char),
) -> Option<(usize, usize, usize, usize)> {
    let (there, old) = pairs.first().map(|(file, old)| (file.len(), old.len()))?;
    let sure = match (from, to) {
        (' ', '\t') => there > 0 && old == there * step_old,
        ('\t', ' ') => old > 0 && there == old * step_file,
        _ => false,
    };
    sure.then_some((old, there, there, old))
}

/// The step of indentation in spaces that all these lines are multiples of; 0 where none has any.
/// The stars of a block comment stand one blank further in and do not count.
fn step<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    let solid = lines.filter(|line| !bare(line).is_empty() && !bare(line).starts_with('*'));
    solid.map(indent).filter(|indent| indent.starts_with(' ')).map(str::len).fold(0, gcd)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
