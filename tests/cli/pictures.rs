//! The README's pictures are drawn from recorded event streams, so that they cannot go stale.
//!
//! After a wanted change: `TERN_UPDATE_PICTURES=1 cargo test --test cli pictures`.

use std::path::Path;

use crate::support::tern::Tern;

/// Name, event stream, further arguments.
const PICTURES: &[(&str, &str, &[&str])] = &[
    ("edit", "edit-asked", &["--size", "100x30"]),
    ("command", "command-asked", &["--size", "100x30"]),
    ("cost", "fixed", &["--size", "100x20", "--keys", "/cost<enter>"]),
    ("light", "fixed", &["--size", "100x30", "--theme", "light"]),
];

#[test]
fn the_readmes_pictures_are_what_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let update = std::env::var_os("TERN_UPDATE_PICTURES").is_some();
    let tern = Tern::new();
    for (name, events, more) in PICTURES {
        let events = root.join(format!("tests/screens/events/{events}.jsonl"));
        let args = ["debug", "replay", events.to_str().unwrap(), "--format", "svg"];
        let ran = tern.run(&[&args[..], more].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let picture = root.join(format!("assets/pictures/{name}.svg"));
        if update {
            std::fs::write(&picture, &ran.out).unwrap();
        }
        let drawn = std::fs::read_to_string(&picture).unwrap_or_default();
        assert!(drawn == ran.out, "assets/pictures/{name}.svg is stale; see the head of this file");
    }
}

#[test]
fn every_picture_of_the_readme_is_drawn_here() {
    let readme = include_str!("../../README.md");
    for part in readme.split("assets/pictures/").skip(1) {
        let name = part.split(".svg").next().unwrap();
        assert!(PICTURES.iter().any(|(drawn, _, _)| *drawn == name), "{name}");
    }
}

/// The two commands that the README promises.
#[test]
fn the_readme_names_its_two_commands() {
    let readme = include_str!("../../README.md");
    for command in ["cargo run --release -- --demo", "cargo test"] {
        assert!(readme.contains(&format!("    {command} ")), "{command}");
    }
}
