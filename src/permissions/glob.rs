//! Which names a shell's glob pattern may become, as the file system stands now.
//!
//! A little more than bash would match (`[..]` is taken for any one character), never less.

use std::path::{Path, PathBuf};

const MOST_NAMES: usize = 2_000;
const MOST_ENTRIES: usize = 50_000;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expansion {
    /// As the command would get them, relative where the pattern is.
    pub names: Vec<String>,
    /// False where there were too many to look at.
    pub complete: bool,
}

/// The names for `pattern` (backslashes make the next character literal) in `dir`.
pub fn expand(dir: &Path, pattern: &str) -> Expansion {
    let absolute = pattern.starts_with('/');
    let mut found = vec![if absolute { "/".to_owned() } else { String::new() }];
    let mut scanned = 0usize;
    let mut complete = true;
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let matcher = matcher(part);
        let mut next = Vec::new();
        for prefix in &found {
            if matcher.iter().all(|token| matches!(token, Token::Literal(_))) {
                next.push(join(prefix, &literal(&matcher)));
                continue;
            }
            let folder: PathBuf = dir.join(prefix);
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let mut names: Vec<String> = entries
                .take(MOST_ENTRIES)
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            scanned += names.len();
            names.extend([".".to_owned(), "..".to_owned()]);
            next.extend(
                names.iter().filter(|name| matches(&matcher, name)).map(|name| join(prefix, name)),
            );
            if scanned >= MOST_ENTRIES || next.len() > MOST_NAMES {
                complete = false;
                break;
            }
        }
        next.truncate(MOST_NAMES);
        found = next;
    }
    found.retain(|name| !name.is_empty());
    Expansion { names: found, complete }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() || prefix.ends_with('/') {
        format!("{prefix}{name}")
    } else {
        format!("{prefix}/{name}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Literal(char),
    One,
    Many,
}

fn matcher(part: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = part.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => tokens.extend(chars.next().map(Token::Literal)),
            '*' => tokens.push(Token::Many),
            '?' => tokens.push(Token::One),
            '[' => {
                let rest: String = chars.clone().collect();
                // The first `]` after at least one character ends a set; none: a plain bracket.
                let body = rest.trim_start_matches(['!', '^']);
                let skipped = rest.len() - body.len();
                match body.char_indices().skip(1).find(|(_, c)| *c == ']') {
                    Some((end, _)) if !rest.starts_with("[:") => {
                        for _ in rest[..skipped + end + 1].chars() {
                            chars.next();
                        }
                        tokens.push(Token::One);
                    }
                    _ => tokens.push(Token::Many),
                }
            }
            c => tokens.push(Token::Literal(c)),
        }
    }
    tokens
}

fn literal(tokens: &[Token]) -> String {
    tokens
        .iter()
        .filter_map(|token| match token {
            Token::Literal(c) => Some(*c),
            Token::One | Token::Many => None,
        })
        .collect()
}

fn matches(tokens: &[Token], name: &str) -> bool {
    if name.starts_with('.') && tokens.first() != Some(&Token::Literal('.')) {
        return false;
    }
    let name: Vec<char> = name.chars().collect();
    let (mut t, mut n) = (0usize, 0usize);
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match tokens.get(t) {
            Some(Token::Many) => {
                back = Some((t + 1, n));
                t += 1;
            }
            Some(Token::One) => {
                t += 1;
                n += 1;
            }
            Some(Token::Literal(c)) if name.get(n) == Some(c) => {
                t += 1;
                n += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    t = after;
                    n = from + 1;
                    back = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    tokens[t.min(tokens.len())..].iter().all(|token| *token == Token::Many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.rs", "b.rs", ".env", "-x", "sub/c.rs", "sub/.h"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        for (pattern, expected) in [
            ("*.rs", vec!["a.rs", "b.rs"]),
            (".e*", vec![".env"]),
            (".*", vec![".", "..", ".env"]),
            ("?x", vec!["-x"]),
            ("*/*.rs", vec!["sub/c.rs"]),
            ("[ab].rs", vec!["a.rs", "b.rs"]),
            ("\\*.rs", vec!["*.rs"]),
            ("none*", vec![]),
            ("./*.rs", vec!["./a.rs", "./b.rs"]),
        ] {
            let mut found = expand(dir.path(), pattern).names;
            found.sort();
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
