//! What passes between tern and the terminal besides keys and frames.

#![cfg(unix)]

use crate::support::pty::Pty;
use crate::support::tern::Tern;

/// With the colours that a background has to show.
fn demo(tern: &Tern) -> Pty {
    let mut pty = Pty::with(tern, &["--demo"], &[("COLORTERM", "truecolor")], (100, 30));
    pty.wait_for("This is a demonstration");
    pty
}

#[test]
fn the_theme_follows_the_terminal_and_its_answer_is_not_typed() {
    let tern = Tern::new();
    let mut pty = demo(&tern);
    pty.wait_for_bytes("\x1b]11;?\x1b\\");
    let dark = pty.background();
    pty.press(" be\x1b]11;rgb:ffff/ffff/ffff\x1b\\gin");
    pty.wait_for("prove it. begin");
    pty.wait_until_background("light", |background| background != dark);
    let light = pty.background();
    assert!(!pty.text().contains("rgb") && !pty.text().contains("ffff"), "{}", pty.text());
    let kept = tern.home().join("state/background");
    pty.press("\x15\x03\x03");
    assert_eq!(pty.ends_as_found(), 0);
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "light\n");

    // What it said last holds from the first frame on.
    let mut pty = demo(&tern);
    assert_eq!(pty.background(), light);
    pty.press("\x15\x03\x03");
    assert_eq!(pty.ends_as_found(), 0);
}

#[test]
fn the_tab_has_a_title_that_goes_again() {
    let tern = Tern::new();
    let mut pty = demo(&tern);
    pty.wait_for_bytes("\x1b[22;0t");
    pty.wait_for_bytes("\x1b]2;tally · tern\x1b\\");
    pty.press("\r");
    pty.wait_for("Run a command");
    pty.wait_for_bytes("\x1b]2;? ");
    pty.press("\x03");
    pty.wait_for("stopped");
    pty.press("\x03\x03");
    pty.wait_for_bytes("\x1b[23;0t");
    assert_eq!(pty.ends_as_found(), 0);
}

#[test]
fn a_command_of_the_persons_speaks_in_the_status_line() {
    let tern = Tern::new();
    let told = tern.dir.path().join("told.json");
    tern.config(&format!(
        "[ui]\nstatus-command = '''cat > {}; printf '\\033]0;evil\\007my \\033[31mwords\\nmore\\n' '''\n",
        told.display()
    ));
    let mut pty = demo(&tern);
    pty.wait_for("my words");
    assert!(!pty.text().contains("more"), "one line: {}", pty.text());
    let told: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(told).unwrap()).unwrap();
    assert_eq!(told["mode"], "default");
    pty.press("\x15\x03\x03");
    assert_eq!(pty.ends_as_found(), 0);
}

#[test]
fn settings_and_themes_count_as_soon_as_they_are_saved() {
    let tern = Tern::new();
    tern.config("[ui]\ntheme = \"mine\"\n");
    let themes = tern.home().join("config/themes");
    std::fs::create_dir_all(&themes).unwrap();
    let theme = |ground: &str| {
        let text = format!("inherits = \"dark\"\n[palette]\nground = \"{ground}\"\n");
        std::fs::write(themes.join("mine.toml"), text).unwrap();
    };
    theme("#200000");
    // A session that is no demonstration: that one has a copy of the settings.
    let mut pty = Pty::with(&tern, &["-m", "ollama/none"], &[("COLORTERM", "truecolor")], (80, 24));
    pty.wait_for("what is to be done?");
    let before = pty.background();
    // The watch begins after the first frame, at no moment that could be waited for.
    let start = std::time::Instant::now();
    while pty.background() == before {
        assert!(start.elapsed().as_secs() < 30, "the theme stays as it was");
        theme("#002000");
        pty.wait_a_moment();
    }
    pty.press("\x03\x03");
    assert_eq!(pty.ends_as_found(), 0);
}
