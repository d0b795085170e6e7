//! Every built-in theme is complete, readable and in its colours.

use ratatui::style::{Color, Style};

use super::*;

/// WCAG 2.2 "contrast ratio": 1 to 21.
fn contrast(a: Color, b: Color) -> Option<f64> {
    let luminance = |colour: Color| {
        let Color::Rgb(r, g, b) = colour else { return None };
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
    };
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

fn built_ins() -> Vec<Theme> {
    Theme::names().map(|name| Theme::named(name).expect(name)).collect()
}

#[test]
fn built_in_themes_have_no_problem() {
    for name in Theme::names() {
        assert_eq!(Library::default().theme(name).1, [], "{name}");
    }
}

#[test]
fn text_is_readable() {
    let mut poor = Vec::new();
    for mut theme in built_ins() {
        let (background, name) = (theme.background, theme.name.clone());
        let wanted = if name == "high-contrast" { 7.0 } else { 4.5 };
        let lines = [theme.added_line, theme.removed_line, theme.cursor_line];
        let words = [theme.added_word, theme.removed_word];
        let text = theme.text.fg.unwrap_or(Color::Reset);
        for (what, style) in theme.styles() {
            // Borders and bars are not text; a page has none of its own.
            if matches!(what, "border" | "border-focused" | "scrollbar" | "page") {
                continue;
            }
            let fg = style.fg.unwrap_or(text);
            let mut check = |on: &str, bg: Color, wanted: f64| match contrast(fg, bg) {
                Some(ratio) if ratio < wanted => {
                    poor.push(format!("{name}: {what} {fg} on {on} {bg}: {ratio:.2}"));
                }
                _ => {}
            };
            check("ground", style.bg.unwrap_or(background), wanted);
            if what.starts_with("token") || matches!(what, "text" | "faint" | "added" | "removed") {
                lines.iter().filter_map(|line| line.bg).for_each(|bg| check("line", bg, 4.5));
                words.iter().filter_map(|word| word.bg).for_each(|bg| check("word", bg, 3.0));
            }
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

#[test]
fn a_theme_with_colours_of_its_own_paints_its_page() {
    for theme in built_ins() {
        let own = !["terminal", "mono"].contains(&theme.name.as_str());
        assert_eq!(theme.page.bg.is_some(), own, "{}", theme.name);
    }
}

#[test]
fn what_must_stand_out_does() {
    for theme in built_ins() {
        for depth in [ColorDepth::True, ColorDepth::Ansi256, ColorDepth::Ansi16, ColorDepth::None] {
            let theme = theme.reduced(depth);
            for style in [
                theme.strong,
                theme.accent,
                theme.selection,
                theme.matched,
                theme.matched_now,
                theme.added_word,
                theme.removed_word,
                theme.heading,
            ] {
                assert_ne!(style, Style::new(), "{} {depth:?}", theme.name);
            }
            assert_ne!(theme.matched, theme.matched_now, "{} {depth:?}", theme.name);
        }
    }
}

#[test]
fn reduced_themes_keep_to_their_colours() {
    for theme in built_ins() {
        for (depth, allowed) in [
            (ColorDepth::Ansi256, (|c| !matches!(c, Color::Rgb(..))) as fn(Color) -> bool),
            (ColorDepth::Ansi16, |c| !matches!(c, Color::Rgb(..) | Color::Indexed(_))),
            (ColorDepth::None, |_| false),
        ] {
            let mut reduced = theme.reduced(depth);
            let colours = reduced.styles().into_iter().flat_map(|(_, style)| [style.fg, style.bg]);
            let foreign: Vec<Color> = colours.flatten().filter(|c| !allowed(*c)).collect();
            assert_eq!(foreign, [], "{} {depth:?}", theme.name);
            assert_eq!(reduced.reduced(depth), reduced);
        }
    }
}

#[test]
fn ids_tell_looks_apart() {
    let ids: std::collections::BTreeSet<u64> = built_ins().iter().map(Theme::id).collect();
    assert_eq!(ids.len(), built_ins().len());
    assert_eq!(Theme::named("dark").map(|theme| theme.id()), Theme::named("dark").map(|t| t.id()));
}

#[test]
fn own_themes_inherit_and_override() {
    let (theme, problems) = Theme::parse(
        "mine",
        "inherits = 'light'\n[palette]\nblue = '#123456'\n[styles]\nheading = 'italic blue on 17'",
    );
    assert_eq!(problems, []);
    assert!(!theme.dark);
    assert_eq!(
        theme.heading,
        Style::new().italic().fg(Color::Rgb(0x12, 0x34, 0x56)).bg(Color::Indexed(17))
    );
    assert_eq!(theme.accent.fg, Some(Color::Rgb(0x12, 0x34, 0x56)));
    assert_eq!(theme.text, Theme::named("light").expect("light").text);
}

#[test]
fn problems_are_told_and_the_rest_counts() {
    for (toml, message) in [
        ("x = ", ""),
        ("kind = 'blue'", "kind is dark or light, not \"blue\""),
        ("size = 3", "unknown key or wrong type: size"),
        ("[styles]\nheadin = 'bold'", "unknown style \"headin\"; did you mean \"heading\"?"),
        ("[styles]\nheading = 'bolt'", "heading = \"bolt\": unknown word \"bolt\""),
        ("[styles]\nheading = 'on'", "heading = \"on\": unknown word \"on\""),
        ("[styles]\nheading = 3", "heading is a text in quotes, not 3"),
        ("inherits = 'none'", "inherits from \"none\", which does not exist"),
    ] {
        let (_, problems) = Theme::parse("mine", toml);
        assert_eq!(problems.len(), 1, "{toml}: {problems:?}");
        assert!(problems[0].message.contains(message), "{toml}: {problems:?}");
    }
    let (theme, problems) = Library::default().theme("none");
    assert_eq!(theme.text, Theme::named("dark").expect("dark").text);
    assert_eq!(problems.len(), 1);
}

#[test]
fn inheriting_in_a_circle_ends() {
    let mut library = Library::default();
    library.add("a", "inherits = 'b'");
    library.add("b", "inherits = 'a'");
    assert_eq!(library.theme("a").1.len(), 1);
    library.add("dark", "inherits = 'dark'\n[styles]\nheading = 'italic'");
    let (theme, problems) = library.theme("dark");
    assert_eq!(problems, []);
    assert_eq!(theme.heading, Style::new().italic());
    assert_eq!(theme.text, Theme::named("dark").expect("dark").text);
}

#[test]
fn output_of_programs_is_painted_in_the_colours_there_are() {
    let paint = Paint {
        text: Some(Tint::Table(1)),
        background: Some(Tint::Rgb(255, 0, 0)),
        bold: true,
        ..Paint::default()
    };
    let dark = Theme::named("dark").expect("dark");
    let bold = Style::new().bold();
    for (depth, style) in [
        (ColorDepth::True, bold.fg(Color::Red).bg(Color::Rgb(255, 0, 0))),
        (ColorDepth::Ansi256, bold.fg(Color::Red).bg(Color::Indexed(196))),
        (ColorDepth::Ansi16, bold.fg(Color::Red).bg(Color::LightRed)),
        (ColorDepth::None, bold),
    ] {
        assert_eq!(dark.reduced(depth).paint(&paint), style);
    }
}
