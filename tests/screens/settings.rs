//! The settings panel, and the note for later sessions.

use std::path::PathBuf;

use tern::app::panels::memory::MemoryRow;
use tern::app::panels::settings::{Layer, SettingRow};
use tern::app::{Effect, Msg, Reply};

use crate::support::screen::{Screen, screen};

fn setting(name: &str, value: &str, origin: &str, choices: &[&str]) -> SettingRow {
    SettingRow {
        name: name.to_owned(),
        value: value.to_owned(),
        origin: origin.to_owned(),
        doc: format!("What {name} is for"),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        adds: name == "permissions.allow",
        project: name != "session.keep-days",
        live: name.starts_with("ui."),
    }
}

fn settings(width: u16, height: u16) -> Screen {
    let rows = vec![
        setting("model", "\"anthropic/claude-sonnet-4-5\"", "environment", &[]),
        setting("permissions.allow", "\"Bash(cargo test *)\"", "~/.config/tern/config.toml:4", &[]),
        setting("ui.diff", "\"auto\"", "", &["auto", "split", "unified"]),
        setting("session.keep-days", "", "", &[]),
    ];
    let opened = screen(width, height).events("fixed").keys("/config<enter>");
    assert_eq!(opened.off.effects.last(), Some(&Effect::ListSettings));
    opened.send(Msg::Done(Reply::Settings(rows)))
}

fn save(screen: &Screen) -> Option<(String, String, Layer)> {
    match screen.off.effects.last() {
        Some(Effect::SaveSetting { name, value, layer }) => {
            Some((name.clone(), value.clone(), *layer))
        }
        _ => None,
    }
}

#[test]
fn each_setting_has_its_value_origin_and_meaning() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut panel = settings(width, height).keys("jj");
        insta::assert_snapshot!(format!("settings-{width}x{height}"), panel.text());
    }
    assert!(settings(80, 24).keys("/keep<enter>").text().contains("What session.keep-days is for"));
}

#[test]
fn a_value_is_written_or_goes_on_to_the_next() {
    let kept = |keys: &str| save(&settings(80, 24).keys(keys));
    let of = |name: &str, value: &str, layer| Some((name.to_owned(), value.to_owned(), layer));
    assert_eq!(kept("jj<enter>"), of("ui.diff", "split", Layer::User));
    assert_eq!(kept("jjP"), of("ui.diff", "split", Layer::Project));
    assert_eq!(kept("<enter><ctrl+u>demo/demo<enter>"), of("model", "demo/demo", Layer::User));
    assert_eq!(kept("j<enter>Read<enter>"), of("permissions.allow", "Read", Layer::User));
    assert_eq!(kept("jjj<enter>30<enter>"), of("session.keep-days", "30", Layer::User));
    assert_eq!(kept("jjjP"), None, "a project may not");
    assert_eq!(kept("<enter>x<esc>"), None);
}

#[test]
fn what_is_being_written_is_seen_and_the_list_is_read_again() {
    let mut writing = settings(80, 24).keys("<enter>");
    insta::assert_snapshot!("settings-writing", writing.text());
    let saved = Reply::SettingSaved(Ok("model kept in config.toml, from the next start".into()));
    let mut saved = writing.keys("<enter>").send(Msg::Done(saved));
    assert_eq!(saved.off.effects.last(), Some(&Effect::ListSettings));
    assert!(saved.text().contains("from the next start"), "{}", saved.text());
}

fn row(path: &str, scope: &'static str, bytes: Option<usize>) -> MemoryRow {
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    MemoryRow { path: path.into(), name, scope, bytes, cut: false, imported: false }
}

fn note() -> Screen {
    let asked = screen(80, 24).events("fixed").keys("# use tabs<enter>");
    assert!(asked.off.effects.contains(&Effect::ListMemory));
    assert!(asked.commands().is_empty(), "nothing goes to the model");
    let rows = vec![
        row("/config/AGENTS.md", "user", None),
        row("/project/AGENTS.md", "project", Some(40)),
        row("/project/docs.md", "project", Some(9)),
        row("/project/CLAUDE.local.md", "local", None),
    ];
    asked.send(Msg::Done(Reply::Memory(rows)))
}

#[test]
fn a_note_goes_into_the_file_that_is_chosen_and_comes_back_out() {
    let mut asked = note();
    insta::assert_snapshot!("note", asked.text());
    let chosen = asked.keys("j<enter>");
    let file = PathBuf::from("/config/AGENTS.md");
    let wish = |back| Effect::Note { file: file.clone(), text: "use tabs".into(), back };
    assert_eq!(chosen.off.effects.last(), Some(&wish(false)));
    let done = Reply::Noted(Ok((file.clone(), "noted in AGENTS.md".into())));
    let mut written = chosen.send(Msg::Done(done));
    insta::assert_snapshot!("note-written", written.text());
    let back = written.keys("u");
    assert_eq!(back.off.effects.last(), Some(&wish(true)));
    let done = Reply::Noted(Ok((file.clone(), "taken back from AGENTS.md".into())));
    let mut again = back.send(Msg::Done(done));
    assert!(again.text().contains("note it there"), "{}", again.text());
}
