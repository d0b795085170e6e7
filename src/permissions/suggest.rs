//! Rules that would have made a question unnecessary.
//!
//! Never one that would allow an interpreter, a wrapper or a destroyer as a whole: for those the very
//! command at most.

use super::access::{Access, Use, Wants};
use super::check::Finding;
use super::shell::{Shape, Word, wrap};
use super::{Policy, path, url};
use crate::protocol::{Ruling, Suggestion};

const MOST: usize = 5;

/// Programs whose first word says what they do: `cargo test`, `git commit`.
const WITH_SUBCOMMANDS: [&str; 36] = [
    "cargo",
    "git",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "deno",
    "go",
    "docker",
    "podman",
    "kubectl",
    "helm",
    "gh",
    "glab",
    "make",
    "just",
    "rustup",
    "dotnet",
    "mix",
    "gradle",
    "mvn",
    "bundle",
    "rails",
    "composer",
    "pip",
    "pip3",
    "uv",
    "poetry",
    "brew",
    "apt",
    "systemctl",
    "terraform",
    "aws",
    "gcloud",
    "az",
    "jj",
];
/// What they run is in their words or in a file: a rule for all of it would be a rule for everything.
const RUN_ANYTHING: [&str; 40] = [
    "python",
    "python2",
    "python3",
    "node",
    "ruby",
    "perl",
    "php",
    "lua",
    "bash",
    "sh",
    "zsh",
    "fish",
    "dash",
    "ksh",
    "env",
    "xargs",
    "eval",
    "exec",
    "source",
    ".",
    "command",
    "time",
    "timeout",
    "nohup",
    "nice",
    "watch",
    "ssh",
    "docker",
    "npx",
    "bunx",
    "uvx",
    "awk",
    "sed",
    "find",
    "tee",
    "curl",
    "wget",
    "osascript",
    "make",
    "git",
];
/// Nothing is suggested for these.
const DANGEROUS: [&str; 20] = [
    "sudo", "doas", "su", "rm", "rmdir", "dd", "mkfs", "shred", "chmod", "chown", "kill", "pkill",
    "killall", "reboot", "shutdown", "mount", "umount", "chroot", "crontab", "nc",
];

pub(super) fn rules(
    access: &Access,
    policy: &Policy,
    parts: &[(String, Finding)],
) -> Vec<Suggestion> {
    let mut found: Vec<String> = Vec::new();
    match &access.wants {
        Wants::Shell(shell) => {
            if shell.script.doubt.is_some() {
                return Vec::new();
            }
            for (step, (_, finding)) in shell.steps.iter().zip(parts) {
                if finding.ruling == Ruling::Ask {
                    match command(&step.part.words) {
                        Some(rule) => found.push(rule),
                        None => return Vec::new(),
                    }
                }
            }
        }
        Wants::Paths(paths) => {
            let tool = if paths.use_ == Use::Reads { "Read" } else { "Edit" };
            for path in paths.paths.iter().take(1) {
                found.extend(folder(path, policy).map(|spec| format!("{tool}({spec})")));
            }
        }
        Wants::Url(text) => {
            if let Ok(target) = url::target(text) {
                found.push(format!("WebFetch(domain:{})", target.host));
            }
        }
        Wants::Other => found.push(access.tool.clone()),
        Wants::Nothing | Wants::Person | Wants::Unclear(_) => {}
    }
    found.dedup();
    if found.len() > MOST {
        return Vec::new();
    }
    found.into_iter().map(|rule| Suggestion { rule }).collect()
}

fn command(words: &[Word]) -> Option<String> {
    let core = wrap::core(words);
    let name = core.first()?.literal()?;
    let bare = name.rsplit('/').next().unwrap_or_default();
    let plain = |word: &Word| matches!(word.shape(), Shape::Plain { .. } | Shape::Pattern { .. });
    let simple = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c))
    };
    if DANGEROUS.contains(&bare) || !simple(&name) {
        return None;
    }
    let sub =
        core.get(1).and_then(Word::literal).filter(|word| !word.starts_with('-') && simple(word));
    let third =
        core.get(2).and_then(Word::literal).filter(|word| !word.starts_with('-') && simple(word));
    match (bare, sub.as_deref()) {
        (
            "git",
            Some("push" | "reset" | "clean" | "checkout" | "restore" | "rebase" | "config"),
        ) => {}
        ("docker" | "podman" | "kubectl", Some("exec" | "run")) => {}
        ("npm" | "pnpm" | "yarn" | "bun", Some("exec" | "dlx" | "x")) => {}
        ("make", _) => {}
        ("npm" | "pnpm" | "yarn" | "bun" | "uv" | "poetry" | "go" | "deno", Some("run")) => {
            return third.filter(|_| !matches!(bare, "uv" | "poetry" | "go" | "deno")).map_or_else(
                || exact(core),
                |script| Some(format!("Bash({name} run {script} *)")),
            );
        }
        (bare, Some(sub)) if WITH_SUBCOMMANDS.contains(&bare) => {
            return Some(format!("Bash({name} {sub} *)"));
        }
        (bare, _) if RUN_ANYTHING.contains(&bare) || WITH_SUBCOMMANDS.contains(&bare) => {}
        _ if core.iter().all(plain) => return Some(format!("Bash({name} *)")),
        _ => {}
    }
    exact(core)
}

/// The very command, where it can stand in a rule as it is.
fn exact(words: &[Word]) -> Option<String> {
    let text = words.iter().map(Word::strict).collect::<Vec<_>>().join(" ");
    let fixed = words.iter().all(|word| word.literal().is_some());
    let safe = !text.contains(['*', '\n', '\\']) && !text.ends_with(":") && text.len() <= 200;
    (fixed && safe).then(|| format!("Bash({text})"))
}

/// The folder of a file, as the rule would name it; the file itself at the top of the project.
fn folder(file: &std::path::Path, policy: &Policy) -> Option<String> {
    let file = path::tidy(file);
    let special = |text: &str| text.contains(['*', '?', '[', '\\', '!', '(', ')']);
    let spec = if let Ok(rest) = file.strip_prefix(&policy.cwd) {
        match rest.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => format!("/{}/**", parent.display()),
            None => format!("/{}", rest.display()),
        }
    } else if let Ok(rest) = file.strip_prefix(&policy.home) {
        match rest.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => format!("~/{}/**", parent.display()),
            None => format!("~/{}", rest.display()),
        }
    } else {
        format!("/{}", file.display())
    };
    let bare = spec.strip_suffix("/**").unwrap_or(&spec);
    (!special(bare)).then_some(spec)
}
