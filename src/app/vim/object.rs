//! Text objects of vim: a word, what stands in quotation marks, what stands in brackets.

use std::ops::Range;

use crate::app::vim::motion::{Word, kind, line_end, line_start};

/// The object that `sign` names around `at`; `around` takes the marks or blanks beside it too.
/// `None`: there is none here.
pub fn find(text: &[char], at: usize, sign: char, around: bool) -> Option<Range<usize>> {
    match sign {
        'w' => word(text, at, Word::Small, around),
        'W' => word(text, at, Word::Big, around),
        '"' | '\'' | '`' => quoted(text, at, sign, around),
        '(' | ')' | 'b' => bracketed(text, at, ('(', ')'), around),
        '[' | ']' => bracketed(text, at, ('[', ']'), around),
        '{' | '}' | 'B' => bracketed(text, at, ('{', '}'), around),
        '<' | '>' => bracketed(text, at, ('<', '>'), around),
        _ => None,
    }
}

fn word(text: &[char], at: usize, word: Word, around: bool) -> Option<Range<usize>> {
    let line = line_start(text, at)..line_end(text, at);
    let here = kind(*text.get(at).filter(|c| **c != '\n')?, word);
    let same = |at: &usize| kind(text[*at], word) == here;
    let start = (line.start..at).rev().take_while(same).last().unwrap_or(at);
    let end = (at..line.end).take_while(same).last().map_or(at, |last| last + 1);
    if !around {
        return Some(start..end);
    }
    let blank = |at: &usize| text[*at].is_whitespace();
    if here == 0 {
        let next = text.get(end).filter(|_| end < line.end).map(|c| kind(*c, word));
        let more = |at: &usize| Some(kind(text[*at], word)) == next;
        return Some(start..(end..line.end).take_while(more).last().map_or(end, |last| last + 1));
    }
    let after = (end..line.end).take_while(blank).last().map_or(end, |last| last + 1);
    if after > end {
        return Some(start..after);
    }
    Some((line.start..start).rev().take_while(blank).last().unwrap_or(start)..end)
}

/// Around the cursor, or the next one of the line.
fn quoted(text: &[char], at: usize, sign: char, around: bool) -> Option<Range<usize>> {
    let line = line_start(text, at)..line_end(text, at);
    let signs: Vec<usize> = line.filter(|at| text[*at] == sign).collect();
    let pair = signs.chunks_exact(2).find(|pair| pair[1] >= at)?;
    Some(if around { pair[0]..pair[1] + 1 } else { pair[0] + 1..pair[1] })
}

fn bracketed(
    text: &[char],
    at: usize,
    (open, close): (char, char),
    around: bool,
) -> Option<Range<usize>> {
    let mut depth = 0;
    let start = (0..text.len().min(at + 1)).rev().find(|index| {
        let c = text[*index];
        if c == close && *index != at {
            depth += 1;
        } else if c == open {
            if depth == 0 {
                return true;
            }
            depth -= 1;
        }
        false
    })?;
    let mut depth = 0;
    let end = (start + 1..text.len()).find(|index| {
        let c = text[*index];
        if c == open {
            depth += 1;
        } else if c == close {
            if depth == 0 {
                return true;
            }
            depth -= 1;
        }
        false
    })?;
    Some(if around { start..end + 1 } else { start + 1..end })
}
