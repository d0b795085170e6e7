//! The rungs of matching, as tables and as properties. `|` in these texts stands for a line end.

use proptest::prelude::*;

use super::ladder::{How, Miss, Places, Swap, Swapped, swap};

fn lines(text: &str) -> String {
    text.replace('|', "\n")
}

fn one(text: &str, old: &str, new: &str) -> Result<Swapped, Miss> {
    swap(text, Swap { old, new, places: Places::One })
}

/// `(text, old, new, result)` with `|` for line ends.
fn check(how: How, cases: &[(&str, &str, &str, &str)]) {
    for (text, old, new, expected) in cases {
        let expected = Ok(Swapped { text: lines(expected), places: 1, how });
        assert_eq!(one(&lines(text), &lines(old), &lines(new)), expected, "{text:?}: {old:?}");
    }
}

#[test]
fn exact_text_is_replaced_with_the_files_line_ends() {
    check(
        How::Exact,
        &[
            ("a|b\r|c|", "b|c", "B|C", "a|B\r|C|"),
            ("a|b", "b", "B", "a|B"),
            ("a|||b|", "a|||b", "a|b", "a|b|"),
            ("x\u{2028}y|", "y", "Y", "x\u{2028}Y|"),
            ("😀a|", "a", "b", "😀b|"),
            ("a|", "a", "\u{fffd}", "\u{fffd}|"),
            ("a$1b\\n|", "a$1b", "$&\\1%s{}", "$&\\1%s{}\\n|"),
            ("a", "a", "a|", "a|"),
            ("a |", "a ", "a", "a|"),
            ("a\r|b\r|c\r|", "b", "x|y", "a\r|x\r|y\r|c\r|"),
            ("a\r|b\r|c\r|", "b|", "", "a\r|c\r|"),
            ("a\r|b\r|c\r|", "|c", "|d", "a\r|b\r|d\r|"),
            ("a\r|b\r|", "a|b|", "a|x|b|", "a\r|x\r|b\r|"),
            // Line ends spelled out: meant as they are.
            ("a\r|b\r|", "a\r|b", "a|b", "a|b\r|"),
            ("a|b|", "a\r|b", "x\r|b", "x|b|"),
            ("a\r|b\r|", "a", "a\r|x", "a\r|x\r|b\r|"),
        ],
    );
}

#[test]
fn look_alikes_and_blanks_at_line_ends_do_not_count() {
    check(
        How::LookAlike,
        &[
            ("a  |b|", "a|b", "a|x", "a  |x|"),
            ("a|b|", "a  |b", "a  |x", "a|x|"),
            ("a|b|c|", "b  ", "x  ", "a|x|c|"),
            ("say(\"hi\")|", "say(“hi”)", "say(“ho”)", "say(\"ho\")|"),
            ("say(“hi”)|", "say(\"hi\")", "say(\"ho\")", "say(“ho”)|"),
            (
                "it’s – well – fine|",
                "it's - well - fine",
                "it's - very - fine",
                "it’s – very – fine|",
            ),
            ("f('a')|g|", "f(‘a’)|g", "f(‘a’)|h(‘b’)|g", "f('a')|h('b')|g|"),
            ("f('a')|g|", "f(’a’)|g", "f(’a’)|h(”b”, “c„)|g", "f('a')|h(\"b\", \"c\")|g|"),
            ("f('a')|“|", "f(’a’)|“", "f(’a’)|h(“b”)|“", "f('a')|h(“b”)|“|"),
            // A region that begins with a line end begins before its return.
            ("x\r|\r|a\r|", "  |a", "|n|a", "x\r|\r|n\r|a\r|"),
            ("a \t\r|b\r|", "a|b", "a|c|b", "a \t\r|c\r|b\r|"),
        ],
    );
}

#[test]
fn indentation_is_adapted_where_it_is_certain() {
    check(
        How::Indent,
        &[
            // All shallower, all deeper by the same.
            ("    a|        b|", "a|    b", "a|    c|    b", "    a|        c|        b|"),
            ("a|  b|", "    a|      b", "    a|      c", "a|  c|"),
            ("\ta|\t\tb|", "a|\tb", "a|\tb|\t\tc", "\ta|\t\tb|\t\t\tc|"),
            // A blank line in between, and blanks at line ends.
            ("    a||        b  |", "a||    b", "a||    c|    b", "    a||        c|        b  |"),
            // Tabs and spaces.
            (
                "\ta|\t\tb|",
                "    a|        b",
                "    a|            c|        b",
                "\ta|\t\t\tc|\t\tb|",
            ),
            (
                "    a|        b|",
                "\ta|\t\tb",
                "\ta|\t\tb|\t\t\tc",
                "    a|        b|            c|",
            ),
            ("    a|        b|c|", "  a|    b", "  a|    c|  d", "    a|        c|    d|c|"),
            ("\tx|\ty|", "    x|    y", "    x|        z|    y", "\tx|\t\tz|\ty|"),
            ("p:|    x|    y|", "\tx|\ty", "\tx|\t\tz|\ty", "p:|    x|        z|    y|"),
            // CRLF stays.
            ("  a\r|    b\r|", "a|  b|", "a|  c|", "  a\r|    c\r|"),
        ],
    );
}

