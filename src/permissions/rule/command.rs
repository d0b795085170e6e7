//! The pattern of a `Bash(..)` rule, and when it covers a part of a command.

use super::wildcard;
use crate::permissions::shell::{Part, Shape, Word, wrap};

/// `npm test` (exactly that), `npm test *` or `npm test:*` (that and whatever follows, as whole words),
/// `*` anywhere for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPattern {
    text: String,
    /// Without the ending that makes the rest optional: `npm test` of `npm test *`.
    stem: Option<String>,
    exact: bool,
}

impl CommandPattern {
    pub fn new(spec: &str) -> CommandPattern {
        let text = match spec.strip_suffix(":*") {
            Some(stem) => format!("{stem} *"),
            None => spec.to_owned(),
        };
        let stem = text.strip_suffix(" *").map(str::to_owned);
        let exact = !text.contains('*');
        CommandPattern { text, stem, exact }
    }

    /// Whether it fits a command written out with one space between words.
    pub fn fits(&self, command: &str) -> bool {
        if self.exact {
            return self.text == command;
        }
        wildcard(&self.text, command)
            || self.stem.as_ref().is_some_and(|stem| wildcard(stem, command))
    }

    /// Whether it is this very text and no pattern.
    pub fn is(&self, command: &str) -> bool {
        self.exact && self.text.trim() == command.trim()
    }

    /// For deny and ask: any view of the part, with quotes removed.
    pub fn catches(&self, views: &wrap::Views) -> bool {
        views.commands.iter().any(|words| {
            let command = words.join(" ");
            self.fits(&command)
                || (self.text.contains(['\'', '"']) && self.unquoted().fits(&command))
        })
    }

    fn unquoted(&self) -> CommandPattern {
        CommandPattern::new(&self.text.replace(['\'', '"'], ""))
    }

    /// The text before the first `*`.
    fn head(&self) -> &str {
        self.text.split('*').next().unwrap_or_default()
    }

    /// For allow: the part as a whole, or its words without harmless wrappers and settings.
    ///
    /// Never where a word is known only when it runs, except a plain `$NAME` in an argument, and not
    /// where a word runs something else (`find -exec`) that the rule does not name.
    pub fn allows(&self, part: &Part) -> bool {
        if self.is(&part.text) {
            return true;
        }
        let core = wrap::core(&part.words);
        let Some(first) = core.first() else { return false };
        let named = matches!(first.shape(), Shape::Plain { home: false, .. });
        let fed = part.redirects.iter().any(|redirect| redirect.target.computed());
        if !named || fed || part.words.iter().any(Word::computed) {
            return false;
        }
        let (settings, known) = settings(part);
        let whole = join(&part.words);
        if self.covers(&join(core), core) && known {
            return true;
        }
        if core.len() != part.words.len() && known && self.covers(&whole, core) {
            return true;
        }
        !settings.is_empty()
            && self.head().starts_with(&settings)
            && self.covers(&format!("{settings}{whole}"), core)
    }

    fn covers(&self, command: &str, words: &[Word]) -> bool {
        self.fits(command)
            && match runs_other(words) {
                Other::Nothing => true,
                Other::Flag(flag) => self.text.contains(&flag),
                Other::Perhaps => self.exact,
            }
    }
}

fn join(words: &[Word]) -> String {
    words.iter().map(Word::strict).collect::<Vec<_>>().join(" ")
}

/// The settings before a command as written, each with a blank after it, and whether all are harmless.
fn settings(part: &Part) -> (String, bool) {
    let mut text = String::new();
    let mut known = true;
    for assignment in &part.assignments {
        let value = assignment.value.as_deref().unwrap_or("\u{0}");
        text.push_str(&format!("{}={value} ", assignment.name));
        known &= crate::permissions::shell::is_harmless_setting(assignment);
    }
    (text, known)
}

/// Whether a command runs or removes something that its name does not say.
enum Other {
    Nothing,
    /// By this word; a rule may name it.
    Flag(String),
    /// A word may become such a flag.
    Perhaps,
}

fn runs_other(words: &[Word]) -> Other {
    let Some(name) = words.first().and_then(Word::literal) else { return Other::Perhaps };
    let flags: &[&str] = match name.rsplit('/').next().unwrap_or_default() {
        "find" => &[
            "-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprint0", "-fprintf",
            "-fls",
        ],
        "fd" | "fdfind" => &["-x", "-X", "--exec", "--exec-batch"],
        _ => return Other::Nothing,
    };
    let mut found = Other::Nothing;
    for word in words.iter().skip(1) {
        match word.shape() {
            Shape::Plain { text, .. } => {
                if flags.contains(&text.split('=').next().unwrap_or_default()) {
                    found = Other::Flag(text);
                }
            }
            Shape::Pattern { text, .. } if !text.starts_with(['*', '?', '[', '-']) => {}
            Shape::Pattern { .. } | Shape::Dynamic => return Other::Perhaps,
        }
    }
    found
}
