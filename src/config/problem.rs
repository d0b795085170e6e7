//! What is wrong with a setting, in words for a person: the place, a sentence, a hint.

use std::path::{Path, PathBuf};

use crate::protocol::Source;

/// Something in the configuration that does not count. The rest of its file does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub source: Source,
    /// `None`: the environment or a flag, which `message` then names.
    pub file: Option<PathBuf>,
    /// 1-based.
    pub line: Option<u32>,
    pub message: String,
    pub hint: Option<String>,
}

/// `config.toml line 14: unknown mode "yolo"; modes are default, plan, ..`
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{} line {line}: ", short(file))?,
            (Some(file), None) => write!(f, "{}: ", short(file))?,
            (None, _) => {}
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The file's name, with its folder where the name alone could mean several files.
pub fn short(file: &Path) -> String {
    const TELLING: [&str; 3] = [".tern", ".claude", "managed.d"];
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let text = match folder {
        Some(folder) if TELLING.contains(&&*folder) => format!("{folder}/{name}"),
        _ => name.into_owned(),
    };
    one_line(&text)
}

/// The text with control characters replaced, so that a name from a hostile folder stays a name.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Why a file of tern's own could not be found, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("no home folder is known")]
    NoHome,
    #[error("cannot read {}: {why}", .file.display())]
    Read { file: PathBuf, why: std::io::Error },
    #[error("cannot write {}: {why}", .file.display())]
    Write { file: PathBuf, why: std::io::Error },
    /// A setting that cannot be what it was asked to be, or a file that is not TOML.
    #[error("{0}")]
    Problem(Box<Problem>),
}

impl ConfigError {
    /// What the person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            ConfigError::NoHome => "set HOME, or TERN_HOME to a folder that tern may use",
            ConfigError::Read { .. } => "check that the file is yours and can be read",
            ConfigError::Write { .. } => "check that the folder is yours and the disk is not full",
            ConfigError::Problem(_) => "`tern config show` lists the settings that count",
        }
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> ConfigError {
        ConfigError::Problem(Box::new(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_a_sentence_with_its_place() {
        let problem = |file: Option<&str>, line, hint: Option<&str>| Problem {
            source: Source::User,
            file: file.map(PathBuf::from),
            line,
            message: "unknown mode \"yolo\"".into(),
            hint: hint.map(str::to_owned),
        };
        for (problem, text) in [
            (
                problem(Some("/h/config.toml"), Some(14), Some("modes are plan")),
                "config.toml line 14: unknown mode \"yolo\"; modes are plan",
            ),
            (problem(Some("/p/.tern/c.toml"), None, None), ".tern/c.toml: unknown mode \"yolo\""),
            (problem(None, None, None), "unknown mode \"yolo\""),
            (
                problem(Some("/p/a\u{1b}[2J.toml"), None, None),
                "a\u{fffd}[2J.toml: unknown mode \"yolo\"",
            ),
        ] {
            assert_eq!(problem.to_string(), text);
        }
    }
}
