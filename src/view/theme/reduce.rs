//! Themes for terminals with fewer colours.

use ratatui::style::Color;

use crate::view::theme::{ColorDepth, Theme};

/// The theme in the colours that `depth` allows.
///
/// For 256 colours each colour becomes the nearest one. Sixteen are the terminal owner's own, and
/// guesses among them would fight that choice, so the theme becomes `terminal`, and without any
/// colour `mono`, unless it keeps within them anyway.
pub(super) fn reduce(theme: &Theme, depth: ColorDepth) -> Theme {
    let mut reduced = theme.clone();
    let fits = |theme: &mut Theme| {
        let styles = theme.styles();
        let mut colours = styles.into_iter().flat_map(|(_, style)| [style.fg, style.bg]).flatten();
        colours.all(|own| colour(own, depth) == Some(own))
    };
    let plainer = match depth {
        ColorDepth::True | ColorDepth::Ansi256 => None,
        _ if fits(&mut reduced) => None,
        ColorDepth::Ansi16 => Theme::named("terminal"),
        ColorDepth::None => Theme::named("mono"),
    };
    if let Some(plainer) = plainer {
        reduced = Theme { name: reduced.name, dark: reduced.dark, ..plainer };
    }
    for (_, style) in reduced.styles() {
        style.fg = style.fg.and_then(|own| colour(own, depth));
        style.bg = style.bg.and_then(|own| colour(own, depth));
    }
    reduced.depth = depth;
    reduced.finished()
}

/// The nearest colour there is; `None` where there are none.
pub(super) fn colour(colour: Color, depth: ColorDepth) -> Option<Color> {
    match (depth, colour) {
        (ColorDepth::True, colour) => Some(colour),
        (ColorDepth::None, _) => None,
        (ColorDepth::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest256([r, g, b]))),
        (ColorDepth::Ansi16, Color::Rgb(r, g, b)) => ansi16(nearest16([r, g, b])),
        (ColorDepth::Ansi16, Color::Indexed(index)) => {
            ansi16(index).or_else(|| ansi16(nearest16(value256(index))))
        }
        (ColorDepth::Ansi256 | ColorDepth::Ansi16, colour) => Some(colour),
    }
}

/// The first sixteen of the table, by name.
pub(super) fn ansi16(index: u8) -> Option<Color> {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    NAMED.get(usize::from(index)).copied()
}

/// Values of the first sixteen as xterm has them; the rest of the table is a cube and a ramp.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn value256(index: u8) -> [u8; 3] {
    match index {
        0..=15 => SIXTEEN[usize::from(index)],
        16..=231 => {
            let index = usize::from(index - 16);
            [CUBE[index / 36], CUBE[index / 6 % 6], CUBE[index % 6]]
        }
        232..=255 => [8 + (index - 232) * 10; 3],
    }
}

/// Among the fixed part of the table; the first sixteen may have any value.
fn nearest256(wanted: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|index| distance(value256(*index), wanted)).unwrap_or(16)
}

fn nearest16(wanted: [u8; 3]) -> u8 {
    (0..16).min_by_key(|index| distance(value256(*index), wanted)).unwrap_or(0)
}

/// Squared, with the weights of the eye ("redmean" is not worth its cost here).
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let square = |index: usize| u32::from(a[index].abs_diff(b[index])).pow(2);
    3 * square(0) + 6 * square(1) + square(2)
}
