//! A command or skill becomes the text that the model gets: arguments put in, and a list of what has
//! to be run first. Pure; nothing here runs or reads anything.

use std::path::Path;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// A command whose output stands here: `` !`git status` ``.
    Run(String),
}

/// What a text can refer to besides its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    pub session: &'a str,
    pub folder: &'a Path,
}

/// Commands that one text may run.
const MOST_RUNS: usize = 20;

/// Takes the text apart first and puts the arguments in afterwards, so that no argument can bring a
/// command of its own.
pub fn pieces(body: &str, args: &str, around: &Around<'_>) -> Vec<Piece> {
    let words = words(args);
    let mut used = false;
    let mut runs = 0;
    let mut pieces = Vec::new();
    let mut put = |text: &str| fill(text, args, &words, around, &mut used);
    let mut rest = body;
    while let Some((before, command, after)) = next_run(rest) {
        if runs == MOST_RUNS {
            break;
        }
        runs += 1;
        pieces.push(Piece::Text(put(before)));
        pieces.push(Piece::Run(put(command)));
        rest = after;
    }
    pieces.push(Piece::Text(put(rest)));
    if !used && !args.trim().is_empty() {
        pieces.push(Piece::Text(format!("\n\nARGUMENTS: {}", args.trim())));
    }
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    pieces
}

/// The first `` !`command` `` at the beginning of a word, or the first block fenced with "```!".
fn next_run(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find('!').map(|at| at + from) {
        let before = &text[..at];
        let after = &text[at + 1..];
        if before.ends_with("```") && (before.len() == 3 || before.ends_with("\n```")) {
            let (command, after) = after.split_once("\n```")?;
            return Some((&before[..before.len() - 3], command.trim(), after));
        }
        let free = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || c == '(');
        if free
            && let Some(inner) = after.strip_prefix('`')
            && let Some((command, after)) = inner.split_once('`')
            && !command.trim().is_empty()
            && !command.contains('\n')
        {
            return Some((before, command.trim(), after));
        }
        from = at + 1;
    }
    None
}

/// Words as a shell would see them; what cannot be read so is split at spaces.
fn words(args: &str) -> Vec<String> {
    shell_words::split(args)
        .unwrap_or_else(|_| args.split_whitespace().map(str::to_owned).collect())
}

fn fill(text: &str, args: &str, words: &[String], around: &Around<'_>, used: &mut bool) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let word = |at: Option<usize>| at.and_then(|at| words.get(at)).cloned().unwrap_or_default();
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix("ARGUMENTS") {
            *used = true;
            match index(tail) {
                Some((at, tail)) => {
                    filled.push_str(&word(Some(at)));
                    rest = tail;
                }
                None => {
                    filled.push_str(args.trim());
                    rest = tail;
                }
            }
            continue;
        }
        let digits = after.bytes().take_while(u8::is_ascii_digit).count().min(3);
        if digits > 0 && !after.starts_with('0') {
            *used = true;
            let number = after[..digits].parse::<usize>().ok();
            filled.push_str(&word(number.and_then(|number| number.checked_sub(1))));
            rest = &after[digits..];
            continue;
        }
        let known = [
            ("{CLAUDE_SESSION_ID}", around.session.to_owned()),
            ("{CLAUDE_SKILL_DIR}", around.folder.display().to_string()),
        ];
        match known.iter().find(|(name, _)| after.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &after[name.len()..];
            }
            None => {
                filled.push('$');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// `[2]` counts from 0.
fn index(tail: &str) -> Option<(usize, &str)> {
    let (number, tail) = tail.strip_prefix('[')?.split_once(']')?;
    Some((number.parse().ok()?, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str, args: &str) -> Vec<Piece> {
        pieces(body, args, &Around { session: "s1", folder: Path::new("/f") })
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    #[test]
    fn arguments_are_put_in() {
        for (body, args, filled) in [
            ("Fix $1 in $2.", "\"a b\" c", "Fix a b in c."),
            ("All: $ARGUMENTS", " a b ", "All: a b"),
            ("Second: $ARGUMENTS[1]", "a b", "Second: b"),
            ("Costs $5 and $x, $$", "", "Costs  and $x, $$"),
            ("In ${CLAUDE_SKILL_DIR} of ${CLAUDE_SESSION_ID}", "", "In /f of s1"),
            ("Unclosed $1", "\"a", "Unclosed \"a"),
        ] {
            assert_eq!(of(body, args), [text(filled)], "{body}");
        }
        assert_eq!(of("Do it.", "now"), [text("Do it."), text("\n\nARGUMENTS: now")]);
    }

    #[test]
    fn commands_are_told_from_text_and_arguments_bring_none() {
        let run = |command: &str| Piece::Run(command.to_owned());
        assert_eq!(
            of("Now: !`git status` and !`git log $1`!", "x"),
            [text("Now: "), run("git status"), text(" and "), run("git log x"), text("!")]
        );
        assert_eq!(of("a!`b` `!x` !``", ""), [text("a!`b` `!x` !``")]);
        assert_eq!(of("$ARGUMENTS", "!`rm -rf /`"), [text("!`rm -rf /`")]);
        assert_eq!(of("A\n```!\nls\npwd\n```\nB", ""), [text("A\n"), run("ls\npwd"), text("\nB")]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(body in "[a$!`1-3A{}\\[\\] \\n]{0,60}", args in "[a!`$\"' ]{0,20}") {
            let _ = of(&body, &args);
        }
    }
}
