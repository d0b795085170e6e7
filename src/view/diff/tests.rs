//! Hunks and their rows.

use proptest::prelude::*;
use ratatui::style::Color;

use super::*;
use crate::text::width;
use crate::view::rows;
use crate::view::theme::ColorDepth;

fn theme() -> Theme {
    Theme::named("dark").expect("dark")
}

fn line(sign: char, text: &str, changed: &[(u32, u32)]) -> HunkLine {
    let kind = match sign {
        '-' => LineKind::Removed,
        '+' => LineKind::Added,
        _ => LineKind::Context,
    };
    HunkLine { kind, text: text.to_string(), changed: changed.to_vec(), no_newline: false }
}

fn sample() -> Vec<Hunk> {
    let first = vec![
        line(' ', "pub fn next() {", &[]),
        line('-', "    let a = bytes[0];", &[(12, 20)]),
        line('+', "    let a = bytes.get(0)?;", &[(12, 25)]),
        line(' ', "}", &[]),
    ];
    let second = vec![line(' ', "x", &[]), line('+', "new", &[])];
    vec![
        Hunk { old_start: 9, new_start: 9, lines: first },
        Hunk { old_start: 40, new_start: 40, lines: second },
    ]
}

fn plain(hunks: &[Hunk], how: &How<'_>) -> Vec<String> {
    let drawn = draw("a.rs", hunks, how, &theme(), &mut Colours::new());
    drawn.rows.iter().map(rows::text).collect()
}

fn unified(width: u16) -> How<'static> {
    How { width, style: DiffStyle::Unified, marks: None }
}

#[test]
fn one_under_the_other() {
    assert_eq!(
        plain(&sample(), &unified(80)),
        [
            " 9   pub fn next() {",
            "10 -     let a = bytes[0];",
            "10 +     let a = bytes.get(0)?;",
            "11   }",
            "⋯ 28 unchanged lines",
            "40   x",
            "41 + new",
        ]
    );
}

#[test]
fn long_lines_hang_behind_their_gutter() {
    let hunks = [Hunk {
        old_start: 1,
        new_start: 1,
        lines: vec![line('+', "some words that are long", &[])],
    }];
    assert_eq!(plain(&hunks, &unified(16)), ["1 + some words", "      that are", "      long"]);
}

#[test]
fn marks_tell_what_is_kept() {
    let marks = Some(Marks { keep: &[true, false], current: 1 });
    let drawn =
        draw("a.rs", &sample(), &How { marks, ..unified(80) }, &theme(), &mut Colours::new());
    let texts: Vec<String> = drawn.rows.iter().map(rows::text).collect();
    assert_eq!(texts[0], "   9   pub fn next() {");
    assert_eq!(texts[1], "■ 10 -     let a = bytes[0];");
    assert_eq!(texts[6], "□ 41 + new");
    assert_eq!(drawn.starts, [0, 5]);
    assert_eq!(drawn.rows[1].spans[0].style, theme().faint);
    assert_eq!(drawn.rows[6].spans[0].style, theme().accent);
    assert!(drawn.rows[6].spans.iter().all(|span| span.style.bg.is_none()));
}

#[test]
fn side_by_side() {
    let how = How { width: 80, style: DiffStyle::Split, marks: None };
    let rows = plain(&sample(), &how);
    assert_eq!(
        rows[..3],
        [
            " 9   pub fn next() {                   │ 9   pub fn next() {",
            "10 -     let a = bytes[0];             │10 +     let a = bytes.get(0)?;",
            "11   }                                 │11   }",
        ]
    );
    assert_eq!(rows[5], "                                       │41 + new");
    assert_eq!(plain(&sample(), &How { width: 79, ..how }), plain(&sample(), &unified(79)));
}

