//! awk, by what its program may not contain.
//!
//! The language is too rich to be proved harmless; but everything that writes or runs something needs
//! one of a few words or signs. Those refuse the program even inside a string or a pattern, so that no
//! doubt about where a string ends matters.

use super::super::shell::Word;
use super::{Effect, PathUse, Touch, flags};

const WORDS: [&str; 9] =
    ["system", "getline", "close", "ENVIRON", "ARGV", "ARGC", "SYMTAB", "FUNCTAB", "PROCINFO"];

pub(super) fn awk(args: &[Word]) -> Result<Effect, String> {
    let parsed = flags::parse("-F= -v= --field-separator= --assign= --posix --re-interval", args)?;
    let mut operands = parsed.operands.into_iter();
    let program = operands.next().ok_or("awk has no program")?;
    if program.pattern || program.home {
        return Err("the program of awk is not plain text".to_owned());
    }
    harmless(&program.text)?;
    let reads: Vec<PathUse> = operands.filter(|file| file.text != "-").collect();
    if reads.iter().any(|file| file.text.contains('=')) {
        return Err("awk sets a variable between its files".to_owned());
    }
    Ok(Effect::Reads(Touch { reads, ..Touch::default() }))
}

fn harmless(program: &str) -> Result<(), String> {
    let mut words = program.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    if let Some(word) = words.find(|word| WORDS.contains(word)) {
        return Err(format!("its awk program uses {word}"));
    }
    if program.contains('@') {
        return Err("its awk program uses @".to_owned());
    }
    let pipes = program.split(|c: char| c != '|').filter(|run| !run.is_empty());
    let single = pipes.clone().any(|run| run.len() != 2);
    if single || program.contains("||&") {
        return Err("its awk program uses |".to_owned());
    }
    // Before the first print it compares; after it, it may write.
    match program.find("print") {
        Some(at) if program[at..].contains('>') => {
            Err("its awk program may write with >".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        for program in [
            "{print $1}",
            "NR>5",
            "$3 > 5 {print $1, $2}",
            "/a/ || /b/",
            "{s += $1} END {print s}",
            "BEGIN{FS=\",\"} {print $2}",
            "!seen[$0]++",
            "length > 80",
            "{if ($1 > m) m = $1} END {m}",
        ] {
            assert_eq!(harmless(program), Ok(()), "{program}");
        }
        for program in [
            "BEGIN{system(\"x\")}",
            "BEGIN{print |\"touch x\"}",
            "{print > \"f\"}",
            "{print >> \"f\"}",
            "BEGIN{\"date\" | getline x}",
            "BEGIN{ARGV[1]=\"/etc/passwd\"}",
            "@load \"x\"",
            "{print ENVIRON[\"K\"]}",
            "{print $1 |& \"x\"}",
            "{printf \"a\" > \"f\"}",
            "/\"/ {system(\"x\")} /\"/",
            "BEGIN{f=\"sys\" \"tem\"; @f(\"x\")}",
            "}{ print > \"f\" }",
            "}}{print > \"f\"",
            "{ } { print \"}\" > \"x\" }",
        ] {
            assert!(harmless(program).is_err(), "{program}");
        }
    }
}
