//! Growing texts: the same rows however they come, and no more work than they need.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::text::width;
use crate::view::rows;

fn theme() -> Theme {
    Theme::named("dark").expect("dark")
}

/// Ends of the chunks that `text` comes in, `size` characters each.
fn chunk_ends(text: &str, size: usize) -> Vec<usize> {
    let starts = text.char_indices().map(|(at, _)| at).step_by(size).skip(1);
    starts.chain([text.len()]).collect()
}

/// Streams `text` and checks on the way that closed rows stay.
fn streamed(text: &str, columns: u16, size: usize) -> (Vec<Line<'static>>, Work) {
    let (theme, mut colours) = (theme(), Colours::new());
    let mut stream = Stream::new(columns);
    let mut closed: Vec<Line<'static>> = Vec::new();
    let mut total = Work::default();
    let mut add = |work: Work| {
        total.blocks_wrapped += work.blocks_wrapped;
        total.bytes += work.bytes;
    };
    for end in chunk_ends(text, size) {
        add(stream.update(&text[..end], &theme, &mut colours));
        assert_eq!(stream.rows()[..closed.len()], closed, "after {:?}", &text[..end]);
        closed = stream.rows()[..stream.closed_rows()].to_vec();
    }
    add(stream.finish(text, &theme, &mut colours));
    assert_eq!(stream.rows()[..closed.len()], closed);
    (stream.into_rows(), total)
}

fn whole(text: &str, columns: u16) -> Vec<Line<'static>> {
    markdown::render(text, columns, &theme(), &mut Colours::new())
}

/// Markdown made of lines that begin, go on with and end blocks.
fn markdown_text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "",
        "",
        "",
        "plain text",
        "a **bold** word",
        "and `code` [link](http://x)",
        "# Title",
        "## Sub",
        "- item",
        "  - inner",
        "* star",
        "1. one",
        "2. two",
        "10. ten",
        "   more",
        "    deep",
        "> quote",
        ">",
        "> - in quote",
        "```rust",
        "```",
        "~~~",
        "let x = 1;",
        "| a | b |",
        "|---|---|",
        "| 1 | 2 |",
        "---",
        "===",
        "<div>",
        "</div>",
        "[a]: http://x",
        "[^1]: note",
        "text[^1]",
        "-",
        "1.",
        "  ",
        "\\",
        "漢字 text",
        "a | b",
        "- [ ] task",
        "<!-- ",
        "-->",
        "***",
        "**",
        "`",
        "```` x",
        "````",
    ]);
    (prop::collection::vec(line, 0..24), any::<bool>())
        .prop_map(|(lines, end)| lines.join("\n") + if end { "\n" } else { "" })
}

proptest! {
    #[test]
    fn any_cutting_ends_in_the_same_rows(text in markdown_text(), size in 1usize..30, columns in 10u16..60) {
        prop_assert_eq!(streamed(&text, columns, size).0, whole(&text, columns));
    }

    #[test]
    fn any_cutting_of_any_marks_ends_in_the_same_rows(
        text in "[-*_`#>|~\\[\\]()!<&;:=+.1a漢\\\\ \n\n\n]{0,80}",
        size in 1usize..9,
    ) {
        let (rows, _) = streamed(&text, 20, size);
        prop_assert!(rows.iter().all(|row| width(&rows::text(row)) <= 20));
        prop_assert_eq!(rows, whole(&text, 20));
    }

    #[test]
    fn rows_fit(text in markdown_text(), columns in 2u16..60) {
        for row in whole(&text, columns) {
            prop_assert!(width(&rows::text(&row)) <= usize::from(columns));
        }
    }

    #[test]
    fn units_are_what_the_parser_finds_in_the_whole(text in "([a-z]{1,5} ?){1,4}(\n\n([a-z]{1,4}|# [a-z]{1,4}|- a\n- b|> q|```\nx\n```)){0,6}") {
        let units = Splitter::default().advance(&text, true);
        let ranges: Vec<_> = units.iter().map(|unit| unit.range.clone()).collect();
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let covered: String = ranges.iter().map(|range| &text[range.clone()]).collect();
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(letters(&covered), letters(&text));
    }
}

#[test]
fn texts_too_long_for_one_unit_are_cut_alike() {
    let long_line = "word ".repeat(10_000);
    let unbroken = "x".repeat(50_000);
    let many_lines = "some words\n".repeat(4_000);
    let quote = "> quoted\n".repeat(4_000);
    let list = format!("- a\n{}", "  more\n".repeat(6_000));
    let table = format!("| a | b |\n|---|---|\n{}", "| 1 | 2 |\n".repeat(9_000));
    let header = format!("|{}\n|{}\n| 1 |\n", "a|".repeat(9_000), "-|".repeat(9_000));
    let code = format!("```rust\n{}```\nend", "let x = 1;\n".repeat(4_000));
    for text in [long_line, unbroken, many_lines, quote, list, table, header, code] {
        let text = format!("before\n\n{text}\n\nafter");
        assert_eq!(streamed(&text, 80, 997).0, whole(&text, 80), "{:?}", &text[..30]);
    }
}

