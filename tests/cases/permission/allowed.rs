//! What is allowed without a rule, run for real: it changes nothing.
//!
//! The harmless commands as they are, and with a random flag or word put in. `TERN_ALLOWED_RUNS` sets how
//! many of the latter; `TERN_ALLOWED_SEED` where they begin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tern::protocol::{Mode, Ruling};

use super::bash::Random;
use super::harmless::{COMPOUNDS, GIT, LOOKING};
use crate::support::gate::{Rules, Stage};

/// Words that make one program or another write, run or read something.
const WORDS: [&str; 60] = [
    "-o",
    "-i",
    "-w",
    "-e",
    "-x",
    "-f",
    "-s",
    "-D",
    "-d",
    "-m",
    "-r",
    "-R",
    "-p",
    "-a",
    "-c",
    "-C",
    "-T",
    "-t",
    "-z",
    "-n",
    "-l",
    "-v",
    "-E",
    "-O",
    "-u",
    "-k",
    "-h",
    "-H",
    "-I",
    "-q",
    "-b",
    "-g",
    "-S",
    "-N",
    "-o MARK",
    "-oMARK",
    "-w MARK",
    "-e 'w MARK'",
    "-f MARK",
    "-i.MARK",
    "MARK",
    "> /dev/null",
    "2>&1",
    "--output=MARK",
    "--output MARK",
    "-exec touch MARK ;",
    "-exec touch MARK '+'",
    "-delete",
    "-fprint MARK",
    "--pre=touch",
    "--in-place",
    "-- MARK",
    "'1w MARK'",
    "'s/o/o/w MARK'",
    "'1e touch MARK'",
    "'BEGIN{print > \"MARK\"}'",
    "--to-command=touch",
    "| cat",
    "; pwd",
    "$x",
];

/// Every file below a folder with its text. The index of git is refreshed by reading commands.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if entry.file_type().expect("a kind").is_dir() {
                folders.push(path.clone());
                found.insert(path, Vec::new());
            } else if !path.ends_with(".git/index") {
                let text = std::fs::read(&path).unwrap_or_default();
                found.insert(path, text);
            }
        }
    }
    found
}

fn run(stage: &Stage, command: &str) {
    let mut child = Command::new("/bin/bash")
        .args(["-c", command])
        .current_dir(&stage.project)
        .env("HOME", &stage.home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash starts");
    let limit = Instant::now() + Duration::from_secs(3);
    while child.try_wait().expect("a state").is_none() {
        if Instant::now() > limit {
            let _gone = child.kill();
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _state = child.wait();
}

#[test]
fn what_is_allowed_changes_nothing() {
    if !Path::new("/bin/bash").exists() {
        println!("SKIPPED what_is_allowed_changes_nothing: there is no /bin/bash");
        return;
    }
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (runs, seed) = (number("TERN_ALLOWED_RUNS", 150), number("TERN_ALLOWED_SEED", 1));
    let mut random = Random::new(seed);
    let stage = Stage::new();
    let base = stage.home.parent().and_then(Path::parent).expect("a base").to_owned();
    let before = snapshot(&base);
    let all: Vec<&str> = [LOOKING, GIT, COMPOUNDS].concat();
    let (mut ran, mut tried) = (0, 0);
    while tried < runs {
        tried += 1;
        let mut words: Vec<String> =
            all[random.below(all.len())].split(' ').map(str::to_owned).collect();
        for _ in 0..random.below(3) {
            let at = 1 + random.below(words.len());
            words.insert(at.min(words.len()), WORDS[random.below(WORDS.len())].to_owned());
        }
        let command = stage.fill(&words.join(" "));
        if stage.command(Mode::Default, &Rules::default(), &command).decision != Ruling::Allow {
            continue;
        }
        ran += 1;
        run(&stage, &command);
        let after = snapshot(&base);
        let changed: Vec<&PathBuf> = before
            .iter()
            .filter(|(path, text)| after.get(*path) != Some(text))
            .map(|(path, _)| path)
            .chain(after.keys().filter(|path| !before.contains_key(*path)))
            .collect();
        assert!(changed.is_empty(), "seed {seed}: {command:?} changed {changed:?}");
    }
    println!("{ran} of {tried} commands were allowed and run, seed {seed}");
}
