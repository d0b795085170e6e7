//! Code to token classes, by language: what a word is, not how it looks.
//!
//! Slow enough (about a megabyte a second, and a tenth of a second to begin with) that it belongs
//! on a thread that may block. Text beyond the limits is not classified rather than late.
//!
//! Not for colours: a theme gives each [`Class`] its style.

#[cfg(test)]
mod plain;
mod scopes;

use std::ops::Range;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use syntect::parsing::{BasicScopeStackOp, ParseState, ScopeStack, SyntaxReference, SyntaxSet};

/// Longest code that is classified, in bytes.
const LONGEST_CODE: usize = 400_000;
/// Longest line, in bytes; longer ones are data or minified, and slow.
const LONGEST_LINE: usize = 2_000;
/// A grammar that takes longer than this has met its worst case.
const LONGEST_TIME: Duration = Duration::from_secs(1);

/// The classes of `code` in the language called `lang`: its name, a file extension or a file name.
/// `None` when the language is unknown or the code is beyond the limits.
pub fn tokens(lang: &str, code: &str) -> Option<Tokens> {
    tokens_after(&Tokens::default(), lang, code)
}

/// The same for code that begins with the code of `before`, reading only what was added.
pub fn tokens_after(before: &Tokens, lang: &str, code: &str) -> Option<Tokens> {
    if code.len() > LONGEST_CODE {
        return None;
    }
    let syntaxes = syntaxes();
    let syntax = find(syntaxes, lang)?;
    let mut state = match &before.resume {
        Some(resume) if resume.syntax == syntax.name && code.is_char_boundary(resume.bytes) => {
            resume.as_ref().clone()
        }
        _ => Resume::new(syntax),
    };
    let mut lines = before.lines[..state.lines.min(before.lines.len())].to_vec();
    let deadline = Instant::now() + LONGEST_TIME;
    for line in code[state.bytes..].split_inclusive('\n') {
        if line.len() > LONGEST_LINE || Instant::now() > deadline {
            return None;
        }
        if line.ends_with('\n') {
            lines.push(state.line(syntaxes, line)?);
            state.bytes += line.len();
            state.lines += 1;
        } else {
            lines.push(state.clone().line(syntaxes, line)?);
        }
    }
    Some(Tokens { lines, resume: Some(Box::new(state)) })
}

/// What a run of characters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    Plain,
    Keyword,
    String,
    Number,
    Constant,
    Comment,
    Type,
    Function,
    Variable,
    Operator,
    Punctuation,
    Attribute,
    Heading,
    Inserted,
    Deleted,
}

impl Class {
    pub const ALL: [Class; 15] = [
        Class::Plain,
        Class::Keyword,
        Class::String,
        Class::Number,
        Class::Constant,
        Class::Comment,
        Class::Type,
        Class::Function,
        Class::Variable,
        Class::Operator,
        Class::Punctuation,
        Class::Attribute,
        Class::Heading,
        Class::Inserted,
        Class::Deleted,
    ];
}

/// Runs of one line: byte ranges of the line, ascending, without gaps in what they cover of it,
/// plain runs left out.
pub type Runs = Vec<(Range<u32>, Class)>;

/// The classes of a text, a list of runs per line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tokens {
    pub lines: Vec<Runs>,
    resume: Option<Box<Resume>>,
}

impl From<Vec<Runs>> for Tokens {
    fn from(lines: Vec<Runs>) -> Tokens {
        Tokens { lines, resume: None }
    }
}

impl Tokens {
    /// Memory that it takes, roughly, in bytes.
    pub fn size(&self) -> usize {
        let run = size_of::<(Range<u32>, Class)>();
        self.lines.iter().map(|line| size_of::<Runs>() + line.capacity() * run).sum::<usize>() + 256
    }
}

/// The reader's state after the last complete line.
#[derive(Debug, Clone, PartialEq)]
struct Resume {
    syntax: String,
    parse: ParseState,
    scopes: ScopeStack,
    /// The class that each scope of the stack gives to text.
    classes: Vec<Class>,
    bytes: usize,
    lines: usize,
}

impl Resume {
    fn new(syntax: &SyntaxReference) -> Resume {
        Resume {
            syntax: syntax.name.clone(),
            parse: ParseState::new(syntax),
            scopes: ScopeStack::new(),
            classes: Vec::new(),
            bytes: 0,
            lines: 0,
        }
    }

    fn line(&mut self, syntaxes: &SyntaxSet, line: &str) -> Option<Runs> {
        let mut runs: Runs = Vec::new();
        let mut at = 0;
        let mut add = |at: usize, end: usize, class: Class| {
            let end = end.min(line.trim_end_matches(['\n', '\r']).len());
            if at >= end || class == Class::Plain {
                return;
            }
            match runs.last_mut() {
                Some((range, last)) if *last == class && range.end as usize == at => {
                    range.end = end as u32;
                }
                _ => runs.push((at as u32..end as u32, class)),
            }
        };
        for (end, op) in self.parse.parse_line(line, syntaxes).ok()? {
            add(at, end, self.classes.last().copied().unwrap_or(Class::Plain));
            at = at.max(end);
            let classes = &mut self.classes;
            let apply = |op: BasicScopeStackOp, _: &[_]| match op {
                BasicScopeStackOp::Push(scope) => {
                    let below = classes.last().copied().unwrap_or(Class::Plain);
                    classes.push(scopes::class(scope).unwrap_or(below));
                }
                BasicScopeStackOp::Pop => drop(classes.pop()),
            };
            self.scopes.apply_with_hook(&op, apply).ok()?;
        }
        add(at, line.len(), self.classes.last().copied().unwrap_or(Class::Plain));
        Some(runs)
    }
}