fn reply(bytes: usize) -> String {
    let section = "## A heading\n\nSome words with **bold** and `code`, enough of them that they wrap \
        on to a second row of the screen.\n\n- first item\n- second item with `code`\n\n```rust\nfn \
        main() {\n    println!(\"x\");\n}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n";
    section.repeat(bytes / section.len() + 1)
}

#[test]
fn work_is_linear_in_the_length() {
    let (short, long) = (reply(20_000), reply(40_000));
    let bytes = |text: &str| streamed(text, 80, 48).1.bytes;
    let (short, long) = (bytes(&short), bytes(&long));
    assert!(long * 10 <= short * 21, "{short} then {long}");
}

#[test]
fn one_token_wraps_one_block() {
    let text = reply(50_000) + "The last paragraph";
    let (theme, mut colours) = (theme(), Colours::new());
    let mut stream = Stream::new(80);
    stream.update(&text, &theme, &mut colours);
    let work = stream.update(&format!("{text} grows"), &theme, &mut colours);
    assert_eq!(work, Work { blocks_wrapped: 1, bytes: "The last paragraph grows".len() });
    let again = stream.update(&format!("{text} grows"), &theme, &mut colours);
    assert_eq!(again, Work::default());
}

#[test]
fn another_text_is_drawn_from_its_beginning() {
    let (theme, mut colours) = (theme(), Colours::new());
    let mut stream = Stream::new(40);
    stream.update("first\n\nsecond\n\nthird", &theme, &mut colours);
    for text in ["other\n\ntext", "", "漢字", "more\n\nand more\n\nand more"] {
        stream.update(text, &theme, &mut colours);
        stream.finish(text, &theme, &mut colours);
        assert_eq!(stream.rows(), whole(text, 40));
    }
}

#[test]
fn tables_are_held_until_they_are_whole() {
    let (theme, mut colours) = (theme(), Colours::new());
    let mut stream = Stream::new(40);
    let mut shown = |text: &str| {
        stream.update(text, &theme, &mut colours);
        stream.rows().iter().map(rows::text).collect::<Vec<_>>()
    };
    assert_eq!(shown("text\n\n| a |"), ["text", "", "⋯ table, 1 line"]);
    assert_eq!(shown("text\n\n| a |\n|---|\n| b |\n"), ["text", "", "⋯ table, 3 lines"]);
    assert_eq!(shown("text\n\n| a |\n|---|\n| b |\n\nend\n")[2..], ["a", "─", "b", "", "end"]);
}

/// Works out everything that is wanted.
fn answer(colours: &mut Colours) -> usize {
    let wanted = colours.take_wanted();
    wanted.iter().for_each(|wanted| colours.put(wanted.key, wanted.work()));
    wanted.len()
}

#[test]
fn colours_come_later_and_move_nothing() {
    let text =
        "```rust\nfn main() {}\nlet s = \"漢字\";\n```\n\n1. a\n   ```rust\n   fn b() {}\n   ```\n";
    let (theme, mut colours) = (theme(), Colours::new());
    let mut stream = Stream::new(12);
    stream.finish(text, &theme, &mut colours);
    assert_eq!(colours.take_wanted(), [], "what is not seen is not wanted");
    let plain: Vec<String> = stream.rows().iter().map(rows::text).collect();
    assert_eq!(stream.colour(text, 0..2, &theme, &mut colours), 0);
    assert_eq!(answer(&mut colours), 1, "only what is seen is wanted");
    assert!(stream.colour(text, 0..99, &theme, &mut colours) > 0);
    assert_eq!(answer(&mut colours), 1);
    assert!(stream.colour(text, 0..99, &theme, &mut colours) > 0);
    assert_eq!(stream.colour(text, 0..99, &theme, &mut colours), 0, "nothing is done twice");
    assert_eq!(stream.rows().iter().map(rows::text).collect::<Vec<_>>(), plain);
    assert_eq!(stream.rows(), markdown::render(text, 12, &theme, &mut colours));
    let keyword = theme.text.patch(theme.token(crate::highlight::Class::Keyword));
    let fns = stream.rows().iter().flat_map(|row| &row.spans);
    assert_eq!(fns.filter(|s| s.content.starts_with("fn") && s.style == keyword).count(), 2);
}

#[test]
fn code_keeps_its_colours_while_it_grows() {
    let text = "```rust\nfn a() {}\nfn b() {}\nfn c() {}\n```\n";
    let (theme, mut colours) = (theme(), Colours::new());
    let mut stream = Stream::new(40);
    for end in chunk_ends(text, 1) {
        stream.update(&text[..end], &theme, &mut colours);
        let closed = stream.closed_rows();
        stream.colour(&text[..end], 0..closed, &theme, &mut colours);
        for wanted in colours.take_wanted() {
            assert!(wanted.after.is_some() || wanted.code.lines().count() == 1, "{wanted:?}");
            colours.put(wanted.key, Arc::clone(&wanted.work()));
        }
        stream.colour(&text[..end], 0..closed, &theme, &mut colours);
        let plain = stream.rows()[..closed].iter().skip(1).filter(|row| row.spans.len() < 3);
        assert_eq!(plain.count(), 0, "{:?}", &text[..end]);
    }
    stream.finish(text, &theme, &mut colours);
    assert_eq!(stream.rows(), markdown::render(text, 40, &theme, &mut colours));
}
