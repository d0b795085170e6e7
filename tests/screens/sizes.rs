//! The same states in the sizes and themes that count.

use crate::support::screen::screen;

const STATES: [&str; 8] =
    ["fixed", "edit-asked", "command-asked", "streaming", "tasks", "trouble", "failed", "resumed"];

#[test]
fn states_in_their_usual_sizes() {
    for state in STATES {
        for (width, height) in [(80, 24), (120, 40)] {
            let text = screen(width, height).events(state).text();
            insta::assert_snapshot!(format!("{state}-{width}x{height}"), text);
        }
    }
}

#[test]
fn narrow_wide_and_ascii() {
    for (width, height) in [(40, 12), (200, 60)] {
        for state in ["fixed", "edit-asked"] {
            let text = screen(width, height).events(state).text();
            insta::assert_snapshot!(format!("{state}-{width}x{height}"), text);
        }
    }
    let text = screen(80, 24).with(|model| model.look.ascii = true).events("edit-asked").text();
    insta::assert_snapshot!("edit-asked-ascii", text);
    let left: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn no_size_is_a_crash() {
    for width in [1, 2, 5, 20, 29, 30, 31, 40, 77, 300] {
        for height in [1, 2, 6, 7, 8, 9, 12, 24, 100] {
            for state in STATES {
                let mut screen = screen(width, height).events(state);
                screen.text();
                for keys in
                    ["<ctrl+x>c", "<ctrl+x>h", "<ctrl+x>d", "<f1>", "<ctrl+f>the", "<ctrl+up>"]
                {
                    screen = screen.keys(keys);
                    screen.text();
                    screen = screen.keys("<esc><esc>");
                }
            }
        }
    }
    let text = screen(20, 6).events("fixed").text();
    assert!(text.starts_with("too small for tern"), "{text}");
}

#[test]
fn themes_change_colours_and_nothing_else() {
    let mut first = screen(100, 30).events("edit-asked");
    let text = first.text();
    for theme in first.off.model.look.themes.clone() {
        let mut themed =
            screen(100, 30).with(|model| model.look.theme = theme).events("edit-asked");
        assert_eq!(themed.text(), text);
    }
}
