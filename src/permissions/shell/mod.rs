//! A shell command taken apart into the simple commands that would run.
//!
//! [`read`] never fails: what is not understood becomes [`Script::doubt`], and a doubtful script is
//! never allowed by its parts. Not for deciding (that is `check`), and not for running.

mod crude;
mod lex;
mod places;
mod tree;
mod walk;
mod word;
pub mod wrap;

use std::path::{Path, PathBuf};

pub use word::{Piece, Shape, Word};

/// Longest command, in bytes, that is judged by its parts.
pub const LONGEST: usize = 10_000;
/// Most parts of a command that is judged by them.
pub const MOST_PARTS: usize = 50;
/// Deepest nesting of the syntax tree.
const DEEPEST: usize = 300;

#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub text: String,
    /// Every simple command, assignment and loose redirection, in the order written.
    pub parts: Vec<Part>,
    /// Why the parts may not be all that runs; the end of "tern cannot be sure of this command: ..".
    pub doubt: Option<String>,
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// As written.
    pub text: String,
    pub assignments: Vec<Assignment>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
    /// Directories it may run in; `None`: any.
    pub places: Option<Vec<PathBuf>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    pub name: String,
    /// `None`: known only when it runs.
    pub value: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Redirect {
    pub kind: RedirectKind,
    pub target: Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    Reads,
    Writes,
    /// A here-document or here-string: text for standard input.
    Feeds,
}

/// Reads a command that is to run in `cwd`.
pub fn read(text: &str, cwd: &Path) -> Script {
    let (parts, doubt) = match understand(text, cwd) {
        Ok(found) => found,
        Err(doubt) => (crude::parts(text), Some(doubt)),
    };
    Script { text: text.to_owned(), parts, doubt }
}

/// Environment variables that change how a program prints or which tests it runs, not what it runs.
const HARMLESS_SETTINGS: [&str; 24] = [
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "CGO_ENABLED",
    "FORCE_COLOR",
    "GOARCH",
    "GOOS",
    "LANG",
    "LANGUAGE",
    "LINES",
    "NODE_ENV",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONWARNINGS",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "RUST_TEST_THREADS",
    "TERM",
    "TZ",
];

/// Whether a setting before a command may be overlooked by an allow rule.
pub fn is_harmless_setting(assignment: &Assignment) -> bool {
    let name = assignment.name.as_str();
    let locale = name
        .strip_prefix("LC_")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_uppercase()));
    let plain = assignment.value.as_ref().is_some_and(|value| {
        let path = matches!(name, "TERM" | "TZ") || locale || name.starts_with("LANG");
        !(path && (value.contains("..") || value.starts_with(['/', ':'])))
    });
    plain && (locale || HARMLESS_SETTINGS.contains(&name))
}

fn understand(text: &str, cwd: &Path) -> Result<(Vec<Part>, Option<String>), String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    if super::explain::piles_up(text) {
        return Err("it piles up marks on letters".to_owned());
    }
    let tokens = lex::tokens(text)?;
    let tree = tree::parse(text)?;
    let root = tree.root_node();
    if depth(root) > DEEPEST {
        return Err("it is nested too deeply".to_owned());
    }
    if root.has_error() {
        return Err("it does not follow the shell's grammar".to_owned());
    }
    tree::agree(root, &tokens)?;
    let walked = walk::parts(root, text, &tokens, cwd);
    if walked.parts.len() > MOST_PARTS {
        let doubt = format!("it has more than {MOST_PARTS} parts");
        return Ok((walked.parts, Some(doubt)));
    }
    Ok((walked.parts, walked.doubt))
}

fn depth(root: tree_sitter::Node<'_>) -> usize {
    let mut cursor = root.walk();
    let (mut depth, mut deepest) = (1usize, 1usize);
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            deepest = deepest.max(depth);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return deepest;
            }
            depth -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
