//! Programs whose words need a look of their own.

use super::super::shell::{Piece, Shape, Word};
use super::{Effect, PathUse, Touch, flags};

fn reads(reads: Vec<PathUse>) -> Effect {
    Effect::Reads(Touch { reads, ..Touch::default() })
}

/// Prints its words; so what the shell fills in matters only where it could be a secret.
pub(super) fn echo(args: &[Word]) -> Result<Effect, String> {
    let mut names = Vec::new();
    for word in args {
        if let Some(name) = secret(word) {
            return Err(format!("${name} may be a secret"));
        }
        names.extend(PathUse::of(word).filter(|path| path.pattern));
    }
    Ok(reads(names))
}

/// The variable in it that may hold one.
pub fn secret(word: &Word) -> Option<&str> {
    word.pieces.iter().find_map(|piece| match piece {
        Piece::Variable { name, .. } if may_be_secret(name) => Some(name.as_str()),
        _ => None,
    })
}

fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTH", "COOKIE"]
        .iter()
        .any(|word| name.contains(word))
}

/// `-v NAME` assigns, and evaluates what stands in the brackets of a name.
pub(super) fn printf(args: &[Word]) -> Result<Effect, String> {
    match args.first().and_then(Word::literal) {
        Some(format) if !format.starts_with('-') => echo(args),
        _ => Err("the format of printf is not plain text".to_owned()),
    }
}

const FILE_TESTS: &str = "abcdefghkprstuwxGLNOS";

/// `[`, `[[` and `test`. `-v` and `-R` evaluate the brackets of a name, and `[[` evaluates the sides
/// of a number comparison; so those are limited or left out.
pub(super) fn test(name: &str, args: &[Word]) -> Result<Effect, String> {
    let args = match (name, args.split_last()) {
        ("[", Some((last, args))) if last.source == "]" => args,
        ("[[", Some((last, args))) if last.source == "]]" => args,
        ("test", _) => args,
        _ => return Err("a bracket is missing".to_owned()),
    };
    if name != "[[" && args.iter().any(|word| word.literal().is_none()) && !is_settled(args) {
        return Err("what it tests is known only when it runs".to_owned());
    }
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(word) = args.get(at) {
        at += 1;
        let text = word.loose();
        let operator = text.strip_prefix('-').filter(|rest| rest.chars().count() == 1);
        if matches!(text.as_str(), "-v" | "-R") {
            return Err(format!("{text} may evaluate what stands in its operand"));
        }
        if matches!(text.as_str(), "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") && name == "[[" {
            let number = |at: Option<usize>| {
                at.and_then(|at| args.get(at)).and_then(Word::literal).is_some_and(|text| {
                    text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
                })
            };
            if !number(at.checked_sub(2)) || !number(Some(at)) {
                return Err("[[ evaluates both sides of a number comparison".to_owned());
            }
        }
        if operator.is_some_and(|letter| FILE_TESTS.contains(letter))
            && let Some(file) = args.get(at)
        {
            match PathUse::of(file) {
                Some(file) if !matches!(file.text.as_str(), "=" | "==" | "!=" | "-a" | "-o") => {
                    files.push(file);
                }
                Some(_) => {}
                None => {}
            }
        } else if let Some(pattern) = PathUse::of(word).filter(|path| path.pattern && name != "[[")
        {
            files.push(pattern);
        }
    }
    Ok(reads(files))
}

/// Whether the form of a `[` is fixed although words are not: a filled-in word might be `-v`, which
/// evaluates the next one. Only one test, its operator in plain text, its variables in quotes.
fn is_settled(args: &[Word]) -> bool {
    let args = match args.split_first() {
        Some((first, rest)) if first.source == "!" => rest,
        _ => args,
    };
    let plain = |word: &Word, known: &[&str]| {
        word.literal().is_some_and(|text| known.contains(&text.as_str()))
    };
    let quoted = |word: &Word| match word.shape() {
        Shape::Plain { .. } => true,
        Shape::Pattern { .. } => false,
        Shape::Dynamic => word.pieces.iter().all(|piece| match piece {
            Piece::Text { .. } => true,
            Piece::Variable { quoted, .. } | Piece::Output { quoted, .. } => *quoted,
            Piece::Glob(_) | Piece::Home | Piece::Computed { .. } => false,
        }),
    };
    const UNARY: [&str; 12] =
        ["-n", "-z", "-e", "-f", "-d", "-r", "-w", "-x", "-s", "-L", "-h", "-t"];
    const BINARY: [&str; 14] =
        ["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"];
    match args {
        [one] => quoted(one),
        [operator, operand] => plain(operator, &UNARY) && quoted(operand),
        [left, operator, right] => quoted(left) && plain(operator, &BINARY) && quoted(right),
        _ => false,
    }
}

/// jq may read its program from a file, and prints the environment on request.
pub(super) fn jq(args: &[Word]) -> Result<Effect, String> {
    const FLAGS: &str = "-nrjaSsceCM --null-input --raw-output --join-output --ascii-output --sort-keys \
        --slurp --compact-output --exit-status --color-output --monochrome-output --tab --raw-input -R \
        --indent= --seq --stream --raw-output0 --unbuffered";
    let parsed = flags::parse(FLAGS, args)?;
    let mut operands = parsed.operands.into_iter();
    if let Some(program) = operands.next() {
        let words = program.text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        for word in words {
            if matches!(
                word,
                "env" | "$ENV" | "import" | "include" | "input_filename" | "$__prog_args"
            ) {
                return Err(format!("its program uses {word}"));
            }
        }
    }
    Ok(reads(operands.filter(|file| file.text != "-").collect()))
}

