//! Why an edit missed, in the words that make the next try right: the nearest place, its line
//! numbers, the first line that differs, with blanks and odd characters made visible.

use std::collections::HashMap;
use std::fmt::Write;

use crate::tools::edit::fold::fold;
use crate::tools::edit::ladder::{How, MOST_HITS, Miss};
use crate::tools::{Outcome, count};

/// What to tell the model. `old` is the text it looked for in `text`, the file called `name`.
pub fn miss(miss: &Miss, text: &str, old: &str, name: &str) -> Outcome {
    match miss {
        Miss::EmptyOld => Outcome::failed(
            format!("old_string is empty and {name} is not. Use Write to replace all of it."),
            "no old text",
        ),
        Miss::Same => Outcome::failed(
            "old_string and new_string are the same: there is nothing to change.",
            "nothing to change",
        ),
        Miss::Many { count, lines, how } => {
            let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
            let least = if *count == MOST_HITS { " or more" } else { "" };
            let more = if *count > lines.len() { ", …" } else { "" };
            let sort = match how {
                How::Exact => "",
                How::LookAlike => " (but for quotes, dashes or blanks at line ends)",
                How::Blanks => " (but for the width of blanks)",
                How::Escapes => " (with its escapes taken off)",
                How::Indent => " (but for indentation)",
            };
            let cure = match how {
                How::Exact => ", or set replace_all",
                How::LookAlike | How::Blanks | How::Escapes | How::Indent => "",
            };
            Outcome::failed(
                format!(
                    "old_string stands {count} times{least} in {name}{sort}: lines {}{more}. Add lines \
                     around it until it is unique{cure}.",
                    lines.join(", ")
                ),
                format!("{count} matches"),
            )
        }
        Miss::TooLarge => Outcome::failed(
            format!("With these replacements {name} would become larger than can be edited."),
            "too large",
        ),
        Miss::Unsure { line } => Outcome::failed(
            format!(
                "old_string stands at line {line} of {name} with other indentation, and how to \
                 indent new_string is not certain. Copy the lines exactly."
            ),
            "indentation differs",
        ),
        Miss::None => Outcome::failed(not_found(text, old, name), "not found"),
    }
}

fn not_found(text: &str, old: &str, name: &str) -> String {
    let file: Vec<&str> = text.lines().collect();
    let wanted: Vec<&str> = old.lines().collect();
    let mut out = format!("old_string is not in {name}.");
    let Some(at) = nearest(&file, &wanted) else {
        out += &format!(
            " Nothing in its {} is like it; read the file again.",
            count(file.len(), "line")
        );
        return out;
    };
    let pairs = wanted.iter().enumerate().filter_map(|(i, wanted)| {
        let line = usize::try_from(at + i as i64).ok()?;
        Some((line, file.get(line).copied().unwrap_or("(end of file)"), *wanted))
    });
    let first = pairs.clone().find(|(_, there, wanted)| !alike(there, wanted));
    let first = first.or_else(|| pairs.clone().find(|(_, there, wanted)| there != wanted));
    let from = usize::try_from(at).unwrap_or(0) + 1;
    let to = (usize::try_from(at + wanted.len() as i64).unwrap_or(0)).min(file.len()).max(from);
    let place = if from == to { format!("line {from}") } else { format!("lines {from}–{to}") };
    write!(out, " Nearest: {place}").ok();
    match first {
        Some((line, there, wanted)) => {
            let (there, wanted) = visible(there, wanted);
            write!(
                out,
                "; line {} differs:\nfile:       {there}\nold_string: {wanted}\n\
                 Blanks and every letter count. Read those lines again if they are not known.",
                line + 1
            )
            .ok();
        }
        None => out += ". Lines agree one by one, but not as one text: copy them exactly.",
    }
    out
}

/// Equal but for blanks at the ends and look-alikes: such a line is seldom the one that missed.
fn alike(a: &str, b: &str) -> bool {
    a.trim().chars().map(fold).eq(b.trim().chars().map(fold))
}