/// The grammars, unpacked at first use; they never change. `build.rs` has packed them.
fn syntaxes() -> &'static SyntaxSet {
    static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/grammars.bin"));
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    // What the build has written can be read; without it code would stay plain.
    SYNTAXES.get_or_init(|| syntect::dumps::from_uncompressed_data(PACKED).unwrap_or_default())
}

fn find<'a>(syntaxes: &'a SyntaxSet, lang: &str) -> Option<&'a SyntaxReference> {
    // What follows the language in the info string of a code block is for other tools.
    let word = lang.trim().split([' ', ',', '{', '\t']).next()?.trim_start_matches('.');
    let word = word.rsplit(['/', '\\']).next()?;
    let extension = word.rsplit_once('.').map(|(_, extension)| extension);
    [Some(word), extension].into_iter().flatten().filter(|name| !name.is_empty()).find_map(|name| {
        let name = scopes::alias(&name.to_ascii_lowercase()).unwrap_or(name);
        syntaxes.find_syntax_by_token(name).filter(|syntax| syntax.name != "Plain Text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(lang: &str, code: &str) -> Vec<(String, Class)> {
        let tokens = tokens(lang, code).expect("known language");
        let runs = code.split('\n').zip(&tokens.lines).flat_map(|(line, runs)| {
            runs.iter().map(move |(range, class)| {
                (line[range.start as usize..range.end as usize].trim().to_string(), *class)
            })
        });
        runs.collect()
    }

    #[test]
    fn words_of_languages() {
        use Class::*;
        for (lang, code, word, class) in [
            ("rust", "fn main() {}", "fn", Keyword),
            ("rust", "fn main() {}", "main", Function),
            ("rs", "let x = 1;", "1", Number),
            ("src/main.rs", "// note", "// note", Comment),
            ("rust,ignore", "\"text\"", "\"text\"", String),
            ("python", "def f():\n  return None", "None", Constant),
            ("ts", "interface A {}", "A", Type),
            ("bash", "echo 'a'", "'a'", String),
            ("diff", "+added\n-gone", "+added", Inserted),
            ("diff", "+added\n-gone", "-gone", Deleted),
            ("Dockerfile", "FROM debian", "FROM", Keyword),
        ] {
            let found = classes(lang, code);
            assert!(found.contains(&(word.to_string(), class)), "{lang}: {found:?}");
        }
    }

    /// Names, numbers and strings of every kind, in and beyond ASCII.
    #[test]
    fn small_classes_colour_code_as_the_large_ones_do() {
        let original = two_face::syntax::extra_newlines();
        let code = [
            ("rust", include_str!("mod.rs")),
            ("toml", include_str!("../../Cargo.toml")),
            ("md", include_str!("../../README.md")),
            (
                "python",
                "class Größe(Basis):\n    def f(self, 名=1_0.5e3, *a): return f'{a!r}' # ü\n",
            ),
            ("js", "const naïve = async ($x, _y) => ({[`k${1}`]: /a+/gi.test(x)}); // é\n"),
            ("go", "func (s *Σ) Do(ctx context.Context) error { return nil } // π\n"),
            ("bash", "for f in *.txt; do echo \"${f%%.*}\" | sed 's/ä/a/'; done\n"),
            ("java", "@Test public <T extends Übung> void a(int... n) { n[0] = 0x1F; }\n"),
        ];
        for (lang, code) in code {
            let grammar = original.find_syntax_by_token(lang).expect("a known language");
            let mut state = Resume::new(grammar);
            let runs: Vec<Runs> = code
                .split_inclusive('\n')
                .map(|line| state.line(&original, line).expect("it is coloured"))
                .collect();
            assert_eq!(tokens(lang, code).map(|tokens| tokens.lines), Some(runs), "{lang}");
        }
    }

    #[test]
    fn unknown_or_too_large_is_left_alone() {
        assert_eq!(tokens("no such language", "x"), None);
        assert_eq!(tokens("text", "x"), None);
        assert_eq!(tokens("", "x"), None);
        assert_eq!(tokens("rust", &"x".repeat(LONGEST_LINE + 1)), None);
        assert_eq!(tokens("rust", &"x\n".repeat(LONGEST_CODE)), None);
    }

    #[test]
    fn going_on_equals_starting_over() {
        let code = "fn a() {\n    /* open\n    still */ \"x\"\n}\n";
        let whole = tokens("rust", code).expect("rust");
        let mut grown = Tokens::default();
        for end in 0..=code.len() {
            grown = tokens_after(&grown, "rust", &code[..end]).expect("rust");
        }
        assert_eq!(grown.lines, whole.lines);
    }

    #[test]
    fn runs_are_inside_their_lines_on_character_borders() {
        let code = "let é = \"漢字\\n\"; // ü\r\nconst Ä: &str = 'x';\n";
        let tokens = tokens("rust", code).expect("rust");
        for (line, runs) in code.split('\n').zip(&tokens.lines) {
            let mut at = 0;
            for (range, _) in runs {
                assert!(range.start >= at && range.start < range.end);
                assert!(line.get(range.start as usize..range.end as usize).is_some());
                at = range.end;
            }
        }
    }
}