#[test]
fn what_is_not_certain_is_refused() {
    let many = |count, lines: &[usize], how| Miss::Many { count, lines: lines.to_vec(), how };
    for (text, old, new, expected) in [
        ("a|", "", "b", Miss::EmptyOld),
        ("a|", "a", "a", Miss::Same),
        ("a|a|", "a", "b", many(2, &[1, 2], How::Exact)),
        ("aaa", "aa", "b", many(2, &[1, 1], How::Exact)),
        ("a|b|x|a\r|b|", "a|b", "c", many(2, &[1, 4], How::Exact)),
        ("a  |b|a |b|", "a|b", "c", many(2, &[1, 3], How::LookAlike)),
        ("  a|  b|    a|    b|", "      a|      b", "c", many(2, &[1, 3], How::Indent)),
        // A letter, a digit, a sign, a blank within.
        ("let x = 3000;|", "let x = 300;|", "y", Miss::None),
        ("if not x:|", "if x:", "y", Miss::None),
        ("a == b|c|", "a != b|c", "y", Miss::None),
        ("a\u{a0}b|", "a b", "x", Miss::None),
        ("a|x|b|", "a|b", "y", Miss::None),
        ("a|b|", "a|x|b", "y", Miss::None),
        // Blanks at the end of the old text that stand in the middle of a line.
        ("“a” b|", "\"a\"  ", "x", Miss::None),
        // Lines that say the same on levels of another shape: a line was left out.
        ("    }|    x|}|", "        }|    x|}|", "        }|    y|}|", Miss::Unsure { line: 1 }),
        ("    }|}|", "        }|}|", "        }|}|y|", Miss::Unsure { line: 1 }),
        // Another shape, and shapes that leave a choice.
        ("  a|    b|", "a|b", "c|d", Miss::Unsure { line: 1 }),
        ("\t\tx|\t\ty|", "    x|    y", "    x|        z|    y", Miss::Unsure { line: 1 }),
        ("p|    q|        x|        y|", "\tx|\ty", "\tx|\t\tz|\ty", Miss::Unsure { line: 3 }),
        ("a|  b|", "    a|      b", "  a|      c", Miss::Unsure { line: 1 }),
        ("\ta|\tb|", "a|b", "a|    c|b", Miss::Unsure { line: 1 }),
    ] {
        let got = one(&lines(text), &lines(old), &lines(new));
        assert_eq!(got, Err(expected), "{text:?}: {old:?}");
    }
}

#[test]
fn every_place_is_replaced_from_the_left() {
    for (text, old, new, expected, places) in [
        ("aaa", "aa", "b", "ba", 1),
        ("a|b|a|", "a", "$&", "$&|b|$&|", 2),
        ("a\r|b|a\r|b", "a|b", "x|y", "x\r|y|x\r|y", 2),
        ("a|", "a", "aa", "aa|", 1),
    ] {
        let got =
            swap(&lines(text), Swap { old: &lines(old), new: &lines(new), places: Places::All });
        assert_eq!(got, Ok(Swapped { text: lines(expected), places, how: How::Exact }), "{text:?}");
    }
}