/// The line (from 0; may lie before the file) at which the old text fits best.
fn nearest(file: &[&str], wanted: &[&str]) -> Option<i64> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in file.iter().enumerate().take(200_000) {
        let known = places.entry(line.trim()).or_default();
        if known.len() < 50 {
            known.push(at);
        }
    }
    let mut votes: HashMap<i64, usize> = HashMap::new();
    for (i, line) in wanted.iter().enumerate().take(400) {
        let line = line.trim();
        // Brackets alone agree everywhere.
        let weight = line.chars().filter(|c| c.is_alphanumeric()).count().min(40);
        for at in places.get(line).into_iter().flatten() {
            *votes.entry(*at as i64 - i as i64).or_default() += weight;
        }
    }
    let voted = votes.into_iter().filter(|(_, weight)| *weight > 3);
    if let Some((at, _)) = voted.max_by_key(|(at, weight)| (*weight, -at)) {
        return Some(at);
    }
    let (i, longest) = wanted
        .iter()
        .enumerate()
        .take(400)
        .max_by_key(|(_, line)| line.trim().len())
        .map(|(i, line)| (i, line.trim()))?;
    let (at, _) = like(file, longest)?;
    Some(at as i64 - i as i64)
}

/// The line most like `wanted`, with its likeness, if it is like it at all. Bounded work.
fn like(file: &[&str], wanted: &str) -> Option<(usize, f64)> {
    let wanted: String = wanted.chars().take(200).collect();
    let mut budget = 30_000_000_usize;
    let mut best: Option<(usize, f64)> = None;
    for (at, line) in file.iter().enumerate() {
        let line = line.trim();
        let (long, short) = (line.len().max(wanted.len()), line.len().min(wanted.len()));
        if short * 2 < long || long > 800 {
            continue;
        }
        let Some(left) = budget.checked_sub(line.len() * wanted.len()) else { break };
        budget = left;
        let likeness = strsim::normalized_levenshtein(line, &wanted);
        if likeness > best.map_or(0.6, |(_, best)| best) {
            best = Some((at, likeness));
        }
    }
    best
}

/// Both lines around the first difference, blanks at its place and odd characters spelled out.
fn visible(there: &str, wanted: &str) -> (String, String) {
    let same = there.chars().zip(wanted.chars()).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(60);
    let cut = |line: &str| {
        let mut out = String::new();
        if start > 0 {
            out.push('…');
        }
        let chars: Vec<char> = line.chars().skip(start).take(120).collect();
        let solid = chars.iter().rposition(|c| !matches!(c, ' ' | '\t')).map_or(0, |at| at + 1);
        let lead = chars.iter().take_while(|c| matches!(c, ' ' | '\t')).count();
        for (at, c) in chars.iter().enumerate() {
            let edge = at >= solid || (start == 0 && at < lead);
            match c {
                '\t' => out.push('→'),
                ' ' if edge => out.push('·'),
                c if c.is_control() || (c.is_whitespace() && *c != ' ') || invisible(*c) => {
                    write!(out, "<U+{:04X}>", u32::from(*c)).ok();
                }
                c => out.push(*c),
            }
        }
        if line.chars().nth(start + 120).is_some() {
            out.push('…');
        }
        out
    };
    (cut(there), cut(wanted))
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_name_the_place_and_the_difference() {
        let text = "fn a() {\n    let x = 3000;\n    b(x)\n}\n";
        for (text, old, expected) in [
            (
                text,
                "fn a() {\n    let x = 300;\n    b(x)\n",
                "old_string is not in f. Nearest: lines 1–3; line 2 differs:\n\
                 file:       ····let x = 3000;\nold_string: ····let x = 300;\n\
                 Blanks and every letter count. Read those lines again if they are not known.",
            ),
            (
                text,
                "let y = 3000",
                "old_string is not in f. Nearest: line 2; line 2 differs:\n\
                 file:       ····let x = 3000;\nold_string: let y = 3000\n\
                 Blanks and every letter count. Read those lines again if they are not known.",
            ),
            (
                "a\u{a0}b\n",
                "a b",
                "old_string is not in f. Nearest: line 1; line 1 differs:\n\
                 file:       a<U+00A0>b\nold_string: a b\n\
                 Blanks and every letter count. Read those lines again if they are not known.",
            ),
            (
                text,
                "struct Other;",
                "old_string is not in f. Nothing in its 4 lines is like it; read the file again.",
            ),
        ] {
            assert_eq!(miss(&Miss::None, text, old, "f").text, expected);
        }
    }
}
