//! Texts and their rows, as plain text; styles where they matter.

use ratatui::style::Modifier;

use super::*;
use crate::text::width;
use crate::view::rows;

fn theme() -> Theme {
    Theme::named("dark").expect("dark")
}

fn plain(md: &str, width: u16) -> Vec<String> {
    let rows = render(md, width, &theme(), &mut Colours::new());
    rows.iter().map(rows::text).collect()
}

fn check(md: &str, width: u16, expected: &[&str]) {
    assert_eq!(plain(md, width), expected, "{md}");
}

#[test]
fn prose() {
    check("", 20, &[]);
    check("\n\n", 20, &[]);
    check("one\ntwo  \nthree", 20, &["one two", "three"]);
    check("first\n\n\nsecond", 20, &["first", "", "second"]);
    check("a long line of words", 10, &["a long", "line of", "words"]);
    check("# Title\ntext\n## Sub\n", 20, &["Title", "", "text", "", "Sub"]);
    check("a<br>b", 20, &["a", "b"]);
    check("above\n\n---\n\nbelow", 9, &["above", "", "─────────", "", "below"]);
}

#[test]
fn marks_become_styles() {
    let rows = render("a *b* **c** ~~d~~ `e`", 40, &theme(), &mut Colours::new());
    let theme = theme();
    let text = theme.text;
    let expected = [
        ("a ", text),
        ("b", text.add_modifier(Modifier::ITALIC)),
        (" ", text),
        ("c", text.patch(theme.strong)),
        (" ", text),
        ("d", text.add_modifier(Modifier::CROSSED_OUT)),
        (" ", text),
        ("e", text.patch(theme.inline_code)),
    ];
    let spans = rows[0].spans.iter().map(|span| (span.content.as_ref(), span.style));
    assert_eq!(spans.collect::<Vec<_>>(), expected);
}

#[test]
fn lists() {
    check("- one\n- two\n  more\n", 20, &["• one", "• two more"]);
    check("- one\n\n- two\n", 20, &["• one", "", "• two"]);
    check("text:\n- one", 20, &["text:", "• one"]);
    check("- a\n  - b\n    - c\n- d", 20, &["• a", "  ◦ b", "    • c", "• d"]);
    check("- a\n\n  - b\n", 20, &["• a", "", "  ◦ b"]);
    check("- words that wrap", 10, &["• words", "  that", "  wrap"]);
    check("1. a\n1. b\n1. c", 20, &["1. a", "2. b", "3. c"]);
    check("9. a\n10. b", 20, &["9. a", "10. b"]);
    check("- [ ] open\n- [x] done", 20, &["☐ open", "☑ done"]);
    check("- a\n* b", 20, &["• a", "• b"]);
    check("1. a\n\n   text\n2. b", 20, &["1. a", "", "   text", "2. b"]);
    check("-\n- b", 20, &["•", "• b"]);
}

#[test]
fn quotes() {
    check("> one\n> two\n", 20, &["▎ one two"]);
    check("> one\n>\n> - two\n", 20, &["▎ one", "▎", "▎ • two"]);
    check("a\n> b\n\nc", 20, &["a", "", "▎ b", "", "c"]);
}

#[test]
fn code() {
    check("```rust\nlet x = 1;\n\n  y\n```", 30, &["  rust", "  let x = 1;", "", "    y"]);
    check("```\nx\n```\n```\ny\n```\nz", 30, &["  x", "", "  y", "", "z"]);
    check("text\n```\nx\n```\ntext", 30, &["text", "", "  x", "", "text"]);
    check("```rust\nopen", 30, &["  rust", "  open"]);
    check("    indented\n", 30, &["  indented"]);
    check(
        "1. Run:\n   ```sh\n   ls\n   ```\n2. Done",
        30,
        &["1. Run:", "     sh", "     ls", "2. Done"],
    );
    check("```\na long line of code\n```", 12, &["  a long", "    line of", "    code"]);
    check("~~~~ c\n~~~\n~~~~~\nx", 12, &["  c", "  ~~~", "", "x"]);
}

#[test]
fn links() {
    check("[text](http://a.b)", 40, &["text (http://a.b)"]);
    check("<http://a.b>", 40, &["http://a.b"]);
    check("<a@b.c>", 40, &["a@b.c"]);
    check("![alt](x.png)", 40, &["image: alt (x.png)"]);
    check(
        "[a]: http://a.b\n[b]: c\n\n[a] text",
        40,
        &["[a]: http://a.b", "[b]: c", "", "[a] text"],
    );
    check("see[^1]\n\n[^1]: note", 40, &["see[1]", "", "[1] note"]);
}

#[test]
fn tables() {
    let table = "| a | bb |\n|---|---:|\n| one | 2 |\n| x |\n";
    check(table, 40, &["a   │ bb", "────┼───", "one │  2", "x   │"]);
    let wide = "| name | what it is |\n|---|---|\n| first | some words that wrap |\n| b | c |\n";
    check(
        wide,
        22,
        &[
            "name  │ what it is",
            "──────┼───────────────",
            "first │ some words",
            "      │ that wrap",
            "──────┼───────────────",
            "b     │ c",
        ],
    );
    let many = "| a | b | c |\n|---|---|---|\n| one one | two two | three |\n| 1 | | 3 |";
    check(many, 14, &["a: one one", "b: two two", "c: three", "──────", "a: 1", "c: 3"]);
    check("text\n| a |\n|---|\n| b |", 20, &["text", "", "a", "─", "b"]);
}

#[test]
fn html_is_text() {
    check("<div>\n<b>x</b>\n</div>\n\ntext", 30, &["<div>", "<b>x</b>", "</div>", "", "text"]);
    check("a <b>c</b>", 30, &["a <b>c</b>"]);
}

#[test]
fn prose_is_at_most_100_columns() {
    let rows = plain(&"word ".repeat(100), 200);
    assert!(rows.iter().all(|row| width(row) <= 100));
    assert_eq!(plain(&format!("```\n{}\n```", "x".repeat(150)), 200).len(), 1);
}

#[test]
fn hostile_texts_end_and_fit() {
    for text in [
        "> ".repeat(5_000),
        "- ".repeat(5_000),
        "[".repeat(20_000),
        "*a ".repeat(20_000),
        "`".repeat(20_000),
        format!("|{}\n|{}\n|{}", "a|".repeat(10_000), "-|".repeat(10_000), "b|".repeat(10_000)),
        "<".repeat(20_000),
        "&#0;&#x1b;&#27;".to_string(),
        "\u{0}\u{1b}[2J".to_string(),
        "x".repeat(100_000),
        format!("- a\n{}", "  - b\n    - c\n".repeat(3_000)),
    ] {
        for columns in [1, 7, 80] {
            let rows = render(&text, columns, &theme(), &mut Colours::new());
            let widest = rows.iter().map(|row| width(&rows::text(row))).max().unwrap_or(0);
            assert!(widest <= usize::from(columns).max(2), "{widest} {:?}", &text[..9]);
        }
    }
}

#[test]
fn entities_make_no_control_characters() {
    let rows = render("a&#27;[31mb &#x9b;c &#7;", 40, &theme(), &mut Colours::new());
    for row in rows {
        assert!(!row.spans.iter().any(|span| span.content.contains(char::is_control)), "{row:?}");
    }
}
