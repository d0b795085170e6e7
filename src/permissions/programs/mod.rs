//! What well-known programs do, judged by their flags.
//!
//! [`effect`] answers for one command whose words are known: it only reads, it only changes these
//! files, or nothing can be said. Every flag is on a list; a flag that is not, an abbreviated one, or a
//! word that the shell still has to fill in where it could become a flag, makes the answer *unknown*.

mod awk;
mod edits;
mod find;
mod flags;
mod git;
mod sed;
mod special;
mod table;

pub use special::secret;

use super::shell::{Shape, Word};

/// What a command does with files.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// It changes nothing.
    Reads(Touch),
    /// It changes these files and nothing else.
    Edits(Touch),
    /// A reason, to follow "tern asks because".
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Touch {
    pub reads: Vec<PathUse>,
    pub writes: Vec<PathUse>,
    pub below: Below,
    /// Whether git is started, so that the repository's configuration matters.
    pub git: bool,
}

/// How far a command reads below a folder that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Below {
    /// Names at most.
    #[default]
    Names,
    /// The contents of files, not through links.
    Contents,
    /// The contents of files, through links.
    Links,
}

/// A path as a command names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathUse {
    pub text: String,
    /// The home directory stands before it.
    pub home: bool,
    /// It is a glob pattern, with backslashes before literal special characters.
    pub pattern: bool,
    /// The shell splits and expands it once more, as it does an unquoted variable.
    pub again: bool,
}

impl PathUse {
    pub fn plain(text: &str) -> PathUse {
        PathUse { text: text.to_owned(), home: false, pattern: false, again: false }
    }

    /// `None`: not known before it runs.
    pub fn of(word: &Word) -> Option<PathUse> {
        PathUse::of_shape(word.shape())
    }

    fn of_shape(shape: Shape) -> Option<PathUse> {
        let (text, home, pattern) = match shape {
            Shape::Plain { text, home } => (text, home, false),
            Shape::Pattern { text, home } => (text, home, true),
            Shape::Dynamic => return None,
        };
        Some(PathUse { text, home, pattern, again: false })
    }

    /// The paths that a loop's variable stands for; empty where the word is not one.
    pub fn among(word: &Word) -> Vec<PathUse> {
        let again = !word.is_quoted();
        let paths = word.among.iter().cloned().filter_map(PathUse::of_shape);
        paths.map(|path| PathUse { again, ..path }).collect()
    }
}

/// What running `words` does, as far as the words tell.
pub fn effect(words: &[Word]) -> Effect {
    let Some((name, args)) = words.split_first() else {
        return Effect::Reads(Touch::default());
    };
    let Some(name) = name.literal() else {
        return Effect::Unknown("the program's name is known only when it runs".to_owned());
    };
    let found = match name.as_str() {
        "echo" => special::echo(args),
        "printf" => special::printf(args),
        "test" | "[" | "[[" => special::test(&name, args),
        "find" => find::find(args),
        "sed" => sed::sed(args),
        "awk" | "gawk" | "mawk" | "nawk" => awk::awk(args),
        "git" => git::git(args),
        "jq" => special::jq(args),
        "command" | "type" | "which" | "whence" => special::lookup(&name, args),
        "ps" => special::ps(args),
        "tar" => special::tar(args),
        "cd" => special::cd(args),
        "mkdir" | "touch" | "rm" | "rmdir" | "mv" | "cp" => edits::edits(&name, args),
        _ => match table::find(&name) {
            Some(program) => table::reads(program, args),
            None => special::version(&name, args),
        },
    };
    match found {
        Ok(effect) => effect,
        Err(why) => Effect::Unknown(why),
    }
}

#[cfg(test)]
mod tests;
