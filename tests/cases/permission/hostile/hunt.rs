//! Lists of commands, one a line, that someone tried to get past the permission layer with.

use tern::protocol::{Mode, Ruling};

use super::none_allowed;
use crate::support::gate::{Rules, Stage};

/// `M` is a file that they would make; the rest stands in [`staged`].
const HUNT: &str = include_str!("hunt.txt");
/// Ways to run `rm`, to push, to fetch or to read `.env`, for rules that deny these.
const DENIED: &str = include_str!("denied.txt");

fn staged() -> Stage {
    let stage = Stage::new();
    let project = &stage.project;
    for folder in ["sub", "src"] {
        std::fs::create_dir_all(project.join(folder)).unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", project.join("link_out")).unwrap();
    std::os::unix::fs::symlink(&stage.outside, project.join("linkdir")).unwrap();
    std::fs::write(project.join("script.sed"), "s/a/b/w out").unwrap();
    let fifo = rustix::fs::mknodat(
        rustix::fs::CWD,
        project.join("fifo"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    );
    fifo.unwrap();
    stage
}

#[test]
fn nothing_of_the_hunt_runs_unasked() {
    let commands: Vec<&str> = HUNT.lines().collect();
    assert!(commands.len() > 600);
    for mode in [Mode::Default, Mode::Plan] {
        none_allowed(&staged(), mode, &Rules::default(), &commands);
    }
}

#[test]
fn rules_that_deny_hold_in_every_mode() {
    let deny = &["Bash(rm *)", "Read(./.env)", "Bash(git push *)", "Bash(curl *)"];
    let rules = Rules { allow: &["Bash"], deny, ..Rules::default() };
    let commands: Vec<&str> = DENIED.lines().collect();
    assert!(commands.len() > 250);
    none_allowed(&staged(), Mode::BypassPermissions, &rules, &commands);
    // Without such rules, bypass asks about nothing of the kind.
    let free = staged().command(Mode::BypassPermissions, &Rules::default(), "$tool x");
    assert_eq!(free.decision, Ruling::Allow);
}
