//! An image as cells: each names the image by its colour and its place in it by its marks, and the
//! terminal draws there what it was given under that number (Unicode placeholders of kitty's
//! graphics protocol). So an image scrolls, is covered and is cut like any text.

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use crate::app::pictures::Picture;

const PLACEHOLDER: char = '\u{10EEEE}';

/// The mark that stands for each row and each column, from the protocol's table.
const MARKS: [char; 54] = [
    '\u{305}', '\u{30d}', '\u{30e}', '\u{310}', '\u{312}', '\u{33d}', '\u{33e}', '\u{33f}',
    '\u{346}', '\u{34a}', '\u{34b}', '\u{34c}', '\u{350}', '\u{351}', '\u{352}', '\u{357}',
    '\u{35b}', '\u{363}', '\u{364}', '\u{365}', '\u{366}', '\u{367}', '\u{368}', '\u{369}',
    '\u{36a}', '\u{36b}', '\u{36c}', '\u{36d}', '\u{36e}', '\u{36f}', '\u{483}', '\u{484}',
    '\u{485}', '\u{486}', '\u{487}', '\u{592}', '\u{593}', '\u{594}', '\u{595}', '\u{597}',
    '\u{598}', '\u{599}', '\u{59c}', '\u{59d}', '\u{59e}', '\u{59f}', '\u{5a0}', '\u{5a1}',
    '\u{5a8}', '\u{5a9}', '\u{5ab}', '\u{5ac}', '\u{5af}', '\u{5c4}',
];

/// As many of its rows and columns as there are marks and room for.
pub fn rows(picture: Picture, columns: usize) -> Vec<Line<'static>> {
    let style = Style::new().fg(Color::Indexed(picture.number));
    let columns = usize::from(picture.columns).min(columns);
    let row = |row: &char| {
        let cells = MARKS.iter().take(columns).flat_map(|column| [PLACEHOLDER, *row, *column]);
        Line::from(Span::styled(cells.collect::<String>(), style))
    };
    MARKS.iter().take(usize::from(picture.rows)).map(row).collect()
}
