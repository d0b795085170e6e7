use std::path::Path;

use super::*;

/// Each part as its words without quotes, with the folders it may run in.
fn parts(text: &str) -> Vec<String> {
    read(text, Path::new("/p"))
        .parts
        .iter()
        .map(|part| {
            let mut words: Vec<String> = Vec::new();
            words.extend(part.assignments.iter().map(|it| format!("{}:=", it.name)));
            words.extend(part.words.iter().map(Word::loose));
            for redirect in &part.redirects {
                let arrow = match redirect.kind {
                    RedirectKind::Reads => "<",
                    RedirectKind::Writes => ">",
                    RedirectKind::Feeds => "<<",
                };
                words.push(format!("{arrow}{}", redirect.target.loose().trim_end()));
            }
            let places = match &part.places {
                None => " @?".to_owned(),
                Some(places) => places
                    .iter()
                    .filter(|place| *place != Path::new("/p"))
                    .map(|place| format!(" @{}", place.display()))
                    .collect(),
            };
            format!("{}{places}", words.join(" "))
        })
        .collect()
}

#[test]
fn every_command_becomes_a_part() {
    let cases: &[(&str, &[&str])] = &[
        ("ls -la", &["ls -la"]),
        ("a && b || c; d | e |& f & g", &["a", "b", "c", "d", "e", "f", "g"]),
        ("A=1 B=$x ls; C=2", &["A:= B:= ls", "C:="]),
        ("echo $(a; b) \"`c`\" <(d)", &["echo $(a; b) `c` <(d)", "a", "b", "c", "d"]),
        ("a > f 2>&1 < g >> h", &["a >f <g >h"]),
        ("> f", &[">f"]),
        ("a > f x y", &["a x y >f"]),
        ("{ a; } > f", &["a", ">f"]),
        ("(a; b)", &["a", "b"]),
        ("! a", &["a"]),
        ("if a; then b; elif c; then d; else e; fi", &["a", "b", "c", "d", "e"]),
        ("while a; do b; done < f", &["a", "b", "<f"]),
        ("for i in x $(a); do b $i; done", &["i:=", "a", "b $i"]),
        ("[ -f x ] && [[ -n $y ]]", &["[ -f x ]", "[[ -n $y ]]"]),
        ("export X=$(a)", &["export X=$(a)", "a"]),
        ("cat <<E | b && c\n$(d)\nE\ne", &["cat <<$(d)", "b", "c", "d", "e"]),
        ("cat <<'E' > f\nx\nE", &["cat >f <<x"]),
        ("a <<< \"b $(c)\"", &["a <<b $(c)", "c"]),
        ("echo \"$(cat <<'E'\nhi\nE\n)\"", &["echo hi", "cat <<hi"]),
        ("", &[]),
        ("# nothing", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text, Path::new("/p")).doubt, None, "{text}");
        assert_eq!(parts(text), *expected, "{text}");
    }
}

#[test]
fn parts_know_where_they_run() {
    let cases: &[(&str, &[&str])] = &[
        ("cd a && b", &["cd a", "b @/p/a"]),
        ("cd a; b", &["cd a", "b @/p/a"]),
        ("cd a || b", &["cd a", "b"]),
        ("cd a && cd ../c && d", &["cd a", "cd ../c @/p/a", "d @/p/c"]),
        ("(cd a); b", &["cd a", "b"]),
        ("cd $x; b", &["cd $x", "b @?"]),
        ("cd; b", &["cd", "b @?"]),
        ("cd -P a; b", &["cd -P a", "b @?"]),
        ("pushd a; b", &["pushd a", "b @?"]),
        ("command cd a; b", &["command cd a", "b @?"]),
        ("while a; do cd b; c; done; d", &["a @?", "cd b @?", "c @?", "d @?"]),
        ("if cd a; then b; fi; c", &["cd a", "b @/p/a", "c @/p/a"]),
        ("cd a && b > f", &["cd a", "b @/p/a", ">f @/p/a"]),
    ];
    for (text, expected) in cases {
        assert_eq!(parts(text), *expected, "{text}");
    }
}

#[test]
fn doubt_is_named() {
    for (text, doubt) in [
        ("echo 'x", "a quote is not closed"),
        ("f() { ls; }; f", "it defines a function, so that a name may mean something else"),
        ("ls\r", "it contains the unseen character U+000D"),
        ("echo $((x))", "it computes an expression that may run commands"),
        ("((x))", "it can be read in two ways"),
        ("x=(a b)", "it can be read in two ways"),
        ("sort -o2>&1", "it can be read in two ways"),
        ("ls; fi", "a word of the shell's grammar stands where a command belongs"),
    ] {
        assert_eq!(read(text, Path::new("/p")).doubt.as_deref(), Some(doubt), "{text}");
    }
    let long = "x".repeat(LONGEST + 1);
    assert!(read(&long, Path::new("/p")).doubt.is_some());
    let many = "ls;".repeat(MOST_PARTS + 1);
    let script = read(&many, Path::new("/p"));
    assert_eq!((script.doubt.is_some(), script.parts.len()), (true, MOST_PARTS + 1));
}

#[test]
fn what_cannot_be_parsed_is_still_searched() {
    assert_eq!(parts("if x; then 'rm' \"y; FOO=1 git push"), ["git push @?", "x @?", "rm y @?"],);
}
