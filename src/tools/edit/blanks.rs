//! Old text on one line whose runs of blanks have another width in the file.
//!
//! Only where no blank can mean anything: not in a line with quotes, not at the start of a line,
//! and never a blank where there is none.

use crate::tools::edit::ladder::{How, Miss, Places, Swap, Swapped, choose};

pub(super) fn swap(text: &str, swap: Swap<'_>) -> Result<Option<Swapped>, Miss> {
    let old = swap.old.strip_suffix('\n').unwrap_or(swap.old);
    let new = match (swap.old.ends_with('\n'), swap.new.strip_suffix('\n')) {
        (true, Some(new)) => new,
        (true, None) => return Ok(None),
        (false, _) => swap.new,
    };
    let quoted = |text: &str| text.contains(['"', '\'', '`']);
    let trimmed = old.trim_matches(is_blank);
    if old.contains('\n') || new.contains('\n') || quoted(old) || quoted(new) || trimmed != old {
        return Ok(None);
    }
    let wanted = runs(old);
    if wanted.len() < 3 {
        return Ok(None);
    }
    let mut hits = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r', ' ', '\t']);
        if !quoted(body) {
            find(body, &wanted).into_iter().for_each(|(at, len)| hits.push((start + at, len)));
        }
        start += line.len();
    }
    let region = |at: usize| {
        let len = hits.iter().find(|(start, _)| *start == at).map_or(0, |(_, len)| *len);
        at..at + len
    };
    let starts = hits.iter().map(|(at, _)| *at).collect();
    let one = Swap { places: Places::One, ..swap };
    let regions = choose(text, starts, one, How::Blanks, region)?;
    let Some(region) = regions.into_iter().next() else { return Ok(None) };
    let carried = carry(&runs(&text[region.clone()]), &wanted, &runs(new));
    let text = format!("{}{carried}{}", &text[..region.start], &text[region.end..]);
    Ok(Some(Swapped { text, places: 1, how: How::Blanks }))
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Words and runs of blanks, in turn.
fn runs(line: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let blank = is_blank(first);
        let end = rest.find(|c| is_blank(c) != blank).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        runs.push(run);
        rest = after;
    }
    runs
}

/// Where the runs stand in the line: the first and the last word may be parts of longer ones, as
/// in any search. Offset and length in bytes.
fn find(line: &str, wanted: &[&str]) -> Vec<(usize, usize)> {
    let there = runs(line);
    let mut found = Vec::new();
    let mut at = 0;
    for index in 0..there.len() {
        let window = there.get(index..index + wanted.len());
        if let Some(window) = window.filter(|window| fits(window, wanted)) {
            let cut = window[0].len() - wanted[0].len();
            let last = wanted.len() - 1;
            let whole: usize = window[..last].iter().map(|run| run.len()).sum();
            found.push((at + cut, whole - cut + wanted[last].len()));
        }
        at += there[index].len();
    }
    found
}

fn fits(window: &[&str], wanted: &[&str]) -> bool {
    let last = wanted.len() - 1;
    window.iter().zip(wanted).enumerate().all(|(n, (there, wanted))| match n {
        _ if wanted.starts_with(is_blank) => there.starts_with(is_blank),
        0 => there.ends_with(wanted),
        n if n == last => there.starts_with(wanted),
        _ => there == wanted,
    })
}

/// The new text, with the file's own blanks where it begins and ends as the old one did.
fn carry(there: &[&str], old: &[&str], new: &[&str]) -> String {
    let same = |a: &&str, b: &&str| a == b;
    let head = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let room = old.len().min(new.len()) - head;
    let tail =
        old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(a, b)| same(a, b)).count();
    // The first and last word of `there` may be longer than the old text's: they are cut to it.
    let mine = |n: usize| if old[n].starts_with(is_blank) { there[n] } else { old[n] };
    let mut out = String::new();
    (0..head).for_each(|n| out.push_str(mine(n)));
    new[head..new.len() - tail].iter().for_each(|run| out.push_str(run));
    (old.len() - tail..old.len()).for_each(|n| out.push_str(mine(n)));
    out
}