pub(super) fn lookup(name: &str, args: &[Word]) -> Result<Effect, String> {
    let list = match name {
        "command" => "-vV",
        "type" => "-aftpP",
        _ => "-as",
    };
    let parsed = flags::parse(list, args)?;
    if name == "command" && !parsed.has(&["-v", "-V"]) {
        return Err("command runs its operand".to_owned());
    }
    Ok(reads(Vec::new()))
}

/// Without the forms that show other programs' environment (`ps e`, `ps -E`).
pub(super) fn ps(args: &[Word]) -> Result<Effect, String> {
    let bsd = |text: &str| !text.is_empty() && text.chars().all(|c| "auxwflj".contains(c));
    if let [only] = args
        && only.literal().is_some_and(|text| bsd(&text))
    {
        return Ok(reads(Vec::new()));
    }
    let list = "-AadeflFHLjwTM -o= -p= -u= -U= -C= -t= --pid= --user= --sort= --format= --forest \
        --no-headers --ppid=";
    let parsed = flags::parse(list, args)?;
    let shows = |value: &String| value.to_ascii_lowercase().contains("env");
    let environment = parsed.flags.iter().any(|(flag, value)| {
        matches!(flag.as_str(), "-o" | "--format") && value.as_ref().is_none_or(shows)
    });
    if !environment && parsed.operands.is_empty() {
        return Ok(reads(Vec::new()));
    }
    Err("this form of ps may show the environment of other programs".to_owned())
}

/// Listing only: `tar tf`, `tar -tvf`, `tar -ztf`.
pub(super) fn tar(args: &[Word]) -> Result<Effect, String> {
    let mut words = args.to_vec();
    if let Some(first) = words.first_mut()
        && let Some(text) = first.literal().filter(|text| !text.starts_with('-'))
    {
        if !text.chars().all(|c| "tvzjJf".contains(c)) {
            return Err("this form of tar may write".to_owned());
        }
        *first = Word::from_literal(&format!("-{text}"));
    }
    let parsed = flags::parse("-tvzjJa -f@ --list --verbose --gzip --bzip2 --xz --file@", &words)?;
    let remote = parsed.files.iter().any(|file| file.text.contains(':'));
    if !parsed.has(&["-t", "--list"]) || remote {
        return Err("this form of tar may write or connect".to_owned());
    }
    Ok(reads(parsed.files))
}

pub(super) fn cd(args: &[Word]) -> Result<Effect, String> {
    match flags::parse("", args)?.operands.as_slice() {
        [] => Ok(reads(vec![PathUse {
            text: String::new(),
            home: true,
            pattern: false,
            again: false,
        }])),
        [one] if one.text != "-" && !one.pattern => Ok(reads(vec![one.clone()])),
        _ => Err("cd goes to a folder that is not clear".to_owned()),
    }
}

/// The version of a tool, where asking for it runs nothing of the project. Left out: cargo and rustc
/// (a toolchain file may name a program), yarn and pytest (they load code of the project first).
const VERSIONS: [&str; 22] = [
    "node", "python", "python3", "ruby", "perl", "php", "java", "gcc", "g++", "cc", "clang",
    "clang++", "make", "cmake", "bash", "zsh", "docker", "go", "rustup", "pip", "pip3", "npm",
];

pub(super) fn version(name: &str, args: &[Word]) -> Result<Effect, String> {
    let words: Vec<Option<String>> = args.iter().map(Word::literal).collect();
    let words: Vec<&str> = words.iter().map(|word| word.as_deref().unwrap_or("$")).collect();
    match (name, words.as_slice()) {
        ("go", ["version"]) | ("docker", ["version"] | ["-v"]) | ("node" | "npm", ["-v"]) => {}
        ("java", ["-version"]) => {}
        (_, ["--version"]) if VERSIONS.contains(&name) && name != "go" => {}
        ("unzip", ["-l" | "-lv" | "-v" | "-Z" | "-Z1" | "-lq" | "-ql", file])
            if !file.starts_with('-') =>
        {
            return Ok(reads(args.iter().skip(1).filter_map(PathUse::of).collect()));
        }
        ("docker", [which @ ("ps" | "images"), ..]) => {
            let parsed = flags::parse(
                "-aqlsn --all --quiet --no-trunc --latest --size --format= --filter= -f=",
                &args[1..],
            )?;
            if !parsed.operands.is_empty() && *which == "ps" {
                return Err("docker ps takes no operand".to_owned());
            }
        }
        ("set", flags) if !flags.is_empty() && flags.iter().all(|flag| is_plain_set(flag)) => {}
        ("read", names) if !names.is_empty() => return read(names),
        _ => return Err(format!("{name} is not known to only read")),
    }
    Ok(reads(Vec::new()))
}

fn is_plain_set(flag: &str) -> bool {
    flag == "pipefail"
        || flag.strip_prefix(['-', '+']).is_some_and(|letters| {
            !letters.is_empty() && letters.chars().all(|c| "euxo".contains(c))
        })
}

/// Plain lower-case names: brackets in a name would be evaluated, and PATH must stay.
fn read(names: &[&str]) -> Result<Effect, String> {
    let names = names.strip_prefix(&["-r"]).unwrap_or(names);
    let plain =
        |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if names.iter().all(plain) {
        Ok(reads(Vec::new()))
    } else {
        Err("read sets a variable that may matter".to_owned())
    }
}