#[test]
fn words_are_marked_over_the_colours_of_the_language() {
    let (theme, mut colours) = (theme(), Colours::new());
    let before = rows("a.rs", &sample(), 80, DiffStyle::Unified, &theme, &mut colours);
    for wanted in colours.take_wanted() {
        colours.put(wanted.key, wanted.work());
    }
    let after = rows("a.rs", &sample(), 80, DiffStyle::Unified, &theme, &mut colours);
    let texts = |lines: &[Line<'_>]| lines.iter().map(rows::text).collect::<Vec<_>>();
    assert_eq!(texts(&before), texts(&after));
    let span = |text: &str| {
        let spans = after[2].spans.iter();
        spans.filter(|span| span.content.contains(text)).map(|span| span.style).next_back()
    };
    let keyword = theme.token(crate::highlight::Class::Keyword).fg;
    assert_eq!(span("let").map(|style| (style.fg, style.bg)), Some((keyword, theme.added_line.bg)));
    assert_eq!(span("bytes").map(|style| style.bg), Some(theme.added_word.bg));
    assert_eq!(after[2].style, theme.added_line);
}

#[test]
fn with_sixteen_colours_a_line_keeps_the_one_that_says_what_it_is() {
    let theme = theme().reduced(ColorDepth::Ansi16);
    let mut colours = Colours::new();
    rows("a.rs", &sample(), 80, DiffStyle::Unified, &theme, &mut colours);
    for wanted in colours.take_wanted() {
        colours.put(wanted.key, wanted.work());
    }
    let drawn = rows("a.rs", &sample(), 80, DiffStyle::Unified, &theme, &mut colours);
    let text = drawn[1].spans.iter().skip(1);
    assert!(
        text.filter(|span| !span.content.trim().is_empty()).all(|s| s.style.fg == Some(Color::Red))
    );
}

#[test]
fn what_is_invisible_is_shown() {
    for (before, after, shown_before, shown_after) in [
        ("a b  c", "a b c", "1 - a b ·c", "1 + a b c"),
        ("\tx", "    x", "1 - →   x", "1 + ····x"),
        ("x", "x ", "1 - x", "1 + x·"),
        ("x\r", "x", "1 - x␍", "1 + x"),
        ("x\r", "y\r", "1 - x", "1 + y"),
        ("a\u{202e}b", "a\u{1b}[31mb", r"1 - a\u{202e}b", r"1 + a\u{1b}[31mb"),
        ("paypal", "p\u{430}ypal", "1 - paypal", r"1 + p\u{430}ypal"),
        ("a\tb", "a\tc", "1 - a   b", "1 + a   c"),
    ] {
        let lines = vec![line('-', before, &[]), line('+', after, &[])];
        let hunks = [Hunk { old_start: 1, new_start: 1, lines }];
        assert_eq!(plain(&hunks, &unified(60)), [shown_before, shown_after], "{before:?}");
    }
}

#[test]
fn a_blank_that_changed_is_shown_alone() {
    let lines = vec![line('-', "a b c d", &[(0, 1)]), line('+', "x b  c d", &[(0, 1), (3, 4)])];
    let hunks = [Hunk { old_start: 1, new_start: 1, lines }];
    assert_eq!(plain(&hunks, &unified(60)), ["1 - a b c d", "1 + x b· c d"]);
}

#[test]
fn a_missing_line_end_is_told() {
    let mut last = line('+', "x", &[]);
    last.no_newline = true;
    let hunks = [Hunk { old_start: 0, new_start: 1, lines: vec![last] }];
    assert_eq!(plain(&hunks, &unified(60)), ["1 + x", "    no line end at the end of the file"]);
    let how = How { width: 80, style: DiffStyle::Split, marks: None };
    assert!(plain(&hunks, &how)[0].ends_with("│1 + x (no line end)"));
}

#[test]
fn nothing_gives_nothing() {
    assert_eq!(plain(&[], &unified(80)), Vec::<String>::new());
    let empty = Hunk { old_start: 1, new_start: 1, lines: Vec::new() };
    assert_eq!(plain(&[empty], &unified(80)), Vec::<String>::new());
}

proptest! {
    #[test]
    fn rows_fit_and_nothing_panics(
        lines in prop::collection::vec(("[-+ ]", "(\\PC|\t|\r|\u{1b}|\u{202e}|漢){0,30}", prop::collection::vec((0u32..40, 0u32..40), 0..3)), 0..8),
        start in 0u32..100_000,
        width_asked in 20u16..120,
        split in any::<bool>(),
    ) {
        let lines: Vec<HunkLine> = lines.iter()
            .map(|(sign, text, changed)| line(sign.chars().next().unwrap_or(' '), text, changed))
            .collect();
        let hunks = [Hunk { old_start: start, new_start: start, lines }];
        let style = if split { DiffStyle::Split } else { DiffStyle::Unified };
        let marks = Some(Marks { keep: &[], current: 0 });
        for row in plain(&hunks, &How { width: width_asked, style, marks }) {
            prop_assert!(width(&row) <= usize::from(width_asked), "{row:?}");
            prop_assert!(!row.contains(char::is_control), "{row:?}");
        }
    }
}
