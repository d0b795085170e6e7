//! Commands that run other commands.
//!
//! Two readings of the same part. For allow rules only a few harmless wrappers are taken off
//! ([`core`]), and only with flags that are known. For deny and ask rules everything that may run is
//! looked at ([`views`]): every tail of a wrapper's words, the text of `bash -c`, of `eval`, of a
//! here-document given to a shell, a program's bare name without its folder.

use std::path::Path;

use super::{Part, RedirectKind, Word, crude, read};

/// Looked through for deny and ask: what follows them may be a command.
const WRAPPERS: [&str; 103] = [
    "timeout",
    "time",
    "nice",
    "nohup",
    "stdbuf",
    "command",
    "builtin",
    "exec",
    "env",
    "sudo",
    "doas",
    "xargs",
    "watch",
    "setsid",
    "flock",
    "ionice",
    "chrt",
    "taskset",
    "strace",
    "ltrace",
    "unshare",
    "nsenter",
    "chroot",
    "su",
    "runuser",
    "script",
    "parallel",
    "busybox",
    "toybox",
    "npx",
    "bunx",
    "pnpx",
    "entr",
    "unbuffer",
    "rlwrap",
    "faketime",
    "fakeroot",
    "firejail",
    "bwrap",
    "systemd-run",
    "dbus-run-session",
    "xvfb-run",
    "gdb",
    "valgrind",
    "perf",
    "coproc",
    "noglob",
    "catchsegv",
    "caffeinate",
    "setarch",
    "prlimit",
    "trap",
    "pkexec",
    "tmux",
    "screen",
    "linux32",
    "linux64",
    "fakechroot",
    "proot",
    "cgexec",
    "numactl",
    "schedtool",
    "setpriv",
    "capsh",
    "gosu",
    "su-exec",
    "tini",
    "dumb-init",
    "choom",
    "uclampset",
    "systemd-inhibit",
    "cpulimit",
    "chpst",
    "softlimit",
    "setlock",
    "envdir",
    "lockf",
    "torsocks",
    "proxychains",
    "proxychains4",
    "nsjail",
    "ssh-agent",
    "at",
    "batch",
    "sem",
    "arch",
    "expect",
    "nodemon",
    "hyperfine",
    "ccache",
    "distcc",
    "direnv",
    "mise",
    "dotenv",
    "env-cmd",
    "cross-env",
    "op",
    "doppler",
    "aws-vault",
    "uv",
    "poetry",
    "pipenv",
    "bundle",
];
const SHELLS: [&str; 9] = ["bash", "sh", "zsh", "dash", "ksh", "ash", "mksh", "fish", "rbash"];
const FIND_RUNS: [&str; 4] = ["-exec", "-execdir", "-ok", "-okdir"];

/// Words of a wrapper after which a command is looked for.
const MOST_TAILS: usize = 60;
const MOST_VIEWS: usize = 2_000;
const DEEPEST: usize = 4;

pub fn is_wrapper(name: Option<&String>) -> bool {
    name.is_some_and(|name| WRAPPERS.contains(&bare_name(name)))
}

pub fn is_shell(name: &str) -> bool {
    SHELLS.contains(&bare_name(name))
}

/// The words without the wrappers that change nothing about what a command may do:
/// `timeout 5 cargo test` is `cargo test`.
pub fn core(words: &[Word]) -> &[Word] {
    let mut rest = words;
    for _ in 0..8 {
        match unwrapped(rest) {
            Some(inner) if !inner.is_empty() => rest = inner,
            _ => break,
        }
    }
    rest
}

fn unwrapped(words: &[Word]) -> Option<&[Word]> {
    let (first, rest) = words.split_first()?;
    let (with_value, alone): (&[&str], &[&str]) = match first.literal()?.as_str() {
        "timeout" => (&["-k", "-s"], &["-v", "--verbose", "--preserve-status", "--foreground"]),
        "time" => (&[], &["-p"]),
        "nice" => (&["-n"], &[]),
        "nohup" | "command" | "builtin" | "xargs" => (&[], &[]),
        "stdbuf" => (&["-i", "-o", "-e"], &[]),
        _ => return None,
    };
    let name = first.literal()?;
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        let text = word.literal()?;
        if !text.starts_with('-') {
            break;
        }
        let valued = with_value.iter().find_map(|flag| text.strip_prefix(flag));
        match valued {
            _ if alone.contains(&text.as_str()) => at += 1,
            Some("") => {
                rest.get(at + 1)?.literal().filter(|value| is_amount(value))?;
                at += 2;
            }
            Some(value) if is_amount(value) => at += 1,
            _ if name == "nice" && text[1..].bytes().all(|b| b.is_ascii_digit()) => at += 1,
            _ if is_long_amount(&name, &text) => at += 1,
            _ => return None,
        }
    }
    if name == "timeout" {
        rest.get(at)?.literal().filter(|value| is_amount(value))?;
        at += 1;
    }
    rest.get(at..)
}

