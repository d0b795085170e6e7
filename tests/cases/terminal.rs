//! Cases of `terminal`: hostile text, and that nothing of it reaches the terminal raw.
//!
//! Each payload is cleaned in every mode, and drawn as Markdown and as a change of a file.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use serde::Deserialize;
use tern::protocol::{Hunk, HunkLine, LineKind};
use tern::text::clean::{Mode, coloured};
use tern::text::{clean, width};
use tern::view::code::Colours;
use tern::view::diff::{self, DiffStyle};
use tern::view::markdown;
use tern::view::theme::Theme;

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    cat: String,
    payload: String,
    surfaces: Vec<String>,
}

#[expect(clippy::expect_used, reason = "a test stops at a case that cannot be read")]
fn cases() -> Vec<Case> {
    let lines = include_str!("terminal.jsonl").lines();
    let cases: Vec<Case> = lines.map(|line| serde_json::from_str(line).expect("a case")).collect();
    assert!(cases.len() >= 55);
    cases.into_iter().filter(|case| case.cat != "lifecycle").collect()
}

#[track_caller]
fn assert_tame(id: &str, text: &str) {
    let foreign = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(foreign, None, "{id}: {text:?}");
}

/// What stands in the cells when the rows are drawn.
fn cells(rows: &[Line<'_>], columns: u16) -> String {
    let area = Rect::new(0, 0, columns, rows.len() as u16);
    let mut buffer = Buffer::empty(area);
    for (row, y) in rows.iter().zip(0..) {
        row.render(Rect::new(0, y, columns, 1), &mut buffer);
    }
    buffer.content().iter().map(|cell| cell.symbol()).collect()
}

#[test]
fn cleaned_text_is_tame() {
    for case in cases() {
        for mode in [Mode::Prose, Mode::Output, Mode::Security, Mode::Name] {
            assert_tame(&case.id, &clean(&case.payload, mode));
        }
        for piece in coloured(&case.payload).iter().flatten() {
            assert_tame(&case.id, &piece.text);
        }
        assert!(!clean(&case.payload, Mode::Name).contains('\n'), "{}", case.id);
    }
}

#[test]
fn invisible_characters_are_spelled_out_where_it_matters() {
    let invisible = cases().into_iter().filter(|case| case.cat == "invisible");
    let mut count = 0;
    for case in invisible {
        assert!(case.surfaces.iter().any(|surface| surface == "prompt_dialog"));
        let odd = case.payload.chars().find(|c| !c.is_ascii()).expect("an odd character");
        let spelled = format!("run{}me", odd.escape_unicode());
        assert_eq!(clean(&case.payload, Mode::Security), spelled, "{}", case.id);
        assert_eq!(clean(&case.payload, Mode::Name), spelled, "{}", case.id);
        count += 1;
    }
    assert!(count >= 8);
}

#[test]
fn nothing_after_an_unfinished_sequence_is_swallowed() {
    for case in cases().iter().filter(|case| case.payload.contains("EVIL")) {
        for mode in [Mode::Prose, Mode::Output] {
            let shown = clean(&case.payload, mode);
            // The `E` may be the last character of a control sequence.
            assert!(shown.ends_with("VIL"), "{}: {shown:?}", case.id);
        }
    }
}

#[test]
fn drawn_cells_are_tame_and_as_wide_as_measured() {
    let theme = Theme::named("dark").expect("dark");
    for case in cases() {
        let prose = clean(&case.payload, Mode::Prose);
        for columns in [5, 12, 80] {
            let rows = markdown::render(&prose, columns, &theme, &mut Colours::new());
            for row in &rows {
                let text: String = row.spans.iter().map(|span| span.content.as_ref()).collect();
                assert!(width(&text) <= usize::from(columns), "{}: {text:?}", case.id);
            }
            assert_tame(&case.id, &cells(&rows, columns));
            let line = HunkLine {
                kind: LineKind::Added,
                text: case.payload.clone(),
                changed: vec![(1, 2)],
                no_newline: false,
            };
            let hunks = [Hunk { old_start: 1, new_start: 1, lines: vec![line] }];
            let rows =
                diff::rows("x.rs", &hunks, 80, DiffStyle::Unified, &theme, &mut Colours::new());
            assert_tame(&case.id, &cells(&rows, 80));
        }
    }
}

#[test]
fn progress_displays_are_collapsed() {
    let progress: String = (0..10_000).map(|percent| format!("\r{percent} %")).collect();
    assert_eq!(clean(&progress, Mode::Output), "9999 %");
}

#[test]
fn a_table_of_ten_thousand_columns_ends() {
    let columns = 10_000;
    let table = format!(
        "|{}\n|{}\n|{}\n",
        "a|".repeat(columns),
        "-|".repeat(columns),
        "b|".repeat(columns)
    );
    let theme = Theme::named("dark").expect("dark");
    let rows = markdown::render(&table, 80, &theme, &mut Colours::new());
    assert!(rows.iter().all(|row| row.width() <= 80));
}
