//! What bash really runs, compared with what the parts of a command say it runs.
//!
//! Random commands are given to bash with a search path that holds recorders only. For every command of
//! which tern has no doubt, each recorded program must be a part of it, word for word where the words are
//! fixed. `TERN_BASH_RUNS` sets how many commands; `TERN_BASH_SEED` where they begin.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be staged should fail loudly"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tern::permissions::shell::{self, Part, RedirectKind, Word, wrap};

use crate::support::gate::write;

const PIECES: [&str; 84] = [
    "ls", "cat", "2>f", "3<f", "a2>&1", "<&0", ">|f", "1>", "touch", "rm", "git", "npm", "x", "-a",
    "a b", "--", "=", "A=1", "b=2 ", ";", "&&", "||", "|", "|&", "&", "\n", "\n\n", " ", "  ",
    "\t", "'", "\"", "''", "\"\"", "`", "$(", ")", "(", "{", "}", "{ ", "; }", ">", ">>", "2>&1",
    ">&2", "&>f", "<", "< f", "<<E", "<<'E'", "<<-E", "\nE\n", "\nE", "E", "<<<", "$x", "${x}",
    "${x:-y}", "$'", "\\'", "\\", "\\\n", "\\;", "\\\\", "#", " #", "# ", "*", "[", "]", "[[",
    "]]", "~", "!", "if", "then", "else", "fi", "for i in", "do", "done", "time", "$((1+2))",
];

pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// xorshift64*, so that a run can be repeated from its seed.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn command(&mut self) -> String {
        const FRAMES: [&str; 16] = [
            "ls @ cat @",
            "ls @; cat @",
            "ls '@' x",
            "ls \"@\" x",
            "ls $(cat @) @",
            "ls `cat @` x",
            "if ls @; then cat @; fi",
            "for i in a b; do ls @; done",
            "cat <<E\n@\nE\nls @",
            "cat <<'E' | ls @\n@\nE",
            "{ ls @; }",
            "(ls @; cat @)",
            "ls @ > f @",
            "A=@ ls @",
            "ls @ # @\ncat @",
            "@",
        ];
        let frame = FRAMES[self.below(FRAMES.len())];
        let mut text = String::new();
        for piece in frame.split_inclusive('@') {
            text.push_str(piece.trim_end_matches('@'));
            if piece.ends_with('@') {
                for _ in 0..self.below(5) {
                    text.push_str(PIECES[self.below(PIECES.len())]);
                    if self.below(3) == 0 {
                        text.push(' ');
                    }
                }
            }
        }
        text
    }
}

/// A folder of programs that write down how they were called.
fn recorders(dir: &Path) {
    let script = "#!/bin/bash\nset -- \"${0##*/}\" \"$@\" $'\\x1e'\n\
        printf '%s\\x1f' \"${@//$'\\n'/$'\\x1d'}\" >> \"$RECORD\"\n";
    for name in ["ls", "cat", "touch", "rm", "git", "npm", "x", "a", "b", "f", "y", "E"] {
        let path = dir.join("bin").join(name);
        write(&path, script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}

/// The programs that ran, each with its words. A log and a folder of its own, as something may go on
/// behind.
fn run(dir: &Path, number: u64, command: &str) -> Vec<Vec<String>> {
    let log = dir.join(format!("log{number}"));
    let cwd = folder(dir, number);
    std::fs::create_dir_all(&cwd).expect("a folder");
    let mut child = Command::new("/bin/bash")
        .args(["-c", command])
        .current_dir(&cwd)
        .env_clear()
        .env("PATH", dir.join("bin"))
        .env("HOME", &cwd)
        .env("RECORD", &log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash starts");
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while child.try_wait().expect("a state").is_none() {
        if std::time::Instant::now() > limit {
            let _gone = child.kill();
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let _state = child.wait();
    let text = std::fs::read(&log).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .split_terminator("\u{1e}\u{1f}")
        .map(|call| {
            call.split_terminator('\u{1f}').map(|word| word.replace('\u{1d}', "\n")).collect()
        })
        .collect()
}

fn folder(dir: &Path, number: u64) -> PathBuf {
    dir.join("a/b").join(number.to_string())
}

/// Files that a command has left in its folder.
fn left(dir: &Path, number: u64) -> Vec<String> {
    std::fs::read_dir(folder(dir, number))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Whether a redirection of the parts makes this file, as far as their targets are fixed.
fn writes(parts: &[Part], name: &str) -> bool {
    parts.iter().flat_map(|part| &part.redirects).any(|redirect| {
        redirect.kind == RedirectKind::Writes
            && redirect
                .target
                .literal()
                .is_none_or(|target| target.trim_start_matches("./") == name)
    })
}

fn says(part: &Part, call: &[String]) -> bool {
    // A word of the grammar before a command that is known only when it runs.
    let timed =
        part.words.len() > 1 && part.words.first().is_some_and(|word| word.source == "time");
    let core = if timed { &part.words[1..] } else { wrap::core(&part.words) };
    [core, &part.words].into_iter().any(|words| {
        let fixed: Option<Vec<String>> = words.iter().map(Word::literal).collect();
        match fixed {
            Some(words) => words == call,
            None => words
                .first()
                .and_then(Word::literal)
                .as_ref()
                .is_none_or(|name| Some(name) == call.first()),
        }
    })
}

#[test]
fn bash_runs_what_the_parts_say() {
    if !Path::new("/bin/bash").exists() {
        println!("SKIPPED bash_runs_what_the_parts_say: there is no /bin/bash");
        return;
    }
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (runs, seed) = (number("TERN_BASH_RUNS", 200), number("TERN_BASH_SEED", 1));
    let mut random = Random::new(seed);
    let temp = tempfile::tempdir().expect("a temporary folder");
    recorders(temp.path());
    let (mut sure, mut ran) = (0, 0);
    while sure < runs {
        let command = random.command();
        let script = shell::read(&command, Path::new("/p"));
        if script.doubt.is_some() {
            continue;
        }
        sure += 1;
        let calls = run(temp.path(), sure, &command);
        let shown: Vec<&str> = script.parts.iter().map(|part| part.text.as_str()).collect();
        for name in left(temp.path(), sure) {
            assert!(
                writes(&script.parts, &name),
                "seed {seed}: {command:?} wrote {name:?}, which is in none of {shown:?}"
            );
        }
        for call in calls {
            ran += 1;
            let said = script.parts.iter().any(|part| says(part, &call));
            assert!(said, "seed {seed}: {command:?} ran {call:?}, which is none of {shown:?}");
        }
    }
    println!("{runs} commands without doubt, {ran} programs run, seed {seed}");
}