/// A number, a duration, a buffer mode or the name of a signal.
fn is_amount(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 12
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

fn is_long_amount(name: &str, text: &str) -> bool {
    let flags: &[&str] = match name {
        "timeout" => &["--kill-after=", "--signal="],
        "nice" => &["--adjustment="],
        "stdbuf" => &["--input=", "--output=", "--error="],
        _ => &[],
    };
    flags.iter().any(|flag| text.strip_prefix(flag).is_some_and(is_amount))
}

/// Everything that a part may run, as words without quotes, the part itself first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Views {
    pub commands: Vec<Vec<String>>,
    /// False where there was more than could be looked at.
    pub complete: bool,
}

pub fn views(part: &Part) -> Views {
    let mut seen = Views { commands: Vec::new(), complete: true };
    add_part(part, 0, &mut seen);
    seen
}

fn add_part(part: &Part, depth: usize, seen: &mut Views) {
    let words: Vec<String> = part.words.iter().map(Word::loose).collect();
    add(&words, depth, seen);
    if words.first().is_some_and(|name| is_shell(name)) || is_wrapper(words.first()) {
        for redirect in &part.redirects {
            if redirect.kind == RedirectKind::Feeds {
                add_script(&redirect.target.loose(), depth, seen);
            }
        }
    }
}

fn add_script(text: &str, depth: usize, seen: &mut Views) {
    if depth >= DEEPEST {
        seen.complete = false;
        return;
    }
    let script = read(text, Path::new("/"));
    for part in &script.parts {
        add_part(part, depth + 1, seen);
    }
    if script.doubt.is_some() {
        for part in crude::parts(text) {
            add_part(&part, depth + 1, seen);
        }
    }
}

fn add(words: &[String], depth: usize, seen: &mut Views) {
    if seen.commands.len() >= MOST_VIEWS {
        seen.complete = false;
        return;
    }
    let Some((first, rest)) = words.split_first() else { return };
    let name = bare_name(first);
    seen.commands.push(words.to_vec());
    if name != first {
        let mut named = vec![name.to_owned()];
        named.extend_from_slice(rest);
        seen.commands.push(named);
    }
    if SHELLS.contains(&name) {
        for script in rest.iter().filter(|word| !word.starts_with('-')) {
            add_script(script, depth, seen);
        }
    }
    match name {
        "eval" => add_script(&rest.join(" "), depth, seen),
        "git" => add_git(rest, depth, seen),
        "find" | "fd" | "fdfind" => {
            let runs = |word: &String| {
                FIND_RUNS.contains(&word.as_str())
                    || ["-x", "-X", "--exec", "--exec-batch"].contains(&word.as_str())
            };
            for (at, _) in rest.iter().enumerate().filter(|(_, word)| runs(word)) {
                add_inner(&rest[at + 1..], depth, seen);
            }
        }
        _ if WRAPPERS.contains(&name) => {
            if rest.len() > MOST_TAILS {
                seen.complete = false;
            }
            for at in 0..rest.len().min(MOST_TAILS) {
                if rest[at].contains(char::is_whitespace) {
                    add_script(&rest[at], depth, seen);
                    // `env -S'rm x'`
                    let split = ["-S", "--split-string="];
                    let inner = split.iter().find_map(|flag| rest[at].strip_prefix(flag));
                    if let Some(inner) = inner {
                        add_script(inner, depth, seen);
                    }
                }
                add_tail(&rest[at..], depth, seen);
            }
        }
        _ => {}
    }
}

/// A command inside another one's words, wrappers and all.
fn add_inner(words: &[String], depth: usize, seen: &mut Views) {
    if depth >= DEEPEST {
        seen.complete = false;
        return;
    }
    add(words, depth + 1, seen);
}

