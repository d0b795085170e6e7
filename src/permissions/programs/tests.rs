use std::path::Path;

use super::*;
use crate::permissions::shell;

/// `reads a b`, `edits a b` with a star after what is written, or the reason why nothing is known.
fn judged(command: &str) -> String {
    let script = shell::read(command, Path::new("/p"));
    assert_eq!((script.doubt, script.parts.len()), (None, 1), "{command}");
    let show = |paths: &[PathUse]| -> String {
        paths
            .iter()
            .map(|path| {
                let home = if path.home { "~" } else { "" };
                let glob = if path.pattern { "?" } else { "" };
                format!(" {home}{}{glob}", path.text)
            })
            .collect()
    };
    match effect(&script.parts[0].words) {
        Effect::Reads(touch) => format!("reads{}", show(&touch.reads)),
        Effect::Edits(touch) => format!("edits{} *{}", show(&touch.reads), show(&touch.writes)),
        Effect::Unknown(why) => why,
    }
}

#[test]
fn flags_and_operands() {
    for (command, expected) in [
        ("cat a -n b", "reads a b"),
        ("cat -- -n", "reads -n"),
        ("cat -nE a -", "reads a"),
        ("cat --nope a", "--nope is not on the list of harmless flags"),
        ("cat --show a", "--show is not on the list of harmless flags"),
        ("head -5 a", "reads a"),
        ("head -n 5 a", "reads a"),
        ("head -n5 a", "reads a"),
        ("head -n -5 a", "reads a"),
        ("head -n -x a", "the value of -n is not plain text"),
        ("head --lines=5 ~/a", "reads ~/a"),
        ("ls", "reads ."),
        ("ls *.rs", "reads *.rs?"),
        ("grep -rn x", "reads ."),
        ("grep -e x a b", "reads a b"),
        ("grep x a", "reads a"),
        ("grep -f p a", "reads p a"),
        ("grep --include=*.rs x a", "reads a"),
        ("grep $x a", "$x is known only when it runs"),
        ("uniq a", "reads a"),
        ("uniq a b", "the second file of uniq may be written to"),
        ("uniq a*", "the second file of uniq may be written to"),
        ("date +%s", "reads"),
        ("date 1", "it may set the clock"),
        ("find . -name x -newer y", "reads . y"),
        ("find -type f", "reads ."),
        ("find . -delete", "find -delete is not on the list of harmless tests"),
        ("sed -n 1p a", "reads a"),
        ("sed -i.b s/x/y/ a", "edits * a a.b"),
        ("awk '{print}' a", "reads a"),
        ("jq .x a", "reads a"),
        ("cd a", "reads a"),
        ("cd", "reads ~"),
        ("diff <(x) a; ", "reads a"),
        ("mkdir -p a", "edits * a"),
        ("cp a b", "edits a * b b/a"),
        ("cp -t d a b", "edits a b * d d/a d/b"),
        ("mv a d/", "edits * d/ d//a a"),
        ("cp -r . d", "cp may spread a whole folder over another"),
        ("rm -rf a", "edits * a"),
        ("rm $x", "$x is known only when it runs"),
        ("git status", "reads ."),
        ("git diff -- a", "reads . a"),
        ("git show HEAD:a", "reads . a"),
        ("git branch x", "this form of git branch may change something"),
        ("git push", "git push is not known to only read"),
        ("git -c a=b log", "git -c may bring other configuration"),
        ("node --version", "reads"),
        ("node x", "node is not known to only read"),
        ("$x a", "the program's name is known only when it runs"),
    ] {
        let command = command.trim_end_matches("; ");
        if command.contains("<(") {
            let words = &shell::read(command, Path::new("/p")).parts[0].words;
            assert!(matches!(effect(words), Effect::Reads(_)), "{command}");
            continue;
        }
        assert_eq!(judged(command), expected, "{command}");
    }
}
