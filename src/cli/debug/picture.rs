//! A frame as text, as terminal output, or as SVG.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};

use crate::text::width;
use crate::view::theme::Theme;

/// Rows without the blanks at their ends.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let line: String = row.iter().map(|(_, cell)| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub fn ansi(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let mut last = None;
        for (_, cell) in &row {
            let style = (cell.fg, cell.bg, cell.modifier);
            if last != Some(style) {
                text.push_str(&sgr(cell));
                last = Some(style);
            }
            text.push_str(cell.symbol());
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

fn sgr(cell: &Cell) -> String {
    let mut codes = vec!["0".to_owned()];
    for (modifier, code) in [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
        (Modifier::CROSSED_OUT, "9"),
    ] {
        if cell.modifier.contains(modifier) {
            codes.push(code.to_owned());
        }
    }
    codes.extend(colour(cell.fg, 30).into_iter().chain(colour(cell.bg, 40)));
    format!("\x1b[{}m", codes.join(";"))
}

/// `base` is 30 for text, 40 for what is behind it.
fn colour(colour: Color, base: u8) -> Option<String> {
    if let Color::Rgb(r, g, b) = colour {
        return Some(format!("{};2;{r};{g};{b}", base + 8));
    }
    let index = index(colour)?;
    Some(format!("{};5;{index}", base + 8))
}

/// The place of a colour in the table of 256. `None`: the terminal's own, or no table colour.
fn index(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(index) => index,
        Color::Reset | Color::Rgb(..) => return None,
    })
}

/// Pixels of a cell.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 14.0;

/// A picture with real text in it, so that it can be read, searched and scaled.
pub fn svg(buffer: &Buffer, cursor: Option<Position>, theme: &Theme) -> String {
    let (ground, ink) = grounds(theme);
    let (columns, lines) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (wide, high) = (columns * CELL.0 + 2.0 * MARGIN, lines * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.1} {high:.1}\" \
         font-family=\"'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{ground}\"/>\n"
    );
    for (y, row) in rows(buffer).iter().enumerate() {
        let top = MARGIN + y as f64 * CELL.1;
        for run in runs(row, |cell| background(cell, &ground, &ink)) {
            if let Some(fill) = &run.style {
                let (x, wide) = (MARGIN + run.column * CELL.0, run.columns * CELL.0);
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{fill}\"/>",
                    CELL.1
                );
            }
        }
        for run in runs(row, |cell| style(cell, &ground, &ink)) {
            if run.text.trim().is_empty() {
                continue;
            }
            let blank = run.text.len() - run.text.trim_start().len();
            let x = MARGIN + (run.column + blank as f64) * CELL.0;
            let columns = width(run.text.trim()) as f64;
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" xml:space=\"preserve\"{}>{}</text>",
                top + 13.5,
                columns * CELL.0,
                run.style,
                escape(run.text.trim())
            );
        }
    }
    if let Some(at) = cursor {
        let (x, y) = (MARGIN + f64::from(at.x) * CELL.0, MARGIN + f64::from(at.y) * CELL.1);
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{ink}\" opacity=\"0.6\"/>",
            CELL.0, CELL.1
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Neighbours that look the same.
struct Run<S> {
    column: f64,
    columns: f64,
    text: String,
    style: S,
}

fn runs<S: PartialEq>(row: &[(u16, &Cell)], style: impl Fn(&Cell) -> S) -> Vec<Run<S>> {
    let mut runs: Vec<Run<S>> = Vec::new();
    for (column, cell) in row {
        let of = style(cell);
        let columns = width(cell.symbol()).max(1) as f64;
        match runs.last_mut() {
            Some(run) if run.style == of => {
                run.text.push_str(cell.symbol());
                run.columns += columns;
            }
            _ => runs.push(Run {
                column: f64::from(*column),
                columns,
                text: cell.symbol().to_owned(),
                style: of,
            }),
        }
    }
    runs
}

/// What a terminal has behind and before its text where a theme leaves that open.
fn grounds(theme: &Theme) -> (String, String) {
    let (ground, ink) = if theme.dark { ("#101216", "#c9cdd5") } else { ("#fbfbf9", "#24282f") };
    let own = |colour: Color, default: &str| hex(colour).unwrap_or_else(|| default.to_owned());
    (own(theme.background, ground), own(theme.text.fg.unwrap_or(Color::Reset), ink))
}

fn background(cell: &Cell, ground: &str, ink: &str) -> Option<String> {
    let colour = if cell.modifier.contains(Modifier::REVERSED) {
        Some(hex(cell.fg).unwrap_or_else(|| ink.to_owned()))
    } else {
        hex(cell.bg)
    };
    colour.filter(|colour| colour != ground)
}

fn style(cell: &Cell, ground: &str, ink: &str) -> String {
    let fill = if cell.modifier.contains(Modifier::REVERSED) {
        hex(cell.bg).unwrap_or_else(|| ground.to_owned())
    } else {
        hex(cell.fg).unwrap_or_else(|| ink.to_owned())
    };
    let mut style = format!(" fill=\"{fill}\"");
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
        (Modifier::DIM, " opacity=\"0.6\""),
    ] {
        if cell.modifier.contains(modifier) {
            style.push_str(attribute);
        }
    }
    style
}

/// xterm's sixteen, for pictures of themes that use the terminal's own.
const TABLE: [&str; 16] = [
    "#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
    "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff",
];

fn hex(colour: Color) -> Option<String> {
    if let Color::Rgb(r, g, b) = colour {
        return Some(format!("#{r:02x}{g:02x}{b:02x}"));
    }
    let index = index(colour)?;
    Some(match index {
        0..16 => TABLE[usize::from(index)].to_owned(),
        16..232 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232.. => {
            let level = 8 + 10 * (index - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Cells with their columns, without those that a wide character before them covers.
fn rows(buffer: &Buffer) -> Vec<Vec<(u16, &Cell)>> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut row = Vec::new();
            let mut x = area.left();
            while x < area.right() {
                let Some(cell) = buffer.cell((x, y)) else { break };
                row.push((x, cell));
                x += u16::try_from(width(cell.symbol())).unwrap_or(1).max(1);
            }
            row
        })
        .collect()
}