#[test]
fn hostile_sizes_cost_no_more_than_time_to_read_them() {
    let started = std::time::Instant::now();
    let same = "a\n".repeat(400_000);
    let old = "  a\n".repeat(100_000) + "b";
    assert_eq!(one(&same, &old, "x"), Err(Miss::None));
    let all = |text: &str, old, new| swap(text, Swap { old, new, places: Places::All });
    assert_eq!(all(&same, "a", &"b".repeat(1_000)), Err(Miss::TooLarge));
    let quotes = "“”".repeat(200_000);
    assert!(one("f('a', \"b\")  \n", "f(’a’, ”b”)", &quotes).is_ok());
    let left_out = "// ... existing code ...\n".repeat(50_000);
    assert!(super::placeholder::find(&left_out, &[&same, &left_out]).is_none());
    assert!(one(&"a".repeat(2_000_000), &"a".repeat(1_000_000), "b").is_err());
    super::diagnose::miss(&Miss::None, &same, &old, "f");
    // Seconds even unoptimised; what this guards against takes hours.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// Lines of a small alphabet: such texts hold many near hits.
fn text() -> impl Strategy<Value = String> {
    let line = "[ \t]{0,3}(a|b|\"|“|-|–|é)?(a|b| )?[ \t]{0,2}";
    let end = prop_oneof![Just("\n"), Just("\n"), Just("\r\n"), Just("\r")];
    proptest::collection::vec((line, end), 0..12)
        .prop_map(|parts| parts.into_iter().map(|(line, end)| line + end).collect())
}

/// A piece of the text as a model may give it back, or something else.
fn old(text: &str) -> impl Strategy<Value = String> + use<> {
    let chars: Vec<char> = text.chars().collect();
    let len = chars.len();
    (0..=len, 0..=len, 0..6usize, text_piece()).prop_map(move |(a, b, change, other)| {
        let piece: String = chars[a.min(b)..a.max(b)].iter().collect();
        match change {
            0 => piece,
            1 => piece.replace("\r\n", "\n"),
            2 => piece.replace('“', "\"").replace('–', "-"),
            3 => piece.lines().map(|line| line.trim_end().to_owned() + "\n").collect(),
            4 => piece.lines().map(|line| format!("  {line}\n")).collect(),
            _ => other,
        }
    })
}

fn text_piece() -> impl Strategy<Value = String> {
    "[ab\"“ \t\n-]{0,6}"
}

/// Without what no rung counts.
fn bare(text: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    let lines = plain.split('\n').map(|line| line.trim_matches([' ', '\t', '\r']));
    lines.collect::<Vec<_>>().join("\n").chars().map(super::fold::fold).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn bytes_outside_the_match_never_change(
        (text, old) in text().prop_flat_map(|text| { let old = old(&text); (Just(text), old) }),
        new in text_piece(),
    ) {
        let Ok(done) = swap(&text, Swap { old: &old, new: &new, places: Places::One }) else {
            return Ok(());
        };
        // Some stretch that says what the old text says was replaced, and all around it stands.
        let (before, after) = (text.as_bytes(), done.text.as_bytes());
        let kept = |from: usize, to: usize| {
            let tail = before.len() - to;
            from + tail <= after.len()
                && before[..from] == after[..from]
                && before[to..] == after[after.len() - tail..]
        };
        let said = |from: usize, to: usize| {
            text.get(from..to).is_some_and(|stretch| bare(stretch) == bare(&old))
        };
        let ends = 0..=text.len();
        let found = ends.clone().any(|from| ends.clone().any(|to| from <= to && kept(from, to) && said(from, to)));
        prop_assert!(found, "{:?}", done);
        // Undoing is finding the new text at the same place: nothing else was written.
        if done.how == How::Exact && !text.contains('\r') {
            prop_assert_eq!(done.text, text.replacen(&old, &new, 1));
        }
    }

    #[test]
    fn what_stands_once_is_found(text in text(), new in "[xy]{1,3}") {
        let text = format!("{text}MARK{text}");
        let done = one(&text, "MARK", &new).unwrap();
        prop_assert_eq!(done, Swapped { text: text.replace("MARK", &new), places: 1, how: How::Exact });
    }

    #[test]
    fn a_rung_below_exact_ignores_no_letter(
        (text, old) in text().prop_flat_map(|text| { let old = old(&text); (Just(text), old) }),
    ) {
        if let Ok(done) = one(&text, &old, "NEW") {
            let count = bare(&text).matches(bare(&old).as_str()).count();
            prop_assert!(count >= 1, "{:?}", done);
        }
    }
}

#[test]
fn blanks_inside_a_line_may_be_of_another_width() {
    check(
        How::Blanks,
        &[
            (
                "let  a   = 1;  // one|b|",
                "let a = 1; // one",
                "let a = 2; // one",
                "let  a   = 2;  // one|b|",
            ),
            ("x\t=  1|", "x = 1", "x = 1 + y", "x\t=  1 + y|"),
            ("    fn  f( a )|", "fn f( a )", "fn g( a )", "    fn  g( a )|"),
            ("aa  bb|c", "a b", "a c", "aa  cb|c"),
        ],
    );
    for (text, old, new) in [
        // A blank in a text means something.
        ("s = 'a  b'|", "s = 'a b'", "s = 'c'"),
        // A blank is not nothing.
        ("f(a)|", "f( a )", "g( a )"),
        ("ab|", "a b", "c"),
        // Two places.
        ("a  b|a   b|", "a b", "c"),
        // Not at the start of a line.
        ("|  a  b|", "\ta b", "c"),
    ] {
        let result = one(&lines(text), old, new);
        assert!(result.is_err(), "{text:?}: {result:?}");
    }
}

#[test]
fn one_level_of_escapes_is_taken_off_both_texts() {
    check(
        How::Escapes,
        &[
            ("a|b|c|", r"a\nb", r"a\nx", "a|x|c|"),
            ("say(\"x\")|", r#"say(\"x\")"#, r#"say(\"y\")"#, "say(\"y\")|"),
            ("p\\d|", r"p\\d", r"q\\d", "q\\d|"),
        ],
    );
    for (text, old, new) in [
        // The new text's `\n` may be meant as it stands.
        ("say(\"x\")|", r#"say(\"x\")"#, r#"say(\"y\n\")"#),
        // Line ends in both spellings.
        ("a|b|c|", "a\\nb\nc", r"x"),
        ("a|b|", r"a\qb", "c"),
        ("a|b|a|b|", r"a\nb", "c"),
    ] {
        let result = one(&lines(text), old, new);
        assert!(result.is_err(), "{text:?}: {result:?}");
    }
}