/// A tail of a wrapper's words. A wrapper in it is seen from the outer one, which takes every tail.
fn add_tail(words: &[String], depth: usize, seen: &mut Views) {
    if depth >= DEEPEST {
        seen.complete = false;
        return;
    }
    let nested = words.first().is_some_and(|name| {
        let name = bare_name(name);
        SHELLS.contains(&name) || matches!(name, "eval" | "git" | "find" | "fd" | "fdfind")
    });
    if nested {
        return add(words, depth + 1, seen);
    }
    let Some((first, rest)) = words.split_first() else { return };
    seen.commands.push(words.to_vec());
    let name = bare_name(first);
    if name != first {
        let mut named = vec![name.to_owned()];
        named.extend_from_slice(rest);
        seen.commands.push(named);
    }
}

/// `git` without its global options, so that `git -C sub push` is seen as `git push`.
fn add_git(rest: &[String], depth: usize, seen: &mut Views) {
    const WITH_VALUE: [&str; 7] =
        ["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"];
    let mut at = 0;
    while let Some(word) = rest.get(at).filter(|word| word.starts_with('-')) {
        at += if WITH_VALUE.contains(&word.as_str()) { 2 } else { 1 };
    }
    let Some(inner) = rest.get(at..).filter(|inner| !inner.is_empty()) else { return };
    if at > 0 {
        let mut words = vec!["git".to_owned()];
        words.extend_from_slice(inner);
        seen.commands.push(words);
    }
    for (i, word) in inner.iter().enumerate().skip(1) {
        if matches!(word.as_str(), "run" | "foreach" | "-x" | "--exec") {
            add_inner(&inner[i + 1..], depth, seen);
            if let Some(script) = inner.get(i + 1) {
                add_script(script, depth, seen);
            }
        }
        if let Some(script) = word.strip_prefix("--exec=") {
            add_script(script, depth, seen);
        }
    }
}

fn bare_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        read(text, Path::new("/p")).parts
    }

    #[test]
    fn core_takes_off_known_wrappers_only() {
        for (command, expected) in [
            ("npm test", "npm test"),
            ("timeout -k 5 60 npm test", "npm test"),
            ("timeout --signal=KILL 1m nice -n 5 npm test", "npm test"),
            ("nice -5 nohup stdbuf -oL command npm test", "npm test"),
            ("time -p npm test", "npm test"),
            ("xargs npm test", "npm test"),
            ("xargs -n1 npm test", "xargs -n1 npm test"),
            ("command -v npm", "command -v npm"),
            ("env X=1 npm test", "env X=1 npm test"),
            ("time -o f npm test", "time -o f npm test"),
            ("timeout $x npm test", "timeout $x npm test"),
            ("nice", "nice"),
        ] {
            let parts = parts(command);
            let found: Vec<String> = core(&parts[0].words).iter().map(Word::loose).collect();
            assert_eq!(found.join(" "), expected, "{command}");
        }
    }

    #[test]
    fn views_look_through_everything() {
        for command in [
            "rm x",
            "/bin/rm x",
            "\\rm x",
            "r''m x",
            "sudo -u root rm x",
            "env A=1 rm x",
            "xargs -n1 rm x",
            "timeout 5 nice rm x",
            "bash -c 'rm x'",
            "sh -ec \"rm x\"",
            "eval rm x",
            "eval 'rm x'",
            "find . -exec rm x ';'",
            "sudo bash -c 'cd / && rm x'",
            "env -S 'rm x'",
            "watch 'rm x'",
            "bash <<< 'rm x'",
            "bash <<'E'\nrm x\nE",
            "git bisect run rm x",
            "setsid -f rm x",
            "trap 'rm x' EXIT",
            "sudo -- /usr/bin/env bash -c 'rm x'",
            "git rebase --exec 'rm x' main",
        ] {
            let found = parts(command).iter().any(|part| {
                views(part).commands.iter().any(|words| words.join(" ").starts_with("rm x"))
            });
            assert!(found, "{command}");
        }
        let git = &parts("git -C sub --no-pager push origin")[0];
        assert!(views(git).commands.contains(&vec!["git".into(), "push".into(), "origin".into()]));
    }
}
