//! Reading a command's flags against a list of the known ones.
//!
//! A list is one string of words: `-ab` (flags without a value), `-n=` (with a value), `-f@` (its value
//! is a file that is read), `-i=?` (a value only when attached), `--long`, `--long=`, `--long@`,
//! `--long=?`, `--long=~` (a value, but none when it stands last), and `-#` (a number as a flag, as in
//! `head -5`).

use super::super::shell::{Piece, Shape, Word};
use super::PathUse;

/// What the words after a program's name are.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Flags as on the list (`-n`, `--lines`), with their values.
    pub flags: Vec<(String, Option<String>)>,
    /// Files that flags name.
    pub files: Vec<PathUse>,
    pub operands: Vec<PathUse>,
    /// A flag stood after an operand; some programs take it for one more operand.
    pub late_flag: bool,
}

impl Parsed {
    pub fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(flag, _)| names.contains(&flag.as_str()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    File,
    Attached,
    ValueUnlessLast,
}

/// `Err`: why the words cannot be vouched for.
pub fn parse(list: &str, args: &[Word]) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut at = 0;
    let mut only_operands = false;
    while let Some(word) = args.get(at) {
        at += 1;
        if is_input(word) {
            parsed.operands.push(PathUse::plain("-"));
            continue;
        }
        let among = PathUse::among(word);
        if !among.is_empty() {
            if !only_operands && among.iter().any(|path| path.text.starts_with('-')) {
                return Err(format!("{} may be a flag", word.source));
            }
            parsed.operands.extend(among);
            continue;
        }
        let Some(found) = PathUse::of(word) else {
            return Err(format!("{} is known only when it runs", word.source));
        };
        let text = found.text.clone();
        if only_operands || found.home || !text.starts_with('-') || text == "-" {
            parsed.operands.push(found);
        } else if found.pattern && !names_a_flag(&text) {
            return Err(format!("{} may become other words", word.source));
        } else if text == "--" {
            only_operands = true;
        } else if is_number(&text) && list.split(' ').any(|flag| flag == "-#") {
            parsed.flags.push(("-#".to_owned(), Some(text)));
        } else if let Some(long) = text.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let takes = long_flag(list, name).ok_or_else(|| unknown(&text))?;
            if found.pattern && takes != Takes::Value {
                return Err(format!("{} may become other words", word.source));
            }
            let value = match (takes, value) {
                (Takes::Nothing, Some(_)) => return Err(unknown(&text)),
                (Takes::Nothing | Takes::Attached, None) => None,
                (Takes::ValueUnlessLast, None) if at == args.len() => None,
                (_, Some(value)) => Some(value),
                (Takes::Value | Takes::ValueUnlessLast | Takes::File, None) => {
                    Some(next_value(args, &mut at, &text)?)
                }
            };
            parsed.add(format!("--{name}"), value, takes);
        } else {
            short_flags(list, &text, args, &mut at, &mut parsed)?;
        }
    }
    Ok(parsed)
}

fn short_flags(
    list: &str,
    text: &str,
    args: &[Word],
    at: &mut usize,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let letters: Vec<char> = text.chars().skip(1).collect();
    for (i, letter) in letters.iter().enumerate() {
        let takes = short_flag(list, *letter).ok_or_else(|| unknown(text))?;
        let attached: String = letters[i + 1..].iter().collect();
        let name = format!("-{letter}");
        match takes {
            Takes::Nothing => parsed.add(name, None, takes),
            Takes::Attached => {
                parsed.add(name, (!attached.is_empty()).then_some(attached), takes);
                return Ok(());
            }
            Takes::Value | Takes::ValueUnlessLast | Takes::File => {
                let value =
                    if attached.is_empty() { next_value(args, at, text)? } else { attached };
                parsed.add(name, Some(value), takes);
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Parsed {
    fn add(&mut self, name: String, value: Option<String>, takes: Takes) {
        if let (Takes::File, Some(value)) = (takes, &value) {
            self.files.push(PathUse::plain(value));
        }
        self.late_flag |= !self.operands.is_empty();
        self.flags.push((name, value));
    }
}

/// `<(command)`: the name of a pipe that is read, never a flag. The command is a part of its own.
fn is_input(word: &Word) -> bool {
    matches!(word.pieces.as_slice(), [Piece::Output { source, .. }] if source.starts_with("<("))
}

/// `--include=*.rs`: whatever the pattern becomes, it is this flag with some value.
fn names_a_flag(pattern: &str) -> bool {
    pattern
        .strip_prefix("--")
        .and_then(|rest| rest.split_once('='))
        .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

/// A value that looks like a flag is refused: should the program not take one here, it would be one.
fn next_value(args: &[Word], at: &mut usize, flag: &str) -> Result<String, String> {
    let word = args.get(*at).ok_or_else(|| format!("{flag} lacks its value"))?;
    *at += 1;
    match word.shape() {
        Shape::Plain { text, home: false }
            if !text.starts_with('-') || text == "-" || is_number(&text) =>
        {
            Ok(text)
        }
        _ => Err(format!("the value of {flag} is not plain text")),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn unknown(flag: &str) -> String {
    format!("{flag} is not on the list of harmless flags")
}

fn long_flag(list: &str, name: &str) -> Option<Takes> {
    list.split(' ').find_map(|flag| {
        let rest = flag.strip_prefix("--")?.strip_prefix(name)?;
        match rest {
            "" => Some(Takes::Nothing),
            "=" => Some(Takes::Value),
            "@" => Some(Takes::File),
            "=?" => Some(Takes::Attached),
            "=~" => Some(Takes::ValueUnlessLast),
            _ => None,
        }
    })
}

fn short_flag(list: &str, letter: char) -> Option<Takes> {
    list.split(' ').find_map(|flag| {
        let letters = flag.strip_prefix('-').filter(|rest| !rest.starts_with(['-', '#']))?;
        let mut chars = letters.chars();
        let first = chars.next()?;
        match chars.as_str() {
            "=" => (first == letter).then_some(Takes::Value),
            "@" => (first == letter).then_some(Takes::File),
            "=?" => (first == letter).then_some(Takes::Attached),
            _ => letters.contains(letter).then_some(Takes::Nothing),
        }
    })
}
